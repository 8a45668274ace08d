//! Forms: as strict as promised and otherwise equal to the `form_urlencoded` crate; a submission brings
//! every field once, as a form and as JSON.
//!
//! Input: `{` begins JSON, anything else is a form.
#![no_main]

use axum::extract::FromRequest as _;
use http::{Request, header::CONTENT_TYPE};
use libfuzzer_sys::fuzz_target;
use oauth::Params;
use oauth::params::{MAX_BYTES, MAX_COUNT, ParamsError};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use web::Submission;

fuzz_target!(|input: &[u8]| {
    if input.first() == Some(&b'{') {
        return json(input);
    }
    params(input);
    let reference = pairs(input);
    let Some(submission) = submit("application/x-www-form-urlencoded", input) else { return };
    assert!(!submission.json && reference.len() <= 100);
    for (name, value) in &reference {
        assert_eq!((submission.has(name), submission.get(name)), (true, value.as_str()));
    }
});

/// Every name and value, by the other parser.
fn pairs(input: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(input).into_owned().collect()
}

fn params(input: &[u8]) {
    let parsed = match Params::parse_bare(input) {
        Ok(parsed) => parsed,
        Err(ParamsError::TooLarge) => return assert!(input.len() > MAX_BYTES),
        Err(ParamsError::TooMany) => return assert!(pairs(input).len() > MAX_COUNT),
        Err(ParamsError::Malformed) => return assert!(is_malformed(input)),
    };
    let ours: Vec<(String, String)> =
        parsed.iter().map(|(name, value)| (name.into(), value.into())).collect();
    assert!(ours.len() <= MAX_COUNT && !is_malformed(input));
    assert_eq!(ours, pairs(input));
    assert_eq!(Params::parse_bare(parsed.encode().as_bytes()).as_ref(), Ok(&parsed));
    let valued = Params::parse(input).unwrap();
    assert!(valued.iter().eq(parsed.iter().filter(|(_, value)| !value.is_empty())));
    let twice = ours.iter().filter(|(_, value)| !value.is_empty()).enumerate().find(|(at, (name, _))| {
        name != "resource" && valued.iter().take(*at).any(|(earlier, _)| earlier == name)
    });
    assert_eq!(valued.repeated().map(|repeated| repeated.0), twice.map(|(_, (name, _))| name.clone()));
}

/// The slow way to say so: the escapes one by one, then all of it as text.
fn is_malformed(input: &[u8]) -> bool {
    let whole =
        |at: usize| input.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if (0..input.len()).any(|at| input[at] == b'%' && !whole(at)) {
        return true;
    }
    input.split(|byte| *byte == b'&').flat_map(|pair| pair.splitn(2, |byte| *byte == b'=')).any(|part| {
        let mut bytes = Vec::new();
        let mut at = 0;
        while at < part.len() {
            if part[at] == b'%' {
                let digits = std::str::from_utf8(&part[at + 1..at + 3]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                at += 3;
            } else {
                bytes.push(part[at]);
                at += 1;
            }
        }
        bytes.contains(&0) || std::str::from_utf8(&bytes).is_err()
    })
}

fn json(input: &[u8]) {
    let Some(submission) = submit("application/json; charset=utf-8", input) else { return };
    let Pairs(pairs) = serde_json::from_slice(input).expect("it was read");
    assert!(submission.json && pairs.len() <= 100);
    for (at, (name, value)) in pairs.iter().enumerate() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        assert!(submission.has(name) && submission.get(name) == text && !text.contains('\0'));
        assert!(pairs.iter().take(at).all(|(earlier, _)| earlier != name), "{name} stands twice");
    }
}

/// The members of an object as they stand there.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = access.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// What the pages would see, if they see it.
fn submit(kind: &str, body: &[u8]) -> Option<Submission> {
    let request = Request::post("/").header(CONTENT_TYPE, kind).body(axum::body::Body::from(body.to_vec()));
    let mut reading = pin!(Submission::from_request(request.unwrap(), &()));
    match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(submission)) => Some(submission),
        Poll::Ready(Err(_)) => None,
        Poll::Pending => panic!("a body that is there is read at once"),
    }
}
