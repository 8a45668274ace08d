//! The database with its files, the root key that opens it, the disk, the clock.

use super::Finding;
use crate::{backup::interrupted, installation::Installation, wiring};
use base::Env;
use std::{
    io::Read as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    process::Command,
    time::Duration,
};
use store::{Db, Directory, Engine, OpenOptions, rows};

/// Less room than this is an error, less than that a warning.
const LEAST: u64 = 256 << 20;
const LITTLE: u64 = 2 << 30;
/// The clock may differ from the newest event by so much, when that lies ahead.
const AHEAD: Duration = Duration::from_secs(60);

pub(super) async fn look(installation: &Installation) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(file) = &installation.file {
        findings.push(folder(file));
        findings.extend(files(installation, file));
        findings.push(room(file));
    }
    match &installation.root_key {
        Some(_) => findings.push(Finding::ok("root-key", "there is one")),
        None => findings.push(Finding::error(
            "root-key",
            "there is none, and without it nothing secret opens",
            "name it with secrets.root_key_file or KEYWARD_ROOT_KEY; a lost one can only come from your copy of it",
        )),
    }
    findings.extend(database(installation).await);
    findings
}

/// Whether the database can be written: SQLite makes files beside it.
fn folder(file: &Path) -> Finding {
    const CHECK: &str = "folder";
    let folder = crate::backup::parent(file);
    let probe = folder.join(format!(".doctor-{}-folder", std::process::id()));
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe);
    let _ = std::fs::remove_file(&probe);
    let folder = folder.display();
    match made.and_then(|_| if file.exists() { opened(file) } else { Ok(()) }) {
        Ok(()) => Finding::ok(CHECK, format!("{folder} can be written")),
        Err(error) => Finding::error(
            CHECK,
            format!("this user cannot write in {folder}: {error}"),
            format!(
                "make it, and give it with its files to the user who runs keyward: chown -R keyward {folder}; \
                 under systemd name it with StateDirectory= or ReadWritePaths="
            ),
        ),
    }
}

fn opened(file: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().read(true).write(true).open(file).map(drop)
}

fn files(installation: &Installation, file: &Path) -> Vec<Finding> {
    let folder = crate::backup::parent(file);
    let paths = [Some(folder.as_path()), Some(file), installation.erasures.as_deref()];
    let root_key = folder.join("root.key");
    let there = paths.into_iter().flatten().chain([root_key.as_path()]).filter(|path| path.exists());
    let mut open = Vec::new();
    for path in there {
        let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & 0o007 != 0 && !(path.is_dir() && mode & 0o002 == 0) {
            open.push(Finding::error(
                "files",
                format!("every user of this machine may use {} (mode {:03o})", path.display(), mode & 0o777),
                format!("chmod o-rwx {}", path.display()),
            ));
        }
    }
    if open.is_empty() {
        open.push(Finding::ok("files", "only their owner and group may use them"));
    }
    open
}

/// The room on the disk of the database, by `df`.
fn room(file: &Path) -> Finding {
    let folder = crate::backup::parent(file);
    let said = Command::new("df").arg("-Pk").arg(&folder).output();
    let text = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let free = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    let Some(free) = free.map(|kib| kib << 10) else {
        return Finding::warning(
            "disk",
            format!("how much room there is at {} is unknown", folder.display()),
            "see that the folder exists and `df` is installed",
        );
    };
    let what = format!("{} MiB free at {}", free >> 20, folder.display());
    let fix =
        "make room, or move the database to a larger disk; a full disk refuses changes, and loses nothing";
    match free {
        ..LEAST => Finding::error("disk", what, fix),
        LEAST..LITTLE => Finding::warning("disk", what, fix),
        _ => Finding::ok("disk", what),
    }
}

