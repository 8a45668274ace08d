//! One call of the API: who asks, at which tenant, with which values; and what it comes to.

use crate::{
    Admin,
    caller::Caller,
    endpoint::Endpoint,
    idempotency::Repeat,
    refusal::{INVALID, MALFORMED, PRECONDITION, Refusal},
    scope::Permissions,
};
use axum::response::{IntoResponse, Response};
use base::{Env, Event, Id, Origin, SealingKey, Time, id, id::Entity};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, str::FromStr, sync::Arc};
use store::{Db, Directory, Outcome, Tenant, Unit};

/// A call that was let in.
pub(crate) struct Call {
    pub(crate) admin: Admin,
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) caller: Caller,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Value>,
    pub(crate) origin: Origin,
    pub(crate) repeat: Option<Repeat>,
}

/// What a call came to.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) body: Option<Value>,
    /// A body that is no JSON.
    pub(crate) text: Option<String>,
    pub(crate) version: Option<i64>,
    pub(crate) location: Option<String>,
    pub(crate) next: Option<String>,
}

impl Answer {
    /// Nothing to say.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// With this body.
    pub(crate) fn of(body: &impl Serialize) -> Result<Self, Refusal> {
        let body = serde_json::to_value(body)
            .map_err(|error| base::Error::internal(format!("an answer is no JSON: {error}")))?;
        Ok(Self { body: Some(body), ..Self::default() })
    }

    /// With the version of the object, as `ETag`.
    pub(crate) const fn version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// With the address of what was made, below `/api/v1`.
    pub(crate) fn at(mut self, path: String) -> Self {
        self.location = Some(path);
        self
    }

