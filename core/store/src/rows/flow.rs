//! Flows: a sign-in journey under way, as a list of facts. What comes next is never stored.

use crate::{Db, DbError, Expect, Unit, UnitId, args, row, statements};
use base::{Id, Time, id};

row! {
    /// A flow as stored.
    pub struct FlowRow {
        /// Its id.
        pub id: Id<id::Flow>,
        /// Hash of the browser's device cookie.
        pub browser: Vec<u8>,
        /// What it is for, sealed under the tenant's key with the label `flow.intent`.
        pub intent: Vec<u8>,
        /// The facts, sealed under the tenant's key with the label `flow.facts`.
        pub facts: Vec<u8>,
        /// `open` or `closed`.
        pub state: String,
        /// Raised at each POST.
        pub version: i64,
        /// When it ends unfinished.
        pub expires_at: Time,
    }
}

statements! {
    const BY_ID: &str = "SELECT id, browser, intent, facts, state, version, expires_at FROM flow \
        WHERE tenant = $1 AND id = $2";
    const INSERT: &str = "INSERT INTO flow (tenant, id, browser, intent, facts, state, unit, version, created_at, \
        expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9) ON CONFLICT (tenant, id) DO NOTHING";
    const ADVANCE: &str = "UPDATE flow SET facts = $4, unit = $5, version = version + 1 \
        WHERE tenant = $1 AND id = $2 AND version = $3 AND state = 'open'";
    const CLOSE: &str = "UPDATE flow SET facts = $4, unit = $5, version = version + 1, state = 'closed' \
        WHERE tenant = $1 AND id = $2 AND version = $3 AND state = 'open'";
    /// Finds a flow whose last unit was this one.
    pub const PROBE: &str = "SELECT 1 FROM flow WHERE tenant = $1 AND id = $2 AND unit = $3";
    const PARK: &str = "INSERT INTO parked_request (tenant, id, body, expires_at) VALUES ($1, $2, $3, $4)";
    const PARKED: &str = "SELECT body FROM parked_request WHERE tenant = $1 AND id = $2 AND expires_at > $3";
    /// Finds a parked request.
    pub const PARK_PROBE: &str = "SELECT 1 FROM parked_request WHERE tenant = $1 AND id = $2";
}

/// The flow with this id, open or closed.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_id(db: &Db, tenant: Id<id::Tenant>, id: Id<id::Flow>) -> Result<Option<FlowRow>, DbError> {
    db.one(BY_ID, args![tenant, id]).await
}

/// A unit of this flow that records no event: it is known by the flow's row.
pub fn unit(tenant: Id<id::Tenant>, flow: Id<id::Flow>, id: UnitId) -> Unit {
    Unit::marked(id, PROBE, args![tenant, flow, id])
}

/// Inserts the flow, open or closed, if it is not there yet. Whoever loses reads what is there and
/// goes on.
pub fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, flow: &FlowRow, now: Time) {
    let mark = unit.id();
    unit.push(
        INSERT,
        args![
            tenant,
            flow.id,
            &flow.browser,
            &flow.intent,
            &flow.facts,
            &flow.state,
            mark,
            now,
            flow.expires_at
        ],
        Expect::Rows(1),
    );
}

/// Writes the facts. Guarded by the version.
pub fn advance(unit: &mut Unit, tenant: Id<id::Tenant>, flow: &FlowRow, facts: &[u8]) {
    let mark = unit.id();
    unit.push(ADVANCE, args![tenant, flow.id, flow.version, facts, mark], Expect::Rows(1));
}

/// Writes the last facts and closes the flow. Guarded by the version.
pub fn close(unit: &mut Unit, tenant: Id<id::Tenant>, flow: &FlowRow, facts: &[u8]) {
    let mark = unit.id();
    unit.push(CLOSE, args![tenant, flow.id, flow.version, facts, mark], Expect::Rows(1));
}

/// Parks a request that is too long for a redirect.
pub fn park(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Flow>, body: &[u8], until: Time) {
    unit.push(PARK, args![tenant, id, body, until], Expect::Rows(1));
}

/// A parked request.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn parked(
    db: &Db,
    tenant: Id<id::Tenant>,
    id: Id<id::Flow>,
    now: Time,
) -> Result<Option<Vec<u8>>, DbError> {
    db.one(PARKED, args![tenant, id, now]).await
}
