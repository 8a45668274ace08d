//! New accounts: everything that one consists of, written into one unit by whoever makes one,
//! whether a customer at registration, an operator or an import.

use crate::{
    Mac, Tenant, Unit, attributes,
    rows::{self, person::PersonRow},
};
use base::{Aad, Env, Error, Id, Identifier, SealingKey, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use std::ops::Range;
use zeroize::Zeroizing;

/// What a new account begins with.
#[derive(Default)]
pub struct NewAccount<'a> {
    /// Identifiers, each with how it was proven (`code`, `operator`, …) or unproven.
    pub identifiers: &'a [(Identifier, Option<&'a str>)],
    /// Attributes by the names of their claims, plain and personal together.
    pub attributes: Map<String, Value>,
    /// Their language.
    pub locale: Option<&'a str>,
    /// The hash of their password, as a PHC string.
    pub password_phc: Option<&'a str>,
    /// The subject under which applications already know them; a random one without.
    pub sub: Option<&'a str>,
    /// Other systems' names for them: source and value.
    pub external_ids: &'a [(&'a str, &'a str)],
}

/// An account as it will be once its unit is committed.
pub struct Created {
    /// The person.
    pub person: Id<id::Person>,
    /// Their key.
    pub key: SealingKey,
    /// Their epoch.
    pub epoch: i64,
    /// Their offline epoch.
    pub offline_epoch: i64,
    /// Their subject.
    pub sub: String,
    /// The statements of the identifiers within the unit, in the order in which they were given: a
    /// conflict there means that this identifier is taken.
    pub identifiers: Range<usize>,
}

impl NewAccount<'_> {
    /// Adds person, key, identifiers, subject, credential, external ids and search texts to the
    /// unit. The caller records the event, sealed under the key that comes back; a unit may be made
    /// without events first (`Unit::new(event.id, Vec::new())`).
    ///
    /// # Errors
    /// Kind `Internal` if the tenant has no key for subjects.
    pub fn write(self, unit: &mut Unit, tenant: &Tenant, env: &Env) -> Result<Created, Error> {
        let (person, now) = (env.id::<id::Person>(), env.now());
        let key = SealingKey::generate(env.rng());
        let begin = unit.writes.len();
        for (identifier, proof) in self.identifiers {
            rows::identifier::insert(unit, tenant.id, person, (identifier, *proof), now);
        }
        let identifiers = begin..unit.writes.len();
        let names = self.identifiers.iter().map(|(identifier, _)| identifier.as_typed());
        let texts = attributes::search_texts(names, &self.attributes);
        let (plain, sealed) = attributes::columns(env, &key, (tenant.id, person), self.attributes);
        let row = PersonRow {
            id: person,
            state: "active".to_owned(),
            epoch: 1,
            offline_epoch: 1,
            locale: self.locale.map(str::to_owned),
            attributes: plain,
            sealed_attributes: sealed,
            sealed_key: Some(tenant.key.wrap(env.rng(), Aad::new(&tenant.id, "person.key", &person), &key)),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        rows::person::insert(unit, tenant.id, &row, now);
        let sub = self.sub.map_or_else(|| URL_SAFE_NO_PAD.encode(env.bytes::<16>()), str::to_owned);
        let given = tenant.mac(Mac::Subject)?.1.sign(&[sub.as_bytes()]);
        rows::person::give_subject(unit, tenant.id, person, (&sub, given), now);
        if let Some(phc) = self.password_phc {
            let credential = env.id();
            let data = seal_password(env, &key, (tenant.id, credential), phc);
            rows::credential::insert(unit, tenant.id, person, (credential, "password", &data), now);
        }
        for external in self.external_ids {
            rows::person::insert_external(unit, tenant.id, person, *external, now);
        }
        rows::person::index_new(unit, tenant.id, person, &texts);
        Ok(Created { person, key, epoch: row.epoch, offline_epoch: row.offline_epoch, sub, identifiers })
    }
}

/// A password's hash as its credential holds it: the PHC string, sealed under the person's key.
pub fn seal_password(
    env: &Env,
    key: &SealingKey,
    place: (Id<id::Tenant>, Id<id::Credential>),
    phc: &str,
) -> Vec<u8> {
    key.seal(env.rng(), Aad::new(&place.0, "credential.data", &place.1), phc.as_bytes())
}

/// The PHC string of a password credential.
///
/// # Errors
/// Kind `Internal` if it does not open or is no text.
pub fn open_password(
    key: &SealingKey,
    place: (Id<id::Tenant>, Id<id::Credential>),
    data: &[u8],
) -> Result<Zeroizing<String>, Error> {
    let plain = key.open(Aad::new(&place.0, "credential.data", &place.1), data)?;
    let text = std::str::from_utf8(&plain).map_err(|_| Error::internal("a password hash is no text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}
