//! The sessions of a browser: which of those that it names live.

use crate::{cookies, visit::Visit};
use base::{Error, Handle, Time};
use std::time::Duration;
use store::{
    Unit, args,
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
        Ok(living)
    }

    /// The session that answers where nothing says another: the last used.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn signed_in(&self) -> Result<Option<Living>, Error> {
        Ok(self.sessions().await?.into_iter().next())
    }

    /// Names these sessions in the browser's cookie, the last used first.
    pub fn remember_sessions(&self, handles: &[Handle], end: Time) {
        self.set_cookie(cookies::set_sessions(&self.tenant, handles, self.now(), end));
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
