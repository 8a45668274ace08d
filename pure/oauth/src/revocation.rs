//! Token revocation (RFC 7009): who may end a token. The request is a
//! [`TokenQuery`](crate::introspection::TokenQuery).
//!
//! Must not: look a token up or end it. What ends with it (RFC 7009 section 2.1), the caller knows.

use crate::{Client, ClientId, ErrorCode, token::TokenError};

/// What to do; the answer is 200 without a body either way (RFC 7009 section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// There is no such token, or none any more.
    Nothing,
    /// The token ends, and with it its grant.
    Revoke,
}

/// Decides for a client that has shown who it is, a public one by its `client_id` alone. `owner` is
/// the application that the token was issued to, if the token was found.
///
/// # Errors
/// `unauthorized_client` for the token of another application (RFC 7009 section 2.1).
pub fn decide(caller: &Client, owner: Option<&ClientId>) -> Result<Revocation, TokenError> {
    match owner {
        None => Ok(Revocation::Nothing),
        Some(owner) if *owner == caller.client_id => Ok(Revocation::Revoke),
        Some(_) => {
            Err(TokenError::new(ErrorCode::UnauthorizedClient, "the token was given to another application"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abuse_31_a_token_is_ended_by_its_owner_only() {
        let (web, other) = (Client::new("web".parse().unwrap()), "other".parse().unwrap());
        assert_eq!(decide(&web, None), Ok(Revocation::Nothing));
        assert_eq!(decide(&web, Some(&web.client_id)), Ok(Revocation::Revoke));
        let error = decide(&web, Some(&other)).unwrap_err();
        assert_eq!((error.code(), error.status()), (ErrorCode::UnauthorizedClient, 400));
    }
}
