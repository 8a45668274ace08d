//! `/api/v1/users`.

use crate::world::{As, World, id, worlds};
use base::{Id, id as ids};
use http::StatusCode;
use serde_json::{Value, json};
use store::rows::{credential, person, session};

#[tokio::test]
async fn a_person_is_created_read_changed_and_deleted() {
    for world in worlds().await {
        let caller = world.key("", &["users:read", "users:write", "events:read"]).await;
        let new = json!({ "email": "Alice@Example.com", "email_verified": true, "username": "alice",
            "password": "correct horse battery", "locale": "de", "sub": "legacy-1",
            "attributes": { "name": "Alice Ångström", "birthdate": "1990-12-31" },
            "external_ids": { "shop": "4711" } });
        let reply = world.post(&caller, "/users", new).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
        assert_eq!(reply.headers["etag"], "\"1\"");
        let made = reply.json();
        let path = format!("/users/{}", made["id"].as_str().unwrap());
        assert_eq!(reply.headers["location"], format!("http://localhost:8080/api/v1{path}"));
        let read = world.get(&caller, &path).await.ok();
        assert_eq!(read, made, "what was answered is what is stored");
        assert_eq!(read["sub"], "legacy-1");
        assert_eq!(read["identifiers"][0]["value"], "Alice@Example.com");
        assert_eq!(read["password"]["state"], "active");

        let patch = json!({ "attributes": { "birthdate": null, "nickname": "Al" }, "locale": null });
        let changed = world.patch(&caller, &path, patch).await.ok();
        assert_eq!(changed["attributes"], json!({ "name": "Alice Ångström", "nickname": "Al" }));
        assert_eq!((&changed["locale"], &changed["version"]), (&Value::Null, &json!(2)));

        let events = world.get(&caller, &format!("/events?user={}", made["id"].as_str().unwrap())).await.ok();
        assert_eq!(events["items"][0]["kind"], "person.updated");
        assert_eq!(events["items"][0]["actor"], "api");
        let expected = json!({ "old": "1990-12-31", "new": null });
        assert_eq!(events["items"][0]["detail"]["changed"]["birthdate"], expected);
        assert!(events["items"][0]["detail"]["by"]["api_key"].is_string());

        assert_eq!(world.delete(&caller, &path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.get(&caller, &path).await.code(), "not-found");
        assert_eq!(world.get(&caller, "/users").await.ok()["items"], json!([]));
        world.remove().await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_field_by_field_and_nothing_is_made() {
    for world in worlds().await {
        let operator = As::operator();
        let wrong = json!({ "email": "nonsense", "username": "x", "locale": "?", "sub": "ä",
            "attributes": { "birthdate": "yesterday", "iss": "x" } });
        let reply = world.post(&operator, "/users", wrong).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "invalid"));
        let fields: Vec<String> = reply.json()["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["field"].as_str().unwrap().to_owned())
            .collect();
        for field in ["email", "username", "locale", "sub", "attributes.birthdate", "attributes.iss"] {
            assert!(fields.iter().any(|name| name == field), "{field} in {fields:?}");
        }
        assert_eq!(world.post(&operator, "/users", json!({})).await.code(), "invalid");
        let nested = |depth| (0..depth).fold(json!("x"), |inner, _| json!([inner]));
        let deep = json!({ "username": "deep", "attributes": { "own": nested(17) } });
        let refused = world.post(&operator, "/users", deep).await;
        assert_eq!(
            refused.json()["fields"],
            json!([{ "field": "attributes.own", "message": "is nested more than 16 deep" }])
        );
        let unknown = world.post(&operator, "/users", json!({ "username": "alice", "admin": true })).await;
        assert_eq!(unknown.code(), "invalid");
        let alice = world.user("alice").await;
        let path = format!("/users/{alice}");
        let deep = |depth| json!({ "attributes": { "own": nested(depth) } });
        assert_eq!(world.patch(&operator, &path, deep(17)).await.code(), "invalid");
        assert_eq!(world.patch(&operator, &path, deep(16)).await.ok()["attributes"]["own"], nested(16));
        let part = |name: &str| json!({ "attributes": { "group": { name: "x".repeat(5000) } } });
        world.patch(&operator, &path, part("a")).await.ok();
        let grown = world.patch(&operator, &path, part("b")).await.json();
        assert_eq!(
            grown["fields"],
            json!([{ "field": "attributes.group", "message": "is larger than 8 KiB" }])
        );
        let some = |from: u32| {
            let many: serde_json::Map<_, _> =
                (from..from + 4).map(|n| (format!("own{n}"), json!("x".repeat(8_000)))).collect();
            json!({ "attributes": many })
        };
        world.patch(&operator, &path, some(0)).await.ok();
        assert_eq!(
            world.patch(&operator, &path, some(4)).await.json()["fields"],
            json!([{ "field": "attributes", "message": "are larger than 64 KiB together" }])
        );
        let taken = world.post(&operator, "/users", json!({ "username": "ALICE" })).await;
        assert_eq!((taken.status, taken.code().as_str()), (StatusCode::CONFLICT, "taken"));
        assert_eq!(taken.json()["fields"][0]["field"], "username");
        let nul = world.post(&operator, "/users", json!({ "username": "al\u{0}ice" })).await;
        assert_eq!(nul.code(), "malformed");
        assert_eq!(world.get(&operator, "/users").await.ok()["items"].as_array().unwrap().len(), 1);
        world.remove().await;
    }
}

#[tokio::test]
async fn lists_go_page_by_page_with_filters_prefixes_and_counts() {
    for world in worlds().await {
        let operator = As::operator();
        let names = ["anna", "annette", "bert", "carl", "dora"];
        for name in names {
            world.user(name).await;
        }
        let bert = world.get(&operator, "/users?username=BERT").await.ok()["items"][0]["id"].clone();
        world
            .call(&operator, ("POST", &format!("/users/{}/suspend", bert.as_str().unwrap())), None, &[])
            .await
            .ok();
        assert_eq!(walk(&world, "/users?limit=2").await, names);
        assert_eq!(walk(&world, "/users?limit=1&state=active").await, ["anna", "annette", "carl", "dora"]);
        assert_eq!(walk(&world, "/users?state=suspended").await, ["bert"]);
        assert_eq!(walk(&world, "/users?q=AN").await, ["anna", "annette"]);
        assert_eq!(walk(&world, "/users?q=an&limit=1").await, ["anna", "annette"]);
        assert_eq!(walk(&world, "/users?q=example&limit=2").await.len(), 5, "by a word of the name");
        assert_eq!(walk(&world, "/users?email=Carl@example.COM").await, ["carl"]);
        assert_eq!(walk(&world, "/users?email=nobody@example.com").await, [""; 0]);
        assert_eq!(walk(&world, "/users?infix=NNETT").await, ["annette"]);
        assert_eq!(walk(&world, "/users?infix=xampl&limit=200").await.len(), 5);
        assert_eq!(walk(&world, "/users?infix=ert&state=suspended").await, ["bert"]);
        let page = world.get(&operator, "/users?infix=xampl&state=suspended&limit=1").await.ok();
        assert_eq!(page["items"][0]["username"], "bert", "whoever is before him is not of that state");
        for nothing in ["%25%25%25", "___", "%22%20OR%20%22", "a*b", "n%E0%A4%A8n"] {
            assert_eq!(walk(&world, &format!("/users?infix={nothing}")).await, [""; 0], "{nothing}");
        }
        let acme = world.get(&As::operator().at_acme(), "/users?infix=annette").await.ok();
        assert_eq!(acme["items"], json!([]));
        let dora = world.get(&operator, "/users?username=dora").await.ok()["items"][0]["id"].clone();
        let dora = format!("/users/{}", dora.as_str().unwrap());
        world.patch(&operator, &dora, json!({ "attributes": { "name": "Theodora Example" } })).await.ok();
        assert_eq!(walk(&world, "/users?infix=heod").await, ["dora"]);
        world.patch(&operator, &dora, json!({ "attributes": { "name": "Dora Example" } })).await.ok();
        assert_eq!(walk(&world, "/users?infix=heod").await, [""; 0], "it is forgotten");
        world.patch(&operator, &dora, json!({ "attributes": { "name": "a[b*c?d\"e" } })).await.ok();
        assert_eq!(walk(&world, "/users?infix=%5Bb*c?d%22e").await, ["dora"]);
        world.patch(&operator, &dora, json!({ "attributes": { "name": "Dora Example" } })).await.ok();
        assert_eq!(walk(&world, "/users?infix=%5Bb*c").await, [""; 0], "whatever signs it has");
        let counted = world.get(&operator, "/users?count=true&limit=1").await.ok();
        assert_eq!(counted["count"], json!({ "value": 5, "more": false }));
        let counted = world.get(&operator, "/users?count=true&q=ann").await.ok();
        assert_eq!(counted["count"]["value"], 2);
        assert_eq!(world.delete(&operator, &dora).await.status, StatusCode::NO_CONTENT);
        let counted = world.get(&operator, "/users?count=true&q=dora").await.ok();
        assert_eq!((&counted["count"]["value"], &counted["items"]), (&json!(0), &json!([])));
        for wrong in [
            "limit=0",
            "limit=201",
            "limit=x",
            "state=deleted",
            "page=2",
            "q=a&email=b",
            "q=",
            "infix=ab",
            "infix=%ff%fe%fd",
            "q=%ff",
            "limit=1&limit=1",
        ] {
            let reply = world.get(&operator, &format!("/users?{wrong}")).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wrong}");
        }
        world.remove().await;
    }
}

/// The user names of all pages.
async fn walk(world: &World, path: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = String::new();
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let cursor = if next.is_empty() { String::new() } else { format!("{sign}cursor={next}") };
        let page = world.get(&As::operator(), &format!("{path}{cursor}")).await.ok();
        for item in page["items"].as_array().unwrap() {
            names.push(item["username"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(cursor) => next = cursor.to_owned(),
            None => return names,
        }
    }
}

#[tokio::test]
async fn abuse_71_a_cursor_is_good_for_its_list_its_filters_and_its_tenant_only() {
    for world in worlds().await {
        let operator = As::operator();
        for name in ["anna", "bert", "carl"] {
            world.user(name).await;
        }
        let page = world.get(&operator, "/users?limit=1").await.ok();
        let cursor = page["next"].as_str().unwrap().to_owned();
        let works = world.get(&operator, &format!("/users?limit=2&cursor={cursor}")).await;
        assert_eq!(works.status, StatusCode::OK);
        let other = if cursor.starts_with('A') { "B" } else { "A" };
        let forged = format!("{other}{}", &cursor[1..]);
        for wrong in [
            format!("/users?cursor={forged}"),
            format!("/users?state=active&cursor={cursor}"),
            format!("/applications?cursor={cursor}"),
            "/users?cursor=%27%20OR%201%3D1".to_owned(),
            "/users?cursor=".to_owned(),
        ] {
            let reply = world.get(&operator, &wrong).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (StatusCode::BAD_REQUEST, "malformed"),
                "{wrong}"
            );
        }
        let elsewhere = As::operator().at_acme();
        let reply = world.get(&elsewhere, &format!("/users?cursor={cursor}")).await;
        assert_eq!(reply.code(), "malformed");
        world.remove().await;
    }
}

#[tokio::test]
async fn suspension_ends_everything_and_activation_revives_nothing() {
    for world in worlds().await {
        let caller = world.key("", &["users:write", "users:read"]).await;
        let user = world.user("alice").await;
        let before = row(&world, &user).await;
        let act = |what: &str| format!("/users/{user}/{what}");
        let suspended = world.call(&caller, ("POST", &act("suspend")), None, &[]).await.ok();
        assert_eq!(suspended["state"], "suspended");
        let again = world.call(&caller, ("POST", &act("suspend")), None, &[]).await.ok();
        assert_eq!(again["version"], suspended["version"]);
        world.call(&caller, ("POST", &act("activate")), None, &[]).await.ok();
        let after = row(&world, &user).await;
        assert!(after.epoch > before.epoch && after.offline_epoch > before.offline_epoch);
        world.remove().await;
    }
}

async fn row(world: &World, user: &str) -> person::PersonRow {
    person::by_id(&world.db, world.tenant.id, id(user)).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_password_to_be_changed_is_marked_and_all_sessions_end() {
    for world in worlds().await {
        let operator = As::operator();
        let without = world.user("anna").await;
        let path = format!("/users/{without}/require-password-change");
        assert_eq!(world.call(&operator, ("POST", &path), None, &[]).await.code(), "wrong-state");
        let new = json!({ "username": "alice", "password": "correct horse battery" });
        let user = world.post(&operator, "/users", new).await.ok()["id"].as_str().unwrap().to_owned();
        let path = format!("/users/{user}/require-password-change");
        let changed = world.call(&operator, ("POST", &path), None, &[]).await.ok();
        assert_eq!(changed["password"]["state"], "expired");
        let stored = credential::of_kind(&world.db, world.tenant.id, id(&user), "password").await.unwrap();
        assert_eq!(stored.unwrap().state, "expired");
        assert_eq!(row(&world, &user).await.epoch, 2);
        world.remove().await;
    }
}

#[tokio::test]
async fn identifiers_are_given_and_taken_but_never_the_last() {
    for world in worlds().await {
        let operator = As::operator();
        let user = world.user("alice").await;
        let path = format!("/users/{user}/identifiers");
        world.post(&operator, &path, json!({ "value": "second@example.com", "verified": true })).await.ok();
        let found = world.get(&operator, "/users?q=second").await.ok();
        assert_eq!(found["items"][0]["id"].as_str(), Some(user.as_str()));
        let second = world.post(&operator, &path, json!({ "value": "alicia" })).await;
        assert_eq!(second.code(), "wrong-state");
        for gone in ["email/alice@example.com", "email/second@example.com"] {
            world.delete(&operator, &format!("{path}/{gone}")).await.ok();
        }
        assert_eq!(world.delete(&operator, &format!("{path}/email/alice")).await.code(), "not-found");
        assert_eq!(world.delete(&operator, &format!("{path}/username/alice")).await.code(), "wrong-state");
        world.remove().await;
    }
}

/// A session of this person.
async fn session(world: &World, user: &str) -> Id<ids::Session> {
    let row = row(world, user).await;
    let id = world.env.id();
    let new = session::NewSession {
        id,
        person: row.id,
        epoch: row.epoch,
        secret: [1; 32],
        device: vec![1; 32],
        facts: "{}".to_owned(),
        auth_time: world.env.now(),
        origin: Vec::new(),
        expires_at: world.env.now().plus(std::time::Duration::from_secs(86_400)),
    };
    let event = base::Event::new(&world.env, "session.created").person(row.id).session(id);
    let mut unit = store::Unit::new(event.id, vec![world.tenant.event(&world.env, event, None)]);
    session::insert(&mut unit, world.tenant.id, &new, world.env.now());
    assert!(world.db.commit(unit).await.unwrap().done());
    id
}

#[tokio::test]
async fn abuse_67_a_session_is_ended_under_its_own_person_only() {
    for world in worlds().await {
        let operator = As::operator();
        let (alice, bert) = (world.user("alice").await, world.user("bert").await);
        let own = session(&world, &alice).await;
        let listed = world.get(&operator, &format!("/users/{alice}/sessions")).await.ok();
        assert_eq!(listed["items"][0]["id"], own.to_string());
        let foreign = world.delete(&operator, &format!("/users/{bert}/sessions/{own}")).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        let path = format!("/users/{alice}/sessions/{own}");
        assert_eq!(world.delete(&operator, &path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.delete(&operator, &path).await.status, StatusCode::NOT_FOUND);
        let listed = world.get(&operator, &format!("/users/{alice}/sessions")).await.ok();
        assert_eq!(listed["items"], json!([]));
        world.remove().await;
    }
}

#[tokio::test]
async fn a_person_is_imported_with_the_hash_of_their_password() {
    const HASH: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$\
                        MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
    for world in worlds().await {
        let operator = As::operator();
        let made =
            world.post(&operator, "/users", json!({ "username": "alice", "password_hash": HASH })).await;
        assert!(!made.text.contains("argon2id"), "no hash leaves the API");
        let id: base::Id<base::id::Person> = made.ok()["id"].as_str().unwrap().parse().unwrap();
        let row = store::rows::person::by_id(&world.db, world.tenant.id, id).await.unwrap().unwrap();
        let stored = store::rows::credential::of_kind(&world.db, world.tenant.id, id, "password").await;
        let (stored, key) = (stored.unwrap().unwrap(), world.tenant.person_key(&row).unwrap().unwrap());
        let phc = store::accounts::open_password(&key, (world.tenant.id, stored.id), &stored.data).unwrap();
        assert_eq!(phc.as_str(), HASH);
        for (body, said) in [
            (json!({ "password_hash": HASH.replace("m=64,t=1", "m=1048576,t=64") }), "costs too much"),
            (json!({ "password_hash": "$2b$12$abcdefghijklmnopqrstuv" }), "cannot be imported"),
            (json!({ "password_hash": HASH, "password": "correct horse battery" }), "stands beside password"),
        ] {
            let mut body = body;
            body["username"] = "bob".into();
            let refused = world.post(&operator, "/users", body).await;
            assert_eq!(refused.code(), "invalid");
            assert_eq!(refused.json()["fields"][0]["field"], "password_hash");
            assert!(refused.text.contains(said), "{}", refused.text);
        }
        world.remove().await;
    }
}
