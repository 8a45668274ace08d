//! Erasing and purging under a clock that the test moves.

mod keys;

use super::*;
use crate::testing::Place;
use base::{Identifier, IdentifierKind};
use store::rows::person::PersonRow;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn unit_of(place: &Place, kind: &'static str) -> Unit {
    let event = Event::new(place.env(), kind);
    Unit::new(event.id, vec![place.tenant.event(place.env(), event, None)])
}

async fn commit(place: &Place, unit: Unit) {
    assert!(place.db().commit(unit).await.unwrap().done());
}

async fn register(place: &Place) -> PersonRow {
    let (id, now) = (place.env().id(), place.env().now());
    let person = PersonRow {
        id,
        state: "active".to_owned(),
        epoch: 1,
        offline_epoch: 1,
        locale: Some("en".to_owned()),
        attributes: r#"{"name":"Alice"}"#.to_owned(),
        sealed_attributes: Some(vec![1]),
        sealed_key: Some(vec![2]),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut unit = unit_of(place, "person.created");
    rows::person::insert(&mut unit, place.tenant.id, &person, now);
    for typed in ["alice@example.com", "alice"] {
        let identifier = Identifier::parse(typed).unwrap();
        rows::identifier::insert(&mut unit, place.tenant.id, id, (&identifier, Some("code")), now);
    }
    rows::credential::insert(&mut unit, place.tenant.id, id, (place.env().id(), "password", b"sealed"), now);
    commit(place, unit).await;
    person
}

async fn delete(place: &Place, person: &PersonRow) {
    let mut unit = unit_of(place, "person.deleted");
    rows::person::delete(&mut unit, place.tenant.id, person, place.env().now());
    commit(place, unit).await;
}

#[tokio::test]
async fn a_deleted_person_is_erased_once_and_their_name_held_for_90_days() {
    let place = Place::new().await;
    let (person, tenant, db) = (register(&place).await, place.tenant.id, place.db());
    let mut jobs = Jobs::new(place.directory.clone());
    jobs.tick().await.unwrap();
    assert!(rows::person::by_id(db, tenant, person.id).await.unwrap().unwrap().sealed_key.is_some());
    delete(&place, &person).await;
    place.clock.advance(ERASE_EVERY);
    jobs.tick().await.unwrap();
    let erased = rows::person::by_id(db, tenant, person.id).await.unwrap().unwrap();
    assert_eq!((erased.sealed_key, erased.sealed_attributes, erased.attributes.as_str()), (None, None, "{}"));
    assert!(rows::credential::of_kind(db, tenant, person.id, "password").await.unwrap().is_none());
    assert!(rows::identifier::of_person(db, tenant, person.id).await.unwrap().is_empty());
    let kinds =
        |events: Vec<rows::event::StoredEvent>| events.into_iter().map(|e| e.kind).collect::<Vec<_>>();
    let events = rows::event::of_person(db, tenant, person.id, None).await.unwrap();
    assert_eq!(kinds(events), ["person.erased"]);
    assert!(rows::person::to_erase(db).await.unwrap().is_empty());

    let taken = async |kind, name, at| rows::identifier::taken(db, tenant, (kind, name), at).await.unwrap();
    let now = place.env().now();
    assert!(!taken(IdentifierKind::Email, "alice@example.com", now).await, "addresses are free at once");
    assert!(taken(IdentifierKind::Username, "alice", now.plus(89 * DAY)).await);
    assert!(!taken(IdentifierKind::Username, "alice", now.plus(91 * DAY)).await);
}

async fn park(place: &Place) -> Id<id::Tenant> {
    let mut unit = unit_of(place, "test.queued");
    let id = place.env().id();
    let now = place.env().now();
    rows::mail::insert(&mut unit, place.tenant.id, (id, b"sealed"), now, now.plus(HOUR));
    commit(place, unit).await;
    place.tenant.id
}

async fn waiting(place: &Place) -> i64 {
    rows::mail::waiting(place.db()).await.unwrap()
}

#[tokio::test]
async fn what_ended_is_purged_after_48_hours_and_not_before() {
    let place = Place::new().await;
    park(&place).await;
    let mut jobs = Jobs::new(place.directory.clone());
    place.clock.advance(HOUR * 48);
    commit(&place, unit_of(&place, "test.alive")).await;
    jobs.tick().await.unwrap();
    assert_eq!(waiting(&place).await, 1);
    place.clock.advance(HOUR * 2);
    commit(&place, unit_of(&place, "test.alive")).await;
    jobs.tick().await.unwrap();
    assert_eq!(waiting(&place).await, 0);
}

#[tokio::test]
async fn nothing_is_purged_while_the_clock_disagrees_with_the_newest_event() {
    let place = Place::new().await;
    park(&place).await;
    let mut jobs = Jobs::new(place.directory.clone());
    place.clock.advance(DAY * 3_650);
    jobs.tick().await.unwrap();
    assert_eq!(waiting(&place).await, 1, "a clock that jumped ahead deletes nothing");
    commit(&place, unit_of(&place, "test.alive")).await;
    place.clock.advance(HOUR);
    jobs.tick().await.unwrap();
    assert_eq!(waiting(&place).await, 0);
}

#[tokio::test]
async fn the_jobs_stop_when_told() {
    let place = Place::new().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let jobs = Jobs::spawn(place.directory.clone(), async { drop(stopped.await) });
    stop.send(()).unwrap();
    jobs.await.unwrap();
}
