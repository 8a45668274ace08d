use super::peer::{Answer, Peer, ok, status};
use crate::{outbound::*, testing::NOW};
use base::MockClock;

struct Place {
    peer: Peer,
    clock: Arc<MockClock>,
    documents: Documents,
}

impl Place {
    async fn new(answer: Answer) -> Self {
        let clock = Arc::new(MockClock::at(NOW));
        let outbound = Outbound::new(Policy::dev()).unwrap();
        let documents =
            Documents::new(outbound, Arc::clone(&clock) as Arc<dyn base::Clock>, Limits::default());
        Self { peer: Peer::start(answer).await, clock, documents }
    }

    async fn get(&self) -> Result<Bytes, OutboundError> {
        self.documents.get(&self.peer.url("/keys")).await.map(|document| document.body)
    }

    async fn refresh(&self) -> Result<Bytes, OutboundError> {
        self.documents.refresh(&self.peer.url("/keys")).await.map(|document| document.body)
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[tokio::test]
async fn a_document_is_fetched_again_when_it_is_no_longer_fresh() {
    for (headers, fresh) in [
        ("", 300),
        ("cache-control: no-store\r\n", 60),
        ("cache-control: max-age=1\r\n", 60),
        ("cache-control: max-age=600\r\n", 600),
        ("cache-control: max-age=86400\r\n", 3600),
    ] {
        let place = Place::new(ok(headers, "one")).await;
        assert_eq!(place.get().await.unwrap(), "one");
        place.peer.answers(ok(headers, "two"));
        place.pass(fresh - 1);
        assert_eq!(place.get().await.unwrap(), "one", "{headers}");
        place.pass(1);
        assert_eq!(place.get().await.unwrap(), "two", "{headers}");
        assert_eq!(place.peer.count(), 2);
    }
}

#[tokio::test]
async fn abuse_48_unknown_keys_cause_at_most_one_fetch_in_ten_seconds() {
    let place = Place::new(ok("", "one")).await;
    assert_eq!(place.get().await.unwrap(), "one");
    place.peer.answers(ok("", "two"));
    for _ in 0..50 {
        assert_eq!(place.refresh().await.unwrap(), "one");
    }
    assert_eq!(place.peer.count(), 1);
    place.pass(10);
    for _ in 0..50 {
        assert_eq!(place.refresh().await.unwrap(), "two");
    }
    assert_eq!(place.get().await.unwrap(), "two");
    assert_eq!(place.peer.count(), 2);
}

#[tokio::test]
async fn a_failure_is_kept_for_ten_seconds() {
    let place = Place::new(status("503 Service Unavailable")).await;
    for _ in 0..5 {
        assert_eq!(place.get().await, Err(OutboundError::Status(503)));
        assert_eq!(place.refresh().await, Err(OutboundError::Status(503)));
    }
    assert_eq!(place.peer.count(), 1);
    place.peer.answers(ok("", "one"));
    place.pass(10);
    assert_eq!(place.get().await.unwrap(), "one");
}

#[tokio::test]
async fn a_document_outlives_its_host_by_an_hour_at_most() {
    let place = Place::new(ok("", "one")).await;
    place.get().await.unwrap();
    place.peer.answers(status("503 Service Unavailable"));
    place.pass(3599);
    assert_eq!(place.get().await.unwrap(), "one");
    assert_eq!(place.refresh().await.unwrap(), "one");
    assert_eq!(place.peer.count(), 2);
    place.pass(1);
    assert_eq!(place.get().await, Err(OutboundError::Status(503)));
}

#[tokio::test]
async fn a_document_that_is_gone_is_gone() {
    let place = Place::new(ok("", "one")).await;
    place.get().await.unwrap();
    place.peer.answers(status("404 Not Found"));
    place.pass(10);
    assert_eq!(place.refresh().await, Err(OutboundError::Status(404)));
    assert_eq!(place.get().await, Err(OutboundError::Status(404)));
}

#[test]
fn a_clock_that_was_set_back_keeps_nothing() {
    let span = Duration::from_secs(10);
    assert!(documents::within(NOW, span, NOW));
    assert!(!documents::within(NOW, span, NOW.plus(span)));
    assert!(!documents::within(NOW, span, NOW.minus(Duration::from_secs(86_400))));
}

#[tokio::test]
async fn who_asks_at_the_same_time_causes_one_fetch() {
    let place = Place::new(ok("", "one")).await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (documents, url) = (place.documents.clone(), place.peer.url("/keys"));
        asking.spawn(async move { documents.get(&url).await.unwrap().body });
    }
    assert!(asking.join_all().await.iter().all(|body| body == "one"));
    assert_eq!(place.peer.count(), 1);
}

#[tokio::test]
async fn the_store_of_documents_is_bounded() {
    let place = Place::new(ok("", "one")).await;
    place.get().await.unwrap();
    for number in 0..documents::MOST {
        let refused = format!("https://10.0.0.1/{number}");
        assert_eq!(place.documents.get(&refused).await, Err(OutboundError::Refused));
    }
    assert_eq!(place.documents.len(), documents::MOST);
    place.get().await.unwrap();
    assert_eq!(place.peer.count(), 2, "the one not used for longest gave way");
}
