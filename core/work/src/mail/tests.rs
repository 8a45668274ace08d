//! The worker against servers that refuse, vanish and stall: no mail is lost, and none goes out
//! twice unless the server took it without saying so.

mod server;

use super::{worker::Pass, *};
use crate::testing::{NOW, Place};
use base::{Event, Secret};
use server::{Server, Then};
use std::{collections::BTreeSet, time::Duration};
use tokio::task::JoinSet;

const MINUTE: Duration = Duration::from_secs(60);

fn message(to: &str) -> Message {
    Message {
        to: to.to_owned(),
        subject: "Dein Code für Beispiel".to_owned(),
        text: "Dein Code ist 123456.\n".to_owned(),
        html: "<p>Dein Code ist <b>123456</b>.</p>".to_owned(),
        code: Some("123456".to_owned()),
        links: vec!["https://id.example.com/l/ln_x".to_owned()],
        decoy: false,
    }
}

async fn queue(place: &Place, message: &Message) {
    let event = Event::new(place.env(), "registration.begun");
    let mut unit = Unit::new(event.id, vec![place.tenant.event(place.env(), event, None)]);
    enqueue(&mut unit, &place.tenant, place.env(), message, place.env().now().plus(10 * MINUTE));
    assert!(place.db().commit(unit).await.unwrap().done());
}

fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        security: Security::None,
        ..SmtpSettings::new("127.0.0.1", port, "Keyward <no-reply@example.com>")
    }
}

fn worker_with(place: &Place, settings: SmtpSettings) -> (Worker, MailSignal) {
    let signal = MailSignal::default();
    let transport = Transport::from(Smtp::new(settings).unwrap());
    (Worker::new(place.directory.clone(), transport, signal.clone()), signal)
}

fn worker(place: &Place, server: &Server) -> (Worker, MailSignal) {
    worker_with(place, settings(server.port))
}

/// One look at the queue, and the end of what it began. Says how much it took.
async fn pass(worker: &Worker) -> usize {
    let mut deliveries = JoinSet::new();
    let stop = std::pin::pin!(std::future::pending());
    let Pass::Taken(taken) = worker.pass(&mut deliveries, stop).await.unwrap() else { panic!("stopped") };
    deliveries.join_all().await;
    taken
}

async fn waiting(place: &Place) -> i64 {
    rows::mail::waiting(place.db()).await.unwrap()
}

#[tokio::test]
async fn a_mail_goes_out_once_with_what_receivers_need() {
    let (place, server) = (Place::new().await, Server::start(&[]).await);
    let (worker, signal) = worker(&place, &server);
    queue(&place, &message("grüße@bücher.example")).await;
    assert_eq!((pass(&worker).await, pass(&worker).await), (1, 0));
    assert_eq!((signal.sent(), signal.failed()), (1, 0));
    let mails = server.accepted();
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    assert!(mail.contains("Message-ID: <mai_") && mail.contains("@id.example.com>\n"), "{mail}");
    assert!(mail.contains("Date: Fri, 15 Jan 2027 08:00:00"), "the time at which it was queued\n{mail}");
    assert!(
        mail.contains("From: Keyward <no-reply@example.com>\n") && mail.contains("@xn--bcher-kva.example"),
        "{mail}"
    );
    assert!(mail.contains("Auto-Submitted: auto-generated\n"), "{mail}");
    assert!(mail.contains("multipart/alternative") && mail.contains("text/html; charset=utf-8"), "{mail}");
    assert!(mail.contains("Subject: Dein Code =?utf-8?b?"), "{mail}");
}

#[tokio::test]
async fn a_connection_serves_several_mails_and_a_dead_one_is_replaced() {
    let place = Place::new().await;
    let server = Server::start(&[Then::Accept, Then::AcceptAndClose]).await;
    let (worker, signal) = worker(&place, &server);
    for to in ["a@example.com", "b@example.com", "c@example.com"] {
        queue(&place, &message(to)).await;
        assert_eq!(pass(&worker).await, 1);
    }
    assert_eq!((signal.sent(), server.accepted().len(), server.connections()), (3, 3, 2));
}

#[tokio::test]
async fn a_mail_refused_for_now_waits_and_goes_out_once() {
    let place = Place::new().await;
    let server = Server::start(&[Then::Refuse("451 4.7.1 greylisted, alice@example.com")]).await;
    let (worker, signal) = worker(&place, &server);
    queue(&place, &message("alice@example.com")).await;
    assert_eq!(pass(&worker).await, 1);
    assert_eq!((waiting(&place).await, server.accepted().len()), (1, 0));
    assert_eq!(pass(&worker).await, 0, "not before its time");
    place.clock.advance(Duration::from_secs(7));
    assert_eq!((pass(&worker).await, pass(&worker).await), (1, 0));
    assert_eq!((signal.sent(), signal.failed(), server.accepted().len()), (1, 0, 1));
}

