//! Buckets against a time that the test moves.

use super::*;

const NOW: Time = Time::from_seconds(1_800_000_000);

fn limits() -> Limits {
    Limits {
        network: Rate { per_minute: 60, burst: 5 },
        application: Rate { per_minute: 600, burst: 2 },
        tenant: Rate { per_minute: 6, burst: 1 },
        entries: 100,
        ..Limits::default()
    }
}

fn net(address: &str) -> Subject {
    Subject::Network(base::net::network(address.parse().unwrap()))
}

fn admitted(admission: &Admission, subject: Subject, now: Time) -> usize {
    (0..1_000).take_while(|_| admission.check(subject, now).is_ok()).count()
}

#[test]
fn room_is_looked_at_without_taking_it() {
    let admission = Admission::new(limits());
    let subject = net("192.0.2.1");
    assert!((0..100).all(|_| admission.room(subject, NOW).is_ok()));
    assert_eq!(admitted(&admission, subject, NOW), 5);
    assert_eq!(admission.room(subject, NOW).unwrap_err().retry_after, Some(Duration::from_secs(1)));
    assert_eq!(admission.refused(Limit::Network), 2, "the sixth, and this one");
    admission.count(Limit::Account);
    let refused = Limit::ALL.map(|limit| admission.refused(limit));
    assert_eq!(refused, [2, 0, 0, 0, 0, 1], "each is counted for itself");
}

#[test]
fn a_burst_passes_then_the_rate_holds() {
    let admission = Admission::new(limits());
    let subject = net("192.0.2.1");
    assert_eq!(admitted(&admission, subject, NOW), 5);
    let refused = admission.check(subject, NOW).unwrap_err();
    assert_eq!((refused.status(), refused.code), (429, "error-too-many"));
    assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
    let later = NOW.plus(Duration::from_millis(999));
    assert!(admission.check(subject, later).is_err());
    assert_eq!(admitted(&admission, subject, NOW.plus(Duration::from_secs(1))), 1);
    assert_eq!(
        admitted(&admission, subject, NOW.plus(Duration::from_secs(3_600))),
        5,
        "no more than a burst"
    );
}

#[test]
fn a_clock_set_back_closes_nobody_out() {
    let admission = Admission::new(limits());
    let subject = net("192.0.2.1");
    let tomorrow = NOW.plus(Duration::from_secs(86_400));
    assert_eq!(admitted(&admission, subject, tomorrow), 5);
    assert_eq!(admitted(&admission, subject, NOW), 2, "half full, since nobody knows better");
    assert_eq!(admitted(&admission, subject, NOW.plus(Duration::from_secs(1))), 1, "and it drains");
}

#[test]
fn the_time_to_come_back_is_the_time_at_which_it_passes() {
    let admission = Admission::new(limits());
    let tenant = Subject::Tenant(Id::from_bytes([1; 16]));
    assert_eq!(admitted(&admission, tenant, NOW), 1);
    let after = admission.check(tenant, NOW).unwrap_err().retry_after.unwrap();
    assert_eq!(after, Duration::from_secs(10));
    assert!(admission.check(tenant, NOW.plus(after)).is_ok());
}

#[test]
fn abuse_26_an_ipv6_client_is_its_64_and_subjects_do_not_share_buckets() {
    let admission = Admission::new(limits());
    assert_eq!(admitted(&admission, net("2001:db8:1:2::1"), NOW), 5);
    assert_eq!(admitted(&admission, net("2001:db8:1:2:ffff::9"), NOW), 0, "the same /64");
    assert_eq!(admitted(&admission, net("2001:db8:1:3::1"), NOW), 5);
    assert_eq!(admitted(&admission, net("192.0.2.1"), NOW), 5);
    assert_eq!(admitted(&admission, net("::ffff:192.0.2.1"), NOW), 0, "the same address mapped");
    assert_eq!(admitted(&admission, Subject::Application(Id::from_bytes([1; 16])), NOW), 2);
    assert_eq!(admitted(&admission, Subject::Tenant(Id::from_bytes([1; 16])), NOW), 1);
}

#[test]
fn nodes_divide_the_limits() {
    let admission = Admission::new(limits());
    admission.share(5);
    let subject = net("192.0.2.1");
    assert_eq!(admitted(&admission, subject, NOW), 1);
    assert!(admission.check(subject, NOW.plus(Duration::from_secs(4))).is_err());
    assert!(admission.check(subject, NOW.plus(Duration::from_secs(5))).is_ok());
}

#[test]
fn memory_is_bounded_and_who_asks_most_is_not_forgotten() {
    let admission = Admission::new(limits());
    let greedy = net("192.0.2.1");
    assert_eq!(admitted(&admission, greedy, NOW), 5);
    for number in 0..10_000_u32 {
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
        admission.check(Subject::Network(base::net::network(address.into())), NOW).unwrap();
        assert!(admission.0.lock().len() <= 100);
    }
    assert_eq!(admitted(&admission, greedy, NOW), 0);
    let rested = NOW.plus(Duration::from_secs(60));
    assert!(admission.check(net("198.51.100.1"), rested).is_ok());
}

#[test]
fn the_defaults_let_an_ordinary_client_pass() {
    let admission = Admission::new(Limits::default());
    assert_eq!(admitted(&admission, net("192.0.2.1"), NOW), 300);
    let application = Subject::Application(Id::from_bytes([1; 16]));
    assert!((0..100_000).all(|_| admission.check(application, NOW).is_ok()));
}
