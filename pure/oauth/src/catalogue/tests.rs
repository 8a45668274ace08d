use serde_json::json;

use super::*;

const ISSUER: &str = "https://id.example";
const ORDERS: &str = "https://orders.example";
const STOCK: &str = "https://stock.example";

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn server(value: Value) -> ResourceServer {
    ResourceServer::read(&object(value), &[ISSUER.to_owned()]).unwrap()
}

fn catalogue() -> Catalogue {
    Catalogue {
        servers: vec![
            server(
                json!({ "audience": ORDERS, "scopes": ["orders.read", "shared"], "access_token_lifetime": 60,
                "introspection_client": "orders-api" }),
            ),
            server(
                json!({ "audience": STOCK, "scopes": [{ "name": "stock.read", "description": "See the stock" },
                "shared"], "access_token_lifetime": 300, "access_token_format": "opaque" }),
            ),
        ],
        scopes: vec![
            IdentityScope::read(&object(json!({
                "name": "loyalty",
                "description": { "en": "See your points", "de": "Ihre Punkte sehen" },
                "claims": { "points": "loyalty_points" },
            })))
            .unwrap(),
        ],
    }
}

fn client(json: Value) -> Client {
    serde_json::from_value(json).unwrap()
}

fn shop() -> Client {
    client(
        json!({ "client_id": "shop", "scopes": ["openid", "orders.read", "stock.read", "loyalty", "own"] }),
    )
}

