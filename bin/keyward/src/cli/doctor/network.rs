//! The certificate, names, the issuer as others reach it, the mail server.

use super::{Finding, listener};
use crate::{
    config::{Config, MailSecurity, TlsFiles, collector},
    serve::Certificate,
};
use base::{Clock as _, SystemClock, Time};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use std::time::Duration;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpStream, lookup_host},
    time::timeout,
};
use work::outbound::{Limits, Outbound, Policy};

pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// A certificate that ends sooner is worth a word.
const SOON: Duration = Duration::from_secs(14 * 86_400);

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let server = &config.server;
    let mut findings = vec![listener::server(config).await];
    if let Some(own) = server.metrics_listen {
        findings.push(listener::metrics(own).await);
    }
    findings.extend(server.tls.iter().map(certificate));
    let uri: Option<http::Uri> = server.issuer.parse().ok();
    if let Some(host) = uri.as_ref().and_then(http::Uri::host) {
        findings.push(name("issuer-dns", host).await);
        findings.push(issuer(config).await);
    }
    if !config.mail.host.is_empty() {
        let found = name("mail-dns", &config.mail.host).await;
        let resolves = found.fix.is_none();
        findings.push(found);
        if resolves {
            findings.push(mail(config).await);
        }
    }
    findings
}

fn certificate(files: &TlsFiles) -> Finding {
    const CHECK: &str = "certificate";
    let fix = "name the chain (the server's own certificate first) and the private key that belongs to it";
    let first = match CertificateDer::from_pem_file(&files.certificate) {
        Ok(first) => first,
        Err(error) => {
            let what =
                format!("{} holds no certificate that can be read: {error}", files.certificate.display());
            return Finding::error(CHECK, what, fix);
        }
    };
    if let Err(error) = Certificate::load(files.clone()) {
        return Finding::error(CHECK, error.to_string(), fix);
    }
    let Some((from, until)) = validity(&first) else {
        return Finding::warning(
            CHECK,
            "its dates cannot be read",
            "look at it with `openssl x509 -noout -dates`",
        );
    };
    let now = SystemClock.now();
    let fix = "renew it, put the new files in the same places, and send SIGHUP: connections stay";
    if now < from || until <= now {
        Finding::error(CHECK, format!("good from {from} until {until}, which is not now"), fix)
    } else if until.since(now) < SOON {
        Finding::warning(CHECK, format!("it ends at {until}"), fix)
    } else {
        Finding::ok(CHECK, format!("good until {until}"))
    }
}

/// From when until when a certificate is good (RFC 5280, section 4.1.2.5): the first two neighbouring
/// times in it, which are those of its validity.
fn validity(certificate: &[u8]) -> Option<(Time, Time)> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut fields, _) = element(certificate)?;
    loop {
        let (tag, content, rest) = element(fields)?;
        if tag == 0x30
            && let Some((first @ (0x17 | 0x18), from, more)) = element(content)
        {
            let (second, until, _) = element(more)?;
            return Some((time(first, from)?, time(second, until)?));
        }
        fields = rest;
    }
}

/// Tag, content and what follows of a DER element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, bytes) = bytes.split_first()?;
    let (first, mut bytes) = bytes.split_first()?;
    let mut length = usize::from(*first);
    if *first > 0x80 {
        let (digits, rest) =
            bytes.split_at_checked(usize::from(first & 0x7f)).filter(|(all, _)| all.len() <= 4)?;
        length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        bytes = rest;
    }
    let (content, rest) = bytes.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// UTCTime (17) or GeneralizedTime (18), in UTC.
fn time(tag: u8, text: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        0x17 => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        _ => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day) = (part(0)?, part(2)?);
    // Days since 1970 in the Gregorian calendar, its years beginning in March.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = years * 365 + years.div_euclid(4) - years.div_euclid(100)
        + years.div_euclid(400)
        + (153 * months + 2) / 5
        + day
        - 719_469;
    Some(Time::from_seconds(((days * 24 + part(4)?) * 60 + part(6)?) * 60 + part(8)?))
}

