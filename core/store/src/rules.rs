//! What may stand in attributes and settings, the same for files and for the API. A message begins
//! with a verb, so that it follows the name of what it is about.

use crate::rows::tenant::Settings;
use oauth::{
    claims::{RESERVED, scope_of},
    uri::WebUri,
};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// How deep lists and groups may stand in each other within an attribute. In a file for `keyward apply`
/// an attribute stands below others, and both must stay readable.
const MAX_DEPTH: usize = 16;

/// A value that must be text.
///
/// # Errors
/// What is wrong.
pub fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Err("must be text; put it in quotes".to_owned()),
        _ => Err("must be text".to_owned()),
    }
}

/// Text for people, on one line.
///
/// # Errors
/// What is wrong.
pub fn short(text: &str, most: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(format!("must be 1 to {most} characters on one line"));
    }
    Ok(text.to_owned())
}

/// The address of a page or picture.
///
/// # Errors
/// What is wrong.
pub fn web_address(text: &str) -> Result<String, oauth::uri::UriError> {
    text.parse::<WebUri>().map(String::from)
}

/// A language tag (RFC 5646), by its form only.
///
/// # Errors
/// What is wrong.
pub fn language(text: &str) -> Result<String, &'static str> {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let proper = text.len() <= 35 && text.len() >= 2 && text.split('-').all(part);
    if proper { Ok(text.to_owned()) } else { Err("must be a language tag such as en or pt-BR") }
}

/// The short name of a tenant.
///
/// # Errors
/// What is wrong.
pub fn slug(text: &str) -> Result<String, &'static str> {
    let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let proper = (1..=63).contains(&text.len()) && letters && !text.starts_with('-') && !text.ends_with('-');
    if proper { Ok(text.to_owned()) } else { Err("must be 1 to 63 small letters, digits and hyphens") }
}

/// An issuer: scheme and host, and below it nothing but the tenant's own path.
///
/// # Errors
/// What is wrong.
pub fn issuer(text: &str, slug: &str) -> Result<String, String> {
    let address: WebUri = text.parse().map_err(|error: oauth::uri::UriError| error.to_string())?;
    let host = address.as_str().split_once("://").map_or("", |(_, rest)| rest);
    let path = host.find('/').and_then(|at| host.get(at..)).unwrap_or("");
    if text.contains('?') || (!path.is_empty() && path != format!("/t/{slug}")) {
        return Err(format!("must be https and a host, without a slash at the end, or end in /t/{slug}"));
    }
    Ok(text.to_owned())
}

/// A subject: OpenID Connect Core, section 2: at most 255 characters of ASCII.
///
/// # Errors
/// What is wrong.
pub fn subject(text: &str) -> Result<String, &'static str> {
    let proper = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if proper { Ok(text.to_owned()) } else { Err("must be 1 to 255 visible characters of ASCII") }
}

/// A setting of a tenant, by its name; null returns to the default.
///
/// # Errors
/// What is wrong.
pub fn setting(name: &str, value: &Value) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    match name {
        "registration" | "usernames" | "session_management" => {
            value.as_bool().map(drop).ok_or_else(|| "must be true or false".into())
        }
        "profile" => match text(value)? {
            "default" | "nist-aal2" => Ok(()),
            _ => Err("must be one of: default, nist-aal2".to_owned()),
        },
        "client_registration" => match text(value)? {
            "off" | "token" | "open" => Ok(()),
            _ => Err("must be one of: off, token, open".to_owned()),
        },
        "theme" | "templates" if !value.is_object() => Err("must be a group of keys with values".to_owned()),
        "locale" => language(text(value)?).map(drop).map_err(str::to_owned),
        "password_min" => number(value, 8..=64, "characters"),
        "session_idle" | "session_absolute" => number(value, 60..=400 * 86_400, "seconds"),
        "key_rotation_days" => number(value, 0..=3_650, "days"),
        "key_publish_days" => number(value, 1..=365, "days"),
        "privacy_url" | "terms_url" => web_address(text(value)?).map(drop).map_err(|error| error.to_string()),
        _ => Ok(()),
    }
}

/// What settings must say together: the setting that is wrong, and what is wrong.
///
/// # Errors
/// The first that does not fit the others.
pub fn coherent(settings: &Settings) -> Result<(), (&'static str, &'static str)> {
    if settings.session_idle > settings.session_absolute {
        return Err(("session_idle", "must not be longer than session_absolute"));
    }
    let rotates = settings.key_rotation_days > 0;
    if rotates && settings.key_publish_days >= settings.key_rotation_days {
        return Err(("key_publish_days", "must be less than key_rotation_days"));
    }
    Ok(())
}

fn number(value: &Value, range: RangeInclusive<u64>, unit: &str) -> Result<(), String> {
    match value.as_u64() {
        Some(number) if range.contains(&number) => Ok(()),
        _ => Err(format!("must be a number of {unit} from {} to {}", range.start(), range.end())),
    }
}

/// An attribute of a person, by the name of its claim; null takes it away.
///
/// # Errors
/// The place within the value, and what is wrong there.
pub fn claim(name: &str, value: &Value) -> Result<(), (String, String)> {
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
        _ if depth(value) > MAX_DEPTH => Err(format!("is nested more than {MAX_DEPTH} deep")),
        _ if value.to_string().len() > 8192 => Err("is larger than 8 KiB".to_owned()),
        _ => Ok(()),
    })
}

/// All attributes of a person together: at most 64 KiB as JSON, since every change of one writes all.
///
/// # Errors
/// What is wrong with them.
pub fn claims(all: &Map<String, Value>) -> Result<(), String> {
    const MOST: usize = 64 * 1024;
    let size: usize = all.iter().map(|(name, value)| name.len() + value.to_string().len()).sum();
    if size <= MOST { Ok(()) } else { Err("are larger than 64 KiB together".to_owned()) }
}

/// How many lists and groups stand in each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
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
            Err(format!("is unknown. Known here: {}.", PARTS.join(", ")))
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
    let number = |part: &str, length: usize, range: RangeInclusive<u32>| {
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

/// A JSON merge patch (RFC 7396): objects member by member, null takes away.
pub fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match (value, target.get_mut(name)) {
            (Value::Null, _) => drop(target.remove(name)),
            (Value::Object(inner), Some(Value::Object(known))) => merge(known, inner),
            (Value::Object(inner), _) => {
                let mut fresh = Map::new();
                merge(&mut fresh, inner);
                target.insert(name.clone(), Value::Object(fresh));
            }
            (value, _) => drop(target.insert(name.clone(), value.clone())),
        }
    }
}
