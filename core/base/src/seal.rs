//! Sealing at rest: AES-256-GCM-SIV (RFC 8452) under a key that is itself sealed: root → tenant
//! → person. A sealed value is `version | key id | nonce | ciphertext`; its associated data names
//! tenant, column and row, so that a value moved elsewhere does not open.

use crate::{id::Id, mac, rng::Rng};
use aws_lc_rs::aead::{self, AES_256_GCM_SIV, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const KEY_ID: usize = 8;
const NONCE: usize = 12;

/// Where a sealed value lives.
#[derive(Debug, Clone, Copy)]
pub struct Aad<'a> {
    /// The tenant's id.
    pub tenant: &'a [u8; 16],
    /// A fixed label of the column, such as `person.attributes`.
    pub label: &'static str,
    /// The row's id.
    pub row: &'a [u8],
}

impl<'a> Aad<'a> {
    /// The place `label` in row `row` of `tenant`.
    pub const fn new<T, R>(tenant: &'a Id<T>, label: &'static str, row: &'a Id<R>) -> Self {
        Self { tenant: tenant.as_bytes(), label, row: row.as_bytes() }
    }

    fn bytes(&self) -> Vec<u8> {
        mac::sha256(&[self.tenant, self.label.as_bytes(), self.row]).to_vec()
    }
}

/// The value was sealed under another key, for another place, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open: another key, another place, or changed bytes")]
pub struct DoesNotOpen;

impl From<DoesNotOpen> for crate::Error {
    fn from(error: DoesNotOpen) -> Self {
        Self::internal(error.to_string())
    }
}

/// A key that seals.
#[derive(Clone)]
pub struct SealingKey {
    id: [u8; KEY_ID],
    bytes: Zeroizing<[u8; 32]>,
    key: std::sync::Arc<LessSafeKey>,
}

impl SealingKey {
    /// A fresh key.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill(&mut *bytes);
        Self::new(bytes)
    }

    /// The key with these bytes.
    #[expect(clippy::expect_used, reason = "32 bytes are the length of an AES-256 key")]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        let key = UnboundKey::new(&AES_256_GCM_SIV, &*bytes).expect("a key of 32 bytes");
        let [a, b, c, d, e, f, g, h, ..] = mac::sha256(&[b"keyward sealing key", &*bytes]);
        Self { id: [a, b, c, d, e, f, g, h], bytes, key: std::sync::Arc::new(LessSafeKey::new(key)) }
    }

    /// The key's public name, first in every value that it sealed.
    pub const fn id(&self) -> &[u8; KEY_ID] {
        &self.id
    }

    /// Seals `plain` for its place.
    pub fn seal(&self, rng: &dyn Rng, aad: Aad<'_>, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        rng.fill(&mut nonce);
        let mut body = plain.to_vec();
        #[expect(clippy::expect_used, reason = "fails only above 2^36 bytes")]
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(aad.bytes()),
                &mut body,
            )
            .expect("a value of bounded size");
        let mut sealed = Vec::with_capacity(1 + KEY_ID + NONCE + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        sealed
    }

    /// Opens a value sealed for this place.
    ///
    /// # Errors
    /// [`DoesNotOpen`] for another key, another place, or changed bytes.
    pub fn open(&self, aad: Aad<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (&version, rest) = sealed.split_first().ok_or(DoesNotOpen)?;
        let (id, rest) = rest.split_at_checked(KEY_ID).ok_or(DoesNotOpen)?;
        let (nonce, body) = rest.split_at_checked(NONCE).ok_or(DoesNotOpen)?;
        if version != VERSION || id != self.id {
            return Err(DoesNotOpen);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .key
            .open_in_place(nonce, aead::Aad::from(aad.bytes()), &mut body)
            .map_err(|_| DoesNotOpen)?
            .len();
        body.truncate(length);
        Ok(body)
    }

    /// Seals another key under this one.
    pub fn wrap(&self, rng: &dyn Rng, aad: Aad<'_>, key: &Self) -> Vec<u8> {
        self.seal(rng, aad, &*key.bytes)
    }

    /// Opens a key that was sealed under this one.
    ///
    /// # Errors
    /// [`DoesNotOpen`] as for [`SealingKey::open`].
    pub fn unwrap_key(&self, aad: Aad<'_>, wrapped: &[u8]) -> Result<Self, DoesNotOpen> {
        let plain = self.open(aad, wrapped)?;
        let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| DoesNotOpen)?;
        Ok(Self::new(Zeroizing::new(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{Person, Tenant},
        rng::SystemRng,
        time::Time,
    };

    #[test]
    fn a_value_opens_only_under_its_key_and_in_its_place() {
        let key = SealingKey::generate(&SystemRng);
        let now = Time::from_seconds(1);
        let (tenant, other) = (Id::<Tenant>::new(now, &SystemRng), Id::<Tenant>::new(now, &SystemRng));
        let (row, another) = (Id::<Person>::new(now, &SystemRng), Id::<Person>::new(now, &SystemRng));
        let place = Aad::new(&tenant, "person.attributes", &row);
        let sealed = key.seal(&SystemRng, place, b"birthdate");
        assert_eq!(key.open(place, &sealed).unwrap().as_slice(), b"birthdate");
        for wrong in [
            Aad::new(&other, "person.attributes", &row),
            Aad::new(&tenant, "person.other", &row),
            Aad::new(&tenant, "person.attributes", &another),
        ] {
            assert_eq!(key.open(wrong, &sealed).unwrap_err(), DoesNotOpen);
        }
        assert!(SealingKey::generate(&SystemRng).open(place, &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(place, &changed).is_err(), "byte {at}");
            assert!(key.open(place, &sealed[..at]).is_err());
        }
    }

    #[test]
    fn a_wrapped_key_opens_what_the_original_sealed() {
        let (root, key) = (SealingKey::generate(&SystemRng), SealingKey::generate(&SystemRng));
        let tenant = Id::<Tenant>::new(Time::from_seconds(1), &SystemRng);
        let place = Aad::new(&tenant, "tenant.key", &tenant);
        let wrapped = root.wrap(&SystemRng, place, &key);
        let back = root.unwrap_key(place, &wrapped).unwrap();
        let sealed = key.seal(&SystemRng, place, b"x");
        assert_eq!(back.open(place, &sealed).unwrap().as_slice(), b"x");
    }
}
