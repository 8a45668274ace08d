//! The migrator: one text for both engines, each statement a transaction of its own that also
//! records it, so that a migration can be killed anywhere and run again, and by several nodes at once.
//!
//! Migrations expand first and contract a release later, so that versions N and N+1 run side by
//! side. A recorded statement is never edited: its checksum is compared.
//!
//! Macros of the text:
//!
//! | macro | SQLite | PostgreSQL |
//! |---|---|---|
//! | `{id}`, `{bytes}` | `BLOB` | `BYTEA` |
//! | `{text}` | `TEXT` | `TEXT COLLATE "C"` |
//! | `{int}`, `{bigint}` | `INTEGER` | `BIGINT` |
//! | `{bool}` | `INTEGER` (0, 1) | `BOOLEAN` |
//! | `{table}`, `{strict}` after the closing parenthesis | `STRICT, WITHOUT ROWID` | nothing |
//! | `{sqlite}`, `{postgres}` before a statement | only on this engine | only on this engine |
//!
//! Statements end with `;`. There are line comments (`--`), no block comments, no dollar quotes.
//! The body of a trigger ends with `END`.

use crate::{Db, DbError, Engine, dialect, engine::FromRow, statements};
use aws_lc_rs::digest;

/// A migration: its name begins with a time, which gives the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its name, such as `20261124000100_event`.
    pub id: &'static str,
    /// Its text, see the head of this module.
    pub sql: &'static str,
}

/// The migrations of this crate: events, then the shared aggregates.
pub const MIGRATIONS: &[Migration] = &[
    Migration { id: "20261124000100_event", sql: include_str!("../migrations/20261124000100_event.sql") },
    Migration { id: "20261124000200_core", sql: include_str!("../migrations/20261124000200_core.sql") },
    Migration { id: "20261125000100_listing", sql: include_str!("../migrations/20261125000100_listing.sql") },
    Migration { id: "20261125000200_secret", sql: include_str!("../migrations/20261125000200_secret.sql") },
    Migration { id: "20261125000400_infix", sql: include_str!("../migrations/20261125000400_infix.sql") },
    Migration {
        id: "20261125000600_catalogue",
        sql: include_str!("../migrations/20261125000600_catalogue.sql"),
    },
    Migration {
        id: "20261125000700_given_in",
        sql: include_str!("../migrations/20261125000700_given_in.sql"),
    },
    Migration {
        id: "20261201000100_statistics",
        sql: include_str!("../migrations/20261201000100_statistics.sql"),
    },
    Migration {
        id: "20261201000200_infix_by_number",
        sql: include_str!("../migrations/20261201000200_infix_by_number.sql"),
    },
    Migration {
        id: "20261201000300_revoked_expiry",
        sql: include_str!("../migrations/20261201000300_revoked_expiry.sql"),
    },
    Migration {
        id: "20261201000400_infix_by_writer",
        sql: include_str!("../migrations/20261201000400_infix_by_writer.sql"),
    },
];

/// A statement that the database has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its migration.
    pub migration: &'static str,
    /// Its place in it, counted from 1.
    pub step: i64,
    /// Its text for this database; empty if it concerns the other engine only.
    pub sql: String,
}

/// One statement as the engines carry it out.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) migration: &'static str,
    pub(crate) number: i64,
    pub(crate) sql: String,
    pub(crate) checksum: [u8; 32],
}

statements! {
    const APPLIED: &str = "SELECT id, step, checksum FROM migration";
    pub(crate) const FIND: &str = "SELECT checksum FROM migration WHERE id = $1 AND step = $2";
    pub(crate) const RECORD: &str = "INSERT INTO migration (id, step, checksum) VALUES ($1, $2, $3)";
}

/// The migrator's own table, made before anything else.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (id {text} NOT NULL, \
    step {int} NOT NULL, checksum {bytes} NOT NULL, PRIMARY KEY (id, step)){table}";

/// Carries out what is pending; gives the number of statements.
///
/// # Errors
/// [`DbError::Migration`] if a recorded statement was edited or a statement is refused; what was
/// recorded before stays, and the next run goes on from there.
pub async fn migrate(db: &Db, migrations: &[Migration]) -> Result<usize, DbError> {
    let steps = steps(db.engine(), migrations)?;
    match (db.sqlite(), db.postgres()) {
        (Some(store), _) => store.migrate(steps).await,
        (_, Some(store)) => store.migrate(steps).await,
        _ => Ok(0),
    }
}

/// Recorded migrations that this program does not know: a newer one made them.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn unknown(db: &Db, migrations: &[Migration]) -> Result<Vec<String>, DbError> {
    if db.one::<Exists>(dialect::table_exists(db.engine()), crate::args!["migration"]).await?.is_none() {
        return Ok(Vec::new());
    }
    let applied = db.scan::<(String, i64, [u8; 32])>(APPLIED, Vec::new()).await?;
    let mut unknown: Vec<String> = applied
        .into_iter()
        .map(|(id, _, _)| id)
        .filter(|id| migrations.iter().all(|migration| migration.id != id))
        .collect();
    unknown.sort();
    unknown.dedup();
    Ok(unknown)
}

