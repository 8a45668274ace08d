//! Where ways end or turn: links from mails, signing out, errors, the way back to the application.

use serde::Serialize;

use super::{HOSTILE, sample_post};
use crate::render::{Action, Form, Message, Notice, Page, Post};

/// A link from a mail was opened.
#[derive(Clone, Debug, Serialize)]
pub struct LinkLanding {
    /// In which browser.
    pub place: LinkPlace,
    /// The address the mail went to, masked.
    pub destination: String,
}

/// Where a link was opened.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkPlace {
    /// In the browser where the flow began: a button confirms it.
    Same {
        /// Where the confirmation goes.
        post: Post,
    },
    /// In another: it proves nothing here, the code is typed where the flow began.
    Other {
        /// The code to type.
        code: String,
        /// Where to begin in this browser instead.
        begin: String,
    },
}

impl Page for LinkLanding {
    const TEMPLATE: &'static str = "link.html";
    const STEP: &'static str = "link";

    fn form(&self) -> Form {
        match &self.place {
            LinkPlace::Same { post } => {
                Form::new(Message::new("link-title")).post(post).action(Action::proceed("link-confirm"))
            }
            LinkPlace::Other { code, begin } => Form::new(Message::new("link-other-title"))
                .notice(Some(&Notice::info(Message::new("link-other-code").text_arg("code", code))))
                .action(Action::link("begin", Message::new("link-begin"), begin)),
        }
    }

    fn samples() -> Vec<Self> {
        let destination = "a•••e@example.com".to_owned();
        let other = LinkPlace::Other { code: "417026".into(), begin: "/signin".into() };
        vec![
            Self { place: LinkPlace::Same { post: sample_post() }, destination: destination.clone() },
            Self { place: other, destination },
        ]
    }
}

/// An application asks to sign the person out.
#[derive(Clone, Debug, Serialize)]
pub struct LogoutQuestion {
    /// Where it goes.
    pub post: Post,
    /// The application, if it is known.
    pub application: Option<String>,
    /// Who is signed in.
    pub identifier: Option<String>,
    /// Where to go to stay signed in.
    pub stay: String,
}

impl Page for LogoutQuestion {
    const TEMPLATE: &'static str = "logout.html";
    const STEP: &'static str = "logout";

    fn form(&self) -> Form {
        let mut confirm = Action::proceed("sign-out");
        (confirm.name, confirm.id) = ("confirm", Some("confirm"));
        Form::new(Message::new("logout-title")).post(&self.post).action(confirm).action(Action::link(
            "stay",
            Message::new("stay-signed-in"),
            &self.stay,
        ))
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            post: sample_post(),
            application: Some("Web shop".into()),
            identifier: Some("alice@example.com".into()),
            stay: "/account".into(),
        };
        vec![
            plain.clone(),
            Self { application: None, identifier: None, ..plain.clone() },
            Self { application: Some(HOSTILE.into()), identifier: Some(HOSTILE.into()), ..plain },
        ]
    }
}

/// After signing out.
#[derive(Clone, Debug, Serialize)]
pub struct SignedOut {
    /// Where to sign in again, or back to the application.
    pub back: Option<String>,
    /// The application that `back` leads to, if it does.
    pub application: Option<String>,
    /// Whether the account was just deleted.
    pub deleted: bool,
}

impl Page for SignedOut {
    const TEMPLATE: &'static str = "signed-out.html";
    const STEP: &'static str = "signed-out";

    fn form(&self) -> Form {
        let form = Form::new(Message::new(if self.deleted { "deleted-title" } else { "signed-out-title" }));
        match (&self.back, &self.application) {
            (Some(back), Some(name)) => {
                form.action(Action::link("back", Message::new("back-to").text_arg("application", name), back))
            }
            (back, _) => form.link("back", "sign-in-again", back.as_ref()),
        }
    }

    fn samples() -> Vec<Self> {
        let back = Some("/signin".to_owned());
        vec![
            Self { back: back.clone(), application: None, deleted: false },
            Self { back: back.clone(), application: Some("Web shop".into()), deleted: false },
            Self { back: None, application: None, deleted: true },
            Self { back, application: Some(HOSTILE.into()), deleted: false },
        ]
    }
}

/// Something went wrong: what, and what to do next.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorPage {
    /// What happened.
    pub title: Message,
    /// What to do next.
    pub text: Message,
    /// A way on, with the message id of its label.
    pub retry: Option<(&'static str, String)>,
    /// For the developer of the application: a code and a sentence.
    pub detail: Option<(String, String)>,
    /// Leads to the line in the log.
    pub request_id: String,
}

impl ErrorPage {
    fn new(title: &'static str, text: Message, request_id: &str) -> Self {
        Self {
            title: Message::new(title),
            text,
            retry: None,
            detail: None,
            request_id: request_id.to_owned(),
        }
    }

    /// Adds a way to try again or start over.
    #[must_use]
    pub fn retry(self, href: impl Into<String>) -> Self {
        Self { retry: Some(("try-again", href.into())), ..self }
    }

