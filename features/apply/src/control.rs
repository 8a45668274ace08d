//! The control socket: a command hands its document, or its call of the admin API, to the server
//! that holds the database, or has it export. One request a connection, a line of JSON there and a line
//! back, for an export one a document and a last one; only the server's own user and root are answered.

use crate::{Document, Export, Piece, Registered, Report, Selection, apply, plan, walk::refused};
use base::{Error, Kind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs::{DirBuilder, Permissions},
    future::Future,
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};
use store::Directory;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use work::HashPool;

/// The longest line: a document of 1 MiB with room for what JSON escapes.
const MAX_LINE: u64 = 8 * 1024 * 1024;
/// How long a client may take to send its request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many requests run at once; others wait.
const AT_ONCE: usize = 4;

#[derive(Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
enum Request {
    Apply { document: Value, dry_run: bool },
    Call(Call),
    Export(Selection),
}

/// A call of the admin API by the command line of this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The slug of the tenant.
    pub tenant: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query below `/api/v1`.
    pub path: String,
    /// The body, null for none.
    pub body: Value,
}

/// What the admin API answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON, or a text of several lines.
    pub body: Value,
}

/// Who carries calls out: the program puts the API here, which this crate does not know.
pub type Calls = Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Report(Report),
    Reply(Reply),
    Piece(Piece),
    /// Behind the last piece.
    End,
    Error {
        kind: String,
        message: String,
    },
}

/// What the control socket works on.
#[derive(Clone)]
pub struct Service {
    /// The tenants and their database.
    pub directory: Directory,
    /// Where passwords are hashed.
    pub pool: HashPool,
    /// The issuer of the very first tenant where a file names none.
    pub default_issuer: String,
    /// The admin API.
    pub calls: Calls,
    /// Which applications registered themselves.
    pub registered: Registered,
}

