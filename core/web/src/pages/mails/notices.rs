//! Mails that tell of something that happened.

use super::{TIME, button, small, text, time};
use crate::pages::{HOSTILE, portal::SAMPLE_NOW, say};
use crate::render::mail::{Mail, MailPage, Part, Variable};
use crate::render::{Arg, Message};

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

impl MailPage for AddressChanged {
    const NAME: &'static str = "address-changed";
    const ABOUT: &'static str = "To the address that an account had until now.";
    const VARIABLES: &'static [Variable] = &[
        Variable::new("new_address", "The new address, masked."),
        TIME,
        Variable::new("link", "Where help is found."),
    ];

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

    fn values(&self) -> Vec<Option<Arg>> {
        vec![text(&self.new_masked), time(self.at), text(&self.help)]
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            new_masked: "a•••e@example.org".into(),
            at: SAMPLE_NOW,
            help: "https://id.example/help".into(),
        }]
    }
}

/// The password was changed.
#[derive(Clone, Debug)]
pub struct PasswordChanged {
    /// When, in microseconds since 1970 (UTC).
    pub at: i64,
    /// Where the password is replaced if it was somebody else.
    pub recover: String,
}

impl MailPage for PasswordChanged {
    const NAME: &'static str = "password-changed";
    const ABOUT: &'static str = "To somebody whose password was changed.";
    const VARIABLES: &'static [Variable] =
        &[TIME, Variable::new("link", "Where the password is replaced if it was somebody else.")];

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

    fn values(&self) -> Vec<Option<Arg>> {
        vec![time(self.at), text(&self.recover)]
    }

    fn samples() -> Vec<Self> {
        vec![Self { at: SAMPLE_NOW, recover: "https://id.example/recover".into() }]
    }
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

impl MailPage for NewDevice {
    const NAME: &'static str = "new-device";
    const ABOUT: &'static str = "To somebody who signed in on a device that was not seen before.";
    const VARIABLES: &'static [Variable] = &[
        Variable::new("browser", "The browser; missing if it is not known."),
        Variable::new("system", "The system; missing if it is not known."),
        Variable::new("network", "From which network."),
        TIME,
        Variable::new("link", "Where the account is locked if it was somebody else."),
    ];

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

    fn values(&self) -> Vec<Option<Arg>> {
        vec![
            self.device.as_ref().map(|(browser, _)| Arg::Text(browser.clone())),
            self.device.as_ref().map(|(_, system)| Arg::Text(system.clone())),
            text(&self.network),
            time(self.at),
            text(&self.not_me),
        ]
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

/// The account was deleted.
#[derive(Clone, Debug)]
pub struct AccountDeleted {
    /// When, in microseconds since 1970 (UTC).
    pub at: i64,
}

impl MailPage for AccountDeleted {
    const NAME: &'static str = "account-deleted";
    const ABOUT: &'static str = "To somebody whose account was deleted.";
    const VARIABLES: &'static [Variable] = &[TIME];

    fn mail(&self) -> Mail {
        Mail {
            subject: Message::new("mail-deleted-subject"),
            parts: vec![
                Part::Text(Message::new("mail-deleted").time("time", self.at)),
                small("mail-deleted-more"),
            ],
        }
    }

    fn values(&self) -> Vec<Option<Arg>> {
        vec![time(self.at)]
    }

    fn samples() -> Vec<Self> {
        vec![Self { at: SAMPLE_NOW }]
    }
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

impl MailPage for RefreshReplay {
    const NAME: &'static str = "refresh-replay";
    const ABOUT: &'static str =
        "To somebody whose application was signed out because its token was used twice.";
    const VARIABLES: &'static [Variable] = &[
        Variable::new("application", "The application."),
        TIME,
        Variable::new("link", "Where the sessions are."),
    ];

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

    fn values(&self) -> Vec<Option<Arg>> {
        vec![text(&self.application), time(self.at), text(&self.sessions)]
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
