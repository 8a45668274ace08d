//! What resource servers and scopes have in common: a declaration is read as a whole, every mistake
//! with its field, and changed by a patch over what is stored.

use crate::{
    refusal::Refusal,
    shape::{Components, Shape},
};
use base::{Error, Id, id::Entity};
use oauth::catalogue::Flaws;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Which form of a declaration a schema describes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is answered, with id and version.
    Given,
    /// As it is made.
    New,
    /// A merge patch.
    Patch,
}

/// A declaration as JSON.
pub(crate) fn members(declared: &impl Serialize) -> Result<Map<String, Value>, Refusal> {
    match serde_json::to_value(declared) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::internal("a declaration is no JSON object").into()),
    }
}

/// A declaration as the API shows it.
pub(crate) fn shown<T: Entity>(id: Id<T>, declared: &impl Serialize, version: i64) -> Result<Value, Refusal> {
    let mut map = members(declared)?;
    map.insert("id".to_owned(), id.to_string().into());
    map.insert("version".to_owned(), version.into());
    Ok(Value::Object(map))
}

/// A declaration with a patch over it, which leaves its name as it is.
pub(crate) fn patched(
    before: &Map<String, Value>,
    patch: &Map<String, Value>,
    name: &str,
) -> Result<Map<String, Value>, Refusal> {
    if patch.get(name).is_some_and(|value| before.get(name) != Some(value)) {
        return Err(Refusal::field(name, "cannot be changed; declare another one"));
    }
    let mut after = before.clone();
    merge(&mut after, patch, 0);
    Ok(after)
}

/// A JSON merge patch (RFC 7396), but that a null where nothing is stays among members of known names: the
/// reader refuses those that are none. Languages and claims, one below, are named freely; two below are the
/// members of a claim.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>, depth: usize) {
    for (name, value) in patch {
        match (value, target.get_mut(name)) {
            (Value::Null, None) if depth == 0 || depth == 2 => drop(target.insert(name.clone(), Value::Null)),
            (Value::Null, _) => drop(target.remove(name)),
            (Value::Object(inner), Some(Value::Object(known))) => merge(known, inner, depth + 1),
            (Value::Object(inner), _) => {
                let mut fresh = Map::new();
                merge(&mut fresh, inner, depth + 1);
                target.insert(name.clone(), Value::Object(fresh));
            }
            (value, _) => drop(target.insert(name.clone(), value.clone())),
        }
    }
}

/// The mistakes as an answer.
pub(crate) fn flawed(flaws: Flaws) -> Refusal {
    Refusal::fields(flaws)
}

/// Adds the schema of a declaration to the components and refers to it. The first property names it.
pub(crate) fn schema<T: Entity>(
    components: &mut Components,
    (noun, form): (&str, Form),
    doc: &str,
    properties: &[(&str, Value)],
) -> Value {
    let prefix = match form {
        Form::Given => "",
        Form::New => "New",
        Form::Patch => "Changed",
    };
    let component = format!("{prefix}{noun}");
    if !components.contains_key(&component) {
        let own = properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone()));
        let mut all: Map<String, Value> = own.collect();
        let mut required: Vec<&str> = properties.iter().take(1).map(|(name, _)| *name).collect();
        match form {
            Form::Given => {
                all.insert("id".to_owned(), Id::<T>::schema(components));
                all.insert("version".to_owned(), json!({ "type": "integer", "format": "int64" }));
                required = properties.iter().map(|(name, _)| *name).chain(["id", "version"]).collect();
            }
            Form::New => {}
            Form::Patch => required.clear(),
        }
        let schema = json!({
            "type": "object",
            "description": doc,
            "additionalProperties": false,
            "required": required,
            "properties": all,
        });
        components.insert(component.clone(), schema);
    }
    json!({ "$ref": format!("#/components/schemas/{component}") })
}

/// The schema of a sentence for people.
pub(crate) fn words(form: Form) -> Value {
    let text = if form == Form::Patch { json!(["string", "null"]) } else { json!("string") };
    json!({
        "description": "One text for everybody, or texts by language tag.",
        "anyOf": [
            { "type": "string" },
            { "type": "object", "additionalProperties": { "type": text } },
            { "type": "null" },
        ],
    })
}
