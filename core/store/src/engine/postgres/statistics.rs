//! What the planner knows of tables that grow quickly.
//!
//! A statement is planned once for a connection, and anew whenever its tables were analysed. Planned while a
//! table was all but empty, it may read all of a tenant where a key would do; the server's own round comes once a
//! minute, and until then a quick start is a slow one. Large tables are left to the server.

use super::{super::error::Failure, Store, timed};
use crate::{DbError, dialect};
use std::time::Duration;

/// How long it may take: a moment, as the tables are small.
const ANALYSE: Duration = Duration::from_secs(20);

impl Store {
    /// Analyses the small tables of which half or more has changed since that was done last; gives their names.
    pub(crate) async fn analyse_grown(&self) -> Result<Vec<String>, DbError> {
        let grown: Vec<String> = self.scan(dialect::GROWN_TABLES, &[]).await?;
        if grown.is_empty() {
            return Ok(grown);
        }
        let connection = self.writes.take().await?;
        let analysed = timed(ANALYSE, connection.control(&format!("ANALYZE {}", grown.join(", ")))).await;
        if !matches!(analysed, Err(Failure::Lost(_))) {
            connection.give_back();
        }
        analysed.map(|_| grown).map_err(Failure::into_error)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Db, Engine, args, engine::GROWING, scratch::Scratch};

    /// How the server carries out a read of a grant.
    async fn plan(db: &Db) -> String {
        let read = crate::rows::grant::ALL
            .iter()
            .find(|sql| sql.contains("FROM oauth_grant g JOIN person p"))
            .unwrap();
        explain(db, read, "on").await
    }

    /// How the server carries out a statement, planned without its values; `whole` tells whether it may read
    /// tables from end to end where it could do otherwise.
    async fn explain(db: &Db, sql: &str, whole: &str) -> String {
        let connection = db.postgres().unwrap().writes.take().await.unwrap();
        let values = (1..).take_while(|number| sql.contains(&format!("${number}"))).map(|_| "NULL");
        let values = values.collect::<Vec<_>>().join(", ");
        let execute = if values.is_empty() { "asked".to_owned() } else { format!("asked ({values})") };
        let asked = format!(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = {whole}; PREPARE asked AS {sql}; \
             EXPLAIN EXECUTE {execute}; DEALLOCATE asked; RESET plan_cache_mode; RESET enable_seqscan"
        );
        let said = connection.client.simple_query(&asked).await.unwrap();
        connection.give_back();
        let line = |message: &tokio_postgres::SimpleQueryMessage| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        said.iter().filter_map(line).collect::<Vec<_>>().join("\n")
    }

    /// What a request costs does not grow with people, tenants, sessions or events: every statement has an index to
    /// go by in each growing table.
    #[tokio::test]
    async fn no_statement_has_to_read_a_growing_table_whole() {
        if !crate::scratch::engines().contains(&Engine::Postgres) {
            return;
        }
        let scratch = Scratch::new(Engine::Postgres).await.unwrap();
        let db = scratch.open().await.unwrap();
        crate::migrate(&db, crate::MIGRATIONS).await.unwrap();
        let mut whole = Vec::new();
        for sql in crate::statements().into_iter().filter(|sql| !crate::backup::ALL.contains(sql)) {
            let plan = explain(&db, sql, "off").await;
            let scanned =
                plan.lines().filter_map(|line| line.split_once("Seq Scan on ")?.1.split(' ').next());
            whole.extend(
                scanned.filter(|table| GROWING.contains(table)).map(|table| format!("{table}: {sql}")),
            );
        }
        assert!(whole.is_empty(), "{}", whole.join("\n"));
        scratch.remove(db).await.unwrap();
    }

    #[tokio::test]
    async fn a_plan_made_while_tables_were_empty_does_not_stay() {
        if !crate::scratch::engines().contains(&Engine::Postgres) {
            return;
        }
        let scratch = Scratch::new(Engine::Postgres).await.unwrap();
        let db = scratch.open().await.unwrap();
        crate::migrate(&db, crate::MIGRATIONS).await.unwrap();
        let by_key = "(tenant = $1) AND (id = g.person)";
        let empty = plan(&db).await;
        assert!(!empty.contains(by_key), "this server needs no help: {empty}");
        let connection = db.postgres().unwrap().writes.take().await.unwrap();
        let filled = "INSERT INTO person (tenant, id, state, epoch, offline_epoch, attributes, version, created_at, \
             updated_at) SELECT 't', decode(lpad(to_hex(n), 32, '0'), 'hex'), 'active', 1, 1, '{}', 1, 0, 0 \
             FROM generate_series(1, 1000) n";
        connection.client.batch_execute(filled).await.unwrap();
        // What a session has changed is told when it goes idle, at the latest when asked to.
        connection.client.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
        connection.give_back();
        let store = db.postgres().unwrap();
        let mut analysed = Vec::new();
        while !analysed.contains(&"person".to_owned()) {
            analysed.extend(store.analyse_grown().await.unwrap());
        }
        let grown = plan(&db).await;
        assert!(grown.contains(by_key), "{grown}");
        let people: Option<i64> = db.one("SELECT count(*) FROM person", args![]).await.unwrap();
        assert_eq!(people, Some(1000));
        scratch.remove(db).await.unwrap();
    }
}
