//! What a page asks and offers, described once: the HTML templates draw it, the JSON form of
//! the page is it.

use serde::Serialize;
use serde_json::{Value, json};

use super::Message;
use crate::locale::Locale;

/// Where a page's form goes, and the fields it carries unseen (the CSRF token, the sealed request).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Post {
    /// The address to POST to.
    pub action: String,
    /// Hidden fields, by name and value.
    pub hidden: Vec<(String, String)>,
}

impl Post {
    /// A form that goes to `action` with these hidden fields.
    pub fn new(action: impl Into<String>, hidden: Vec<(String, String)>) -> Self {
        Self { action: action.into(), hidden }
    }
}

/// All that a page asks and offers.
#[derive(Clone, Debug, Serialize)]
pub struct Form {
    /// The heading, also the title of the window.
    pub title: Message,
    /// Where it goes; pages that only tell something have none.
    pub post: Option<Post>,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// What can be done: buttons and links, in order.
    pub actions: Vec<Action>,
    /// What is said beside the fields.
    pub notices: Vec<Notice>,
}

impl Form {
    /// A page with this heading.
    pub const fn new(title: Message) -> Self {
        Self { title, post: None, fields: Vec::new(), actions: Vec::new(), notices: Vec::new() }
    }

    /// Sends it there.
    #[must_use]
    pub fn post(mut self, post: &Post) -> Self {
        self.post = Some(post.clone());
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds a button or link.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Adds a link if there is an address for it.
    #[must_use]
    pub fn link(self, name: &'static str, label: &'static str, href: Option<&String>) -> Self {
        match href {
            Some(href) => self.action(Action::link(name, Message::new(label), href.clone())),
            None => self,
        }
    }

    /// Adds the notice if there is one.
    #[must_use]
    pub fn notice(mut self, notice: Option<&Notice>) -> Self {
        self.notices.extend(notice.cloned());
        self
    }

    /// Whether the page refuses something that was sent.
    pub fn has_error(&self) -> bool {
        self.fields.iter().any(|field| field.error.is_some())
            || self.notices.iter().any(|notice| notice.kind == NoticeKind::Error)
    }

    /// `{step, title, fields, actions, messages}`: the page under `Accept: application/json`.
    /// Hidden fields are fields of type `hidden`.
    pub fn json(&self, step: &str, locale: Locale) -> Value {
        let hidden = self.post.iter().flat_map(|post| &post.hidden);
        let hidden = hidden.map(|(name, value)| json!({"name": name, "type": "hidden", "value": value}));
        let fields: Vec<Value> = hidden.chain(self.fields.iter().map(|field| field.json(locale))).collect();
        let errors = self.fields.iter().filter_map(|field| field.error.as_ref());
        let messages = errors.chain(self.notices.iter().map(|notice| &notice.message));
        json!({
            "step": step,
            "title": self.title.text(locale),
            "action": self.post.as_ref().map(|post| &post.action),
            "fields": fields,
            "actions": self.actions.iter().map(|action| action.json(locale)).collect::<Vec<_>>(),
            "messages": messages.map(|message| message.json(locale)).collect::<Vec<_>>(),
        })
    }
}

/// Something said to the person beside the fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// How it is meant.
    pub kind: NoticeKind,
    /// What is said.
    pub message: Message,
}

impl Notice {
    /// Something was refused; the message says what to do next.
    pub const fn error(message: Message) -> Self {
        Self { kind: NoticeKind::Error, message }
    }

    /// Something was done.
    pub const fn done(message: Message) -> Self {
        Self { kind: NoticeKind::Done, message }
    }

    /// Something to know.
    pub const fn info(message: Message) -> Self {
        Self { kind: NoticeKind::Info, message }
    }
}

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// Refused.
    Error,
    /// Done.
    Done,
    /// To know.
    Info,
}

/// One field of a form.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// The name it is posted under.
    pub name: &'static str,
    /// The kind of input.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// What it is for.
    pub label: Message,
    /// A hint below the label.
    pub hint: Option<Message>,
    /// The `autocomplete` token (WCAG 1.3.5).
    pub autocomplete: &'static str,
    /// Whether it must be filled.
    pub required: bool,
    /// What it holds.
    pub value: String,
    /// What is wrong with what was sent.
    pub error: Option<Message>,
    /// The choices of a [`FieldKind::Select`].
    pub options: Vec<Choice>,
    /// Whether the cursor starts here.
    pub focus: bool,
}

/// The kind of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// An e-mail address.
    Email,
    /// A password.
    Password,
    /// A one-time code.
    Code,
    /// A choice among a few.
    Select,
}

/// One choice of a select.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// What is posted.
    pub value: String,
    /// What is shown.
    pub label: Message,
}

