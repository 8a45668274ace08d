//! The mailbox of `dev`: every mail is a file, so that it survives a restart, and is shown at
//! `/dev/mail` instead of leaving the machine.

use super::{Message, Outgoing, Trouble};
use base::Error;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const KEPT: usize = 500;

/// A caught mail, as `/dev/mail.json` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caught {
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// Its text as HTML.
    pub html: String,
    /// The one-time code in it.
    pub code: Option<String>,
    /// The links in it.
    pub links: Vec<String>,
    /// When it was caught, RFC 3339.
    pub sent_at: String,
}

/// The latest 500 mails, in a folder. Clones share it.
#[derive(Clone)]
pub struct Mailbox(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    /// By file name, which begins with the time.
    mails: Mutex<BTreeMap<String, Caught>>,
}

impl Mailbox {
    /// Opens the mailbox in this folder, which is made if it is missing.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        let mails = read(&folder)
            .map_err(|error| Error::internal(format!("mailbox {}: {error}", folder.display())))?;
        Ok(Self(Arc::new(Inner { folder, mails: Mutex::new(mails) })))
    }

    /// The mails to this address, or all, newest first.
    pub fn list(&self, to: Option<&str>) -> Vec<Caught> {
        let wanted = |mail: &&Caught| to.is_none_or(|to| mail.to.eq_ignore_ascii_case(to));
        self.mails().values().rev().filter(wanted).cloned().collect()
    }

    /// Catches a mail; the same one caught again takes its own place.
    pub(super) fn deliver(&self, mail: &Outgoing<'_>) -> Result<(), Trouble> {
        let Message { to, subject, text, html, code, links, decoy } = mail.message.clone();
        let caught = Caught { to, subject, text, html, code, links, sent_at: mail.now.to_string() };
        let name = format!("{:020}-{}.json", mail.queued_at.micros().max(0), mail.id);
        if decoy {
            return Ok(());
        }
        let trouble = |error: io::Error| Trouble::Later(format!("the mailbox: {error}"));
        let body = serde_json::to_vec_pretty(&caught).map_err(|error| trouble(error.into()))?;
        write(&self.0.folder, &name, &body).map_err(trouble)?;
        let mut mails = self.mails();
        mails.insert(name, caught);
        while mails.len() > KEPT {
            if let Some((oldest, _)) = mails.pop_first() {
                // If it stays, it goes at the next start's first mail.
                let _ = std::fs::remove_file(self.0.folder.join(oldest));
            }
        }
        Ok(())
    }

    fn mails(&self) -> MutexGuard<'_, BTreeMap<String, Caught>> {
        self.0.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What lies in the folder; files that are no mails are left alone.
fn read(folder: &Path) -> io::Result<BTreeMap<String, Caught>> {
    make_private(folder)?;
    let mut mails = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.ends_with(".json")
            && let Ok(caught) = serde_json::from_slice(&std::fs::read(entry.path())?)
        {
            mails.insert(name, caught);
        }
    }
    Ok(mails)
}

/// The mails hold codes: the folder is for its owner only.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Whole or not at all, whatever happens in between.
fn write(folder: &Path, name: &str, body: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!("{name}.part"));
    std::fs::write(&unfinished, body)?;
    std::fs::rename(unfinished, folder.join(name))
}
