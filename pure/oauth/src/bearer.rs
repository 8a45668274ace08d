//! Bearer tokens at a protected resource such as userinfo (RFC 6750).

use crate::{ErrorCode, Params, error::Refusal};

/// Why a resource is not given: the answer's status and its `WWW-Authenticate` (RFC 6750 section 3).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// No token at all: 401 without an error code (RFC 6750 section 3.1).
    #[error("no access token is given")]
    Missing,
    /// The request or its token is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Takes the access token out of the `Authorization` header or of a form body, never of a query
/// (RFC 6750 sections 2.1 and 2.2, RFC 9700 section 4.3.2).
///
/// # Errors
/// When there is no token, or more than one.
pub fn extract(authorization: Option<&str>, form: Option<&Params>) -> Result<String, BearerError> {
    let in_form = match form.map(|form| form.only("access_token")) {
        Some(value) => value.map_err(Refusal::from)?,
        None => None,
    };
    match (authorization.map(from_header), in_form) {
        (Some(_), Some(_)) => Err(Refusal::invalid_request("the access token is sent in two ways").into()),
        (Some(token), None) => token.map(str::to_owned),
        (None, Some(token)) => Ok(token.to_owned()),
        (None, None) => Err(BearerError::Missing),
    }
}

fn from_header(header: &str) -> Result<&str, BearerError> {
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(BearerError::Missing);
    }
    let token = token.trim_matches(' ');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.is_empty() || !token.bytes().all(allowed) {
        return Err(Refusal::invalid_request("the Authorization header holds no proper token").into());
    }
    Ok(token)
}

impl BearerError {
    /// The token is unknown, expired, revoked or for somebody else (RFC 6750 section 3.1).
    #[must_use]
    pub fn invalid_token() -> Self {
        Self::Refused(Refusal::new(
            ErrorCode::InvalidToken,
            "the access token is expired, revoked or not for this resource",
        ))
    }

    /// The status of the answer (RFC 6750 section 3.1).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Missing => 401,
            Self::Refused(refusal) => match refusal.code {
                ErrorCode::InvalidRequest => 400,
                ErrorCode::InsufficientScope => 403,
                _ => 401,
            },
        }
    }

    /// The `WWW-Authenticate` header of the answer (RFC 6750 section 3).
    #[must_use]
    pub fn www_authenticate(&self) -> String {
        match self {
            Self::Missing => "Bearer".to_owned(),
            Self::Refused(Refusal { code, description }) => {
                format!(r#"Bearer error="{code}", error_description="{description}""#)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Params {
        Params::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn header_and_body_carry_a_token() {
        assert_eq!(extract(Some("Bearer abc"), None), Ok("abc".into()));
        assert_eq!(extract(Some("bearer  abc"), Some(&form("x=1"))), Ok("abc".into()));
        assert_eq!(extract(None, Some(&form("access_token=abc"))), Ok("abc".into()));
    }

    #[test]
    fn no_token_is_told_without_a_code() {
        for header in [None, Some("Basic abc"), Some("")] {
            let error = extract(header, None).unwrap_err();
            assert_eq!((error.status(), error.www_authenticate().as_str()), (401, "Bearer"));
        }
    }

    #[test]
    fn two_or_broken_tokens_are_invalid_requests() {
        for (header, body) in [
            (Some("Bearer abc"), "access_token=abc"),
            (None, "access_token=a&access_token=b"),
            (Some("Bearer"), ""),
            (Some("Bearer a b"), ""),
            (Some("Bearer a\"b"), ""),
        ] {
            assert_eq!(extract(header, Some(&form(body))).unwrap_err().status(), 400, "{header:?} {body}");
        }
    }

    #[test]
    fn an_invalid_token_names_its_code() {
        let error = BearerError::invalid_token();
        assert_eq!(error.status(), 401);
        assert!(error.www_authenticate().starts_with(r#"Bearer error="invalid_token", error_description=""#));
    }
}