/// What [`migrate`] would carry out, in order.
///
/// # Errors
/// [`DbError::Migration`] if a recorded statement was edited.
pub async fn pending(db: &Db, migrations: &[Migration]) -> Result<Vec<Pending>, DbError> {
    let steps = steps(db.engine(), migrations)?;
    let table = db.one::<Exists>(dialect::table_exists(db.engine()), crate::args!["migration"]).await?;
    let applied = match table {
        Some(Exists) => db.scan::<(String, i64, [u8; 32])>(APPLIED, Vec::new()).await?,
        None => Vec::new(),
    };
    let mut pending = Vec::new();
    for step in steps {
        let recorded = applied.iter().find(|(id, number, _)| id == step.migration && *number == step.number);
        match recorded {
            Some((_, _, checksum)) => step.unchanged(checksum)?,
            None => {
                pending.push(Pending { migration: step.migration, step: step.number, sql: step.sql });
            }
        }
    }
    Ok(pending)
}

struct Exists;

impl FromRow for Exists {
    fn from_row(_: &crate::Row<'_>) -> Result<Self, DbError> {
        Ok(Self)
    }
}

impl Step {
    /// That it is what was recorded under its name.
    pub(crate) fn unchanged(&self, recorded: &[u8]) -> Result<(), DbError> {
        match recorded == self.checksum {
            true => Ok(()),
            false => Err(self.failed("was edited after it was carried out")),
        }
    }

    pub(crate) fn failed(&self, what: impl std::fmt::Display) -> DbError {
        DbError::Migration(format!("{} statement {}: {what}", self.migration, self.number))
    }
}

fn steps(engine: Engine, migrations: &[Migration]) -> Result<Vec<Step>, DbError> {
    let mut migrations = migrations.to_vec();
    migrations.sort_by_key(|migration| migration.id);
    if let Some((a, _)) = migrations.iter().zip(migrations.iter().skip(1)).find(|(a, b)| a.id == b.id) {
        return Err(DbError::Migration(format!("two are named {}", a.id)));
    }
    let mut steps = Vec::new();
    for migration in migrations {
        for (statement, number) in split(migration.sql).into_iter().zip(1..) {
            let mut checksum = [0; 32];
            checksum.copy_from_slice(digest::digest(&digest::SHA256, statement.as_bytes()).as_ref());
            let sql = for_engine(engine, &statement);
            steps.push(Step { migration: migration.id, number, sql, checksum });
        }
    }
    Ok(steps)
}

/// The statement for this engine, empty if it is not for it.
fn for_engine(engine: Engine, statement: &str) -> String {
    let own = match (statement.strip_prefix("{sqlite}"), statement.strip_prefix("{postgres}")) {
        (Some(own), _) if engine == Engine::Sqlite => own,
        (_, Some(own)) if engine == Engine::Postgres => own,
        (None, None) => statement,
        _ => "",
    };
    dialect::migration_text(engine, own.trim())
}

/// Statements without comments, in their order.
fn split(sql: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    let mut quote = None;
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match quote {
            None if letter == '-' && letters.peek() == Some(&'-') => {
                letters.by_ref().find(|letter| *letter == '\n');
                continue;
            }
            None if letter == ';' && !statements.last().is_some_and(|open| in_trigger(open)) => {
                statements.push(String::new());
                continue;
            }
            None if letter == '\'' || letter == '"' => quote = Some(letter),
            Some(open) if letter == open => quote = None,
            _ => {}
        }
        if let Some(statement) = statements.last_mut() {
            statement.push(letter);
        }
    }
    statements.iter().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}

/// Whether a statement so far is a trigger whose body has not ended.
fn in_trigger(statement: &str) -> bool {
    statement.contains("CREATE TRIGGER") && !statement.trim_end().ends_with("END")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_at_semicolons_outside_quotes_and_comments() {
        let sql = "-- one; two\nCREATE TABLE a (b TEXT); -- end\nINSERT INTO a VALUES ('x;--y');\n;";
        assert_eq!(split(sql), ["CREATE TABLE a (b TEXT)", "INSERT INTO a VALUES ('x;--y')"]);
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let sql = "{sqlite} CREATE TRIGGER t AFTER INSERT ON a BEGIN\n SELECT 1; SELECT 2;\nEND;\nSELECT 3;";
        let statements = split(sql);
        assert_eq!(statements.len(), 2, "{statements:?}");
        assert!(statements[0].ends_with("SELECT 2;\nEND"));
    }

    #[test]
    fn macros_and_engine_marks_are_filled_in() {
        let sql = "{sqlite} CREATE TABLE a (b {text}, c {bool}) {table}";
        assert_eq!(
            for_engine(Engine::Sqlite, sql),
            "CREATE TABLE a (b TEXT, c INTEGER)  STRICT, WITHOUT ROWID"
        );
        assert_eq!(for_engine(Engine::Postgres, sql), "");
        assert_eq!(for_engine(Engine::Postgres, "a {text} {int}"), "a TEXT COLLATE \"C\" BIGINT");
    }

    #[test]
    fn two_migrations_of_one_name_are_refused() {
        let twice = Migration { id: "1_a", sql: "SELECT 1" };
        assert!(matches!(steps(Engine::Sqlite, &[twice, twice]), Err(DbError::Migration(_))));
    }
}
