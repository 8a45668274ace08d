//! Values on their way into a statement, and rows on their way out, the same for both engines.

use super::DbError;
use base::{Id, Time};
use std::fmt;

/// A value bound to a parameter. Its `Debug` shows the kind and size only, never the content.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean; 0 or 1 on SQLite.
    Bool(bool),
    /// An integer; every integer column is 64 bits wide.
    Int(i64),
    /// Text without NUL.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// The bytes of a text or blob.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
            Self::Null | Self::Bool(_) | Self::Int(_) => 0,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(_) => f.write_str("bool"),
            Self::Int(_) => f.write_str("int"),
            Self::Text(text) => write!(f, "text({})", text.len()),
            Self::Blob(bytes) => write!(f, "blob({})", bytes.len()),
        }
    }
}

/// Refuses text with NUL, which PostgreSQL cannot hold: both engines take the same values.
pub(crate) fn check(args: &[Value]) -> Result<(), DbError> {
    let nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if args.iter().any(nul) {
        return Err(DbError::Sql("a text value holds NUL".to_owned()));
    }
    Ok(())
}

/// What can be bound to a parameter.
pub trait ToValue {
    /// The value to bind.
    fn to_value(self) -> Value;
}

macro_rules! to_value {
    ($($type:ty, $value:ident => $to:expr;)*) => {$(
        impl ToValue for $type {
            fn to_value(self) -> Value {
                let $value = self;
                $to
            }
        }
    )*};
}

to_value! {
    Value, v => v;
    bool, v => Value::Bool(v);
    i64, v => Value::Int(v);
    i32, v => Value::Int(v.into());
    u32, v => Value::Int(v.into());
    u16, v => Value::Int(v.into());
    &str, v => Value::Text(v.to_owned());
    String, v => Value::Text(v);
    &String, v => Value::Text(v.clone());
    std::borrow::Cow<'_, str>, v => Value::Text(v.into_owned());
    Vec<u8>, v => Value::Blob(v);
    &Vec<u8>, v => Value::Blob(v.clone());
    &[u8], v => Value::Blob(v.to_vec());
    Time, v => Value::Int(v.micros());
}

impl<T> ToValue for Id<T> {
    fn to_value(self) -> Value {
        Value::Blob(self.as_bytes().to_vec())
    }
}

impl<T> ToValue for &Id<T> {
    fn to_value(self) -> Value {
        Value::Blob(self.as_bytes().to_vec())
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(self) -> Value {
        Value::Blob(self.to_vec())
    }
}

impl<const N: usize> ToValue for &[u8; N] {
    fn to_value(self) -> Value {
        Value::Blob(self.to_vec())
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(self) -> Value {
        self.map_or(Value::Null, T::to_value)
    }
}

/// The parameters of a statement, in the order of `$1`, `$2`, …: `args![tenant, id, now]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::ToValue::to_value($value)),*] };
}

/// A value as it lies in a row, not yet copied.
#[derive(Clone, Copy)]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// A boolean; SQLite has none and gives an integer.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl Cell<'_> {
    const fn kind(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Text(_) => "text",
            Self::Blob(_) => "blob",
        }
    }
}

/// One row of an answer.
pub struct Row<'a> {
    source: Source<'a>,
    /// The column that is read next.
    column: std::cell::Cell<usize>,
}

pub(super) enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl<'a> Row<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self { source, column: std::cell::Cell::new(0) }
    }

    /// The next column, so that one row may hold several things after each other.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn next<T: FromValue>(&self) -> Result<T, DbError> {
        let column = self.column.get();
        self.column.set(column + 1);
        self.get(column)
    }

    /// The column at this position, counted from 0.
    ///
    /// # Errors
    /// [`DbError::Decode`] if there is no such column or it holds something else.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, DbError> {
        let cell = match self.source {
            Source::Sqlite(row) => sqlite_cell(row, index)?,
            Source::Postgres(row) => {
                row.try_get(index).map_err(|error| DbError::Decode(format!("column {index}: {error}")))?
            }
        };
        T::from_cell(cell)
            .ok_or_else(|| DbError::Decode(format!("column {index} holds an unfit {}", cell.kind())))
    }
}

fn sqlite_cell<'a>(row: &'a rusqlite::Row<'_>, index: usize) -> Result<Cell<'a>, DbError> {
    use rusqlite::types::ValueRef;
    let unfit = |what: &str| DbError::Decode(format!("column {index}: {what}"));
    match row.get_ref(index).map_err(|error| unfit(&error.to_string()))? {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(int) => Ok(Cell::Int(int)),
        ValueRef::Real(_) => Err(unfit("a floating point number")),
        ValueRef::Text(text) => {
            std::str::from_utf8(text).map(Cell::Text).map_err(|_| unfit("text that is not UTF-8"))
        }
        ValueRef::Blob(bytes) => Ok(Cell::Blob(bytes)),
    }
}

/// What can be read from a column.
pub trait FromValue: Sized {
    /// The value, or nothing if the cell holds something else.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty: $pattern:pat => $from:expr;)*) => {$(
        impl FromValue for $type {
            fn from_cell(cell: Cell<'_>) -> Option<Self> {
                match cell {
                    $pattern => $from,
                    _ => None,
                }
            }
        }
    )*};
}

from_value! {
    i64: Cell::Int(int) => Some(int);
    i32: Cell::Int(int) => int.try_into().ok();
    u32: Cell::Int(int) => int.try_into().ok();
    u16: Cell::Int(int) => int.try_into().ok();
    String: Cell::Text(text) => Some(text.to_owned());
    Vec<u8>: Cell::Blob(bytes) => Some(bytes.to_vec());
    Time: Cell::Int(int) => Some(Self::from_micros(int));
}

impl<T> FromValue for Id<T> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        <[u8; 16]>::from_cell(cell).map(Self::from_bytes)
    }
}

impl FromValue for bool {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Bool(bool) => Some(bool),
            Cell::Int(int @ (0 | 1)) => Some(int == 1),
            _ => None,
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Blob(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

/// What can be read from a row: a type with an `impl` of its own, one column, or a tuple of up to six.
pub trait FromRow: Sized {
    /// The value that the row holds.
    ///
    /// # Errors
    /// [`DbError::Decode`] if the row holds something else.
    fn from_row(row: &Row<'_>) -> Result<Self, DbError>;
}

macro_rules! single {
    ($($type:ty),*) => {$(
        impl FromRow for $type {
            fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
                row.get(0)
            }
        }
    )*};
}
single!(bool, i64, String, Vec<u8>, Time);

impl<T: FromValue> FromRow for Option<T> {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        row.get(0)
    }
}

impl<T> FromRow for Id<T> {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        row.get(0)
    }
}

macro_rules! tuple {
    ($($kind:ident $index:tt),*) => {
        impl<$($kind: FromValue),*> FromRow for ($($kind,)*) {
            fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
                Ok(($(row.get::<$kind>($index)?,)*))
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
