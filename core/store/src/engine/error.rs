//! What can go wrong between the program and its database.

/// A failure of the store. Nothing is ever half done: either the whole unit is in force or none of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached or has no room for another caller. Nothing was done.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The connection was lost around the commit, and repeating it ran out of time: done or not done.
    #[error("whether the change was made is unknown: {0}")]
    Unknown(String),
    /// The disk is full. Nothing was done.
    #[error("the database's disk is full")]
    Full,
    /// Another process holds the SQLite file.
    #[error("another process uses the database {0}")]
    Locked(String),
    /// The database's address cannot be used.
    #[error("the database's address is not usable: {0}")]
    Url(String),
    /// A row holds something else than the program expects.
    #[error("a stored value cannot be read: {0}")]
    Decode(String),
    /// The database refused a statement: a fault of the program.
    #[error("the database refused a statement: {0}")]
    Sql(String),
    /// The migrations of the program and of the database do not fit.
    #[error("migration: {0}")]
    Migration(String),
    /// The chain of events does not verify: somebody changed history.
    #[error("the event chain is broken: {0}")]
    Chain(String),
}

impl From<DbError> for base::Error {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) | DbError::Unknown(_) | DbError::Full => {
                Self::unavailable(error.to_string())
            }
            error => Self::internal(error.to_string()),
        }
    }
}

/// How one try of a unit or read failed, for those who decide whether to try again.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A unique key was violated.
    Unique,
    /// The database rolled back and asks for another try: a serialization failure or a deadlock.
    Again(String),
    /// A prepared statement no longer fits its tables.
    Stale,
    /// The connection was lost: what it was asked to do may have happened.
    Lost(String),
    /// Anything else. Nothing was done.
    Final(DbError),
}

impl Failure {
    /// The failure as the caller sees it, once there is no other try.
    pub(crate) fn into_error(self) -> DbError {
        match self {
            Self::Unique => DbError::Sql("a unique key was violated".to_owned()),
            Self::Again(detail) => DbError::Unavailable(detail),
            Self::Stale => DbError::Unavailable("a table changed under a prepared statement".to_owned()),
            Self::Lost(detail) => DbError::Unknown(detail),
            Self::Final(error) => error,
        }
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Final(error)
    }
}
