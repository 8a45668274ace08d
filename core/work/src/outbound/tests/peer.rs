//! Somebody to ask: a host on this machine that answers as told, and names that lead where the
//! test wants.

use crate::outbound::{Resolve, Resolving};
use std::{
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// How a peer answers.
#[derive(Clone)]
pub(super) enum Answer {
    /// These bytes, then the end.
    Whole(String),
    /// These bytes, then more and more.
    Endless(String),
    /// These bytes (perhaps none), and then nothing, but the connection stays.
    Stuck(String),
}

pub(super) struct Peer {
    pub(super) port: u16,
    pub(super) requests: Arc<Mutex<Vec<String>>>,
    pub(super) answer: Arc<Mutex<Answer>>,
}

pub(super) fn ok(headers: &str, body: &str) -> Answer {
    Answer::Whole(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()))
}

pub(super) fn status(line: &str) -> Answer {
    Answer::Whole(format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n"))
}

impl Peer {
    pub(super) async fn start(answer: Answer) -> Self {
        Self::serve(answer, None).await
    }

    pub(super) async fn serve(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let peer = Self { port, requests: Arc::default(), answer: Arc::new(Mutex::new(answer)) };
        let (requests, answer) = (Arc::clone(&peer.requests), Arc::clone(&peer.answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (requests, answer, tls) = (Arc::clone(&requests), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => speak(stream, requests, answer).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => speak(stream, requests, answer).await,
                            Err(_) => Ok(()),
                        },
                    }
                });
            }
        });
        peer
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(super) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(super) fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    requests: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Answer>>,
) -> io::Result<()> {
    let mut request = Vec::new();
    while !whole(&String::from_utf8_lossy(&request)) {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    requests.lock().unwrap().push(String::from_utf8(request).unwrap());
    let answer = answer.lock().unwrap().clone();
    match answer {
        Answer::Whole(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.shutdown().await
        }
        Answer::Endless(text) => {
            stream.write_all(text.as_bytes()).await?;
            loop {
                stream.write_all(&[b'a'; 4096]).await?;
            }
        }
        Answer::Stuck(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await?;
            std::future::pending().await
        }
    }
}

fn whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// Answers the first question with the first list, the second with the second; the last one stays.
pub(super) struct Names {
    answers: Vec<Vec<IpAddr>>,
    pub(super) asked: AtomicUsize,
}

impl Names {
    pub(super) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let list = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self { answers: answers.iter().map(list).collect(), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, _host: &'a str) -> Resolving<'a> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.get(asked).or(self.answers.last()).cloned();
        Box::pin(async move { answer.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}
