//! Dynamic client registration (RFC 7591, OpenID Connect Dynamic Client Registration 1.0) and its
//! management (RFC 7592).
//!
//! Owns: which metadata becomes which registration, under which policy. Must not: make identifiers
//! or secrets, verify a token, fetch a sector's document (whoever registers a client with a
//! `sector_identifier_uri` checks it with [`crate::pairwise::check_document`]).

mod document;
mod members;
mod policy;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use document::{Credentials, Management, document};
use jose::Algorithm;
use members::Members;
pub use policy::{HostPattern, HostPatternError, Policy};
use serde_json::{Map, Value};

use crate::{
    AuthMethod, Client, ClientId, ErrorCode, Origin,
    client::{ApplicationType, ClientError, GrantType, SubjectType},
    discovery::RESPONSE_TYPES,
    error::Refusal,
    token::{PresentedSecret, TokenErrorBody},
};

/// The longest request, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// The metadata of a request, to become a registration. Members that we do not know are ignored
/// (RFC 7591 section 2), those in other languages too (`client_name#de`, section 2.2), and those
/// that are `null` do not exist.
#[derive(Clone, PartialEq, Eq)]
pub struct Request(Map<String, Value>);

/// What an update makes of a registration (RFC 7592 section 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The registration, in place of the old one.
    pub client: Client,
    /// The secret that the client says it has: one that is not a current one refuses the update.
    pub secret: Option<PresentedSecret>,
}

/// A refusal of the registration or configuration endpoint, of status 400 (RFC 7591 section 3.2.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RegistrationError(Refusal);

impl Request {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// `invalid_client_metadata` if it is no JSON object.
    pub fn parse(json: &[u8]) -> Result<Self, RegistrationError> {
        let object = || RegistrationError::metadata("the request must be a JSON object of at most 64 kB");
        if json.len() > MAX_BYTES {
            return Err(object());
        }
        let mut members: Map<String, Value> = serde_json::from_slice(json).map_err(|_| object())?;
        members.retain(|_, value| !value.is_null());
        Ok(Self(members))
    }

    /// The registration under a name of ours (RFC 7591 section 3.1). A `client_id` or `client_secret`
    /// of the request is ignored; what it leaves out has the default of its standard.
    ///
    /// # Errors
    /// `invalid_redirect_uri` or `invalid_client_metadata`.
    pub fn client(&self, client_id: ClientId, policy: &Policy) -> Result<Client, RegistrationError> {
        let ground = Client { first_party: false, ..Client::new(client_id) };
        let mut client = self.upon(ground, policy)?;
        client.allowed_origins = browser_origins(&client);
        Ok(client)
    }

    /// The registration in place of an old one (RFC 7592 section 2.2): whatever the request leaves
    /// out returns to its default, and the policy counts as for a new one. What only an operator
    /// sets stays as it is.
    ///
    /// # Errors
    /// As for [`Self::client`], and for another `client_id`, or for members that only we write.
    pub fn update(&self, current: &Client, policy: &Policy) -> Result<Update, RegistrationError> {
        let members = Members(&self.0);
        if members.text("client_id")?.as_deref() != Some(current.client_id.as_str()) {
            return Err(RegistrationError::metadata("client_id must be the one of this client"));
        }
        if let Some(name) = document::OURS.iter().find(|name| self.0.contains_key(**name)) {
            return Err(RegistrationError::metadata(&format!("{name} must not be in an update")));
        }
        let ground = Client {
            first_party: current.first_party,
            consent: current.consent,
            audiences: current.audiences.clone(),
            claims: current.claims.clone(),
            access_token_format: current.access_token_format,
            access_token_signed_response_alg: current.access_token_signed_response_alg,
            lifetimes: current.lifetimes,
            require_pkce: current.require_pkce,
            rotate_refresh_tokens: current.rotate_refresh_tokens,
            userinfo_in_id_token: current.userinfo_in_id_token,
            ..Client::new(current.client_id.clone())
        };
        let mut client = self.upon(ground, policy)?;
        let untouched = current.allowed_origins == browser_origins(current);
        client.allowed_origins =
            if untouched { browser_origins(&client) } else { current.allowed_origins.clone() };
        let secret = members.text("client_secret")?.map(|secret| PresentedSecret::new(&secret));
        Ok(Update { client, secret })
    }

    fn upon(&self, mut client: Client, policy: &Policy) -> Result<Client, RegistrationError> {
        let members = Members(&self.0);
        protocol(&members, policy, &mut client)?;
        tokens(&members, &mut client)?;
        description(&members, &mut client)?;
        logout(&members, &mut client)?;
        client.check()?;
        policy.check(&client)?;
        Ok(client)
    }
}

/// Browsers of a public web application call from where it is; RFC 7591 has no member to say so.
fn browser_origins(client: &Client) -> Vec<Origin> {
    if !client.is_public() || client.application_type != ApplicationType::Web {
        return Vec::new();
    }
    let origins: BTreeSet<Origin> = client.redirect_uris.iter().filter_map(|uri| uri.origin()).collect();
    origins.into_iter().collect()
}

