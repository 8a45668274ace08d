//! The token request: the registry of grants, their parameters, and what each is bound to
//! (RFC 6749 sections 4.1.3, 4.4.2 and 6).
//!
//! Must not: verify a secret, look up a code or mint a token.

mod authentication;
#[cfg(test)]
mod tests;

use std::fmt;

pub use authentication::{Assertion, ClientAuth, Presented, PresentedSecret};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    Client, ClientId, ErrorCode, Params, RedirectUri, Scopes,
    client::GrantType,
    error::Refusal,
    pkce::{self, CodeChallenge, CodeVerifier},
};

/// One grant of the token endpoint.
#[derive(Debug)]
pub struct GrantSpec {
    /// The grant; its name is the value of `grant_type`.
    pub grant: GrantType,
    /// The specification and section that define it.
    pub rfc: &'static str,
    /// Whether only a client that authenticates may use it.
    pub confidential_only: bool,
    parse: fn(&Params, &Client) -> Result<TokenRequest, TokenError>,
}

/// The registry of grants: the token endpoint serves these and discovery announces them.
#[rustfmt::skip]
pub static GRANTS: &[GrantSpec] = &[
    GrantSpec { grant: GrantType::AuthorizationCode, rfc: "RFC 6749 4.1.3", confidential_only: false, parse: authorization_code },
    GrantSpec { grant: GrantType::RefreshToken,      rfc: "RFC 6749 6",     confidential_only: false, parse: refresh_token },
    GrantSpec { grant: GrantType::ClientCredentials, rfc: "RFC 6749 4.4.2", confidential_only: true,  parse: client_credentials },
];

/// A code, token or the like, as presented: never shown, wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Artefact(Zeroizing<String>);

/// A token request of one grant, its parameters parsed.
#[derive(Debug, Clone)]
pub enum TokenRequest {
    /// RFC 6749 section 4.1.3.
    AuthorizationCode {
        /// The code.
        code: Artefact,
        /// The address that the code was sent to, if repeated here.
        redirect_uri: Option<String>,
        /// The PKCE verifier.
        verifier: Option<CodeVerifier>,
    },
    /// RFC 6749 section 6.
    RefreshToken {
        /// The refresh token.
        token: Artefact,
        /// The scopes wanted, no more than were granted.
        scope: Option<Scopes>,
    },
    /// RFC 6749 section 4.4.2.
    ClientCredentials {
        /// The scopes to grant.
        scope: Scopes,
    },
}

/// What a code was bound to when it was made.
#[derive(Debug, Clone, Copy)]
pub struct CodeBinding<'a> {
    /// The application that it was sent to.
    pub client_id: &'a ClientId,
    /// The address that it was sent to.
    pub redirect_uri: &'a RedirectUri,
    /// The challenge of the request.
    pub challenge: Option<&'a CodeChallenge>,
    /// When it expires, in seconds since the epoch.
    pub expires_at: i64,
}

/// A refusal of the token endpoint (RFC 6749 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct TokenError {
    refusal: Refusal,
    by_header: bool,
}

/// The body of a refusal (RFC 6749 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenErrorBody {
    /// The code.
    pub error: ErrorCode,
    /// The sentence for the developer of the application.
    pub error_description: String,
}

impl TokenRequest {
    /// Parses the request of a client that is authenticated already.
    ///
    /// # Errors
    /// `invalid_request` for parameters that are repeated, missing or malformed,
    /// `unsupported_grant_type`, `unauthorized_client`, `invalid_scope` (RFC 6749 section 5.2).
    pub fn parse(params: &Params, client: &Client) -> Result<Self, TokenError> {
        if let Some(repeated) = params.repeated() {
            return Err(Refusal::from(repeated).into());
        }
        let name = required(params, "grant_type")?;
        let spec = GRANTS.iter().find(|spec| spec.grant.as_str() == name);
        let spec = spec.ok_or_else(|| {
            TokenError::new(ErrorCode::UnsupportedGrantType, "this grant_type does not exist here")
        })?;
        if !client.allows(spec.grant) || (spec.confidential_only && client.is_public()) {
            return Err(TokenError::new(
                ErrorCode::UnauthorizedClient,
                "this application may not use this grant_type",
            ));
        }
        (spec.parse)(params, client)
    }
}

fn authorization_code(params: &Params, _: &Client) -> Result<TokenRequest, TokenError> {
    let verifier = params.first("code_verifier").map(str::parse::<CodeVerifier>).transpose();
    Ok(TokenRequest::AuthorizationCode {
        code: Artefact::new(required(params, "code")?),
        redirect_uri: params.first("redirect_uri").map(str::to_owned),
        verifier: verifier.map_err(|error| Refusal::invalid_request(&error.to_string()))?,
    })
}

fn refresh_token(params: &Params, _: &Client) -> Result<TokenRequest, TokenError> {
    Ok(TokenRequest::RefreshToken {
        token: Artefact::new(required(params, "refresh_token")?),
        scope: scope(params)?,
    })
}

/// A machine gets what it asks for out of the client's scopes, or all of them; the standard ones
/// are about a person, and there is none.
fn client_credentials(params: &Params, client: &Client) -> Result<TokenRequest, TokenError> {
    let mut allowed = client.allowed_scopes();
    allowed.retain(|scope| !scope.is_standard());
    let scope = match scope(params)? {
        Some(asked) if !asked.is_subset(&allowed) => return Err(excessive_scope()),
        Some(asked) => asked,
        None => allowed,
    };
    Ok(TokenRequest::ClientCredentials { scope })
}

