//! How SQL and the rows that it reads are declared, and the check that both engines accept it.

use crate::{Db, DbError};

/// Declares the statements of a module and collects them in `ALL`, for [`prepare_all`]. The crate
/// gives out the lists of its modules in one function, as [`statements`](crate::statements()) does.
#[macro_export]
macro_rules! statements {
    ($($(#[$meta:meta])* $vis:vis const $name:ident: &str = $sql:expr;)*) => {
        $($(#[$meta])* $vis const $name: &str = $sql;)*

        /// Every statement of this module, for the check that both engines accept them.
        pub(crate) const ALL: &[&str] = &[$($name),*];
    };
}

/// Declares a stored row: a struct whose fields are read from the columns in their order. Its
/// `Debug` shows no content.
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl $crate::FromRow for $name {
            fn from_row(row: &$crate::Row<'_>) -> Result<Self, $crate::DbError> {
                $(let $field = row.next()?;)*
                Ok(Self { $($field),* })
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// Prepares every statement in every form in which it may run, and names all that are refused.
///
/// # Errors
/// [`DbError::Sql`] with a line for each refused statement.
pub async fn prepare_all(db: &Db, statements: &[&'static str]) -> Result<(), DbError> {
    let mut refused = Vec::new();
    for sql in statements {
        if let Err(error) = db.prepare(sql).await {
            refused.push(format!("{error}: {sql}"));
        }
    }
    match refused.is_empty() {
        true => Ok(()),
        false => Err(DbError::Sql(refused.join("\n"))),
    }
}

/// Every statement of this crate.
pub fn statements() -> Vec<&'static str> {
    let engine = [
        crate::dialect::INSERT_EVENT,
        crate::dialect::FIND_EVENT,
        crate::dialect::INSERT_SEARCH,
        crate::engine::chain::LAST_LINK,
        crate::engine::chain::INSERT_LINK,
        crate::engine::chain::NEXT_BATCHES,
        crate::engine::chain::EVENTS_IN,
    ];
    [&engine, crate::lease::ALL, crate::migrate::ALL, &crate::rows::statements()].concat()
}
