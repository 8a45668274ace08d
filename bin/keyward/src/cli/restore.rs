//! `keyward restore`: puts a backup where no database is, or makes a database that was put back by
//! other means fit for use. Whoever was deleted since is deleted again, and nothing that was issued
//! before lives on.

use super::output;
use crate::{
    backup::{self, DATABASE, Manifest, erasures, interrupted},
    failure::Failure,
    installation::{self, Installation, Place},
    wiring,
};
use base::Env;
use clap::Args;
use std::{
    collections::HashSet,
    fs::{self, DirBuilder, OpenOptions},
    io,
    os::unix::{
        fs::{DirBuilderExt as _, OpenOptionsExt as _},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};
use store::{Db, Directory, OpenOptions as DbOptions, backup::Erasure};

/// What `keyward restore` is told.
#[derive(Args)]
pub(crate) struct Restore {
    /// The folder of the backup.
    #[arg(required_unless_present = "in_place", conflicts_with = "in_place")]
    folder: Option<PathBuf>,
    /// The database was put back by other means, such as those of PostgreSQL: do the rest.
    #[arg(long)]
    in_place: bool,
    /// The list of who was deleted, in place of the one beside the database.
    #[arg(long, value_name = "FILE", conflicts_with = "no_erasure_list")]
    erasure_list: Option<PathBuf>,
    /// There is no such list: people who were deleted since the backup come back.
    #[arg(long)]
    no_erasure_list: bool,
    /// Only say whether the backup is whole.
    #[arg(long, conflicts_with = "in_place")]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(restore: &Restore, json: bool) -> Result<(), Failure> {
    if let (Some(folder), true) = (&restore.folder, restore.dry_run) {
        let manifest = Manifest::read(folder)?;
        manifest.verify(folder)?;
        match json {
            true => output::line(format_args!("{}", serde_json::json!({ "manifest": manifest }))),
            false => output::line(format_args!("{} is whole, as of {}.", folder.display(), manifest.made_at)),
        }
        return Ok(());
    }
    let installation = Installation::of(&restore.place)?;
    installation.root_key()?;
    installation.check_folder()?;
    let erased = erased(restore, &installation)?;
    let again = match &restore.folder {
        Some(folder) => put_back(folder, &installation, &erased).await?,
        None => in_place(&installation, &erased).await?,
    };
    if json {
        output::line(format_args!("{}", serde_json::json!({ "deleted_again": again })));
        return Ok(());
    }
    output::line(format_args!("The database is back, at {}.", installation.database));
    output::line(format_args!("{again} people who were deleted since were deleted again."));
    output::line(format_args!("Everybody is signed out: sessions, grants and tokens from before are dead."));
    output::line(format_args!(
        "As they were then are passwords, applications, their secrets and API keys: what was changed or withdrawn since, change again."
    ));
    Ok(())
}

/// Who is to be deleted again. Without a list that has to be said, since they would come back.
fn erased(restore: &Restore, installation: &Installation) -> Result<Vec<Erasure>, Failure> {
    if restore.no_erasure_list {
        return Ok(Vec::new());
    }
    let named = restore.erasure_list.as_ref();
    let own = installation.erasures.as_ref().filter(|path| path.exists());
    match named.or(own) {
        Some(path) => erasures::read(path),
        None => Err(Failure::usage(
            "There is no list of who was deleted since the backup, so they would come back. Give \
             --erasure-list FILE, or say --no-erasure-list if there is none.",
        )),
    }
}

async fn put_back(folder: &Path, installation: &Installation, erased: &[Erasure]) -> Result<u64, Failure> {
    let Some(file) = &installation.file else {
        return Err(Failure::usage(
            "A backup folder is put back as an embedded database: name a sqlite: database.",
        ));
    };
    let manifest = Manifest::read(folder)?;
    let own = backup::hex(installation.root_key()?.id().as_slice());
    if manifest.root_key.as_ref().is_some_and(|needed| *needed != own) {
        return Err(Failure::usage(
            "The root key given is not the one that this backup was sealed with. It is kept apart from the backups.",
        ));
    }
    // One whose files were moved away, the lock with them, still works on them.
    if UnixStream::connect(installation::socket_beside(file)).is_ok() {
        return Err(held(file));
    }
    refuse_overwriting(file)?;
    let _alone = alone(file)?;
    // Whoever held it may have made a database.
    refuse_overwriting(file)?;
    let staging = Staging::new(file)?;
    let copy = staging.0.join(DATABASE);
    manifest.copied(folder, &copy)?;
    let db = backup::open(&copy).await?;
    let done = fill(&db, &manifest, installation, erased).await;
    db.close().await;
    let (again, last) = done?;
    // First, since the list of a database that is there must say from which event on it is followed.
    note(installation, erased, last)?;
    place(&copy, file)?;
    Ok(again)
}

async fn fill(
    db: &Db,
    manifest: &Manifest,
    installation: &Installation,
    erased: &[Erasure],
) -> Result<(u64, i64), Failure> {
    if !manifest.matches(&store::backup::examine(db).await?) {
        return Err(Failure::failed("The copy does not hold what the manifest says. Nothing was put back."));
    }
    settle(db.clone(), installation, erased).await
}

async fn in_place(installation: &Installation, erased: &[Erasure]) -> Result<u64, Failure> {
    let options = DbOptions { create: false, ..DbOptions::default() };
    let db = Db::open(&installation.database, options).await.map_err(|error| match error {
        store::DbError::Locked(path) => held(Path::new(&path)),
        error => error.into(),
    })?;
    let done = settle(db.clone(), installation, erased).await;
    db.close().await;
    let (again, last) = done?;
    note(installation, erased, last)?;
    Ok(again)
}

/// Brings it to this version and ends what is owed; gives who was deleted again and the last event.
async fn settle(db: Db, installation: &Installation, erased: &[Erasure]) -> Result<(u64, i64), Failure> {
    let newer = store::unknown(&db, &wiring::migrations()).await?;
    if let Some(name) = newer.first() {
        return Err(Failure::failed(format!(
            "This backup was made by a newer program (it knows {name}). Restore it with that one."
        )));
    }
    store::migrate(&db, &wiring::migrations()).await?;
    let directory = Directory::new(db, Env::system(), installation.root_key()?);
    directory.check_root_key().await?;
    let again = store::backup::settle(&directory, erased).await?;
    while directory.db().number_events().await? > 0 {}
    Ok((again, store::backup::last_event(directory.db()).await?))
}

fn note(installation: &Installation, erased: &[Erasure], last: i64) -> Result<(), Failure> {
    let Some(list) = &installation.erasures else { return Ok(()) };
    let known = if list.exists() { erasures::read(list)? } else { Vec::new() };
    let known: HashSet<Erasure> = known.into_iter().collect();
    let others: Vec<Erasure> = erased.iter().filter(|erased| !known.contains(erased)).copied().collect();
    Ok(erasures::restored(list, &others, last)?)
}

fn refuse_overwriting(file: &Path) -> Result<(), Failure> {
    for ending in ["", "-wal", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        // A link that leads nowhere is something, too.
        if fs::symlink_metadata(&name).is_ok() {
            return Err(Failure::failed(format!(
                "{} is there already, and a restore writes over nothing. Move it away first.",
                Path::new(&name).display()
            )));
        }
    }
    Ok(())
}

/// The lock of a database, as whoever works on one holds it.
fn alone(file: &Path) -> Result<fs::File, Failure> {
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    let wrong =
        |error| Failure::failed(format!("{} cannot be written: {error}.", Path::new(&name).display()));
    let options = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name);
    let lock = options.map_err(wrong)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(held(file)),
        Err(fs::TryLockError::Error(error)) => Err(wrong(error)),
    }
}

fn held(file: &Path) -> Failure {
    Failure::failed(format!("A server works on {}. Stop it first.", file.display()))
}

/// Gives the whole file its name, which must still be free.
fn place(copy: &Path, file: &Path) -> Result<(), Failure> {
    fs::File::open(copy)?.sync_all()?;
    fs::hard_link(copy, file)
        .map_err(|error| Failure::failed(format!("{} cannot be written: {error}.", file.display())))?;
    Ok(backup::sync(&backup::parent(file))?)
}

/// Where a database is made ready before anybody can open it; removed in the end. While it is there and
/// the database is not, nobody makes an empty one in its place.
struct Staging(PathBuf);

impl Staging {
    fn new(file: &Path) -> Result<Self, Failure> {
        let path = interrupted::staging(file);
        // What is there was left by a restore that was killed: one that lives holds the lock.
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::failed(format!("{} cannot be removed: {error}.", path.display())));
            }
            _ => {}
        }
        let made = DirBuilder::new().recursive(false).mode(0o700).create(&path);
        made.map_err(|error| Failure::failed(format!("{} cannot be made: {error}.", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
