//! Users: created whole, afterwards changed only where the file says so.

use crate::{CONTRACT, on_each, place::Place};
use base::{Event, Identifier, IdentifierKind};
use std::str::FromStr;
use store::{Mac, Tenant, Unit, accounts, attributes, rows};

fn user(fields: &str) -> String {
    format!("tenants: [{{slug: default, users: [{{email: alice@example.com, {fields}}}]}}]")
}

async fn claim(place: &Place, tenant: &Tenant, name: &str) -> Option<serde_json::Value> {
    let row = place.person(tenant, "alice@example.com").await;
    attributes::join(tenant, &row).unwrap().remove(name)
}

on_each!(an_account_is_written_whole, |place| {
    place.apply(CONTRACT).await;
    let tenant = place.tenant("default").await;
    let row = place.person(&tenant, "alice@example.com").await;
    assert_eq!((row.epoch, row.offline_epoch, row.state.as_str()), (1, 1, "active"));
    assert_eq!(row.attributes, r#"{"given_name":"Alice","name":"Alice Example"}"#);
    assert_eq!(claim(&place, &tenant, "phone_number").await.unwrap(), "+4915112345678");
    assert_eq!(claim(&place, &tenant, "address").await.unwrap()["locality"], "Berlin");
    let identifiers = rows::identifier::of_person(place.db(), tenant.id, row.id).await.unwrap();
    let proofs: Vec<_> = identifiers.iter().map(|i| (i.typed.as_str(), i.proof.as_deref())).collect();
    assert_eq!(proofs, [("alice@example.com", Some("operator")), ("alice", None)]);
    let sub = rows::person::subject(place.db(), tenant.id, row.id).await.unwrap().unwrap();
    assert_eq!(sub.len(), 22);
    let found: Vec<String> =
        place.db().many("SELECT text FROM search_text ORDER BY text", vec![]).await.unwrap();
    assert_eq!(found, ["alice", "alice example", "alice@example.com", "example"]);

    let credential =
        rows::credential::of_kind(place.db(), tenant.id, row.id, "password").await.unwrap().unwrap();
    let key = tenant.person_key(&row).unwrap().unwrap();
    let phc = accounts::open_password(&key, (tenant.id, credential.id), &credential.data).unwrap();
    let stored = passwords::PhcString::from_str(&phc).unwrap();
    let verified = async |typed: &str| {
        let typed = passwords::Prepared::new(typed).unwrap();
        let verdict = place.pool.verify(typed, stored.clone(), work::Priority::Other).await.unwrap();
        verdict != passwords::Verdict::Mismatch
    };
    assert!(verified("correct horse battery").await && !verified("correct horse").await);
});

on_each!(a_password_counts_at_creation_only, |place| {
    place.apply(CONTRACT).await;
    let hashes = place.pool.hashes();
    assert!(place.apply(&CONTRACT.replace("correct horse battery", "another one")).await.is_empty());
    assert_eq!(place.pool.hashes(), hashes);
});

on_each!(claims_are_merged_and_null_takes_away, |place| {
    place.apply(CONTRACT).await;
    let change = user("locale: de, claims: {birthdate: 1990-12-31, given_name: null, name: Alice Meyer}");
    let plan = place.plan(&change).await;
    let differs: Vec<_> = plan.changes[1].differs.iter().map(|d| d.field.as_str()).collect();
    assert_eq!(differs, ["claims.birthdate", "claims.given_name", "claims.name", "locale"]);
    assert!(!plan.to_json().to_string().contains("1990"), "a plan shows nobody's data");
    place.apply(&change).await;
    let tenant = place.tenant("default").await;
    assert_eq!(claim(&place, &tenant, "birthdate").await.unwrap(), "1990-12-31");
    assert_eq!(claim(&place, &tenant, "given_name").await, None);
    assert_eq!(claim(&place, &tenant, "phone_number").await.unwrap(), "+4915112345678");
    assert_eq!(place.person(&tenant, "alice").await.epoch, 1, "sessions live on");
    let found: Vec<String> =
        place.db().many("SELECT text FROM search_text ORDER BY text", vec![]).await.unwrap();
    assert_eq!(found, ["alice", "alice meyer", "alice@example.com", "meyer"]);
    assert!(place.apply(&change).await.is_empty());
    let events = place.events().await;
    let (_, data) = events.iter().find(|(kind, _)| kind == "person.updated").unwrap();
    assert!(data.contains("Alice Example") && data.contains("Alice Meyer"), "{data}");
});

on_each!(a_suspended_user_loses_everything_and_gets_nothing_back, |place| {
    place.apply(CONTRACT).await;
    let tenant = place.tenant("default").await;
    place.apply(&user("state: suspended")).await;
    let row = place.person(&tenant, "alice").await;
    assert_eq!((row.state.as_str(), row.epoch, row.offline_epoch), ("suspended", 2, 2));
    assert!(place.apply(&user("state: suspended")).await.is_empty());
    assert!(place.apply(&user("email_verified: true")).await.is_empty(), "omitted is left alone");
    place.apply(&user("state: active")).await;
    let row = place.person(&tenant, "alice").await;
    assert_eq!((row.state.as_str(), row.epoch, row.offline_epoch), ("active", 3, 3));
    let kinds = place.kinds().await;
    assert_eq!((kinds.get("person.suspended"), kinds.get("person.activated")), (Some(&1), Some(&1)));

    place.apply("tenants: [{slug: default, users: [{username: bob, state: suspended}]}]").await;
    let bob = place.person(&tenant, "bob").await;
    assert_eq!((bob.state.as_str(), bob.epoch), ("suspended", 2));
});

on_each!(verified_proves_an_address_that_was_not, |place| {
    place.apply(&user("locale: en")).await;
    let tenant = place.tenant("default").await;
    let proof = async || {
        let row =
            rows::identifier::find(place.db(), tenant.id, IdentifierKind::Email, "alice@example.com").await;
        row.unwrap().unwrap().proof
    };
    assert_eq!(proof().await, None);
    let report = place.apply(&user("email_verified: true, username: alice")).await;
    let differs: Vec<_> = report.changes[1].differs.iter().map(|d| d.field.as_str()).collect();
    assert_eq!(differs, ["email_verified", "username"]);
    assert_eq!(proof().await.as_deref(), Some("operator"));
    assert!(place.apply(&user("email_verified: false, username: alice")).await.is_empty());
    assert_eq!(proof().await.as_deref(), Some("operator"), "what is proven stays so");
});

on_each!(subjects_and_external_ids_come_along_and_belong_to_one_account, |place| {
    let yaml = user("sub: auth0|42, external_id: {crm: '17'}");
    place.apply(&yaml).await;
    let tenant = place.tenant("default").await;
    let alice = place.id_of(&tenant, "alice@example.com").await;
    assert_eq!(rows::person::by_subject(place.db(), tenant.id, "auth0|42").await.unwrap(), alice);
    assert_eq!(rows::person::by_external(place.db(), tenant.id, "crm", "17").await.unwrap(), alice);
    assert!(place.apply(&yaml).await.is_empty());
    place.apply(&user("external_id: {erp: x}")).await;
    assert_eq!(rows::person::by_external(place.db(), tenant.id, "erp", "x").await.unwrap(), alice);
    for (fields, place_of_it) in [("sub: auth0|42", "sub"), ("external_id: {crm: '17'}", "external_id.crm")] {
        let yaml = format!("tenants: [{{slug: default, users: [{{username: bob, {fields}}}]}}]");
        let refused = place.refuse(&yaml).await;
        assert!(
            refused.starts_with(&format!("tenants[0].users[0].{place_of_it} belongs to another")),
            "{refused}"
        );
    }
    // The subject of an account that is gone is given to nobody else.
    let mac = tenant.mac(Mac::Subject).unwrap().1.sign(&[b"auth0|42"]);
    let event = Event::new(place.directory.env(), "test");
    let mut unit = Unit::new(event.id, vec![tenant.event(place.directory.env(), event, None)]);
    let other = place.directory.env().id();
    rows::person::give_subject(&mut unit, tenant.id, other, ("auth0|42", mac), place.directory.env().now());
    assert!(!place.db().commit(unit).await.unwrap().done());
});

on_each!(an_address_that_somebody_gave_up_does_not_come_back, |place| {
    place.apply(CONTRACT).await;
    let tenant = place.tenant("default").await;
    let env = place.directory.env();
    let alice = place.id_of(&tenant, "alice").await.unwrap();
    let event = Event::new(env, "person.updated");
    let mut unit = Unit::new(event.id, vec![tenant.event(env, event, None)]);
    rows::identifier::remove(&mut unit, tenant.id, alice, (IdentifierKind::Email, "alice@example.com"));
    let new = Identifier::parse("alice@new.example.com").unwrap();
    rows::identifier::insert(&mut unit, tenant.id, alice, (&new, Some("code")), env.now());
    assert!(place.db().commit(unit).await.unwrap().done());
    let report = place.apply(CONTRACT).await;
    assert!(report.is_empty());
    assert_eq!(
        report.notes,
        ["tenants[0].users[0].email: the account has another one by now, which was left alone"]
    );
    assert_eq!(place.id_of(&tenant, "alice@example.com").await, None);
});

on_each!(a_user_name_of_somebody_else_is_refused, |place| {
    place.apply(CONTRACT).await;
    place.apply("tenants: [{slug: default, users: [{username: bob}]}]").await;
    let refused = place.refuse(&user("username: bob")).await;
    assert!(refused.starts_with("tenants[0].users[0].username belongs to another account"), "{refused}");
});

on_each!(a_hash_of_another_system_lets_in_and_counts_at_creation_only, |place| {
    let hash = {
        let typed = passwords::Prepared::new("correct horse battery").unwrap();
        place.pool.hash(typed, work::Priority::Other).await.unwrap().to_string()
    };
    let hashes = place.pool.hashes();
    let yaml = user(&format!("password_hash: '{hash}'"));
    assert!(!place.apply(&yaml).await.to_json().to_string().contains(&hash), "a report shows no hash");
    assert_eq!(place.pool.hashes(), hashes, "nothing is computed");
    let tenant = place.tenant("default").await;
    let stored = async || {
        let row = place.person(&tenant, "alice@example.com").await;
        let credential = rows::credential::of_kind(place.db(), tenant.id, row.id, "password").await;
        let (credential, key) = (credential.unwrap().unwrap(), tenant.person_key(&row).unwrap().unwrap());
        accounts::open_password(&key, (tenant.id, credential.id), &credential.data).unwrap().to_string()
    };
    assert_eq!(stored().await, hash);
    let other = hash.replace("$argon2id$v=19$m=64", "$argon2id$v=19$m=128");
    assert!(place.apply(&user(&format!("password_hash: '{other}'"))).await.is_empty());
    assert_eq!(stored().await, hash);
    let (costly, both) = (hash.replace("m=64,t=1", "m=1048576,t=60"), "password: correct horse battery, ");
    for (fields, said) in [
        (format!("password_hash: '{costly}'"), "password_hash costs too much"),
        (format!("{both}password_hash: '{hash}'"), "password_hash stands beside password"),
        ("password_hash: '$2b$12$abcdefghijklmnopqrstuv'".to_owned(), "password_hash cannot be imported"),
    ] {
        let problems = crate::place::problems(&user(&fields));
        assert!(problems[0].contains(said), "{problems:?}");
    }
});

on_each!(further_addresses_come_with_the_account, |place| {
    let file = "emails: [{address: b@example.com, verified: true}, {address: a@example.com}]";
    place.apply(&user(file)).await;
    let tenant = place.tenant("default").await;
    let person = place.id_of(&tenant, "alice@example.com").await.unwrap();
    assert_eq!(place.id_of(&tenant, "a@example.com").await, Some(person));
    let rows = rows::identifier::of_person(place.db(), tenant.id, person).await.unwrap();
    let shown: Vec<_> = rows.iter().map(|row| (row.typed.as_str(), row.proof.is_some())).collect();
    assert_eq!(shown, [("alice@example.com", false), ("b@example.com", true), ("a@example.com", false)]);
    let found: Vec<String> =
        place.db().many("SELECT text FROM search_text ORDER BY text", vec![]).await.unwrap();
    assert_eq!(found, ["a@example.com", "alice@example.com", "b@example.com"]);
    assert!(place.apply(&user(file)).await.is_empty());
    let report = place
        .apply(&user("emails: [{address: a@example.com, verified: true}, {address: c@example.com}]"))
        .await;
    assert_eq!(
        report.changes[1].differs.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(),
        ["email_verified"]
    );
    assert!(report.notes.len() == 1, "one that was not there then is left out: {:?}", report.notes);
    assert_eq!(place.id_of(&tenant, "c@example.com").await, None);
});

on_each!(many_people_are_written_beside_each_other_and_reported_in_their_order, |place| {
    let line = |n: usize| {
        format!("{{email: p{n}@example.com, username: p{n}, external_id: {{crm: '{n}'}}, sub: 's{n}'}}")
    };
    let file = |numbers: std::ops::Range<usize>| {
        let users: Vec<String> = numbers.map(line).collect();
        format!("tenants: [{{slug: default, users: [{}]}}]", users.join(", "))
    };
    place.apply(&file(100..150)).await;
    let report = place.apply(&file(0..600)).await;
    let users: Vec<_> = report.changes.iter().filter(|change| change.object == apply::Object::User).collect();
    for (n, change) in users.iter().enumerate() {
        let known = (100..150).contains(&n);
        let expected = if known { apply::Action::None } else { apply::Action::Create };
        assert_eq!((change.name.as_str(), change.action), (format!("p{n}@example.com").as_str(), expected));
    }
    assert_eq!(users.len(), 600);
    assert_eq!(place.kinds().await["person.created"], 600);
    while place.db().number_events().await.unwrap() > 0 {}
    let chain = store::verify_chain(place.db()).await.unwrap();
    assert!(chain.events >= 600 && chain.batches < chain.events, "commits are shared: {chain:?}");
    assert!(place.apply(&file(0..600)).await.is_empty());
});
