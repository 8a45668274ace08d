//! `keyward export`: writes what is stored as the file that `keyward apply` reads, document by
//! document.

use super::{output, reach::reach};
use crate::{
    failure::Failure,
    installation::{Installation, Place},
};
use apply::{Export, Piece, Selection};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

pub(super) async fn run(place: &Place, selection: Selection, out: Option<&Path>) -> Result<(), Failure> {
    let installation = Installation::of(place)?;
    installation.root_key()?;
    let target = Target::open(out)?;
    let exported = write(&installation, &selection, &target).await;
    target.close(exported)
}

async fn write(installation: &Installation, selection: &Selection, target: &Target) -> Result<(), Failure> {
    let directly = async |directory: &store::Directory| {
        let mut export = Export::begin(directory, selection.clone(), crate::wiring::registered()).await?;
        while let Some(piece) = export.next().await? {
            target.take(&piece)?;
        }
        Ok(())
    };
    let beside =
        async |socket: &Path| apply::control::export(socket, selection, |piece| target.take(&piece)).await;
    reach(installation, directly, beside).await
}

/// Where the documents go: the standard output, or a file that is there once it is whole. A file is
/// for its owner alone: people and the hashes of their passwords may stand in it.
enum Target {
    Output,
    File { draft: PathBuf, path: PathBuf, file: fs::File },
}

impl Target {
    fn open(out: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = out else { return Ok(Self::Output) };
        let mut draft = path.to_path_buf().into_os_string();
        draft.push(format!(".{}", std::process::id()));
        let draft = PathBuf::from(draft);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        let file =
            file.map_err(|error| Failure::failed(format!("{} cannot be written: {error}.", path.display())))?;
        Ok(Self::File { draft, path: path.to_path_buf(), file })
    }

    fn take(&self, piece: &Piece) -> io::Result<()> {
        for problem in &piece.problems {
            eprintln!("note: what is stored would be refused by `keyward apply`: {problem}");
        }
        match self {
            Self::Output => {
                output::write(&piece.text);
                Ok(())
            }
            Self::File { file, .. } => (&mut &*file).write_all(piece.text.as_bytes()),
        }
    }

    /// Puts a whole file in its place; what was broken off is removed.
    fn close(self, exported: Result<(), Failure>) -> Result<(), Failure> {
        let Self::File { draft, path, file } = self else { return exported };
        let placed = exported.and_then(|()| {
            file.sync_all()
                .and_then(|()| fs::rename(&draft, &path))
                .map_err(|error| Failure::failed(format!("{} cannot be written: {error}.", path.display())))
        });
        if placed.is_err() {
            let _ = fs::remove_file(&draft);
        }
        placed
    }
}
