//! What can go wrong, told apart as far as a caller can act on it.

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a token, a key or a set of keys was refused. The texts name no value of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The algorithm is unknown, or not offered (`none` never is).
    #[error("the algorithm is not supported")]
    UnsupportedAlgorithm,
    /// The token is longer than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES).
    #[error("the token is too long")]
    TooLong,
    /// The token does not have exactly three parts, with a header and a signature.
    #[error("the token is not a compact JWS")]
    NotCompact,
    /// A part is not base64url without padding in its only canonical spelling.
    #[error("a part is not canonical base64url")]
    Base64,
    /// Header or claims are not a JSON object of the expected form, or name a member twice.
    #[error("the JSON is malformed, has a member twice or lacks one")]
    Json,
    /// The header demands an extension (`crit`, `b64`, `zip`); none is understood.
    #[error("the header demands an extension that is not understood")]
    Extension,
    /// The token is of another type than the one expected here.
    #[error("the token is of another type")]
    WrongType,
    /// No key fits the token; the caller may look whether newer keys exist.
    #[error("no key fits the token")]
    UnknownKey,
    /// The token names a key and, for it, another algorithm than the key's own.
    #[error("the token's algorithm is not the key's")]
    AlgorithmMismatch,
    /// The signature is not one that the key made over this token.
    #[error("the signature is wrong")]
    Signature,
    /// The key is malformed, or not fit for the algorithm or the purpose.
    #[error("the key is malformed or unfit for this purpose")]
    InvalidKey,
    /// The key is too short or known to be breakable.
    #[error("the key is too weak")]
    WeakKey,
    /// A symmetric key stood where only public keys may.
    #[error("a symmetric key has no place here")]
    SymmetricKey,
    /// Two keys of one algorithm share a key id.
    #[error("two keys share a key id")]
    DuplicateKid,
    /// A set holds more keys than anybody needs.
    #[error("the set holds too many keys")]
    TooManyKeys,
    /// Key generation or signing failed in the cryptographic library.
    #[error("the cryptographic operation failed")]
    Crypto,
}

/// Why the claims of a token do not hold here and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// `iss` is absent or another.
    #[error("the issuer is not the expected one")]
    Issuer,
    /// `aud` is absent or names none of the expected audiences.
    #[error("the token is meant for another audience")]
    Audience,
    /// `exp` is absent.
    #[error("the token has no expiry")]
    NoExpiry,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` lies ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` lies ahead.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// `iat` is absent although a greatest age is asked for.
    #[error("the token does not say when it was issued")]
    NoIssuedAt,
    /// `iat` lies further back than the greatest age.
    #[error("the token is too old")]
    TooOld,
}
