//! Signing keys under a clock that the test moves, on both engines.

use super::{super::*, DAY, HOUR};
use crate::testing::NOW;
use base::{MockClock, SealingKey, SystemRng};
use jose::Algorithm;
use std::sync::Arc;
use store::{
    Db, NewTenant, Tenant, rotation,
    rows::{
        key::{self, KeyRow, KeyState},
        listing,
    },
    scratch::{Scratch, engines},
};

struct Nodes {
    clock: Arc<MockClock>,
    /// Two, on one database.
    nodes: [Directory; 2],
    tenant: Id<id::Tenant>,
}

async fn on_each(settings: &str, test: impl AsyncFn(&Nodes)) {
    for engine in engines() {
        let scratch = Scratch::new(engine).await.unwrap();
        let db = scratch.open().await.unwrap();
        store::migrate(&db, store::MIGRATIONS).await.unwrap();
        test(&Nodes::on(&db, settings).await).await;
        scratch.remove(db).await.unwrap();
    }
}

fn root() -> SealingKey {
    SealingKey::new([7; 32].into())
}

impl Nodes {
    async fn on(db: &Db, settings: &str) -> Self {
        let clock = Arc::new(MockClock::at(NOW));
        let env = Env::new(Arc::clone(&clock) as Arc<dyn base::Clock>, Arc::new(SystemRng));
        let first = Directory::new(db.clone(), env.clone(), root());
        let second = Directory::new(db.clone(), env, root());
        let new = NewTenant {
            slug: "default".to_owned(),
            name: "Example".to_owned(),
            issuer: "https://id.example.com".to_owned(),
            settings: settings.to_owned(),
        };
        let tenant = first.create_tenant(new).await.unwrap().id;
        Self { clock, nodes: [first, second], tenant }
    }

    async fn on_day(&self, day: u32) -> Vec<(i64, KeyState)> {
        self.clock.advance((NOW.plus(DAY * day)).since(self.nodes[0].env().now()));
        Jobs::new(self.nodes[0].clone()).round().await;
        self.keys().await.iter().map(|row| (row.version, row.state)).collect()
    }

    /// All keys but those of RS256, which a tenant begins with too and which go the same way.
    async fn keys(&self) -> Vec<KeyRow> {
        let mut keys = key::signing(self.nodes[0].db(), self.tenant).await.unwrap();
        keys.retain(|row| row.algorithm != Algorithm::Rs256.as_str());
        keys
    }

    async fn seen_by(&self, node: usize) -> Arc<Tenant> {
        self.nodes[node].refresh(true).await.unwrap();
        self.nodes[node].tenant(self.tenant).await.unwrap().unwrap()
    }

    async fn signs(&self, node: usize) -> String {
        self.seen_by(node).await.signing_key(Algorithm::Es256).unwrap().kid().to_owned()
    }

    /// How many keys of ES256 are published, and as many of RS256.
    async fn published(&self) -> usize {
        half(self.seen_by(1).await.published_keys(self.nodes[1].env().now()).count())
    }

    /// How many steps of ES256 are in the audit trail, and as many of RS256.
    async fn told(&self) -> usize {
        let db = self.nodes[0].db();
        let filter = listing::EventFilter { kind: Some("key.rotated".to_owned()), ..Default::default() };
        let range = (Id::from_bytes([255; 16]), Id::from_bytes([0; 16]));
        let all = listing::events(db, self.tenant, &filter, range, 100).await.unwrap().len();
        half(all)
    }
}

fn half(all: usize) -> usize {
    assert_eq!(all % 2, 0, "both algorithms go the same way");
    all / 2
}

impl Jobs {
    async fn round(mut self) {
        self.rotate = Due(Time::from_micros(0));
        self.tick().await.unwrap();
        assert!(self.round.is_some(), "the round is not over before a page is empty");
        self.tick().await.unwrap();
        assert!(self.round.is_none());
        self.release().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_lives_through_all_its_states() {
    use KeyState::{Current, Next, Retired};
    on_each("{}", async |at| {
        assert_eq!(at.on_day(82).await, [(1, Current)]);
        let (first, seen_before) = (at.signs(1).await, at.seen_by(1).await.version);
        assert_eq!(at.on_day(83).await, [(1, Current), (2, Next)]);
        assert_eq!((at.signs(1).await, at.published().await), (first.clone(), 2), "published, no more");
        assert!(at.seen_by(1).await.version > seen_before, "other nodes are told");
        assert_eq!(at.on_day(89).await, [(1, Current), (2, Next)]);
        assert_eq!(at.on_day(90).await, [(1, Retired), (2, Current)]);
        assert_ne!(at.signs(1).await, first);
        assert_eq!(at.published().await, 2, "what the first one signed may still live");
        assert_eq!(at.on_day(120).await, [(1, Retired), (2, Current)]);
        assert!(at.keys().await.iter().all(|key| !key.sealed.is_empty()));
        assert_eq!(at.published().await, 2, "clocks differ");
        assert_eq!(at.on_day(121).await, [(1, Retired), (2, Current)]);
        assert_eq!(at.published().await, 1);
        let erased: Vec<bool> = at.keys().await.iter().map(|key| key.sealed.is_empty()).collect();
        assert_eq!(erased, [true, false], "the private half is gone");
        assert_eq!(at.told().await, 3, "published, taken over, erased");
        assert_eq!(at.on_day(173).await.len(), 3, "and so on");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_at_once_one_takes_each_step() {
    on_each("{}", async |at| {
        for (day, keys) in [(83, 2), (90, 2), (121, 2)] {
            at.clock.advance(NOW.plus(DAY * day).since(at.nodes[0].env().now()));
            let told = at.told().await;
            let [first, second] = [&at.nodes[0], &at.nodes[1]].map(|node| {
                let (node, tenant) = (node.clone(), at.tenant);
                tokio::spawn(async move { node.rotate_by_age(tenant).await.unwrap() })
            });
            first.await.unwrap();
            second.await.unwrap();
            assert_eq!(at.keys().await.len(), keys);
            assert_eq!(at.told().await, told + 1, "day {day}");
            at.seen_by(0).await;
            at.seen_by(1).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_algorithm_in_use_has_its_own_age_and_a_tenant_its_own_days() {
    on_each(r#"{"key_rotation_days": 10, "key_publish_days": 2}"#, async |at| {
        at.clock.advance(DAY * 5);
        at.nodes[0].ensure_signing_key(at.tenant, Algorithm::EdDsa).await.unwrap();
        assert_eq!(at.on_day(8).await.len(), 3, "the next of ES256");
        at.clock.advance(DAY * 5);
        let keys = at.keys().await;
        let ages = keys.chunk_by(|one, other| one.algorithm == other.algorithm);
        let settings = at.seen_by(0).await.settings.clone();
        let due: Vec<_> = ages.map(|keys| rotation::rotates_at(keys, &settings).unwrap()).collect();
        assert_eq!(due, [NOW.plus(DAY * 10), NOW.plus(DAY * 15)]);
        assert_eq!(at.on_day(13).await.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_changes_by_its_age_where_that_is_off() {
    on_each(r#"{"key_rotation_days": 0}"#, async |at| {
        assert_eq!(at.on_day(4_000).await, [(1, KeyState::Current)]);
        at.clock.advance(HOUR);
    })
    .await;
}