#[tokio::test]
async fn a_mail_refused_for_good_is_given_up_and_the_others_go_out() {
    let place = Place::new().await;
    let server = Server::start(&[Then::Refuse("550 5.1.1 no such mailbox")]).await;
    let (worker, signal) = worker(&place, &server);
    queue(&place, &message("nobody@example.com")).await;
    assert_eq!(pass(&worker).await, 1);
    queue(&place, &message("alice@example.com")).await;
    place.clock.advance(MINUTE);
    assert_eq!(pass(&worker).await, 1);
    assert_eq!((signal.sent(), signal.failed(), waiting(&place).await), (1, 1, 0));
}

#[tokio::test]
async fn a_server_that_vanishes_gets_the_mail_again_under_the_same_id() {
    let (place, server) = (Place::new().await, Server::start(&[Then::Vanish]).await);
    let (worker, signal) = worker(&place, &server);
    queue(&place, &message("alice@example.com")).await;
    assert_eq!(pass(&worker).await, 1);
    assert_eq!(waiting(&place).await, 1);
    place.clock.advance(Duration::from_secs(7));
    assert_eq!(pass(&worker).await, 1);
    assert_eq!((signal.sent(), waiting(&place).await), (1, 0));
    assert_eq!(server.unanswered(), server.accepted(), "the same bytes, so that a repeat is recognised");
    assert_eq!(server.accepted().len(), 1);
}

#[tokio::test]
async fn a_server_that_never_answers_does_not_hold_up_other_mails() {
    let (place, server) = (Place::new().await, Server::start(&[Then::Silence]).await);
    let (worker, signal) = worker(&place, &server);
    let (mut deliveries, mut stop) = (JoinSet::new(), std::pin::pin!(std::future::pending()));
    queue(&place, &message("first@example.com")).await;
    assert_eq!(worker.pass(&mut deliveries, stop.as_mut()).await.unwrap(), Pass::Taken(1));
    while server.begun() == 0 {
        tokio::task::yield_now().await;
    }
    queue(&place, &message("second@example.com")).await;
    assert_eq!(worker.pass(&mut deliveries, stop.as_mut()).await.unwrap(), Pass::Taken(1));
    deliveries.join_next().await.unwrap().unwrap();
    assert_eq!((signal.sent(), waiting(&place).await, deliveries.len()), (1, 1, 1));
}

#[tokio::test]
async fn waiting_for_an_answer_ends_and_the_mail_is_tried_again() {
    let (place, server) = (Place::new().await, Server::start(&[]).await);
    let silent = Server::start(&[Then::Silence]).await;
    let hasty = SmtpSettings { send_timeout: Duration::from_millis(50), ..settings(silent.port) };
    queue(&place, &message("alice@example.com")).await;
    assert_eq!(pass(&worker_with(&place, hasty).0).await, 1);
    assert_eq!((waiting(&place).await, silent.accepted().len()), (1, 0));
    place.clock.advance(Duration::from_secs(7));
    let (patient, signal) = worker(&place, &server);
    assert_eq!(pass(&patient).await, 1);
    assert_eq!((signal.sent(), server.accepted().len(), waiting(&place).await), (1, 1, 0));
}

#[tokio::test]
async fn nobody_listening_a_wrong_password_and_missing_tls_lose_no_mail() {
    let (place, server) = (Place::new().await, Server::start(&[]).await);
    let wrong = |settings: SmtpSettings| worker_with(&place, settings).0;
    let login = |password: &str| Some(("keyward".to_owned(), Secret::new(password.to_owned())));
    queue(&place, &message("alice@example.com")).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for settings in [
        settings(closed),
        SmtpSettings { credentials: login("wrong"), ..settings(server.port) },
        SmtpSettings { security: Security::StartTls, ..settings(server.port) },
        SmtpSettings { security: Security::Tls, ..settings(server.port) },
    ] {
        assert_eq!(pass(&wrong(settings)).await, 1);
        assert_eq!((waiting(&place).await, server.accepted().len()), (1, 0));
        place.clock.advance(MINUTE);
    }
    let (right, signal) =
        worker_with(&place, SmtpSettings { credentials: login("pass word"), ..settings(server.port) });
    assert_eq!(pass(&right).await, 1);
    assert_eq!((signal.sent(), server.accepted().len()), (1, 1));
}

