//! The cookies of the pages: `kwd-{tenant}` names the device, `kws-{tenant}` the sessions, with
//! `__Host-` before both on https; `kwl` remembers a language; `__Host-kwb-{tenant}` is the state that
//! applications watch in a frame, where the tenant has that.
//!
//! An http issuer on loopback has them without `Secure`, since one browser drops Secure cookies
//! there.

use axum::response::ResponseParts;
use base::{Handle, HandleKind, Time};
use http::{HeaderMap, HeaderValue, header};
use std::time::Duration;
use store::Tenant;

/// How long a device is remembered, the most that browsers allow.
const DEVICE_LIFE: Duration = Duration::from_secs(400 * 86_400);
/// Sessions of several people that one browser may hold.
const MOST_SESSIONS: usize = 8;

fn name(tenant: &Tenant, kind: &str) -> String {
    let id = tenant.id.to_string();
    let id = id.split_once('_').map_or(id.as_str(), |(_, id)| id);
    if tenant.is_https() { format!("__Host-{kind}-{id}") } else { format!("{kind}-{id}") }
}

/// All cookies of a request by this name. A browser may send several of one name, an attacker's
/// among them: whoever reads must try each. Bytes that are no text, in a cookie of somebody else on
/// this host, spoil that cookie only.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
        .filter(|(key, _)| key.trim_ascii() == name)
        .map(|(_, value)| value.trim_ascii())
        .collect()
}

/// The device that a request comes from, if it says so.
pub fn device(headers: &HeaderMap, tenant: &Tenant) -> Option<Handle> {
    values(headers, &name(tenant, "kwd"))
        .into_iter()
        .find_map(|value| Handle::parse(HandleKind::Device, value))
}

/// The sessions that a request names, the last used first.
pub fn sessions(headers: &HeaderMap, tenant: &Tenant) -> Vec<Handle> {
    values(headers, &name(tenant, "kws"))
        .into_iter()
        .flat_map(|value| value.split('.'))
        .filter_map(|value| Handle::parse(HandleKind::Session, value))
        .take(MOST_SESSIONS)
        .collect()
}

/// The name of the cookie with the state that frames watch. Their script reads it.
pub fn watched_name(tenant: &Tenant) -> String {
    name(tenant, "kwb")
}

/// The state that frames watch, as the request brings it; empty where nobody is signed in.
pub fn watched<'a>(headers: &'a HeaderMap, tenant: &Tenant) -> Option<&'a str> {
    values(headers, &watched_name(tenant)).into_iter().next()
}

/// The `Set-Cookie` header with the state that frames of other sites watch: of one session, or of none.
pub fn set_watched(tenant: &Tenant, state: Option<&str>) -> String {
    let (state, life) = state.map_or(("", 0), |state| (state, tenant.settings.session_absolute));
    format!("{}={state}; Path=/; Secure; SameSite=None; Max-Age={life}", watched_name(tenant))
}

/// The language that was chosen in this browser.
pub fn locale(headers: &HeaderMap) -> Option<&str> {
    values(headers, "kwl").into_iter().next()
}

/// The `Set-Cookie` header that makes a browser remember its device.
pub fn set_device(tenant: &Tenant, device: &Handle) -> String {
    cookie(tenant, &name(tenant, "kwd"), &device.reveal(), Some(DEVICE_LIFE))
}

/// The `Set-Cookie` header that names these sessions, the last used first, until `end`.
pub fn set_sessions(tenant: &Tenant, sessions: &[Handle], now: Time, end: Time) -> String {
    if sessions.is_empty() {
        return cookie(tenant, &name(tenant, "kws"), "", Some(Duration::ZERO));
    }
    let value: Vec<String> = sessions.iter().take(MOST_SESSIONS).map(Handle::reveal).collect();
    cookie(tenant, &name(tenant, "kws"), &value.join("."), Some(end.since(now)))
}

/// The `Set-Cookie` header that remembers a language.
pub fn set_locale(tenant: &Tenant, code: &str) -> String {
    cookie(tenant, "kwl", code, Some(DEVICE_LIFE))
}

fn cookie(tenant: &Tenant, name: &str, value: &str, life: Option<Duration>) -> String {
    let secure = if tenant.is_https() { "; Secure" } else { "" };
    let life = life.map(|life| format!("; Max-Age={}", life.as_secs())).unwrap_or_default();
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{life}")
}

/// Cookies to set with an answer.
#[derive(Debug, Clone, Default)]
pub struct SetCookies(pub Vec<String>);

impl axum::response::IntoResponseParts for SetCookies {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        for cookie in self.0 {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                parts.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abuse_73_a_malformed_cookie_spoils_no_other() {
        let mut headers = HeaderMap::new();
        for value in
            [&b"a=\xff; kws=1; kws ; =; kws=2\xff;kws= 3 "[..], b"\xff\xfe", b"Kws=4; xkws=5; kws=6=7"]
        {
            headers.append(header::COOKIE, HeaderValue::from_bytes(value).unwrap());
        }
        assert_eq!(values(&headers, "kws"), ["1", "3", "6=7"]);
    }
}