fn scopes(text: &str) -> Scopes {
    text.parse().unwrap()
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn a_token_is_for_the_owners_of_its_scopes() {
    let catalogue = catalogue();
    let (plain, own) = (shop(), client(json!({ "client_id": "a", "audiences": ["api", STOCK] })));
    for (client, granted, expected) in [
        (&plain, "orders.read", vec![ORDERS]),
        (&plain, "orders.read stock.read", vec![ORDERS, STOCK]),
        (&plain, "shared", vec![ORDERS, STOCK]),
        (&plain, "openid orders.read", vec![ORDERS, ISSUER]),
        (&plain, "openid loyalty", vec![ISSUER]),
        (&plain, "own", vec![ISSUER]),
        (&own, "own", vec!["api", STOCK]),
        (&own, "openid", vec!["api", STOCK, ISSUER]),
        (&own, "stock.read", vec![STOCK, "api"]),
    ] {
        assert_eq!(catalogue.audience(client, &scopes(granted), ISSUER), expected, "{granted}");
    }
}

#[test]
fn resource_names_only_what_the_application_may_ask_for() {
    let catalogue = catalogue();
    let reader = client(json!({ "client_id": "r", "scopes": ["orders.read"], "audiences": ["api"] }));
    let ask = |names: &[&str]| {
        let params: Params = names.iter().map(|name| ("resource", *name)).collect();
        catalogue.targets(&params, &reader, ISSUER).map_err(|refusal| refusal.code)
    };
    assert_eq!(ask(&[]), Ok(vec![]));
    assert_eq!(ask(&[ORDERS, "api", ORDERS]), Ok(words(&[ORDERS, "api"])));
    assert_eq!(ask(&[ISSUER]), Ok(words(&[ISSUER])));
    for wrong in [STOCK, "https://nobody.example", "https://orders.example/", "orders", "#"] {
        assert_eq!(ask(&[ORDERS, wrong]), Err(ErrorCode::InvalidTarget), "{wrong}");
    }
}

#[test]
fn a_token_request_narrows_and_never_widens() {
    let (catalogue, shop) = (catalogue(), shop());
    let aim = |granted: &str, resources: &[&str], asked: &[&str]| {
        catalogue
            .aim((&shop, ISSUER), (&scopes(granted), &words(resources)), &words(asked))
            .map(|aim| (aim.audience.join(" "), aim.scopes.to_string()))
            .map_err(|refusal| refusal.code)
    };
    let all = "openid orders.read stock.read";
    let ok = |audience: &[&str], scopes: &str| Ok((audience.join(" "), scopes.to_owned()));
    assert_eq!(aim(all, &[], &[]), ok(&[ORDERS, STOCK, ISSUER], all));
    assert_eq!(aim(all, &[], &[ORDERS]), ok(&[ORDERS], "openid orders.read"));
    assert_eq!(aim(all, &[STOCK], &[]), ok(&[STOCK, ISSUER], "openid stock.read"));
    assert_eq!(aim(all, &[ORDERS, STOCK], &[STOCK]), ok(&[STOCK], "openid stock.read"));
    assert_eq!(aim("own orders.read", &[], &[ORDERS]), ok(&[ORDERS], "orders.read own"));
    for (granted, resources, asked) in [
        (all, vec![STOCK], vec![ORDERS]),
        ("orders.read", vec![], vec![STOCK]),
        ("orders.read", vec![], vec![ISSUER]),
        ("orders.read", vec!["https://gone.example"], vec![]),
    ] {
        assert_eq!(aim(granted, &resources, &asked), Err(ErrorCode::InvalidTarget), "{granted} {asked:?}");
    }
}

#[test]
fn a_token_looks_as_its_servers_want_it_where_they_agree() {
    let (mut catalogue, shop) = (catalogue(), shop());
    let form = |catalogue: &Catalogue, audience: &[&str]| catalogue.form(&shop, &words(audience));
    assert_eq!(form(&catalogue, &[ISSUER]).lifetime, 600);
    assert_eq!(form(&catalogue, &[ORDERS]).format, AccessTokenFormat::Jwt);
    assert_eq!(form(&catalogue, &[ORDERS, STOCK]).format, AccessTokenFormat::Opaque);
    assert_eq!(form(&catalogue, &[STOCK, ORDERS]).lifetime, 60);
    catalogue.servers[0].access_token_format = Some(AccessTokenFormat::Jwt);
    catalogue.servers[0].access_token_signed_response_alg = Some(Algorithm::Ps256);
    assert_eq!(form(&catalogue, &[ORDERS, STOCK]).format, AccessTokenFormat::Jwt);
    assert_eq!(form(&catalogue, &[ORDERS]).algorithm, Algorithm::Ps256);
    assert_eq!(catalogue.algorithms(&shop), [Algorithm::Ps256, Algorithm::Es256]);
}

#[test]
fn scopes_bring_their_claims_and_the_application_has_the_last_word() {
    let (catalogue, mut shop) = (catalogue(), shop());
    let person = object(json!({ "loyalty_points": 12, "vip": true }));
    let told = |shop: &Client, granted: &str| {
        Value::Object(catalogue.mapped((shop, &scopes(granted)), Target::Userinfo, &person))
    };
    assert_eq!(told(&shop, "openid"), json!({}));
    assert_eq!(told(&shop, "openid loyalty"), json!({ "points": 12 }));
    shop.claims = serde_json::from_value(json!({ "vip": "vip", "points": { "value": 0 } })).unwrap();
    assert_eq!(told(&shop, "openid loyalty"), json!({ "points": 0, "vip": true }));
}

#[test]
fn people_read_their_own_language() {
    let catalogue = catalogue();
    for (scope, language, expected) in [
        ("loyalty", "de-AT", Some("Ihre Punkte sehen")),
        ("loyalty", "ar", Some("See your points")),
        ("stock.read", "de", Some("See the stock")),
        ("orders.read", "en", None),
        ("nobody", "en", None),
    ] {
        assert_eq!(catalogue.description(scope, language), expected, "{scope} {language}");
    }
    assert_eq!(catalogue.declared(), scopes("orders.read stock.read shared loyalty"));
}

#[test]
fn every_mistake_has_its_place() {
    let flaws = |value: Value| {
        let flaws = ResourceServer::read(&object(value), &[ISSUER.to_owned()]).unwrap_err();
        flaws.into_iter().map(|(place, _)| place).collect::<Vec<_>>()
    };
    assert_eq!(
        flaws(json!({
            "audience": "orders", "nmae": "x", "name": "", "access_token_lifetime": 0,
            "scopes": ["a", { "name": "a" }, "openid", { "name": "b", "description": 1 }, 1],
            "access_token_format": "jws", "access_token_signed_response_alg": "HS256",
            "introspection_client": "a b",
        })),
        [
            "nmae",
            "audience",
            "name",
            "scopes[1].name",
            "scopes[2].name",
            "scopes[3].description",
            "scopes[4]",
            "access_token_lifetime",
            "access_token_format",
            "access_token_signed_response_alg",
            "introspection_client",
        ]
    );
    for own in ["https://id.example", "https://id.example/", "https://id.example/api/v1", "https://a#b", "x:"]
    {
        assert_eq!(flaws(json!({ "audience": own })), ["audience"], "{own}");
    }
    let flaws = IdentityScope::read(&object(json!({
        "claims": { "sub": "a", "x": 1, "email_verified": { "value": true }, "fine": "a" }, "description": { "e": "x" },
    })));
    let places: Vec<String> = flaws.unwrap_err().into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["name", "description", "claims.email_verified", "claims.sub", "claims.x"]);
}
