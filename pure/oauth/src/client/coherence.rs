//! Whether the fields of a registration agree with each other.

use super::{ApplicationType, AuthMethod, Client, GrantType, SubjectType};
use crate::{
    mapping,
    pairwise::SectorError,
    uri::{RedirectUri, WebUri},
};

/// Why a registration contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// RFC 8252 section 7.1.
    #[error("{0} has a private scheme, which needs application_type native")]
    PrivateSchemeOnWeb(RedirectUri),
    /// RFC 6749 section 4.4.
    #[error("client_credentials needs a secret: a public client has none")]
    PublicMachine,
    /// RFC 6749 section 3.1.2.2.
    #[error("authorization_code needs at least one of redirect_uris")]
    NoRedirectUri,
    /// RFC 7591 section 2.
    #[error("jwks and jwks_uri exclude each other")]
    KeysTwice,
    /// RFC 7523 section 3: nothing could verify its assertions.
    #[error("private_key_jwt needs a usable key in jwks, or a jwks_uri")]
    NoKeys,
    /// OpenID Connect Registration section 2.
    #[error("token_endpoint_auth_signing_alg does not belong to token_endpoint_auth_method")]
    AssertionAlgorithm,
    /// Every resource server could forge what a shared secret signs.
    #[error("tokens are signed with an asymmetric algorithm")]
    SymmetricAlgorithm,
    /// OpenID Connect Core section 4.
    #[error("initiate_login_uri must begin with https://")]
    InsecureLogin,
    /// OpenID Connect Front-Channel Logout 1.0 section 2.
    #[error("frontchannel_logout_uri must have the origin of one of redirect_uris")]
    FrontChannelElsewhere,
    /// Only the server sets it.
    #[error("claims must not set {0}")]
    UnmappableClaim(String),
    /// OpenID Connect Core section 8.1.
    #[error(transparent)]
    Sector(#[from] SectorError),
    /// A lifetime out of range.
    #[error(
        "lifetimes must be positive, that of a code at most 60 seconds, of an access or ID token at most 30 days"
    )]
    Lifetime,
}

impl Client {
    /// Checks what single fields cannot: whether the registration is coherent.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), ClientError> {
        self.check_addresses()?;
        if self.is_public() && self.allows(GrantType::ClientCredentials) {
            return Err(ClientError::PublicMachine);
        }
        self.check_keys()?;
        let algorithms = [self.id_token_signed_response_alg, self.access_token_signed_response_alg];
        if algorithms.into_iter().chain(self.userinfo_signed_response_alg).any(jose::Algorithm::is_symmetric)
        {
            return Err(ClientError::SymmetricAlgorithm);
        }
        if let Some(name) = mapping::unmappable(&self.claims) {
            return Err(ClientError::UnmappableClaim(name.to_owned()));
        }
        if self.subject_type == SubjectType::Pairwise {
            self.sector()?;
        }
        if self.lifetimes.is_sane() { Ok(()) } else { Err(ClientError::Lifetime) }
    }

    fn check_addresses(&self) -> Result<(), ClientError> {
        let mut addresses = self.redirect_uris.iter().chain(&self.post_logout_redirect_uris);
        if let Some(uri) = addresses.find(|uri| uri.is_private_use())
            && self.application_type == ApplicationType::Web
        {
            return Err(ClientError::PrivateSchemeOnWeb(uri.clone()));
        }
        if self.allows(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            return Err(ClientError::NoRedirectUri);
        }
        if self.initiate_login_uri.as_ref().is_some_and(|uri| !uri.is_https()) {
            return Err(ClientError::InsecureLogin);
        }
        let is_ours = |uri: &WebUri| {
            self.redirect_uris.iter().any(|redirect| redirect.origin().as_ref() == Some(&uri.origin()))
        };
        match &self.frontchannel_logout_uri {
            Some(uri) if !is_ours(uri) => Err(ClientError::FrontChannelElsewhere),
            _ => Ok(()),
        }
    }

    fn check_keys(&self) -> Result<(), ClientError> {
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            return Err(ClientError::KeysTwice);
        }
        let has_keys = self.jwks_uri.is_some() || self.jwks.as_ref().is_some_and(|set| !set.keys.is_empty());
        if self.token_endpoint_auth_method == Some(AuthMethod::PrivateKeyJwt) && !has_keys {
            return Err(ClientError::NoKeys);
        }
        // A client that presents no assertions may name any algorithm: it means nothing.
        let assertion = matches!(
            self.token_endpoint_auth_method,
            Some(AuthMethod::PrivateKeyJwt | AuthMethod::ClientSecretJwt)
        );
        if assertion && self.assertion_algorithms().next().is_none() {
            return Err(ClientError::AssertionAlgorithm);
        }
        Ok(())
    }
}
