//! The addresses to listen on. One that is taken is fine if it is this server that took it, so whoever
//! answers there is asked.

use super::{Finding, network::PATIENCE};
use crate::config::{Config, TlsFiles};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// What we ask about is shorter.
const LONGEST: u64 = 1 << 20;
const ANOTHER: &str = "stop what listens there (`ss -ltnp` names it), or choose another address";

/// Whether `server.listen` can be had, or this server has it.
pub(super) async fn server(config: &Config) -> Finding {
    const CHECK: &str = "listen";
    let (address, issuer) = (config.server.listen, &config.server.issuer);
    if let Some(finding) = free(CHECK, address).await {
        return finding;
    }
    let ask = Ask { address, host: authority(issuer), tls: config.server.tls.as_ref() };
    let answer = match ask.get("/.well-known/openid-configuration").await {
        Ok(answer) => answer,
        Err(error) => return foreign(CHECK, address, format!("does not answer as Keyward does ({error})")),
    };
    let metadata: serde_json::Value = serde_json::from_str(answer.body()).unwrap_or_default();
    match metadata.get("issuer").and_then(|issuer| issuer.as_str()) {
        Some(own) if own != issuer => {
            foreign(CHECK, address, format!("calls itself {own}, and server.issuer is {issuer}"))
        }
        Some(_) if answer.older => Finding::warning(
            CHECK,
            format!("this server has {address}, with another certificate than server.tls_cert holds now"),
            "send it SIGHUP (systemctl reload keyward): connections stay",
        ),
        Some(_) => Finding::ok(CHECK, format!("this server has {address}")),
        // A server whose database is away knows no issuer.
        None if ask.get("/health/live").await.is_ok_and(|answer| answer.body() == r#"{"live":true}"#) => {
            Finding::warning(
                CHECK,
                format!("a Keyward has {address}, which cannot do its work: {}", answer.status()),
                "see /health/ready there, and its log",
            )
        }
        None => foreign(CHECK, address, format!("is not Keyward: it answers {}", answer.status())),
    }
}

/// Whether `server.metrics_listen` can be had, or this server has it.
pub(super) async fn metrics(address: SocketAddr) -> Finding {
    const CHECK: &str = "metrics-listen";
    if let Some(finding) = free(CHECK, address).await {
        return finding;
    }
    match (Ask { address, host: &address.to_string(), tls: None }).get("/metrics").await {
        Ok(answer) if answer.body().contains("keyward_") => {
            Finding::ok(CHECK, format!("a Keyward has {address}"))
        }
        Ok(answer) => foreign(CHECK, address, format!("is not Keyward: it answers {}", answer.status())),
        Err(error) => foreign(CHECK, address, format!("does not answer as Keyward does ({error})")),
    }
}

/// What there is to say unless somebody listens there.
async fn free(check: &'static str, address: SocketAddr) -> Option<Finding> {
    match TcpListener::bind(address).await {
        Ok(_) => Some(Finding::ok(check, format!("{address} is free"))),
        Err(_) if TcpStream::connect(address).await.is_ok() => None,
        Err(error) => Some(Finding::error(
            check,
            format!("{address} cannot be used: {error}"),
            "choose an address of this machine; a port below 1024 needs CAP_NET_BIND_SERVICE, which deploy/keyward.service gives",
        )),
    }
}

fn foreign(check: &'static str, address: SocketAddr, what: String) -> Finding {
    Finding::error(check, format!("{address} is taken by a program that {what}"), ANOTHER)
}

/// Host and port of an address, as a request names them.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

struct Ask<'a> {
    address: SocketAddr,
    host: &'a str,
    tls: Option<&'a TlsFiles>,
}

struct Answer {
    text: String,
    /// The certificate is not the one in the file.
    older: bool,
}

impl Answer {
    fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    fn status(&self) -> String {
        let line = self.text.lines().next().unwrap_or_default();
        line.chars().filter(|letter| !letter.is_control()).take(60).collect()
    }
}

impl Ask<'_> {
    async fn get(&self, path: &str) -> io::Result<Answer> {
        let asked = async {
            let stream = TcpStream::connect(self.address).await?;
            let Some(files) = self.tls else {
                return Ok(Answer { text: self.exchange(stream, path).await?, older: false });
            };
            let name = self.host.rsplit_once(':').map_or(self.host, |(name, _)| name);
            let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned())
                .unwrap_or_else(|_| self.address.ip().into());
            let stream = connector().map_err(io::Error::other)?.connect(name, stream).await?;
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let older = CertificateDer::from_pem_file(&files.certificate)
                .is_ok_and(|held| shown.is_some_and(|shown| *shown != held));
            Ok(Answer { text: self.exchange(stream, path).await?, older })
        };
        match timeout(PATIENCE, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(io::Error::other("it says nothing in 3 s")),
        }
    }

    async fn exchange(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        path: &str,
    ) -> io::Result<String> {
        let host = self.host;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut text = Vec::new();
        stream.take(LONGEST).read_to_end(&mut text).await?;
        let text = String::from_utf8_lossy(&text).into_owned();
        match text.starts_with("HTTP/1.") {
            true => Ok(text),
            false => Err(io::Error::other("it speaks another protocol")),
        }
    }
}

/// TLS with whoever answers: we tell nothing, and only want to know who it is.
fn connector() -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
