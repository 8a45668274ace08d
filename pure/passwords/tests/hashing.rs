//! Hashes: the RFC's vector, others' hashes, our own, and what is refused.
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use argon2::{Algorithm, Argon2, AssociatedData, Block, ParamsBuilder, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use passwords::{
    HashError, Hasher, NormVersion, Params, ParamsError, Pepper, PhcError, PhcString, Prepared,
    PreparedError, Scheme, Verdict, dummy,
};
use proptest::prelude::*;

const SALT: [u8; 16] = *b"sixteen bytes ok";
const HASH: &str = "c2l4dGVlbiBieXRlcyBvaw$c2l4dGVlbiBieXRlcyBva3NpeHRlZW4gYnl0ZXMgb2s";
const MATCH: Verdict = Verdict::Match { rehash: false };
const REHASH: Verdict = Verdict::Match { rehash: true };

fn cheap() -> Params {
    Params::new(64, 1, 1).unwrap()
}

fn prepared(text: &str) -> Prepared {
    Prepared::new(text).unwrap()
}

fn pepper(version: u32, secret: &[u8]) -> Option<Pepper<'_>> {
    Some(Pepper { version, secret })
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

fn refusal(text: &str) -> PhcError {
    text.parse::<PhcString>().err().unwrap()
}

/// RFC 9106, section 5.3.
#[test]
fn the_crate_gives_the_vector_of_the_rfc() {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).output_len(32);
    params.data(AssociatedData::new(&[4; 12]).unwrap());
    let params = params.build().unwrap();
    let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut output = [0; 32];
    let mut memory = vec![Block::new(); 32];
    argon2.hash_password_into_with_memory(&[1; 32], &[2; 16], &mut output, &mut memory[..]).unwrap();
    let expected = [
        0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0,
        0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
    ];
    assert_eq!(output, expected);
}

#[test]
fn hashes_that_others_made_verify() {
    let Some(folder) = std::env::var_os("KEYWARD_VECTORS") else {
        println!("skipped: KEYWARD_VECTORS is not set");
        return;
    };
    let file = std::path::Path::new(&folder).join("passwords/known_hashes.json");
    let text = std::fs::read_to_string(file).unwrap();
    let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut hasher = Hasher::default();
    let mut tried = 0;
    for entry in &entries {
        let hash = entry["hash"].as_str().unwrap();
        if !hash.starts_with("$argon2id$") {
            continue;
        }
        let stored: Scheme = hash.parse().unwrap();
        assert_eq!(stored.to_string(), hash);
        let right = prepared(entry["password"].as_str().unwrap());
        let verdict = hasher.verify_imported(&right, &stored, None);
        assert_eq!(verdict, Ok(REHASH));
        let verdict = hasher.verify_imported(&prepared("hashcats"), &stored, None);
        assert_eq!(verdict, Ok(Verdict::Mismatch));
        tried += 1;
    }
    assert!(tried > 0, "no argon2id among the vectors");
}

#[test]
fn a_hash_verifies_after_being_stored() {
    let mut hasher = Hasher::default();
    let password = prepared("correct horse battery");
    let text = hasher.hash(&password, SALT, Params::DEFAULT, None).unwrap().to_string();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
    let stored: PhcString = text.parse().unwrap();
    assert_eq!(hasher.verify(&password, &stored, None), Ok(MATCH));
    let other = prepared("correct horse batterie");
    assert_eq!(hasher.verify(&other, &stored, None), Ok(Verdict::Mismatch));
}

#[test]
fn dirty_memory_and_released_memory_change_nothing() {
    let password = prepared("correct horse battery");
    let params = Params::new(128, 2, 2).unwrap();
    let fresh = Hasher::new(params).hash(&password, SALT, params, None).unwrap();
    let mut hasher = Hasher::new(params);
    for other in [cheap(), params, Params::new(256, 1, 1).unwrap()] {
        hasher.hash(&prepared("another"), SALT, other, None).unwrap();
        let again = hasher.hash(&password, SALT, params, None).unwrap();
        assert_eq!(again.to_string(), fresh.to_string());
        hasher.release();
        let again = hasher.hash(&password, SALT, params, None).unwrap();
        assert_eq!(again.to_string(), fresh.to_string());
    }
}

