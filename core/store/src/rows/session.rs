//! Sessions: a browser's signed-in state. One lives while it has not ended or expired and its
//! epoch is its person's.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Handle, Id, Time, id, mac};

row! {
    /// A session with what its life depends on.
    pub struct SessionRow {
        /// Its id.
        pub id: Id<id::Session>,
        /// Whose it is.
        pub person: Id<id::Person>,
        /// The person's epoch when it was made or last re-stamped.
        pub epoch: i64,
        /// Hash of its handle's secret.
        pub secret: Vec<u8>,
        /// Hash of the handle before the last rotation.
        pub previous_secret: Option<Vec<u8>>,
        /// Until when the previous handle is good.
        pub previous_until: Option<Time>,
        /// Hash of the device that it was made on.
        pub device: Vec<u8>,
        /// The proofs given, as JSON.
        pub facts: String,
        /// When the person last proved themselves.
        pub auth_time: Time,
        /// Address and agent, sealed under the tenant's key with the label `session.origin`.
        pub origin: Vec<u8>,
        /// Since when.
        pub created_at: Time,
        /// Last seen, to about a minute.
        pub seen_at: Time,
        /// When it ends in any case.
        pub expires_at: Time,
        /// When it was ended.
        pub ended_at: Option<Time>,
        /// Raised at each change.
        pub version: i64,
        /// The person's state now.
        pub person_state: String,
        /// The person's epoch now.
        pub person_epoch: i64,
    }
}

impl SessionRow {
    /// Whether it lives: not ended, not expired, used within `idle_seconds`, and of the person's
    /// present epoch.
    pub fn is_alive(&self, now: Time, idle_seconds: u32) -> bool {
        self.ended_at.is_none()
            && now < self.expires_at
            && now.since(self.seen_at).as_secs() < u64::from(idle_seconds)
            && self.person_state == "active"
            && self.epoch == self.person_epoch
    }

    /// Whether this handle opens it: the present one, or the one before for a minute.
    pub fn opens_with(&self, handle: &Handle, now: Time) -> bool {
        let hash = handle.hash();
        let previous = match (&self.previous_secret, self.previous_until) {
            (Some(secret), Some(until)) if now < until => mac::equal(&hash, secret),
            _ => false,
        };
        mac::equal(&hash, &self.secret) || previous
    }
}

/// A session to be written.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its id.
    pub id: Id<id::Session>,
    /// Whose it is.
    pub person: Id<id::Person>,
    /// The epoch that the person had when they proved themselves.
    pub epoch: i64,
    /// Hash of its handle.
    pub secret: [u8; 32],
    /// Hash of the device.
    pub device: Vec<u8>,
    /// The proofs given, as JSON.
    pub facts: String,
    /// When the last of them was given.
    pub auth_time: Time,
    /// Sealed origin.
    pub origin: Vec<u8>,
    /// When it ends in any case.
    pub expires_at: Time,
}

