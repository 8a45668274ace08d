//! A client for HTTP/1.1 over one kept connection, as cheap as can be: what it costs is the
//! generator's, and the generator must never be what limits a measurement.

use crate::Result;
use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

/// The name that the server is asked for.
pub(crate) const HOST: &str = "id.bench.example";
/// Its issuer.
pub(crate) const ISSUER: &str = "https://id.bench.example";

/// One connection.
pub(crate) struct Connection<S = TcpStream> {
    stream: S,
    buffer: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Answer {
    /// The values of a header, in order.
    pub(crate) fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.head.split("\r\n").filter_map(move |line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The first value of a header; empty without one.
    pub(crate) fn header(&self, name: &'static str) -> &str {
        self.headers(name).next().unwrap_or_default()
    }

    /// The answer, if it has this status.
    ///
    /// # Errors
    /// With what was answered instead.
    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        let body: String = self.body.chars().take(300).collect();
        Err(format!("answered {} in place of {status}: {body}", self.status).into())
    }

    /// A text of a JSON body.
    ///
    /// # Errors
    /// If the body has no such text.
    pub(crate) fn text(&self, name: &str) -> Result<String> {
        let json: serde_json::Value = serde_json::from_str(&self.body)?;
        let text = json.get(name).and_then(serde_json::Value::as_str);
        Ok(text.ok_or_else(|| format!("no {name} in {}", self.body))?.to_owned())
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection over this stream.
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, buffer: Vec::with_capacity(8192) }
    }

    /// Sends a request as it stands and reads the answer.
    ///
    /// # Errors
    /// If the connection fails or the answer is none.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.buffer.clear();
        let end = self.read_past(0, b"\r\n\r\n").await?;
        let head = String::from_utf8(self.buffer.get(..end).unwrap_or_default().to_vec())?;
        let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or("no status")?;
        let mut answer = Answer { status, head, body: String::new() };
        let body = match answer.header("content-length").parse::<usize>() {
            Ok(length) => {
                self.read_to(end + length).await?;
                self.buffer.get(end..end + length).unwrap_or_default().to_vec()
            }
            Err(_) if answer.header("transfer-encoding") == "chunked" => self.chunks(end).await?,
            Err(_) => Vec::new(),
        };
        answer.body = String::from_utf8(body)?;
        Ok(answer)
    }

    async fn chunks(&mut self, mut at: usize) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = self.read_past(at, b"\r\n").await?;
            let size = std::str::from_utf8(self.buffer.get(at..end).unwrap_or_default())?;
            let size = usize::from_str_radix(size.trim(), 16)?;
            self.read_to(end + size + 2).await?;
            body.extend_from_slice(self.buffer.get(end..end + size).unwrap_or_default());
            at = end + size + 2;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// Reads until `mark` stands in the buffer, at `from` or later; gives where it ends.
    async fn read_past(&mut self, from: usize, mark: &[u8]) -> Result<usize> {
        let mut looked = from;
        loop {
            let found =
                self.buffer.get(looked..).unwrap_or_default().windows(mark.len()).position(|it| it == mark);
            if let Some(at) = found {
                return Ok(looked + at + mark.len());
            }
            looked = self.buffer.len().saturating_sub(mark.len()).max(from);
            self.more().await?;
        }
    }

    async fn read_to(&mut self, length: usize) -> Result<()> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }
}

/// A request's text. `headers` are whole lines, each with its line end.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
        .into_bytes()
}

/// POST of a form.
pub(crate) fn form(path: &str, headers: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let headers = format!("content-type: application/x-www-form-urlencoded\r\n{headers}");
    request("POST", path, &headers, &pairs.join("&"))
}

/// Percent-encodes everything that needs it.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The line of HTTP Basic authentication.
pub(crate) fn basic(client: &str, secret: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    format!("authorization: Basic {}\r\n", STANDARD.encode(format!("{client}:{secret}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client reads when these pieces come one after the other.
    async fn read(pieces: &'static [&'static str]) -> Result<Answer> {
        let (client, mut server) = tokio::io::duplex(1024);
        let serve = async move {
            let mut asked = [0; 64];
            let _ = server.read(&mut asked).await;
            for piece in pieces {
                let _ = server.write_all(piece.as_bytes()).await;
                tokio::task::yield_now().await;
            }
        };
        let mut connection = Connection::over(client);
        let (_, answer) = tokio::join!(serve, connection.send(b"GET"));
        answer
    }

    #[tokio::test]
    async fn an_answer_in_pieces() {
        let answer = read(&["HTTP/1.1 200 OK\r\nContent-", "Length: 5\r\nX: a\r\nx: b\r\n\r", "\nhel", "lo"])
            .await
            .unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
        assert_eq!(answer.headers("x").collect::<Vec<_>>(), ["a", "b"]);
        assert!(answer.expect(303).is_err());
    }

    #[tokio::test]
    async fn chunks_and_no_body() {
        const HEAD: &str = "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(read(&[HEAD, "3\r\nab", "c\r\n2\r\nde\r\n0\r\n\r\n"]).await.unwrap().body, "abcde");
        assert_eq!(read(&["HTTP/1.1 204 No Content\r\n\r\n"]).await.unwrap().status, 204);
        assert!(read(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "x"]).await.is_err());
    }

    #[test]
    fn forms_are_encoded() {
        let text = String::from_utf8(form("/token", "a: b\r\n", &[("x", "a b&c"), ("y", "é")])).unwrap();
        assert!(text.ends_with("\r\na: b\r\n\r\nx=a%20b%26c&y=%C3%A9"), "{text}");
        assert!(text.contains("content-length: 20\r\n"), "{text}");
    }
}