    pub(crate) fn respond(self, endpoint: &Endpoint, issuer: &str) -> Response {
        let status = StatusCode::from_u16(endpoint.status).unwrap_or(StatusCode::OK);
        let body = self.text.or_else(|| self.body.map(|body| body.to_string()));
        let mut response = match body {
            Some(body) => (status, [(header::CONTENT_TYPE, endpoint.media)], body).into_response(),
            None => status.into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let etag = self.version.map(|version| format!("\"{version}\""));
        let location = self.location.map(|path| format!("{issuer}/api/v1{path}"));
        let next = HeaderName::from_static("keyward-next-cursor");
        for (name, value) in [(header::ETAG, etag), (header::LOCATION, location), (next, self.next)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// What an event is about.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub(crate) person: Option<(Id<id::Person>, Option<&'a SealingKey>)>,
    pub(crate) application: Option<Id<id::Application>>,
    pub(crate) session: Option<Id<id::Session>>,
}

impl<'a> About<'a> {
    /// About the tenant itself.
    pub(crate) const NOBODY: About<'static> = About { person: None, application: None, session: None };

    /// About a person, sealed under their key.
    pub(crate) const fn person(id: Id<id::Person>, key: Option<&'a SealingKey>) -> Self {
        Self { person: Some((id, key)), application: None, session: None }
    }

    /// About an application.
    pub(crate) const fn application(id: Id<id::Application>) -> Self {
        Self { person: None, application: Some(id), session: None }
    }
}

impl Call {
    pub(crate) fn directory(&self) -> &Directory {
        self.admin.site.directory()
    }

    pub(crate) fn db(&self) -> &Db {
        self.directory().db()
    }

    pub(crate) fn env(&self) -> &Env {
        self.directory().env()
    }

    pub(crate) fn now(&self) -> Time {
        self.env().now()
    }

    pub(crate) fn permissions(&self) -> &Permissions {
        self.caller.permissions()
    }

    /// A part of the path. One that is no id of its kind names nothing.
    pub(crate) fn part<T: FromStr>(&self, name: &str) -> Result<T, Refusal> {
        let text = self.path.get(name).ok_or_else(Refusal::not_found)?;
        text.parse().map_err(|_| Refusal::not_found())
    }

    /// A query parameter.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A query parameter that is an id.
    pub(crate) fn asked_id<T: Entity>(&self, name: &str) -> Result<Option<Id<T>>, Refusal> {
        let wrong = || Refusal::field(name, format!("must be an id that begins with {}_", T::PREFIX));
        self.asked(name).map(|text| text.parse().map_err(|_| wrong())).transpose()
    }

    /// The body as a type; unknown fields are refused.
    pub(crate) fn sent<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let body = match &self.body {
            None => json!({}),
            Some(_) => Value::Object(self.object()?),
        };
        let whole = match serde_json::from_value(body.clone()) {
            Ok(sent) => return Ok(sent),
            Err(error) => error,
        };
        // Each field alone tells which one it is.
        let alone = |(name, value): (&String, &Value)| {
            let error = serde_json::from_value::<T>(json!({ name.as_str(): value })).err()?;
            let elsewhere = error.to_string().starts_with("missing field");
            (!elsewhere).then(|| (name.clone(), said(&error)))
        };
        let fields: Vec<_> = body.as_object().into_iter().flatten().filter_map(alone).collect();
        if !fields.is_empty() {
            return Err(Refusal::fields(fields));
        }
        let text = whole.to_string();
        Err(match text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            Some(name) => Refusal::field(name, "must be given"),
            None => Refusal::because(INVALID, crate::call::sentence(&said(&whole))),
        })
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        match self.body.clone() {
            Some(Value::Object(map)) => Ok(map),
            _ => Err(Refusal::because(MALFORMED, "The body must be a JSON object.")),
        }
    }

    /// Refuses a change of another version than the caller has seen (RFC 9110, section 13.1.1).
    pub(crate) fn check_version(&self, version: i64) -> Result<(), Refusal> {
        let Some(wanted) = self.headers.get(header::IF_MATCH) else { return Ok(()) };
        let wanted = wanted.to_str().unwrap_or_default();
        let own = format!("\"{version}\"");
        let is_tag = |tag: &str| {
            let quoted = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"');
            quoted.and_then(|tag| tag.strip_suffix('"')).is_some_and(|tag| !tag.contains('"'))
        };
        let any = wanted.trim() == "*";
        if !any && !wanted.split(',').all(|tag| is_tag(tag.trim())) {
            let detail = format!("If-Match must be the ETag that was read, such as {own}, or *.");
            return Err(Refusal::because(MALFORMED, detail));
        }
        let fits = any || wanted.split(',').any(|tag| tag.trim() == own);
        if fits { Ok(()) } else { Err(Refusal::new(PRECONDITION)) }
    }

    /// A unit with its event: what happened, to whom, by whom.
    pub(crate) fn unit(&self, kind: &'static str, about: About<'_>, detail: Value) -> Unit {
        let mut detail = match detail {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        detail.insert("by".to_owned(), self.caller.named());
        let mut event = Event::new(self.env(), kind)
            .actor(self.caller.actor())
            .origin(self.origin.clone())
            .application(about.application)
            .session(about.session)
            .detail(Value::Object(detail));
        event.person = about.person.map(|(person, _)| person);
        let key = about.person.and_then(|(_, key)| key);
        Unit::new(event.id, vec![self.tenant.event(self.env(), event, key)])
    }

    /// Raises the tenant's version, so that every node learns of the change.
    pub(crate) fn raise_tenant(&self, unit: &mut Unit) {
        store::rows::tenant::raise(unit, self.tenant.id, self.tenant.version, self.now());
    }

    /// Carries a unit out. A creation's answer is kept in it for a repeat.
    pub(crate) async fn commit(&self, mut unit: Unit, answer: &Answer) -> Result<Outcome, Refusal> {
        if let Some(repeat) = &self.repeat {
            repeat.keep(self, &mut unit, answer);
        }
        Ok(self.db().commit(unit).await?)
    }

    /// Carries a unit out and gives the answer; all is looked at anew where another was faster.
    pub(crate) async fn finish(&self, unit: Unit, answer: Answer) -> Result<Answer, Refusal> {
        match self.commit(unit, &answer).await? {
            Outcome::Done => Ok(answer),
            Outcome::Conflict { .. } => Err(Refusal::Again),
        }
    }

    /// The same for what all nodes hold in memory.
    pub(crate) async fn finish_configuration(
        &self,
        mut unit: Unit,
        answer: Answer,
    ) -> Result<Answer, Refusal> {
        self.raise_tenant(&mut unit);
        let answer = self.finish(unit, answer).await?;
        self.directory().forget(self.tenant.id);
        Ok(answer)
    }
}

/// What is wrong with a value, in words that follow the name of its field and do not speak of our
/// types.
pub(crate) fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let words: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    if text.starts_with("unknown field") {
        return match words.split_first() {
            Some((_, known)) if !known.is_empty() => format!("is unknown. Known here: {}.", known.join(", ")),
            _ => "is unknown".to_owned(),
        };
    }
    if text.starts_with("unknown variant") {
        let known = words.get(1..).unwrap_or_default().join(", ");
        return format!("must be one of {known}");
    }
    let Some((_, expected)) = text.split_once(", expected ").filter(|_| text.starts_with("invalid ")) else {
        return text.to_owned();
    };
    let form = match expected {
        "a string" | "a borrowed string" | "string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a group of keys with values",
        _ if expected.starts_with("struct ") => "a group of keys with values",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i32" | "i64" => "a whole number",
        other => other,
    };
    format!("must be {form}")
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
