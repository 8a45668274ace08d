//! Applications: created, changed, left alone.

use crate::{CONTRACT, on_each, place::Place};
use apply::Action;
use oauth::client::GrantType;
use std::sync::Arc;
use store::{Application, Tenant};

async fn application(place: &Place, client_id: &str) -> (Arc<Tenant>, Arc<Application>) {
    let tenant = place.tenant("default").await;
    let application = place.directory.application(&tenant, client_id).await.unwrap().unwrap();
    (tenant, application)
}

on_each!(the_document_of_the_contract_twice_changes_nothing, |place| {
    let plan = place.plan(CONTRACT).await;
    assert_eq!(plan.count(Action::Create), 6, "{plan}");
    assert!(place.events().await.is_empty(), "a plan wrote something");
    let report = place.apply(CONTRACT).await;
    assert_eq!((report.count(Action::Create), report.changes), (6, plan.changes));
    let kinds = place.kinds().await;
    assert_eq!(kinds.get("application.created"), Some(&4));
    assert_eq!((kinds.get("tenant.created"), kinds.get("person.created")), (Some(&1), Some(&1)));

    let (before, version) = (place.events().await.len(), place.tenant("default").await.version);
    assert!(place.plan(CONTRACT).await.is_empty());
    assert!(place.apply(CONTRACT).await.is_empty());
    assert_eq!(place.events().await.len(), before);
    assert_eq!(place.tenant("default").await.version, version);

    let (tenant, web) = application(&place, "web").await;
    let now = place.directory.env().now();
    assert!(web.accepts_secret(&tenant, "s3cret", now) && !web.accepts_secret(&tenant, "s3cret2", now));
    assert!(web.client.first_party && web.client.allows(GrantType::RefreshToken));
    assert!(tenant.signing_key(jose::Algorithm::Rs256).is_some(), "the RSA key comes first");
    let (_, partner) = application(&place, "partner").await;
    assert!(!partner.client.first_party);
    let (_, spa) = application(&place, "spa").await;
    assert!(spa.client.is_public() && spa.secrets.is_empty());
    let (_, robot) = application(&place, "robot").await;
    assert!(!robot.client.allows(GrantType::AuthorizationCode));
});

on_each!(a_key_is_made_for_who_needs_it_alone, |place| {
    let robot = "tenants: [{slug: default, applications: [{client_id: robot, client_secret: x, \
        id_token_signed_response_alg: PS256, grant_types: [client_credentials]}]}]";
    place.apply(robot).await;
    assert!(
        place.tenant("default").await.signing_key(jose::Algorithm::Ps256).is_none(),
        "a machine has no ID token"
    );
    place.apply(&robot.replace("PS256", "PS256, access_token_signed_response_alg: EdDSA")).await;
    assert!(place.tenant("default").await.signing_key(jose::Algorithm::EdDsa).is_some());
});

on_each!(what_the_file_omits_is_left_alone, |place| {
    place.apply(CONTRACT).await;
    let change = "tenants: [{slug: default, applications: [{client_id: web, state: disabled, \
        lifetimes: {access_token: 300}}]}]";
    let plan = place.plan(change).await;
    let differs: Vec<_> = plan.changes[1].differs.iter().map(|d| d.field.as_str()).collect();
    assert_eq!(differs, ["lifetimes", "state"]);
    let before = place.tenant("default").await.version;
    place.apply(change).await;
    assert!(place.tenant("default").await.version > before, "nobody would notice the change");
    let (tenant, web) = application(&place, "web").await;
    assert!(!web.active);
    assert_eq!((web.client.lifetimes.access_token, web.client.lifetimes.code), (300, 60));
    assert_eq!(web.client.name.as_deref(), Some("Web shop"));
    assert_eq!(web.client.redirect_uris.len(), 1);
    assert!(web.accepts_secret(&tenant, "s3cret", place.directory.env().now()));
    assert!(place.apply(change).await.is_empty());

    // Null returns to the default.
    let back = "tenants: [{slug: default, applications: [{client_id: web, name: null, \
        lifetimes: {access_token: null}, state: active}]}]";
    place.apply(back).await;
    let (_, web) = application(&place, "web").await;
    assert_eq!((web.client.name.as_deref(), web.client.lifetimes.access_token), (None, 600));
    assert!(web.active && place.apply(back).await.is_empty());
});

on_each!(another_secret_replaces_the_former, |place| {
    place.apply(CONTRACT).await;
    let change = CONTRACT.replace("client_secret: s3cret,", "client_secret: canary-new,");
    let report = place.apply(&change).await;
    let changed: Vec<_> = report.changes.iter().filter(|c| c.action == Action::Update).collect();
    assert_eq!((changed.len(), changed[0].name.as_str()), (1, "web"));
    assert_eq!(changed[0].differs, [difference("client_secret")]);
    let (tenant, web) = application(&place, "web").await;
    let now = place.directory.env().now();
    assert!(web.accepts_secret(&tenant, "canary-new", now) && !web.accepts_secret(&tenant, "s3cret", now));
    assert!(place.apply(&change).await.is_empty());
});

fn difference(field: &str) -> apply::Difference {
    apply::Difference { field: field.to_owned(), from: None, to: None }
}

