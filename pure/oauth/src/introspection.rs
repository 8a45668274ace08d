//! Token introspection (RFC 7662): what a resource server asks about a token, and what it may know.
//!
//! Must not: look a token up; the caller does, and answers [`Introspection::Inactive`] for whatever
//! is unknown, expired, revoked or not for the caller's eyes.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{
    Catalogue, Client, ClientId, Params,
    claims::AccessTokenClaims,
    error::Refusal,
    token::{Artefact, TokenError, required},
};

/// A request about one token, for introspection (RFC 7662 section 2.1) or revocation
/// (RFC 7009 section 2.1), without the client authentication.
#[derive(Debug, Clone)]
pub struct TokenQuery {
    /// The token.
    pub token: Artefact,
    /// Where to look first; a token of the other type is found all the same.
    pub hint: Option<TokenTypeHint>,
}

/// A `token_type_hint` that is known (RFC 7009 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenTypeHint {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
}

/// What the caller found a living token to be.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts<'a> {
    /// The application that it was issued to.
    pub client_id: &'a ClientId,
    /// The resource servers that it is for; none for a refresh token.
    pub audience: &'a [String],
    /// Which resource servers name an application that asks for them.
    pub catalogue: &'a Catalogue,
}

/// The answer (RFC 7662 section 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Introspection {
    /// The token is of no use, or the caller may not know: nothing more is said.
    Inactive,
    /// The token works.
    Active(Box<ActiveToken>),
}

/// What is said about a token that works (RFC 7662 section 2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ActiveToken {
    /// `Bearer`; none for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// What it allows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The application that it was issued to.
    pub client_id: String,
    /// The person, as the caller's sector knows it; the client where it acts for itself.
    pub sub: String,
    /// The resource servers that it is for.
    #[serde(skip_serializing_if = "jose::Audience::is_empty")]
    pub aud: jose::Audience,
    /// Our issuer.
    pub iss: String,
    /// When it was made, in seconds since the epoch.
    pub iat: i64,
    /// When it expires, in seconds since the epoch.
    pub exp: i64,
    /// Its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// When the person authenticated, in seconds since the epoch (RFC 9470 section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The authentication context class reached (RFC 9470 section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The methods used (RFC 8176).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Mapped claims.
    #[serde(flatten)]
    pub mapped: Map<String, Value>,
}

impl TokenQuery {
    /// Parses a form body. Hints that are not known are ignored (RFC 7662 section 2.1, RFC 7009
    /// section 2.1).
    ///
    /// # Errors
    /// `invalid_request` if the token is missing or a parameter is repeated.
    pub fn parse(params: &Params) -> Result<Self, TokenError> {
        if let Some(repeated) = params.repeated() {
            return Err(Refusal::from(repeated).into());
        }
        let hint = match params.first("token_type_hint") {
            Some("access_token") => Some(TokenTypeHint::AccessToken),
            Some("refresh_token") => Some(TokenTypeHint::RefreshToken),
            _ => None,
        };
        Ok(Self { token: Artefact::new(required(params, "token")?), hint })
    }
}

/// Whether a caller that has authenticated may know about a token: one that was issued to it, or
/// whose `aud` names it or a resource server that it asks for (RFC 7662 section 2.1). A public client
/// proves nothing and may not.
#[must_use]
pub fn may_introspect(caller: &Client, token: &TokenFacts<'_>) -> bool {
    let names_caller = |name: &String| name == caller.client_id.as_str();
    let for_caller = token.audience.iter().any(names_caller)
        || token.catalogue.introspects(&caller.client_id, token.audience);
    !caller.is_public() && (*token.client_id == caller.client_id || for_caller)
}

impl Introspection {
    /// The answer to this caller about a living token.
    #[must_use]
    pub fn answer(caller: &Client, facts: &TokenFacts<'_>, token: ActiveToken) -> Self {
        if may_introspect(caller, facts) { Self::Active(Box::new(token)) } else { Self::Inactive }
    }
}

