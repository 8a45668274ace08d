//! What a file may say of policies, passwords and looks.

use crate::on_each;

fn refused(text: &str) -> String {
    let problems = apply::Document::parse(text).err().unwrap_or_default();
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn mistakes_are_named_by_their_place() {
    let settings = |text: &str| refused(&format!("tenants: [{{slug: default, settings: {{{text}}}}}]"));
    let bogus = settings("client_policy: {bogus: true, hosts: [a.example]}");
    assert!(bogus.contains("settings.client_policy.bogus is unknown"), "{bogus}");
    assert!(settings("locale: fr").contains("settings.locale must be a language of the pages: en, de, ar"));
    assert_eq!(settings("locale: de"), "");
    let user = |text: &str| {
        refused(&format!("tenants: [{{slug: default, users: [{{email: a@b.example, {text}}}]}}]"))
    };
    assert!(user("password: '1'").contains("users[0].password must have at least 8 characters"));
    assert!(user("password: password123").contains("is one that many people use"));
    assert_eq!(user("password: correct horse battery"), "");
}

on_each!(a_tenant_that_asks_for_more_refuses_a_short_password, |place| {
    place.apply("tenants: [{slug: default, settings: {profile: nist-aal2}}]").await;
    let text = "tenants: [{slug: default, users: [{email: a@b.example, password: vqxnwzkp}]}]";
    let document = apply::Document::parse(text).map_err(|problems| format!("{problems:?}")).unwrap();
    let error = apply::plan(&place.directory, &document, crate::place::ISSUER).await.unwrap_err();
    assert!(error.public.contains("password must have at least 15 characters"), "{error:?}");
});

on_each!(applications_that_registered_themselves_are_exported_on_demand, |place| {
    let file = "tenants: [{slug: default, applications: [{client_id: own, public: true, redirect_uris: ['https://a.example/cb']}, \
        {client_id: guest, public: true, redirect_uris: ['https://b.example/cb']}]}]";
    place.apply(file).await;
    let tenant = place.tenant("default").await;
    let guest =
        store::rows::application::by_client_id(place.db(), tenant.id, "guest").await.unwrap().unwrap();
    let (here, id) = (tenant.id, guest.id);
    let itself: apply::Registered = std::sync::Arc::new(move |_, tenant| {
        Box::pin(async move { Ok(if tenant == here { vec![id] } else { Vec::new() }) })
    });
    for registered in [false, true] {
        let selection = apply::Selection { registered, ..Default::default() };
        let mut export = apply::Export::begin(&place.directory, selection, itself.clone()).await.unwrap();
        let text = export.next().await.unwrap().unwrap().text;
        assert_eq!((text.contains("own"), text.contains("guest")), (true, registered), "{text}");
    }
});
