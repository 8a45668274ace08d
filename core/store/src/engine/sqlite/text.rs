//! The program's SQL as SQLite takes it: placeholders renamed once, values bound by number.

use super::super::{DbError, Value};
use crate::dialect;
use rusqlite::{
    Connection, Statement, ToSql,
    functions::FunctionFlags,
    types::{ToSqlOutput, ValueRef},
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// Translated statements, found by the address of their text.
#[derive(Default)]
pub(super) struct Texts(RwLock<HashMap<(usize, usize), Arc<str>>>);

impl Texts {
    /// The statement with SQLite's placeholders.
    pub(super) fn of(&self, sql: &'static str) -> Arc<str> {
        let key = (sql.as_ptr().addr(), sql.len());
        if let Some(text) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(text);
        }
        let text: Arc<str> = dialect::sqlite_placeholders(sql).into();
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&text));
        text
    }
}

/// Binds values to `?1`, `?2`, …
pub(super) fn bind(statement: &mut Statement<'_>, args: &[Value]) -> Result<(), DbError> {
    if statement.parameter_count() != args.len() {
        let count = statement.parameter_count();
        return Err(DbError::Sql(format!("{count} parameters, {} values", args.len())));
    }
    for (value, number) in args.iter().zip(1..) {
        statement.raw_bind_parameter(number, value).map_err(|error| super::error_of(&error))?;
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(bool) => ValueRef::Integer((*bool).into()),
            Self::Int(int) => ValueRef::Integer(*int),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// `greatest(a, b)`, as PostgreSQL has it for integers: NULLs are passed over.
pub(super) fn register_greatest(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("greatest", 2, flags, |context| {
        Ok(context.get::<Option<i64>>(0)?.max(context.get::<Option<i64>>(1)?))
    })
}
