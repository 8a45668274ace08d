//! What aws-lc-rs leaves to us about RSA public keys: reading their components, refusing weak ones.

use std::iter;

use crate::{Error, Result};

/// The modulus and the exponent, big-endian without leading zeros, of an RSAPublicKey
/// (RFC 8017 appendix A.1.1), which is how aws-lc-rs hands out its public keys.
pub(crate) fn components(der: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let read = || {
        let (sequence, _) = element(SEQUENCE, der)?;
        let (modulus, rest) = element(INTEGER, sequence)?;
        let (exponent, _) = element(INTEGER, rest)?;
        Some((magnitude(modulus), magnitude(exponent)))
    };
    read().ok_or(Error::InvalidKey)
}

/// The content of the first DER element, which must have this tag, and what follows it.
fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, input) = input.split_first()?;
    let (&first, input) = input.split_first()?;
    let (length, input) = if first < 0x80 {
        (usize::from(first), input)
    } else {
        let (bytes, input) = input.split_at_checked(usize::from(first & 0x7f))?;
        let length = bytes
            .iter()
            .try_fold(0_usize, |length, &byte| Some(length.checked_mul(256)? + usize::from(byte)))?;
        (length, input)
    };
    (found == tag).then(|| input.split_at_checked(length)).flatten()
}

fn magnitude(integer: &[u8]) -> Vec<u8> {
    integer.iter().copied().skip_while(|&byte| byte == 0).collect()
}

/// Refuses components that are not canonical (RFC 7518 section 6.3.1), moduli outside 2048 to 8192
/// bits, exponents that do nothing, and moduli made by the flawed library of CVE-2017-15361.
pub(crate) fn check(modulus: &[u8], exponent: &[u8]) -> Result<()> {
    let (Some(&first), Some(&last)) = (modulus.first(), modulus.last()) else {
        return Err(Error::InvalidKey);
    };
    let (Some(&exponent_first), Some(&exponent_last)) = (exponent.first(), exponent.last()) else {
        return Err(Error::InvalidKey);
    };
    let odd = last & exponent_last & 1 == 1;
    if first == 0 || exponent_first == 0 || !odd {
        return Err(Error::InvalidKey);
    }
    let bits = modulus.len() * 8 - first.leading_zeros() as usize;
    if !(2048..=8192).contains(&bits) || exponent == [1] || has_roca_fingerprint(modulus) {
        return Err(Error::WeakKey);
    }
    Ok(())
}

/// Whether the modulus is a power of 65537 modulo every small prime, as moduli of the flawed
/// library are and others practically never (Nemec et al., "The Return of Coppersmith's Attack").
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    const GENERATOR: u32 = 65537;
    let is_prime = |n: &u32| (2..*n).all(|divisor| !n.is_multiple_of(divisor));
    (3..=167_u32).filter(is_prime).all(|prime| {
        let residue = modulus.iter().fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % prime);
        iter::successors(Some(1), |power| Some(power * (GENERATOR % prime) % prime))
            .take(prime as usize)
            .any(|power| power == residue)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_read_with_short_and_long_lengths() {
        let mut der = vec![0x30, 0x81, 0x87, 0x02, 0x81, 0x81, 0x00];
        der.extend([0xab; 128]);
        der.extend([0x02, 0x01, 0x03]);
        assert_eq!(components(&der), Ok((vec![0xab; 128], vec![3])));
        for end in 0..der.len() {
            assert_eq!(components(&der[..end]), Err(Error::InvalidKey), "cut at {end}");
        }
        assert_eq!(components(&[0x30, 0x89, 1, 2, 3, 4, 5, 6, 7, 8, 9]), Err(Error::InvalidKey));
    }

    #[test]
    fn weak_and_malformed_components_are_refused() {
        let good = [0xff; 256];
        assert_eq!(check(&good, &[1, 0, 1]), Ok(()));
        assert_eq!(check(&good[1..], &[1, 0, 1]), Err(Error::WeakKey));
        assert_eq!(check(&[0xff; 1025], &[1, 0, 1]), Err(Error::WeakKey));
        assert_eq!(check(&good, &[1]), Err(Error::WeakKey));
        assert_eq!(check(&good, &[2]), Err(Error::InvalidKey));
        assert_eq!(check(&good, &[0, 3]), Err(Error::InvalidKey));
        assert_eq!(check(&good, &[]), Err(Error::InvalidKey));
        assert_eq!(check(&[], &[3]), Err(Error::InvalidKey));
    }
}