#[test]
fn what_is_weaker_than_today_or_far_costlier_is_rehashed() {
    let password = prepared("correct horse battery");
    let at = |m, t, p| Params::new(m, t, p).unwrap();
    let today = at(128, 2, 2);
    let mut hasher = Hasher::new(today);
    for (params, verdict) in [
        (today, MATCH),
        (at(256, 2, 4), MATCH),
        (at(256, 3, 4), REHASH),
        (at(127, 2, 2), REHASH),
        (at(128, 1, 2), REHASH),
        (at(128, 2, 1), REHASH),
    ] {
        let stored = hasher.hash(&password, SALT, params, None).unwrap();
        assert_eq!(hasher.verify(&password, &stored, None), Ok(verdict));
    }
}

#[test]
fn a_pepper_is_needed_where_it_was_used() {
    let password = prepared("correct horse battery");
    let mut hasher = Hasher::new(cheap());
    let plain = hasher.hash(&password, SALT, cheap(), None).unwrap();
    let (old, new) = (pepper(7, b"old pepper"), pepper(8, b"new pepper"));
    let text = hasher.hash(&password, SALT, cheap(), old).unwrap().to_string();
    let stored: PhcString = text.parse().unwrap();
    assert_eq!(stored.pepper_version(), Some(7));
    assert_eq!(hasher.verify(&password, &stored, old), Ok(MATCH));
    let missing = Err(HashError::PepperMissing { version: 7 });
    assert_eq!(hasher.verify(&password, &stored, None), missing);
    assert_eq!(hasher.verify(&password, &stored, new), missing);
    let wrong = pepper(7, b"new pepper");
    assert_eq!(hasher.verify(&password, &stored, wrong), Ok(Verdict::Mismatch));
    assert_eq!(hasher.verify(&password, &plain, None), Ok(MATCH));
    assert_eq!(hasher.verify(&password, &plain, new), Ok(REHASH));
}

#[test]
fn the_dummy_is_a_hash_at_default_cost_that_nothing_matches() {
    let text = dummy().to_string();
    let stored: PhcString = text.parse().unwrap();
    assert_eq!(stored.params(), Params::DEFAULT);
    assert_eq!(stored.to_string(), text);
    let mut hasher = Hasher::default();
    let ours = hasher.hash(&prepared("password"), SALT, Params::DEFAULT, None).unwrap();
    assert_eq!(ours.to_string().len(), text.len());
    let verdict = hasher.verify(&prepared("password"), &stored, None);
    assert_eq!(verdict, Ok(Verdict::Mismatch));
}

#[test]
fn one_password_typed_on_two_keyboards_is_one() {
    let mut hasher = Hasher::new(cheap());
    for (one, other) in [
        ("Stra\u{df}enb\u{e4}nke", "Stra\u{df}enba\u{308}nke"),
        (
            "\u{645}\u{641}\u{62a}\u{627}\u{62d}\u{64a} \u{627}\u{644}\u{622}\u{646}",
            "\u{645}\u{641}\u{62a}\u{627}\u{62d}\u{64a} \u{627}\u{644}\u{627}\u{653}\u{646}",
        ),
        ("full width", "\u{ff46}\u{ff55}ll width"),
    ] {
        let stored = hasher.hash(&prepared(one), SALT, cheap(), None).unwrap();
        let verdict = hasher.verify(&prepared(other), &stored, None);
        assert_eq!(verdict, Ok(MATCH), "{one}");
    }
    assert_eq!(NormVersion::CURRENT, NormVersion(1));
}

#[test]
fn an_imported_hash_is_tried_as_typed_and_then_in_normal_form() {
    let mut hasher = Hasher::new(cheap());
    let decomposed = "Ba\u{308}nke am Strand";
    let raw = |text: &str| {
        let params = argon2::Params::new(64, 1, 1, Some(32)).unwrap();
        let mut output = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(text.as_bytes(), &SALT, &mut output)
            .unwrap();
        let text = format!("$argon2id$v=19$m=64,t=1,p=1${}${}", encode(SALT), encode(output));
        text.parse::<PhcString>().unwrap()
    };
    let (as_typed, normal) = (raw(decomposed), raw("B\u{e4}nke am Strand"));
    let password = prepared(decomposed);
    let ours = hasher.verify(&password, &as_typed, None);
    assert_eq!(ours, Ok(Verdict::Mismatch));
    for stored in [as_typed, normal] {
        let verdict = hasher.verify_imported(&password, &Scheme::Argon2id(stored), None);
        assert_eq!(verdict, Ok(REHASH));
    }
}

