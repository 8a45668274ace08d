//! Token types (RFC 8725 section 3.11): what a token was made as is what it is accepted as.

/// What kind of token is made or expected, told by the header `typ`.
///
/// Types that share the general `JWT` (ID tokens and client assertions) are told apart by their
/// keys, issuers and audiences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Typ {
    /// An ID token (OpenID Connect Core): `JWT` or none.
    IdToken,
    /// An access token (RFC 9068): `at+jwt`.
    AccessToken,
    /// A logout token (OpenID Connect Back-Channel Logout): `logout+jwt`.
    LogoutToken,
    /// A client's assertion (RFC 7523): `client-authentication+jwt`, `JWT` or none.
    ClientAssertion,
    /// A request object (RFC 9101): `oauth-authz-req+jwt`, `JWT` or none.
    RequestObject,
}

impl Typ {
    /// The value that tokens of this type are made with.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdToken | Self::ClientAssertion => "JWT",
            Self::AccessToken => "at+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::RequestObject => "oauth-authz-req+jwt",
        }
    }

    /// Whether a token whose header has this `typ` may be one. Case does not matter, nor a
    /// prefix `application/` (RFC 7515 section 4.1.9).
    pub(crate) fn accepts(self, typ: Option<&str>) -> bool {
        let Some(typ) = typ else { return self.accepts_general() };
        let name = match typ.split_at_checked("application/".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
            _ => typ,
        };
        (self.accepts_general() && name.eq_ignore_ascii_case("JWT"))
            || self.own_name().is_some_and(|own| name.eq_ignore_ascii_case(own))
    }

    /// Whether the type was in use before explicit types were, so that `JWT` or none will do.
    const fn accepts_general(self) -> bool {
        matches!(self, Self::IdToken | Self::ClientAssertion | Self::RequestObject)
    }

    const fn own_name(self) -> Option<&'static str> {
        match self {
            Self::IdToken => None,
            Self::ClientAssertion => Some("client-authentication+jwt"),
            Self::AccessToken | Self::LogoutToken | Self::RequestObject => Some(self.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_accepts_its_own_and_no_other() {
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert!(Typ::AccessToken.accepts(Some(typ)), "{typ}");
            assert!(!Typ::IdToken.accepts(Some(typ)), "{typ}");
            assert!(!Typ::LogoutToken.accepts(Some(typ)), "{typ}");
            assert!(!Typ::ClientAssertion.accepts(Some(typ)), "{typ}");
        }
        for typ in [None, Some("JWT"), Some("jwt"), Some("application/jwt")] {
            assert!(Typ::IdToken.accepts(typ), "{typ:?}");
            assert!(Typ::ClientAssertion.accepts(typ), "{typ:?}");
            assert!(!Typ::AccessToken.accepts(typ), "{typ:?}");
            assert!(!Typ::LogoutToken.accepts(typ), "{typ:?}");
        }
        for typ in ["", "at+jwt ", "application/", "application/application/at+jwt", "text/at+jwt"] {
            assert!(!Typ::AccessToken.accepts(Some(typ)), "{typ:?}");
            assert!(!Typ::IdToken.accepts(Some(typ)), "{typ:?}");
        }
    }

    #[test]
    fn each_type_accepts_what_it_is_made_with() {
        for typ in
            [Typ::IdToken, Typ::AccessToken, Typ::LogoutToken, Typ::ClientAssertion, Typ::RequestObject]
        {
            assert!(typ.accepts(Some(typ.as_str())), "{typ:?}");
        }
    }
}
