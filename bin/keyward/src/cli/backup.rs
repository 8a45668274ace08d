//! `keyward backup`: a consistent copy of an embedded database, examined, with a manifest; a folder
//! that is there once it is whole.

use super::output;
use crate::{
    backup::{self, DATABASE, Manifest},
    failure::Failure,
    installation::{Installation, Place},
};
use base::Env;
use std::{
    fs::{self, DirBuilder, OpenOptions},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use store::rows;

pub(super) async fn run(folder: &Path, place: &Place, json: bool) -> Result<(), Failure> {
    let installation = Installation::of(place)?;
    let Some(file) = &installation.file else {
        return Err(Failure::usage(
            "This installation keeps its data in PostgreSQL: back it up with pg_basebackup or pg_dump (docs/backup.md).",
        ));
    };
    if !file.exists() {
        return Err(Failure::failed(format!("There is no database at {}.", file.display())));
    }
    if folder.exists() {
        return Err(Failure::usage(format!("{} is there already: name a new folder.", folder.display())));
    }
    let draft = Draft::new(folder)?;
    let (manifest, people) = make(&installation, &draft.0).await?;
    draft.place(folder)?;
    if json {
        output::line(format_args!(
            "{}",
            serde_json::json!({ "folder": folder, "people": people, "manifest": manifest })
        ));
    } else {
        tell(&installation, folder, &manifest, people);
    }
    Ok(())
}

/// Makes it in this folder; gives what it says about itself, and how many people are in it.
async fn make(installation: &Installation, folder: &Path) -> Result<(Manifest, i64), Failure> {
    let copy = folder.join(DATABASE);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy)?.sync_all()?;
    let made_at = Env::system().now();
    store::backup::copy(&installation.database, &copy).await?;
    let db = backup::open(&copy).await?;
    let examined = async {
        Ok::<_, store::DbError>((
            store::backup::examine(&db).await?,
            rows::server::find(&db, "root-key").await?,
            store::backup::people(&db).await?,
        ))
    };
    let examined = examined.await;
    db.close().await;
    let (contents, root_key, people) = examined?;
    fs::File::open(&copy)?.sync_all()?;
    let manifest = Manifest::of(&copy, contents, root_key, made_at)?;
    manifest.write(folder)?;
    Ok((manifest, people))
}

/// A folder in the making, removed unless it is put in its place.
struct Draft(PathBuf);

impl Draft {
    fn new(folder: &Path) -> Result<Self, Failure> {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!(".{}", std::process::id()));
        let path = PathBuf::from(name);
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| Failure::failed(format!("{} cannot be made: {error}.", folder.display())))?;
        Ok(Self(path))
    }

    fn place(self, folder: &Path) -> Result<(), Failure> {
        backup::sync(&self.0)?;
        // A folder is never put over one that has something in it.
        fs::rename(&self.0, folder)?;
        Ok(backup::sync(&backup::parent(folder))?)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After it was put in its place there is nothing left.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn tell(installation: &Installation, folder: &Path, manifest: &Manifest, people: i64) {
    output::line(format_args!(
        "The backup is in {}: {} bytes, {people} people, {} events, as of {}; examined and whole.",
        folder.display(),
        manifest.bytes,
        manifest.last_event,
        manifest.made_at
    ));
    output::line(format_args!(
        "Not in it, and needed to use it: the root key{}. Keep a copy of that elsewhere.",
        manifest.root_key.as_ref().map(|id| format!(" (id {id})")).unwrap_or_default()
    ));
    if let Some(list) = &installation.erasures {
        output::line(format_args!(
            "Not in it either: who is deleted from now on. Keep {} on another disk too.",
            list.display()
        ));
    }
}
