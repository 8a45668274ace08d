//! Restores that were killed half-way. A database that is being put back stands in a folder of its
//! own until it is whole; one that is mended in place is marked from the first change to the last.
//! Nobody works with either.

use crate::{backup, failure::Failure, installation::Installation};
use std::path::{Path, PathBuf};
use store::Db;

/// The folder in which the database of this file is made ready.
pub(crate) fn staging(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    backup::parent(file).join(format!(".{name}.restore"))
}

/// The folder of a restore that was killed before the database had its name.
pub(crate) fn half_done(installation: &Installation) -> Option<PathBuf> {
    let file = installation.file.as_deref()?;
    let staging = staging(file);
    (!file.exists() && staging.exists()).then_some(staging)
}

/// Before a database is opened: an empty one must not be made where one was being put back.
///
/// # Errors
/// What happened and what to do, if a restore was killed.
pub(crate) fn refuse_half_done(installation: &Installation) -> Result<(), Failure> {
    let Some(staging) = half_done(installation) else { return Ok(()) };
    Err(Failure::failed(format!(
        "A restore of {} did not come to its end, or is under way. Run `keyward restore` again; to begin \
         with an empty database instead, remove {}.",
        installation.database,
        staging.display()
    )))
}

/// Once it is open: who was deleted, and what was revoked, must not be served.
///
/// # Errors
/// What happened and what to do, if it was being mended in place.
pub(crate) async fn refuse_unsettled(db: &Db, installation: &Installation) -> Result<(), Failure> {
    if !store::backup::is_unsettled(db).await? {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "A restore of {} did not come to its end: who was deleted and what was revoked may be back. \
         Run `keyward restore --in-place` again, with the erasure list.",
        installation.database
    )))
}
