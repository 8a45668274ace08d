//! Exports: applied where they come from they change nothing; applied elsewhere they make the same.

use crate::{
    on_each,
    place::{ISSUER, Place, read},
    random::Random,
};
use apply::{Action, Documents, Export, Report, Selection};
use base::{Event, Identifier};
use serde_json::{Map, Value, json};
use store::{
    NewTenant, Tenant, Unit,
    accounts::NewAccount,
    rows::{self, application::ApplicationRow, person::PersonRow},
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const HASH: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$\
                    MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

/// How many installations are made at random.
const SEEDS: u64 = 6;

fn everything() -> Selection {
    Selection { users: true, ..Selection::default() }
}

/// The file of an export.
async fn export(place: &Place, selection: Selection) -> String {
    let mut export = Export::begin(&place.directory, selection, crate::place::registered()).await.unwrap();
    let mut file = String::new();
    while let Some(piece) = export.next().await.unwrap() {
        assert!(piece.problems.is_empty(), "{:?}\n{}", piece.problems, piece.text);
        file.push_str(&piece.text);
    }
    file
}

async fn apply(place: &Place, file: &str) -> Report {
    let mut report = Report::default();
    for text in Documents::new(file.as_bytes()) {
        let text = text.unwrap();
        report.extend(apply::apply(&place.directory, &place.pool, &read(&text), ISSUER).await.unwrap());
    }
    report
}

/// Applied to itself an export changes nothing; to an empty installation, with secrets in their places,
/// it makes what gives the same export.
async fn holds(place: &Place, file: &str) {
    let before = place.events().await.len();
    let report = apply(place, file).await;
    assert!(report.is_empty() && report.notes.is_empty(), "{report}\n{file}");
    assert_eq!(place.events().await.len(), before);
    let fresh = Place::ticking(place.db().engine()).await;
    let secret = format!("client_secret: {SECRET}");
    let supplied: String = {
        let lines: Vec<&str> = file.lines().collect();
        let mut text = String::new();
        for (number, line) in lines.iter().enumerate() {
            match line.trim() {
                "client_secret:" if lines[number + 1].trim() == "stored: true" => {
                    text.push_str(&line.replace("client_secret:", &secret));
                }
                "stored: true" if lines[number - 1].trim() == "client_secret:" => continue,
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        text
    };
    let report = apply(&fresh, &supplied).await;
    assert!(report.count(Action::Create) > 0 && report.count(Action::Update) == 0, "{report}");
    assert_eq!(export(&fresh, everything()).await, file);
    fresh.remove().await;
}

/// A tenant that was made otherwise than by a file.
async fn tenant(place: &Place, random: &mut Random, number: usize) -> std::sync::Arc<Tenant> {
    let slug = if number == 0 { "default".to_owned() } else { format!("t{number}") };
    let issuer = if number == 0 { ISSUER.to_owned() } else { format!("{ISSUER}/t/{slug}") };
    let name = random.line();
    let settings = Value::Object(random.settings()).to_string();
    let made = place.directory.create_tenant(NewTenant { slug, name, issuer, settings }).await.unwrap();
    if number > 0 {
        let mut row = rows::tenant::by_id(place.db(), made.id).await.unwrap().unwrap();
        let mut unit = unit(place, &made);
        if random.one_in(3) {
            let own = format!("https://login{number}.example.com");
            rows::tenant::change_issuer(&mut unit, &row, &own, "login.example.com", place.now());
            row.version += 1;
        }
        if random.one_in(3) {
            row.state = "disabled".to_owned();
        }
        rows::tenant::update(&mut unit, &row, place.now());
        assert!(place.db().commit(unit).await.unwrap().done());
    }
    // Whoever makes an application makes the keys that it needs.
    place.directory.forget(made.id);
    place.directory.ensure_signing_key(made.id, jose::Algorithm::Rs256).await.unwrap();
    place.directory.forget(made.id);
    place.directory.tenant(made.id).await.unwrap().unwrap()
}

fn unit(place: &Place, tenant: &Tenant) -> Unit {
    let env = place.directory.env();
    let event = Event::new(env, "test");
    Unit::new(event.id, vec![tenant.event(env, event, None)])
}

async fn application(place: &Place, tenant: &Tenant, random: &mut Random, number: usize) {
    let (env, now) = (place.directory.env(), place.now());
    let client = random.client(&format!("app-{number}"));
    let state = if random.one_in(4) { "disabled" } else { "active" };
    let row = ApplicationRow {
        id: env.id(),
        client_id: client.client_id.to_string(),
        name: client.display_name().to_owned(),
        state: state.to_owned(),
        metadata: serde_json::to_string(&client).unwrap(),
        version: 1,
    };
    let mut unit = unit(place, tenant);
    rows::application::insert(&mut unit, tenant.id, &row, now);
    if client.has_secret() {
        let secret = tenant.client_secret(env, row.id, &client, SECRET).unwrap();
        rows::application::insert_secret(&mut unit, tenant.id, row.id, &secret, now);
    }
    assert!(place.db().commit(unit).await.unwrap().done());
}

async fn user(place: &Place, tenant: &Tenant, random: &mut Random, number: usize) {
    let (env, now) = (place.directory.env(), place.now());
    let proof = |random: &mut Random| random.one_in(2).then_some("code");
    let email = Identifier::parse(&format!("{}{number}@Example.com", random.word())).unwrap();
    let name = Identifier::parse(&format!("U{number}.x")).unwrap();
    let mut identifiers = vec![(email, proof(random))];
    if random.one_in(2) {
        identifiers.push((name, None));
    } else if random.one_in(3) {
        identifiers = vec![(name, None)];
    }
    let sources: Vec<(String, String)> =
        (0..random.below(4)).map(|i| (format!("crm{}", i % 2), format!("{number}-{i}"))).collect();
    let external: Vec<_> = sources.iter().map(|(source, value)| (source.as_str(), value.as_str())).collect();
    let account = NewAccount {
        identifiers: &identifiers,
        attributes: random.claims(),
        locale: random.one_in(3).then_some("pt-BR"),
        password_phc: random.one_in(3).then_some(HASH),
        sub: None,
        external_ids: &external,
    };
    let mut unit = unit(place, tenant);
    let made = account.write(&mut unit, tenant, env).unwrap();
    if identifiers[0].0.as_typed().contains('@') {
        for further in (0..random.below(3)).rev() {
            let address = Identifier::parse(&format!("more{further}.{number}@example.org")).unwrap();
            rows::identifier::insert(
                &mut unit,
                tenant.id,
                made.person,
                (&address, proof(random)),
                place.now(),
            );
        }
    }
    assert!(place.db().commit(unit).await.unwrap().done());
    if random.one_in(4) {
        let row: PersonRow = rows::person::by_id(place.db(), tenant.id, made.person).await.unwrap().unwrap();
        let mut unit = crate::export::unit(place, tenant);
        rows::person::set_state(&mut unit, tenant.id, &row, "suspended", now);
        assert!(place.db().commit(unit).await.unwrap().done());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applying_an_export_changes_nothing_and_makes_the_same_elsewhere() {
    for engine in store::scratch::engines() {
        for seed in 1..=SEEDS {
            let (place, mut random) = (Place::ticking(engine).await, Random::new(seed));
            for number in 0..=random.below(3) {
                let tenant = tenant(&place, &mut random, number).await;
                if random.one_in(2) {
                    let declared = format!(
                        "tenants: [{{slug: {}, resource_servers: [{{audience: 'https://api.example', scopes: \
                         [{{name: orders.read, description: Orders}}], access_token_lifetime: 60}}, \
                         {{audience: 'urn:x', name: X}}], scopes: [{{name: loyalty, claims: {{own: own}}}}]}}]",
                        tenant.slug
                    );
                    apply(&place, &declared).await;
                }
                for number in 0..random.below(6) {
                    application(&place, &tenant, &mut random, number).await;
                }
                for number in 0..random.below(8) {
                    user(&place, &tenant, &mut random, number).await;
                }
            }
            let file = export(&place, everything()).await;
            assert!(!file.contains(SECRET));
            holds(&place, &file).await;
            place.remove().await;
        }
    }
}

on_each!(what_is_exported_reads_well, |place| {
    let file = "tenants: [{slug: default, name: Shop, settings: {registration: false, \
        theme: {light: {accent: '#005f73'}, radius: 4}}, applications: [\
        {client_id: web, client_secret: s3cret, redirect_uris: ['https://shop.example.com/cb'], \
         lifetimes: {access_token: 300}}, {client_id: spa, public: true, state: disabled, \
         redirect_uris: ['https://app.example.com/cb']}], users: [\
        {email: alice@example.com, email_verified: true, emails: [{address: a@example.org}], username: alice, \
         sub: 'auth0|1', state: suspended, external_id: {crm: ['17', '18'], erp: x}, \
         claims: {name: Alice, birthdate: '1990-12-31'}}]}]";
    apply(&place, file).await;
    let exported = export(&place, everything()).await;
    let expected = "\
# Made by `keyward export`, for `keyward apply`. It holds hashes of passwords; keep it as you keep backups. {stored: true} stands for a secret that is kept.
tenants:
- slug: default
  name: Shop
  issuer: http://127.0.0.1:8080
  settings:
    registration: false
    theme:
      light:
        accent: '#005f73'
      radius: 4
  applications:
  - client_id: spa
    public: true
    state: disabled
    redirect_uris:
    - https://app.example.com/cb
  - client_id: web
    client_secret:
      stored: true
    redirect_uris:
    - https://shop.example.com/cb
    lifetimes:
      access_token: 300
  users:
  - email: alice@example.com
    email_verified: true
    emails:
    - address: a@example.org
    username: alice
    sub: auth0|1
    state: suspended
    external_id:
      crm:
      - '17'
      - '18'
      erp: x
    claims:
      birthdate: 1990-12-31
      name: Alice
";
    assert_eq!(exported, expected);
    let without = export(&place, Selection::default()).await;
    assert!(!without.contains("users"), "people come along only if asked for");
    let one = Selection { tenant: Some("default".to_owned()), json: true, ..everything() };
    let line = export(&place, one).await;
    assert_eq!(line.lines().count(), 1);
    assert!(apply(&place, &line).await.is_empty());
    let unknown = Selection { tenant: Some("nobody".to_owned()), ..Selection::default() };
    let refused = Export::begin(&place.directory, unknown, crate::place::registered()).await.err().unwrap();
    assert_eq!(refused.public, "There is no tenant nobody.");
});

on_each!(a_secret_that_is_stored_must_be_supplied_elsewhere, |place| {
    let file = "tenants: [{slug: default, applications: [{client_id: web, grant_types: [client_credentials], client_secret: {stored: true}}]}]";
    let refused = place.refuse(file).await;
    assert!(
        refused.starts_with(
            "tenants[0].applications[0].client_secret is said to be stored, but this application is new"
        ),
        "{refused}"
    );
    apply(&place, &file.replace("{stored: true}", "s3cret")).await;
    assert!(apply(&place, file).await.is_empty());
});

on_each!(an_export_of_many_is_many_documents, |place| {
    apply(&place, "tenants: [{slug: default}, {slug: acme}]").await;
    let tenant = place.tenant("acme").await;
    for number in 0..150 {
        let address = Identifier::parse(&format!("u{number}@example.com")).unwrap();
        let note = Map::from_iter([("note".to_owned(), json!("x".repeat(8_000)))]);
        let account =
            NewAccount { identifiers: &[(address, None)], attributes: note, ..NewAccount::default() };
        let mut unit = unit(&place, &tenant);
        account.write(&mut unit, &tenant, place.directory.env()).unwrap();
        assert!(place.db().commit(unit).await.unwrap().done());
    }
    let file = export(&place, everything()).await;
    let documents: Vec<String> = Documents::new(file.as_bytes()).map(Result::unwrap).collect();
    assert!(documents.len() >= 3 && documents.iter().all(|text| text.len() < 700 * 1024));
    let report = apply(&place, &file).await;
    assert!(report.is_empty() && report.changes.len() == 152, "{}", report.changes.len());
});

on_each!(the_hash_of_a_password_that_must_be_changed_stays_here, |place| {
    let file = format!("tenants: [{{slug: default, users: [{{username: bob, password_hash: '{HASH}'}}]}}]");
    apply(&place, &file).await;
    assert!(export(&place, everything()).await.contains(HASH));
    let tenant = place.tenant("default").await;
    let bob = place.id_of(&tenant, "bob").await.unwrap();
    let mut unit = unit(&place, &tenant);
    rows::listing::expire_password(&mut unit, tenant.id, bob);
    assert!(place.db().commit(unit).await.unwrap().done());
    assert!(!export(&place, everything()).await.contains("password_hash"));
});
