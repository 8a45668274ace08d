//! Values come back as they went in, and what one engine would refuse the other refuses too.

use super::{BY_NAME, Check, Failed, INSERT, NAMED, READ, USE, VERSION, ensure, event, fresh, made};
use crate::{Db, DbError, Expect, Unit, Value, args};
use base::{Id, id};

type Stored = (Option<String>, i64, Option<bool>, Option<Vec<u8>>);

async fn store(db: &Db, args: Vec<Value>) -> Result<bool, DbError> {
    let unit = fresh();
    let unit = Unit::new(unit, vec![event(unit)]).write(INSERT, args, Expect::Rows(1));
    Ok(db.commit(unit).await?.done())
}

/// Hostile values make the round trip.
///
/// # Errors
/// What did not hold.
pub async fn round_trip(db: &Db) -> Check {
    let texts = ["", "'; DROP TABLE thing; --", "$1 ?1 %_\\", "Ünïcödé 🦀 \u{202e}", "\u{1}\t\r\n", "NULL"];
    for (text, number) in texts.iter().zip([i64::MIN, -1, 0, 1, i64::from(i32::MAX) + 1, i64::MAX]) {
        let thing: Id<id::Key> = fresh();
        let bytes: Vec<u8> = (0..=255).chain(text.bytes()).collect();
        ensure!(store(db, args![thing, *text, number, false, &bytes]).await?, "{text:?} was not stored");
        let row: Option<Stored> = db.one(READ, args![thing]).await?;
        let expected = (Some((*text).to_owned()), number, Some(false), Some(bytes));
        ensure!(row == Some(expected), "{text:?} and {number} came back changed");
        let found: Option<Id<id::Key>> = db.one(NAMED, args![*text]).await?;
        ensure!(found == Some(thing), "{text:?} is not found by its text");
    }
    let thing: Id<id::Key> = fresh();
    let long = "é".repeat(1_000);
    let large = vec![0xab; 400_000];
    ensure!(store(db, args![thing, &long, 0_i64, true, &large]).await?, "a long text was not stored");
    let row: Option<Stored> = db.one(READ, args![thing]).await?;
    ensure!(row == Some((Some(long), 0, Some(true), Some(large))), "a long text came back changed");
    let thing: Id<id::Key> = fresh();
    ensure!(store(db, args![thing, None::<&str>, 0_i64, None::<bool>, Vec::new()]).await?, "no NULL");
    let row: Option<Stored> = db.one(READ, args![thing]).await?;
    ensure!(row == Some((None, 0, None, Some(Vec::new()))), "NULL or no bytes came back as something else");
    Ok(())
}

/// Text is compared and sorted by its bytes.
///
/// # Errors
/// What did not hold.
pub async fn text_is_bytes(db: &Db) -> Check {
    for name in ["b", "a", "é", "Z", "e\u{301}", "A", "a b", "ab"] {
        made(db, Some(name)).await?;
    }
    let sorted: Vec<String> = db.scan(BY_NAME, args![]).await?;
    let expected = ["A", "Z", "a", "a b", "ab", "b", "e\u{301}", "é"];
    ensure!(sorted == expected, "sorted as {sorted:?}");
    Ok(())
}

/// What does not fit is refused as a fault of the program, without harm.
///
/// # Errors
/// What did not hold.
pub async fn unfit_is_refused(db: &Db) -> Check {
    let refused = |what: &str, result: Result<bool, DbError>| match result {
        Err(DbError::Sql(_)) => Ok(()),
        other => Err(Failed(format!("{what}: {other:?}"))),
    };
    let id: Id<id::Key> = fresh();
    let none = None::<&[u8]>;
    refused("NUL in text", store(db, args![id, "a\0b", 0_i64, true, none]).await)?;
    refused("text as integer", store(db, args![id, "a", "zero", true, none]).await)?;
    refused("bytes as text", store(db, args![id, b"a", 0_i64, true, none]).await)?;
    refused("text as bytes", store(db, args![id, "a", 0_i64, true, "a"]).await)?;
    refused("a missing value", store(db, args![id, "a", 0_i64]).await)?;
    refused("NULL in a NOT NULL column", store(db, args![id, "a", None::<i64>, true, none]).await)?;
    let unit = fresh();
    let misnamed = Unit::new(unit, vec![event(fresh())]).write(USE, args![id, 0_i64], Expect::Any);
    refused("an event of another id", db.commit(misnamed).await.map(crate::Outcome::done))?;
    let bare = Unit::new(unit, Vec::new()).write(USE, args![id, 0_i64], Expect::Any);
    refused("a unit without event", db.commit(bare).await.map(crate::Outcome::done))?;
    let read = db.one::<i64>(VERSION, args![]).await;
    ensure!(matches!(read, Err(DbError::Sql(_))), "a read without its value: {read:?}");
    ensure!(db.one::<i64>(READ, args![id]).await?.is_none(), "something was stored");
    made(db, Some("after")).await?;
    let decoded = db.many::<i64>(BY_NAME, args![]).await;
    ensure!(matches!(decoded, Err(DbError::Decode(_))), "text was read as integer: {decoded:?}");
    Ok(())
}

/// Reads cannot write.
///
/// # Errors
/// What did not hold.
pub async fn reads_do_not_write(db: &Db) -> Check {
    let thing = made(db, None).await?;
    for write in [
        db.one::<i64>(USE, args![thing, 0_i64]).await.err(),
        db.scan::<i64>(USE, args![thing, 0_i64]).await.err(),
    ] {
        ensure!(write.is_some(), "a read could write");
    }
    ensure!(super::version(db, thing).await? == 0, "a read has written");
    Ok(())
}
