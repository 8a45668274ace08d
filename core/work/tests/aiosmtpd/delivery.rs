//! What arrives, and what must not leave.

use crate::server::Server;
use base::{Env, Event, SealingKey, Secret, SystemRng};
use serde_json::Value;
use std::{path::Path, time::Duration};
use store::{Db, DbUrl, Directory, NewTenant, OpenOptions, Unit, rows};
use tokio::{sync::oneshot, task::JoinHandle};
use work::{MailSignal, Message, Security, Smtp, SmtpSettings, Transport, Worker, mail};

/// A queue with one mail in it.
struct Queue {
    directory: Directory,
}

impl Queue {
    async fn new(folder: &Path, name: &str) -> Self {
        let url = DbUrl::sqlite(folder.join(name));
        let db = Db::open(&url, OpenOptions::default()).await.unwrap();
        store::migrate(&db, store::MIGRATIONS).await.unwrap();
        let directory = Directory::new(db, Env::system(), SealingKey::generate(&SystemRng));
        let tenant = directory
            .create_tenant(NewTenant {
                slug: "default".to_owned(),
                name: "Example".to_owned(),
                issuer: "https://id.example.com".to_owned(),
                settings: "{}".to_owned(),
            })
            .await
            .unwrap();
        let message = Message {
            to: "grüße@bücher.example".to_owned(),
            subject: "رمزك هو 123456 — für dich".to_owned(),
            text: "Dein Code ist 123456. مرحبا\n.\nEine Zeile nur mit Punkt stand davor.\n".to_owned(),
            html: "<p dir=\"rtl\">مرحبا <b>123456</b></p>\n".to_owned(),
            code: Some("123456".to_owned()),
            links: Vec::new(),
            decoy: false,
        };
        let (env, expires_at) = (directory.env(), directory.env().now().plus(Duration::from_secs(600)));
        let event = Event::new(env, "registration.begun");
        let mut unit = Unit::new(event.id, vec![tenant.event(env, event, None)]);
        mail::enqueue(&mut unit, &tenant, env, &message, expires_at);
        assert!(directory.db().commit(unit).await.unwrap().done());
        Self { directory }
    }

    /// A worker on the queue; ends when the sender is dropped.
    fn work(&self, settings: SmtpSettings) -> (MailSignal, oneshot::Sender<()>, JoinHandle<()>) {
        let (stop, stopped) = oneshot::channel();
        let signal = MailSignal::default();
        let transport = Transport::from(Smtp::new(settings).unwrap());
        let worker = Worker::new(self.directory.clone(), transport, signal.clone());
        (signal, stop, tokio::spawn(worker.run(async { drop(stopped.await) })))
    }

    /// How often the waiting mail was tried; none if it does not wait, or is being tried.
    async fn tries(&self) -> Option<i64> {
        let later = self.directory.env().now().plus(Duration::from_secs(60));
        Some(rows::mail::due(self.directory.db(), later).await.unwrap().first()?.tries)
    }
}

async fn is_delivered(mode: &str, security: Security) {
    let Some(mut server) = Server::start(mode, mode) else { return };
    let queue = Queue::new(&server.folder, "keyward.db").await;
    let (signal, stop, running) = queue.work(server.settings(security));
    while signal.sent() == 0 {
        tokio::task::yield_now().await;
    }
    let mail = server.taken();
    drop(stop);
    running.await.unwrap();
    assert_eq!((&mail["tls"], &mail["authenticated"]), (&Value::Bool(true), &Value::Bool(true)), "{mail}");
    assert_eq!(mail["mail_from"], "no-reply@example.com");
    assert_eq!(mail["rcpt_tos"], serde_json::json!(["grüße@xn--bcher-kva.example"]));
    assert_eq!(mail["type"], "multipart/alternative");
    assert_eq!(mail["headers"]["subject"], "رمزك هو 123456 — für dich");
    assert_eq!(mail["headers"]["from"], "Keyward <no-reply@example.com>");
    assert_eq!(mail["headers"]["auto-submitted"], "auto-generated");
    assert!(mail["headers"]["message-id"].as_str().unwrap().ends_with("@id.example.com>"), "{mail}");
    let lines = |part: &Value| part.as_str().unwrap().replace("\r\n", "\n");
    assert_eq!(
        lines(&mail["text"]).trim_end(),
        "Dein Code ist 123456. مرحبا\n.\nEine Zeile nur mit Punkt stand davor."
    );
    assert_eq!(lines(&mail["html"]).trim_end(), "<p dir=\"rtl\">مرحبا <b>123456</b></p>");
    assert_eq!(mail["defects"], serde_json::json!([]), "{mail}");
    assert!(server.stop().is_empty(), "one mail, once");
}

#[tokio::test]
async fn a_mail_arrives_over_starttls_with_authentication() {
    is_delivered("starttls", Security::StartTls).await;
}

#[tokio::test]
async fn a_mail_arrives_over_implicit_tls_with_authentication() {
    is_delivered("tls", Security::Tls).await;
}

#[tokio::test]
async fn without_trust_tls_or_the_right_password_the_mail_waits() {
    let Some(server) = Server::start("refused", "starttls") else { return };
    let right = server.settings(Security::StartTls);
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let stranger = server.folder.join("stranger.pem");
    std::fs::write(&stranger, other.cert.pem()).unwrap();
    let wrong = Some(("keyward".to_owned(), Secret::new("guess".to_owned())));
    let cases = [
        SmtpSettings { ca_file: Some(stranger), ..right.clone() },
        SmtpSettings { security: Security::None, ..right.clone() },
        SmtpSettings { security: Security::Tls, ..right.clone() },
        SmtpSettings { credentials: wrong, ..right.clone() },
        SmtpSettings { credentials: None, ..right },
    ];
    for (number, settings) in cases.into_iter().enumerate() {
        let queue = Queue::new(&server.folder, &format!("{number}.db")).await;
        let (signal, stop, running) = queue.work(settings);
        while queue.tries().await != Some(1) {
            tokio::task::yield_now().await;
        }
        drop(stop);
        running.await.unwrap();
        assert_eq!((signal.sent(), signal.failed()), (0, 0), "case {number}");
    }
    assert!(server.stop().is_empty());
}
