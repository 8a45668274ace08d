//! A resource server or scope of the file: a patch of what is declared, every value checked where it
//! stands.

use super::{
    Problem,
    fields::{Fields, text},
};
use base::Error;
use oauth::catalogue::{Flaws, IdentityScope, ResourceServer};
use serde_json::{Map, Value};

/// A resource server or scope of the file.
pub(crate) struct DeclaredEntry {
    pub(crate) path: String,
    /// Its audience, or the scope itself.
    pub(crate) name: String,
    /// What the file says of it; null where it returns to the default.
    pub(crate) patch: Map<String, Value>,
}

impl DeclaredEntry {
    /// The first mistake that shows together with what is stored.
    pub(crate) fn unfit(&self, flaws: Flaws, unfit: impl Fn(&str, String) -> Error) -> Error {
        let (place, message) = flaws.into_iter().next().unwrap_or_default();
        unfit(&format!("{}.{place}", self.path), message)
    }
}

/// Reads a resource server.
pub(super) fn resource_server(
    value: Value,
    path: String,
    problems: &mut Vec<Problem>,
) -> Option<DeclaredEntry> {
    let read = |map: &Map<String, Value>| ResourceServer::read(map, &[]).err();
    declared(value, path, problems, ("audience", ResourceServer::FIELDS, &read))
}

/// Reads a scope.
pub(super) fn scope(value: Value, path: String, problems: &mut Vec<Problem>) -> Option<DeclaredEntry> {
    let read = |map: &Map<String, Value>| IdentityScope::read(map).err();
    declared(value, path, problems, ("name", IdentityScope::FIELDS, &read))
}

type Read<'a> = &'a dyn Fn(&Map<String, Value>) -> Option<Flaws>;

fn declared(
    value: Value,
    path: String,
    problems: &mut Vec<Problem>,
    (name, known, read): (&str, &[&str], Read<'_>),
) -> Option<DeclaredEntry> {
    let mut fields = Fields::new(value.clone(), path.clone(), known, problems)?;
    let Value::Object(mut patch) = value else { return None };
    // Unknown keys are noted already.
    patch.retain(|key, _| known.contains(&key.as_str()));
    for (place, message) in read(&patch).unwrap_or_default() {
        fields.wrong(&place, message);
    }
    let name = patch.get(name).and_then(|value| text(value).ok())?.to_owned();
    Some(DeclaredEntry { path, name, patch })
}
