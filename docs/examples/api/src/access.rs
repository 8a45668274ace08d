//! The check of an access token (RFC 9068 section 4) and what is said of one that fails (RFC 6750).

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde::Deserialize;
use std::{convert::Infallible, time::Duration, time::Instant};
use tokio::sync::RwLock;

/// How long a key that is not known is not asked for again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who asks, as far as the token says.
#[derive(Deserialize)]
pub struct Claims {
    pub sub: String,
    #[serde(default)]
    scope: String,
}

// ANCHOR: denied
/// 401 says: bring a token that works. 403 says: this one does not reach that far.
pub enum Denied {
    Missing,
    Invalid,
    Scope(&'static str),
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let (status, challenge) = match self {
            Self::Missing => (StatusCode::UNAUTHORIZED, "Bearer".into()),
            Self::Invalid => (StatusCode::UNAUTHORIZED, r#"Bearer error="invalid_token""#.into()),
            Self::Scope(scope) => {
                (StatusCode::FORBIDDEN, format!(r#"Bearer error="insufficient_scope", scope="{scope}""#))
            }
        };
        (status, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
    }
}
// ANCHOR_END: denied

/// The token that a request brings.
pub struct Access(Option<String>);

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(bearer(&parts.headers)))
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.to_owned())
}

/// The issuer whose tokens count, and its keys.
pub struct Keyward {
    jwks_uri: String,
    rules: Validation,
    keys: RwLock<(JwkSet, Instant)>,
}

impl Keyward {
    // ANCHOR: rules
    pub async fn discover(issuer: String, audience: &str) -> reqwest::Result<Self> {
        #[derive(Deserialize)]
        struct Metadata {
            jwks_uri: String,
        }
        let metadata = format!("{issuer}/.well-known/openid-configuration");
        let Metadata { jwks_uri } = reqwest::get(metadata).await?.json().await?;
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_issuer(&[issuer]);
        rules.set_audience(&[audience]);
        rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        let keys = RwLock::new((fetch(&jwks_uri).await?, Instant::now()));
        Ok(Self { jwks_uri, rules, keys })
    }

    /// Whose token this is, if it works and has the scope.
    pub async fn allow(&self, access: Access, scope: &'static str) -> Result<Claims, Denied> {
        let token = access.0.ok_or(Denied::Missing)?;
        let header = decode_header(&token).map_err(|_| Denied::Invalid)?;
        if header.typ.as_deref() != Some("at+jwt") {
            return Err(Denied::Invalid); // an ID token is no access token
        }
        let key = self.key(&header.kid.ok_or(Denied::Invalid)?).await.ok_or(Denied::Invalid)?;
        let claims = decode::<Claims>(&token, &key, &self.rules).map_err(|_| Denied::Invalid)?.claims;
        let allowed = claims.scope.split(' ').any(|granted| granted == scope);
        if allowed { Ok(claims) } else { Err(Denied::Scope(scope)) }
    }
    // ANCHOR_END: rules

    // ANCHOR: keys
    /// The key of this name; one that is new since the last look is fetched.
    async fn key(&self, kid: &str) -> Option<DecodingKey> {
        let find = |keys: &JwkSet| keys.find(kid).and_then(|key| DecodingKey::from_jwk(key).ok());
        if let Some(key) = find(&self.keys.read().await.0) {
            return Some(key);
        }
        let mut keys = self.keys.write().await;
        if keys.1.elapsed() > PATIENCE {
            *keys = (fetch(&self.jwks_uri).await.ok()?, Instant::now());
        }
        find(&keys.0)
    }
    // ANCHOR_END: keys
}

async fn fetch(jwks_uri: &str) -> reqwest::Result<JwkSet> {
    reqwest::get(jwks_uri).await?.json().await
}
