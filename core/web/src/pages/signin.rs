//! Who are you, prove it, allow it: the pages of signing in.

use serde::Serialize;

use super::{HOSTILE, LONG, sample_post, say};
use crate::render::{Action, Field, Form, Message, Notice, Page, Post};

/// The person being signed in, always visible.
#[derive(Clone, Debug, Serialize)]
pub struct Chip {
    /// One or two letters in the circle.
    pub initials: String,
    /// The address or user name that was given.
    pub identifier: String,
}

impl Chip {
    /// For an identifier as it was typed: "alice.example@…" has the initials AE.
    pub fn new(identifier: impl Into<String>) -> Self {
        let identifier = identifier.into();
        Self { initials: initials(&identifier), identifier }
    }
}

/// Up to two letters that stand for a name or an address.
pub(super) fn initials(name: &str) -> String {
    let local = name.split('@').next().unwrap_or_default();
    let words = local.split(|c: char| !c.is_alphanumeric()).filter_map(|word| word.chars().next());
    let letters: String = words.take(2).flat_map(char::to_uppercase).collect();
    if letters.is_empty() { "?".to_owned() } else { letters }
}

/// The first step: e-mail address or user name. The password may come with it, when the browser
/// fills both.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Identify {
    /// Where it goes.
    pub post: Post,
    /// The application the person comes from.
    pub application: Option<String>,
    /// What was typed.
    pub identifier: String,
    /// What is wrong with it.
    pub error: Option<Message>,
    /// Something to say first: an expired flow, a notice.
    pub notice: Option<Notice>,
    /// Where an account is created.
    pub register: Option<String>,
    /// Where a forgotten password is replaced.
    pub recover: Option<String>,
}

impl Page for Identify {
    const TEMPLATE: &'static str = "identify.html";
    const STEP: &'static str = "identify";

    fn form(&self) -> Form {
        let identifier = Field::text("identifier", "field-identifier", "username webauthn");
        Form::new(Message::new("identify-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(identifier.holding(&self.identifier).focused().refused(self.error.as_ref()))
            .field(Field::password("password", "field-password", "current-password").optional())
            .action(Action::proceed("continue"))
            .link("register", "create-account", self.register.as_ref())
            .link("recover", "forgot-password", self.recover.as_ref())
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            application: Some("Web shop".into()),
            register: Some("/register".into()),
            recover: Some("/recover".into()),
            ..Self::default()
        };
        vec![
            plain.clone(),
            Self { identifier: "alice@".into(), error: Some(say::identifier_invalid()), ..plain.clone() },
            Self { application: None, notice: Some(Notice::info(say::started_over())), ..plain.clone() },
            Self { notice: Some(Notice::done(say::password_was_changed())), ..plain.clone() },
            Self { error: Some(say::too_many_attempts(15)), application: Some(LONG.into()), ..plain.clone() },
            Self { application: Some(HOSTILE.into()), identifier: HOSTILE.into(), ..plain },
        ]
    }
}

/// The password of the person named in the chip.
#[derive(Clone, Debug, Serialize)]
pub struct Password {
    /// Where it goes; `action=restart` is "Not you?", `action=another` is "Try another way".
    pub post: Post,
    /// Who signs in.
    pub chip: Chip,
    /// What is wrong with what was sent.
    pub error: Option<Message>,
    /// Something to say first.
    pub notice: Option<Notice>,
    /// Where a forgotten password is replaced.
    pub recover: Option<String>,
    /// Whether there is another method to offer.
    pub another: bool,
}

impl Page for Password {
    const TEMPLATE: &'static str = "password.html";
    const STEP: &'static str = "password";

