//! SQL stands in `core/store` and in a feature's `rows/` and `migrations/`, and a table is named in one crate only.

use crate::{
    Failure,
    project::Project,
    source::{Literal, is_test, literals, production},
};
use std::collections::{BTreeMap, BTreeSet};

/// The strings of one file.
struct File {
    of: String,
    path: String,
    texts: Vec<Literal>,
}

/// The rule.
pub(crate) fn check(project: &Project) -> Result<Vec<String>, Failure> {
    let mut files = Vec::new();
    for ours in project.crates.iter().filter(|it| !matches!(it.layer(), "xtask" | "bench")) {
        for (path, text) in project.files(&ours.folder, &["rs", "sql"])? {
            if !is_test(&path) {
                files.push(read(&ours.folder, &path, &text));
            }
        }
    }
    Ok(misplaced(&files).into_iter().chain(foreign(&files)).collect())
}

fn read(of: &str, path: &str, text: &str) -> File {
    let texts = match path.ends_with(".sql") {
        true => vec![Literal { line: 1, text: statement_text(text) }],
        false => literals(production(text)),
    };
    File { of: of.into(), path: path.into(), texts }
}

/// A migration without its comments.
fn statement_text(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Whether SQL may stand in a file.
fn has_a_place(path: &str) -> bool {
    let rows = path.split('/').any(|part| matches!(part, "rows" | "rows.rs" | "migrations"));
    path.starts_with("core/store/") || path.starts_with("features/") && rows
}

fn misplaced(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !has_a_place(&file.path)) {
        let statements = file.texts.iter().filter(|it| is_statement(&it.text));
        found.extend(statements.map(|it| {
            format!(
                "{}:{} is SQL; it belongs in core/store or in the rows/ or migrations/ of its feature",
                file.path, it.line
            )
        }));
    }
    found
}

/// Whether a string is SQL as we write it, with its words in capitals.
fn is_statement(text: &str) -> bool {
    let update = text.split_once("UPDATE ").is_some_and(|(_, rest)| rest.split(' ').nth(1) == Some("SET"));
    let select = text.starts_with("SELECT ") || text.contains("(SELECT ") || text == "SELECT";
    let others =
        ["INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "CREATE INDEX ", "ALTER TABLE ", "DROP TABLE "];
    update || select || others.iter().any(|words| text.contains(words))
}

/// Tables that two crates create, and statements that name another crate's table.
fn foreign(files: &[File]) -> Vec<String> {
    let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files {
        for table in file.texts.iter().flat_map(|it| created(&it.text)) {
            owners.entry(table).or_default().insert(&file.of);
        }
    }
    let twice = owners.iter().filter(|(_, them)| them.len() > 1);
    let mut found: Vec<String> =
        twice.map(|(table, them)| format!("the table {table} is made in {them:?}")).collect();
    for file in files {
        for (literal, table) in
            file.texts.iter().flat_map(|it| named(&it.text).into_iter().map(move |name| (it, name)))
        {
            if let Some(owner) = owners.get(table).filter(|them| !them.contains(file.of.as_str())) {
                let owner = owner.iter().copied().collect::<Vec<_>>().join(", ");
                found.push(format!(
                    "{}:{} names the table {table}, which is {owner}'s",
                    file.path, literal.line
                ));
            }
        }
    }
    found
}

/// The tables that a text creates.
fn created(text: &str) -> Vec<&str> {
    let after = text.split("CREATE TABLE ").skip(1);
    after.filter_map(|rest| name(rest.strip_prefix("IF NOT EXISTS ").unwrap_or(rest))).collect()
}

/// The tables that a text may name; other words can be among them.
fn named(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut expected = false;
    for word in text.split(' ') {
        if expected {
            found.extend(name(word));
        }
        let keyword = ["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "REFERENCES"].contains(&word);
        expected = keyword || expected && word.ends_with(',');
    }
    found
}

/// The name that a text begins with.
fn name(text: &str) -> Option<&str> {
    let end = text.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(text.len());
    text.get(..end).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        let of = path.split('/').take(2).collect::<Vec<_>>().join("/");
        read(&of, path, text)
    }

    #[test]
    fn sql_is_told_from_prose() {
        for sql in
            ["SELECT 1", "UPDATE person SET a = 1", "x (SELECT 1)", "INSERT INTO a (b)", "DELETE FROM a"]
        {
            assert!(is_statement(sql), "{sql}");
        }
        for prose in ["Select a tenant", "UPDATE the settings", "select", "Delete from here", ""] {
            assert!(!is_statement(prose), "{prose}");
        }
    }

    #[test]
    fn sql_has_its_places() {
        let text = "const A: &str = \"SELECT a \\\n FROM b\";";
        for path in [
            "core/store/src/x.rs",
            "features/oidc/src/rows/x.rs",
            "features/oidc/src/rows.rs",
            "features/oidc/migrations/x.sql",
        ] {
            assert_eq!(misplaced(&[file(path, text)]), Vec::<String>::new(), "{path}");
        }
        for path in
            ["core/web/src/rows/x.rs", "features/oidc/src/x.rs", "bin/keyward/src/x.rs", "pure/jose/src/x.rs"]
        {
            assert_eq!(misplaced(&[file(path, text)]).len(), 1, "{path}");
        }
        assert_eq!(misplaced(&[file("features/a/src/x.rs", "// \"SELECT 1\"\n")]), Vec::<String>::new());
    }

    #[test]
    fn a_table_belongs_to_one_crate() {
        let made =
            file("core/store/migrations/1.sql", "-- CREATE TABLE no (\nCREATE TABLE person (\n id);\n");
        let own = file("core/store/src/rows/a.rs", "\"SELECT a FROM person\"");
        let other = file("features/a/src/rows/a.rs", "\"SELECT a FROM b, person WHERE c\"; \"FROM nowhere\"");
        let again = file("features/a/src/rows/b.rs", "\"CREATE TABLE IF NOT EXISTS person(id)\"");
        assert_eq!(foreign(&[made, own]), Vec::<String>::new());
        let made = || file("core/store/migrations/1.sql", "CREATE TABLE person (");
        let want = ["features/a/src/rows/a.rs:1 names the table person, which is core/store's"];
        assert_eq!(foreign(&[made(), other]), want);
        assert_eq!(foreign(&[made(), again]).len(), 1);
    }
}
