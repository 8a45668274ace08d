//! A block of memory.

use zeroize::Zeroize;

/// How many words a block has.
pub(super) const WORDS: usize = 128;

/// 1024 bytes, as words of the machine, on lines of the cache.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Block(pub(super) [u64; WORDS]);

impl Block {
    /// Its size.
    pub(crate) const BYTES: usize = 8 * WORDS;
    /// Nothing but zeros.
    pub(crate) const ZERO: Self = Self([0; WORDS]);

    /// The bytes as little-endian words.
    pub(super) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut block = Self::ZERO;
        let (words, _) = bytes.as_chunks::<8>();
        for (word, bytes) in block.0.iter_mut().zip(words) {
            *word = u64::from_le_bytes(*bytes);
        }
        block
    }

    /// The words as little-endian bytes.
    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (chunk, word) in chunks.iter_mut().zip(self.0) {
            *chunk = word.to_le_bytes();
        }
        bytes
    }

    /// Exclusive or, word by word.
    pub(super) fn add(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word ^= other;
        }
    }
}

impl Zeroize for Block {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
