//! Refresh tokens: `rt_` + base64url(grant id ‖ number ‖ key version ‖ HMAC). Nothing of them is
//! stored but the number, so that whoever asks twice within the grace gets the same one.

use base::{Error, Id, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use store::{Mac, Tenant};

const PREFIX: &str = "rt_";

/// A refresh token that this tenant made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    /// Of which grant.
    pub(crate) grant: Id<id::Grant>,
    /// Which one of that grant, from 1.
    pub(crate) number: i64,
    /// The version of the HMAC key.
    pub(crate) key: i64,
}

impl RefreshToken {
    /// Reads a token. One that is not ours, cut, longer or changed is none.
    pub(crate) fn parse(tenant: &Tenant, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (grant, rest) = bytes.split_first_chunk::<16>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (key, tag) = rest.split_first_chunk::<4>()?;
        let token = Self {
            grant: Id::from_bytes(*grant),
            number: i64::from_be_bytes(*number),
            key: u32::from_be_bytes(*key).into(),
        };
        let mac = tenant.mac_of_version(Mac::Refresh, token.key)?;
        mac.verify(&[grant, number, key], tag).then_some(token)
    }

    /// As it is given out.
    ///
    /// # Errors
    /// Kind `Internal` if the tenant has no such key.
    pub(crate) fn reveal(&self, tenant: &Tenant) -> Result<String, Error> {
        let version = u32::try_from(self.key).ok();
        let mac = tenant.mac_of_version(Mac::Refresh, self.key);
        let (Some(version), Some(mac)) = (version, mac) else {
            return Err(Error::internal(format!("no refresh key of version {}", self.key)));
        };
        let (number, key) = (self.number.to_be_bytes(), version.to_be_bytes());
        let parts: [&[u8]; 3] = [self.grant.as_bytes(), &number, &key];
        let tag = mac.sign(&parts);
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([parts.concat().as_slice(), &tag].concat())))
    }
}
