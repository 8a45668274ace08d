//! The erasure list: one line for each person who was deleted, `NUMBER TENANT PERSON`, appended
//! within a second of it. It holds ids only. `NUMBER -` says up to which event the list is complete.

use crate::failure::Failure;
use base::Error;
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    future::Future,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};
use store::{Directory, backup::Erasure, rows};

const EVERY: Duration = Duration::from_secs(1);
const DELETED: &str = "person.deleted";
/// So many events may lie behind the last line.
const UNWRITTEN: i64 = 10_000;
/// A line is shorter.
const TAIL: u64 = 256;

/// Everybody on a list. A line that was cut off at a crash does not count.
pub(crate) fn read(path: &Path) -> Result<Vec<Erasure>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::failed(format!("The erasure list {} cannot be read: {error}.", path.display()))
    })?;
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        let Some(line) = line.strip_suffix('\n') else { break };
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            [_, "-"] => {}
            [_, tenant, person] => {
                let (Ok(tenant), Ok(person)) = (tenant.parse(), person.parse()) else {
                    return Err(unreadable(path, number));
                };
                if seen.insert(line.split_once(' ').map(|(_, who)| who.to_owned())) {
                    all.push(Erasure { tenant, person });
                }
            }
            _ => return Err(unreadable(path, number)),
        }
    }
    Ok(all)
}

fn unreadable(path: &Path, line: usize) -> Failure {
    Failure::failed(format!("Line {line} of the erasure list {} cannot be read.", path.display()))
}

/// Notes on a list that a database was put back: it is followed from this event on. `others` are
/// people of another list.
pub(crate) fn restored(path: &Path, others: &[Erasure], number: i64) -> io::Result<()> {
    let mut list = List::open(path)?;
    let lines: String = others.iter().map(|erased| line(0, *erased)).collect();
    list.append(&format!("{lines}{number} -\n"))
}

fn line(number: i64, Erasure { tenant, person }: Erasure) -> String {
    format!("{number} {tenant} {person}\n")
}

/// Keeps the list until `stop`: on every node, since each may be the only one that is left.
pub(crate) async fn follow(directory: Directory, path: PathBuf, stop: impl Future<Output = ()> + Send) {
    let mut list = match List::open(&path) {
        Ok(list) => list,
        Err(error) => {
            tracing::error!(%error, path = %path.display(), "the erasure list cannot be kept");
            return;
        }
    };
    let work = async {
        loop {
            match list.turn(&directory).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(?error, "the erasure list waits"),
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! { () = stop => {}, () = work => {} }
    // What was deleted while the server stopped.
    while list.turn(&directory).await.unwrap_or(false) {}
}

struct List {
    file: File,
    /// The number of the last event that was read, and that of the last line.
    read: i64,
    written: i64,
}

impl List {
    /// Opens or makes it, readable by its owner only, and drops a line that was cut off.
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        let start = length.saturating_sub(TAIL);
        file.seek(SeekFrom::Start(start))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(start + whole as u64)?;
        let last = tail.get(..whole.saturating_sub(1)).unwrap_or_default();
        let last = last.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let number = String::from_utf8_lossy(last).split(' ').next().and_then(|number| number.parse().ok());
        let number = number.unwrap_or(0);
        Ok(Self { file, read: number, written: number })
    }

    /// Reads the next events; says whether there may be more.
    async fn turn(&mut self, directory: &Directory) -> Result<bool, Error> {
        let events = rows::event::after(directory.db(), self.read).await?;
        let Some(last) = events.last().map(|event| event.number) else { return Ok(false) };
        let deleted = events.iter().filter(|event| event.kind == DELETED);
        let mut lines: String = deleted
            .filter_map(|event| {
                Some(line(event.number, Erasure { tenant: event.tenant, person: event.person? }))
            })
            .collect();
        if !lines.is_empty() || last - self.written >= UNWRITTEN {
            lines.push_str(&format!("{last} -\n"));
            self.append(&lines).map_err(|error| Error::unavailable(format!("the erasure list: {error}")))?;
            self.written = last;
        }
        self.read = last;
        Ok(true)
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Env, Id};

    #[test]
    fn a_list_goes_on_where_it_ended_and_forgets_a_line_that_was_cut_off() {
        let path = std::env::temp_dir().join(format!("keyward-erased-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let env = Env::system();
        let who =
            |env: &Env| Erasure { tenant: Id::from_bytes(env.bytes()), person: Id::from_bytes(env.bytes()) };
        let (a, b) = (who(&env), who(&env));
        restored(&path, &[a, b, a], 41).unwrap();
        fs::write(&path, format!("{}42 tnt_cut-off", fs::read_to_string(&path).unwrap())).unwrap();
        assert_eq!(read(&path).ok(), Some(vec![a, b]));
        let list = List::open(&path).unwrap();
        assert_eq!((list.read, list.written), (41, 41));
        restored(&path, &[], 50).unwrap();
        assert_eq!(read(&path).ok(), Some(vec![a, b]));
        fs::write(&path, "1 nonsense\n").unwrap();
        assert!(read(&path).is_err());
        fs::remove_file(&path).unwrap();
    }
}
