//! How a command reaches the data: through the server that holds an embedded database, else by the
//! database itself.

use crate::{backup::interrupted, failure::Failure, installation::Installation, wiring};
use base::{Env, Error};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use store::{Db, DbError, Directory, OpenOptions};
use tokio::time::sleep;

/// How long a server may hold the database without listening: at its start, at its end. Another
/// command may hold it, too.
const BETWEEN: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// Does it by the database where nobody else holds it, and beside the server that does. What is done
/// beside may be begun again if the server goes away before it listened.
pub(super) async fn reach<T>(
    installation: &Installation,
    directly: impl AsyncFnOnce(&Directory) -> Result<T, Failure>,
    mut beside: impl AsyncFnMut(&Path) -> Result<T, Error>,
) -> Result<T, Failure> {
    installation.check_folder()?;
    interrupted::refuse_half_done(installation)?;
    let end = Instant::now() + BETWEEN;
    let db = loop {
        match Db::open(&installation.database, OpenOptions::default()).await {
            Ok(db) => break db,
            Err(DbError::Locked(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let socket = installation.socket().ok_or_else(|| Failure::failed("The database is locked."))?;
        match beside(&socket).await {
            Ok(done) => return Ok(done),
            Err(error) if error.code == "error-no-server" && Instant::now() < end => sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    };
    let done = match wiring::prepare(db.clone(), installation, Env::system()).await {
        Ok(directory) => directly(&directory).await,
        Err(failure) => Err(failure),
    };
    db.close().await;
    done
}
