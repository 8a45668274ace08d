//! Objects at random, the same for the same seed.

use oauth::Client;
use serde_json::{Map, Value, json};

/// Texts that a file may read as something else.
const TEXTS: &[&str] = &[
    "true",
    "null",
    "~",
    "1",
    "1.0",
    "1e3",
    "0x1f",
    "0o17",
    "-",
    "- a",
    "a: b",
    "a #b",
    "#b",
    "%a",
    "@a",
    "`a",
    "!a",
    "&a",
    "*a",
    "|",
    ">",
    "yes",
    "No",
    "2024-01-01",
    "12:30:45",
    "[a]",
    "{a}",
    "'",
    "\"",
    "\\n",
    ".inf",
    "é ñ 漢字 😀",
    "a\u{a0}b",
    "<<",
    "=",
    "---",
    "...",
    "Größe",
    "a,b",
    "?",
    "? a",
    ":",
    "::",
];
/// Texts of several lines, or with what a line cannot show.
const WILD: &[&str] = &[
    "",
    " ",
    " a",
    "a ",
    "a\nb",
    "a\n",
    "\na",
    "\n\n",
    "a\r\nb",
    "a\tb",
    "\t",
    "a\u{85}b",
    "a\u{2028}b",
    "\u{feff}a",
    "a\u{7f}b",
    "a\u{1}b",
    "  a\n b\n",
    "a\n\n\nb\n\n",
    "---\na",
    "a: |\n  b",
];

pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Xorshift.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % end
    }

    pub(crate) fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    pub(crate) fn word(&mut self) -> &'static str {
        self.of(&["ann", "Bo", "c.d", "e_f", "g+h"])
    }

    pub(crate) fn line(&mut self) -> String {
        self.of(TEXTS).to_owned()
    }

    fn json(&mut self, depth: usize) -> Value {
        match self.below(if depth > 3 { 8 } else { 10 }) {
            0 => json!(self.next()),
            1 => json!(-i64::try_from(self.next() >> 1).unwrap()),
            2 => json!(f64::from(u32::try_from(self.next() >> 32).unwrap()) / 7.0),
            3 => json!(1.0),
            4 => json!(self.one_in(2)),
            5 | 6 => json!(self.of(WILD)),
            7 => json!(self.of(TEXTS)),
            8 => (0..self.below(4)).map(|_| self.json(depth + 1)).collect::<Vec<_>>().into(),
            _ => {
                let mut map = Map::new();
                for _ in 0..self.below(4) {
                    let name = if self.one_in(2) { self.of(TEXTS) } else { self.of(WILD) };
                    map.insert(name.to_owned(), self.json(depth + 1));
                }
                map.into()
            }
        }
    }

    /// Claims of a person, own ones too.
    pub(crate) fn claims(&mut self) -> Map<String, Value> {
        let mut claims = Map::new();
        if self.one_in(2) {
            claims.insert("name".to_owned(), self.line().into());
        }
        if self.one_in(3) {
            claims
                .insert("address".to_owned(), json!({ "formatted": self.of(WILD), "country": self.line() }));
        }
        if self.one_in(3) {
            claims.insert("birthdate".to_owned(), "1990-12-31".into());
            claims.insert("phone_number_verified".to_owned(), true.into());
        }
        for name in ["own", "https://example.com/x", "1", "true", "a.b"] {
            if self.one_in(3) {
                claims.insert(name.to_owned(), self.json(0));
            }
        }
        claims.retain(|name, value| store::rules::claim(name, value).is_ok() && !value.is_null());
        claims
    }

    pub(crate) fn settings(&mut self) -> Map<String, Value> {
        let all = json!({
            "registration": false, "usernames": true, "profile": "nist-aal2", "password_min": 12,
            "session_idle": 3600, "session_absolute": 864_000, "locale": "de", "session_management": true,
            "theme": { "product_name": self.line(), "light": { "accent": "#005f73" }, "radius": 3 },
            "client_registration": "token", "privacy_url": "https://example.com/privacy",
            "client_policy": { "methods": ["none"] }, "key_rotation_days": 0,
        });
        let Value::Object(mut all) = all else { unreachable!() };
        all.retain(|_, _| self.one_in(3));
        all
    }

    /// An application whose metadata fit together.
    pub(crate) fn client(&mut self, client_id: &str) -> Client {
        loop {
            let mut metadata = self.metadata();
            metadata.insert("client_id".to_owned(), client_id.into());
            let client: Result<Client, _> = serde_json::from_value(metadata.into());
            if let Ok(client) = client.as_ref().map(Clone::clone)
                && client.check().is_ok()
            {
                return client;
            }
            client.expect("metadata that can be read");
        }
    }

    fn metadata(&mut self) -> Map<String, Value> {
        let choices = json!({
            "name": [self.line()],
            "first_party": [false],
            "application_type": ["native"],
            "token_endpoint_auth_method": ["none", "client_secret_basic", "client_secret_post",
                "client_secret_jwt", "private_key_jwt"],
            "redirect_uris": [["https://a.example/cb"], ["https://a.example/cb", "https://b.example/cb?x=1"]],
            "post_logout_redirect_uris": [["https://a.example/bye"]],
            "grant_types": [["client_credentials"], ["authorization_code"],
                ["authorization_code", "refresh_token", "client_credentials"]],
            "scopes": [["openid", "email", "orders.read"], ["openid"]],
            "audiences": [["https://api.example"]],
            "id_token_signed_response_alg": ["ES256"],
            "access_token_signed_response_alg": ["RS256"],
            "lifetimes": [{ "access_token": 300 }, { "code": 30, "refresh_idle": 86_400 }],
            "require_pkce": [true],
            "rotate_refresh_tokens": [false],
            "client_uri": ["https://a.example/"],
            "tos_uri": ["https://a.example/tos?a=1"],
            "contacts": [["ops@a.example"]],
            "software_id": [self.line()],
            "access_token_format": ["opaque"],
            "jwks_uri": ["https://a.example/jwks"],
            "consent": ["always", "skip"],
            "default_max_age": [600],
            "default_acr_values": [["1", "urn:a"]],
            "allowed_origins": [["https://a.example"]],
            "backchannel_logout_uri": ["https://a.example/out"],
            "backchannel_logout_session_required": [true],
        });
        let mut metadata = Map::new();
        for (name, values) in choices.as_object().unwrap() {
            if self.one_in(3) {
                metadata.insert(name.clone(), self.of(values.as_array().unwrap()));
            }
        }
        metadata
    }
}
