//! Owns the drawing of mails: one description, drawn as text and as HTML.

use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::{Chrome, Message, engine};

/// A mail we send.
pub trait MailPage {
    /// What it says.
    fn mail(&self) -> Mail;

    /// Every state it can be in, for tests and contact sheets.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// What a mail says.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    /// The subject, also the heading.
    pub subject: Message,
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// A part of a mail.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// A paragraph.
    Text(Message),
    /// A one-time code, large.
    Code(String),
    /// A button; as text, its label and address.
    Button {
        /// What it says.
        label: Message,
        /// Where it leads, an absolute URL.
        href: String,
    },
    /// A paragraph in small print.
    Small(Message),
}

/// A mail ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedMail {
    /// The subject, one line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// Draws a mail in the language and under the name of its surroundings.
pub fn render<M: MailPage>(mail: &M, chrome: &Chrome) -> RenderedMail {
    let mail = mail.mail();
    // A name in a subject must not start another header.
    let subject: String =
        mail.subject.text(chrome.locale).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let context = context! {
        mail => Value::from(Serde(&mail)),
        subject => &subject,
        locale => chrome.locale.code(),
        dir => chrome.locale.dir(),
        tenant => chrome.theme.product_name().unwrap_or(&chrome.tenant_name),
    };
    let draw = |template: &str| {
        let drawn =
            engine::environment(chrome.locale).get_template(template).and_then(|t| t.render(context.clone()));
        drawn.unwrap_or_else(|error| {
            tracing::error!(template, %error, "a mail cannot be drawn");
            String::new()
        })
    };
    RenderedMail { text: draw("mail/mail.txt"), html: draw("mail/mail.html"), subject }
}
