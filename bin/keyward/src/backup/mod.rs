//! Backups of an embedded database: a folder with the copy and a manifest that says what it must
//! hold. Never the root key, which is kept apart. And the list of who was deleted since, which
//! stands outside of the backups.

pub(crate) mod erasures;
pub(crate) mod interrupted;

use crate::failure::Failure;
use aws_lc_rs::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use store::{Db, DbUrl, backup::Contents};

/// The name of the copy in its folder.
pub(crate) const DATABASE: &str = "keyward.db";
const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;
/// A manifest is shorter.
const LONGEST: u64 = 1 << 20;

/// What a backup says about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The SHA-256 of all that stands above, as it is written with this empty.
    seal: String,
}

impl Manifest {
    /// Of a copy that was examined.
    pub(crate) fn of(
        copy: &Path,
        contents: Contents,
        root_key: Option<String>,
        made_at: base::Time,
    ) -> io::Result<Self> {
        let (bytes, sha256) = pass(plain(copy)?, |error| error, |_| Ok(()))?;
        let mut made = Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: made_at.to_string(),
            root_key,
            last_event: contents.last_event,
            rows: contents.rows,
            bytes,
            sha256,
            seal: String::new(),
        };
        made.seal = made.sealed()?;
        Ok(made)
    }

    fn sealed(&self) -> io::Result<String> {
        let bare = Self { seal: String::new(), ..self.clone() };
        Ok(hex(digest(&SHA256, serde_json::to_string_pretty(&bare)?.as_bytes()).as_ref()))
    }

    /// Writes it into a folder, for good.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(MANIFEST);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        serde_json::to_writer_pretty(&file, self)?;
        file.sync_all()
    }

    /// Reads that of a folder. The copy is looked at by [`Self::copied`] or [`Self::verify`].
    ///
    /// # Errors
    /// If it is not as it was written, or was written by a program that knows more.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let no = |what: String| broken(folder, format!("{MANIFEST}: {what}"));
        let mut text = String::new();
        plain(&folder.join(MANIFEST))
            .and_then(|file| file.take(LONGEST).read_to_string(&mut text))
            .map_err(|error| no(error.to_string()))?;
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| no(error.to_string()))?;
        if let Some(newer) = value.get("format").and_then(|format| format.as_u64())
            && newer > u64::from(FORMAT)
        {
            return Err(no(format!("its form {newer} is not known; use the newer program that made it")));
        }
        let manifest: Self = serde_json::from_value(value).map_err(|error| no(error.to_string()))?;
        let again = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        if manifest.format != FORMAT || again != text || manifest.sealed()? != manifest.seal {
            return Err(no("it is not the file that was written then (its checksum differs)".to_owned()));
        }
        Ok(manifest)
    }

    /// Compares the copy in the folder with its checksum.
    ///
    /// # Errors
    /// If it is another.
    pub(crate) fn verify(&self, folder: &Path) -> Result<(), Failure> {
        self.matches_sum(folder, |_| Ok(()))
    }

    /// Copies the copy in the folder into a new file that only its owner may read, and compares what
    /// was written with the checksum.
    ///
    /// # Errors
    /// If it is another, or the file cannot be written.
    pub(crate) fn copied(&self, folder: &Path, to: &Path) -> Result<(), Failure> {
        let no = |error: io::Error| Failure::failed(format!("{} cannot be written: {error}.", to.display()));
        let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(no)?;
        self.matches_sum(folder, |bytes| target.write_all(bytes).map_err(no))?;
        target.sync_all().map_err(no)
    }

    fn matches_sum(
        &self,
        folder: &Path,
        write: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let unread = |error| broken(folder, format!("{DATABASE}: {error}"));
        let file = plain(&folder.join(DATABASE)).map_err(unread)?;
        // Before anything is read: a file of another length could fill the disk.
        let length = file.metadata().map_err(unread)?.len();
        if length != self.bytes {
            let what = format!("{DATABASE} has {length} bytes, and had {} when it was written", self.bytes);
            return Err(broken(folder, what));
        }
        let (bytes, sha256) = pass(file.take(self.bytes.saturating_add(1)), unread, write)?;
        if bytes == self.bytes && sha256 == self.sha256 {
            return Ok(());
        }
        let what = format!("{DATABASE} is not the file that was written then (its checksum differs)");
        Err(broken(folder, what))
    }

    /// Whether a database holds what the manifest says.
    pub(crate) fn matches(&self, contents: &Contents) -> bool {
        self.rows == contents.rows && self.last_event == contents.last_event
    }
}

/// Opens the copy in a folder; nobody else has it.
pub(crate) async fn open(copy: &Path) -> Result<Db, Failure> {
    let options = store::OpenOptions { create: false, lock: false, ..store::OpenOptions::default() };
    Ok(Db::open(&DbUrl::sqlite(copy), options).await?)
}

fn broken(folder: &Path, what: impl std::fmt::Display) -> Failure {
    Failure::failed(format!("{} is no whole backup: {what}.", folder.display()))
}

/// Opens a file of a backup: a link could lead anywhere, and a pipe would keep us for ever.
fn plain(path: &Path) -> io::Result<File> {
    match std::fs::symlink_metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("it is no plain file")),
    }
}

/// Hands on what a file holds; gives its length and SHA-256.
fn pass<E>(
    mut file: impl io::Read,
    unread: impl Fn(io::Error) -> E,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(u64, String), E> {
    let (mut context, mut length) = (Context::new(&SHA256), 0);
    let mut block = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut block).map_err(&unread)?;
        if read == 0 {
            break;
        }
        let read = block.get(..read).unwrap_or_default();
        context.update(read);
        write(read)?;
        length += read.len() as u64;
    }
    Ok((length, hex(context.finish().as_ref())))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_in_which_a_bit_of_any_byte_flipped_is_refused() {
        let folder = std::env::temp_dir().join(format!("keyward-manifest-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(DATABASE), b"a database").unwrap();
        let contents = Contents { rows: BTreeMap::from([("person".to_owned(), 3)]), last_event: 41 };
        let key = Some("10be808bb5c355fe".to_owned());
        let made =
            Manifest::of(&folder.join(DATABASE), contents, key, base::Time::from_seconds(1_800_000_000))
                .unwrap();
        made.write(&folder).unwrap();
        assert!(Manifest::read(&folder).and_then(|manifest| manifest.verify(&folder)).is_ok());
        let path = folder.join(MANIFEST);
        let written = std::fs::read(&path).unwrap();
        for byte in 0..written.len() {
            let mut changed = written.clone();
            changed[byte] ^= 1 << (byte % 8);
            std::fs::write(&path, &changed).unwrap();
            assert!(Manifest::read(&folder).is_err(), "byte {byte}: {}", String::from_utf8_lossy(&changed));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
