//! Owns what our mails say. Links are absolute and come from the issuer.

use super::portal::SAMPLE_NOW;
use super::{HOSTILE, say};
use crate::render::Message;
use crate::render::mail::{Mail, MailPage, Part};

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

/// A code to prove oneself before the account is deleted.
#[derive(Clone, Debug)]
pub struct DeleteCode {
    /// The code.
    pub code: String,
    /// For how many minutes it is good.
    pub minutes: u32,
}

/// To the old address: it was replaced.
#[derive(Clone, Debug)]
pub struct AddressChanged {
    /// The new address, masked.
    pub new_masked: String,
    /// When, in microseconds since 1970 (UTC).
    pub at: i64,
    /// Where to get help.
    pub help: String,
}

/// The password was changed.
#[derive(Clone, Debug)]
pub struct PasswordChanged {
    /// When, in microseconds since 1970 (UTC).
    pub at: i64,
    /// Where the password is replaced if it was somebody else.
    pub recover: String,
}

/// Somebody signed in on a device not seen before.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// The browser and the system, if known.
    pub device: Option<(String, String)>,
    /// From which network.
    pub network: String,
    /// When, in microseconds since 1970 (UTC).
    pub at: i64,
    /// "This wasn't me": locks the account down.
    pub not_me: String,
}

/// The account was deleted.
#[derive(Clone, Debug)]
pub struct AccountDeleted {
    /// When, in microseconds since 1970 (UTC).
    pub at: i64,
}

/// A refresh token was used twice: its application was signed out.
#[derive(Clone, Debug)]
pub struct RefreshReplay {
    /// The application.
    pub application: String,
    /// When, in microseconds since 1970 (UTC).
    pub at: i64,
    /// The page of sessions.
    pub sessions: String,
}

fn button(label: &'static str, href: &str) -> Part {
    Part::Button { label: Message::new(label), href: href.to_owned() }
}

fn small(id: &'static str) -> Part {
    Part::Small(Message::new(id))
}

fn good_for(minutes: u32) -> Part {
    Part::Text(Message::new("mail-good-for").number("minutes", minutes))
}

impl MailPage for VerifyAddress {
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

impl MailPage for Recover {
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

    fn samples() -> Vec<Self> {
        vec![Self {
            code: "417026".into(),
            link: "https://id.example/link/ml_0123456789".into(),
            minutes: 10,
        }]
    }
}

impl MailPage for AddressChangeCode {
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

    fn samples() -> Vec<Self> {
        vec![Self {
            code: "417026".into(),
            link: "https://id.example/link/ml_0123456789".into(),
            minutes: 10,
        }]
    }
}

impl MailPage for DeleteCode {
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

    fn samples() -> Vec<Self> {
        vec![Self { code: "417026".into(), minutes: 10 }]
    }
}

impl MailPage for AddressChanged {
    fn mail(&self) -> Mail {
        let text = Message::new("mail-email-changed").text_arg("new", &self.new_masked).time("time", self.at);
        Mail {
            subject: Message::new("mail-email-changed-subject"),
            parts: vec![
                Part::Text(text),
                Part::Text(Message::new("mail-email-changed-else")),
                button("mail-get-help", &self.help),
            ],
        }
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            new_masked: "a•••e@example.org".into(),
            at: SAMPLE_NOW,
            help: "https://id.example/help".into(),
        }]
    }
}

impl MailPage for PasswordChanged {
    fn mail(&self) -> Mail {
        Mail {
            subject: Message::new("mail-password-changed-subject"),
            parts: vec![
                Part::Text(Message::new("mail-password-changed").time("time", self.at)),
                Part::Text(Message::new("mail-password-changed-else")),
                button("mail-recover-button", &self.recover),
            ],
        }
    }

    fn samples() -> Vec<Self> {
        vec![Self { at: SAMPLE_NOW, recover: "https://id.example/recover".into() }]
    }
}

impl MailPage for NewDevice {
    fn mail(&self) -> Mail {
        let what = match &self.device {
            Some((browser, system)) => say::device(browser, system),
            None => say::unknown_device(),
        };
        let from =
            Message::new("mail-new-device-from").text_arg("network", &self.network).time("time", self.at);
        Mail {
            subject: Message::new("mail-new-device-subject"),
            parts: vec![
                Part::Text(Message::new("mail-new-device")),
                Part::Text(what),
                Part::Text(from),
                Part::Text(Message::new("mail-new-device-else")),
                button("mail-not-me", &self.not_me),
            ],
        }
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            device: Some(("Firefox".into(), "Linux".into())),
            network: "203.0.113.0/24".into(),
            at: SAMPLE_NOW,
            not_me: "https://id.example/link/nm_0123456789".into(),
        };
        vec![
            plain.clone(),
            Self { device: None, ..plain.clone() },
            Self { device: Some((HOSTILE.into(), HOSTILE.into())), ..plain },
        ]
    }
}

impl MailPage for AccountDeleted {
    fn mail(&self) -> Mail {
        Mail {
            subject: Message::new("mail-deleted-subject"),
            parts: vec![
                Part::Text(Message::new("mail-deleted").time("time", self.at)),
                small("mail-deleted-more"),
            ],
        }
    }

    fn samples() -> Vec<Self> {
        vec![Self { at: SAMPLE_NOW }]
    }
}

impl MailPage for RefreshReplay {
    fn mail(&self) -> Mail {
        let text =
            Message::new("mail-replay").text_arg("application", &self.application).time("time", self.at);
        Mail {
            subject: Message::new("mail-replay-subject").text_arg("application", &self.application),
            parts: vec![
                Part::Text(text),
                Part::Text(Message::new("mail-replay-else")),
                button("mail-see-sessions", &self.sessions),
            ],
        }
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            application: "Web shop".into(),
            at: SAMPLE_NOW,
            sessions: "https://id.example/account/sessions".into(),
        };
        vec![plain.clone(), Self { application: HOSTILE.into(), ..plain }]
    }
}