    /// Adds a way to sign in from the start.
    #[must_use]
    pub fn start_over(self, href: impl Into<String>) -> Self {
        Self { retry: Some(("start-over", href.into())), ..self }
    }

    /// Adds what the developer of the application needs to know: a stable code and a sentence.
    #[must_use]
    pub fn detail(self, code: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { detail: Some((code.into(), sentence.into())), ..self }
    }

    /// 404.
    pub fn not_found(request_id: &str) -> Self {
        Self::new("error-not-found", Message::new("error-not-found-text"), request_id)
    }

    /// The flow is over or too old.
    pub fn expired(request_id: &str) -> Self {
        Self::new("error-expired", Message::new("error-expired-text"), request_id)
    }

    /// The browser brought no cookie.
    pub fn cookies_off(request_id: &str) -> Self {
        Self::new("error-cookies", Message::new("error-cookies-text"), request_id)
    }

    /// The form did not come from our page in this browser (CSRF), or the flow is another browser's.
    pub fn foreign(request_id: &str) -> Self {
        Self::new("error-foreign", Message::new("error-foreign-text"), request_id)
    }

    /// The flow was begun in another browser.
    pub fn elsewhere(request_id: &str) -> Self {
        Self::new("error-elsewhere", Message::new("error-elsewhere-text"), request_id)
    }

    /// What was sent cannot be read.
    pub fn unreadable(request_id: &str) -> Self {
        Self::new("error-form", Message::new("error-form-text"), request_id)
    }

    /// A link from a mail that is used up or too old.
    pub fn dead_link(request_id: &str) -> Self {
        Self::new("error-link", Message::new("error-link-text"), request_id)
    }

    /// The application's request is wrong; the person cannot help it.
    pub fn bad_request(request_id: &str) -> Self {
        Self::new("error-request", Message::new("error-request-text"), request_id)
    }

    /// The request is larger than any of ours.
    pub fn too_large(request_id: &str) -> Self {
        Self::new("error-large", Message::new("error-large-text"), request_id)
    }

    /// Signing in or access is refused, by a rule or a suspended account.
    pub fn refused(request_id: &str) -> Self {
        Self::new("error-refused", Message::new("error-refused-text"), request_id)
    }

    /// 429.
    pub fn too_many(request_id: &str, seconds: u32) -> Self {
        Self::new("error-many", Message::new("error-many-text").number("seconds", seconds), request_id)
    }

    /// 503.
    pub fn unavailable(request_id: &str, seconds: u32) -> Self {
        Self::new("error-busy", Message::new("error-busy-text").number("seconds", seconds), request_id)
    }

    /// 500.
    pub fn internal(request_id: &str) -> Self {
        Self::new("error-internal", Message::new("error-internal-text"), request_id)
    }
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";
    const STEP: &'static str = "error";

    fn form(&self) -> Form {
        let form = Form::new(self.title.clone()).notice(Some(&Notice::error(self.text.clone())));
        match &self.retry {
            Some((label, href)) => form.action(Action::link("retry", Message::new(label), href)),
            None => form,
        }
    }

    fn samples() -> Vec<Self> {
        let id = "req_01j9zq3v5n8k";
        vec![
            Self::not_found(id),
            Self::expired(id).start_over("/signin"),
            Self::cookies_off(id).retry("/signin"),
            Self::foreign(id).start_over("/signin"),
            Self::elsewhere(id).start_over("/signin"),
            Self::unreadable(id),
            Self::dead_link(id).start_over("/signin"),
            Self::bad_request(id)
                .detail("invalid_redirect_uri", "The redirect_uri is not registered for this client."),
            Self::too_large(id),
            Self::refused(id),
            Self::too_many(id, 30).retry("/signin"),
            Self::unavailable(id, 1).retry("/signin"),
            Self::internal(HOSTILE).detail(HOSTILE, HOSTILE),
        ]
    }
}

/// The answer to the application as a form (OAuth 2.0 Form Post Response Mode), sent by a script
/// whose hash is [`crate::assets::FORM_POST_SCRIPT_CSP`], or by the visible button.
#[derive(Clone, Debug, Serialize)]
pub struct FormPost {
    /// The application's address and the parameters of the answer.
    pub post: Post,
    /// The application.
    pub application: Option<String>,
}

impl Page for FormPost {
    const TEMPLATE: &'static str = "form-post.html";
    const STEP: &'static str = "form-post";

    fn form(&self) -> Form {
        Form::new(Message::new("form-post-title")).post(&self.post).action(Action::proceed("continue"))
    }

    fn samples() -> Vec<Self> {
        let post = Post::new(
            "https://shop.example/callback",
            vec![("code".into(), "kc_abc".into()), ("state".into(), HOSTILE.into())],
        );
        vec![
            Self { post: post.clone(), application: Some("Web shop".into()) },
            Self { post, application: None },
        ]
    }
}
