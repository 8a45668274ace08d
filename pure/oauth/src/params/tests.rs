use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Params {
    Params::parse(text.as_bytes()).unwrap()
}

#[test]
fn decodes_plus_percent_and_utf8() {
    let params = parse("a=x+y&b=%C3%BC%2B&c=1%3D2");
    assert_eq!(params.first("a"), Some("x y"));
    assert_eq!(params.first("b"), Some("ü+"));
    assert_eq!(params.first("c"), Some("1=2"));
}

#[test]
fn parameters_without_value_are_omitted() {
    let params = parse("state=&scope&nonce=n&&state=s");
    assert_eq!(params.iter().collect::<Vec<_>>(), [("nonce", "n"), ("state", "s")]);
    assert_eq!(params.repeated(), None);
}

#[test]
fn repeated_parameters_are_found_except_resource() {
    assert_eq!(parse("a=1&resource=x&resource=y").repeated(), None);
    assert_eq!(parse("a=1&b=2&a=1").repeated(), Some(Repeated("a".into())));
    assert_eq!(parse("a=1&a=2").only("a"), Err(Repeated("a".into())));
    assert_eq!(parse("a=1&%61=2").only("a"), Err(Repeated("a".into())));
    assert_eq!(parse("a=1").only("b"), Ok(None));
}

#[test]
fn limits_are_exact() {
    let many = vec!["a=1"; MAX_COUNT].join("&");
    assert!(Params::parse(many.as_bytes()).is_ok());
    assert_eq!(Params::parse(format!("{many}&a=1").as_bytes()), Err(ParamsError::TooMany));
    assert!(Params::parse(&vec![b'a'; MAX_BYTES]).is_ok());
    assert_eq!(Params::parse(&vec![b'a'; MAX_BYTES + 1]), Err(ParamsError::TooLarge));
}

#[test]
fn broken_encodings_are_refused() {
    for text in ["a=%", "a=%2", "a=%zz", "%=1", "a=%FF", "a=%C3", "a=%00", "a=%C0%AF", "a=%ED%A0%80"] {
        assert_eq!(Params::parse(text.as_bytes()), Err(ParamsError::Malformed), "{text}");
    }
    assert_eq!(Params::parse(b"a=\xff"), Err(ParamsError::Malformed));
}

#[test]
fn debug_shows_no_value() {
    assert_eq!(format!("{:?}", parse("code=secret")), r#"["code"]"#);
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>) {
        let _ = Params::parse(&bytes);
    }

    #[test]
    fn encoding_round_trips(pairs in prop::collection::vec(("[^\0]{0,8}", "[^\0]{1,8}"), 0..8)) {
        let params: Params = pairs.into_iter().collect();
        prop_assert_eq!(Params::parse(params.encode().as_bytes()), Ok(params));
    }

    #[test]
    fn encoded_text_is_safe_in_a_header_and_an_attribute(value in ".*") {
        let encoded = encode([("state", value.as_str())]);
        prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%=".contains(&b)));
    }
}
