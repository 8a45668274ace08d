//! Backups of an embedded database: a folder with the copy and a manifest that says what it must
//! hold. Never the root key, which is kept apart. And the list of who was deleted since, which
//! stands outside of the backups.

pub(crate) mod erasures;

use crate::failure::Failure;
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use store::{Db, DbUrl, backup::Contents};

/// The name of the copy in its folder.
pub(crate) const DATABASE: &str = "keyward.db";
const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;

/// What a backup says about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The form of the folder.
    format: u32,
    /// The version of the program that made it.
    pub(crate) program: String,
    /// When, in RFC 3339.
    pub(crate) made_at: String,
    /// Which root key opens its secrets: the key's id, which tells nothing about the key.
    pub(crate) root_key: Option<String>,
    /// The number of its last event.
    pub(crate) last_event: i64,
    /// The rows of each table.
    pub(crate) rows: BTreeMap<String, u64>,
    /// The copy's length in bytes.
    pub(crate) bytes: u64,
    /// The copy's SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
}

impl Manifest {
    /// Of a copy that was examined.
    pub(crate) fn of(
        copy: &Path,
        contents: Contents,
        root_key: Option<String>,
        made_at: base::Time,
    ) -> io::Result<Self> {
        let (bytes, sha256) = sum(copy)?;
        Ok(Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: made_at.to_string(),
            root_key,
            last_event: contents.last_event,
            rows: contents.rows,
            bytes,
            sha256,
        })
    }

    /// Writes it into a folder, for good.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(MANIFEST);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        serde_json::to_writer_pretty(&file, self)?;
        file.sync_all()
    }

    /// Reads that of a folder, and compares the copy's checksum with it.
    pub(crate) fn verified(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(MANIFEST);
        let no = |what: String| Failure::failed(format!("{} is no whole backup: {what}.", folder.display()));
        let text = std::fs::read_to_string(&path).map_err(|error| no(format!("{MANIFEST}: {error}")))?;
        let manifest: Self =
            serde_json::from_str(&text).map_err(|error| no(format!("{MANIFEST}: {error}")))?;
        if manifest.format != FORMAT {
            return Err(no(format!(
                "its form {} is not known; use the program that made it",
                manifest.format
            )));
        }
        let (bytes, sha256) =
            sum(&folder.join(DATABASE)).map_err(|error| no(format!("{DATABASE}: {error}")))?;
        if bytes != manifest.bytes || sha256 != manifest.sha256 {
            return Err(no(format!(
                "{DATABASE} is not the file that was written then (its checksum differs)"
            )));
        }
        Ok(manifest)
    }

    /// Whether a database holds what the manifest says.
    pub(crate) fn matches(&self, contents: &Contents) -> bool {
        self.rows == contents.rows && self.last_event == contents.last_event
    }

    /// How many rows a table has.
    pub(crate) fn count(&self, table: &str) -> u64 {
        self.rows.get(table).copied().unwrap_or(0)
    }
}

/// Opens the copy in a folder; nobody else has it.
pub(crate) async fn open(copy: &Path) -> Result<Db, Failure> {
    let options = store::OpenOptions { create: false, lock: false, ..store::OpenOptions::default() };
    Ok(Db::open(&DbUrl::sqlite(copy), options).await?)
}

/// Length and SHA-256 of a file.
fn sum(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut context, mut length) = (Context::new(&SHA256), 0);
    let mut block = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            break;
        }
        context.update(block.get(..read).unwrap_or_default());
        length += read as u64;
    }
    let digits = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((length, digits))
}

/// Puts what is written in a folder, and the folder's own entry, on the disk.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The folder that a path stands in.
pub(crate) fn parent(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_path_buf()
}
