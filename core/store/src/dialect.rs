//! What differs between the engines, both arms side by side: placeholders, pairs, the event's
//! statements, the types of migrations, and what a table listing looks like.
//!
//! The only place that may use SQL of one engine alone.

use crate::Engine;

/// How PostgreSQL inserts an event as a statement of its own; the parameters are those of
/// `EventRow::args`. No row means that this unit was done before.
pub(crate) const INSERT_EVENT: &str = "INSERT INTO event \
    (tenant, id, kind, person, actor, application, session, at, data) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";

/// The same on SQLite, where the writer thread numbers events as it inserts them.
pub(crate) const INSERT_NUMBERED_EVENT: &str = "INSERT INTO event \
    (tenant, id, kind, person, actor, application, session, at, data, number) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";

/// A text by which a person is found.
pub(crate) const INSERT_SEARCH: &str = "INSERT INTO search_text (tenant, text, person) VALUES ($1, $2, $3) \
    ON CONFLICT (tenant, text, person) DO NOTHING";

/// What the writer thread does for each such row on SQLite. A trigger would make a savepoint for each, at which
/// FTS5 writes out what it has gathered; so it does that once a commit.
pub(crate) const INSERT_TRIGRAMS: &str = "INSERT INTO search_infix (rowid, text) VALUES ($1, $2)";

/// Finds an event by its id: a row means that its unit was done.
pub(crate) const FIND_EVENT: &str = "SELECT 1 FROM event WHERE tenant = $1 AND id = $2";

/// Begins the numbering of a batch on PostgreSQL. The plan made while the table was small would scan
/// all of it later, so only the index on unnumbered rows is left to the planner.
pub(crate) const BEGIN_NUMBERING: &str = "BEGIN; SET LOCAL enable_seqscan = off; \
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

/// Waits until nobody else numbers.
pub(crate) const LOCK_SEQUENCER: &str = "SELECT number FROM sequencer WHERE name = 'event' FOR UPDATE";

/// Events that one batch of the chain holds at most on PostgreSQL, as written below.
pub(crate) const BATCH: usize = 500;

/// Numbers the oldest events without number, after `$1`.
pub(crate) const NUMBER_EVENTS: &str = "UPDATE event SET number = fresh.number FROM \
    (SELECT tenant, id, $1::bigint + row_number() OVER (ORDER BY id, tenant) AS number FROM \
    (SELECT tenant, id FROM event WHERE number IS NULL ORDER BY id LIMIT 500) AS waiting) AS fresh \
    WHERE event.tenant = fresh.tenant AND event.id = fresh.id RETURNING event.number, event.tenant, \
    event.id, kind, person, actor, application, session, at, data";

/// Tables of up to 100,000 rows of which half, and at least fifty rows, changed since PostgreSQL analysed them.
pub(crate) const GROWN_TABLES: &str = "SELECT quote_ident(s.relname) FROM pg_stat_user_tables s \
    JOIN pg_class c ON c.oid = s.relid WHERE s.schemaname = current_schema() AND c.reltuples < 100000 \
    AND s.n_mod_since_analyze >= 50 + greatest(c.reltuples, 0) * 0.5";

/// Writes down the last number given.
pub(crate) const MOVE_SEQUENCER: &str = "UPDATE sequencer SET number = $1 WHERE name = 'event'";

/// The version of the database, and a look for the extension of the search by parts of names.
pub(crate) const fn about(engine: Engine) -> (&'static str, &'static str) {
    match engine {
        Engine::Sqlite => ("SELECT sqlite_version()", "SELECT 1"),
        Engine::Postgres => (
            "SELECT current_setting('server_version')",
            "SELECT CAST(1 AS BIGINT) FROM pg_extension WHERE extname = 'pg_trgm'",
        ),
    }
}

/// Finds a table by its name.
pub(crate) const fn table_exists(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
        Engine::Postgres => "SELECT 1 WHERE to_regclass($1::text) IS NOT NULL",
    }
}

/// People one of whose texts holds another, by trigrams: `$1` is the tenant, `$2` what
/// [`infix_pattern`] makes of the text, `$3` the most people, `$4` their state or nothing. At most 2,000 texts are looked at.
pub(crate) const fn infix(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "SELECT p.id, p.state, p.locale, p.attributes, p.version, p.created_at, p.updated_at, min(f.text) \
             FROM (SELECT s.tenant, s.person, s.text FROM search_infix CROSS JOIN search_text s \
             ON s.id = search_infix.rowid WHERE search_infix MATCH $2 AND s.tenant = $1 \
             LIMIT 2000) AS f JOIN person p ON p.tenant = f.tenant AND p.id = f.person \
             WHERE p.state <> 'deleted' AND (p.state = $4 OR $4 = '') \
             GROUP BY p.tenant, p.id ORDER BY min(f.text), p.id LIMIT $3"
        }
        Engine::Postgres => {
            "SELECT p.id, p.state, p.locale, p.attributes, p.version, p.created_at, p.updated_at, min(f.text) \
             FROM (SELECT tenant, person, text FROM search_text WHERE text LIKE $2 AND tenant = $1 \
             LIMIT 2000) AS f JOIN person p ON p.tenant = f.tenant AND p.id = f.person \
             WHERE p.state <> 'deleted' AND (p.state = $4 OR $4 = '') \
             GROUP BY p.tenant, p.id ORDER BY min(f.text), p.id LIMIT $3"
        }
    }
}

