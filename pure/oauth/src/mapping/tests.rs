use super::*;

fn mappings(json: Value) -> Mappings {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_mapping_is_written_short_or_long() {
    for (written, canonical) in [
        (json!("number"), json!("number")),
        (json!({ "attribute": "number" }), json!("number")),
        (json!({ "attribute": "number", "targets": ["userinfo"] }), json!("number")),
        (
            json!({ "attribute": "number", "targets": ["userinfo", "id_token"] }),
            json!({ "attribute": "number", "targets": ["id_token", "userinfo"] }),
        ),
        (json!({ "value": ["a"] }), json!({ "value": ["a"], "targets": ["userinfo"] })),
    ] {
        let mapping: Mapping = serde_json::from_value(written).unwrap();
        assert_eq!(serde_json::to_value(mapping).unwrap(), canonical);
    }
    for wrong in [
        json!(""),
        json!(1),
        json!({}),
        json!({ "attribute": "a", "value": 1 }),
        json!({ "attribute": "a", "targets": [] }),
        json!({ "attribute": "a", "targets": ["everywhere"] }),
        json!({ "attribute": "a", "more": 1 }),
    ] {
        assert!(serde_json::from_value::<Mapping>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn reserved_claims_are_never_set() {
    for name in RESERVED.iter().chain(UNMAPPABLE).chain(&["", "a b", "ä"]) {
        assert!(!is_mappable(name), "{name}");
        let stored = Mappings::from([((*name).to_owned(), serde_json::from_value(json!("name")).unwrap())]);
        assert_eq!(unmappable(&stored), Some(*name));
        // Even one that was stored all the same says nothing.
        let person = Map::from_iter([("name".to_owned(), "Alice".into())]);
        assert!(mapped(&stored, Target::Userinfo, &person).is_empty());
    }
    for name in ["customer_number", "https://shop.example/tier", "groups", "preferred_username"] {
        assert!(is_mappable(name), "{name}");
    }
}

#[test]
fn a_claim_goes_where_its_mapping_says() {
    let mappings = mappings(json!({
        "customer_number": "number",
        "tier": { "value": "gold", "targets": ["access_token"] },
        "city": { "attribute": "city", "targets": ["id_token", "access_token"] },
        "missing": { "attribute": "nothing", "targets": ["id_token"] },
    }));
    let person = Map::from_iter([("number".to_owned(), json!(7)), ("city".to_owned(), json!("Berlin"))]);
    let told = |target| Value::Object(mapped(&mappings, target, &person));
    assert_eq!(told(Target::Userinfo), json!({ "customer_number": 7 }));
    assert_eq!(told(Target::IdToken), json!({ "city": "Berlin" }));
    assert_eq!(told(Target::AccessToken), json!({ "city": "Berlin", "tier": "gold" }));
    assert!(mappings["city"].reads(Target::IdToken) && !mappings["city"].reads(Target::Userinfo));
    assert!(!mappings["tier"].reads(Target::AccessToken));
}
