//! Each step's page. The one place that knows both the journey's steps and the pages.

use crate::{
    accounts::{Account, person_id},
    begin, code, password,
    turn::Turn,
};
use axum::{http::StatusCode, response::Response};
use base::{Error, Kind};
use journey::{Challenge, Change, Collect, Fact, Method, Purpose, Reason, Sent, Step};
use serde_json::Value;
use web::{
    Submission,
    intent::Intent,
    pages::{
        Account as ChooserEntry, ChangeEmail, ChangePassword, Chip, ChooseAccount, Code, CodePurpose,
        Consent, ConsentItem, DeleteAccount, Identify, NewPassword, Password, RecoverAddress,
        RegisterAddress, RegisterDetails, Viewer, say,
    },
    render::{Message, Notice, Post},
};

/// What is wrong with what was sent, and what was typed.
#[derive(Clone, Default)]
pub(crate) struct Problems {
    fields: Vec<(&'static str, Message)>,
    notice: Option<Notice>,
    typed: Submission,
    too_many: bool,
}

impl Problems {
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Something is wrong with this field.
    pub(crate) fn with(field: &'static str, message: Message) -> Self {
        Self { fields: vec![(field, message)], ..Self::default() }
    }

    /// Something is wrong with another field too.
    #[must_use]
    pub(crate) fn and(mut self, field: &'static str, message: Message) -> Self {
        self.fields.push((field, message));
        self
    }

    /// No attempt is left for so long.
    pub(crate) fn wait(field: &'static str, wait: std::time::Duration) -> Self {
        let minutes = u32::try_from(wait.as_secs().div_ceil(60)).unwrap_or(u32::MAX);
        Self {
            too_many: true,
            ..Self::with(
                field,
                if field == "password" {
                    say::too_many_attempts(minutes.max(1))
                } else {
                    say::wait(minutes.max(1))
                },
            )
        }
    }

    /// Shows what is wrong with one field beside another, on a page that has no such field.
    #[must_use]
    pub(crate) fn moved(mut self, from: &str, to: &'static str) -> Self {
        self.fields.iter_mut().filter(|(name, _)| *name == from).for_each(|(name, _)| *name = to);
        self
    }

    /// Something to say first.
    pub(crate) fn notice(notice: Notice) -> Self {
        Self { notice: Some(notice), ..Self::default() }
    }

    /// What there is to say first; while nothing is wrong, perhaps something to know.
    fn notice_or(&self, know: impl FnOnce() -> Option<Message>) -> Option<Notice> {
        let know = || if self.is_empty() { know().map(Notice::info) } else { None };
        self.notice.clone().or_else(know)
    }

    /// With what was typed, which the page keeps.
    #[must_use]
    pub(crate) fn typed(mut self, sent: &Submission) -> Self {
        self.typed = sent.clone();
        self
    }

    /// The page was made for another device of this browser.
    #[must_use]
    pub(crate) fn once_more(mut self) -> Self {
        self.notice = Some(Notice::info(say::send_once_more()));
        self
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(crate) const fn status(&self) -> StatusCode {
        if self.too_many { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::UNPROCESSABLE_ENTITY }
    }

    fn of(&self, field: &str) -> Option<Message> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, message)| message.clone())
    }

    fn value(&self, field: &str, otherwise: &str) -> String {
        if self.typed.has(field) { self.typed.get(field).to_owned() } else { otherwise.to_owned() }
    }
}

