//! Numbers events on PostgreSQL: batches of 500 in the order of their ids, each with its row of the
//! chain, in a transaction that holds the sequencer's row.

use super::{
    super::{
        DbError, FromRow, Row,
        chain::{self, Hasher, Link, Numbered},
        error::Failure,
        value::Source,
    },
    Store, TRIES,
    connection::{Connection, Form},
    decode, timed,
};
use crate::dialect;
use std::time::Duration;

impl Store {
    /// Numbers one batch and says how many events it held.
    pub(crate) async fn number_events(&self) -> Result<usize, DbError> {
        let mut last = None;
        for _ in 0..TRIES {
            let connection = self.writes.take().await?;
            let numbered = timed(Duration::from_secs(8), batch(&connection)).await;
            match numbered {
                Ok(count) => {
                    connection.give_back();
                    return Ok(count);
                }
                Err(failure) => last = Some(super::again(failure)?),
            }
        }
        Err(super::unavailable(last))
    }
}

/// Any failure leaves the connection in its transaction: it is to be dropped.
async fn batch(connection: &Connection) -> Result<usize, Failure> {
    connection.control(dialect::BEGIN_NUMBERING).await?;
    connection.query(dialect::LOCK_SEQUENCER, &[]).await?;
    let end: Vec<Link> = decode(&connection.query(chain::LAST_LINK, &[]).await?, 1)?;
    let end = end.into_iter().next().unwrap_or_default();
    let after = crate::args![end.number];
    let rows = connection.query(dialect::NUMBER_EVENTS, &after).await?;
    let mut events = rows
        .iter()
        .map(|row| Numbered::from_row(&Row::new(Source::Postgres(row))))
        .collect::<Result<Vec<_>, _>>()?;
    if events.is_empty() {
        connection.control("ROLLBACK").await?;
        return Ok(0);
    }
    events.sort_unstable_by_key(|numbered| numbered.number);
    let mut hasher = Hasher::after(&end.hash);
    let mut number = end.number;
    for numbered in &events {
        number = numbered.number;
        hasher.add(number, &numbered.event);
    }
    let link = crate::args![number, end.number + 1, end.hash, hasher.finish()];
    connection.execute(chain::INSERT_LINK, Form::Plain, &link).await?;
    let last = crate::args![number];
    connection.execute(dialect::MOVE_SEQUENCER, Form::Plain, &last).await?;
    connection.control("COMMIT").await?;
    Ok(events.len())
}
