//! Reading single members of client metadata (RFC 7591 section 2): each has a type and a limit.

use std::{fmt::Display, str::FromStr};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::RegistrationError;
use crate::RedirectUri;

/// The most characters of a text.
const MAX_TEXT: usize = 255;
/// The most members of a list.
const MAX_LIST: usize = 100;

/// The members of a request; none of them is `null`.
pub(super) struct Members<'a>(pub(super) &'a Map<String, Value>);

impl Members<'_> {
    /// A text for people: short, and without control characters or those that turn its direction.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, RegistrationError> {
        self.0.get(name).map(|value| text(name, value)).transpose()
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, RegistrationError> {
        self.list(name, |value| text(name, value))
    }

    /// A text that is the written form of a type, whose errors are sentences.
    pub(super) fn parsed<T: FromStr<Err: Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, RegistrationError> {
        self.0.get(name).map(|value| parse(name, value)).transpose().map_err(metadata)
    }

    /// A list of such texts.
    pub(super) fn parsed_list<T: FromStr<Err: Display>>(
        &self,
        name: &str,
    ) -> Result<Option<Vec<T>>, RegistrationError> {
        self.list(name, |value| parse(name, value).map_err(metadata))
    }

    /// A value that is the JSON form of a type with few values.
    pub(super) fn word<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, RegistrationError> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let unsupported = |_| metadata(format!("{name} has a value that is not supported here"));
        T::deserialize(value.clone()).map(Some).map_err(unsupported)
    }

    /// True or false; false if it is left out.
    pub(super) fn flag(&self, name: &str) -> Result<bool, RegistrationError> {
        self.word(name).map(Option::unwrap_or_default)
    }

    /// The redirect URIs, which have an error code of their own (RFC 7591 section 3.2.2).
    pub(super) fn redirect_uris(&self) -> Result<Vec<RedirectUri>, RegistrationError> {
        const NAME: &str = "redirect_uris";
        let uri = |value: &Value| {
            parse(NAME, value).map_err(|description| RegistrationError::redirect_uri(&description))
        };
        self.list(NAME, uri).map(Option::unwrap_or_default)
    }

    fn list<T>(
        &self,
        name: &str,
        read: impl Fn(&Value) -> Result<T, RegistrationError>,
    ) -> Result<Option<Vec<T>>, RegistrationError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Array(list)) if list.len() <= MAX_LIST => {
                list.iter().map(read).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(metadata(format!("{name} must be a list of at most {MAX_LIST} texts"))),
        }
    }
}

fn metadata(description: String) -> RegistrationError {
    RegistrationError::metadata(&description)
}

fn text(name: &str, value: &Value) -> Result<String, RegistrationError> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    match value.as_str() {
        Some(text) if text.chars().count() <= MAX_TEXT && !text.chars().any(hidden) => Ok(text.to_owned()),
        _ => Err(metadata(format!(
            "{name} must be text of at most {MAX_TEXT} characters, without control characters"
        ))),
    }
}

fn parse<T: FromStr<Err: Display>>(name: &str, value: &Value) -> Result<T, String> {
    let text = value.as_str().ok_or_else(|| format!("{name} must be text"))?;
    text.parse().map_err(|error: T::Err| format!("{name}: {error}"))
}
