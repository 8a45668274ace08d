//! Mails of the sign-in, queued in the unit that caused them.

use crate::draft::Draft;
use base::Time;
use std::time::Duration;
use web::{
    Visit,
    render::mail::{self, MailPage},
};
use work::mail::{Message, enqueue};

/// How long a notice is worth sending.
const NOTICE_LIFE: Duration = Duration::from_secs(3 * 86_400);

/// What the mailbox of `dev` shows beside the text, and whether anything is sent at all.
pub(crate) struct Letter<'a> {
    pub(crate) to: &'a str,
    pub(crate) code: Option<&'a str>,
    pub(crate) links: Vec<String>,
    /// Looks like a mail and is dropped by the worker.
    pub(crate) decoy: bool,
    pub(crate) until: Time,
}

/// Queues a mail.
pub(crate) fn queue(visit: &Visit, draft: &mut Draft, page: &impl MailPage, letter: Letter<'_>) {
    let mut chrome = visit.site.chrome(&visit.tenant);
    chrome.locale = visit.locale;
    let rendered = mail::render(page, &chrome);
    let message = Message {
        to: letter.to.to_owned(),
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        code: letter.code.map(str::to_owned),
        links: letter.links,
        decoy: letter.decoy,
    };
    enqueue(&mut draft.unit, &visit.tenant, visit.env(), &message, letter.until);
    draft.has_mail();
}

/// Queues a notice about something that happened.
pub(crate) fn tell(visit: &Visit, draft: &mut Draft, to: &str, page: &impl MailPage) {
    let until = visit.now().plus(NOTICE_LIFE);
    queue(visit, draft, page, Letter { to, code: None, links: Vec::new(), decoy: false, until });
}
