//! What is shown of a request and its answer: enough to learn from, too little to steal.

use serde_json::Value;
use web::pages::DemoRequest;

/// Parameters and members whose values are worth stealing.
const SECRET: &[&str] =
    &["code", "code_verifier", "client_secret", "access_token", "refresh_token", "id_token", "id_token_hint"];
const SECRET_SHOWN: usize = 8;
const STRING_SHOWN: usize = 60;
const BODY_SHOWN: usize = 700;

/// A request and the beginning of its answer.
pub(crate) fn request(method: &str, url: &str, status: u16, answer: &[u8]) -> DemoRequest {
    DemoRequest { method: method.to_owned(), url: shortened(url), status, body: body(answer) }
}

fn shortened(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) if SECRET.contains(&name) => format!("{name}={}", cut(value, SECRET_SHOWN)),
        _ => pair.to_owned(),
    };
    let pairs: Vec<String> = query.split('&').map(pair).collect();
    format!("{path}?{}", pairs.join("&"))
}

fn body(answer: &[u8]) -> String {
    match serde_json::from_slice::<Value>(answer) {
        Ok(mut value) => {
            shorten(&mut value);
            cut(&value.to_string(), BODY_SHOWN)
        }
        Err(_) if answer.is_empty() => String::new(),
        Err(_) => format!("({} bytes that are not JSON)", answer.len()),
    }
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => *text = cut(text, STRING_SHOWN),
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if SECRET.contains(&name.as_str()) => *text = cut(text, SECRET_SHOWN),
                    other => shorten(other),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_tokens_are_shortened_in_addresses_and_answers() {
        let answer = br#"{"access_token":"eyJhbGciOiJFUzI1NiJ9.x.y","expires_in":600,"token_type":"Bearer"}"#;
        let seen = request("GET", "https://a/cb?code=co_0123456789&state=abcdefghijkl", 200, answer);
        assert_eq!(seen.url, "https://a/cb?code=co_01234…&state=abcdefghijkl");
        assert_eq!(seen.body, r#"{"access_token":"eyJhbGci…","expires_in":600,"token_type":"Bearer"}"#);
    }

    #[test]
    fn long_answers_are_cut_and_others_than_json_not_shown() {
        let long = serde_json::json!({ "keys": vec!["ü".repeat(100); 100] }).to_string();
        let shown = body(long.as_bytes());
        assert_eq!(shown.chars().count(), BODY_SHOWN + 1);
        assert!(shown.starts_with(&format!(r#"{{"keys":["{}…""#, "ü".repeat(STRING_SHOWN))));
        assert_eq!(body(b"<p>secret"), "(9 bytes that are not JSON)");
        assert_eq!(body(b""), "");
    }
}
