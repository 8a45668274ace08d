//! The Python server as a process, with a certificate made for it.

use base::Secret;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};
use work::{Security, SmtpSettings};

/// The server with its certificate, both in a folder that goes with it.
pub(crate) struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
    port: u16,
    pub(crate) folder: PathBuf,
}

impl Server {
    /// None, with the reason printed, where there is no Python for it.
    pub(crate) fn start(name: &str, mode: &str) -> Option<Self> {
        let Some(python) = std::env::var_os("KEYWARD_TEST_PYTHON") else {
            println!("skipped: KEYWARD_TEST_PYTHON names no Python with aiosmtpd");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("keyward_smtp_{}_{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mail/server.py");
        let mut process = Command::new(python)
            .args([script.as_path(), &folder.join("ca.pem"), &folder.join("key.pem"), Path::new(mode)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the server starts: is aiosmtpd installed?");
        Some(Self { process, output, port, folder })
    }

    pub(crate) fn settings(&self, security: Security) -> SmtpSettings {
        SmtpSettings {
            security,
            credentials: Some(("keyward".to_owned(), Secret::new("pass word".to_owned()))),
            ca_file: Some(self.folder.join("ca.pem")),
            ..SmtpSettings::new("localhost", self.port, "Keyward <no-reply@example.com>")
        }
    }

    /// A mail that it has taken.
    pub(crate) fn taken(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Stops it; whatever it took meanwhile and nobody read.
    pub(crate) fn stop(mut self) -> Vec<String> {
        drop(self.process.stdin.take());
        let left = self.output.by_ref().lines().map(Result::unwrap).collect();
        assert!(self.process.wait().unwrap().success());
        std::fs::remove_dir_all(&self.folder).unwrap();
        left
    }
}