#[test]
fn a_stored_bomb_is_refused() {
    for (costs, error) in [
        ("m=1048577,t=1,p=1", ParamsError::Memory),
        ("m=4294967296,t=1,p=1", ParamsError::Memory),
        ("m=99999999999999999999,t=1,p=1", ParamsError::Memory),
        ("m=15,t=1,p=2", ParamsError::Memory),
        ("m=64,t=65,p=1", ParamsError::Passes),
        ("m=64,t=0,p=1", ParamsError::Passes),
        ("m=1024,t=1,p=17", ParamsError::Lanes),
        ("m=1024,t=1,p=0", ParamsError::Lanes),
    ] {
        let text = format!("$argon2id$v=19${costs}${HASH}");
        assert_eq!(refusal(&text), PhcError::Cost(error), "{text}");
    }
    assert!(Params::new(1024 * 1024, 64, 16).is_ok());
}

#[test]
fn only_one_way_of_writing_is_read() {
    let good = format!("$argon2id$v=19$m=64,t=1,p=1${HASH}");
    assert_eq!(good.parse::<PhcString>().ok().unwrap().to_string(), good);
    for costs in [
        "m=064,t=1,p=1",
        "m=+64,t=1,p=1",
        "m=,t=1,p=1",
        "t=1,m=64,p=1",
        "m=64,t=1",
        "m=64,t=1,p=1,",
        "m=64,t=1,p=1,keyid=AAAA",
        "m=64,t=1,p=1,data=AAAABw",
        "m=64,t=1,p=1,keyid=AAAABw,data=AA",
        "m=64, t=1,p=1",
        "",
    ] {
        let text = format!("$argon2id$v=19${costs}${HASH}");
        assert_eq!(refusal(&text), PhcError::Malformed, "{text}");
    }
    for text in [
        "",
        "$",
        "argon2id",
        "$argon2id$v=19$m=64,t=1,p=1",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$c2l4dGVlbiBieXRlcyBvaw",
        "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbiBieXRlcyBvaw$c2hvcnQ",
        &format!("{good}="),
        &format!("{good}$"),
        &format!(" {good}"),
        &format!("{good}{}", "A".repeat(400)),
    ] {
        assert!(text.parse::<PhcString>().is_err(), "{text}");
    }
    for other in ["$argon2i$v=19", "$argon2id$v=16", "$2b$10$abc"] {
        assert_eq!(refusal(other), PhcError::Unsupported);
    }
}

#[test]
fn nul_and_excess_are_refused_before_any_work() {
    let refused = |text: &str| Prepared::new(text).err();
    assert_eq!(refused("pass\0word"), Some(PreparedError::Nul));
    let many = PreparedError::TooManyChars { max: 256 };
    assert_eq!(refused(&"a".repeat(256)), None);
    assert_eq!(refused(&"a".repeat(257)), Some(many));
    let large = PreparedError::TooManyBytes { max: 1024 };
    assert_eq!(refused(&"\u{1f511}".repeat(256)), None);
    assert_eq!(refused(&"\u{1f511}".repeat(257)), Some(large));
    assert_eq!(refused(&"\u{fdfa}".repeat(256)), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        (p, t, m) in (1u32..=16, 1u32..=64, 128u32..=1_048_576),
        salt in prop::collection::vec(any::<u8>(), 8..=64),
        output in prop::collection::vec(any::<u8>(), 16..=64),
        version in prop::option::of(any::<u32>()),
    ) {
        let key = version.map(|v| format!(",keyid={}", encode(v.to_be_bytes()))).unwrap_or_default();
        let text = format!("$argon2id$v=19$m={m},t={t},p={p}{key}${}${}", encode(&salt), encode(output));
        let read = text.parse::<PhcString>().ok().unwrap();
        prop_assert_eq!(read.params(), Params::new(m, t, p).unwrap());
        prop_assert_eq!(read.pepper_version(), version);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn a_damaged_string_is_refused_or_printed_as_it_was(at in 0usize..110, with in any::<char>()) {
        let mut text: Vec<char> = format!("$argon2id$v=19$m=64,t=1,p=1,keyid=AAAABw${HASH}").chars().collect();
        let at = at.min(text.len() - 1);
        text[at] = with;
        let text: String = text.into_iter().collect();
        if let Ok(read) = text.parse::<PhcString>() {
            prop_assert_eq!(read.to_string(), text);
        }
    }
}
