//! `Idempotency-Key`: a creation repeated under the same key within a day gives the same answer and
//! makes nothing. The answer is kept, sealed, in the unit of the creation itself.

use crate::{
    call::{Answer, Call},
    refusal::{KEY_REUSED, MALFORMED, Refusal},
    rows::answer::{self, AnswerRow},
};
use base::{Aad, mac};
use http::HeaderValue;
use serde_json::{Value, json};
use std::time::Duration;
use store::Unit;

const DAY: Duration = Duration::from_secs(86_400);
const LABEL: &str = "api_answer.answer";

/// A creation that may be a repeat.
pub(crate) struct Repeat {
    /// Hash of caller and key.
    key: [u8; 32],
    /// Hash of method, address and body.
    request: [u8; 32],
}

impl Repeat {
    /// What the header says of this request.
    pub(crate) fn of(call: &Call, header: Option<&HeaderValue>) -> Result<Option<Self>, Refusal> {
        let Some(header) = header.filter(|_| call.endpoint.is_creation()) else { return Ok(None) };
        let text = header.to_str().unwrap_or_default();
        if !(1..=255).contains(&text.len()) {
            return Err(Refusal::because(MALFORMED, "An Idempotency-Key has 1 to 255 characters of ASCII."));
        }
        let who = call.caller.named().to_string();
        let path = json!([call.endpoint.id, call.path]).to_string();
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        Ok(Some(Self {
            key: mac::sha256(&[b"api answer", who.as_bytes(), text.as_bytes()]),
            request: mac::sha256(&[path.as_bytes(), body.as_bytes()]),
        }))
    }

    /// What the first request was answered.
    pub(crate) async fn answered(&self, call: &Call) -> Result<Option<Answer>, Refusal> {
        let row = answer::find(call.db(), call.tenant.id, self.key, call.now()).await?;
        let Some(row) = row else { return Ok(None) };
        if !mac::equal(&row.request, &self.request) {
            return Err(Refusal::new(KEY_REUSED));
        }
        let place = Aad { tenant: call.tenant.id.as_bytes(), label: LABEL, row: &self.key };
        let plain = call.tenant.key.open(place, &row.answer).map_err(base::Error::from)?;
        let kept: Value = serde_json::from_slice(&plain)
            .map_err(|error| base::Error::internal(format!("a kept answer: {error}")))?;
        Ok(Some(Answer {
            body: kept.get("body").cloned(),
            version: kept.get("version").and_then(Value::as_i64),
            location: kept.get("location").and_then(Value::as_str).map(str::to_owned),
            ..Answer::default()
        }))
    }

    /// Keeps the answer in the unit of the creation.
    pub(crate) fn keep(&self, call: &Call, unit: &mut Unit, answer: &Answer) {
        let kept = json!({ "body": answer.body, "version": answer.version, "location": answer.location });
        let kept = zeroize::Zeroizing::new(kept.to_string());
        let place = Aad { tenant: call.tenant.id.as_bytes(), label: LABEL, row: &self.key };
        let sealed = call.tenant.key.seal(call.env().rng(), place, kept.as_bytes());
        let row = AnswerRow { request: self.request.to_vec(), answer: sealed };
        answer::keep(unit, call.tenant.id, self.key, row, (call.now(), call.now().plus(DAY)));
    }
}
