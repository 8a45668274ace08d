//! The queue against a time that the test moves.

use super::*;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(2);

impl Wait for &'static str {
    fn is_wanted(&self) -> bool {
        *self != "gone"
    }
}

fn net(number: u32) -> Option<Network> {
    Some(base::net::network(std::net::Ipv4Addr::from_bits(number).into()))
}

fn stranger(network: u32) -> Caller {
    Caller { priority: Priority::Other, network: net(network) }
}

fn known(network: u32) -> Caller {
    Caller { priority: Priority::KnownDevice, network: net(network) }
}

fn taken<T: Wait>(queue: &mut Queue<T>) -> Vec<T> {
    std::iter::from_fn(|| queue.take(0)).collect()
}

#[test]
fn known_devices_go_first_and_networks_take_turns() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for (caller, item) in [
        (stranger(1), "first of 1"),
        (stranger(1), "second of 1"),
        (stranger(1), "third of 1"),
        (stranger(2), "first of 2"),
        (Priority::Other.into(), "of no network"),
        (known(1), "known"),
    ] {
        assert!(queue.push(caller, (item, now + DEADLINE), 10, now));
    }
    let order = ["known", "first of 1", "first of 2", "of no network", "second of 1", "third of 1"];
    assert_eq!(taken(&mut queue), order);
}

#[test]
fn a_few_of_known_devices_are_left_to_the_express_while_strangers_wait() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for (caller, item) in
        [(known(1), "a"), (known(2), "b"), (known(3), "c"), (stranger(1), "d"), (stranger(2), "e")]
    {
        assert!(queue.push(caller, (item, now + DEADLINE), 10, now));
    }
    let order: Vec<_> = std::iter::from_fn(|| queue.take(2)).collect();
    assert_eq!(
        order,
        ["a", "d", "e", "b", "c"],
        "more than two are too many for it, and nobody waits for nothing"
    );
}

#[test]
fn a_full_queue_takes_from_the_network_that_has_most_and_never_from_one_with_as_much() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let mut push = |caller, item| queue.push(caller, (item, now + DEADLINE), 4, now);
    for item in ["a1", "a2", "a3", "a4"] {
        assert!(push(stranger(1), item));
    }
    assert!(!push(stranger(1), "a5"), "its own share it has");
    assert!(push(stranger(2), "b1"));
    assert!(push(stranger(2), "b2"));
    assert!(!push(stranger(2), "b3"), "both have two");
    assert!(push(stranger(3), "c1"));
    assert!(push(known(1), "known"), "a queue full of strangers is none to a known device");
    // Of the two that had two waiting, the one that had more lately lost one.
    assert_eq!(taken(&mut queue), ["known", "a1", "b1", "c1", "b2"]);
}

#[test]
fn who_has_gone_or_waited_too_long_takes_no_place() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    assert!(queue.push(stranger(1), ("gone", now + DEADLINE), 2, now));
    assert!(queue.push(stranger(2), ("late", now + DEADLINE), 2, now));
    let later = now + DEADLINE + Duration::from_micros(1);
    assert!(queue.push(stranger(1), ("a", later + DEADLINE), 2, later));
    assert!(queue.push(stranger(1), ("b", later + DEADLINE), 2, later));
    assert!(!queue.push(stranger(1), ("c", later + DEADLINE), 2, later));
    assert_eq!(taken(&mut queue), ["a", "b"]);
    assert_eq!(queue.len(), 0);
}

/// A sign-in of the simulation: when it came.
struct Sent {
    at: u64,
    honest: bool,
}

impl Wait for Sent {
    fn is_wanted(&self) -> bool {
        true
    }
}

/// How the honest ones fare, in tenths of a millisecond from arrival to the end of the hash.
struct Fate {
    asked: usize,
    times: Vec<u64>,
}

impl Fate {
    fn succeeded(&self) -> f64 {
        self.times.len() as f64 / self.asked as f64
    }

    fn p99(&self) -> u64 {
        self.times[self.times.len() * 99 / 100]
    }
}

/// Ten seconds of two threads whose hashes take 10 ms, so 200/s: one honest sign-in every 50 ms, each
/// from a network of its own, and `attack` more a second from `networks`. 500 ms of work may wait.
fn ten_seconds(honest: Priority, attack: u64, networks: u64) -> Fate {
    const TICK: Duration = Duration::from_micros(100);
    const HASH: u64 = 100;
    let start = Instant::now();
    let (mut queue, mut fate) = (Queue::default(), Fate { asked: 0, times: Vec::new() });
    let (mut free, mut attacks) = ([0_u64; 2], 0_u64);
    for now in 0..100_000_u64 {
        let at = start + TICK * u32::try_from(now).unwrap();
        let mut push = |caller, honest| {
            queue.push(caller, (Sent { at: now, honest }, at + DEADLINE), 100, at);
        };
        while attacks * 10_000 < now * attack {
            let network = u32::try_from(attacks % networks).unwrap();
            push(stranger(network), false);
            attacks += 1;
        }
        // Whoever comes in the last second may not be served before it ends.
        if now % 500 == 17 && now < 90_000 {
            fate.asked += 1;
            let network = net(1_000_000 + u32::try_from(now / 500).unwrap());
            push(Caller { priority: honest, network }, true);
        }
        for thread in free.iter_mut().filter(|free| **free <= now) {
            queue.sweep(at);
            let Some(sent) = queue.take(0) else { break };
            *thread = now + HASH;
            if sent.honest {
                fate.times.push(now + HASH - sent.at);
            }
        }
    }
    fate.times.sort_unstable();
    fate
}

#[test]
fn abuse_11_credential_stuffing_at_ten_times_capacity_leaves_known_devices_alone() {
    let quiet = ten_seconds(Priority::KnownDevice, 0, 1);
    for networks in [1, 50, 100_000] {
        let flooded = ten_seconds(Priority::KnownDevice, 2_000, networks);
        assert!(flooded.succeeded() > 0.999, "{networks}: {}", flooded.succeeded());
        assert!(flooded.p99() <= 2 * quiet.p99(), "{networks}: {} of {}", flooded.p99(), quiet.p99());
    }
}

#[test]
fn abuse_11_credential_stuffing_from_some_networks_leaves_new_devices_of_others_their_share() {
    let quiet = ten_seconds(Priority::Other, 0, 1);
    let from_one = ten_seconds(Priority::Other, 2_000, 1);
    assert!(from_one.succeeded() > 0.999, "{}", from_one.succeeded());
    assert!(from_one.p99() <= 2 * quiet.p99(), "{} of {}", from_one.p99(), quiet.p99());
    // Also from more networks than can wait at a time.
    for networks in [50, 200] {
        let from_many = ten_seconds(Priority::Other, 2_000, networks);
        assert!(from_many.succeeded() > 0.99, "{networks}: {}", from_many.succeeded());
    }
}