/// Serves the socket at this path until `shutdown`, then lets what is under way finish and removes
/// it. A socket that another process left behind is replaced.
///
/// # Errors
/// Kind `Unavailable` with the reason if the socket cannot be made.
pub async fn serve(
    path: &Path,
    service: Service,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let (listener, owner) = bind(path).map_err(|error| {
        let public = format!("The control socket {} cannot be made: {error}.", path.display());
        Error::new(Kind::Unavailable, "error-control", public)
    })?;
    let (service, gate) = (Arc::new(service), Arc::new(Semaphore::new(AT_ONCE)));
    let mut requests = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = requests.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (service, gate) = (Arc::clone(&service), Arc::clone(&gate));
                    requests.spawn(async move { answer(stream, owner, &service, &gate).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket does not accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    drop(listener);
    while requests.join_next().await.is_some() {}
    // Nobody answers there any more.
    let _ = std::fs::remove_file(path);
    Ok(())
}

/// Binds within a folder that nobody else may enter, so that at no moment the socket is open to
/// others, whatever the umask; then puts it in its place. Gives the user that it belongs to, too.
fn bind(path: &Path) -> io::Result<(UnixListener, u32)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let private = folder.join(format!(".control-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&private);
    DirBuilder::new().mode(0o700).create(&private)?;
    let made = bind_within(&private.join("s"), path);
    let _ = std::fs::remove_dir_all(&private);
    made
}

fn bind_within(first: &PathBuf, path: &Path) -> io::Result<(UnixListener, u32)> {
    let listener = UnixListener::bind(first)?;
    std::fs::set_permissions(first, Permissions::from_mode(0o600))?;
    let owner = std::fs::metadata(first)?.uid();
    std::fs::rename(first, path)?;
    Ok((listener, owner))
}

async fn answer(mut stream: UnixStream, owner: u32, service: &Service, gate: &Semaphore) {
    let peer = stream.peer_cred().map(|credentials| credentials.uid());
    if !peer.is_ok_and(|uid| uid == owner || uid == 0) {
        tracing::warn!("a stranger at the control socket was refused");
        return;
    }
    let request = match timeout(PATIENCE, read(&mut stream)).await {
        Ok(request) => request,
        Err(_) => Err(malformed("The request did not arrive in time.")),
    };
    let Ok(_place) = gate.acquire().await else { return };
    let sent = match request {
        Ok(Request::Export(selection)) => export_to(&mut stream, service, selection).await,
        Ok(request) => {
            let answer = carry_out(request, service).await.unwrap_or_else(refusal);
            write(&mut stream, &answer).await
        }
        Err(error) => write(&mut stream, &refusal(error)).await,
    };
    let closed = timeout(PATIENCE, stream.shutdown()).await;
    if sent.is_err() || !matches!(closed, Ok(Ok(()))) {
        tracing::info!("a client of the control socket went away before its answer");
    }
}

async fn write(stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    timeout(PATIENCE, stream.write_all(&line)).await?
}

async fn export_to(stream: &mut UnixStream, service: &Service, selection: Selection) -> io::Result<()> {
    let mut export = match Export::begin(&service.directory, selection, service.registered.clone()).await {
        Ok(export) => export,
        Err(error) => return write(stream, &refusal(error)).await,
    };
    loop {
        let answer = match export.next().await {
            Ok(Some(piece)) => Answer::Piece(piece),
            Ok(None) => return write(stream, &Answer::End).await,
            Err(error) => return write(stream, &refusal(error)).await,
        };
        write(stream, &answer).await?;
    }
}

fn malformed(message: &'static str) -> Error {
    Error::new(Kind::Invalid, "error-control", message)
}

fn refusal(error: Error) -> Answer {
    if let Some(private) = &error.private {
        tracing::error!(code = error.code, private, "a request at the control socket failed");
    }
    Answer::Error { kind: format!("{:?}", error.kind), message: error.public.into_owned() }
}

async fn read(stream: &mut UnixStream) -> Result<Request, Error> {
    let line = read_line(&mut BufReader::new(stream)).await;
    let line = line.map_err(|_| malformed("The request cannot be read."))?;
    serde_json::from_slice(&line).map_err(|_| {
        malformed("The request is not one that this server knows. Use the program of the same version.")
    })
}

async fn read_line(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    stream.take(MAX_LINE).read_until(b'\n', &mut line).await?;
    if line.last() == Some(&b'\n') { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

async fn carry_out(request: Request, service: &Service) -> Result<Answer, Error> {
    let Service { directory, pool, default_issuer, calls, .. } = service;
    match request {
        Request::Apply { document, dry_run } => {
            let document = Document::from_source(document).map_err(|problems| refused(&problems))?;
            let report = if dry_run {
                plan(directory, &document, default_issuer).await
            } else {
                apply(directory, pool, &document, default_issuer).await
            };
            report.map(Answer::Report)
        }
        Request::Call(call) => Ok(Answer::Reply(calls(call).await)),
        Request::Export(_) => Err(malformed("An export is written piece by piece.")),
    }
}

/// Hands a document to the server at this socket.
///
/// # Errors
/// Code `error-no-server` (kind `Unavailable`) if nobody listens there; otherwise what the server
/// answered, or kind `Unavailable` if it went away: then apply the file again.
pub async fn send(path: &Path, document: &Document, dry_run: bool) -> Result<Report, Error> {
    let request = Request::Apply { document: document.source().clone(), dry_run };
    match exchange(path, &request).await? {
        Answer::Report(report) => Ok(report),
        answer => Err(other(answer, "error-apply")),
    }
}

/// Hands a call of the admin API to the server at this socket.
///
/// # Errors
/// As [`send`].
pub async fn call(path: &Path, call: &Call) -> Result<Reply, Error> {
    match exchange(path, &Request::Call(call.clone())).await? {
        Answer::Reply(reply) => Ok(reply),
        answer => Err(other(answer, "error-call")),
    }
}

/// Has the server at this socket export; each document is handed over as it comes.
///
/// # Errors
/// As [`send`]; kind `Internal` if a document cannot be taken.
pub async fn export(
    path: &Path,
    selection: &Selection,
    mut take: impl FnMut(Piece) -> io::Result<()>,
) -> Result<(), Error> {
    let mut stream = BufReader::new(request(path, &Request::Export(selection.clone())).await?);
    loop {
        match answered(&mut stream).await? {
            Answer::Piece(piece) => take(piece).map_err(|error| {
                let public = format!("The export cannot be written: {error}.");
                Error::new(Kind::Internal, "error-export", public)
            })?,
            Answer::End => return Ok(()),
            answer => return Err(other(answer, "error-export")),
        }
    }
}

/// What was not asked for: a refusal, or nothing that this program knows.
fn other(answer: Answer, code: &'static str) -> Error {
    match answer {
        Answer::Error { kind, message } => Error::new(kind_named(&kind), code, message),
        _ => malformed(UNREADABLE),
    }
}

const UNREADABLE: &str = "The server's answer cannot be read. Use the program of the same version.";

async fn exchange(path: &Path, asked: &Request) -> Result<Answer, Error> {
    let mut stream = BufReader::new(request(path, asked).await?);
    answered(&mut stream).await
}

async fn request(path: &Path, request: &Request) -> Result<UnixStream, Error> {
    let mut stream = UnixStream::connect(path).await.map_err(|error| {
        let public =
            format!("No server answers at {} ({error}). Start it, or stop it fully.", path.display());
        Error::new(Kind::Unavailable, "error-no-server", public)
    })?;
    let mut line = serde_json::to_vec(request).map_err(|error| Error::internal(error.to_string()))?;
    line.push(b'\n');
    stream.write_all(&line).await.map_err(gone)?;
    Ok(stream)
}

async fn answered(stream: &mut BufReader<UnixStream>) -> Result<Answer, Error> {
    let line = read_line(stream).await.map_err(gone)?;
    serde_json::from_slice(&line).map_err(|_| malformed(UNREADABLE))
}

fn gone(error: io::Error) -> Error {
    let public = format!("The server went away before its answer ({error}). Do it again.");
    Error::new(Kind::Unavailable, "error-control", public)
}

fn kind_named(name: &str) -> Kind {
    match name {
        "Invalid" => Kind::Invalid,
        "Conflict" => Kind::Conflict,
        "NotFound" => Kind::NotFound,
        "Unavailable" => Kind::Unavailable,
        _ => Kind::Internal,
    }
}