/// A text as [`infix`] looks for it, every sign of it meaning itself.
pub(crate) fn infix_pattern(engine: Engine, text: &str) -> String {
    match engine {
        Engine::Sqlite => format!("\"{}\"", text.replace('"', "\"\"")),
        Engine::Postgres => {
            let escape = |letter: char| match letter {
                '%' | '_' | '\\' => format!("\\{letter}"),
                letter => letter.to_string(),
            };
            format!("%{}%", text.chars().map(escape).collect::<String>())
        }
    }
}

/// `$1` as SQLite numbers it, `?1`. Quoted text and names are left alone.
pub(crate) fn sqlite_placeholders(sql: &str) -> String {
    let mut quote = None;
    let translate = |letter: char| {
        match quote {
            Some(open) if letter == open => quote = None,
            None if letter == '\'' || letter == '"' => quote = Some(letter),
            None if letter == '$' => return '?',
            _ => {}
        }
        letter
    };
    sql.chars().map(translate).collect()
}

/// Whether a statement can stand in a common table expression of PostgreSQL, as pairs need it.
pub(crate) fn composable(sql: &str) -> bool {
    let sql = sql.trim_start();
    let begins = |word: &str| sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    (begins("INSERT") || begins("UPDATE") || begins("DELETE"))
        && !sql.to_ascii_uppercase().contains("RETURNING")
}

/// A guarded statement with its event as one autocommit of PostgreSQL. The event's parameters follow
/// the statement's. It counts one row if the guard held.
pub(crate) fn pair(sql: &str) -> String {
    let count = parameters(sql);
    let types = ["bytea", "bytea", "text", "bytea", "text", "bytea", "bytea", "bigint", "bytea"];
    let event: Vec<String> =
        types.iter().zip(count + 1..).map(|(kind, number)| format!("${number}::{kind}")).collect();
    format!(
        "WITH change AS ({sql} RETURNING 1) INSERT INTO event \
         (tenant, id, kind, person, actor, application, session, at, data) SELECT {} FROM change",
        event.join(", ")
    )
}

/// The highest number of a placeholder.
fn parameters(sql: &str) -> usize {
    let number = |text: &str| {
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        text.get(..digits).and_then(|digits| digits.parse().ok())
    };
    sql.split('$').skip(1).filter_map(number).max().unwrap_or(0)
}

/// A guarded statement alone as one autocommit of PostgreSQL: one row that holds 1 if it touched
/// one row and NULL if none; touching two is an error, so that nothing is changed.
pub(crate) fn guarded(sql: &str) -> String {
    format!("WITH change AS ({sql} RETURNING 1 AS one) SELECT (SELECT one FROM change)")
}

/// The text of a migration for one engine: the macros of [`migrate`](crate::migrate) filled in.
pub(crate) fn migration_text(engine: Engine, sql: &str) -> String {
    let types = [
        ("{id}", "BLOB", "BYTEA"),
        ("{bytes}", "BLOB", "BYTEA"),
        ("{text}", "TEXT", "TEXT COLLATE \"C\""),
        ("{int}", "INTEGER", "BIGINT"),
        ("{bigint}", "INTEGER", "BIGINT"),
        ("{bool}", "INTEGER", "BOOLEAN"),
        ("{table}", " STRICT, WITHOUT ROWID", ""),
        ("{strict}", " STRICT, WITHOUT ROWID", ""),
    ];
    types.iter().fold(sql.to_owned(), |text, (name, sqlite, postgres)| {
        text.replace(name, if engine == Engine::Sqlite { sqlite } else { postgres })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_renamed_outside_quotes_only() {
        let sql = "SELECT '$1', \"a$2\" FROM t WHERE a = $1 AND b = $12";
        assert_eq!(sqlite_placeholders(sql), "SELECT '$1', \"a$2\" FROM t WHERE a = ?1 AND b = ?12");
    }

    #[test]
    fn a_pair_numbers_the_events_parameters_after_the_statements() {
        let text = pair("UPDATE t SET a = $1 WHERE b = $2");
        assert!(text.contains("SELECT $3::bytea, $4::bytea, $5::text"), "{text}");
        assert!(text.contains("$11::bytea FROM change"), "{text}");
    }

    #[test]
    fn only_plain_changes_are_composed() {
        assert!(composable("  update t SET a = $1"));
        assert!(!composable("UPDATE t SET a = $1 RETURNING a"));
        assert!(!composable("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x"));
        assert!(!composable("SELECT 1"));
    }
}
