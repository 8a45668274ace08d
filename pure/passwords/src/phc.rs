//! The string that is stored for an argon2id hash, and the bounds of its cost.
//!
//! `$argon2id$v=19$m=19456,t=2,p=1[,keyid=…]$salt$hash`, base64 without
//! padding. Only the one way to write a value is read, so what is read prints
//! as it was. A string whose cost is out of bounds is refused before any work.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

const MAX_M_KIB: u32 = 1024 * 1024;
const MAX_T: u32 = 64;
const MAX_P: u32 = 16;
const MAX_TEXT: usize = 320;
const SALT_BYTES: std::ops::RangeInclusive<usize> = 8..=64;
const OUTPUT_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// The cost of a hash (RFC 9106, section 3.1), always within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Params {
    m_kib: u32,
    t: u32,
    p: u32,
}

impl Params {
    /// 19 MiB, two passes, one lane: OWASP's recommendation for argon2id.
    pub const DEFAULT: Self = Self { m_kib: 19_456, t: 2, p: 1 };

    /// Memory in KiB (8·p to 1 GiB), passes (1 to 64), lanes (1 to 16).
    ///
    /// # Errors
    /// When one of them is out of these bounds.
    pub const fn new(m_kib: u32, t: u32, p: u32) -> Result<Self, ParamsError> {
        if p < 1 || p > MAX_P {
            return Err(ParamsError::Lanes);
        }
        if t < 1 || t > MAX_T {
            return Err(ParamsError::Passes);
        }
        if m_kib < 8 * p || m_kib > MAX_M_KIB {
            return Err(ParamsError::Memory);
        }
        Ok(Self { m_kib, t, p })
    }

    /// Memory in KiB.
    #[must_use]
    pub const fn m_kib(self) -> u32 {
        self.m_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn t(self) -> u32 {
        self.t
    }

    /// Lanes.
    #[must_use]
    pub const fn p(self) -> u32 {
        self.p
    }

    /// Memory times passes, in KiB: what computing it takes.
    #[must_use]
    pub const fn work(self) -> u32 {
        self.m_kib.saturating_mul(self.t)
    }

    /// Whether any of the three is lower than in `other`.
    pub(crate) const fn is_below(self, other: Self) -> bool {
        self.m_kib < other.m_kib || self.t < other.t || self.p < other.p
    }
}

impl Default for Params {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Which parameter is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Memory is not between 8 KiB a lane and 1 GiB.
    #[error("m must be from 8 KiB a lane to 1 GiB")]
    Memory,
    /// Passes are not between 1 and 64.
    #[error("t must be from 1 to 64")]
    Passes,
    /// Lanes are not between 1 and 16.
    #[error("p must be from 1 to 16")]
    Lanes,
}

/// Why a stored string is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhcError {
    /// Another scheme, or another version of argon2 than 1.3.
    #[error("the scheme of the stored hash is not supported")]
    Unsupported,
    /// Not written as it must be.
    #[error("the stored hash is malformed")]
    Malformed,
    /// Its cost is out of bounds.
    #[error("the cost of the stored hash is out of bounds: {0}")]
    Cost(#[from] ParamsError),
}

/// A stored argon2id hash (version 1.3). `Display` writes what [`FromStr`]
/// reads. It has no `Debug`: it does not belong into a log.
#[derive(Clone)]
pub struct PhcString {
    pub(crate) params: Params,
    pub(crate) pepper: Option<u32>,
    pub(crate) salt: Vec<u8>,
    pub(crate) output: Vec<u8>,
}

impl PhcString {
    /// The cost it was made at.
    #[must_use]
    pub const fn params(&self) -> Params {
        self.params
    }

    /// The version of the pepper that went into it, if one did.
    #[must_use]
    pub const fn pepper_version(&self) -> Option<u32> {
        self.pepper
    }

    /// A hash of no known password at this cost, to be verified against where
    /// there is no account, so that its absence takes the same time.
    #[must_use]
    pub fn dummy(params: Params) -> Self {
        Self {
            params,
            pepper: None,
            salt: b"nobody's account".to_vec(),
            output: b"no password is known to give it.".to_vec(),
        }
    }
}

/// [`PhcString::dummy`] at [`Params::DEFAULT`].
#[must_use]
pub fn dummy() -> PhcString {
    PhcString::dummy(Params::DEFAULT)
}

impl fmt::Display for PhcString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Params { m_kib, t, p } = self.params;
        write!(f, "$argon2id$v=19$m={m_kib},t={t},p={p}")?;
        if let Some(version) = self.pepper {
            let id = STANDARD_NO_PAD.encode(version.to_be_bytes());
            write!(f, ",keyid={id}")?;
        }
        let salt = STANDARD_NO_PAD.encode(&self.salt);
        let output = STANDARD_NO_PAD.encode(&self.output);
        write!(f, "${salt}${output}")
    }
}

impl FromStr for PhcString {
    type Err = PhcError;

    fn from_str(text: &str) -> Result<Self, PhcError> {
        if text.len() > MAX_TEXT {
            return Err(PhcError::Malformed);
        }
        let mut parts = text.split('$');
        if parts.next() != Some("") {
            return Err(PhcError::Malformed);
        }
        if parts.next() != Some("argon2id") || parts.next() != Some("v=19") {
            return Err(PhcError::Unsupported);
        }
        let (Some(costs), Some(salt), Some(output), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(PhcError::Malformed);
        };
        let (params, pepper) = parse_costs(costs)?;
        Ok(Self { params, pepper, salt: decode(salt, &SALT_BYTES)?, output: decode(output, &OUTPUT_BYTES)? })
    }
}

/// `m=…,t=…,p=…[,keyid=…]`, in this order.
fn parse_costs(text: &str) -> Result<(Params, Option<u32>), PhcError> {
    let mut fields = text.split(',');
    let mut number = |name| {
        let field = fields.next().and_then(|field| value(field, name));
        field.and_then(canonical).ok_or(PhcError::Malformed)
    };
    let (m, t, p) = (number("m")?, number("t")?, number("p")?);
    let pepper = match (fields.next(), fields.next()) {
        (None, _) => None,
        (Some(field), None) => Some(parse_key_id(field)?),
        (Some(_), Some(_)) => return Err(PhcError::Malformed),
    };
    Ok((Params::new(m, t, p)?, pepper))
}

fn parse_key_id(field: &str) -> Result<u32, PhcError> {
    let text = value(field, "keyid").ok_or(PhcError::Malformed)?;
    let bytes = decode(text, &(4..=4))?;
    let bytes = <[u8; 4]>::try_from(bytes).map_err(|_| PhcError::Malformed)?;
    Ok(u32::from_be_bytes(bytes))
}

fn value<'a>(field: &'a str, name: &str) -> Option<&'a str> {
    field.strip_prefix(name)?.strip_prefix('=')
}

/// A decimal number without sign or leading zeros. One that does not fit is
/// the largest there is, which no bound admits.
fn canonical(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || (text.starts_with('0') && text != "0") {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}

fn decode(text: &str, bytes: &std::ops::RangeInclusive<usize>) -> Result<Vec<u8>, PhcError> {
    let decoded = STANDARD_NO_PAD.decode(text).ok();
    decoded.filter(|decoded| bytes.contains(&decoded.len())).ok_or(PhcError::Malformed)
}
