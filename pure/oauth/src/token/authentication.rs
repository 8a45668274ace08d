//! How a client shows who it is (RFC 6749 section 2.3, RFC 7521 section 4.2, OpenID Connect Core
//! section 9).

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jose::Algorithm;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Artefact, TokenError};
use crate::{AuthMethod, Client, ClientId, Params, assertion, error::Refusal, params::decode};

/// A secret as presented: never shown, wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedSecret(Zeroizing<String>);

/// What a request presents to authenticate its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The client that it claims to come from.
    pub client_id: ClientId,
    /// By which method.
    pub method: AuthMethod,
    /// The secret; none for [`AuthMethod::None`] and for assertions.
    pub secret: Option<PresentedSecret>,
    assertion: Option<Assertion>,
    by_header: bool,
}

/// An assertion as presented (RFC 7523 section 2.2): its claims and its signature prove nothing yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The compact JWT.
    pub token: Artefact,
    /// The algorithm that its header names: the keys to verify it with are pinned to it.
    pub algorithm: Algorithm,
}

/// Takes client authentication out of a request.
#[derive(Debug)]
pub struct ClientAuth;

impl ClientAuth {
    /// Reads the `Authorization` header and the form body; never a query (RFC 6749 section 2.3.1).
    ///
    /// # Errors
    /// `invalid_request` for more than one method, a contradiction or a repeated parameter
    /// (RFC 6749 section 2.3); `invalid_client` for none, or for one that is broken or not offered.
    pub fn from_request(authorization: Option<&str>, form: &Params) -> Result<Presented, TokenError> {
        let field = |name| form.only(name).map_err(|repeated| TokenError::from(Refusal::from(repeated)));
        let (client_id, secret) = (field("client_id")?, field("client_secret")?);
        let assertion = (field("client_assertion_type")?, field("client_assertion")?);
        let methods = [authorization.is_some(), secret.is_some(), assertion != (None, None)];
        if methods.into_iter().filter(|used| *used).count() > 1 {
            return Err(Refusal::invalid_request("the client authenticates in more than one way").into());
        }
        match (authorization, assertion, client_id) {
            (Some(header), _, named) => from_header(header, named).map_err(|error| error.by_header(true)),
            (None, (None, None), Some(client_id)) => from_body(client_id, secret),
            (None, (None, None), None) => Err(TokenError::invalid_client()),
            (None, (Some(kind), Some(token)), named) => from_assertion(kind, token, named),
            _ => {
                Err(Refusal::invalid_request("client_assertion and client_assertion_type belong together")
                    .into())
            }
        }
    }
}

/// The assertion itself names its client, so `client_id` may be left out (RFC 7521 section 4.2).
fn from_assertion(kind: &str, token: &str, named: Option<&str>) -> Result<Presented, TokenError> {
    if kind != assertion::TYPE {
        return Err(TokenError::invalid_assertion("its type must be jwt-bearer"));
    }
    let broken = || TokenError::invalid_assertion("it is no JWT with an algorithm and an issuer");
    let issuer = jose::unverified_issuer(token).map_err(|_| broken())?;
    let client_id: ClientId = issuer.parse().map_err(|_| broken())?;
    if named.is_some_and(|named| named != client_id.as_str()) {
        return Err(Refusal::invalid_request("client_id is not the client of the assertion").into());
    }
    let algorithm = header_algorithm(token).ok_or_else(broken)?;
    let assertion = Some(Assertion { token: Artefact::new(token), algorithm });
    let method = AuthMethod::of_assertion(algorithm);
    Ok(Presented { client_id, method, secret: None, assertion, by_header: false })
}

/// What the header calls its algorithm; `none` is not one.
fn header_algorithm(token: &str) -> Option<Algorithm> {
    #[derive(Deserialize)]
    struct Header {
        alg: Algorithm,
    }
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
    serde_json::from_slice::<Header>(&header).ok().map(|header| header.alg)
}

fn from_header(header: &str, named: Option<&str>) -> Result<Presented, TokenError> {
    let (client_id, secret) = basic(header).ok_or_else(TokenError::invalid_client)?;
    if named.is_some_and(|named| named != client_id.as_str()) {
        return Err(
            Refusal::invalid_request("client_id is not the client of the Authorization header").into()
        );
    }
    Ok(Presented {
        client_id,
        method: AuthMethod::ClientSecretBasic,
        secret: Some(secret),
        assertion: None,
        by_header: true,
    })
}

/// Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn basic(header: &str) -> Option<(ClientId, PresentedSecret)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let joined = Zeroizing::new(STANDARD.decode(credentials.trim_matches(' ')).ok()?);
    let (client_id, secret) = joined.split_at_checked(joined.iter().position(|&byte| byte == b':')?)?;
    let secret = decode(secret.get(1..)?).ok()?;
    Some((decode(client_id).ok()?.parse().ok()?, PresentedSecret(Zeroizing::new(secret))))
}

fn from_body(client_id: &str, secret: Option<&str>) -> Result<Presented, TokenError> {
    let client_id = client_id.parse().map_err(|_| TokenError::invalid_client())?;
    let method = if secret.is_some() { AuthMethod::ClientSecretPost } else { AuthMethod::None };
    let secret = secret.map(PresentedSecret::new);
    Ok(Presented { client_id, method, secret, assertion: None, by_header: false })
}

impl Presented {
    /// Whether the client that was found may authenticate so, by a secret or by nothing. The secret is
    /// still to be verified. An assertion is always refused here: [`Self::check_assertion`] is for
    /// those, so that a caller who does not know them lets none pass.
    ///
    /// # Errors
    /// `invalid_client`.
    pub fn check_method(&self, client: &Client) -> Result<(), TokenError> {
        let proper = self.client_id == client.client_id && client.authenticates_by(self.method);
        if proper && self.assertion.is_none() { Ok(()) } else { Err(self.invalid_client()) }
    }

    /// Whether an assertion is presented.
    #[must_use]
    pub fn is_assertion(&self) -> bool {
        self.assertion.is_some()
    }

    /// The assertion, if the client that was found may authenticate by one of this algorithm. Its
    /// signature is still to be verified, with keys pinned to the algorithm, then its claims
    /// ([`assertion::check`]), then that it is used once.
    ///
    /// # Errors
    /// `invalid_client`.
    pub fn check_assertion(&self, client: &Client) -> Result<&Assertion, TokenError> {
        let allows = |presented: &&Assertion| {
            self.client_id == client.client_id
                && client.assertion_algorithms().any(|allowed| allowed == presented.algorithm)
        };
        self.assertion.as_ref().filter(allows).ok_or_else(|| self.invalid_client())
    }

    /// The refusal of this client, unknown or not (RFC 6749 section 5.2).
    #[must_use]
    pub fn invalid_client(&self) -> TokenError {
        TokenError::invalid_client().by_header(self.by_header)
    }
}

impl PresentedSecret {
    pub(crate) fn new(secret: &str) -> Self {
        Self(Zeroizing::new(secret.to_owned()))
    }

    /// The secret, to be verified.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PresentedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedSecret")
    }
}
