//! A user of the file.

use super::{
    Problem,
    fields::{Fields, one_of, text},
    language, short,
};
use base::{Email, Identifier, Secret, Username};
use passwords::{PhcString, Policy, Prepared};
use serde_json::{Map, Value};
use store::{
    rows::tenant::Settings,
    rules::{self, claim, subject},
};

/// What the file says of somebody's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PersonState {
    Active,
    Suspended,
}

impl PersonState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// A user of the file.
pub(crate) struct UserEntry {
    pub(crate) path: String,
    pub(crate) email: Option<Email>,
    pub(crate) email_verified: bool,
    /// Further addresses, each with whether it counts as proven.
    pub(crate) emails: Vec<(Email, bool)>,
    pub(crate) username: Option<Username>,
    pub(crate) password: Option<Secret<String>>,
    /// The hash of the password, which was checked, in its place.
    pub(crate) password_hash: Option<Secret<String>>,
    pub(crate) state: Option<PersonState>,
    pub(crate) locale: Option<String>,
    pub(crate) external_ids: Vec<(String, String)>,
    pub(crate) sub: Option<String>,
    /// What the file says of the claims; null where one is taken away.
    pub(crate) claims: Map<String, Value>,
}

impl UserEntry {
    /// By what the user is shown.
    pub(crate) fn label(&self) -> &str {
        let email = self.email.as_ref().map(Email::as_typed);
        email.or(self.username.as_ref().map(Username::as_typed)).unwrap_or_default()
    }

    /// Whether the rules of this tenant for new passwords allow the password.
    pub(crate) fn check_password(&self, settings: &Settings) -> Result<(), String> {
        let Some(password) = &self.password else { return Ok(()) };
        let prepared = Prepared::new(password.expose()).map_err(|error| error.to_string())?;
        let names = ["name", "given_name", "family_name", "nickname"];
        let named = names.iter().filter_map(|name| self.claims.get(*name)?.as_str());
        let local = self.email.as_ref().and_then(|email| email.as_typed().split('@').next());
        let username = self.username.as_ref().map(Username::as_typed);
        let own: Vec<&str> = local.into_iter().chain(username).chain(named).collect();
        judged(&Policy::of(&settings.profile, settings.password_min), &prepared, &own)
    }

    /// The identifiers, each with its proof, in the order in which an account gets them.
    pub(crate) fn identifiers(&self) -> Vec<(Identifier, Option<&'static str>)> {
        let address =
            |(email, verified): (Email, bool)| (Identifier::Email(email), verified.then_some("operator"));
        let first = self.email.clone().map(|email| address((email, self.email_verified)));
        let name = self.username.clone().map(|name| (Identifier::Username(name), None));
        first.into_iter().chain(name).chain(self.emails.iter().cloned().map(address)).collect()
    }
}

pub(super) const KNOWN: &[&str] = &[
    "email",
    "email_verified",
    "emails",
    "username",
    "password",
    "password_hash",
    "state",
    "locale",
    "external_id",
    "sub",
    "claims",
];

/// Reads a user.
pub(super) fn read(value: Value, path: String, problems: &mut Vec<Problem>) -> Option<UserEntry> {
    let mut fields = Fields::new(value, path.clone(), KNOWN, problems)?;
    let before = fields.problems().len();
    let email = fields.text("email", Email::parse);
    let username = fields.text("username", Username::parse);
    if email.is_none() && username.is_none() && fields.problems().len() == before {
        fields.wrong("", "has neither email nor username; add one of them");
    }
    let email_verified = fields.flag("email_verified").unwrap_or(false);
    let password = fields.text("password", password);
    let password_hash = fields.text("password_hash", password_hash);
    if password.is_some() && password_hash.is_some() {
        fields.wrong("password_hash", "stands beside password; keep one of them");
    }
    let state = fields.text("state", |text| one_of(text, &["active", "suspended"]));
    let state = state.map(|word| if word == "active" { PersonState::Active } else { PersonState::Suspended });
    let locale = fields.text("locale", language);
    let sub = fields.text("sub", subject);
    let external_ids = external_ids(&mut fields);
    let emails = emails(&mut fields);
    if email.is_none() && !emails.is_empty() {
        fields.wrong("emails", "are further addresses; give the first one as email");
    }
    let claims = fields.group("claims");
    for (name, value) in &claims {
        if let Err((place, message)) = claim(name, value) {
            fields.wrong(&format!("claims.{name}{place}"), message);
        }
    }
    if let Err(message) = rules::claims(&claims) {
        fields.wrong("claims", message);
    }
    Some(UserEntry {
        path,
        email,
        email_verified,
        emails,
        username,
        password,
        password_hash,
        state,
        locale,
        external_ids,
        sub,
        claims,
    })
}

/// Notes every identifier, subject and external id that stands twice.
pub(super) fn unique(users: &[UserEntry], problems: &mut Vec<Problem>) {
    let identifiers = users.iter().flat_map(|user| {
        user.identifiers().into_iter().map(|(id, _)| (&user.path, id.kind().as_str(), id.normal().to_owned()))
    });
    let subjects = users.iter().filter_map(|user| Some((&user.path, "sub", user.sub.clone()?)));
    let external = users.iter().flat_map(|user| {
        user.external_ids
            .iter()
            .map(|(source, value)| (&user.path, "external_id", format!("{source}\n{value}")))
    });
    super::unique(identifiers.chain(subjects).chain(external), problems);
}

/// A password that every tenant's rules for new ones allow may still be too short for this one's,
/// which [`UserEntry::check_password`] tells.
fn password(text: &str) -> Result<Secret<String>, String> {
    if text.is_empty() {
        return Err("is empty; leave it out for an account without a password".to_owned());
    }
    let prepared = Prepared::new(text).map_err(|error| error.to_string())?;
    judged(&Policy::default(), &prepared, &[])?;
    Ok(Secret::new(text.to_owned()))
}

fn judged(policy: &Policy, password: &Prepared, own: &[&str]) -> Result<(), String> {
    let all = |problems: Vec<passwords::Problem>| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and ")
    };
    policy.check(password, own).map_err(all)
}

/// A hash that another system made, or this one.
fn password_hash(text: &str) -> Result<Secret<String>, String> {
    PhcString::import(text).map_err(|error| error.to_string())?;
    Ok(Secret::new(text.to_owned()))
}

/// `{address: …, verified: true}`, a list of them.
fn emails(fields: &mut Fields<'_>) -> Vec<(Email, bool)> {
    let list = fields.list("emails");
    let read = |(path, value)| {
        let mut fields = Fields::new(value, path, &["address", "verified"], fields.problems())?;
        let address = fields.required("address", Email::parse);
        let verified = fields.flag("verified").unwrap_or(false);
        Some((address?, verified))
    };
    list.into_iter().filter_map(read).collect()
}

/// A name, or several of one system.
fn external_ids(fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let mut ids = Vec::new();
    for (source, value) in fields.group("external_id") {
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            let read = text(&value).and_then(|text| short(text, 255));
            match read.and_then(|value| Ok((short(&source, 64)?, value))) {
                Ok(id) => ids.push(id),
                Err(message) => fields.wrong(&format!("external_id.{source}"), message),
            }
        }
    }
    ids
}