async fn name(check: &'static str, host: &str) -> Finding {
    let bare = host.trim_matches(['[', ']']);
    match timeout(PATIENCE, lookup_host((bare, 0))).await {
        Ok(Ok(addresses)) => {
            let addresses: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
            Finding::ok(check, format!("{host} is {}", addresses.join(", ")))
        }
        Ok(Err(error)) => Finding::error(check, format!("{host} has no address: {error}"), DNS),
        Err(_) => Finding::error(check, format!("no answer in 3 s about {host}"), DNS),
    }
}

const DNS: &str = "make the name in the DNS, or look at /etc/resolv.conf";

/// What others find at the issuer's address.
async fn issuer(config: &Config) -> Finding {
    const CHECK: &str = "issuer";
    let issuer = &config.server.issuer;
    let allow = collector(issuer).into_iter().collect();
    let policy = Policy { allow, ca_file: config.outbound.ca_file.clone(), allow_http: true };
    let Ok(client) = Outbound::new(policy) else {
        return Finding::warning(CHECK, "it was not asked", "mend outbound.ca_file first");
    };
    let url = format!("{issuer}/.well-known/openid-configuration");
    let answer = match client.get(&url, Limits::default()).await {
        Ok(answer) => answer,
        Err(error) => {
            let fix = "start the server; then see that the proxy or the port, the name and the certificate lead to it from here (outbound.ca_file names an authority of your own)";
            return Finding::warning(CHECK, format!("{issuer} was not reached: {error}"), fix);
        }
    };
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match body.get("issuer").and_then(|issuer| issuer.as_str()) {
        Some(own) if own == issuer => Finding::ok(CHECK, format!("{issuer} leads to this server")),
        Some(own) => Finding::error(
            CHECK,
            format!("{issuer} leads to a server that calls itself {own}"),
            "mend server.issuer or the proxy: clients refuse tokens of another issuer",
        ),
        None => Finding::error(
            CHECK,
            format!("{issuer} answers {} and is not this server", answer.status),
            "let the proxy pass every path to it, and the Host as it came",
        ),
    }
}

/// Whether the mail server greets us; nothing is sent.
async fn mail(config: &Config) -> Finding {
    const CHECK: &str = "mail";
    let (host, port) = (config.mail.host.as_str(), config.mail.port);
    let greeted = timeout(PATIENCE, async {
        let mut stream = TcpStream::connect((host, port)).await?;
        if config.mail.security == MailSecurity::Tls {
            return Ok(true);
        }
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await?;
        std::io::Result::Ok(&greeting == b"220")
    });
    let fix = "see mail.host, mail.port and mail.security, and that a firewall lets us out: codes and links go by mail";
    match greeted.await {
        Ok(Ok(true)) => Finding::ok(CHECK, format!("{host}:{port} answers")),
        Ok(Ok(false)) => Finding::error(CHECK, format!("{host}:{port} does not greet as a mail server"), fix),
        Ok(Err(error)) => Finding::error(CHECK, format!("{host}:{port} cannot be reached: {error}"), fix),
        Err(_) => Finding::error(CHECK, format!("{host}:{port} says nothing in 3 s"), fix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dates_of_a_certificate_are_read_from_its_bytes() {
        let made = |from: (i32, u8, u8), until: (i32, u8, u8)| {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::new(["id.example".to_owned()]).unwrap();
            params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
            params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
            params.self_signed(&key).unwrap().der().to_vec()
        };
        let (from, until) = validity(&made((2024, 2, 29), (2051, 3, 1))).unwrap();
        assert_eq!(
            (from.to_string(), until.to_string()),
            ("2024-02-29T00:00:00Z".into(), "2051-03-01T00:00:00Z".into())
        );
        assert_eq!(validity(b"0"), None);
        assert_eq!(validity(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
