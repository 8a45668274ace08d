//! Making and verifying hashes with memory that is used again.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    argon2id::{self, Block, Input, Path},
    phc::{Params, PhcString},
    prepared::Prepared,
    scheme::Scheme,
};

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

/// A secret of the deployment that goes into each hash and is kept apart from
/// the database (RFC 9106, section 3.1: the secret value K).
#[derive(Clone, Copy)]
pub struct Pepper<'a> {
    /// Its version, which the hash names.
    pub version: u32,
    /// The secret itself, of at least 16 random bytes.
    pub secret: &'a [u8],
}

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is the password.
    Match {
        /// Whether it should be hashed anew and stored, being weaker than, or
        /// more than twice as costly as, or made otherwise than, what
        /// [`Hasher::hash`] makes today.
        rehash: bool,
    },
    /// It is not the password.
    Mismatch,
}

/// Why there is neither a hash nor a verdict. None of these is the fault of
/// the person who typed the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The memory could not be had.
    #[error("no memory for a password hash of {m_kib} KiB")]
    Memory {
        /// How much was needed.
        m_kib: u32,
    },
    /// The stored hash was made with a pepper that was not given.
    #[error("the stored hash needs version {version} of the pepper")]
    PepperMissing {
        /// The version it names.
        version: u32,
    },
}

/// Hashes and verifies, one at a time, in an arena that is kept between calls.
/// One for each thread that hashes. Wiped on drop.
pub struct Hasher {
    current: Params,
    path: Path,
    arena: Vec<Block>,
}

impl Hasher {
    /// A hasher without memory as yet. `current` is what stored hashes are
    /// compared with, and the most memory that is kept between calls.
    #[must_use]
    pub fn new(current: Params) -> Self {
        Self::with_path(current, Path::fastest())
    }

    /// The same, computing in a certain way; where the processor does not have it, the portable one.
    #[must_use]
    pub const fn with_path(current: Params, path: Path) -> Self {
        Self { current, path, arena: Vec::new() }
    }

    /// Hashes the normal form of a password. The salt is random and new.
    ///
    /// # Errors
    /// [`HashError::Memory`] when there is no memory.
    pub fn hash(
        &mut self,
        password: &Prepared,
        salt: [u8; SALT_BYTES],
        params: Params,
        pepper: Option<Pepper<'_>>,
    ) -> Result<PhcString, HashError> {
        let mut phc = PhcString {
            params,
            pepper: pepper.map(|pepper| pepper.version),
            salt: salt.to_vec(),
            output: vec![0; OUTPUT_BYTES],
        };
        let output = self.derive(password.normalised(), &phc, pepper)?;
        phc.output.copy_from_slice(&output);
        Ok(phc)
    }

    /// Verifies the normal form of a password against a hash of ours. Give the
    /// pepper that [`PhcString::pepper_version`] names, or the newest; who
    /// keeps several compares the versions to learn whether to rehash.
    ///
    /// # Errors
    /// [`HashError::PepperMissing`] when the hash names another pepper than is
    /// given, [`HashError::Memory`] when there is no memory.
    pub fn verify(
        &mut self,
        password: &Prepared,
        phc: &PhcString,
        pepper: Option<Pepper<'_>>,
    ) -> Result<Verdict, HashError> {
        if !self.matches(password.normalised(), phc, pepper)? {
            return Ok(Verdict::Mismatch);
        }
        let rehash = phc.params.is_below(self.current)
            || phc.params.work() > self.current.work().saturating_mul(2)
            || phc.salt.len() < SALT_BYTES
            || phc.output.len() < OUTPUT_BYTES
            || (phc.pepper.is_none() && pepper.is_some());
        Ok(Verdict::Match { rehash })
    }

    /// Verifies a password against a hash that another system made: as typed
    /// first, then in normal form where that differs. A match is always to be
    /// rehashed, so that the normal form is what is stored from then on.
    ///
    /// # Errors
    /// As [`Hasher::verify`].
    pub fn verify_imported(
        &mut self,
        password: &Prepared,
        stored: &Scheme,
        pepper: Option<Pepper<'_>>,
    ) -> Result<Verdict, HashError> {
        let Scheme::Argon2id(phc) = stored;
        let (typed, normalised) = (password.as_typed(), password.normalised());
        let matches = self.matches(typed, phc, pepper)?
            || (typed != normalised && self.matches(normalised, phc, pepper)?);
        Ok(if matches { Verdict::Match { rehash: true } } else { Verdict::Mismatch })
    }

    /// Wipes the arena and gives its memory back. The next call takes it anew.
    pub fn release(&mut self) {
        self.arena.zeroize();
        self.arena = Vec::new();
    }

    fn matches(
        &mut self,
        password: &str,
        phc: &PhcString,
        pepper: Option<Pepper<'_>>,
    ) -> Result<bool, HashError> {
        let used = match phc.pepper {
            None => None,
            Some(version) => Some(
                pepper
                    .filter(|pepper| pepper.version == version)
                    .ok_or(HashError::PepperMissing { version })?,
            ),
        };
        let output = self.derive(password, phc, used)?;
        Ok(verify_slices_are_equal(&output, &phc.output).is_ok())
    }

    /// The output for `password` under the salt, cost and output length of
    /// `shape`. The arena is left dirty for the next call to overwrite, unless
    /// it is larger than what is usually needed.
    fn derive(
        &mut self,
        password: &str,
        shape: &PhcString,
        pepper: Option<Pepper<'_>>,
    ) -> Result<Zeroizing<Vec<u8>>, HashError> {
        let mut output = Zeroizing::new(vec![0; shape.output.len()]);
        self.reserve(shape.params)?;
        let input = Input {
            password: password.as_bytes(),
            salt: &shape.salt,
            secret: pepper.map_or(&[], |pepper| pepper.secret),
            data: &[],
        };
        argon2id::derive(self.path, shape.params, &mut self.arena, input, &mut output);
        if shape.params.m_kib() > self.current.m_kib() {
            self.release();
        }
        Ok(output)
    }

    /// Makes the arena large enough. What is too small is released first: a
    /// vector that grows would leave its old memory behind unwiped.
    fn reserve(&mut self, params: Params) -> Result<(), HashError> {
        let blocks = argon2id::blocks(params);
        if self.arena.len() >= blocks {
            return Ok(());
        }
        self.release();
        let no_memory = |_| HashError::Memory { m_kib: params.m_kib() };
        self.arena.try_reserve_exact(blocks).map_err(no_memory)?;
        argon2id::prefer_large_pages(self.arena.spare_capacity_mut());
        self.arena.resize(blocks, Block::ZERO);
        Ok(())
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Params::DEFAULT)
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.release();
    }
}
