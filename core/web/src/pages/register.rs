//! A new account, a new password.

use serde::Serialize;

use super::{Chip, HOSTILE, LONG, sample_post, say};
use crate::render::{Action, Field, Form, Message, Notice, Page, Post};

/// The address of a new account.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RegisterAddress {
    /// Where it goes.
    pub post: Post,
    /// The application the person comes from.
    pub application: Option<String>,
    /// What was typed.
    pub email: String,
    /// What is wrong with it.
    pub error: Option<Message>,
    /// Something to say first.
    pub notice: Option<Notice>,
    /// Where those sign in who have an account.
    pub sign_in: Option<String>,
}

impl Page for RegisterAddress {
    const TEMPLATE: &'static str = "register.html";
    const STEP: &'static str = "register";

    fn form(&self) -> Form {
        Form::new(Message::new("register-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(
                Field::email("email", "field-email")
                    .holding(&self.email)
                    .focused()
                    .refused(self.error.as_ref()),
            )
            .action(Action::proceed("continue"))
            .link("sign-in", "sign-in", self.sign_in.as_ref())
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            application: Some("Web shop".into()),
            sign_in: Some("/signin".into()),
            ..Self::default()
        };
        vec![
            plain.clone(),
            Self { email: "alice@example".into(), error: Some(say::email_invalid()), ..plain.clone() },
            Self { application: Some(HOSTILE.into()), email: HOSTILE.into(), ..plain },
        ]
    }
}

/// The rest of a new account, once its address is proven.
#[derive(Clone, Debug, Serialize)]
pub struct RegisterDetails {
    /// Where it goes; `action=restart` is "Not you?".
    pub post: Post,
    /// The proven address.
    pub chip: Chip,
    /// What was typed.
    pub name: String,
    /// What was typed.
    pub username: String,
    /// Whether a user name is offered.
    pub offer_username: bool,
    /// The least length of a password, in characters.
    pub min_length: u32,
    /// What is wrong with the name.
    pub name_error: Option<Message>,
    /// What is wrong with the user name.
    pub username_error: Option<Message>,
    /// What is wrong with the password.
    pub password_error: Option<Message>,
    /// Something to say first.
    pub notice: Option<Notice>,
}

impl Page for RegisterDetails {
    const TEMPLATE: &'static str = "details.html";
    const STEP: &'static str = "details";

    fn form(&self) -> Form {
        let name = Field::text("name", "field-name", "name").optional().holding(&self.name);
        let username =
            Field::text("username", "field-username", "username").optional().holding(&self.username);
        let password = Field::password("password", "field-password", "new-password")
            .hinted(Message::new("password-rule").number("count", self.min_length));
        let mut form = Form::new(Message::new("details-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(name.refused(self.name_error.as_ref()));
        if self.offer_username {
            form = form.field(username.refused(self.username_error.as_ref()));
        }
        form.field(password.refused(self.password_error.as_ref()))
            .action(Action::proceed("create-account"))
            .action(Action::aside("restart", "not-you"))
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            chip: Chip::new("alice@example.com"),
            name: String::new(),
            username: String::new(),
            offer_username: true,
            min_length: 8,
            name_error: None,
            username_error: None,
            password_error: None,
            notice: None,
        };
        let typed = Self { name: "Alice Example".into(), username: "alice".into(), ..plain.clone() };
        vec![
            plain.clone(),
            Self { password_error: Some(say::password_too_short(8)), ..typed.clone() },
            Self { username_error: Some(say::username_taken()), ..typed.clone() },
            Self {
                username_error: Some(say::username_invalid()),
                password_error: Some(say::password_common()),
                ..typed
            },
            Self {
                offer_username: false,
                min_length: 15,
                name: LONG.into(),
                name_error: Some(say::too_long(100)),
                ..plain.clone()
            },
            Self { name: HOSTILE.into(), username: HOSTILE.into(), chip: Chip::new(HOSTILE), ..plain },
        ]
    }
}

/// Whose password is forgotten?
#[derive(Clone, Debug, Default, Serialize)]
pub struct RecoverAddress {
    /// Where it goes.
    pub post: Post,
    /// What was typed.
    pub identifier: String,
    /// What is wrong with it.
    pub error: Option<Message>,
    /// Something to say first.
    pub notice: Option<Notice>,
    /// Where those sign in who remember.
    pub sign_in: Option<String>,
}

impl Page for RecoverAddress {
    const TEMPLATE: &'static str = "recover.html";
    const STEP: &'static str = "recover";

    fn form(&self) -> Form {
        let identifier = Field::text("identifier", "field-identifier", "username").holding(&self.identifier);
        Form::new(Message::new("recover-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(identifier.focused().refused(self.error.as_ref()))
            .action(Action::proceed("continue"))
            .link("sign-in", "back-to-sign-in", self.sign_in.as_ref())
    }

    fn samples() -> Vec<Self> {
        let plain = Self { post: sample_post(), sign_in: Some("/signin".into()), ..Self::default() };
        vec![
            plain.clone(),
            Self { error: Some(say::identifier_missing()), ..plain.clone() },
            Self { identifier: HOSTILE.into(), ..plain },
        ]
    }
}

/// A new password in place of a forgotten one.
#[derive(Clone, Debug, Serialize)]
pub struct NewPassword {
    /// Where it goes; `action=restart` is "Not you?".
    pub post: Post,
    /// Whose it is.
    pub chip: Chip,
    /// The least length of a password, in characters.
    pub min_length: u32,
    /// What is wrong with what was sent.
    pub error: Option<Message>,
    /// Something to say first.
    pub notice: Option<Notice>,
}

impl Page for NewPassword {
    const TEMPLATE: &'static str = "new-password.html";
    const STEP: &'static str = "new-password";

    fn form(&self) -> Form {
        let password = Field::password("password", "field-new-password", "new-password")
            .hinted(Message::new("password-rule").number("count", self.min_length));
        Form::new(Message::new("new-password-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(password.focused().refused(self.error.as_ref()))
            .action(Action::proceed("save-password"))
            .action(Action::aside("restart", "not-you"))
    }

    fn samples() -> Vec<Self> {
        let chip = Chip::new("alice@example.com");
        let plain = Self { post: sample_post(), chip, min_length: 8, error: None, notice: None };
        vec![
            plain.clone(),
            Self { error: Some(say::password_similar()), ..plain.clone() },
            Self { error: Some(say::password_too_long(1024)), min_length: 15, ..plain.clone() },
            Self { error: Some(say::password_missing()), ..plain },
        ]
    }
}
