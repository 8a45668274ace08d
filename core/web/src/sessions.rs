//! The sessions of a browser: which of those that it names live.

use crate::{cookies, visit::Visit};
use base::{Error, Handle, Id, Time, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::time::Duration;
use store::{
    Mac, Tenant, Unit, args,
    rows::session::{self, SessionRow},
};

/// How exactly the time of last use is kept.
const SEEN_EVERY: Duration = Duration::from_secs(60);

/// A living session with the handle that the browser brought.
pub struct Living {
    /// The session.
    pub row: SessionRow,
    /// Its handle.
    pub handle: Handle,
}

/// Whether applications may watch in a frame whether the session is still the same (OpenID Connect
/// Session Management 1.0): where the tenant wants it, and on https only, since the cookie goes to
/// the frames of other sites.
pub fn are_watched(tenant: &Tenant) -> bool {
    tenant.settings.session_management && tenant.is_https()
}

/// The state of a browser in which this session answers; none if the tenant has no key for it. It
/// opens nothing.
pub fn browser_state(tenant: &Tenant, session: Id<id::Session>) -> Option<String> {
    let (_, key) = tenant.mac(Mac::Request).ok()?;
    Some(URL_SAFE_NO_PAD.encode(key.sign(&[b"session-state", session.as_bytes()])))
}

impl Visit {
    /// The living sessions of this browser, the last used first.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn sessions(&self) -> Result<Vec<Living>, Error> {
        let mut living = Vec::new();
        for handle in cookies::sessions(&self.headers, &self.tenant) {
            let row = session::by_id(self.db(), self.tenant.id, handle.row()).await?;
            let opens = |row: &SessionRow| {
                row.is_alive(self.now(), self.tenant.settings.session_idle)
                    && row.opens_with(&handle, self.now())
            };
            if let Some(row) = row.filter(opens) {
                self.note_use(&row);
                living.push(Living { row, handle });
            }
        }
        self.mend_shown(&living);
        Ok(living)
    }

    /// The session that answers where nothing says another: the last used.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn signed_in(&self) -> Result<Option<Living>, Error> {
        Ok(self.sessions().await?.into_iter().next())
    }

    /// Names these sessions in the browser's cookie, the last used first, which is the one that frames
    /// watch from now on.
    pub fn remember_sessions(&self, handles: &[Handle], end: Time) {
        self.set_cookie(cookies::set_sessions(&self.tenant, handles, self.now(), end));
        self.show_session(handles.first().map(Handle::row));
    }

    /// Lets the state that frames watch be that of this session, or of none.
    pub fn show_session(&self, session: Option<Id<id::Session>>) {
        if are_watched(&self.tenant) {
            let state = session.and_then(|session| browser_state(&self.tenant, session));
            self.replace_cookie(cookies::set_watched(&self.tenant, state.as_deref()));
        }
    }

    /// Mends the state that frames watch where its session was ended from elsewhere.
    fn mend_shown(&self, living: &[Living]) {
        let shown = cookies::watched(&self.headers, &self.tenant).filter(|state| !state.is_empty());
        let Some(shown) = shown.filter(|_| are_watched(&self.tenant)) else { return };
        let is_shown =
            |living: &Living| browser_state(&self.tenant, living.row.id).is_some_and(|state| state == shown);
        if !living.iter().any(is_shown) && !self.sets_cookie(&cookies::watched_name(&self.tenant)) {
            self.show_session(living.first().map(|living| living.row.id));
        }
    }

    /// Notes that a session is in use, at most once a minute. May be lost, so nobody waits for it.
    fn note_use(&self, row: &SessionRow) {
        let now = self.now();
        if now.since(row.seen_at) < SEEN_EVERY {
            return;
        }
        let mut unit = Unit::marked(self.env().id(), session::SEEN_PROBE, args![self.tenant.id, row.id, now]);
        session::seen(&mut unit, self.tenant.id, row.id, now);
        let db = self.db().clone();
        tokio::spawn(async move {
            if let Err(error) = db.commit(unit).await {
                tracing::debug!(%error, "the time of a session's last use was lost");
            }
        });
    }
}
