//! A typed password in the form in which it is hashed and judged.

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// The longest password in bytes of UTF-8, as typed.
const MAX_BYTES: usize = 1024;
/// The longest password in code points, as typed.
const MAX_CHARS: usize = 256;
/// NFKC makes at most this many bytes of one (U+FDFA: 3 bytes become 33).
const NFKC_GROWTH: usize = 11;

/// Which normal form a password had when it was hashed. It is stored beside
/// the hash, so that a later form can tell which hashes are of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NormVersion(pub u16);

impl NormVersion {
    /// The form that [`Prepared`] makes: NFKC, nothing mapped or trimmed
    /// (NIST SP 800-63B-4, section 3.1.1.2).
    pub const CURRENT: Self = Self(1);
}

/// Why a typed password is not taken at all, whatever the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreparedError {
    /// It contains U+0000.
    #[error("the password contains a NUL character")]
    Nul,
    /// It has more than `max` bytes of UTF-8.
    #[error("the password has more than {max} bytes")]
    TooManyBytes {
        /// The most that are taken.
        max: usize,
    },
    /// It has more than `max` code points.
    #[error("the password has more than {max} characters")]
    TooManyChars {
        /// The most that are taken.
        max: usize,
    },
}

/// A password ready to be hashed, verified or judged: its NFKC form, and the
/// form as typed for hashes that others made. Wiped on drop; has no `Debug`.
pub struct Prepared {
    typed: Zeroizing<String>,
    normalised: Zeroizing<String>,
}

impl Prepared {
    /// Takes what a person typed. The caller wipes its own copy.
    ///
    /// # Errors
    /// NUL, more than 1024 bytes or more than 256 code points.
    pub fn new(typed: &str) -> Result<Self, PreparedError> {
        if typed.len() > MAX_BYTES {
            return Err(PreparedError::TooManyBytes { max: MAX_BYTES });
        }
        if typed.chars().count() > MAX_CHARS {
            return Err(PreparedError::TooManyChars { max: MAX_CHARS });
        }
        if typed.contains('\0') {
            return Err(PreparedError::Nul);
        }
        // Room for the worst case: a string that grows leaves copies behind.
        let room = typed.len().saturating_mul(NFKC_GROWTH);
        let mut normalised = Zeroizing::new(String::with_capacity(room));
        normalised.extend(typed.nfkc());
        Ok(Self { typed: Zeroizing::new(typed.to_owned()), normalised })
    }

    /// Its length in code points: of the shorter form, because one typed
    /// ligature is no longer for standing for eighteen letters, and a letter
    /// with its accent is one character however the keyboard sent it.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.typed.chars().count().min(self.normalised.chars().count())
    }

    pub(crate) fn normalised(&self) -> &str {
        &self.normalised
    }

    pub(crate) fn as_typed(&self) -> &str {
        &self.typed
    }
}
