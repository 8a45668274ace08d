//! Units on PostgreSQL: a guarded statement with its event in one round trip, longer units in two.
//! While the fate of a try is unknown the same unit is tried again: it meets its own event, waits
//! for a commit in flight, and knows.

use super::{
    super::{DbError, Expect, Outcome, Unit, error::Failure, unit::Write},
    connection::{Connection, Form},
    pool::Pool,
    timed,
};
use crate::dialect;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a unit is repeated.
const TOTAL: Duration = Duration::from_secs(6);
/// How long one try may take: longer than the wait for a lock.
const TRY: Duration = Duration::from_secs(4);
/// Between tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Carries out a unit.
pub(super) async fn commit(pool: &Pool, unit: &Unit) -> Result<Outcome, DbError> {
    let deadline = Instant::now() + TOTAL;
    // Set once a try may have happened without our knowing.
    let mut lost: Option<String> = None;
    loop {
        let failure = match pool.take().await {
            Err(error) => Failure::Final(error),
            Ok(connection) => {
                let left = deadline.saturating_duration_since(Instant::now()).min(TRY);
                let end = timed(left, attempt(&connection, unit)).await;
                if !matches!(end, Err(Failure::Lost(_))) {
                    connection.give_back();
                }
                match end {
                    Ok(outcome) => return Ok(outcome),
                    Err(failure) => failure,
                }
            }
        };
        match (failure, &lost) {
            (Failure::Lost(detail), _) => lost = Some(detail),
            (Failure::Again(_) | Failure::Stale, _) if Instant::now() < deadline => {}
            // An earlier try may have happened: only its event can tell.
            (Failure::Final(DbError::Unavailable(_) | DbError::Full), Some(_)) => {}
            (Failure::Final(error), _) => return Err(error),
            (failure, None) => return Err(failure.into_error()),
            (_, Some(_)) => {}
        }
        if let Some(detail) = &lost
            && Instant::now() + PAUSE >= deadline
        {
            return Err(DbError::Unknown(detail.clone()));
        }
        sleep(PAUSE).await;
    }
}

/// One try. On every failure but a lost connection nothing is left open.
async fn attempt(connection: &Connection, unit: &Unit) -> Result<Outcome, Failure> {
    let refused = match (unit.events.as_slice(), unit.writes.as_slice()) {
        ([event], [write]) if single(write) => {
            let mut args = write.args.clone();
            args.extend(event.args());
            match connection.execute(write.sql, Form::Pair, &args).await {
                Ok(1) => None,
                Ok(_) | Err(Failure::Unique) => Some(0),
                Err(failure) => return Err(failure),
            }
        }
        ([], [write]) if single(write) => {
            match connection.query_as(write.sql, Form::Guarded, &write.args).await {
                Ok(rows) if touched_one(&rows) => None,
                Ok(_) | Err(Failure::Unique) => Some(0),
                Err(failure) => return Err(failure),
            }
        }
        _ => transaction(connection, unit).await?,
    };
    let Some(statement) = refused else { return Ok(Outcome::Done) };
    let (sql, args) = unit.probe();
    Ok(match connection.query(sql, &args).await?.is_empty() {
        true => Outcome::Conflict { statement },
        false => Outcome::Done,
    })
}

fn single(write: &Write) -> bool {
    write.expect == Expect::Rows(1) && dialect::composable(write.sql)
}

fn touched_one(rows: &[tokio_postgres::Row]) -> bool {
    rows.first().is_some_and(|row| row.try_get::<_, Option<i32>>(0).is_ok_and(|one| one.is_some()))
}

/// BEGIN and all statements in one round trip, then COMMIT or ROLLBACK once the counts are known.
/// Gives the position of a statement that did not touch what it must.
async fn transaction(connection: &Connection, unit: &Unit) -> Result<Option<usize>, Failure> {
    let recording = connection.statement(dialect::INSERT_EVENT, Form::Plain).await?;
    let mut statements = Vec::with_capacity(unit.writes.len());
    for write in &unit.writes {
        statements.push(connection.statement(write.sql, Form::Plain).await?);
    }
    let events: Vec<_> = unit.events.iter().map(super::super::EventRow::args).collect();
    let mut sent: Vec<Sent<'_>> = vec![Box::pin(connection.control("BEGIN"))];
    for args in &events {
        sent.push(Box::pin(connection.run(&recording, args)));
    }
    for (statement, write) in statements.iter().zip(&unit.writes) {
        sent.push(Box::pin(connection.run(statement, &write.args)));
    }
    let answers = Pipelined { sent, answers: Vec::new() }.await;
    match verdict(unit, answers) {
        Ok(None) => connection.control("COMMIT").await.map(|_| None),
        Err(Failure::Lost(detail)) => Err(Failure::Lost(detail)),
        refused => {
            // If even this fails, the connection must not be used again.
            connection.control("ROLLBACK").await.map_err(|f| Failure::Lost(f.into_error().to_string()))?;
            refused
        }
    }
}

/// The first answer that is not as expected decides; those behind it only follow from it.
fn verdict(unit: &Unit, answers: Vec<Result<u64, Failure>>) -> Result<Option<usize>, Failure> {
    let begin = std::iter::once((Expect::Any, 0));
    let events = unit.events.iter().map(|_| (Expect::Rows(1), unit.writes.len()));
    let writes = unit.writes.iter().zip(0..).map(|(write, position)| (write.expect, position));
    for ((expect, position), answer) in begin.chain(events).chain(writes).zip(answers) {
        match answer {
            Ok(rows) if expect.met(rows) => {}
            Ok(_) | Err(Failure::Unique) => return Ok(Some(position)),
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<u64, Failure>> + Send + 'a>>;

/// Requests that are all sent, in their order, before the first answer is waited for.
struct Pipelined<'a> {
    sent: Vec<Sent<'a>>,
    answers: Vec<Option<Result<u64, Failure>>>,
}

impl Future for Pipelined<'_> {
    type Output = Vec<Result<u64, Failure>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { sent, answers } = self.get_mut();
        answers.resize_with(sent.len(), || None);
        let mut waiting = false;
        for (request, answer) in sent.iter_mut().zip(answers.iter_mut()) {
            if answer.is_none() {
                match request.as_mut().poll(context) {
                    Poll::Ready(ready) => *answer = Some(ready),
                    Poll::Pending => waiting = true,
                }
            }
        }
        match waiting {
            true => Poll::Pending,
            false => Poll::Ready(answers.drain(..).flatten().collect()),
        }
    }
}
