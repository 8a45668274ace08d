//! How facts are stored. What one version wrote, the next must read.

use crate::world::{ANN, consented, named, verified, wide_alphabet};
use journey::{Authentication, Facts, Method, Proof, UnknownFacts};

#[test]
fn every_fact_survives() {
    let facts = wide_alphabet();
    assert_eq!(Facts::read(&Facts::new(facts.clone()).write()), Ok(facts));
}

#[test]
fn the_form_is_fixed() {
    let facts = Facts::new(vec![named("Ann"), verified(ANN, Method::Password), consented(&["email"])]);
    let json = concat!(
        r#"{"version":1,"facts":[{"fact":"named","kind":"email","normal":"ann","typed":"Ann"},"#,
        r#"{"fact":"verified","person":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","#,
        r#""proof":{"method":"password","at":20},"epochs":{"sessions":1,"offline":1}},"#,
        r#"{"fact":"consented","scopes":["email"]}]}"#,
    );
    assert_eq!(String::from_utf8(facts.write()).unwrap(), json);
}

#[test]
fn what_is_not_known_starts_over() {
    for json in [
        "",
        "[]",
        r#"{"facts":[]}"#,
        r#"{"version":0,"facts":[]}"#,
        r#"{"version":2,"facts":[]}"#,
        r#"{"version":1,"facts":[{"fact":"teleported"}]}"#,
        r#"{"version":1,"facts":[{"fact":"restarted"},{"fact":"began","goal":"fly"}]}"#,
        r#"{"version":1,"facts":[{"fact":"enrolled","person":"ann","at":1}]}"#,
        r#"{"version":1,"facts":[{"fact":"enrolled","person":"00"}]}"#,
        r#"{"version":1,"facts":[{"fact":"restarted"}]"#,
    ] {
        assert_eq!(Facts::read(json.as_bytes()), Err(UnknownFacts), "{json}");
    }
}

#[test]
fn authentication_names_each_method_once() {
    let proof = |method, at| Proof { method, at };
    let proofs = vec![proof(Method::Code, 3), proof(Method::Password, 9), proof(Method::Code, 5)];
    let authentication = Authentication { proofs };
    assert_eq!(authentication.amr(), ["otp", "pwd"]);
    assert_eq!(authentication.at(), Some(9));
    assert_eq!(Authentication::read(&authentication.write()), authentication);
    assert_eq!(Authentication::read("{}"), Authentication::default());
    assert_eq!(Authentication::default().at(), None);
}