    fn form(&self) -> Form {
        let password = Field::password("password", "field-password", "current-password");
        let form = Form::new(Message::new("password-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(password.focused().refused(self.error.as_ref()))
            .action(Action::proceed("sign-in"))
            .action(Action::aside("restart", "not-you"))
            .link("recover", "forgot-password", self.recover.as_ref());
        if self.another { form.action(Action::aside("another", "another-way")) } else { form }
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            chip: Chip::new("alice.example@example.com"),
            error: None,
            notice: None,
            recover: Some("/recover".into()),
            another: true,
        };
        vec![
            plain.clone(),
            Self { error: Some(say::wrong_password()), ..plain.clone() },
            Self { notice: Some(Notice::info(say::prove_again())), another: false, ..plain.clone() },
            Self {
                error: Some(say::too_many_attempts(1)),
                chip: Chip::new(format!("{LONG}@example.com")),
                ..plain.clone()
            },
            Self { chip: Chip::new(HOSTILE), ..plain },
        ]
    }
}

/// What a one-time code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodePurpose {
    /// To prove the address of a new account.
    Register,
    /// To replace a forgotten password.
    Recover,
    /// To prove a new address.
    ChangeEmail,
    /// To prove oneself before the account is deleted.
    Delete,
    /// To sign in.
    SignIn,
}

/// A one-time code that was sent.
#[derive(Clone, Debug, Serialize)]
pub struct Code {
    /// Where it goes; `action=resend` sends it again, `action=another` goes back to choose
    /// another address or method.
    pub post: Post,
    /// What it is for.
    pub purpose: CodePurpose,
    /// Where it went, masked by the caller: `a•••e@example.com`.
    pub destination: String,
    /// For how many minutes it is good.
    pub minutes: u32,
    /// Seconds until it may be sent again; 0 now.
    pub resend_after: u32,
    /// What is wrong with what was sent.
    pub error: Option<Message>,
    /// Something to say first, such as "we sent a new code".
    pub notice: Option<Notice>,
}

impl Page for Code {
    const TEMPLATE: &'static str = "code.html";
    const STEP: &'static str = "code";

    fn form(&self) -> Form {
        let another = match self.purpose {
            CodePurpose::Register | CodePurpose::ChangeEmail => "another-address",
            CodePurpose::Recover | CodePurpose::Delete | CodePurpose::SignIn => "another-method",
        };
        let sent = Message::new("code-sent")
            .text_arg("destination", &self.destination)
            .number("minutes", self.minutes);
        Form::new(Message::new("code-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(Field::code("code", "field-code").hinted(sent).focused().refused(self.error.as_ref()))
            .action(Action::proceed("continue"))
            .action(Action::aside("resend", "send-again"))
            .action(Action::aside("another", another))
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            purpose: CodePurpose::Register,
            destination: "a•••e@example.com".into(),
            minutes: 10,
            resend_after: 24,
            error: None,
            notice: None,
        };
        let of = |purpose| Self { purpose, resend_after: 0, ..plain.clone() };
        vec![
            plain.clone(),
            Self { error: Some(say::code_wrong(3)), ..of(CodePurpose::Recover) },
            Self { error: Some(say::code_expired()), minutes: 1, ..of(CodePurpose::SignIn) },
            Self {
                notice: Some(Notice::done(say::code_sent_again())),
                minutes: 2,
                ..of(CodePurpose::ChangeEmail)
            },
            of(CodePurpose::Delete),
            Self { destination: HOSTILE.into(), ..plain },
        ]
    }
}

/// One thing an application asks for.
#[derive(Clone, Debug, Serialize)]
pub struct ConsentItem {
    /// What it may do.
    pub title: Message,
    /// Which data that is.
    pub detail: Option<Message>,
}

impl ConsentItem {
    /// Scopes in plain words: who somebody is first, then what is known about them, then the
    /// application's own. `description` is what a tenant says of its own, `value` what would be learnt by one.
    pub fn of_scopes<'a>(
        scopes: impl IntoIterator<Item = &'a str>,
        description: impl Fn(&'a str) -> Option<&'a str>,
        value: impl Fn(&str) -> Option<String>,
    ) -> Vec<Self> {
        const ORDER: [&str; 6] = ["openid", "profile", "email", "phone", "address", "offline_access"];
        let mut scopes: Vec<&str> = scopes.into_iter().collect();
        scopes.sort_by_key(|scope| ORDER.iter().position(|known| known == scope).unwrap_or(ORDER.len()));
        let item = |scope| Self::of_scope(scope, description(scope), value(scope).as_deref());
        scopes.into_iter().map(item).collect()
    }

    /// A scope in plain words: ours explained, others by the words of `description` or their name.
    /// `value` is what the application would learn, such as the e-mail address.
    pub fn of_scope(scope: &str, description: Option<&str>, value: Option<&str>) -> Self {
        let own = value.map(Message::verbatim);
        let (title, detail) = match scope {
            "openid" => ("scope-openid", Some(Message::new("scope-openid-detail"))),
            "profile" => ("scope-profile", Some(Message::new("scope-profile-detail"))),
            "email" => ("scope-email", own),
            "phone" => ("scope-phone", own),
            "address" => ("scope-address", own),
            "offline_access" => ("scope-offline", Some(Message::new("scope-offline-detail"))),
            other => return Self { title: Message::verbatim(description.unwrap_or(other)), detail: own },
        };
        Self { title: Message::new(title), detail }
    }
}

/// A third-party application asks for access.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    /// Where it goes, with `decision` being `allow` or `deny`.
    pub post: Post,
    /// Who asks.
    pub application: String,
    /// The domain it lives at.
    pub domain: String,
    /// As whom.
    pub identifier: String,
    /// What it asks for.
    pub items: Vec<ConsentItem>,
    /// For how many days; none until it is taken back.
    pub days: Option<u32>,
    /// The application's privacy policy.
    pub privacy: Option<String>,
    /// The application's terms of service.
    pub terms: Option<String>,
}

impl Page for Consent {
    const TEMPLATE: &'static str = "consent.html";
    const STEP: &'static str = "consent";

