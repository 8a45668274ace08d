//! Pages that exist in development only: the mailbox that catches mails, and the demo application.

use serde::Serialize;

use super::{HOSTILE, portal::SAMPLE_NOW};
use crate::render::{Action, Form, Message, Page};

/// A mail that the built-in mailbox caught.
#[derive(Clone, Debug, Serialize)]
pub struct CaughtMail {
    /// Its own page.
    pub href: String,
    /// To whom.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The code in it.
    pub code: Option<String>,
    /// The links in it.
    pub links: Vec<String>,
    /// When, in microseconds since 1970 (UTC).
    pub sent_at: i64,
}

impl CaughtMail {
    fn sample() -> Self {
        Self {
            href: "/dev/mail/1".into(),
            to: "alice@example.com".into(),
            subject: "417026 is your code for Web shop".into(),
            text: "Your code is 417026.\n\nIt is good for 10 minutes.".into(),
            code: Some("417026".into()),
            links: vec!["http://localhost:8080/link/ml_0123456789".into()],
            sent_at: SAMPLE_NOW - 120_000_000,
        }
    }
}

/// All caught mails, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct Mailbox {
    /// The mails.
    pub mails: Vec<CaughtMail>,
}

impl Page for Mailbox {
    const TEMPLATE: &'static str = "mailbox.html";
    const STEP: &'static str = "mailbox";

    fn form(&self) -> Form {
        Form::new(Message::new("mailbox-title"))
    }

    fn samples() -> Vec<Self> {
        let hostile =
            CaughtMail { subject: HOSTILE.into(), text: HOSTILE.into(), code: None, ..CaughtMail::sample() };
        vec![Self { mails: vec![CaughtMail::sample(), hostile] }, Self { mails: Vec::new() }]
    }
}

/// One caught mail.
#[derive(Clone, Debug, Serialize)]
pub struct MailView {
    /// The mail.
    pub mail: CaughtMail,
    /// Back to all of them.
    pub back: String,
}

impl Page for MailView {
    const TEMPLATE: &'static str = "mail.html";
    const STEP: &'static str = "mail";

    fn form(&self) -> Form {
        Form::new(Message::verbatim(&self.mail.subject)).link("back", "mailbox-back", Some(&self.back))
    }

    fn samples() -> Vec<Self> {
        let back = "/dev/mail".to_owned();
        let hostile = CaughtMail {
            subject: HOSTILE.into(),
            text: HOSTILE.into(),
            to: HOSTILE.into(),
            ..CaughtMail::sample()
        };
        vec![Self { mail: CaughtMail::sample(), back: back.clone() }, Self { mail: hostile, back }]
    }
}

/// A request that the demo application made or received.
#[derive(Clone, Debug, Serialize)]
pub struct DemoRequest {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// The status of the answer.
    pub status: u16,
    /// The beginning of the answer, secrets shortened by the caller.
    pub body: String,
}

/// What the demo application learnt at sign-in.
#[derive(Clone, Debug, Serialize)]
pub struct DemoSession {
    /// The name to greet, from the ID token.
    pub name: String,
    /// The subject.
    pub sub: String,
    /// The claims of the ID token, as indented JSON.
    pub id_token_claims: String,
    /// The claims of the access token, as indented JSON.
    pub access_token_claims: String,
    /// The answer of userinfo, as indented JSON.
    pub userinfo: String,
}

/// A demo application: a relying party like anybody's, showing what it sees.
#[derive(Clone, Debug, Serialize)]
pub struct DemoApp {
    /// Its name.
    pub name: String,
    /// Who is signed in to it.
    pub signed_in: Option<DemoSession>,
    /// The requests it made, in order.
    pub requests: Vec<DemoRequest>,
    /// What went wrong, as the server told it.
    pub error: Option<String>,
    /// Where "Sign in" leads.
    pub sign_in: String,
    /// Where "Create account" leads.
    pub register: Option<String>,
    /// Where "Sign out" leads.
    pub sign_out: String,
    /// The other demo application: its name and address.
    pub other: Option<(String, String)>,
    /// The account portal.
    pub account: Option<String>,
    /// The mailbox.
    pub mailbox: Option<String>,
}

impl Page for DemoApp {
    const TEMPLATE: &'static str = "demo.html";
    const STEP: &'static str = "demo";

    fn form(&self) -> Form {
        let form = Form::new(Message::verbatim(&self.name));
        if self.signed_in.is_some() {
            form.action(Action::link("sign-out", Message::new("sign-out"), &self.sign_out))
        } else {
            form.action(Action::link("sign-in", Message::new("sign-in"), &self.sign_in)).link(
                "register",
                "create-account",
                self.register.as_ref(),
            )
        }
    }

    fn samples() -> Vec<Self> {
        let claims = "{\n  \"iss\": \"http://localhost:8080\",\n  \"sub\": \"usr_0192\",\n  \"aud\": \"demo\",\n  \"exp\": 1795563360\n}";
        let session = DemoSession {
            name: "Alice Example".into(),
            sub: "usr_01926c7e5d2f7c1b9f0a4b8d3e6f1a2b".into(),
            id_token_claims: claims.into(),
            access_token_claims: claims.into(),
            userinfo: "{\n  \"sub\": \"usr_0192\",\n  \"email\": \"alice@example.com\"\n}".into(),
        };
        let request = |method: &str, path: &str, status| DemoRequest {
            method: method.into(),
            url: format!("http://localhost:8080{path}"),
            status,
            body: "{\"token_type\":\"Bearer\",\"expires_in\":300}".into(),
        };
        let plain = Self {
            name: "Demo shop".into(),
            signed_in: None,
            requests: Vec::new(),
            error: None,
            sign_in: "/demo/login".into(),
            register: Some("/demo/register".into()),
            sign_out: "/demo/logout".into(),
            other: Some(("Second demo".into(), "/demo/second".into())),
            account: Some("/account".into()),
            mailbox: Some("/dev/mail".into()),
        };
        let requests = vec![
            request("GET", "/.well-known/openid-configuration", 200),
            request(
                "GET",
                "/authorize?response_type=code&client_id=demo&scope=openid+profile+email&state=k3J9&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                303,
            ),
            request("POST", "/token", 200),
        ];
        let hostile =
            DemoSession { name: HOSTILE.into(), id_token_claims: HOSTILE.into(), ..session.clone() };
        vec![
            plain.clone(),
            Self { signed_in: Some(session), requests, ..plain.clone() },
            Self { error: Some("access_denied: the person said no".into()), ..plain.clone() },
            Self {
                signed_in: Some(hostile),
                name: HOSTILE.into(),
                other: None,
                account: None,
                mailbox: None,
                ..plain
            },
        ]
    }
}
