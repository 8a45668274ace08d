//! `keyward apply`: hands the file to the server that holds the embedded database, or works on the
//! database itself.

use crate::{
    failure::Failure,
    installation::{Installation, Place},
};
use apply::{Document, Report};
use base::Env;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use store::{Address, Db, DbError, Directory, OpenOptions};
use tokio::time::sleep;
use work::{HashPool, HashSettings};

/// The issuer of the very first tenant where neither a server nor the file has named one.
const DEFAULT_ISSUER: &str = "http://localhost:8080";
/// How long a server may hold the database without listening: at its start, at its end. Another
/// command may hold it, too.
const BETWEEN: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn run(file: &Path, place: &Place, dry_run: bool, json: bool) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}.", file.display())))?;
    let document = Document::parse(&text).map_err(|problems| {
        let name = file.display();
        Failure::problems(problems.iter().map(|problem| {
            serde_json::json!({
                "error": format!("{name}: {problem}"),
                "path": problem.path,
                "message": problem.message,
            })
        }))
    })?;
    let installation = Installation::of(place)?;
    let root_key = installation.root_key()?;
    let report = beside_or_directly(&installation, root_key, &document, dry_run).await?;
    print(&report, json);
    Ok(())
}

async fn beside_or_directly(
    installation: &Installation,
    root_key: base::SealingKey,
    document: &Document,
    dry_run: bool,
) -> Result<Report, Failure> {
    let end = Instant::now() + BETWEEN;
    loop {
        match Db::open(&installation.database, OpenOptions::default()).await {
            Ok(db) => {
                let issuer = installation.issuer.as_deref().unwrap_or(DEFAULT_ISSUER);
                return directly(db, root_key, (document, issuer), dry_run).await;
            }
            Err(DbError::Locked(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let socket = installation.socket().ok_or_else(|| Failure::failed("The database is locked."))?;
        match apply::control::send(&socket, document, dry_run).await {
            Ok(report) => return Ok(report),
            Err(error) if error.code == "error-no-server" && Instant::now() < end => sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn directly(
    db: Db,
    root: base::SealingKey,
    what: (&Document, &str),
    dry_run: bool,
) -> Result<Report, Failure> {
    let (document, issuer) = what;
    store::migrate(&db, &crate::wiring::migrations()).await?;
    let env = Env::system();
    let directory = Directory::new(db.clone(), env.clone(), root);
    directory.check_root_key().await?;
    let report = if dry_run {
        apply::plan(&directory, document, issuer).await
    } else {
        if directory.resolve(Address::Root).await?.is_none() {
            crate::wiring::first_tenant(&directory, issuer, false).await?;
        }
        let pool = HashPool::start(env, HashSettings::default())?;
        apply::apply(&directory, &pool, document, issuer).await
    };
    db.close().await;
    Ok(report?)
}

fn print(report: &Report, json: bool) {
    if json {
        println!("{}", report.to_json());
    } else {
        println!("{report}");
    }
}
