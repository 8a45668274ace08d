//! What a person changes in the account.

use serde::Serialize;

use super::{HOSTILE, LONG, Viewer, sample_post, saved, say};
use crate::locale::Locale;
use crate::render::{Action, Choice, Field, Form, Message, Notice, Page, Post};

/// Name, language and postal address.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Profile {
    /// Where it goes.
    pub post: Post,
    /// Who looks at it.
    pub viewer: Viewer,
    /// Said after saving.
    pub notice: Option<Notice>,
    /// Field `name`.
    pub name: String,
    /// Field `given_name`.
    pub given_name: String,
    /// Field `family_name`.
    pub family_name: String,
    /// Field `locale`: a tag, or empty for the browser's language.
    pub locale: String,
    /// Field `street_address`.
    pub street_address: String,
    /// Field `postal_code`.
    pub postal_code: String,
    /// Field `locality`.
    pub locality: String,
    /// Field `region`.
    pub region: String,
    /// Field `country`.
    pub country: String,
    /// The e-mail address, changed elsewhere.
    pub email: Option<String>,
    /// The user name, if there is one, or what was typed.
    pub username: Option<String>,
    /// Whether it can be changed here.
    pub offer_username: bool,
    /// What is wrong, by field name.
    pub errors: Vec<(&'static str, Message)>,
}

impl Profile {
    fn text(
        &self,
        name: &'static str,
        label: &'static str,
        autocomplete: &'static str,
        value: &str,
    ) -> Field {
        let error = self.errors.iter().find(|(field, _)| *field == name).map(|(_, error)| error);
        Field::text(name, label, autocomplete).optional().holding(value).refused(error)
    }
}

impl Page for Profile {
    const TEMPLATE: &'static str = "profile.html";
    const STEP: &'static str = "profile";

    fn form(&self) -> Form {
        let browser = Choice { value: String::new(), label: Message::new("locale-of-browser") };
        let own = |locale: Locale| Choice {
            value: locale.code().into(),
            label: Message::verbatim(locale.own_name()),
        };
        let choices = std::iter::once(browser).chain(Locale::ALL.map(own)).collect();
        let username = self.username.as_deref().unwrap_or_default();
        let mut form = Form::new(Message::new("profile-title")).post(&self.post).notice(self.notice.as_ref());
        if self.offer_username {
            form = form.field(self.text("username", "field-username", "username", username));
        }
        form.field(self.text("name", "field-name", "name", &self.name))
            .field(self.text("given_name", "field-given-name", "given-name", &self.given_name))
            .field(self.text("family_name", "field-family-name", "family-name", &self.family_name))
            .field(Field::select("locale", "field-locale", choices).optional().holding(&self.locale))
            .field(self.text("street_address", "field-street", "street-address", &self.street_address))
            .field(self.text("postal_code", "field-postal-code", "postal-code", &self.postal_code))
            .field(self.text("locality", "field-locality", "address-level2", &self.locality))
            .field(self.text("region", "field-region", "address-level1", &self.region))
            .field(self.text("country", "field-country", "country-name", &self.country))
            .action(Action::proceed("save"))
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            viewer: Viewer::sample(),
            name: "Alice Example".into(),
            given_name: "Alice".into(),
            locale: "de".into(),
            locality: "Berlin".into(),
            email: Some("alice@example.com".into()),
            username: Some("alice".into()),
            offer_username: true,
            ..Self::default()
        };
        vec![
            plain.clone(),
            Self { notice: saved(), ..plain.clone() },
            Self {
                errors: vec![("name", say::too_long(100))],
                name: LONG.into(),
                username: None,
                offer_username: false,
                ..plain.clone()
            },
            Self {
                name: HOSTILE.into(),
                country: HOSTILE.into(),
                locale: HOSTILE.into(),
                email: Some(HOSTILE.into()),
                ..plain
            },
        ]
    }
}

