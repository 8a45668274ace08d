//! Mails with a one-time code.

use super::{CODE, CODE_LINK, MINUTES, button, good_for, number, small, text};
use crate::pages::HOSTILE;
use crate::render::mail::{Mail, MailPage, Part, Variable};
use crate::render::{Arg, Message};

/// A code and a link that prove the address of a new account. Somebody who has one gets the same.
#[derive(Clone, Debug)]
pub struct VerifyAddress {
    /// The code.
    pub code: String,
    /// The link that does the same.
    pub link: String,
    /// For how many minutes both are good.
    pub minutes: u32,
    /// The application the person comes from.
    pub application: Option<String>,
}

impl MailPage for VerifyAddress {
    const NAME: &'static str = "verify-address";
    const ABOUT: &'static str = "To an address that somebody wants an account for.";
    const VARIABLES: &'static [Variable] = &[
        CODE,
        CODE_LINK,
        MINUTES,
        Variable::new("application", "The application the person comes from; may be missing."),
    ];

    fn mail(&self) -> Mail {
        let subject = Message::new("mail-code-subject").text_arg("code", &self.code);
        let text = match &self.application {
            Some(name) => Message::new("mail-verify-for").text_arg("application", name),
            None => Message::new("mail-verify"),
        };
        Mail {
            subject,
            parts: vec![
                Part::Text(text),
                Part::Code(self.code.clone()),
                good_for(self.minutes),
                button("mail-verify-button", &self.link),
                small("mail-not-asked"),
            ],
        }
    }

    fn values(&self) -> Vec<Option<Arg>> {
        vec![
            text(&self.code),
            text(&self.link),
            number(self.minutes),
            self.application.as_ref().map(|name| Arg::Text(name.clone())),
        ]
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            code: "417026".into(),
            link: "https://id.example/link/ml_0123456789".into(),
            minutes: 10,
            application: Some("Web shop".into()),
        };
        vec![
            plain.clone(),
            Self { application: None, minutes: 1, ..plain.clone() },
            Self { application: Some(HOSTILE.into()), ..plain },
        ]
    }
}

/// A code and a link to replace a forgotten password.
#[derive(Clone, Debug)]
pub struct Recover {
    /// The code.
    pub code: String,
    /// The link that does the same.
    pub link: String,
    /// For how many minutes both are good.
    pub minutes: u32,
}

impl MailPage for Recover {
    const NAME: &'static str = "recover";
    const ABOUT: &'static str = "To somebody who forgot the password.";
    const VARIABLES: &'static [Variable] = &[CODE, CODE_LINK, MINUTES];

    fn mail(&self) -> Mail {
        Mail {
            subject: Message::new("mail-recover-subject").text_arg("code", &self.code),
            parts: vec![
                Part::Text(Message::new("mail-recover")),
                Part::Code(self.code.clone()),
                good_for(self.minutes),
                button("mail-recover-button", &self.link),
                small("mail-recover-not-asked"),
            ],
        }
    }

    fn values(&self) -> Vec<Option<Arg>> {
        vec![text(&self.code), text(&self.link), number(self.minutes)]
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            code: "417026".into(),
            link: "https://id.example/link/ml_0123456789".into(),
            minutes: 10,
        }]
    }
}

/// A code to prove a new address of an account.
#[derive(Clone, Debug)]
pub struct AddressChangeCode {
    /// The code.
    pub code: String,
    /// The link that does the same.
    pub link: String,
    /// For how many minutes both are good.
    pub minutes: u32,
}

impl MailPage for AddressChangeCode {
    const NAME: &'static str = "address-change-code";
    const ABOUT: &'static str = "To the address that an account shall have from now on.";
    const VARIABLES: &'static [Variable] = &[CODE, CODE_LINK, MINUTES];

    fn mail(&self) -> Mail {
        Mail {
            subject: Message::new("mail-code-subject").text_arg("code", &self.code),
            parts: vec![
                Part::Text(Message::new("mail-change-email")),
                Part::Code(self.code.clone()),
                good_for(self.minutes),
                button("mail-verify-button", &self.link),
                small("mail-not-asked"),
            ],
        }
    }

    fn values(&self) -> Vec<Option<Arg>> {
        vec![text(&self.code), text(&self.link), number(self.minutes)]
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            code: "417026".into(),
            link: "https://id.example/link/ml_0123456789".into(),
            minutes: 10,
        }]
    }
}

/// A code to prove oneself before the account is deleted.
#[derive(Clone, Debug)]
pub struct DeleteCode {
    /// The code.
    pub code: String,
    /// For how many minutes it is good.
    pub minutes: u32,
}

impl MailPage for DeleteCode {
    const NAME: &'static str = "delete-code";
    const ABOUT: &'static str = "To somebody who wants to delete the account.";
    const VARIABLES: &'static [Variable] = &[CODE, MINUTES];

    fn mail(&self) -> Mail {
        Mail {
            subject: Message::new("mail-delete-code-subject").text_arg("code", &self.code),
            parts: vec![
                Part::Text(Message::new("mail-delete-code")),
                Part::Code(self.code.clone()),
                good_for(self.minutes),
                small("mail-delete-not-asked"),
            ],
        }
    }

    fn values(&self) -> Vec<Option<Arg>> {
        vec![text(&self.code), number(self.minutes)]
    }

    fn samples() -> Vec<Self> {
        vec![Self { code: "417026".into(), minutes: 10 }]
    }
}
