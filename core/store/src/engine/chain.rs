//! The event chain: one row a batch of numbered events, holding the hash of the row before and of
//! the stored, sealed bytes of its events in the order of their numbers. A destroyed key leaves it
//! verifiable; a changed, removed or slipped-in event does not.

use super::{Db, DbError, EventRow, FromRow, Row};
use aws_lc_rs::digest;

/// The hash at the end of a batch.
pub(crate) type Hash = [u8; 32];

/// The end of the chain so far. An empty chain ends at number 0 with a hash of zeros.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) number: i64,
    pub(crate) hash: Hash,
}

impl FromRow for Link {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Self { number: row.get(0)?, hash: row.get(1)? })
    }
}

/// The last row of the chain.
pub(crate) const LAST_LINK: &str = "SELECT last, hash FROM event_chain ORDER BY last DESC LIMIT 1";

/// Adds a row to the chain.
pub(crate) const INSERT_LINK: &str =
    "INSERT INTO event_chain (last, first, previous, hash) VALUES ($1, $2, $3, $4)";

/// Hashes the events of one batch. Every field stands with a tag and its length, so that no two
/// batches have the same bytes.
pub(crate) struct Hasher(digest::Context);

impl Hasher {
    pub(crate) fn after(previous: &Hash) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(previous);
        Self(context)
    }

    fn field(&mut self, bytes: Option<&[u8]>) {
        self.0.update(&[u8::from(bytes.is_some())]);
        let bytes = bytes.unwrap_or_default();
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn add(&mut self, number: i64, event: &EventRow) {
        self.0.update(&number.to_be_bytes());
        self.field(Some(event.tenant.as_bytes()));
        self.field(Some(event.id.as_bytes()));
        self.field(Some(event.kind.as_bytes()));
        self.field(event.person.as_ref().map(|id| id.as_bytes().as_slice()));
        self.field(event.actor.as_deref().map(str::as_bytes));
        self.field(event.application.as_ref().map(|id| id.as_bytes().as_slice()));
        self.field(event.session.as_ref().map(|id| id.as_bytes().as_slice()));
        self.field(Some(&event.at.micros().to_be_bytes()));
        self.field(Some(&event.data));
    }

    pub(crate) fn finish(self) -> Hash {
        let mut hash = Hash::default();
        for (to, from) in hash.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        hash
    }
}

/// An event with its number, as consumers and the verification read it.
pub(crate) struct Numbered {
    pub(crate) number: i64,
    pub(crate) event: EventRow,
}

impl FromRow for Numbered {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        let event = EventRow {
            tenant: row.get(1)?,
            id: row.get(2)?,
            kind: row.get(3)?,
            person: row.get(4)?,
            actor: row.get(5)?,
            application: row.get(6)?,
            session: row.get(7)?,
            at: row.get(8)?,
            data: row.get(9)?,
        };
        Ok(Self { number: row.get(0)?, event })
    }
}

struct Batch {
    last: i64,
    first: i64,
    previous: Hash,
    hash: Hash,
}

impl FromRow for Batch {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Self { last: row.get(0)?, first: row.get(1)?, previous: row.get(2)?, hash: row.get(3)? })
    }
}

/// Batches after a number, in order.
pub(crate) const NEXT_BATCHES: &str =
    "SELECT last, first, previous, hash FROM event_chain WHERE last > $1 ORDER BY last LIMIT 100";

/// The events of a range of numbers, in order.
pub(crate) const EVENTS_IN: &str = "SELECT number, tenant, id, kind, person, actor, application, session, at, data FROM event \
     WHERE number BETWEEN $1 AND $2 ORDER BY number";

/// What the verification of the chain found in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// Rows of the chain.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// The number of the last event, 0 if there is none.
    pub last: i64,
}

/// Verifies the whole chain, from its first row that is still kept.
///
/// # Errors
/// [`DbError::Chain`] names the first batch that does not fit; other errors as they come.
pub async fn verify_chain(db: &Db) -> Result<Verified, DbError> {
    let mut verified = Verified::default();
    let mut end: Option<Link> = None;
    loop {
        let after = end.map_or(0, |link| link.number);
        let batches = db.scan::<Batch>(NEXT_BATCHES, crate::args![after]).await?;
        if batches.is_empty() {
            return Ok(verified);
        }
        for batch in batches {
            let events = db.scan::<Numbered>(EVENTS_IN, crate::args![batch.first, batch.last]).await?;
            verify_batch(end, &batch, &events)?;
            verified.batches += 1;
            verified.events += events.len() as u64;
            verified.last = batch.last;
            end = Some(Link { number: batch.last, hash: batch.hash });
        }
    }
}

fn verify_batch(before: Option<Link>, batch: &Batch, events: &[Numbered]) -> Result<(), DbError> {
    let Batch { first, last, .. } = batch;
    let broken = |what: &str| Err(DbError::Chain(format!("events {first} to {last}: {what}")));
    if before.is_some_and(|link| link.number + 1 != *first || link.hash != batch.previous) {
        return broken("they do not follow the batch before");
    }
    if !events.iter().map(|e| e.number).eq(*first..=*last) {
        return broken("one is missing, or there is one too many");
    }
    let mut hasher = Hasher::after(&batch.previous);
    events.iter().for_each(|numbered| hasher.add(numbered.number, &numbered.event));
    if hasher.finish() != batch.hash {
        return broken("one was changed");
    }
    Ok(())
}
