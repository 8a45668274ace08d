//! Hashes that other systems made, as an import brings them.

use crate::phc::{Params, PhcError, PhcString};

/// The most memory of an imported hash, in KiB.
const MOST_M_KIB: u32 = 128 * 1024;
/// The most memory times passes, in KiB: eight times what a hash of our own takes, which takes in the
/// defaults of common libraries (m=65536, t=3 or 4; m=102400, t=2).
const MOST_WORK: u32 = 8 * Params::DEFAULT.work();

/// Why a hash is not imported. The texts follow the name of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error("cannot be imported: {0}; give argon2id as $argon2id$v=19$m=…,t=…,p=…$salt$hash")]
    Unreadable(#[from] PhcError),
    /// A pepper went into it, which is not known here.
    #[error("was made with a pepper (keyid), which is not known here")]
    Peppered,
    /// Verifying it would cost every sign-in more than one may.
    #[error("costs too much: m must be at most {MOST_M_KIB} KiB, and m times t at most {MOST_WORK} KiB")]
    Costly,
}

impl PhcString {
    /// Reads a hash of another system. Its cost is bounded more tightly than that of our own, since
    /// anybody who names the account has it computed.
    ///
    /// # Errors
    /// What keeps it from being verified here.
    pub fn import(text: &str) -> Result<Self, ImportError> {
        let phc: Self = text.parse()?;
        let params = phc.params();
        if phc.pepper_version().is_some() {
            return Err(ImportError::Peppered);
        }
        if params.m_kib() > MOST_M_KIB || params.work() > MOST_WORK {
            return Err(ImportError::Costly);
        }
        Ok(phc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "c29tZXNhbHRzb21lc2FsdA$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

    fn import(costs: &str) -> Option<ImportError> {
        PhcString::import(&format!("$argon2id$v=19${costs}${REST}")).err()
    }

    #[test]
    fn a_hash_that_costs_too_much_is_not_imported() {
        for good in
            ["m=19456,t=2,p=1", "m=65536,t=4,p=1", "m=102400,t=2,p=8", "m=19456,t=16,p=1", "m=16,t=1,p=1"]
        {
            assert_eq!(import(good), None, "{good}");
        }
        for costly in [
            "m=131073,t=1,p=1",
            "m=65536,t=5,p=4",
            "m=19456,t=17,p=1",
            "m=262144,t=4,p=1",
            "m=1048576,t=64,p=1",
        ] {
            assert_eq!(import(costly), Some(ImportError::Costly), "{costly}");
        }
        assert_eq!(import("m=19456,t=2,p=1,keyid=AAAAAQ"), Some(ImportError::Peppered));
        assert!(matches!(import("m=4294967296,t=1,p=1"), Some(ImportError::Unreadable(PhcError::Cost(_)))));
        let bcrypt = PhcString::import("$2b$12$abcdefghijklmnopqrstuv").err();
        assert_eq!(bcrypt, Some(ImportError::Unreadable(PhcError::Unsupported)));
    }
}
