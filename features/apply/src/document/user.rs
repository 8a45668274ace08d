//! A user of the file.

use super::{
    Problem,
    fields::{Fields, one_of, text, unknown},
    language, short, web_address,
};
use base::{Email, Identifier, Secret, Username};
use oauth::claims::{RESERVED, scope_of};
use passwords::Prepared;
use serde_json::{Map, Value};

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
    pub(crate) username: Option<Username>,
    pub(crate) password: Option<Secret<String>>,
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

    /// The identifiers, each with its proof.
    pub(crate) fn identifiers(&self) -> Vec<(Identifier, Option<&'static str>)> {
        let proof = self.email_verified.then_some("operator");
        let email = self.email.clone().map(|email| (Identifier::Email(email), proof));
        email
            .into_iter()
            .chain(self.username.clone().map(|name| (Identifier::Username(name), None)))
            .collect()
    }
}

const KNOWN: &[&str] =
    &["email", "email_verified", "username", "password", "state", "locale", "external_id", "sub", "claims"];

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
    let state = fields.text("state", |text| one_of(text, &["active", "suspended"]));
    let state = state.map(|word| if word == "active" { PersonState::Active } else { PersonState::Suspended });
    let locale = fields.text("locale", language);
    let sub = fields.text("sub", subject);
    let external_ids = external_ids(&mut fields);
    let claims = fields.group("claims");
    for (name, value) in &claims {
        if let Err((place, message)) = claim(name, value) {
            fields.wrong(&format!("claims.{name}{place}"), message);
        }
    }
    Some(UserEntry {
        path,
        email,
        email_verified,
        username,
        password,
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

/// The operator's word: nothing is asked of a password but that it can be one.
fn password(text: &str) -> Result<Secret<String>, String> {
    if text.is_empty() {
        return Err("is empty; leave it out for an account without a password".to_owned());
    }
    Prepared::new(text).map_err(|error| error.to_string())?;
    Ok(Secret::new(text.to_owned()))
}

/// OpenID Connect Core, section 2: at most 255 characters of ASCII.
fn subject(text: &str) -> Result<String, &'static str> {
    let proper = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if proper { Ok(text.to_owned()) } else { Err("must be 1 to 255 visible characters of ASCII") }
}

fn external_ids(fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let mut ids = Vec::new();
    for (source, value) in fields.group("external_id") {
        let id =
            text(&value).and_then(|text| short(text, 255)).and_then(|value| Ok((short(&source, 64)?, value)));
        match id {
            Ok(id) => ids.push(id),
            Err(message) => fields.wrong(&format!("external_id.{source}"), message),
        }
    }
    ids
}

/// Checks a claim; a mistake comes back with the place within it.
fn claim(name: &str, value: &Value) -> Result<(), (String, String)> {
    let whole = |checked: Result<(), String>| checked.map_err(|message| (String::new(), message));
    let own = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b);
    match name {
        "email" | "email_verified" => return whole(Err("stands beside claims, not in them".to_owned())),
        "preferred_username" => return whole(Err("comes from username; set that".to_owned())),
        "updated_at" => return whole(Err("is set by the server; leave it out".to_owned())),
        _ if RESERVED.contains(&name) => return whole(Err("is reserved; leave it out".to_owned())),
        _ if name.is_empty() || name.len() > 128 || !name.bytes().all(own) => {
            return whole(Err("is no name of a claim; use letters, digits and _ - . : /".to_owned()));
        }
        _ if value.is_null() => return Ok(()),
        "address" => return address(value),
        _ => {}
    }
    whole(match name {
        "phone_number_verified" => {
            value.as_bool().map(drop).ok_or_else(|| "must be true or false".to_owned())
        }
        "picture" | "profile" | "website" => {
            text(value).and_then(|text| web_address(text).map(drop).map_err(|error| error.to_string()))
        }
        "phone_number" => text(value).and_then(phone),
        "birthdate" => text(value).and_then(birthdate),
        "locale" => text(value).and_then(|text| language(text).map(drop).map_err(str::to_owned)),
        _ if scope_of(name).is_some() => text(value).and_then(|text| short(text, 500)).map(drop),
        _ if value.to_string().len() > 8192 => Err("is larger than 8 KiB".to_owned()),
        _ => Ok(()),
    })
}

/// OpenID Connect Core, section 5.1.1.
fn address(value: &Value) -> Result<(), (String, String)> {
    const PARTS: &[&str] = &["formatted", "street_address", "locality", "region", "postal_code", "country"];
    let Value::Object(parts) = value else {
        return Err((String::new(), "must be a group of keys with values".to_owned()));
    };
    for (part, value) in parts {
        let long = |text: &str| if text.len() > 1000 { Err("is too long".to_owned()) } else { Ok(()) };
        let checked = if PARTS.contains(&part.as_str()) {
            text(value).and_then(long)
        } else {
            Err(unknown(part, PARTS))
        };
        checked.map_err(|message| (format!(".{part}"), message))?;
    }
    Ok(())
}

/// E.164.
fn phone(text: &str) -> Result<(), String> {
    let digits = text.strip_prefix('+').unwrap_or("");
    let proper = (4..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    if proper { Ok(()) } else { Err("must be written as +4915112345678 (E.164)".to_owned()) }
}

/// OpenID Connect Core, section 5.1: `YYYY-MM-DD`, the year 0000 where it is withheld, or the year.
fn birthdate(text: &str) -> Result<(), String> {
    let number = |part: &str, length: usize, range: std::ops::RangeInclusive<u32>| {
        let digits = part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        digits && part.parse::<u32>().is_ok_and(|number| range.contains(&number))
    };
    let proper = match text.split('-').collect::<Vec<_>>().as_slice() {
        [year] => number(year, 4, 1..=9999),
        [year, month, day] => number(year, 4, 0..=9999) && number(month, 2, 1..=12) && number(day, 2, 1..=31),
        _ => false,
    };
    if proper { Ok(()) } else { Err("must be written as 1990-12-31".to_owned()) }
}