    fn form(&self) -> Form {
        let title = Message::new("consent-title").text_arg("application", &self.application);
        let form = Form::new(title)
            .post(&self.post)
            .action(Action::choose("deny", Message::new("deny"), "decision", "deny"))
            .action(Action::choose("allow", Message::new("allow"), "decision", "allow"))
            .link("privacy", "privacy-policy", self.privacy.as_ref())
            .link("terms", "terms-of-service", self.terms.as_ref());
        self.items.iter().fold(form, |form, item| form.notice(Some(&Notice::info(item.title.clone()))))
    }

    fn samples() -> Vec<Self> {
        let item = ConsentItem::of_scope;
        let plain = Self {
            post: sample_post(),
            application: "Partner Labs".into(),
            domain: "partnerlabs.example".into(),
            identifier: "alice@example.com".into(),
            items: vec![
                item("openid", None, None),
                item("profile", None, None),
                item("email", None, Some("alice@example.com")),
                item("offline_access", None, None),
            ],
            days: None,
            privacy: Some("https://partnerlabs.example/privacy".into()),
            terms: None,
        };
        let many = vec![
            item("phone", None, Some("+49 151 12345678")),
            item("address", None, Some("Unter den Linden 1, 10117 Berlin")),
            item("orders.read", Some("Read the orders of the last twelve months, with their invoices"), None),
            item("orders.write", None, None),
        ];
        vec![
            plain.clone(),
            Self {
                application: LONG.into(),
                items: many,
                days: Some(90),
                terms: Some("https://partnerlabs.example/terms".into()),
                ..plain.clone()
            },
            Self {
                application: HOSTILE.into(),
                domain: HOSTILE.into(),
                identifier: HOSTILE.into(),
                privacy: None,
                ..plain
            },
        ]
    }
}

/// One account to choose.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// One or two letters in the circle.
    pub initials: String,
    /// The person's name, if known.
    pub name: Option<String>,
    /// The address or user name.
    pub identifier: String,
    /// What is posted as `account`.
    pub value: String,
}

impl Account {
    /// An account by name and identifier; `value` is what is posted.
    pub fn new(name: Option<&str>, identifier: &str, value: &str) -> Self {
        Self {
            initials: initials(name.unwrap_or(identifier)),
            name: name.map(str::to_owned),
            identifier: identifier.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// Several people are signed in in this browser: which one goes on?
#[derive(Clone, Debug, Serialize)]
pub struct ChooseAccount {
    /// Where it goes, with `account`; `action=another` is another account.
    pub post: Post,
    /// The application the person comes from.
    pub application: Option<String>,
    /// The accounts.
    pub accounts: Vec<Account>,
}

impl Page for ChooseAccount {
    const TEMPLATE: &'static str = "choose.html";
    const STEP: &'static str = "choose";

    fn form(&self) -> Form {
        let form = Form::new(Message::new("choose-title")).post(&self.post);
        let form = self.accounts.iter().fold(form, |form, account| {
            let label = Message::verbatim(&account.identifier);
            let mut action = Action::choose("account", label, "account", &account.value);
            action.id = None;
            form.action(action)
        });
        form.action(Action::aside("another", "another-account"))
    }

    fn samples() -> Vec<Self> {
        let accounts = vec![
            Account::new(Some("Alice Example"), "alice@example.com", "s_1"),
            Account::new(None, "alice.work@company.example", "s_2"),
            Account::new(Some(LONG), &format!("{LONG}@example.com"), "s_3"),
        ];
        vec![
            Self { post: sample_post(), application: Some("Web shop".into()), accounts },
            Self {
                post: sample_post(),
                application: None,
                accounts: vec![Account::new(Some(HOSTILE), HOSTILE, "s_4")],
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_come_from_names_and_addresses() {
        assert_eq!(initials("Alice Example"), "AE");
        assert_eq!(initials("alice.example@example.com"), "AE");
        assert_eq!(initials("bob@x.org"), "B");
        assert_eq!(initials("ليلى"), "ل");
        assert_eq!(initials("@"), "?");
    }
}
