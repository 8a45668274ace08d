//! One connection: its session settings, its prepared statements, its values and errors.

use super::super::{Cell, DbError, Value, error::Failure};
use crate::dialect;
use bytes::BytesMut;
use std::{
    collections::HashMap,
    error::Error as StdError,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout;
use tokio_postgres::{
    Client, NoTls, Row, Statement,
    config::Config,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

/// How long a connection may take to come up.
pub(super) const CONNECT: Duration = Duration::from_secs(2);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Read,
    Scan,
    Write,
    Migrate,
}

impl Role {
    /// A silent client must not block the repeat of its unit for longer than a repeat waits, so the
    /// idle time in a transaction ends well before the wait for a lock.
    const fn settings(self) -> &'static str {
        match self {
            Self::Read => "SET default_transaction_read_only = on; SET statement_timeout = '5s'",
            Self::Scan => "SET default_transaction_read_only = on; SET statement_timeout = '60s'",
            Self::Write => {
                "SET idle_in_transaction_session_timeout = '1500ms'; SET lock_timeout = '3500ms'; \
                 SET statement_timeout = '8s'; SET default_transaction_isolation = 'read committed'; \
                 SELECT set_config('synchronous_commit', 'on', false) \
                 WHERE current_setting('synchronous_commit') IN ('off', 'local')"
            }
            Self::Migrate => "SET lock_timeout = '30s'; SET client_min_messages = 'warning'",
        }
    }
}

/// How a statement is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// As it is written.
    Plain,
    /// Together with an event, see [`dialect::pair`].
    Pair,
    /// Alone, answering whether it touched one row, see [`dialect::guarded`].
    Guarded,
}

/// An open connection.
pub(super) struct Connection {
    pub(super) client: Client,
    /// By address and length of the text, and form.
    statements: Mutex<HashMap<(usize, usize, Form), Statement>>,
}

impl Connection {
    pub(super) async fn open(config: &Config, role: Role) -> Result<Self, DbError> {
        let connect = async {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "connection to PostgreSQL ended");
                }
            });
            client.batch_execute(role.settings()).await?;
            Ok(client)
        };
        match timeout(CONNECT, connect).await {
            Ok(Ok(client)) => Ok(Self { client, statements: Mutex::default() }),
            Ok(Err(error)) => Err(DbError::Unavailable(describe(&error))),
            Err(_) => Err(DbError::Unavailable("PostgreSQL did not answer in time".to_owned())),
        }
    }

    /// The prepared statement.
    pub(super) async fn statement(&self, sql: &'static str, form: Form) -> Result<Statement, Failure> {
        let key = (sql.as_ptr().addr(), sql.len(), form);
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = match form {
            Form::Plain => self.client.prepare(sql).await,
            Form::Pair => self.client.prepare(&dialect::pair(sql)).await,
            Form::Guarded => self.client.prepare(&dialect::guarded(sql)).await,
        };
        let statement = statement.map_err(|error| failure_of(&error))?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(key, statement.clone());
        Ok(statement)
    }

    /// Forgets all prepared statements: a table changed under one of them.
    pub(super) fn forget(&self) {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Runs a statement and gives its rows.
    pub(super) async fn query(&self, sql: &'static str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        self.query_as(sql, Form::Plain, args).await
    }

    /// The same outside of a transaction: once more if a table changed under the statement.
    pub(super) async fn query_again(&self, sql: &'static str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        match self.query(sql, args).await {
            Err(Failure::Stale) => self.query(sql, args).await,
            rows => rows,
        }
    }

    /// Runs a statement in this form and gives its rows.
    pub(super) async fn query_as(
        &self,
        sql: &'static str,
        form: Form,
        args: &[Value],
    ) -> Result<Vec<Row>, Failure> {
        let statement = self.statement(sql, form).await?;
        let params = params(&statement, args)?;
        self.client.query(&statement, &params).await.map_err(|error| self.failure(&error))
    }

    /// Runs a statement in this form and counts its rows.
    pub(super) async fn execute(
        &self,
        sql: &'static str,
        form: Form,
        args: &[Value],
    ) -> Result<u64, Failure> {
        let statement = self.statement(sql, form).await?;
        self.run(&statement, args).await
    }

    /// Runs a statement that is prepared already; sent when first polled.
    pub(super) async fn run(&self, statement: &Statement, args: &[Value]) -> Result<u64, Failure> {
        let params = params(statement, args)?;
        self.client.execute(statement, &params).await.map_err(|error| self.failure(&error))
    }

    /// BEGIN, COMMIT and the like; sent when first polled.
    pub(super) async fn control(&self, sql: &str) -> Result<u64, Failure> {
        self.client.batch_execute(sql).await.map(|()| 0).map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &tokio_postgres::Error) -> Failure {
        let failure = failure_of(error);
        if matches!(failure, Failure::Stale) {
            self.forget();
        }
        failure
    }
}

