//! A proxy before PostgreSQL that cuts a connection at a chosen message.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Where to cut: at what the client sends for the n-th time, counted from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// The server never gets it.
    Before(usize),
    /// The server gets it, the client never its answer.
    After(usize),
    /// As before, and the server does not learn that the client is gone.
    Silent(usize),
}

pub(crate) struct Proxy {
    pub(crate) url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    armed: Mutex<Option<Cut>>,
    cuts: AtomicUsize,
    silent: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A proxy to the server of this URL.
    pub(crate) async fn to(url: &str) -> Self {
        let (user, rest) = url.split_once('@').expect("a URL with a user");
        let (server, database) = rest.split_once('/').expect("a URL with a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{user}@{}/{database}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let (shared, server) = (Arc::clone(&state), server.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(Arc::clone(&shared).relay(client, server));
            }
        });
        Self { url, state }
    }

    /// Cuts the next connection that gets there, once.
    pub(crate) fn arm(&self, cut: Cut) {
        *self.state.armed.lock().unwrap() = Some(cut);
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

impl State {
    /// Counts down to the cut.
    fn cut(&self) -> Option<Cut> {
        let mut armed = self.armed.lock().unwrap();
        let (Cut::Before(message) | Cut::After(message) | Cut::Silent(message)) = armed.as_mut()?;
        if let Some(left) = message.checked_sub(1) {
            *message = left;
            return None;
        }
        self.cuts.fetch_add(1, Ordering::SeqCst);
        armed.take()
    }

    async fn relay(self: Arc<Self>, mut client: TcpStream, mut server: TcpStream) {
        let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                length = client.read(&mut asked) => {
                    let length = length.unwrap_or(0);
                    let cut = if length == 0 { Some(Cut::Before(0)) } else { self.cut() };
                    if !matches!(cut, Some(Cut::Before(_))) {
                        server.write_all(&asked[..length]).await.unwrap_or_default();
                    }
                    if let Some(cut) = cut {
                        drop(client);
                        return self.end(cut, server).await;
                    }
                }
                length = server.read(&mut answered) => match length.unwrap_or(0) {
                    0 => return,
                    length => client.write_all(&answered[..length]).await.unwrap_or_default(),
                },
            }
        }
    }

    /// The server's side of a cut: it may finish what it was sent, unheard.
    async fn end(&self, cut: Cut, mut server: TcpStream) {
        if matches!(cut, Cut::Silent(_)) {
            self.silent.lock().unwrap().push(server);
            return;
        }
        server.shutdown().await.unwrap_or_default();
        let mut unheard = Vec::new();
        server.read_to_end(&mut unheard).await.unwrap_or_default();
    }
}
