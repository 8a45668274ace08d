//! Listeners: the applications that are to be told when a session ends. One row an application and
//! session.

use super::notice::Notice;
use base::{Id, Time, id};
use store::{Db, DbError, Expect, Unit, args, row, statements};

row! {
    /// A listener as stored.
    pub(crate) struct Listener {
        /// The session.
        pub(crate) session: Id<id::Session>,
        /// Who listens.
        pub(crate) application: Id<id::Application>,
        /// The id of its notice once there is one.
        pub(crate) id: Id<Notice>,
        /// Whose session it is.
        pub(crate) person: Id<id::Person>,
        /// The person, as the application knows them.
        pub(crate) subject: String,
        /// When it ends by itself.
        pub(crate) expires_at: Time,
    }
}

statements! {
    const OF_ANCHOR: &str = "SELECT anchor, application, id, person, subject, expires_at \
        FROM logout_listener WHERE tenant = $1 AND anchor = $2 ORDER BY application";
    const OF_PERSON: &str = "SELECT anchor, application, id, person, subject, expires_at \
        FROM logout_listener WHERE tenant = $1 AND person = $2 ORDER BY anchor, application";
    const LISTEN: &str = "INSERT INTO logout_listener (tenant, anchor, application, id, person, session, subject, \
        expires_at) VALUES ($1, $2, $3, $4, $5, $2, $6, $7) \
        ON CONFLICT (tenant, anchor, application) DO UPDATE SET subject = excluded.subject, \
        expires_at = excluded.expires_at";
    const DROP: &str = "DELETE FROM logout_listener WHERE tenant = $1 AND anchor = $2 AND application = $3";
    const PURGE: &str = "DELETE FROM logout_listener WHERE (tenant, anchor, application) IN \
        (SELECT tenant, anchor, application FROM logout_listener WHERE expires_at < $1 LIMIT 500)";
    const NOTHING: &str = "SELECT 1 WHERE 1 = 0";
}

/// Who listens to this session.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub(crate) async fn of_session(
    db: &Db,
    tenant: Id<id::Tenant>,
    session: Id<id::Session>,
) -> Result<Vec<Listener>, DbError> {
    db.many(OF_ANCHOR, args![tenant, session]).await
}

/// Who listens to any session of this person.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub(crate) async fn of_person(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
) -> Result<Vec<Listener>, DbError> {
    db.many(OF_PERSON, args![tenant, person]).await
}

/// Listens from now on; once more changes nothing but how long.
pub(crate) fn listen(unit: &mut Unit, tenant: Id<id::Tenant>, listener: &Listener) {
    let values = args![
        tenant,
        listener.session,
        listener.application,
        listener.id,
        listener.person,
        &listener.subject,
        listener.expires_at,
    ];
    unit.push(LISTEN, values, Expect::Any);
}

/// Listens no more.
pub(crate) fn drop(unit: &mut Unit, tenant: Id<id::Tenant>, listener: &Listener) {
    unit.push(DROP, args![tenant, listener.session, listener.application], Expect::Any);
}

/// A unit that removes a batch of what ended before this moment. Done twice it does no harm.
pub(crate) fn purge(unit: store::UnitId, before: Time) -> Unit {
    Unit::marked(unit, NOTHING, args![]).write(PURGE, args![before], Expect::Any)
}
