//! The tables of this capability alone: assertions that were used, applications that registered
//! themselves, and what let them; who is told when a session ends.

pub(crate) mod assertion;
pub(crate) mod follower;
pub(crate) mod listener;
pub(crate) mod notice;
pub(crate) mod registration;

use store::Migration;

/// The migrations of these tables, to be carried out with those of the store.
pub const MIGRATIONS: &[Migration] = &[
    Migration { id: "20261125000400_oidc", sql: include_str!("../../migrations/20261125000400_oidc.sql") },
    Migration { id: "20261125000500_logout", sql: include_str!("20261125000500_logout.sql") },
    Migration {
        id: "20261125000800_listener",
        sql: include_str!("../../migrations/20261125000800_listener.sql"),
    },
];

/// Every statement of this crate, for the check that both engines accept them.
#[must_use]
pub fn statements() -> Vec<&'static str> {
    [assertion::ALL, follower::ALL, listener::ALL, notice::ALL, registration::ALL].concat()
}
