//! The hand-over of mails: queued in the unit that caused them, taken by a worker that holds a
//! lease, delivered at least once to an SMTP server or, in `dev`, to the built-in mailbox.
//!
//! A page never waits for a mail server. A mail that is no longer of use is not sent, and a decoy
//! (for an address without an account) takes the same way and is dropped at its end.

mod compose;
mod mailbox;
mod smtp;
#[cfg(test)]
mod tests;
mod worker;

use base::{Aad, Env, Id, Time, id};
pub use mailbox::{Caught, Mailbox};
use serde::{Deserialize, Serialize};
pub use smtp::{Security, Smtp, SmtpSettings};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use store::{Tenant, Unit, rows};
use tokio::sync::Notify;
pub use worker::Worker;

const LABEL: &str = "mail.body";

/// A mail, rendered. Has no `Debug`: it holds codes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The one recipient's address.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text for readers without HTML.
    pub text: String,
    /// Its text as HTML.
    pub html: String,
    /// The one-time code in it, for the mailbox of `dev`.
    pub code: Option<String>,
    /// The links in it, for the mailbox of `dev`.
    pub links: Vec<String>,
    /// Whether it only looks like a mail and is never sent.
    pub decoy: bool,
}

/// Queues a mail in the unit of its cause, sealed under the tenant's key. After the commit wake
/// the worker with [`MailSignal::wake`].
pub fn enqueue(unit: &mut Unit, tenant: &Tenant, env: &Env, message: &Message, expires_at: Time) {
    let id: Id<id::Mail> = env.id();
    #[expect(clippy::expect_used, reason = "strings, lists of them and a boolean are always JSON")]
    let body = serde_json::to_vec(message).expect("a message is JSON");
    let sealed = tenant.key.seal(env.rng(), Aad::new(&tenant.id, LABEL, &id), &body);
    rows::mail::insert(unit, tenant.id, (id, &sealed), env.now(), expires_at);
}

/// Where mails go.
pub enum Transport {
    /// To an SMTP server.
    Smtp(Box<Smtp>),
    /// To the mailbox of `dev`.
    Mailbox(Mailbox),
}

impl From<Smtp> for Transport {
    fn from(smtp: Smtp) -> Self {
        Self::Smtp(Box::new(smtp))
    }
}

impl From<Mailbox> for Transport {
    fn from(mailbox: Mailbox) -> Self {
        Self::Mailbox(mailbox)
    }
}

/// A mail on its way out.
struct Outgoing<'a> {
    id: Id<id::Mail>,
    /// The host of the tenant's issuer.
    host: &'a str,
    message: &'a Message,
    /// When it was queued: its date, the same in every try.
    queued_at: Time,
    now: Time,
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// Worth another try: nobody answered, or not yet.
    Later(String),
    /// The same mail would be refused again.
    Never(String),
}

impl Transport {
    /// Delivers a mail, or, if it is a decoy, does everything but that.
    async fn deliver(&self, mail: &Outgoing<'_>) -> Result<(), Trouble> {
        match self {
            Self::Smtp(smtp) => smtp.deliver(mail).await,
            Self::Mailbox(mailbox) => mailbox.deliver(mail),
        }
    }
}

/// Connects those who queue mails with the worker: wakes it, and counts what it did.
#[derive(Clone, Default)]
pub struct MailSignal(Arc<Shared>);

#[derive(Default)]
struct Shared {
    wake: Notify,
    sent: AtomicU64,
    failed: AtomicU64,
}

impl MailSignal {
    /// Says that a unit with a mail is in force. Without it the mail leaves within a second.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// How many mails this node delivered since its start.
    pub fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// How many mails this node gave up since its start: refused for good, or expired unsent.
    pub fn failed(&self) -> u64 {
        self.0.failed.load(Ordering::Relaxed)
    }
}
