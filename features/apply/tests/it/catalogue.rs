//! Resource servers and scopes of a file.

use crate::on_each;
use apply::{Action, Document};

const SHOP: &str = "
tenants:
  - slug: default
    resource_servers:
      - audience: https://orders.example
        name: Orders
        scopes: [{name: orders.read, description: {en: See your orders, de: Ihre Bestellungen sehen}}, orders.write]
        access_token_signed_response_alg: EdDSA
        introspection_client: web
    scopes:
      - {name: loyalty, description: See your points, claims: {points: loyalty_points, tier: {value: gold, targets: [id_token]}}}
    applications:
      - {client_id: web, client_secret: s3cret, redirect_uris: ['http://127.0.0.1/cb'], scopes: [openid, orders.read, loyalty], claims: {number: customer_no}}
";

on_each!(declarations_are_planned_applied_and_then_as_the_file_says, |place| {
    let plan = place.plan(SHOP).await;
    assert_eq!(plan.count(Action::Create), 4, "{plan}");
    assert!(plan.to_string().contains("+ resource server https://orders.example"), "{plan}");
    place.apply(SHOP).await;
    let tenant = place.tenant("default").await;
    let (server, scope) = (&tenant.catalogue.servers[0], &tenant.catalogue.scopes[0]);
    assert!(server.owns("orders.read") && server.owns("orders.write"));
    assert_eq!((scope.name.as_str(), scope.claims.len()), ("loyalty", 2));
    assert!(tenant.signing_key(server.access_token_signed_response_alg.unwrap()).is_some());
    assert!(place.apply(SHOP).await.is_empty());
    assert_eq!(place.kinds().await.get("resource-server.created"), Some(&1));
    let change = "tenants: [{slug: default, \
        resource_servers: [{audience: 'https://orders.example', name: null, access_token_lifetime: 60}], \
        scopes: [{name: loyalty, claims: {tier: null}}]}]";
    let plan = place.plan(change).await;
    let differs: Vec<_> =
        plan.changes.iter().flat_map(|change| &change.differs).map(|d| d.field.as_str()).collect();
    assert_eq!(differs, ["access_token_lifetime", "name", "claims"]);
    place.apply(change).await;
    let tenant = place.tenant("default").await;
    assert_eq!(tenant.catalogue.servers[0].access_token_lifetime, Some(60));
    assert_eq!(tenant.catalogue.scopes[0].claims.len(), 1);
    assert!(place.apply(change).await.is_empty());
    let own =
        format!("tenants: [{{slug: default, resource_servers: [{{audience: '{}/api/v1'}}]}}]", tenant.issuer);
    let refused = place.refuse(&own).await;
    assert_eq!(
        refused,
        "tenants[0].resource_servers[0].audience belongs to this server itself; choose another one"
    );
});

#[test]
fn mistakes_are_named_by_their_place() {
    let wrong = "tenants: [{slug: default, \
        resource_servers: [{audience: orders}, {audience: 'https://a.example', scopes: ['a b'], colour: red}, {}], \
        scopes: [{name: a, claims: {sub: x}}, {name: a}]}]";
    let problems = Document::parse(wrong).unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        places,
        [
            "tenants[0].resource_servers[0].audience",
            "tenants[0].resource_servers[1].colour",
            "tenants[0].resource_servers[1].scopes[0].name",
            "tenants[0].resource_servers[2].audience",
            "tenants[0].scopes[0].claims.sub",
            "tenants[0].scopes[1].name",
        ]
    );
}
