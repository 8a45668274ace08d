//! One process writes an SQLite file: the lock file beside it, held as long as the file is open.

use super::super::DbError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

/// Takes the lock of this database, `PATH.lock`.
pub(super) fn hold(path: &Path) -> Result<File, DbError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let unavailable = |error| DbError::Unavailable(format!("{}: {error}", Path::new(&name).display()));
    let file = private().create(true).truncate(false).open(&name).map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DbError::Locked(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(unavailable(error)),
    }
}

/// Makes the file if it is missing, readable by its owner only; SQLite gives its log the same mode.
pub(super) fn create(path: &Path) -> Result<(), DbError> {
    match private().create(true).truncate(false).open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(DbError::Unavailable(format!("{}: {error}", path.display()))),
    }
}

fn private() -> OpenOptions {
    let mut options = File::options();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