/// The name of a step, `data-step` of its page.
pub(crate) const fn name(step: &Step<'_>) -> &'static str {
    match step {
        Step::Choose => "choose",
        Step::Identify => "identify",
        Step::Challenge(Challenge::Password(_)) | Step::Another { .. } => "password",
        Step::Challenge(Challenge::Code(_)) => "code",
        Step::Collect(Collect::Address) => "register",
        Step::Collect(Collect::Details { .. }) => "details",
        Step::Collect(Collect::NewAddress) => "change-email",
        Step::Recover => "recover",
        Step::Enroll => "new-password",
        Step::Change(Change::Password) => "change-password",
        Step::Change(Change::Deletion) => "delete",
        Step::Change(Change::Address) => "change-email",
        Step::Consent => "consent",
        Step::Done(_) => "done",
        Step::Deny(_) => "denied",
    }
}

/// The page of a step.
pub(crate) async fn step(
    turn: &Turn<'_>,
    step: &Step<'_>,
    problems: &Problems,
    status: StatusCode,
) -> Result<Response, Error> {
    match step {
        Step::Choose => choose(turn, status).await,
        Step::Identify => identify(turn, problems, status),
        Step::Challenge(Challenge::Password(named)) => enter_password(turn, &named.typed, problems, status),
        Step::Another { options } => another(options),
        Step::Challenge(Challenge::Code(sent)) => enter_code(turn, sent, problems, status),
        Step::Collect(Collect::Address) => register(turn, problems, status),
        Step::Collect(Collect::Details { address }) => details(turn, address, problems, status),
        Step::Recover => recover(turn, problems, status),
        Step::Enroll => new_password(turn, problems, status).await,
        Step::Collect(Collect::NewAddress) | Step::Change(_) => change(turn, step, problems, status).await,
        Step::Consent => consent(turn, status).await,
        Step::Deny(reason) => Err(denied(*reason)),
        Step::Done(_) => Ok(turn.visit.see_other(&begin::again(turn.signin, turn.visit, &turn.flow.intent))),
    }
}

fn another(options: &[Method]) -> Result<Response, Error> {
    Err(Error::internal(format!("no page asks for a second method of {options:?}")))
}

fn denied(reason: Reason) -> Error {
    let sentence = match reason {
        Reason::RegistrationClosed => {
            "Accounts are not created here. Ask the operator of this service for one."
        }
        Reason::Declined | Reason::NoMethod => "You were not signed in.",
    };
    Error::new(Kind::Forbidden, "error-refused", sentence)
}

/// Where the form goes, and what it carries unseen.
fn post(turn: &Turn<'_>, step: &str) -> Result<Post, Error> {
    let mut hidden = vec![("csrf".to_owned(), turn.visit.csrf()?), ("step".to_owned(), step.to_owned())];
    if turn.flow.row.is_none() {
        hidden.push(("request".to_owned(), turn.flow.seal(turn.visit)));
    }
    Ok(Post::new(turn.flow.path(turn.visit), hidden))
}

/// Another beginning of the same request.
fn elsewhere(turn: &Turn<'_>, path: &str) -> String {
    format!("{}?from={}", turn.visit.at(path), turn.flow.seal_for_link(turn.visit))
}

fn named(turn: &Turn<'_>) -> String {
    let named = turn.flow.facts.iter().rev().find_map(|fact| match fact {
        Fact::Named(named) => Some(named.typed.clone()),
        _ => None,
    });
    named.unwrap_or_default()
}

async fn choose(turn: &Turn<'_>, status: StatusCode) -> Result<Response, Error> {
    let mut accounts = Vec::new();
    for living in turn.visit.sessions().await? {
        if let Some(account) = Account::of(turn.visit, living.row.person).await? {
            let name = account.attributes(turn.visit)?.get("name").and_then(Value::as_str).map(str::to_owned);
            accounts.push(ChooserEntry::new(name.as_deref(), &account.label(), &living.row.id.to_string()));
        }
    }
    let page = ChooseAccount { post: post(turn, "choose")?, application: turn.application(), accounts };
    Ok(turn.page(status, &page))
}

fn identify(turn: &Turn<'_>, problems: &Problems, status: StatusCode) -> Result<Response, Error> {
    let page = Identify {
        post: post(turn, "identify")?,
        application: turn.application(),
        identifier: problems.value("identifier", ""),
        error: problems.of("identifier"),
        notice: problems.notice.clone(),
        register: turn.rules.registration.then(|| elsewhere(turn, "/register")),
        recover: Some(elsewhere(turn, "/recover")),
    };
    Ok(turn.page(status, &page))
}

fn enter_password(
    turn: &Turn<'_>,
    typed: &str,
    problems: &Problems,
    status: StatusCode,
) -> Result<Response, Error> {
    let page = Password {
        post: post(turn, "password")?,
        chip: Chip::new(typed),
        error: problems.of("password"),
        notice: problems.notice_or(|| {
            // The account's pages ask somebody who is signed in already: say why.
            matches!(turn.flow.intent, Intent::Change { .. }).then(say::prove_again)
        }),
        recover: Some(elsewhere(turn, "/recover")),
        another: false,
    };
    Ok(turn.page(status, &page))
}

fn enter_code(
    turn: &Turn<'_>,
    sent: &Sent,
    problems: &Problems,
    status: StatusCode,
) -> Result<Response, Error> {
    let page = Code {
        post: post(turn, "code")?,
        purpose: match sent.purpose {
            Purpose::Register => CodePurpose::Register,
            Purpose::Recover => CodePurpose::Recover,
            Purpose::Change => CodePurpose::ChangeEmail,
        },
        destination: sent.masked.clone(),
        minutes: code::minutes_left(turn.visit, sent),
        resend_after: code::resend_after(turn.visit, sent),
        error: problems.of("code"),
        notice: problems.notice_or(|| sent_again(turn).then(say::code_sent_again)),
    };
    Ok(turn.page(status, &page))
}

/// Whether the code that is waited for took the place of an earlier one.
fn sent_again(turn: &Turn<'_>) -> bool {
    let mut latest = turn.flow.facts.iter().rev();
    let sent = |fact: Option<&Fact>| matches!(fact, Some(Fact::Sent(_)));
    sent(latest.next()) && sent(latest.next())
}

fn register(turn: &Turn<'_>, problems: &Problems, status: StatusCode) -> Result<Response, Error> {
    let hint = named(turn);
    let page = RegisterAddress {
        post: post(turn, "register")?,
        application: turn.application(),
        email: problems.value("email", if hint.contains('@') { &hint } else { "" }),
        error: problems.of("email"),
        notice: problems.notice.clone(),
        sign_in: Some(elsewhere(turn, "/signin")),
    };
    Ok(turn.page(status, &page))
}

fn details(
    turn: &Turn<'_>,
    address: &str,
    problems: &Problems,
    status: StatusCode,
) -> Result<Response, Error> {
    let page = RegisterDetails {
        post: post(turn, "details")?,
        chip: Chip::new(address),
        name: problems.value("name", ""),
        username: problems.value("username", ""),
        offer_username: turn.visit.tenant.settings.usernames,
        min_length: password::least_length(turn.visit),
        name_error: problems.of("name"),
        username_error: problems.of("username"),
        password_error: problems.of("password"),
        notice: problems.notice.clone(),
    };
    Ok(turn.page(status, &page))
}

fn recover(turn: &Turn<'_>, problems: &Problems, status: StatusCode) -> Result<Response, Error> {
    let page = RecoverAddress {
        post: post(turn, "recover")?,
        identifier: problems.value("identifier", &named(turn)),
        error: problems.of("identifier"),
        notice: problems.notice.clone(),
        sign_in: Some(elsewhere(turn, "/signin")),
    };
    Ok(turn.page(status, &page))
}

/// The account that the flow has proven.
pub(crate) async fn proven(turn: &Turn<'_>) -> Result<Account, Error> {
    let person = journey::person(&turn.flow.facts, &turn.rules).ok_or_else(Error::not_found)?;
    Account::of(turn.visit, person_id(person)).await?.ok_or_else(Error::not_found)
}

async fn new_password(turn: &Turn<'_>, problems: &Problems, status: StatusCode) -> Result<Response, Error> {
    let page = NewPassword {
        post: post(turn, "new-password")?,
        chip: Chip::new(proven(turn).await?.label()),
        min_length: password::least_length(turn.visit),
        error: problems.of("password"),
        notice: problems.notice.clone(),
    };
    Ok(turn.page(status, &page))
}

async fn change(
    turn: &Turn<'_>,
    step: &Step<'_>,
    problems: &Problems,
    status: StatusCode,
) -> Result<Response, Error> {
    let visit = turn.visit;
    let account = proven(turn).await?;
    let attributes = account.attributes(visit)?;
    let sign_out = Post::new(visit.at("/account/sign-out"), vec![("csrf".to_owned(), visit.csrf()?)]);
    let viewer = Viewer::new(attributes.get("name").and_then(Value::as_str), &account.label(), sign_out);
    let post = post(turn, name(step))?;
    let back = Some(visit.at("/account"));
    let notice = problems.notice.clone();
    Ok(match step {
        Step::Change(Change::Password) => {
            let page = ChangePassword {
                post,
                viewer,
                min_length: password::least_length(visit),
                current_error: problems.of("password"),
                new_error: problems.of("new_password"),
                notice,
                back,
            };
            turn.page(status, &page)
        }
        Step::Change(Change::Deletion) => {
            let consents =
                store::rows::consent::of_person(visit.db(), visit.tenant.id, account.person.id).await?;
            let applications = u32::try_from(consents.len()).unwrap_or(u32::MAX);
            let page =
                DeleteAccount { post, viewer, applications, error: problems.of("password"), notice, back };
            turn.page(status, &page)
        }
        _ => {
            let page = ChangeEmail {
                post,
                viewer,
                current: account.email().map(|row| row.typed.clone()),
                email: problems.value("email", ""),
                error: problems.of("email"),
                notice,
                back,
            };
            turn.page(status, &page)
        }
    })
}

async fn consent(turn: &Turn<'_>, status: StatusCode) -> Result<Response, Error> {
    let account = proven(turn).await?;
    let attributes = account.attributes(turn.visit)?;
    let asking = turn.asking.as_ref().ok_or_else(|| Error::internal("a consent that nobody asks for"))?;
    let value = |scope: &str| match scope {
        "email" => account.email().map(|row| row.typed.clone()),
        "phone" => attributes.get("phone_number").and_then(Value::as_str).map(str::to_owned),
        "address" => attributes.get("address").and_then(|address| {
            let lines = ["street_address", "postal_code", "locality", "region", "country"];
            let lines: Vec<&str> = lines.iter().filter_map(|line| address.get(line)?.as_str()).collect();
            (!lines.is_empty()).then(|| lines.join(", "))
        }),
        _ => None,
    };
    let description = |scope: &str| asking.descriptions.get(scope).map(String::as_str);
    let page = Consent {
        post: post(turn, "consent")?,
        application: asking.name.clone(),
        domain: asking.domain.clone(),
        identifier: account.label(),
        items: ConsentItem::of_scopes(asking.scopes.iter().map(String::as_str), description, value),
        days: None,
        privacy: asking.privacy.clone(),
        terms: asking.terms.clone(),
    };
    Ok(turn.page(status, &page))
}
