//! Addresses of applications: what may be registered, and which request matches.
//!
//! An address is checked once, when it is registered, against a short list of schemes and one
//! strict syntax; afterwards only exact comparison counts (RFC 9700 section 2.1). There is no
//! second parser that could read it differently.

mod origin;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

pub use origin::Origin;
use serde::{Deserialize, Serialize};

use crate::{client::ApplicationType, params::Params};

/// The most characters an address may have.
pub const MAX_LENGTH: usize = 2048;

/// Parameters of an answer: an address that brought its own could pollute it.
const ANSWER_PARAMETERS: &[&str] =
    &["code", "state", "iss", "error", "error_description", "response", "session_state"];

/// An address that may be registered for redirects after authorization (RFC 6749 section 3.1.2)
/// or after logout (OpenID Connect RP-Initiated Logout 1.0 section 3.1).
///
/// It is absolute, without fragment and user information; `https`, `http` to this very machine
/// (RFC 8252 section 7.3), or a private-use scheme with a dot (RFC 8252 section 7.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// An address of a page or picture of an application (`logo_uri`, `policy_uri`, `tos_uri`,
/// `client_uri`, `initiate_login_uri`): `https`, or `http` to this very machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebUri(String);

/// Why an address cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Longer than [`MAX_LENGTH`].
    #[error("the address is longer than 2048 characters")]
    TooLong,
    /// Characters outside of RFC 3986, or a broken `%` escape.
    #[error("the address has a character or an escape that a URI must not have; write it percent-encoded")]
    Syntax,
    /// A fragment (RFC 6749 section 3.1.2).
    #[error("the address must not have a fragment (#)")]
    Fragment,
    /// No scheme, or one that is not allowed.
    #[error(
        "the address must begin with https://, with http:// and a loopback host, or with a private scheme such as com.example.app:/"
    )]
    Scheme,
    /// User information (RFC 3986 section 3.2.1), which hides the true host.
    #[error("the address must not contain user information (@ before the path)")]
    UserInfo,
    /// No host, or one that is no name and no IP address in its plain form.
    #[error("the address has no proper host")]
    Host,
    /// `http` to another machine.
    #[error("http is allowed for 127.0.0.1, [::1] and localhost only; use https")]
    Insecure,
    /// The query holds a parameter of the answer.
    #[error("the query of the address must not contain a parameter of the answer, such as code or state")]
    AnswerParameter,
    /// More or other than an origin.
    #[error(
        "an origin is scheme, host and port in lower case, as in https://app.example, and nothing behind"
    )]
    Origin,
}

impl RedirectUri {
    /// The address as registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the address has a private-use scheme (RFC 8252 section 7.1).
    #[must_use]
    pub fn is_private_use(&self) -> bool {
        !self.0.starts_with("https://") && !self.0.starts_with("http://")
    }

    /// Whether any program on the customer's machine could receive what is sent there: true for
    /// all but claimed `https` addresses (RFC 8252 section 8.6).
    #[must_use]
    pub fn is_shared_with_machine(&self) -> bool {
        !self.0.starts_with("https://")
    }

    /// The address with parameters added to its query.
    #[must_use]
    pub(crate) fn with_query(&self, encoded: &str) -> String {
        with_query(&self.0, encoded)
    }

    /// The address with parameters as its fragment; a registered one has none of its own.
    #[must_use]
    pub(crate) fn with_fragment(&self, encoded: &str) -> String {
        format!("{self}#{encoded}")
    }
}

fn with_query(uri: &str, encoded: &str) -> String {
    let separator = match uri.find('?') {
        None => "?",
        Some(_) if uri.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{encoded}")
}

/// The registered address that a requested one is: by exact comparison of strings, except that a
/// native application may name any port of its loopback IP address (RFC 8252 section 7.3,
/// RFC 9700 section 2.1). The result is the address to answer to.
#[must_use]
pub fn matching(
    registered: &[RedirectUri],
    requested: &str,
    application: ApplicationType,
) -> Option<RedirectUri> {
    let uri = registered.iter().find(|uri| redirect_matches(uri, requested, application))?;
    // The other port was compared with everything else equal, so the text is as valid as the registered one.
    Some(if uri.0 == requested { uri.clone() } else { RedirectUri(requested.to_owned()) })
}

/// Whether a requested address is this registered one; see [`matching`].
#[must_use]
pub fn redirect_matches(registered: &RedirectUri, requested: &str, application: ApplicationType) -> bool {
    if registered.0 == requested {
        return true;
    }
    let portless = (loopback_without_port(&registered.0), loopback_without_port(requested));
    application == ApplicationType::Native && matches!(portless, (Some(a), Some(b)) if a == b)
}

/// Splits `http://127.0.0.1:port/rest` into its host and rest; nothing for any other address.
fn loopback_without_port(uri: &str) -> Option<(&str, &str)> {
    let (host, rest) = ["http://127.0.0.1", "http://[::1]"]
        .iter()
        .find_map(|host| uri.strip_prefix(host).map(|rest| (*host, rest)))?;
    let Some(after) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest));
    };
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let (port, rest) = after.split_at_checked(end)?;
    is_port(port).then_some((host, rest))
}

