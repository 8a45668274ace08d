//! JOSE: signed tokens (JWS, RFC 7515), public keys (JWK, RFC 7517) and claims (JWT, RFC 7519).
//!
//! It owns what a signature is, which key may make it and which kind of token it stands on.
//! Three rules hold everywhere, after RFC 8725: the algorithm belongs to the **key**, never to the
//! token; a token is verified **as something** ([`Typ`]); a key comes from the caller, never from
//! the token's own header. Time comes in as an argument; the operating system's randomness is used
//! only where keys are made and inside randomised signatures.

mod algorithm;
mod base64url;
mod claims;
mod error;
mod hmac;
mod json;
mod jwk;
mod rsa;
mod signing;
mod token;
mod typ;
mod verifying;

pub use algorithm::Algorithm;
pub use claims::{Audience, Claims, Expected, NumericDate};
pub use error::{ClaimError, Error, Result};
pub use hmac::HmacKey;
pub use jwk::{Jwk, JwkSet, Use};
pub use signing::{PrivateKeyDer, SigningKey};
pub use token::{Header, MAX_TOKEN_BYTES, Verified, unverified_issuer, verify};
pub use typ::Typ;
pub use verifying::{Keys, VerifyingKey};
