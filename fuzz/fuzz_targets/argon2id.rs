//! argon2id on every path of this machine, under the address sanitizer, against the `argon2` crate: the
//! same output for the same input, and a verdict that follows every bit of it.
//!
//! Input: six bytes of cost and lengths, then the password, a NUL, a secret.
#![no_main]

use argon2::{Algorithm, Argon2, Params as Reference, Version};
use libfuzzer_sys::fuzz_target;
use passwords::{Hasher, Params, Path, Pepper, PhcString, Prepared, Scheme, Verdict};

fuzz_target!(|input: &[u8]| {
    let Some((head, rest)) = input.split_first_chunk::<6>() else { return };
    let at = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let Ok(typed) = std::str::from_utf8(&rest[..at]) else { return };
    let Ok(password) = Prepared::new(typed) else { return };
    let secret = &rest[at..][..rest[at..].len().min(64)];
    let (p, t) = (1 + u32::from(head[0] % 5), 1 + u32::from(head[1] % 3));
    let m = 8 * p + u32::from(head[2]) % 120;
    let salt: Vec<u8> = (0..8 + head[3] % 57).map(|place| place.wrapping_mul(head[4])).collect();
    let length = 16 + usize::from(head[5]) % 49;
    let output = reference((m, t, p), typed, &salt, secret, length);
    let params = Params::new(m, t, p).unwrap();
    let pepper = (!secret.is_empty()).then_some(Pepper { version: 1, secret });
    let stored = |output: &[u8]| -> PhcString {
        let keyid = if secret.is_empty() { "" } else { ",keyid=AAAAAQ" };
        let text = format!("$argon2id$v=19$m={m},t={t},p={p}{keyid}${}${}", base64(&salt), base64(output));
        text.parse().unwrap()
    };
    let mut wrong = output.clone();
    wrong[usize::from(head[4]) % length] ^= 1 << (head[3] % 8);
    for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
        let mut hasher = Hasher::with_path(params, path);
        let mut verdict = |output: &[u8]| {
            hasher.verify_imported(&password, &Scheme::Argon2id(stored(output)), pepper).unwrap()
        };
        assert_eq!(verdict(&output), Verdict::Match { rehash: true }, "{path:?}");
        assert_eq!(verdict(&wrong), Verdict::Mismatch, "{path:?}");
        let made = hasher.hash(&password, [head[4]; 16], params, pepper).unwrap();
        assert!(matches!(hasher.verify(&password, &made, pepper), Ok(Verdict::Match { rehash: false })));
    }
});

fn reference((m, t, p): (u32, u32, u32), typed: &str, salt: &[u8], secret: &[u8], length: usize) -> Vec<u8> {
    let params = Reference::new(m, t, p, Some(length)).unwrap();
    let hasher = Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut output = vec![0; length];
    hasher.hash_password_into(typed.as_bytes(), salt, &mut output).unwrap();
    output
}

/// Base64 without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |chunk: &[u8], at: usize| {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63])
    };
    bytes.chunks(3).flat_map(|chunk| (0..=chunk.len()).map(move |at| digit(chunk, at))).collect()
}
