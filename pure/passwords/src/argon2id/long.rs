//! The hashes at both ends: H0 and the variable-length hash H' (RFC 9106, sections 3.2 and 3.3), on
//! BLAKE2b (RFC 7693).

use super::Input;
use crate::phc::Params;
use blake2::{
    Blake2bVarCore,
    digest::{
        block_api::{UpdateCore, VariableOutputCore},
        block_buffer::LazyBuffer,
    },
};
use zeroize::{Zeroize as _, Zeroizing};

/// The output of BLAKE2b at its longest.
const FULL: usize = 64;
const VERSION: u32 = 0x13;
/// Argon2id.
const TYPE: u32 = 2;

/// H0: all that goes in.
pub(super) fn seed(params: Params, input: &Input<'_>, output: usize) -> Zeroizing<[u8; FULL]> {
    let mut seed = Zeroizing::new([0; FULL]);
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    blake2b(
        &[
            &params.p().to_le_bytes(),
            &number(output),
            &params.m_kib().to_le_bytes(),
            &params.t().to_le_bytes(),
            &VERSION.to_le_bytes(),
            &TYPE.to_le_bytes(),
            &number(input.password.len()),
            input.password,
            &number(input.salt.len()),
            input.salt,
            &number(input.secret.len()),
            input.secret,
            &number(input.data.len()),
            input.data,
        ],
        &mut seed[..],
    );
    seed
}

/// H': as many bytes as `output` has.
pub(super) fn hash(parts: &[&[u8]], output: &mut [u8]) {
    let length = u32::try_from(output.len()).unwrap_or(u32::MAX).to_le_bytes();
    let parts: Vec<&[u8]> = std::iter::once(&length[..]).chain(parts.iter().copied()).collect();
    if output.len() <= FULL {
        return blake2b(&parts, output);
    }
    let mut link = Zeroizing::new([0; FULL]);
    blake2b(&parts, &mut link[..]);
    let mut rest = output;
    loop {
        let (chunk, tail) = rest.split_at_mut(FULL / 2);
        chunk.copy_from_slice(&link[..FULL / 2]);
        rest = tail;
        let last = link.clone();
        if rest.len() <= FULL {
            return blake2b(&[&last[..]], rest);
        }
        blake2b(&[&last[..]], &mut link[..]);
    }
}

/// BLAKE2b over the parts, with an output of 1 to 64 bytes.
fn blake2b(parts: &[&[u8]], output: &mut [u8]) {
    let Ok(mut core) = Blake2bVarCore::new(output.len()) else { return };
    let mut buffer = LazyBuffer::default();
    for part in parts {
        buffer.digest_blocks(part, |blocks| core.update_blocks(blocks));
    }
    let mut full = Default::default();
    core.finalize_variable_core(&mut buffer, &mut full);
    output.copy_from_slice(&full[..output.len()]);
    full.as_mut_slice().zeroize();
}