/// Grants, addresses and authentication. Without a method it is `client_secret_basic`: only a client
/// that asks for `none` is public (RFC 7591 section 2).
fn protocol(members: &Members<'_>, policy: &Policy, client: &mut Client) -> Result<(), RegistrationError> {
    client.application_type = members.word("application_type")?.unwrap_or_default();
    client.redirect_uris = members.redirect_uris()?;
    client.post_logout_redirect_uris = members.parsed_list("post_logout_redirect_uris")?.unwrap_or_default();
    client.grant_types = grants(members)?;
    let method = members.word("token_endpoint_auth_method")?.unwrap_or(AuthMethod::ClientSecretBasic);
    client.token_endpoint_auth_method = Some(method);
    client.token_endpoint_auth_signing_alg = members.word("token_endpoint_auth_signing_alg")?;
    client.jwks = members.word("jwks")?;
    client.jwks_uri = members.parsed("jwks_uri")?;
    let scopes = members.parsed("scope")?;
    client.scopes = Some(scopes.unwrap_or_else(|| policy.scopes.clone()));
    client.default_max_age = members.word("default_max_age")?;
    client.require_auth_time = members.flag("require_auth_time")?;
    client.default_acr_values = members.texts("default_acr_values")?.unwrap_or_default();
    client.initiate_login_uri = members.parsed("initiate_login_uri")?;
    Ok(())
}

/// Grants and response types belong together (RFC 7591 section 2.1): what one of them leaves out, the
/// other says.
fn grants(members: &Members<'_>) -> Result<BTreeSet<GrantType>, RegistrationError> {
    let response_types = members.texts("response_types")?;
    let types = response_types.iter().flatten();
    if let Some(other) = types.into_iter().find(|kind| !RESPONSE_TYPES.contains(&kind.as_str())) {
        return Err(RegistrationError::metadata(&format!("the response type {other} does not exist here")));
    }
    let asked: Option<BTreeSet<GrantType>> = members.word("grant_types")?;
    let grants = asked.unwrap_or_else(|| BTreeSet::from([GrantType::AuthorizationCode]));
    let by_code = grants.contains(&GrantType::AuthorizationCode);
    if response_types.is_some_and(|types| types.is_empty() == by_code) {
        return Err(RegistrationError::metadata(
            "the grant authorization_code and the response type code belong together",
        ));
    }
    if !by_code && !grants.contains(&GrantType::ClientCredentials) {
        return Err(RegistrationError::metadata("with these grant_types no token could ever be had"));
    }
    Ok(grants)
}

/// Algorithms and subjects. ID tokens are signed with RS256 unless the client names another
/// (OpenID Connect Registration section 2); `none` is no algorithm. Encryption must not be left out
/// in silence by one who counts on it, so asking for it is an error.
fn tokens(members: &Members<'_>, client: &mut Client) -> Result<(), RegistrationError> {
    const ENCRYPTION: &[&str] = &["id_token_encrypted_response_alg", "userinfo_encrypted_response_alg"];
    if let Some(name) = ENCRYPTION.iter().find(|name| members.0.contains_key(**name)) {
        return Err(RegistrationError::metadata(&format!("{name} is not supported")));
    }
    let algorithm = members.word("id_token_signed_response_alg")?;
    client.id_token_signed_response_alg = algorithm.unwrap_or(Algorithm::Rs256);
    client.userinfo_signed_response_alg = members.word("userinfo_signed_response_alg")?;
    client.subject_type = members.word::<SubjectType>("subject_type")?.unwrap_or_default();
    client.sector_identifier_uri = members.parsed("sector_identifier_uri")?;
    if client.sector_identifier_uri.is_some() {
        client.sector().map_err(ClientError::from)?;
    }
    Ok(())
}

fn description(members: &Members<'_>, client: &mut Client) -> Result<(), RegistrationError> {
    client.name = members.text("client_name")?;
    client.client_uri = members.parsed("client_uri")?;
    client.logo_uri = members.parsed("logo_uri")?;
    client.policy_uri = members.parsed("policy_uri")?;
    client.tos_uri = members.parsed("tos_uri")?;
    client.contacts = members.texts("contacts")?.unwrap_or_default();
    client.software_id = members.text("software_id")?;
    client.software_version = members.text("software_version")?;
    Ok(())
}

fn logout(members: &Members<'_>, client: &mut Client) -> Result<(), RegistrationError> {
    client.frontchannel_logout_uri = members.parsed("frontchannel_logout_uri")?;
    client.frontchannel_logout_session_required = members.flag("frontchannel_logout_session_required")?;
    client.backchannel_logout_uri = members.parsed("backchannel_logout_uri")?;
    client.backchannel_logout_session_required = members.flag("backchannel_logout_session_required")?;
    Ok(())
}

impl RegistrationError {
    /// Metadata that is wrong, contradictory or against the policy.
    #[must_use]
    pub fn metadata(description: &str) -> Self {
        Self(Refusal::new(ErrorCode::InvalidClientMetadata, description))
    }

    /// A redirect URI that is wrong or against the policy.
    #[must_use]
    pub fn redirect_uri(description: &str) -> Self {
        Self(Refusal::new(ErrorCode::InvalidRedirectUri, description))
    }

    /// The error's code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The sentence for the developer of the application.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.0.description
    }

    /// The body of the answer (RFC 7591 section 3.2.2).
    #[must_use]
    pub fn body(&self) -> TokenErrorBody {
        TokenErrorBody { error: self.0.code, error_description: self.0.description.clone() }
    }
}

impl From<ClientError> for RegistrationError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::PrivateSchemeOnWeb(_) | ClientError::NoRedirectUri => {
                Self::redirect_uri(&error.to_string())
            }
            _ => Self::metadata(&error.to_string()),
        }
    }
}

/// Names only: values may hold a secret.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