/// Checks what every address has in common and gives back its scheme and what follows the colon.
fn dissect(uri: &str) -> Result<(&str, &str), UriError> {
    if uri.len() > MAX_LENGTH {
        return Err(UriError::TooLong);
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%#".contains(&b);
    if !uri.bytes().all(allowed) || !escapes_are_whole(uri) {
        return Err(UriError::Syntax);
    }
    if uri.contains('#') {
        return Err(UriError::Fragment);
    }
    uri.split_once(':').ok_or(UriError::Scheme)
}

fn escapes_are_whole(uri: &str) -> bool {
    let is_hex = |c: char| c.is_ascii_hexdigit();
    uri.split('%').skip(1).all(|after| {
        let mut digits = after.chars();
        digits.next().is_some_and(is_hex) && digits.next().is_some_and(is_hex)
    })
}

/// Checks an `https` address, or an `http` one to this machine.
fn check_web(scheme: &str, rest: &str) -> Result<(), UriError> {
    let rest = rest.strip_prefix("//").ok_or(UriError::Host)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = check_authority(authority)?;
    match scheme {
        "https" => Ok(()),
        _ if ["127.0.0.1", "[::1]", "localhost"].contains(&host) => Ok(()),
        _ => Err(UriError::Insecure),
    }
}

fn check_authority(authority: &str) -> Result<&str, UriError> {
    if authority.contains('@') {
        return Err(UriError::UserInfo);
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let proper = is_host(host) && port.is_none_or(is_port);
    if proper { Ok(host) } else { Err(UriError::Host) }
}

/// A DNS name, or an IP address in its one plain form (never `0x7f.1` or `2130706433`).
fn is_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return v6.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with(|c: char| c.is_ascii_digit());
    host.len() <= 253 && host.split('.').all(is_label) && (!numeric || host.parse::<Ipv4Addr>().is_ok())
}

fn is_port(port: &str) -> bool {
    let digits = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
    digits && port.parse::<u16>().is_ok()
}

/// A private-use scheme is the reversed domain name of its maker, so it has a dot (RFC 8252 section 7.1).
fn check_private_use(scheme: &str, rest: &str) -> Result<(), UriError> {
    let is_label = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let proper = scheme.contains('.')
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.split('.').all(is_label);
    if !proper || !rest.starts_with('/') {
        return Err(UriError::Scheme);
    }
    if rest.split('?').next().unwrap_or_default().contains('@') {
        return Err(UriError::UserInfo);
    }
    Ok(())
}

fn check_query(uri: &str) -> Result<(), UriError> {
    let Some((_, query)) = uri.split_once('?') else { return Ok(()) };
    let params = Params::parse_bare(query.as_bytes()).map_err(|_| UriError::Syntax)?;
    if params.iter().any(|(name, _)| ANSWER_PARAMETERS.contains(&name)) {
        return Err(UriError::AnswerParameter);
    }
    Ok(())
}

impl TryFrom<String> for RedirectUri {
    type Error = UriError;
    fn try_from(uri: String) -> Result<Self, UriError> {
        let (scheme, rest) = dissect(&uri)?;
        match scheme {
            "https" | "http" => check_web(scheme, rest)?,
            _ => check_private_use(scheme, rest)?,
        }
        check_query(&uri)?;
        Ok(Self(uri))
    }
}

impl TryFrom<String> for WebUri {
    type Error = UriError;
    fn try_from(uri: String) -> Result<Self, UriError> {
        match dissect(&uri)? {
            (scheme @ ("https" | "http"), rest) => check_web(scheme, rest)?,
            _ => return Err(UriError::Scheme),
        }
        Ok(Self(uri))
    }
}

impl WebUri {
    /// The address as registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an `https` address; otherwise it is one of this very machine.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The address with parameters added to its query.
    #[must_use]
    pub(crate) fn with_query(&self, encoded: &str) -> String {
        with_query(&self.0, encoded)
    }
}

impl FromStr for RedirectUri {
    type Err = UriError;
    fn from_str(uri: &str) -> Result<Self, UriError> {
        uri.to_owned().try_into()
    }
}

impl FromStr for WebUri {
    type Err = UriError;
    fn from_str(uri: &str) -> Result<Self, UriError> {
        uri.to_owned().try_into()
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

impl From<WebUri> for String {
    fn from(uri: WebUri) -> Self {
        uri.0
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for WebUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
