//! Logos of applications, shown beside what they ask for. Fetched by us under the rules for outward
//! requests, kept, and served from our own origin at `/logo/{application}/{version}`, so that no
//! customer's browser asks a stranger. No page waits for one: it names the picture until it is known
//! that there is none to be had.

use crate::Signin;
use axum::{
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Clock, Id, Time, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use web::Visit;
use work::outbound::{Documents, Limits, Outbound};

/// The largest logo, in bytes.
const LARGEST: usize = 128 * 1024;
/// How long what is known of a logo is believed.
const BELIEVED: Duration = Duration::from_secs(5 * 60);
/// Of how many logos something is known.
const MOST: usize = 4096;
/// A transparent pixel, in place of a picture that cannot be had.
const NOTHING: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// The logos of all applications. A clone shares them.
#[derive(Clone)]
pub struct Logos {
    documents: Documents,
    clock: Arc<dyn Clock>,
    known: Arc<Mutex<HashMap<String, (Known, Time)>>>,
}

/// What is known of a logo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is being fetched.
    Coming,
    /// It can be shown.
    There,
    /// It cannot be had, or is no picture.
    Absent,
}

impl Logos {
    /// No logos yet; they are fetched through `outbound`.
    pub fn new(outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        let limits = Limits { body: LARGEST, ..Limits::default() };
        let documents = Documents::new(outbound, Arc::clone(&clock), limits);
        Self { documents, clock, known: Arc::default() }
    }

    /// The path of a logo below its tenant, unless it is known that it cannot be had. Begins to
    /// fetch it where nothing is known.
    pub(crate) fn path(&self, application: Id<id::Application>, uri: &str) -> Option<String> {
        match self.look(uri) {
            Some(Known::Absent) => return None,
            Some(Known::Coming | Known::There) => {}
            None => {
                let (this, uri) = (self.clone(), uri.to_owned());
                tokio::spawn(async move { this.picture(&uri).await });
            }
        }
        Some(format!("/logo/{application}/{}", version(uri)))
    }

    /// What is known; where nothing is, it is said to be coming.
    fn look(&self, uri: &str) -> Option<Known> {
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let state = known.get(uri).filter(|(_, at)| *at <= now && now.since(*at) < BELIEVED);
        let state = state.map(|(state, _)| *state);
        if state.is_none() {
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(uri.to_owned(), (Known::Coming, now));
        }
        state
    }

    /// Media type and bytes of the logo, fetched if need be.
    async fn picture(&self, uri: &str) -> Option<(&'static str, Bytes)> {
        let document = self.documents.get(uri).await.ok();
        let picture = document.and_then(|document| Some((kind(&document.body)?, document.body)));
        let state = if picture.is_some() { Known::There } else { Known::Absent };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(uri.to_owned(), (state, self.clock.now()));
        picture
    }
}

/// The part of a logo's address that changes with where it comes from.
fn version(uri: &str) -> String {
    let hash = URL_SAFE_NO_PAD.encode(base::mac::sha256(&[uri.as_bytes()]));
    hash.chars().take(16).collect()
}

/// The media type of a picture by what it begins with, whatever its host calls it. Never one that
/// could hold script.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// `GET /logo/{application}/{version}`.
pub(crate) async fn show(
    State(signin): State<Signin>,
    Path((application, wanted)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    let Some(uri) = registered(&visit, &application).await.filter(|uri| version(uri) == wanted) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (caching, (kind, bytes)) = match signin.logos.picture(&uri).await {
        Some(picture) => ("private, max-age=3600", picture),
        None => ("no-store", ("image/gif", Bytes::from_static(NOTHING))),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, caching),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, bytes).into_response()
}

/// Where an application of this tenant says that its logo is.
async fn registered(visit: &Visit, application: &str) -> Option<String> {
    let id = application.parse().ok()?;
    let found = visit.site.directory().application_by_id(&visit.tenant, id).await.ok()??;
    let uri = found.client.logo_uri.as_ref().filter(|_| found.active)?;
    Some(uri.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_without_script_are_shown() {
        for (bytes, expected) in [
            (b"\x89PNG\r\n\x1a\nrest".as_slice(), Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a..", Some("image/gif")),
            (NOTHING, Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"<!doctype html><script>alert(1)</script>", None),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"", None),
        ] {
            assert_eq!(kind(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