/// Whether a code may be redeemed so: by its client, in time, with its verifier, and naming the
/// address that it was sent to (RFC 6749 section 4.1.3). With PKCE the address may be left out
/// (OAuth 2.1 section 10.2); one that is named must be the same.
///
/// # Errors
/// `invalid_grant`, whatever is wrong.
pub fn check_code(
    binding: &CodeBinding<'_>,
    client: &Client,
    redirect_uri: Option<&str>,
    verifier: Option<&CodeVerifier>,
    now: i64,
) -> Result<(), TokenError> {
    if *binding.client_id != client.client_id {
        return Err(TokenError::invalid_grant("the code was given to another application"));
    }
    pkce::verify(binding.challenge, verifier)
        .map_err(|error| TokenError::invalid_grant(&error.to_string()))?;
    match redirect_uri {
        Some(uri) if uri != binding.redirect_uri.as_str() => {
            return Err(TokenError::invalid_grant(
                "redirect_uri is not the one of the authorization request",
            ));
        }
        None if binding.challenge.is_none() => {
            return Err(TokenError::invalid_grant("redirect_uri is missing"));
        }
        _ => {}
    }
    if now >= binding.expires_at {
        return Err(TokenError::invalid_grant("the code is expired"));
    }
    Ok(())
}

/// The scopes of a refreshed access token: those granted, or fewer if the request says so; always
/// without what the client may no longer have (RFC 6749 section 6, RFC 9700 section 4.14.2).
///
/// # Errors
/// `invalid_grant` for another client's grant, `invalid_scope` for more than was granted.
pub fn refreshed_scopes(
    owner: &ClientId,
    granted: &Scopes,
    client: &Client,
    asked: Option<&Scopes>,
) -> Result<Scopes, TokenError> {
    if *owner != client.client_id {
        return Err(TokenError::invalid_grant("the refresh token was given to another application"));
    }
    let allowed = client.allowed_scopes();
    let mut scopes = match asked {
        Some(asked) if !asked.is_subset(granted) => return Err(excessive_scope()),
        Some(asked) => asked.clone(),
        None => granted.clone(),
    };
    scopes.retain(|scope| allowed.contains(scope.as_str()));
    Ok(scopes)
}

fn excessive_scope() -> TokenError {
    TokenError::new(ErrorCode::InvalidScope, "scope names more than this application may have")
}

pub(crate) fn required<'a>(params: &'a Params, name: &str) -> Result<&'a str, TokenError> {
    let missing = || Refusal::invalid_request(&format!("{name} is missing"));
    params.first(name).ok_or_else(missing).map_err(TokenError::from)
}

fn scope(params: &Params) -> Result<Option<Scopes>, TokenError> {
    let scopes = params.first("scope").map(str::parse::<Scopes>).transpose();
    scopes.map_err(|error| TokenError::new(ErrorCode::InvalidScope, &error.to_string()))
}

impl TokenError {
    /// Makes an error.
    #[must_use]
    pub fn new(code: ErrorCode, description: &str) -> Self {
        Refusal::new(code, description).into()
    }

    /// A code or refresh token that is unknown, used, expired or somebody else's.
    #[must_use]
    pub fn invalid_grant(description: &str) -> Self {
        Self::new(ErrorCode::InvalidGrant, description)
    }

    /// A client that is unknown or did not prove itself; never saying which.
    #[must_use]
    pub fn invalid_client() -> Self {
        Self::new(ErrorCode::InvalidClient, "the client is unknown or its authentication failed")
    }

    /// A client whose assertion does not hold (RFC 7521 section 4.2.1).
    #[must_use]
    pub(crate) fn invalid_assertion(why: &str) -> Self {
        Self::new(ErrorCode::InvalidClient, &format!("the client assertion is refused: {why}"))
    }

    /// The error's code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.refusal.code
    }

    /// The sentence for the developer of the application.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.refusal.description
    }

    /// The status of the answer (RFC 6749 section 5.2).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.refusal.code {
            ErrorCode::InvalidClient => 401,
            ErrorCode::ServerError => 500,
            ErrorCode::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }

    /// The `WWW-Authenticate` header, due if the client tried the `Authorization` header (RFC 6749 section 5.2).
    #[must_use]
    pub fn www_authenticate(&self) -> Option<&'static str> {
        let due = self.by_header && self.refusal.code == ErrorCode::InvalidClient;
        due.then_some(r#"Basic realm="token", charset="UTF-8""#)
    }

    /// The body of the answer (RFC 6749 section 5.2).
    #[must_use]
    pub fn body(&self) -> TokenErrorBody {
        TokenErrorBody { error: self.refusal.code, error_description: self.refusal.description.clone() }
    }

    /// The same error for a client that tried the `Authorization` header.
    #[must_use]
    pub(crate) fn by_header(self, by_header: bool) -> Self {
        Self { by_header, ..self }
    }
}

impl From<Refusal> for TokenError {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, by_header: false }
    }
}

impl Artefact {
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text, to be looked up.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Artefact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Artefact")
    }
}
