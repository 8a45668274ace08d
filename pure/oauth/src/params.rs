//! `application/x-www-form-urlencoded`: request parameters in, answer parameters out.
//!
//! Owns the limits and the strictness of every parameter that reaches the protocol.

#[cfg(test)]
mod tests;

use std::{collections::HashSet, fmt};

/// The most parameters one request may have.
pub const MAX_COUNT: usize = 200;
/// The most bytes one encoded request may have.
pub const MAX_BYTES: usize = 64 * 1024;

/// Parameters that their own specification allows more than once (RFC 8707 section 2).
const REPEATABLE: &[&str] = &["resource"];

/// The parameters of one request, in their order, each decoded.
///
/// A parameter without a value does not exist (RFC 6749 section 3.1). `Debug` shows names only,
/// since values carry codes, tokens and secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// Why a query or body is no list of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// More than [`MAX_BYTES`].
    #[error("the parameters are longer than 64 kB")]
    TooLarge,
    /// More than [`MAX_COUNT`].
    #[error("there are more than 200 parameters")]
    TooMany,
    /// A `%` without two hexadecimal digits, bytes that are no UTF-8, or a NUL.
    #[error("a parameter is not properly encoded UTF-8")]
    Malformed,
}

/// A parameter was sent more than once (RFC 6749 section 3.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the parameter {0} is sent more than once")]
pub struct Repeated(pub String);

impl Params {
    /// Parses a query string or a form body (RFC 6749 appendix B).
    ///
    /// # Errors
    /// When a limit is exceeded or the encoding is broken.
    pub fn parse(encoded: &[u8]) -> Result<Self, ParamsError> {
        let mut params = Self::parse_bare(encoded)?;
        params.0.retain(|(_, value)| !value.is_empty());
        Ok(params)
    }

    /// As [`Self::parse`], but with the parameters that have no value: for forms of people, in which
    /// an empty field says something.
    ///
    /// # Errors
    /// When a limit is exceeded or the encoding is broken.
    pub fn parse_bare(encoded: &[u8]) -> Result<Self, ParamsError> {
        if encoded.len() > MAX_BYTES {
            return Err(ParamsError::TooLarge);
        }
        let mut pairs = Vec::new();
        for pair in encoded.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == MAX_COUNT {
                return Err(ParamsError::TooMany);
            }
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The first value of a parameter; whether it is the only one, [`Self::only`] says.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The value of a parameter that must not be repeated (RFC 6749 section 3.1).
    ///
    /// # Errors
    /// When the parameter is sent more than once.
    pub fn only(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Repeated(name.to_owned())),
        }
    }

    /// All values of a parameter, in their order.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The first parameter that is repeated and must not be (RFC 6749 sections 3.1 and 3.2).
    #[must_use]
    pub fn repeated(&self) -> Option<Repeated> {
        let mut seen = HashSet::new();
        self.iter()
            .find(|(name, _)| !seen.insert(*name) && !REPEATABLE.contains(name))
            .map(|(name, _)| Repeated(name.to_owned()))
    }

    /// Every name and value, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The parameters encoded again, to be carried on.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self.iter())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Params {
    /// Parameters that were decoded elsewhere; those without a value are left out.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(pairs.filter(|(_, value): &(String, String)| !value.is_empty()).collect())
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// Encodes names and values, leaving only unreserved characters (RFC 3986 section 2.3) as they are.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        escape(name, &mut out);
        out.push('=');
        escape(value, &mut out);
    }
    out
}

fn escape(text: &str, out: &mut String) {
    use fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Decodes one form-encoded name or value.
pub(crate) fn decode(encoded: &[u8]) -> Result<String, ParamsError> {
    let mut bytes = encoded.iter().copied();
    let mut out = Vec::with_capacity(encoded.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next())? << 4 | hex(bytes.next())?,
            other => other,
        });
    }
    let text = String::from_utf8(out).map_err(|_| ParamsError::Malformed)?;
    if text.contains('\0') { Err(ParamsError::Malformed) } else { Ok(text) }
}

fn hex(digit: Option<u8>) -> Result<u8, ParamsError> {
    match digit {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(digit @ b'a'..=b'f') => Ok(digit - b'a' + 10),
        Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
        _ => Err(ParamsError::Malformed),
    }
}