statements! {
    const BY_ID: &str = "SELECT s.id, s.person, s.epoch, s.secret, s.previous_secret, s.previous_until, s.device, \
        s.facts, s.auth_time, s.origin, s.created_at, s.seen_at, s.expires_at, s.ended_at, s.version, p.state, p.epoch \
        FROM session s JOIN person p ON p.tenant = s.tenant AND p.id = s.person \
        WHERE s.tenant = $1 AND s.id = $2";
    const OF_PERSON: &str = "SELECT s.id, s.person, s.epoch, s.secret, s.previous_secret, s.previous_until, s.device, \
        s.facts, s.auth_time, s.origin, s.created_at, s.seen_at, s.expires_at, s.ended_at, s.version, p.state, p.epoch \
        FROM session s JOIN person p ON p.tenant = s.tenant AND p.id = s.person \
        WHERE s.tenant = $1 AND s.person = $2 AND s.ended_at IS NULL AND s.expires_at > $3 \
        ORDER BY s.seen_at DESC LIMIT 200";
    const INSERT: &str = "INSERT INTO session (tenant, id, person, epoch, secret, device, facts, auth_time, origin, \
        created_at, seen_at, expires_at, version) \
        SELECT p.tenant, $2, p.id, p.epoch, $5, $6, $7, $8, $9, $10, $10, $11, 1 FROM person p \
        WHERE p.tenant = $1 AND p.id = $3 AND p.epoch = $4 AND p.state = 'active'";
    const PROVE: &str = "UPDATE session SET secret = $4, previous_secret = secret, previous_until = $5, facts = $6, \
        auth_time = $7, seen_at = $7, version = version + 1 \
        WHERE tenant = $1 AND id = $2 AND version = $3 AND ended_at IS NULL";
    const SEEN: &str = "UPDATE session SET seen_at = $3 WHERE tenant = $1 AND id = $2 AND seen_at < $3";
    /// Finds a session seen at this moment or later.
    pub const SEEN_PROBE: &str = "SELECT 1 FROM session WHERE tenant = $1 AND id = $2 AND seen_at >= $3";
    const END: &str = "UPDATE session SET ended_at = $4, version = version + 1 \
        WHERE tenant = $1 AND id = $2 AND person = $3 AND ended_at IS NULL";
    const RESTAMP: &str = "UPDATE session SET epoch = $5, secret = $6, previous_secret = NULL, previous_until = NULL, \
        version = version + 1 WHERE tenant = $1 AND id = $2 AND person = $3 AND epoch = $4 AND ended_at IS NULL";
    const DROP_OF_PERSON: &str = "DELETE FROM session WHERE tenant = $1 AND person = $2";
}

/// The session with this id, dead or alive.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_id(
    db: &Db,
    tenant: Id<id::Tenant>,
    id: Id<id::Session>,
) -> Result<Option<SessionRow>, DbError> {
    db.one(BY_ID, args![tenant, id]).await
}

/// The person's sessions that have neither ended nor expired, the last used first. Whether each
/// lives is still to be asked.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn of_person(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    now: Time,
) -> Result<Vec<SessionRow>, DbError> {
    db.many(OF_PERSON, args![tenant, person, now]).await
}

/// A new session, if the person is active and still of the epoch in which they proved themselves.
pub fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, session: &NewSession, now: Time) {
    unit.push(
        INSERT,
        args![
            tenant,
            session.id,
            session.person,
            session.epoch,
            session.secret,
            &session.device,
            &session.facts,
            session.auth_time,
            &session.origin,
            now,
            session.expires_at
        ],
        Expect::Rows(1),
    );
}

/// The person proved themselves again in this session: new proofs, and a new handle beside the old
/// one until `previous_until`. Guarded by the version.
pub fn prove_again(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    session: &SessionRow,
    proof: (&[u8; 32], &str, Time),
    previous_until: Time,
) {
    let (secret, facts, auth_time) = proof;
    unit.push(
        PROVE,
        args![tenant, session.id, session.version, *secret, previous_until, facts, auth_time],
        Expect::Rows(1),
    );
}

/// Notes that the session is in use. May be lost.
pub fn seen(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Session>, now: Time) {
    unit.push(SEEN, args![tenant, id, now], Expect::Any);
}

/// Ends a session of this person.
pub fn end(unit: &mut Unit, tenant: Id<id::Tenant>, session: (Id<id::Session>, Id<id::Person>), now: Time) {
    unit.push(END, args![tenant, session.0, session.1, now], Expect::Rows(1));
}

/// Carries this session over into the person's next epoch, with a new handle.
pub fn restamp(unit: &mut Unit, tenant: Id<id::Tenant>, session: &SessionRow, secret: &[u8; 32]) {
    unit.push(
        RESTAMP,
        args![tenant, session.id, session.person, session.epoch, session.epoch + 1, *secret],
        Expect::Rows(1),
    );
}

/// Removes all sessions of a deleted person.
pub fn drop_of_person(unit: &mut Unit, tenant: Id<id::Tenant>, person: Id<id::Person>) {
    unit.push(DROP_OF_PERSON, args![tenant, person], Expect::Any);
}