impl Serialize for Introspection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            active: bool,
            #[serde(flatten)]
            token: Option<&'a ActiveToken>,
        }
        let token = match self {
            Self::Inactive => None,
            Self::Active(token) => Some(&**token),
        };
        Document { active: token.is_some(), token }.serialize(serializer)
    }
}

impl From<AccessTokenClaims> for ActiveToken {
    fn from(claims: AccessTokenClaims) -> Self {
        Self {
            token_type: Some("Bearer"),
            scope: claims.scope,
            client_id: claims.client_id,
            sub: claims.sub,
            aud: claims.aud.into_iter().collect(),
            iss: claims.iss,
            iat: claims.iat,
            exp: claims.exp,
            jti: Some(claims.jti),
            auth_time: claims.auth_time,
            acr: claims.acr,
            amr: claims.amr,
            sid: claims.sid,
            mapped: claims.mapped,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{AuthMethod, ErrorCode};

    fn query(text: &str) -> Result<TokenQuery, TokenError> {
        TokenQuery::parse(&Params::parse(text.as_bytes()).unwrap())
    }

    fn client(id: &str) -> Client {
        Client::new(id.parse().unwrap())
    }

    #[test]
    fn a_query_names_a_token_and_perhaps_a_hint() {
        for (text, hint) in [
            ("token=t", None),
            ("token=t&token_type_hint=access_token&client_id=web", Some(TokenTypeHint::AccessToken)),
            ("token_type_hint=refresh_token&token=t", Some(TokenTypeHint::RefreshToken)),
            ("token=t&token_type_hint=saml2", None),
        ] {
            let query = query(text).unwrap();
            assert_eq!((query.token.expose(), query.hint), ("t", hint), "{text}");
        }
        for text in ["", "token=", "token=a&token=b", "token=a&token_type_hint=x&token_type_hint=y"] {
            assert_eq!(query(text).unwrap_err().code(), ErrorCode::InvalidRequest, "{text}");
        }
    }

    #[test]
    fn only_owner_and_audience_may_know() {
        let owner = "web".parse().unwrap();
        let server = json!({ "audience": "https://orders.example", "introspection_client": "orders" });
        let servers = vec![serde_json::from_value(server).unwrap()];
        let catalogue = &Catalogue { servers, ..Catalogue::default() };
        let audience = &["api".into(), "https://id.example".into()];
        let facts = TokenFacts { client_id: &owner, audience, catalogue };
        assert!(may_introspect(&client("web"), &facts) && may_introspect(&client("api"), &facts));
        assert!(!may_introspect(&client("other"), &facts) && !may_introspect(&client("ap"), &facts));
        for id in ["web", "api"] {
            let public = Client { token_endpoint_auth_method: Some(AuthMethod::None), ..client(id) };
            assert!(!may_introspect(&public, &facts));
        }
        assert!(!may_introspect(&client("orders"), &facts));
        let orders = TokenFacts { audience: &["https://orders.example".into()], ..facts };
        assert!(may_introspect(&client("orders"), &orders) && !may_introspect(&client("api"), &orders));
        // A name among a caller's own audiences is no right to the tokens of others.
        let other = Client { audiences: vec!["api".into()], ..client("other") };
        assert!(!may_introspect(&other, &facts));
        let stranger = Introspection::answer(&other, &facts, ActiveToken::default());
        assert_eq!(serde_json::to_value(stranger).unwrap(), json!({"active": false}));
    }

    #[test]
    fn a_living_token_is_described() {
        let claims: AccessTokenClaims = serde_json::from_value(json!({
            "iss": "https://id.example", "sub": "alice", "aud": "api", "client_id": "web",
            "scope": "orders.read", "iat": 1, "exp": 2, "jti": "j", "acr": "1", "sid": "s"
        }))
        .unwrap();
        let answer = Introspection::Active(Box::new(claims.into()));
        let expected = json!({
            "active": true, "token_type": "Bearer", "scope": "orders.read", "client_id": "web",
            "sub": "alice", "aud": "api", "iss": "https://id.example", "iat": 1, "exp": 2, "jti": "j",
            "acr": "1", "sid": "s"
        });
        assert_eq!(serde_json::to_value(answer).unwrap(), expected);
    }
}
