//! Origins (RFC 6454 section 6.2): where a page of an application comes from.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{RedirectUri, UriError, WebUri, check_web, dissect};

/// An origin as browsers spell it in the `Origin` header: scheme and host in lower case, no default
/// port, nothing behind. `https`, or `http` to this very machine; never `null`, never a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    /// The origin, to be compared with a header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, in lower case and without its port.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => authority,
        }
    }

    /// The origin of an address that was checked to be `https` or `http`.
    fn of(uri: &str) -> Self {
        let (scheme, rest) = uri.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?']).next().unwrap_or_default().to_ascii_lowercase();
        let default_port = if scheme == "https" { ":443" } else { ":80" };
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
        Self(format!("{scheme}://{authority}"))
    }
}

impl WebUri {
    /// The origin of the address.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::of(&self.0)
    }
}

impl RedirectUri {
    /// The origin of the address; one with a private-use scheme has none.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        (!self.is_private_use()).then(|| Origin::of(&self.0))
    }
}

impl TryFrom<String> for Origin {
    type Error = UriError;
    fn try_from(text: String) -> Result<Self, UriError> {
        match dissect(&text)? {
            (scheme @ ("https" | "http"), rest) => check_web(scheme, rest)?,
            _ => return Err(UriError::Scheme),
        }
        if Self::of(&text).0 == text { Ok(Self(text)) } else { Err(UriError::Origin) }
    }
}

impl FromStr for Origin {
    type Err = UriError;
    fn from_str(text: &str) -> Result<Self, UriError> {
        text.to_owned().try_into()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_spelled_as_browsers_do() {
        for good in [
            "https://app.example",
            "https://app.example:8443",
            "http://localhost:3000",
            "http://[::1]:80".trim_end_matches(":80"),
        ] {
            assert_eq!(good.parse::<Origin>().unwrap().as_str(), good);
        }
        for bad in [
            "*",
            "null",
            "",
            "https://*.example",
            "https://app.example/",
            "https://app.example/path",
            "https://app.example?x",
            "https://App.example",
            "HTTPS://app.example",
            "https://app.example:443",
            "http://app.example",
            "https://a@app.example",
            "com.example.app:/",
            "javascript:alert(1)",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_know_their_origin_and_host() {
        let origin = |uri: &str| uri.parse::<WebUri>().unwrap().origin();
        assert_eq!(origin("https://App.example:443/cb?x=1").as_str(), "https://app.example");
        assert_eq!(origin("https://app.example:444?x=1").as_str(), "https://app.example:444");
        assert_eq!(origin("http://[::1]:8080/").host(), "[::1]");
        assert_eq!(origin("http://[::1]/").host(), "[::1]");
        assert_eq!(origin("https://app.example:444/").host(), "app.example");
        let redirect = |uri: &str| uri.parse::<RedirectUri>().unwrap().origin().map(String::from);
        assert_eq!(redirect("com.example.app:/cb"), None);
        assert_eq!(redirect("https://app.example/cb").as_deref(), Some("https://app.example"));
    }
}
