//! `keyward apply`: hands the documents of a file to the server that holds the embedded database, or
//! works on the database itself.

use super::{output, reach::reach};
use crate::{
    failure::Failure,
    installation::{Installation, Place},
    wiring::FIRST_SLUG,
};
use apply::{Document, Documents, Report};
use base::Env;
use std::{
    fs::File,
    io::{BufRead, BufReader, Cursor, Read as _},
    path::Path,
};
use store::{Address, Directory};
use work::{HashPool, HashSettings};

/// The issuer of the very first tenant where neither a server nor the file has named one.
const DEFAULT_ISSUER: &str = "http://localhost:8080";
/// The most that is held of what can be read only once. A file on the disk may be of any length, since
/// a document of it is read at a time.
const MOST_HELD: u64 = 64 << 20;

pub(super) async fn run(file: &Path, place: &Place, dry_run: bool, json: bool) -> Result<(), Failure> {
    let file = Source::open(file)?;
    file.check()?;
    let installation = Installation::of(place)?;
    installation.root_key()?;
    // All of a file is compared before anything of it is written.
    let mut report = carry_out(&installation, &file, true).await?;
    if !dry_run {
        report = carry_out(&installation, &file, false).await?;
    }
    if json {
        output::line(report.to_json());
    } else {
        output::line(report);
    }
    Ok(())
}

async fn carry_out(installation: &Installation, file: &Source<'_>, dry_run: bool) -> Result<Report, Failure> {
    let beside = async |socket: &Path| {
        let mut report = Report::default();
        for document in file.documents() {
            let document = document.map_err(|failure| failure.into_error())?;
            report.extend(apply::control::send(socket, &document, dry_run).await?);
        }
        Ok(report)
    };
    reach(installation, async |directory| directly(directory, installation, file, dry_run).await, beside)
        .await
}

async fn directly(
    directory: &Directory,
    installation: &Installation,
    file: &Source<'_>,
    dry_run: bool,
) -> Result<Report, Failure> {
    let issuer = installation.issuer.as_deref().unwrap_or(DEFAULT_ISSUER);
    let pool = HashPool::start(Env::system(), HashSettings::default())?;
    let mut report = Report::default();
    for document in file.documents() {
        let document = document?;
        if dry_run {
            report.extend(apply::plan(directory, &document, issuer).await?);
            continue;
        }
        if directory.resolve(Address::Root).await?.is_none() {
            let own = document.issuer_of(FIRST_SLUG).unwrap_or(issuer);
            crate::wiring::first_tenant(directory, own, false).await?;
        }
        report.extend(apply::apply(directory, &pool, &document, issuer).await?);
    }
    Ok(report)
}

/// A file that is read several times.
struct Source<'a> {
    path: &'a Path,
    /// All of it, where it can be read only once.
    held: Option<Vec<u8>>,
}

impl<'a> Source<'a> {
    fn open(path: &'a Path) -> Result<Self, Failure> {
        let unreadable =
            |error: std::io::Error| Failure::usage(format!("{} cannot be read: {error}.", path.display()));
        let file = File::open(path).map_err(unreadable)?;
        let mut held = None;
        if !file.metadata().map_err(unreadable)?.is_file() {
            let held = held.insert(Vec::new());
            file.take(MOST_HELD + 1).read_to_end(held).map_err(unreadable)?;
            if held.len() as u64 > MOST_HELD {
                return Err(Failure::usage(format!(
                    "{} holds more than 64 MiB, and is no file that can be read twice: write it into one first.",
                    path.display()
                )));
            }
        }
        Ok(Self { path, held })
    }

    fn documents(&self) -> impl Iterator<Item = Result<Document, Failure>> {
        let file: std::io::Result<Box<dyn BufRead + '_>> = match &self.held {
            Some(held) => Ok(Box::new(Cursor::new(held.as_slice()))),
            None => File::open(self.path).map(|file| Box::new(BufReader::new(file)) as Box<dyn BufRead>),
        };
        let (texts, failed) = match file {
            Ok(file) => (Some(Documents::new(file)), None),
            Err(error) => (None, Some(Err(error))),
        };
        texts.into_iter().flatten().chain(failed).zip(1..).map(|(text, number)| self.read(text, number))
    }

    fn read(&self, text: std::io::Result<String>, number: usize) -> Result<Document, Failure> {
        let name = match number {
            1 => self.path.display().to_string(),
            _ => format!("{}: document {number}", self.path.display()),
        };
        let text = text.map_err(|error| Failure::usage(format!("{name} cannot be read: {error}.")))?;
        Document::parse(&text).map_err(|problems| {
            Failure::problems(problems.iter().map(|problem| {
                serde_json::json!({
                    "error": format!("{name}: {problem}"),
                    "path": problem.path,
                    "message": problem.message,
                })
            }))
        })
    }

    /// Whether every document can be read.
    fn check(&self) -> Result<(), Failure> {
        self.documents().try_for_each(|document| document.map(drop))
    }
}
