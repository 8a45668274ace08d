//! Argon2id, version 1.3 (RFC 9106), with the block function of this machine.
//!
//! The arithmetic of a block is in [`simd`], which is the only place with unsafe code; which blocks are
//! mixed is in [`fill`], the hash that begins and ends it in [`long`]. Equal, byte for byte, to the
//! `argon2` crate on every path.
#![expect(clippy::indexing_slicing, reason = "an arena has all blocks of its layout, a block all its words")]

mod block;
mod fill;
mod long;
mod round;
mod simd;
#[cfg(test)]
mod tests;

pub(crate) use block::Block;
pub use simd::Path;
pub(crate) use simd::prefer_large_pages;

use crate::phc::Params;
use fill::Layout;
use zeroize::Zeroizing;

/// What is hashed (RFC 9106, section 3.1).
#[derive(Clone, Copy, Default)]
pub(crate) struct Input<'a> {
    /// The message P.
    pub(crate) password: &'a [u8],
    /// The nonce S.
    pub(crate) salt: &'a [u8],
    /// The secret value K.
    pub(crate) secret: &'a [u8],
    /// The associated data X.
    pub(crate) data: &'a [u8],
}

/// How many blocks of memory this cost takes.
pub(crate) const fn blocks(params: Params) -> usize {
    Layout::of(params).blocks()
}

/// Derives `output` from `input` in the first [`blocks`] of `arena`, whatever they hold, and leaves them
/// dirty. An arena that is too small gives a panic.
pub(crate) fn derive(path: Path, params: Params, arena: &mut [Block], input: Input<'_>, output: &mut [u8]) {
    let layout = Layout::of(params);
    let (arena, _) = arena.split_at_mut(layout.blocks());
    let seed = long::seed(params, &input, output.len());
    for lane in 0..params.p() {
        for column in 0..2u32 {
            let mut bytes = Zeroizing::new([0; Block::BYTES]);
            long::hash(&[&seed[..], &column.to_le_bytes(), &lane.to_le_bytes()], &mut bytes[..]);
            *layout.at(arena, lane, column) = Block::from_bytes(&bytes);
        }
    }
    fill::fill(path, params, arena);
    let mut last = Zeroizing::new(Block::ZERO);
    for lane in 0..params.p() {
        last.add(layout.at(arena, lane, layout.lane() - 1));
    }
    long::hash(&[&Zeroizing::new(last.to_bytes())[..]], output);
}
