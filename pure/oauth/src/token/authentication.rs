//! How a client shows who it is (RFC 6749 section 2.3, OpenID Connect Core section 9).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::TokenError;
use crate::{AuthMethod, Client, ClientId, Params, error::Refusal, params::decode};

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
    /// The secret; none exactly for [`AuthMethod::None`].
    pub secret: Option<PresentedSecret>,
    by_header: bool,
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
        let assertion = field("client_assertion")?.is_some() || field("client_assertion_type")?.is_some();
        let methods = [authorization.is_some(), secret.is_some(), assertion];
        if methods.into_iter().filter(|used| *used).count() > 1 {
            return Err(Refusal::invalid_request("the client authenticates in more than one way").into());
        }
        if assertion {
            return Err(TokenError::invalid_client());
        }
        match (authorization, client_id) {
            (Some(header), named) => from_header(header, named).map_err(|error| error.by_header(true)),
            (None, Some(client_id)) => from_body(client_id, secret),
            (None, None) => Err(TokenError::invalid_client()),
        }
    }
}

fn from_header(header: &str, named: Option<&str>) -> Result<Presented, TokenError> {
    let (client_id, secret) = basic(header).ok_or_else(TokenError::invalid_client)?;
    if named.is_some_and(|named| named != client_id.as_str()) {
        return Err(
            Refusal::invalid_request("client_id is not the client of the Authorization header").into()
        );
    }
    Ok(Presented { client_id, method: AuthMethod::ClientSecretBasic, secret: Some(secret), by_header: true })
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
    let secret = secret.map(|secret| PresentedSecret(Zeroizing::new(secret.to_owned())));
    Ok(Presented { client_id, method, secret, by_header: false })
}

impl Presented {
    /// Whether the client that was found may authenticate so. The secret is still to be verified.
    ///
    /// # Errors
    /// `invalid_client`.
    pub fn check_method(&self, client: &Client) -> Result<(), TokenError> {
        if self.client_id == client.client_id && client.authenticates_by(self.method) {
            return Ok(());
        }
        Err(self.invalid_client())
    }

    /// The refusal of this client, unknown or not (RFC 6749 section 5.2).
    #[must_use]
    pub fn invalid_client(&self) -> TokenError {
        TokenError::invalid_client().by_header(self.by_header)
    }
}

impl PresentedSecret {
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