fn params<'a>(statement: &Statement, args: &'a [Value]) -> Result<Vec<&'a (dyn ToSql + Sync)>, Failure> {
    let count = statement.params().len();
    if count != args.len() {
        return Err(Failure::Final(DbError::Sql(format!("{count} parameters, {} values", args.len()))));
    }
    Ok(args.iter().map(|value| value as &(dyn ToSql + Sync)).collect())
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Bool(bool) if *ty == Type::BOOL => bool.to_sql(ty, out),
            Self::Int(int) if *ty == Type::INT8 => int.to_sql(ty, out),
            Self::Int(int) if *ty == Type::INT4 => i32::try_from(*int)?.to_sql(ty, out),
            Self::Int(int) if *ty == Type::INT2 => i16::try_from(*int)?.to_sql(ty, out),
            Self::Text(text) if <&str as ToSql>::accepts(ty) => text.to_sql(ty, out),
            Self::Blob(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
            _ => Err(format!("{self:?} for a parameter of type {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        match *ty {
            Type::BOOL => bool::from_sql(ty, raw).map(Cell::Bool),
            Type::INT8 => i64::from_sql(ty, raw).map(Cell::Int),
            Type::INT4 => i32::from_sql(ty, raw).map(|int| Cell::Int(int.into())),
            Type::INT2 => i16::from_sql(ty, raw).map(|int| Cell::Int(int.into())),
            Type::TEXT | Type::VARCHAR | Type::NAME => <&str>::from_sql(ty, raw).map(Cell::Text),
            Type::BYTEA => <&[u8]>::from_sql(ty, raw).map(Cell::Blob),
            _ => Err(format!("a column of type {ty}").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What an error of PostgreSQL means.
pub(super) fn failure_of(error: &tokio_postgres::Error) -> Failure {
    let Some(refusal) = error.as_db_error() else {
        let text = describe(error);
        return match text.starts_with("error serializing parameter") {
            true => Failure::Final(DbError::Sql(text)),
            false => Failure::Lost(text),
        };
    };
    // Never the detail or hint: they hold values.
    let text = format!("{} {}", refusal.code().code(), refusal.message());
    match refusal.code().code() {
        "23505" => Failure::Unique,
        "40001" | "40P01" => Failure::Again(text),
        "0A000" | "26000" => Failure::Stale,
        "53100" => Failure::Final(DbError::Full),
        "57P01" | "57P02" | "57P03" | "25P03" => Failure::Lost(text),
        "55P03" | "57014" | "25006" => Failure::Final(DbError::Unavailable(text)),
        code if code.starts_with("53") => Failure::Final(DbError::Unavailable(text)),
        code if code.starts_with("08") => Failure::Lost(text),
        _ => Failure::Final(DbError::Sql(text)),
    }
}

/// An error with its causes, without the values that PostgreSQL puts into details.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(refusal), _) => format!("{} {}", refusal.code().code(), refusal.message()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}