#[tokio::test]
async fn an_expired_mail_is_not_sent() {
    let (place, server) = (Place::new().await, Server::start(&[]).await);
    let (worker, signal) = worker(&place, &server);
    queue(&place, &message("late@example.com")).await;
    place.clock.advance(10 * MINUTE);
    assert_eq!(pass(&worker).await, 1);
    assert_eq!((signal.sent(), signal.failed(), waiting(&place).await), (0, 1, 0));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn abuse_15_a_decoy_is_queued_alike_and_never_sent() {
    let (place, server) = (Place::new().await, Server::start(&[]).await);
    let (worker, signal) = worker(&place, &server);
    queue(&place, &Message { decoy: true, ..message("nobody@example.com") }).await;
    assert_eq!((pass(&worker).await, pass(&worker).await), (1, 0));
    assert_eq!((signal.sent(), signal.failed(), waiting(&place).await), (0, 0, 0));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn abuse_27_no_header_and_no_recipient_can_be_smuggled_in() {
    let (place, server) = (Place::new().await, Server::start(&[]).await);
    let (worker, signal) = worker(&place, &server);
    let subject = "Hi\r\nBcc: thief@example.com\r\n\r\nbody".to_owned();
    queue(&place, &Message { subject, ..message("alice@example.com") }).await;
    for to in [
        "a@example.com\r\nBcc: thief@example.com",
        "a@example.com, thief@example.com",
        "a@example.com>\r\nRCPT TO:<b@example.com",
    ] {
        queue(&place, &message(to)).await;
    }
    assert_eq!(pass(&worker).await, 4);
    assert_eq!((signal.sent(), signal.failed()), (1, 3));
    let mails = server.accepted();
    assert!(!mails[0].lines().any(|line| line.starts_with("Bcc")), "{}", mails[0]);
}

#[tokio::test]
async fn two_workers_share_a_queue_and_send_each_mail_once() {
    let (place, server) = (Place::new().await, Server::start(&[]).await);
    let (one, other) = (worker(&place, &server).0, worker(&place, &server).0);
    for number in 0..20 {
        queue(&place, &message(&format!("{number}@example.com"))).await;
    }
    let (first, second) = tokio::join!(pass(&one), pass(&other));
    assert_eq!((first + second, server.accepted().len(), waiting(&place).await), (20, 20, 0));
}

#[tokio::test]
async fn among_failures_of_all_kinds_every_mail_arrives_once() {
    let (place, busy) = (Place::new().await, Then::Refuse("421 too busy"));
    let script: Vec<Then> =
        (0..60).map(|number| [Then::Accept, busy, Then::AcceptAndClose, Then::Close][number % 4]).collect();
    let server = Server::start(&script).await;
    let (worker, _) = worker(&place, &server);
    for number in 0..24 {
        queue(&place, &message(&format!("{number}@example.com"))).await;
    }
    for _ in 0..12 {
        pass(&worker).await;
        place.clock.advance(Duration::from_secs(45));
    }
    let mails = server.accepted();
    let ids: BTreeSet<&str> =
        mails.iter().filter_map(|mail| mail.lines().find(|line| line.starts_with("Message-ID"))).collect();
    assert_eq!((mails.len(), ids.len(), waiting(&place).await), (24, 24, 0));
}

#[tokio::test]
async fn a_mail_whose_worker_died_is_taken_up_when_its_lease_ends() {
    let (place, server) = (Place::new().await, Server::start(&[Then::Silence]).await);
    let (dying, _) = worker(&place, &server);
    queue(&place, &message("alice@example.com")).await;
    let mut deliveries = JoinSet::new();
    let stop = std::pin::pin!(std::future::pending());
    assert_eq!(dying.pass(&mut deliveries, stop).await.unwrap(), Pass::Taken(1));
    while server.begun() == 0 {
        tokio::task::yield_now().await;
    }
    deliveries.shutdown().await;
    let (next, signal) = worker(&place, &server);
    assert_eq!(pass(&next).await, 0, "still leased");
    place.clock.advance(MINUTE);
    assert_eq!(pass(&next).await, 1);
    assert_eq!((signal.sent(), server.accepted().len()), (1, 1));
}

/// A mail whose delivery is under way, and the tasks in which it is.
async fn under_way(place: &Place, server: &Server) -> JoinSet<()> {
    let mut deliveries = JoinSet::new();
    queue(place, &message("alice@example.com")).await;
    let stop = std::pin::pin!(std::future::pending());
    let worker = worker(place, server).0.prolonging_every(Duration::from_millis(10));
    assert_eq!(worker.pass(&mut deliveries, stop).await.unwrap(), Pass::Taken(1));
    while server.begun() == 0 {
        tokio::task::yield_now().await;
    }
    deliveries
}

#[tokio::test]
async fn a_lease_is_prolonged_for_as_long_as_the_delivery_takes() {
    let (place, server) = (Place::new().await, Server::start(&[Then::Silence]).await);
    let _deliveries = under_way(&place, &server).await;
    place.clock.advance(Duration::from_secs(10));
    let due = || rows::mail::due(place.directory.db(), NOW.plus(Duration::from_secs(20)));
    for _ in 0..1_000 {
        if due().await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("another worker would begin");
}

#[tokio::test]
async fn what_a_killed_process_had_under_way_is_delivered_by_the_next_at_once() {
    let (place, server) = (Place::new().await, Server::start(&[Then::Silence]).await);
    under_way(&place, &server).await.shutdown().await;
    let (worker, signal) = worker(&place, &server);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(worker.run(async { drop(stopped.await) }));
    for _ in 0..1_000 {
        if signal.sent() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!((signal.sent(), server.accepted().len()), (1, 1));
}

#[tokio::test]
async fn the_worker_wakes_for_a_mail_and_stops_when_told() {
    let (place, server) = (Place::new().await, Server::start(&[]).await);
    let (worker, signal) = worker(&place, &server);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(worker.run(async { drop(stopped.await) }));
    queue(&place, &message("alice@example.com")).await;
    signal.wake();
    while signal.sent() == 0 {
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(server.accepted().len(), 1);
}

#[tokio::test]
async fn the_mailbox_shows_the_newest_first_and_survives_a_restart() {
    let place = Place::new().await;
    let open = || Mailbox::open(place.folder.join("mail")).unwrap();
    let (mailbox, signal) = (open(), MailSignal::default());
    let worker = Worker::new(place.directory.clone(), Transport::Mailbox(mailbox.clone()), signal.clone());
    for to in ["alice@example.com", "bob@example.com", "Alice@example.com"] {
        queue(&place, &message(to)).await;
        assert_eq!(pass(&worker).await, 1);
        place.clock.advance(Duration::from_secs(1));
    }
    queue(&place, &Message { decoy: true, ..message("nobody@example.com") }).await;
    assert_eq!(pass(&worker).await, 1);
    let to = |mails: Vec<Caught>| mails.into_iter().map(|mail| mail.to).collect::<Vec<_>>();
    assert_eq!(to(mailbox.list(None)), ["Alice@example.com", "bob@example.com", "alice@example.com"]);
    assert_eq!(to(mailbox.list(Some("alice@example.com"))), ["Alice@example.com", "alice@example.com"]);
    assert_eq!(signal.sent(), 3);
    let caught = open().list(Some("bob@example.com"));
    let first = &caught[0];
    assert_eq!((first.code.as_deref(), first.sent_at.as_str()), (Some("123456"), "2027-01-15T08:00:01Z"));
    assert_eq!(open().list(None), mailbox.list(None));
}

#[tokio::test]
async fn the_mailbox_keeps_the_latest_and_each_mail_once() {
    let place = Place::new().await;
    let folder = place.folder.join("mail");
    let mailbox = Mailbox::open(&folder).unwrap();
    for number in 0..510_u32 {
        let (message, queued_at) = (message(&format!("{number}@example.com")), NOW.plus(MINUTE * number));
        let mail = Outgoing { id: place.env().id(), host: "x", message: &message, queued_at, now: queued_at };
        mailbox.deliver(&mail).unwrap();
        mailbox.deliver(&mail).unwrap();
    }
    let mails = mailbox.list(None);
    assert_eq!((mails.len(), std::fs::read_dir(&folder).unwrap().count()), (500, 500));
    assert_eq!((mails[0].to.as_str(), mails[499].to.as_str()), ("509@example.com", "10@example.com"));
}

#[test]
fn a_sender_that_is_no_address_is_refused() {
    let wrong = SmtpSettings { from: "no address".to_owned(), ..settings(25) };
    assert_eq!(Smtp::new(wrong).map(drop).unwrap_err().status(), 400);
    let missing = SmtpSettings {
        ca_file: Some("/nonexistent/ca.pem".into()),
        ..SmtpSettings::new("localhost", 587, "a@example.com")
    };
    assert_eq!(Smtp::new(missing).map(drop).unwrap_err().status(), 400);
}
