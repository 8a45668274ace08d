//! Events as they are read back: the customer's recent activity.

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

statements! {
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
