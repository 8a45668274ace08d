//! An SMTP server that takes every mail and keeps the last code sent to each address.

use crate::Result;
use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// The mailbox of everybody.
#[derive(Clone)]
pub(crate) struct Mailbox {
    /// Where it listens on this machine.
    pub(crate) port: u16,
    codes: Rc<RefCell<HashMap<String, String>>>,
}

impl Mailbox {
    /// Begins to listen.
    ///
    /// # Errors
    /// If there is no port.
    pub(crate) async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mailbox = Self { port: listener.local_addr()?.port(), codes: Rc::default() };
        let codes = Rc::clone(&mailbox.codes);
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let codes = Rc::clone(&codes);
                tokio::task::spawn_local(async move { drop(talk(stream, &codes).await) });
            }
        });
        Ok(mailbox)
    }

    /// Takes the code that was sent to this address, as soon as it is there.
    ///
    /// # Errors
    /// If none came within 20 seconds.
    pub(crate) async fn code(&self, to: &str) -> Result<String> {
        for _ in 0..10_000 {
            let found = self.codes.borrow_mut().remove(to);
            if let Some(code) = found {
                return Ok(code);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Err(format!("no mail came to {to}").into())
    }
}

async fn talk(stream: TcpStream, codes: &RefCell<HashMap<String, String>>) -> Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut to, mut text, mut in_data) = (String::new(), String::new(), false);
    write.write_all(b"220 bench\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        if in_data {
            if line != "." {
                text.push_str(&line);
                text.push('\n');
                continue;
            }
            in_data = false;
            codes.borrow_mut().extend(code(&text).map(|code| (to.clone(), code)));
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let reply: &[u8] = match verb.as_str() {
            "RCPT" => {
                let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                to = address.map_or("", |(address, _)| address).to_owned();
                b"250 ok\r\n"
            }
            "DATA" => {
                (text, in_data) = (String::new(), true);
                b"354 go on\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        write.write_all(reply).await?;
    }
    Ok(())
}

/// The code in a mail: the first line of six digits, spaces aside.
fn code(mail: &str) -> Option<String> {
    let digits = |line: &str| line.chars().filter(|it| !it.is_whitespace()).collect::<String>();
    let six = |text: &String| text.len() == 6 && text.bytes().all(|it| it.is_ascii_digit());
    mail.lines().map(digits).find(six)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found() {
        assert_eq!(code("Subject: x\n\nYour code:\n\n123 456\n\n2026\n"), Some("123456".to_owned()));
        assert_eq!(code("nothing here, 1234567\n"), None);
    }
}