async fn database(installation: &Installation) -> Vec<Finding> {
    const CHECK: &str = "database";
    if let Some(staging) = interrupted::half_done(installation) {
        let what = format!("a restore to {} did not come to its end", installation.database);
        let fix = format!("run `keyward restore` again, or remove {}", staging.display());
        return vec![Finding::error(CHECK, what, fix)];
    }
    if let Some(file) = installation.file.as_ref().filter(|file| is_something_else(file)) {
        return vec![Finding::error(
            CHECK,
            format!("{} is no database: it begins with something else", file.display()),
            "see that database.url names the right file; move this one away and put a backup in its place (`keyward restore`)",
        )];
    }
    if installation.file.as_ref().is_some_and(|file| !file.exists()) {
        let what = format!("there is none at {} yet", installation.database);
        return vec![Finding::warning(CHECK, what, "`keyward serve` makes it at its first start")];
    }
    let options = OpenOptions { create: false, lock: false, ..OpenOptions::default() };
    let db = match Db::open(&installation.database, options).await {
        Ok(db) => db,
        Err(error) => return vec![unreachable(installation, &error)],
    };
    let mut findings = match store::backup::about(&db).await {
        Ok((version, extension)) => about(&db, &version, extension),
        Err(error) => return vec![unreachable(installation, &error)],
    };
    if let Err(failure) = interrupted::refuse_unsettled(&db, installation).await {
        findings.push(Finding::error(
            CHECK,
            format!("{}", failure.into_error().public),
            "keyward restore --in-place --erasure-list FILE",
        ));
    }
    findings.push(migrations(&db).await);
    if let Some(root) = &installation.root_key {
        let directory = Directory::new(db.clone(), Env::system(), root.clone());
        findings.extend(opens(&directory).await);
    }
    findings.extend(clock(&db).await);
    db.close().await;
    findings
}

/// Whether a file holds something, and it is no SQLite database (<https://sqlite.org/fileformat.html>, 1.3).
fn is_something_else(file: &Path) -> bool {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut start = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(16).read_to_end(&mut start));
    read.is_ok() && !start.is_empty() && start != MAGIC
}

fn unreachable(installation: &Installation, error: &store::DbError) -> Finding {
    let fix = match installation.file {
        Some(_) => {
            "see that the folder and its files belong to the user who runs keyward; if the file is broken, move it away and put a backup in its place (`keyward restore`)"
        }
        None => {
            "see that PostgreSQL runs there, that the name resolves, and that user, password and pg_hba.conf let us in"
        }
    };
    Finding::error("database", format!("{} cannot be used: {error}", installation.database), fix)
}

fn about(db: &Db, version: &str, extension: bool) -> Vec<Finding> {
    const CHECK: &str = "database";
    if db.engine() == Engine::Sqlite {
        return vec![Finding::ok(CHECK, format!("SQLite {version} answers"))];
    }
    let major = version.split(['.', ' ']).next().and_then(|major| major.parse::<u32>().ok()).unwrap_or(0);
    let mut findings = vec![match major {
        ..14 => Finding::error(CHECK, format!("PostgreSQL {version} is too old"), "use version 14 or newer"),
        _ => Finding::ok(CHECK, format!("PostgreSQL {version} answers")),
    }];
    if !extension {
        findings.push(Finding::error(
            "database-extension",
            "pg_trgm is not there, by which people are found by a part of their names",
            "as owner of the database: CREATE EXTENSION pg_trgm (Debian: package postgresql-contrib)",
        ));
    }
    findings
}

async fn migrations(db: &Db) -> Finding {
    const CHECK: &str = "migrations";
    let ours = wiring::migrations();
    match (store::unknown(db, &ours).await, store::pending(db, &ours).await) {
        (Ok(newer), _) if !newer.is_empty() => Finding::warning(
            CHECK,
            format!("the database has been used by a newer program, which made {}", newer.join(", ")),
            "use that version; this one works beside it during an upgrade only",
        ),
        (_, Ok(pending)) if pending.is_empty() => Finding::ok(CHECK, "the database is of this version"),
        (_, Ok(pending)) => Finding::warning(
            CHECK,
            format!("{} steps are still to be taken", pending.len()),
            "`keyward serve` takes them at its start; `keyward migrate --dry-run` shows them",
        ),
        (_, Err(error)) => {
            Finding::error(CHECK, error.to_string(), "use the program that made this database")
        }
    }
}

async fn opens(directory: &Directory) -> Option<Finding> {
    match rows::server::find(directory.db(), "root-key").await {
        Ok(Some(_)) => match directory.check_root_key().await {
            Ok(()) => Some(Finding::ok("root-key", "it opens this database")),
            Err(error) => Some(Finding::error(
                "root-key",
                error.public.into_owned(),
                "give the key of this installation",
            )),
        },
        _ => None,
    }
}

async fn clock(db: &Db) -> Option<Finding> {
    let newest = rows::purge::newest_event(db).await.ok()??;
    let ahead = newest.since(Env::system().now());
    Some(match ahead > AHEAD {
        true => Finding::error(
            "clock",
            format!("the newest event happened {} s in the future", ahead.as_secs()),
            "set the clock of this machine, by NTP: codes and tokens are good for seconds and minutes",
        ),
        false => Finding::ok("clock", "not behind what has happened"),
    })
}
