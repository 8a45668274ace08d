//! A small SMTP server that misbehaves as it is told.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What becomes of the next mail.
#[derive(Clone, Copy)]
pub(super) enum Then {
    /// It is taken.
    Accept,
    /// It is taken and the connection closed.
    AcceptAndClose,
    /// The recipient is refused with these words.
    Refuse(&'static str),
    /// The connection ends before the text.
    Close,
    /// The connection ends after the text, without an answer.
    Vanish,
    /// Nothing is ever answered.
    Silence,
}

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Then>>,
    accepted: Mutex<Vec<String>>,
    unanswered: Mutex<Vec<String>>,
    connections: AtomicUsize,
    begun: AtomicUsize,
}

/// The server; gone when dropped.
pub(super) struct Server {
    pub(super) port: u16,
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Treats the first mails as written in the script, and accepts what comes after.
    pub(super) async fn start(script: &[Then]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state =
            Arc::new(State { script: Mutex::new(script.iter().copied().collect()), ..State::default() });
        let shared = Arc::clone(&state);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    let _ = serve(stream, &shared).await;
                });
            }
        });
        Self { port, state, _tasks: tasks }
    }

    /// The mails for which it took responsibility.
    pub(super) fn accepted(&self) -> Vec<String> {
        self.state.accepted.lock().unwrap().clone()
    }

    /// The mails that it read and did not answer.
    pub(super) fn unanswered(&self) -> Vec<String> {
        self.state.unanswered.lock().unwrap().clone()
    }

    /// How many mails were offered.
    pub(super) fn begun(&self) -> usize {
        self.state.begun.load(Ordering::SeqCst)
    }

    pub(super) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 test\r\n").await?;
    let mut then = Then::Accept;
    while let Some(line) = lines.next_line().await? {
        let verb = line.split(' ').next().unwrap().to_uppercase();
        let answer = match (verb.as_str(), then) {
            ("EHLO", _) => "250-test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN",
            // The user "keyward" with the password "pass word".
            ("AUTH", _) if line == "AUTH PLAIN AGtleXdhcmQAcGFzcyB3b3Jk" => "235 welcome",
            ("AUTH", _) => "535 5.7.8 no such user keyward@example.com",
            ("MAIL", _) => {
                state.begun.fetch_add(1, Ordering::SeqCst);
                then = state.script.lock().unwrap().pop_front().unwrap_or(Then::Accept);
                "250 ok"
            }
            ("RCPT", Then::Silence) => std::future::pending().await,
            ("RCPT", Then::Close) => return Ok(()),
            ("RCPT", Then::Refuse(words)) => words,
            ("DATA", _) => {
                write.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail += &format!("{line}\n");
                }
                if matches!(then, Then::Vanish) {
                    state.unanswered.lock().unwrap().push(mail);
                    return Ok(());
                }
                state.accepted.lock().unwrap().push(mail);
                "250 taken"
            }
            ("RCPT" | "NOOP" | "RSET", _) => "250 ok",
            ("QUIT", _) => "221 bye",
            _ => "502 what?",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        if verb == "QUIT" || (verb == "DATA" && matches!(then, Then::AcceptAndClose)) {
            return Ok(());
        }
    }
    Ok(())
}
