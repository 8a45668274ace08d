//! Pages: a cursor holds the last key of a page, authenticated together with the list, its filters
//! and the tenant, so that none can be forged or carried elsewhere.

use crate::{
    call::Call,
    refusal::{MALFORMED, Refusal},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use store::Mac;

const TAG: usize = 16;
const DEFAULT: i64 = 50;

/// A page that is asked for.
pub(crate) struct Page {
    /// The last key of the page before.
    pub(crate) after: Option<Vec<u8>>,
    /// The most objects on it.
    pub(crate) limit: i64,
}

impl Page {
    /// What this call asks for.
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        let wrong = || Refusal::because(MALFORMED, "The cursor is not of this list. Begin without one.");
        let open = |text: &str| -> Option<Vec<u8>> {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let (tag, key) = bytes.split_at_checked(TAG)?;
            let expected = tag_of(call, key).ok()?;
            base::mac::equal(tag, expected.get(..TAG)?).then(|| key.to_vec())
        };
        let after = call.asked("cursor").map(|text| open(text).ok_or_else(wrong)).transpose()?;
        Ok(Self { after, limit: call.asked("limit").and_then(|text| text.parse().ok()).unwrap_or(DEFAULT) })
    }

    /// The id that the page begins after; the least one at first.
    pub(crate) fn after_id<T>(&self) -> base::Id<T> {
        let bytes = self.after.as_deref().and_then(|key| key.try_into().ok()).unwrap_or([0; 16]);
        base::Id::from_bytes(bytes)
    }

    /// Cuts a list that was read one longer than the page; gives the key of its last object if there
    /// are more.
    pub(crate) fn cut<T>(
        &self,
        call: &Call,
        list: &mut Vec<T>,
        key: impl Fn(&T) -> Vec<u8>,
    ) -> Result<Option<String>, Refusal> {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        if list.len() <= limit {
            return Ok(None);
        }
        list.truncate(limit);
        list.last().map(|last| seal(call, &key(last))).transpose()
    }
}

/// A cursor that goes on after this key.
pub(crate) fn seal(call: &Call, key: &[u8]) -> Result<String, Refusal> {
    let tag = tag_of(call, key)?;
    let bytes: Vec<u8> = tag.iter().take(TAG).chain(key).copied().collect();
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn tag_of(call: &Call, key: &[u8]) -> Result<[u8; 32], Refusal> {
    let filters: Vec<String> = call
        .query
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "cursor" | "limit" | "count"))
        .map(|(name, value)| serde_json::json!([name, value]).to_string())
        .collect();
    let filters = filters.concat();
    let path = serde_json::json!(call.path).to_string();
    let (_, mac) = call.tenant.mac(Mac::Request)?;
    let parts =
        [b"api cursor".as_slice(), call.endpoint.id.as_bytes(), path.as_bytes(), filters.as_bytes(), key];
    Ok(mac.sign(&parts))
}
