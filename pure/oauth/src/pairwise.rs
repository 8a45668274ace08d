//! Pairwise subjects (OpenID Connect Core section 8.1): one person, another `sub` in each sector.
//!
//! Must not: fetch a sector's document; its bytes come in.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{Client, RedirectUri};

/// Why a client has no sector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SectorError {
    /// The addresses have several hosts, or none, and no document says that they belong together.
    #[error("subject_type pairwise needs a sector_identifier_uri unless all redirect_uris have one host")]
    Ambiguous,
    /// OpenID Connect Core section 8.1.
    #[error("sector_identifier_uri must begin with https://")]
    Insecure,
    /// The document is not what it must be.
    #[error("the document at sector_identifier_uri is no JSON list of addresses")]
    Malformed,
    /// An address of the client is not in the document.
    #[error("the document at sector_identifier_uri does not contain {0}")]
    NotListed(RedirectUri),
}

impl Client {
    /// The client's sector, a host name: that of `sector_identifier_uri`, else the one host of its
    /// redirect URIs (OpenID Connect Core section 8.1).
    ///
    /// # Errors
    /// [`SectorError::Ambiguous`] or [`SectorError::Insecure`].
    pub fn sector(&self) -> Result<String, SectorError> {
        if let Some(uri) = &self.sector_identifier_uri {
            let host = || uri.origin().host().to_owned();
            return uri.is_https().then(host).ok_or(SectorError::Insecure);
        }
        let host = |uri: &RedirectUri| uri.origin().map(|origin| origin.host().to_owned());
        let mut hosts = self.redirect_uris.iter().map(host);
        let first = hosts.next().flatten().ok_or(SectorError::Ambiguous)?;
        if hosts.all(|other| other.as_deref() == Some(first.as_str())) {
            Ok(first)
        } else {
            Err(SectorError::Ambiguous)
        }
    }
}

/// Whether the document at a client's `sector_identifier_uri` is a JSON list that contains each of
/// its redirect URIs, compared exactly (OpenID Connect Registration section 5).
///
/// # Errors
/// [`SectorError::Malformed`] or [`SectorError::NotListed`].
pub fn check_document(document: &[u8], redirect_uris: &[RedirectUri]) -> Result<(), SectorError> {
    let listed: Vec<String> = serde_json::from_slice(document).map_err(|_| SectorError::Malformed)?;
    let missing = redirect_uris.iter().find(|uri| !listed.iter().any(|known| known == uri.as_str()));
    missing.map_or(Ok(()), |uri| Err(SectorError::NotListed(uri.clone())))
}

/// The `sub` of a person in a sector: an HMAC-SHA-256 with a key of the tenant that never changes
/// over the sector and the person's public `sub`, which cannot be undone or linked without the key.
#[must_use]
pub fn subject(key: &[u8], sector: &str, public_subject: &str) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    // The length keeps sector and person apart.
    context.update(&(sector.len() as u64).to_be_bytes());
    context.update(sector.as_bytes());
    context.update(public_subject.as_bytes());
    URL_SAFE_NO_PAD.encode(context.sign())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ClientError, SubjectType};

    fn client(redirects: &[&str], sector: Option<&str>) -> Client {
        Client {
            subject_type: SubjectType::Pairwise,
            redirect_uris: redirects.iter().map(|uri| uri.parse().unwrap()).collect(),
            sector_identifier_uri: sector.map(|uri| uri.parse().unwrap()),
            ..Client::new("web".parse().unwrap())
        }
    }

    #[test]
    fn the_sector_is_a_host() {
        let one = client(&["https://App.example/a", "https://app.example:8443/b"], None);
        assert_eq!(one.sector().as_deref(), Ok("app.example"));
        let two = ["https://a.example/", "https://b.example/"];
        assert_eq!(client(&two, None).check(), Err(ClientError::Sector(SectorError::Ambiguous)));
        assert_eq!(client(&two, Some("https://s.example/x.json")).sector().as_deref(), Ok("s.example"));
        let insecure = client(&two, Some("http://localhost/x.json"));
        assert_eq!(insecure.sector(), Err(SectorError::Insecure));
        assert_eq!(client(&[], None).sector(), Err(SectorError::Ambiguous));
        assert_eq!(client(&["com.example.app:/cb"], None).sector(), Err(SectorError::Ambiguous));
    }

    #[test]
    fn the_document_lists_every_address() {
        let uris = client(&["https://a.example/cb", "https://b.example/cb"], None).redirect_uris;
        let check = |document: &str| check_document(document.as_bytes(), &uris);
        assert_eq!(check(r#"["https://b.example/cb","https://a.example/cb","x"]"#), Ok(()));
        let missing = check(r#"["https://a.example/cb","https://b.example/cb/"]"#);
        assert_eq!(missing, Err(SectorError::NotListed(uris[1].clone())));
        for bad in ["", "{}", "[1]", r#"{"redirect_uris":[]}"#] {
            assert_eq!(check(bad), Err(SectorError::Malformed), "{bad}");
        }
    }

    #[test]
    fn subjects_differ_by_sector_person_and_key() {
        let all = [
            subject(b"key", "a.example", "1"),
            subject(b"key", "a.example", "2"),
            subject(b"key", "b.example", "1"),
            subject(b"KEY", "a.example", "1"),
            subject(b"key", "a.example1", ""),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(all[0], subject(b"key", "a.example", "1"));
        assert!(all.iter().all(|sub| sub.len() == 43));
    }
}