on_each!(an_application_that_becomes_public_keeps_no_secret, |place| {
    place.apply(CONTRACT).await;
    place.apply("tenants: [{slug: default, applications: [{client_id: web, public: true}]}]").await;
    let (_, web) = application(&place, "web").await;
    assert!(web.client.is_public() && web.secrets.is_empty());
    let refused =
        place.refuse("tenants: [{slug: default, applications: [{client_id: web, public: false}]}]").await;
    assert!(refused.starts_with("tenants[0].applications[0] has no secret; add client_secret"), "{refused}");
    place
        .apply(
            "tenants: [{slug: default, applications: [{client_id: web, public: false, client_secret: x}]}]",
        )
        .await;
    assert!(!application(&place, "web").await.1.client.is_public());
});

on_each!(what_does_not_fit_together_is_refused_before_anything_is_written, |place| {
    let lines = place
        .refuse(
            "tenants: [{slug: default, applications: [\
             {client_id: good, public: true, redirect_uris: ['https://a.example/']}, \
             {client_id: nowhere, client_secret: x}, \
             {client_id: open, redirect_uris: ['https://a.example/']}, \
             {client_id: machine, public: true, grant_types: [client_credentials]}, \
             {client_id: phone, public: true, redirect_uris: ['com.example.app:/cb']}]}]",
        )
        .await;
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for (line, (index, word)) in
        lines.iter().zip([(1, "redirect_uris"), (2, "has no secret"), (3, "needs a secret"), (4, "native")])
    {
        assert!(
            line.starts_with(&format!("tenants[0].applications[{index}] ")) && line.contains(word),
            "{line}"
        );
    }
});

on_each!(abuse_50_no_secret_in_plan_report_or_event, |place| {
    let yaml = CONTRACT.replace("s3cret", "canary-s").replace("correct horse battery", "canary-p battery");
    let plan = place.plan(&yaml).await;
    let report = place.apply(&yaml).await;
    let changed = yaml.replace("canary-s", "canary-t").replace("Web shop", "Shop");
    let second = place.apply(&changed).await;
    for shown in [&plan, &report, &second] {
        assert!(!format!("{shown} {} {shown:?}", shown.to_json()).contains("canary"), "{shown}");
    }
    let events = place.events().await;
    assert!(events.iter().any(|(_, data)| data.contains("Web shop")), "the old name belongs to the event");
    for (kind, data) in events {
        assert!(!data.contains("canary"), "{kind}: {data}");
    }
    let tenant = place.tenant("default").await;
    for row in store::rows::application::list(place.db(), tenant.id).await.unwrap() {
        assert!(!row.metadata.contains("canary"), "{}", row.metadata);
    }
});

on_each!(applies_that_race_make_each_object_once, |place| {
    let document = crate::place::read(CONTRACT);
    let apply = || apply::apply(&place.directory, &place.pool, &document, crate::place::ISSUER);
    let (a, b, c) = tokio::join!(apply(), apply(), apply());
    for raced in [a, b, c] {
        raced.unwrap();
    }
    let kinds = place.kinds().await;
    assert_eq!(kinds.get("application.created"), Some(&4), "{kinds:?}");
    assert_eq!((kinds.get("person.created"), kinds.get("tenant.created")), (Some(&1), Some(&1)), "{kinds:?}");
    assert!(place.plan(CONTRACT).await.is_empty());
});

on_each!(a_secret_for_assertions_is_sealed_and_must_be_long, |place| {
    let file = |secret: &str, more: &str| {
        format!(
            "tenants: [{{slug: default, applications: [{{client_id: robot{secret}, \
             grant_types: [client_credentials]{more}}}]}}]"
        )
    };
    let long = ", client_secret: a-secret-of-more-than-thirty-two-characters";
    let jwt = ", token_endpoint_auth_method: client_secret_jwt";
    place.apply(&file(long, "")).await;
    let (_, robot) = application(&place, "robot").await;
    assert!(robot.secrets.iter().all(|secret| secret.sealed.is_none()), "nobody needs it");
    let refused = place.refuse(&file("", jwt)).await;
    assert!(refused.contains("client_secret"), "{refused}");
    let refused = place.refuse(&file(", client_secret: short", jwt)).await;
    assert!(refused.contains("32"), "{refused}");
    place.apply(&file(long, jwt)).await;
    let (tenant, robot) = application(&place, "robot").await;
    let opened = robot.sealed_secrets(&tenant, place.directory.env().now()).unwrap();
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0].as_slice(), b"a-secret-of-more-than-thirty-two-characters");
    assert!(place.apply(&file(long, jwt)).await.is_empty(), "twice changes nothing");
});

on_each!(an_application_with_keys_of_its_own_needs_no_secret, |place| {
    let file = "tenants: [{slug: default, settings: {client_registration: token, client_policy: {hosts: ['*.a.example']}}, \
        applications: [{client_id: signer, grant_types: [client_credentials], \
        token_endpoint_auth_method: private_key_jwt, jwks_uri: 'https://keys.example/jwks', \
        allowed_origins: ['https://ui.example'], access_token_format: opaque, consent: always}]}]";
    place.apply(file).await;
    let (tenant, signer) = application(&place, "signer").await;
    assert!(signer.secrets.is_empty() && signer.client.allows_origin("https://ui.example"));
    assert_eq!(tenant.settings.client_policy.as_ref().map(|policy| policy.hosts.len()), Some(1));
    assert!(place.apply(file).await.is_empty(), "twice changes nothing");
});
