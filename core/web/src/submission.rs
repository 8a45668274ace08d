//! What a POST brings: a plain form, or JSON with the same names. One shape for both.

use crate::Problem;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use base::{Error, Kind};
use http::{StatusCode, header};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

const MOST_FIELDS: usize = 100;

/// The fields of a POST by name.
#[derive(Clone, Default)]
pub struct Submission {
    fields: BTreeMap<String, String>,
    /// Whether it came as `application/json`, which a form of another site cannot send.
    pub json: bool,
}

impl Submission {
    /// The field of this name; nothing counts as empty.
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Whether the field was sent at all.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    fn form(body: &[u8]) -> Result<Self, Error> {
        let params = oauth::Params::parse_bare(body).map_err(|error| bad(error.to_string()))?;
        let mut fields = BTreeMap::new();
        for (name, value) in params.iter() {
            if fields.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(bad(format!("the field {name} is there twice")));
            }
        }
        Self::checked(fields, false)
    }

    fn json(body: &[u8]) -> Result<Self, Error> {
        let Members(fields) = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
        Self::checked(fields, true)
    }

    fn checked(fields: BTreeMap<String, String>, json: bool) -> Result<Self, Error> {
        if fields.len() > MOST_FIELDS {
            return Err(bad("more fields than any form of ours".to_owned()));
        }
        if fields.values().any(|value| value.contains('\0')) {
            return Err(bad("a field holds NUL".to_owned()));
        }
        Ok(Self { fields, json })
    }
}

/// The members of a JSON object as texts, each name once, none of them a list or an object.
struct Members(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            let text = match value {
                Value::String(text) => text,
                Value::Null => String::new(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(A::Error::custom(format!("the field {name} is not a text")));
                }
            };
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!("the field {name} is there twice")));
            }
            fields.insert(name, text);
        }
        Ok(fields)
    }
}

fn bad(private: String) -> Error {
    Error::new(Kind::Invalid, "error-form", "The form could not be read. Go back and send it again.")
        .because(private)
}

impl<S: Send + Sync> FromRequest<S> for Submission {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        Self::read(request, state).await.map_err(|error| Problem::of(error, &parts))
    }
}

impl Submission {
    async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Self, Error> {
        let kind =
            request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let body = Bytes::from_request(request, state).await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Error::new(Kind::TooLarge, "error-large", "The form is larger than any of ours.")
                    .because(error.to_string())
            }
            _ => bad(error.to_string()),
        })?;
        match kind.as_str() {
            "application/json" => Self::json(&body),
            "application/x-www-form-urlencoded" => Self::form(&body),
            "" if body.is_empty() => Ok(Self::default()),
            other => Err(bad(format!("content type {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_json_bring_the_same_fields() {
        let form = Submission::form(b"identifier=alice%40example.com&password=a+b").unwrap();
        let json = Submission::json(br#"{"identifier": "alice@example.com", "password": "a b"}"#).unwrap();
        for name in ["identifier", "password", "other"] {
            assert_eq!(form.get(name), json.get(name));
        }
        assert!(json.json && !form.json);
    }

    #[test]
    fn abuse_17_repeated_fields_nul_and_nested_values_are_refused() {
        assert!(Submission::form(b"code=1&code=2").is_err());
        assert!(Submission::form(b"code=%00").is_err());
        assert!(Submission::json(br#"{"code": ["1"]}"#).is_err());
        assert!(Submission::json(br#"{"code": "a\u0000b"}"#).is_err());
        assert!(Submission::json(br#"{"code": "1", "code": "2"}"#).is_err());
        assert!(Submission::json(br#"{"code": "1", "c\u006fde": "2"}"#).is_err());
        assert!(Submission::json(b"[]").is_err());
        let deep = format!("{{\"code\": {}", "[".repeat(30_000));
        assert!(Submission::json(deep.as_bytes()).is_err());
    }
}
