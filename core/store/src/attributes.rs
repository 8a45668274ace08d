//! A person's attributes: which are stored in the clear, which sealed, and by what they are found.
//!
//! Plain are only names, picture, language and time zone. Everything else (birthdate, gender,
//! address, phone number, own attributes) is personal: JSON sealed under the person's key, with the
//! label `person.attributes`, so that destroying the key erases it.

use crate::{Tenant, rows::person::PersonRow};
use base::{Aad, Env, Error, Id, SealingKey, id};
use serde_json::{Map, Value};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The attributes that are stored in the clear.
pub const PLAIN: &[&str] =
    &["name", "given_name", "family_name", "nickname", "picture", "locale", "zoneinfo"];

/// The plain attributes by which a person is found.
const SEARCHED: &[&str] = &["name", "given_name", "family_name", "nickname"];

/// The most characters of a text by which somebody is found.
const SEARCH_LENGTH: usize = 200;

/// Divides attributes into plain and sealed ones. An attribute that is null is none.
pub fn split(attributes: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    attributes
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .partition(|(name, _)| PLAIN.contains(&name.as_str()))
}

/// All attributes of a person, the sealed ones opened. The language that they chose stands in for
/// `locale`.
///
/// # Errors
/// Kind `Internal` if what is stored does not open or is no JSON object.
pub fn join(tenant: &Tenant, person: &PersonRow) -> Result<Map<String, Value>, Error> {
    let mut all = object(person.attributes.as_bytes())?;
    if let (Some(sealed), Some(key)) = (&person.sealed_attributes, tenant.person_key(person)?) {
        let plain = key.open(Aad::new(&tenant.id, "person.attributes", &person.id), sealed)?;
        all.append(&mut object(&plain)?);
    }
    if let Some(locale) = &person.locale {
        all.entry("locale").or_insert_with(|| locale.as_str().into());
    }
    Ok(all)
}

fn object(json: &[u8]) -> Result<Map<String, Value>, Error> {
    serde_json::from_slice(json).map_err(|error| Error::internal(format!("attributes of a person: {error}")))
}

/// Attributes as the columns of a person hold them: plain JSON, and sealed bytes if there are any.
pub fn columns(
    env: &Env,
    key: &SealingKey,
    place: (Id<id::Tenant>, Id<id::Person>),
    attributes: Map<String, Value>,
) -> (String, Option<Vec<u8>>) {
    let (plain, sealed) = split(attributes);
    (Value::Object(plain).to_string(), seal(env, key, place, sealed))
}

/// Seals the personal attributes of a person, if there are any.
pub fn seal(
    env: &Env,
    key: &SealingKey,
    place: (Id<id::Tenant>, Id<id::Person>),
    sealed: Map<String, Value>,
) -> Option<Vec<u8>> {
    let (tenant, person) = place;
    let json = zeroize::Zeroizing::new(Value::Object(sealed).to_string());
    let aad = Aad::new(&tenant, "person.attributes", &person);
    (json.as_str() != "{}").then(|| key.seal(env.rng(), aad, json.as_bytes()))
}

/// The folded texts by which a person is found: identifiers and names, whole and word by word.
pub fn search_texts<'a>(
    identifiers: impl IntoIterator<Item = &'a str>,
    plain: &'a Map<String, Value>,
) -> Vec<String> {
    let names = SEARCHED.iter().filter_map(|name| plain.get(*name)?.as_str());
    let mut texts = Vec::new();
    for whole in identifiers.into_iter().chain(names).map(fold) {
        texts.extend(whole.split(' ').skip(1).map(str::to_owned));
        texts.push(whole);
    }
    texts.retain(|text| !text.is_empty());
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// A text as it is searched for: NFKC, lower case, without marks, single spaces.
pub fn fold(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let bare: String = lower.nfd().filter(|letter| !is_combining_mark(*letter)).nfc().collect();
    let words: Vec<&str> = bare.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words.chars().take(SEARCH_LENGTH).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_names_picture_language_and_zone_are_plain() {
        let all = json!({ "name": "A", "birthdate": "2000-01-01", "address": { "locality": "Berlin" },
            "phone_number": "+49", "own": 1, "zoneinfo": "Europe/Berlin", "nickname": null });
        let Value::Object(all) = all else { panic!() };
        let (plain, sealed) = split(all);
        assert_eq!(Value::Object(plain), json!({ "name": "A", "zoneinfo": "Europe/Berlin" }));
        assert_eq!(sealed.keys().collect::<Vec<_>>(), ["address", "birthdate", "own", "phone_number"]);
    }

    #[test]
    fn a_name_is_found_without_case_marks_and_width() {
        assert_eq!(fold("  Jörg\u{a0}ÅNGSTRÖM \0"), "jorg angstrom");
        assert_eq!(fold("Ａｌｉｃｅ"), "alice");
        assert!(fold(&"é".repeat(5000)).chars().count() <= SEARCH_LENGTH);
        let plain = json!({ "name": "Zoë Meyer", "picture": "https://p", "zoneinfo": "Europe/Paris" });
        let found = search_texts(["zoe@example.com"], plain.as_object().unwrap());
        assert_eq!(found, ["meyer", "zoe meyer", "zoe@example.com"]);
    }
}