impl Field {
    fn new(name: &'static str, kind: FieldKind, label: &'static str, autocomplete: &'static str) -> Self {
        Self {
            name,
            kind,
            label: Message::new(label),
            hint: None,
            autocomplete,
            required: true,
            value: String::new(),
            error: None,
            options: Vec::new(),
            focus: false,
        }
    }

    /// A line of text.
    pub fn text(name: &'static str, label: &'static str, autocomplete: &'static str) -> Self {
        Self::new(name, FieldKind::Text, label, autocomplete)
    }

    /// An e-mail address.
    pub fn email(name: &'static str, label: &'static str) -> Self {
        Self::new(name, FieldKind::Email, label, "email")
    }

    /// A password; it never holds a value.
    pub fn password(name: &'static str, label: &'static str, autocomplete: &'static str) -> Self {
        Self::new(name, FieldKind::Password, label, autocomplete)
    }

    /// A one-time code.
    pub fn code(name: &'static str, label: &'static str) -> Self {
        Self::new(name, FieldKind::Code, label, "one-time-code")
    }

    /// A choice among a few.
    pub fn select(name: &'static str, label: &'static str, options: Vec<Choice>) -> Self {
        Self { options, ..Self::new(name, FieldKind::Select, label, "language") }
    }

    /// It may stay empty.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// The cursor starts here.
    #[must_use]
    pub fn focused(self) -> Self {
        Self { focus: true, ..self }
    }

    /// What it holds.
    #[must_use]
    pub fn holding(self, value: &str) -> Self {
        Self { value: value.to_owned(), ..self }
    }

    /// A hint.
    #[must_use]
    pub fn hinted(self, hint: Message) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// What is wrong with it, if anything; the cursor moves to it.
    #[must_use]
    pub fn refused(self, error: Option<&Message>) -> Self {
        Self { focus: self.focus || error.is_some(), error: error.cloned(), ..self }
    }

    fn json(&self, locale: Locale) -> Value {
        let mut json = json!({
            "name": self.name,
            "type": self.kind,
            "label": self.label.text(locale),
            "autocomplete": self.autocomplete,
            "required": self.required,
            "value": self.value,
        });
        if let Value::Object(map) = &mut json {
            if let Some(hint) = &self.hint {
                map.insert("hint".into(), hint.text(locale).into());
            }
            if let Some(error) = &self.error {
                map.insert("error".into(), error.json(locale));
            }
            if self.kind == FieldKind::Select {
                let choice =
                    |choice: &Choice| json!({"value": choice.value, "label": choice.label.text(locale)});
                map.insert("options".into(), self.options.iter().map(choice).collect());
            }
        }
        json
    }
}

/// Something to do on a page.
#[derive(Clone, Debug, Serialize)]
pub struct Action {
    /// Its stable name.
    pub name: &'static str,
    /// What it says.
    pub label: Message,
    /// What it does.
    pub target: Target,
    /// The `id` attribute, where others automate against it.
    pub id: Option<&'static str>,
}

/// What an action does.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Sends the form, with this name and value if there is one.
    Submit(Option<(&'static str, String)>),
    /// Sends the hidden fields and this name and value, none of the visible fields.
    Alone(&'static str, String),
    /// Leads elsewhere.
    Link(String),
}

impl Action {
    /// The main button of a step, `id="continue"`.
    pub const fn proceed(label: &'static str) -> Self {
        Self {
            name: "continue",
            label: Message::new(label),
            target: Target::Submit(None),
            id: Some("continue"),
        }
    }

    /// A button that sends the form with a value of its own.
    pub fn choose(id: &'static str, label: Message, field: &'static str, value: impl Into<String>) -> Self {
        Self { name: id, label, target: Target::Submit(Some((field, value.into()))), id: Some(id) }
    }

    /// A small task beside the main one: posts `action={name}` without the visible fields.
    pub fn aside(name: &'static str, label: &'static str) -> Self {
        let target = Target::Alone("action", name.to_owned());
        Self { name, label: Message::new(label), target, id: None }
    }

    /// A link.
    pub fn link(name: &'static str, label: Message, href: impl Into<String>) -> Self {
        Self { name, label, target: Target::Link(href.into()), id: None }
    }

    fn json(&self, locale: Locale) -> Value {
        let mut json = json!({"name": self.name, "label": self.label.text(locale)});
        if let Value::Object(map) = &mut json {
            match &self.target {
                Target::Link(href) => {
                    map.insert("href".into(), href.clone().into());
                }
                Target::Submit(None) => {}
                Target::Submit(Some((field, value))) | Target::Alone(field, value) => {
                    map.insert("field".into(), (*field).into());
                    map.insert("value".into(), value.clone().into());
                }
            }
        }
        json
    }
}
