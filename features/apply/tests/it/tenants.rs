//! Tenants: the first at the root, others below it or on hosts of their own.

use crate::{
    on_each,
    place::{ISSUER, Place},
};
use apply::Action;

on_each!(further_tenants_live_below_the_first_or_where_the_file_says, |place| {
    let yaml = "tenants: [{slug: default}, {slug: acme, name: Acme}, \
        {slug: own, issuer: 'https://login.example.com'}]";
    assert_eq!(place.plan(yaml).await.count(Action::Create), 3);
    place.apply(yaml).await;
    assert_eq!(place.tenant("default").await.issuer, ISSUER);
    let acme = place.tenant("acme").await;
    assert_eq!((acme.issuer.as_str(), acme.name.as_str()), ("http://127.0.0.1:8080/t/acme", "Acme"));
    assert_eq!(place.tenant("own").await.issuer, "https://login.example.com");
    assert!(place.apply(yaml).await.is_empty());
    let refused = place.refuse("tenants: [{slug: more, issuer: 'https://login.example.com'}]").await;
    assert_eq!(refused, "tenants[0].issuer belongs to another tenant; choose another one");
});

on_each!(settings_are_merged_and_null_returns_to_the_default, |place| {
    place.apply("tenants: [{slug: default, settings: {registration: false, theme: {font: Inter}}}]").await;
    let change = "tenants: [{slug: default, name: Shop, settings: {theme: {radius: 4}, locale: de}}]";
    let plan = place.plan(change).await;
    let differs: Vec<_> = plan.changes[0].differs.iter().map(|d| d.field.as_str()).collect();
    assert_eq!(differs, ["name", "settings.locale", "settings.theme"]);
    place.apply(change).await;
    let tenant = place.tenant("default").await;
    assert!(!tenant.settings.registration && tenant.settings.theme.len() == 2);
    assert_eq!((tenant.name.as_str(), tenant.settings.locale.as_str()), ("Shop", "de"));
    let back = "tenants: [{slug: default, settings: {registration: null, theme: {font: null}}}]";
    place.apply(back).await;
    let tenant = place.tenant("default").await;
    assert!(tenant.settings.registration && tenant.settings.theme.len() == 1);
    assert!(place.apply(back).await.is_empty());
    assert_eq!(place.kinds().await.get("tenant.updated"), Some(&2));
    let refused = place.refuse("tenants: [{slug: default, settings: {session_absolute: 60}}]").await;
    assert_eq!(refused, "tenants[0].settings.session_idle must not be longer than session_absolute");
});

on_each!(another_issuer_keeps_the_former_as_an_alias, |place| {
    place.apply("tenants: [{slug: default}]").await;
    let id = place.tenant("default").await.id;
    place.apply("tenants: [{slug: default, name: Shop, issuer: 'https://id.example.com'}]").await;
    let tenant = place.tenant("default").await;
    assert_eq!((tenant.issuer.as_str(), tenant.name.as_str()), ("https://id.example.com", "Shop"));
    let former = store::rows::tenant::by_former_issuer(place.db(), ISSUER).await.unwrap();
    assert_eq!(former, Some(id));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_may_be_made_with_aliases_and_disabled() {
    for engine in store::scratch::engines() {
        let place = Place::ticking(engine).await;
        place.apply("tenants: [{slug: default}]").await;
        let yaml = "tenants: [{slug: acme, state: disabled, aliases: ['https://old.example.com', 'https://older.example.com']}]";
        let report = place.apply(yaml).await;
        assert_eq!(report.count(apply::Action::Create), 1, "{report}");
        let acme = place.tenant("acme").await;
        assert!(
            !acme.active
                && acme.is_issuer("https://old.example.com")
                && acme.is_issuer("https://older.example.com")
        );
        assert_eq!(acme.issuer, format!("{ISSUER}/t/acme"));
        assert!(place.apply(yaml).await.is_empty());
        assert_eq!(
            place.apply("tenants: [{slug: acme, state: active}]").await.count(apply::Action::Update),
            1
        );
        let refused = place.refuse("tenants: [{slug: more}, {slug: default, state: disabled}]").await;
        assert!(refused.starts_with("tenants[1].state is that of the first tenant"), "{refused}");
        let refused = place.refuse("tenants: [{slug: default, aliases: ['https://old.example.com']}]").await;
        assert_eq!(
            refused,
            "tenants[0].aliases names https://old.example.com, which belongs to another tenant"
        );
        place.remove().await;
    }
}
