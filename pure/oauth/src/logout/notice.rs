//! How applications learn that somebody signed out: OpenID Connect Back-Channel Logout 1.0,
//! Front-Channel Logout 1.0 and Session Management 1.0.
//!
//! Must not: sign or send anything.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, Origin, params::encode};

/// The one event of a logout token (Back-Channel Logout 1.0 section 2.4).
pub const BACKCHANNEL_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How long a logout token lives, in seconds (Back-Channel Logout 1.0 section 2.4 advises two minutes).
const LIFETIME: i64 = 120;

/// What ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended<'a> {
    /// Every session of a person.
    Everything {
        /// The person, as `sub` names it to this application.
        subject: &'a str,
    },
    /// One session.
    Session {
        /// The person, as `sub` names it to this application.
        subject: &'a str,
        /// The session, as `sid` named it in the ID token.
        session: &'a str,
    },
}

/// The claims of a logout token, to be signed as `logout+jwt` (Back-Channel Logout 1.0 section 2.4).
/// There is no `nonce`, so that no application takes it for an ID token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutTokenClaims {
    /// Our issuer.
    pub iss: String,
    /// The application.
    pub aud: String,
    /// When it was made, in seconds since the epoch.
    pub iat: i64,
    /// When it expires, in seconds since the epoch.
    pub exp: i64,
    /// Its own name.
    pub jti: String,
    /// [`BACKCHANNEL_EVENT`] with an empty object, alone.
    pub events: Map<String, Value>,
    /// The person.
    pub sub: String,
    /// The session; none if every session of the person ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

impl LogoutTokenClaims {
    /// The claims for one application; `jti` is fresh, `now` in seconds since the epoch.
    #[must_use]
    pub fn new(issuer: &str, client: &Client, ended: Ended<'_>, jti: String, now: i64) -> Self {
        let (subject, session) = match ended {
            Ended::Everything { subject } => (subject, None),
            Ended::Session { subject, session } => (subject, Some(session)),
        };
        Self {
            iss: issuer.to_owned(),
            aud: client.client_id.as_str().to_owned(),
            iat: now,
            exp: now.saturating_add(LIFETIME),
            jti,
            events: Map::from_iter([(BACKCHANNEL_EVENT.to_owned(), Value::Object(Map::new()))]),
            sub: subject.to_owned(),
            sid: session.map(str::to_owned),
        }
    }
}

/// What a frame loads so that the application ends its own session: its `frontchannel_logout_uri`
/// with `iss` and `sid` (Front-Channel Logout 1.0 section 2). None if it has registered none.
#[must_use]
pub fn frontchannel_url(client: &Client, issuer: &str, session: &str) -> Option<String> {
    let uri = client.frontchannel_logout_uri.as_ref()?;
    Some(uri.with_query(&encode([("iss", issuer), ("sid", session)])))
}

/// The `session_state` of an answer (Session Management 1.0 section 2 and 3.2): the SHA-256, in
/// hexadecimal digits, of client, origin, browser state and salt with spaces between them; a dot; the
/// salt. The script of `check_session_iframe` computes the same. The salt is fresh for each answer
/// and has neither spaces nor dots.
#[must_use]
pub fn session_state(client: &Client, origin: &Origin, browser_state: &str, salt: &str) -> String {
    let text = format!("{} {origin} {browser_state} {salt}", client.client_id);
    let mut state = String::new();
    for byte in digest(&SHA256, text.as_bytes()).as_ref() {
        // Writing into a String cannot fail.
        let _ = write!(state, "{byte:02x}");
    }
    format!("{state}.{salt}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn client() -> Client {
        Client::new("web".parse().unwrap())
    }

    #[test]
    fn a_logout_token_has_one_event_and_no_nonce() {
        let ended = Ended::Session { subject: "alice", session: "s1" };
        let claims = LogoutTokenClaims::new("https://id.example", &client(), ended, "j".into(), 1000);
        let expected = json!({
            "iss": "https://id.example", "aud": "web", "iat": 1000, "exp": 1120, "jti": "j",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            "sub": "alice", "sid": "s1"
        });
        assert_eq!(serde_json::to_value(claims).unwrap(), expected);
        let everything = Ended::Everything { subject: "alice" };
        let claims = LogoutTokenClaims::new("https://id.example", &client(), everything, "j".into(), 1000);
        let claims = serde_json::to_value(claims).unwrap();
        assert!(claims.get("sid").is_none() && claims.get("nonce").is_none());
    }

    #[test]
    fn a_frame_is_told_issuer_and_session() {
        let url = |uri: &str| {
            let uri = Some(uri.parse().unwrap());
            frontchannel_url(
                &Client { frontchannel_logout_uri: uri, ..client() },
                "https://id.example",
                "a&b",
            )
        };
        let query = "iss=https%3A%2F%2Fid.example&sid=a%26b";
        assert_eq!(url("https://a.example/out").unwrap(), format!("https://a.example/out?{query}"));
        assert_eq!(url("https://a.example/out?x=1").unwrap(), format!("https://a.example/out?x=1&{query}"));
        assert_eq!(frontchannel_url(&client(), "https://id.example", "s"), None);
    }

    /// The hash was made with `printf 'web https://app.example state salt' | sha256sum`.
    #[test]
    fn the_session_state_can_be_computed_elsewhere() {
        let origin = "https://app.example".parse().unwrap();
        let state = session_state(&client(), &origin, "state", "salt");
        assert_eq!(state, "260ff36bfd8cf8f9c97ae76467485739f390ae0b7f1e65238f3996b5fbb79ce2.salt");
        for (browser_state, salt) in [("other", "salt"), ("state", "other")] {
            assert_ne!(state, session_state(&client(), &origin, browser_state, salt));
        }
        assert_ne!(state, session_state(&client(), &"https://b.example".parse().unwrap(), "state", "salt"));
    }
}