/// A new e-mail address.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChangeEmail {
    /// Where it goes.
    pub post: Post,
    /// Who looks at it.
    pub viewer: Viewer,
    /// The address until now.
    pub current: Option<String>,
    /// What was typed.
    pub email: String,
    /// What is wrong with it.
    pub error: Option<Message>,
    /// Something to say first.
    pub notice: Option<Notice>,
    /// The way back.
    pub back: Option<String>,
}

impl Page for ChangeEmail {
    const TEMPLATE: &'static str = "change-email.html";
    const STEP: &'static str = "change-email";

    fn form(&self) -> Form {
        let email = Field::email("email", "field-new-email").holding(&self.email);
        Form::new(Message::new("change-email-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(email.focused().refused(self.error.as_ref()))
            .action(Action::proceed("continue"))
            .link("back", "cancel", self.back.as_ref())
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            viewer: Viewer::sample(),
            current: Some("alice@example.com".into()),
            back: Some("/account/profile".into()),
            ..Self::default()
        };
        vec![
            plain.clone(),
            Self { email: "alice@example.org".into(), error: Some(say::email_taken()), ..plain.clone() },
            Self {
                email: "alice@example.com".into(),
                error: Some(say::email_unchanged()),
                current: None,
                ..plain
            },
        ]
    }
}

/// Another password.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChangePassword {
    /// Where it goes; fields `password` and `new_password`.
    pub post: Post,
    /// Who looks at it.
    pub viewer: Viewer,
    /// The least length of a password, in characters.
    pub min_length: u32,
    /// What is wrong with the current password.
    pub current_error: Option<Message>,
    /// What is wrong with the new one.
    pub new_error: Option<Message>,
    /// Said after the change.
    pub notice: Option<Notice>,
    /// The way back.
    pub back: Option<String>,
}

impl Page for ChangePassword {
    const TEMPLATE: &'static str = "change-password.html";
    const STEP: &'static str = "change-password";

    fn form(&self) -> Form {
        let current = Field::password("password", "field-current-password", "current-password");
        let new = Field::password("new_password", "field-new-password", "new-password")
            .hinted(Message::new("password-rule").number("count", self.min_length));
        Form::new(Message::new("change-password-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(current.refused(self.current_error.as_ref()))
            .field(new.refused(self.new_error.as_ref()))
            .action(Action::proceed("save-password"))
            .link("back", "cancel", self.back.as_ref())
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            viewer: Viewer::sample(),
            min_length: 8,
            back: Some("/account".into()),
            ..Self::default()
        };
        vec![
            plain.clone(),
            Self { current_error: Some(say::current_password_wrong()), ..plain.clone() },
            Self { new_error: Some(say::password_same()), ..plain.clone() },
            Self { notice: Some(Notice::done(say::password_was_changed())), ..plain },
        ]
    }
}

/// The end of an account.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DeleteAccount {
    /// Where it goes; field `password`.
    pub post: Post,
    /// Who looks at it.
    pub viewer: Viewer,
    /// How many applications lose their connection.
    pub applications: u32,
    /// What is wrong with the password.
    pub error: Option<Message>,
    /// Something to say first.
    pub notice: Option<Notice>,
    /// The way back.
    pub back: Option<String>,
}

impl Page for DeleteAccount {
    const TEMPLATE: &'static str = "delete.html";
    const STEP: &'static str = "delete";

    fn form(&self) -> Form {
        let password = Field::password("password", "field-current-password", "current-password");
        Form::new(Message::new("delete-title"))
            .post(&self.post)
            .notice(self.notice.as_ref())
            .field(password.refused(self.error.as_ref()))
            .action(Action::proceed("delete-for-good"))
            .link("back", "keep-account", self.back.as_ref())
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            viewer: Viewer::sample(),
            applications: 2,
            back: Some("/account".into()),
            ..Self::default()
        };
        let wrong = Self { applications: 0, error: Some(say::current_password_wrong()), ..plain.clone() };
        vec![plain, wrong]
    }
}
