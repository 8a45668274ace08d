//! Events as they are read back: the customer's recent activity, and by number for those who follow.

use crate::{Db, DbError, args, row, statements};
use base::{Id, Time, id};

row! {
    /// An event as stored.
    pub struct StoredEvent {
        /// Its id.
        pub id: Id<id::Event>,
        /// What happened.
        pub kind: String,
        /// Through which application.
        pub application: Option<Id<id::Application>>,
        /// Who did it, where that is not the person.
        pub actor: Option<String>,
        /// When.
        pub at: Time,
        /// Everything else, sealed.
        pub data: Vec<u8>,
    }
}

row! {
    /// What a follower of events learns of one.
    pub struct FollowedEvent {
        /// Its number, in the order of becoming visible.
        pub number: i64,
        /// In which tenant.
        pub tenant: Id<id::Tenant>,
        /// What happened.
        pub kind: String,
        /// Whom it concerns.
        pub person: Option<Id<id::Person>>,
        /// In which session.
        pub session: Option<Id<id::Session>>,
    }
}

statements! {
    const AFTER: &str = "SELECT number, tenant, kind, person, session FROM event \
        WHERE number > $1 ORDER BY number LIMIT 500";
    const OF_PERSON: &str = "SELECT id, kind, application, actor, at, data FROM event \
        WHERE tenant = $1 AND person = $2 AND id < $3 ORDER BY id DESC LIMIT 50";
}

/// The person's events before this one, the latest first, fifty at most.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn of_person(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    before: Option<Id<id::Event>>,
) -> Result<Vec<StoredEvent>, DbError> {
    let before = before.unwrap_or(Id::from_bytes([0xff; 16]));
    db.many(OF_PERSON, args![tenant, person, before]).await
}

/// The events of all tenants after this number, in order, five hundred at most.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn after(db: &Db, number: i64) -> Result<Vec<FollowedEvent>, DbError> {
    db.many(AFTER, args![number]).await
}
