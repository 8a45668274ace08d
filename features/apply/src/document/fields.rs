//! The fields of one object of the file, taken one by one, each mistake noted with its place.

use super::Problem;
use serde_json::{Map, Value};
use std::fmt::Display;

/// The fields of an object that are not taken yet.
pub(crate) struct Fields<'a> {
    map: Map<String, Value>,
    path: String,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// The fields of a value that must be an object with no other keys than the known ones.
    pub(crate) fn new(
        value: Value,
        path: String,
        known: &[&str],
        problems: &'a mut Vec<Problem>,
    ) -> Option<Self> {
        let Value::Object(map) = value else {
            problems.push(Problem::new(path, "must be a group of keys with values"));
            return None;
        };
        let dot = if path.is_empty() { "" } else { "." };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            problems.push(Problem::new(format!("{path}{dot}{key}"), unknown(key, known)));
        }
        Some(Self { map, path, problems })
    }

    /// The place of a field.
    pub(crate) fn at(&self, name: &str) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("{}{dot}{name}", self.path)
    }

    /// Notes a mistake in a field.
    pub(crate) fn wrong(&mut self, name: &str, message: impl Into<String>) {
        let at = if name.is_empty() { self.path.clone() } else { self.at(name) };
        self.problems.push(Problem::new(at, message));
    }

    /// Where mistakes are noted.
    pub(crate) fn problems(&mut self) -> &mut Vec<Problem> {
        self.problems
    }

    /// A field as it stands.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name)
    }

    /// A field that is an object; one of another kind stays.
    pub(crate) fn take_group(&mut self, name: &str) -> Option<Map<String, Value>> {
        if !self.map.get(name)?.is_object() {
            return None;
        }
        match self.map.remove(name)? {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }

    /// A field of text, parsed.
    pub(crate) fn text<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.map.remove(name)?;
        match text(&value).and_then(|text| parse(text).map_err(|error| error.to_string())) {
            Ok(parsed) => Some(parsed),
            Err(message) => {
                self.wrong(name, message);
                None
            }
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !self.map.contains_key(name) {
            self.wrong("", format!("has no {name}; add it"));
        }
        self.text(name, parse)
    }

    /// A field that is true or false.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.map.remove(name)?;
        if value.as_bool().is_none() {
            self.wrong(name, "must be true or false");
        }
        value.as_bool()
    }

    /// The elements of a list, each with its place.
    pub(crate) fn list(&mut self, name: &str) -> Vec<(String, Value)> {
        let path = self.at(name);
        match self.map.remove(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => {
                list.into_iter().enumerate().map(|(i, value)| (format!("{path}[{i}]"), value)).collect()
            }
            Some(_) => {
                self.wrong(name, "must be a list");
                Vec::new()
            }
        }
    }

    /// The members of an object, each with its name.
    pub(crate) fn group(&mut self, name: &str) -> Map<String, Value> {
        match self.map.remove(name) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(map)) => map,
            Some(_) => {
                self.wrong(name, "must be a group of keys with values");
                Map::new()
            }
        }
    }
}

/// A value that must be text.
pub(crate) fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Err("must be text; put it in quotes".to_owned()),
        _ => Err("must be text".to_owned()),
    }
}

/// One of a few words.
pub(crate) fn one_of<'w>(text: &str, words: &[&'w str]) -> Result<&'w str, String> {
    words.iter().find(|word| **word == text).copied().ok_or_else(|| {
        let suggestion = nearest(text, words).map(|word| format!(" Did you mean \"{word}\"?"));
        format!("must be one of {}.{}", words.join(", "), suggestion.unwrap_or_default())
    })
}

/// What to say of an unknown key.
pub(crate) fn unknown(key: &str, known: &[&str]) -> String {
    match nearest(key, known) {
        Some(meant) => format!("is unknown. Did you mean \"{meant}\"?"),
        None => format!("is unknown. Known here: {}.", known.join(", ")),
    }
}

fn nearest<'w>(word: &str, words: &[&'w str]) -> Option<&'w str> {
    let near = |known: &&'w str| {
        let distance = strsim::damerau_levenshtein(word, known);
        (distance <= 1 + known.len() / 4).then_some((distance, *known))
    };
    words.iter().filter_map(near).min().map(|(_, known)| known)
}
