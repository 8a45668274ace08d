//! Stored hashes: what is read is within the bounds of cost and prints as it was; what is not read lacks
//! something that a slower reader misses too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use passwords::{Params, PhcString, Scheme};

fuzz_target!(|text: &str| {
    let read = text.parse::<PhcString>();
    assert_eq!(read.is_ok(), is_proper(text), "{text}");
    assert_eq!(
        text.parse::<Scheme>().map(|scheme| scheme.to_string()).ok().as_deref(),
        read.is_ok().then_some(text)
    );
    let Ok(phc) = read else {
        return assert!(PhcString::import(text).is_err());
    };
    assert_eq!(phc.to_string(), text);
    let params = phc.params();
    assert_eq!(Params::new(params.m_kib(), params.t(), params.p()), Ok(params));
    if let Ok(imported) = PhcString::import(text) {
        assert_eq!(imported.to_string(), text);
        assert!(
            imported.pepper_version().is_none()
                && u64::from(params.m_kib()) * u64::from(params.t()) <= 1 << 20
        );
    }
});

/// The definition, written down.
fn is_proper(text: &str) -> bool {
    let fields: Vec<&str> = text.split('$').collect();
    let &["", "argon2id", "v=19", costs, salt, output] = fields.as_slice() else { return false };
    let costs: Vec<&str> = costs.split(',').collect();
    let (costs, keyid) = match costs.as_slice() {
        [m, t, p] => ([*m, *t, *p], None),
        [m, t, p, keyid] => ([*m, *t, *p], Some(*keyid)),
        _ => return false,
    };
    let number = |field: &str, name: &str| -> Option<u64> {
        let value: u64 = field.strip_prefix(name)?.parse().ok()?;
        (field == format!("{name}{value}")).then_some(value)
    };
    let [Some(m), Some(t), Some(p)] =
        [number(costs[0], "m="), number(costs[1], "t="), number(costs[2], "p=")]
    else {
        return false;
    };
    let keyid =
        keyid.is_none_or(|field| field.strip_prefix("keyid=").is_some_and(|id| length(id) == Some(4)));
    text.len() <= 320
        && (1..=16).contains(&p)
        && (1..=64).contains(&t)
        && (8 * p..=1 << 20).contains(&m)
        && keyid
        && length(salt).is_some_and(|bytes| (8..=64).contains(&bytes))
        && length(output).is_some_and(|bytes| (16..=64).contains(&bytes))
}

/// How many bytes this is in base64 without padding, if it is their one spelling.
fn length(text: &str) -> Option<usize> {
    let digit = |byte: u8| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|b| *b == byte)
    };
    let digits: Vec<usize> = text.bytes().map(digit).collect::<Option<_>>()?;
    let spare = match digits.len() % 4 {
        0 => 0,
        2 => *digits.last()? & 0b1111,
        3 => *digits.last()? & 0b11,
        _ => return None,
    };
    (spare == 0).then_some(digits.len() * 3 / 4)
}
