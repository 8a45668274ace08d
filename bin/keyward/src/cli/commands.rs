//! The commands of the admin API: a table of which call each stands for, and what they say of
//! themselves, read from the API's own description.

use crate::failure::Failure;
use serde_json::Value;
use std::fmt::Write as _;

/// `keyward NOUN VERB`, the method and the path with its places.
pub(super) type Command = (&'static str, &'static str, &'static str, &'static str);

const COMMANDS: &[Command] = &[
    ("user", "list", "GET", "/users"),
    ("user", "show", "GET", "/users/{user}"),
    ("user", "create", "POST", "/users"),
    ("user", "change", "PATCH", "/users/{user}"),
    ("user", "suspend", "POST", "/users/{user}/suspend"),
    ("user", "activate", "POST", "/users/{user}/activate"),
    ("user", "unlock", "POST", "/users/{user}/unlock"),
    ("user", "require-password-change", "POST", "/users/{user}/require-password-change"),
    ("user", "delete", "DELETE", "/users/{user}"),
    ("user", "sessions", "GET", "/users/{user}/sessions"),
    ("user", "sign-out", "DELETE", "/users/{user}/sessions"),
    ("user", "consents", "GET", "/users/{user}/consents"),
    ("user", "grants", "GET", "/users/{user}/grants"),
    ("administrator", "list", "GET", "/administrators"),
    ("administrator", "set", "PUT", "/users/{user}/administrator"),
    ("administrator", "remove", "DELETE", "/users/{user}/administrator"),
    ("app", "list", "GET", "/applications"),
    ("app", "show", "GET", "/applications/{application}"),
    ("app", "create", "POST", "/applications"),
    ("app", "change", "PATCH", "/applications/{application}"),
    ("app", "secrets", "GET", "/applications/{application}/secrets"),
    ("app", "new-secret", "POST", "/applications/{application}/secrets"),
    ("app", "registration-tokens", "GET", "/initial-access-tokens"),
    ("app", "new-registration-token", "POST", "/initial-access-tokens"),
    ("app", "drop-registration-token", "DELETE", "/initial-access-tokens/{token}"),
    ("app", "delete", "DELETE", "/applications/{application}"),
    ("resource", "list", "GET", "/resource-servers"),
    ("resource", "show", "GET", "/resource-servers/{server}"),
    ("resource", "create", "POST", "/resource-servers"),
    ("resource", "change", "PATCH", "/resource-servers/{server}"),
    ("resource", "delete", "DELETE", "/resource-servers/{server}"),
    ("scope", "list", "GET", "/scopes"),
    ("scope", "show", "GET", "/scopes/{scope}"),
    ("scope", "create", "POST", "/scopes"),
    ("scope", "change", "PATCH", "/scopes/{scope}"),
    ("scope", "delete", "DELETE", "/scopes/{scope}"),
    ("tenant", "list", "GET", "/tenants"),
    ("tenant", "show", "GET", "/tenants/{tenant}"),
    ("tenant", "create", "POST", "/tenants"),
    ("tenant", "change", "PATCH", "/tenants/{tenant}"),
    ("tenant", "settings", "GET", "/settings"),
    ("tenant", "set", "PATCH", "/settings"),
    ("template", "list", "GET", "/templates"),
    ("template", "show", "GET", "/templates/{template}"),
    ("template", "set", "PUT", "/templates/{template}"),
    ("template", "preview", "POST", "/templates/{template}/preview"),
    ("template", "send", "POST", "/templates/{template}/send"),
    ("template", "remove", "DELETE", "/templates/{template}"),
    ("key", "list", "GET", "/keys"),
    ("key", "rotate", "POST", "/keys/rotate"),
    ("key", "api-keys", "GET", "/api-keys"),
    ("key", "new-api-key", "POST", "/api-keys"),
    ("key", "drop-api-key", "DELETE", "/api-keys/{key}"),
    ("audit", "list", "GET", "/events"),
    ("audit", "export", "GET", "/events/export"),
    ("audit", "verify", "GET", "/events/verify"),
];

/// The command of this name.
pub(super) fn find(noun: &str, verb: &str) -> Result<&'static Command, Failure> {
    COMMANDS.iter().find(|row| (row.0, row.1) == (noun, verb)).ok_or_else(|| {
        let verbs: Vec<&str> = COMMANDS.iter().filter(|row| row.0 == noun).map(|row| row.1).collect();
        Failure::usage(format!("`keyward {noun}` does not know `{verb}`; it knows {}.", verbs.join(", ")))
    })
}

/// The names of the places of a path.
pub(super) fn places(template: &'static str) -> impl Iterator<Item = &'static str> {
    template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// What a noun can do, or what a verb takes.
pub(super) fn help(noun: &str, verb: Option<&str>) -> Result<String, Failure> {
    let document = admin::described("");
    let Some(verb) = verb else {
        let mut text = format!("Usage: keyward {noun} VERB [WORD]… [name=value]… [--tenant SLUG] [--json]\n");
        text.push_str("       [--config FILE | --data DIR | --database URL]\n\n");
        for row in COMMANDS.iter().filter(|row| row.0 == noun) {
            let _ = writeln!(text, "  {:<36} {}", spelt(row), summary(&document, row));
        }
        let _ = writeln!(text, "\n`keyward {noun} VERB --help` tells the fields of a verb.");
        return Ok(text);
    };
    let row = find(noun, verb)?;
    let mut text = format!("Usage: keyward {noun} {} [name=value]…\n\n", spelt(row));
    let _ = writeln!(text, "{}.", summary(&document, row));
    let fields = fields(&document, row);
    if !fields.is_empty() {
        text.push_str("\nFields:\n");
    }
    for (name, meaning) in fields {
        let _ = writeln!(text, "  {name:<36} {meaning}");
    }
    Ok(text)
}

/// The verb with the words that it needs.
fn spelt((_, verb, _, template): &Command) -> String {
    let words = places(template).map(|place| match place {
        "user" => "EMAIL|USERNAME|ID".to_owned(),
        "application" => "CLIENT_ID|ID".to_owned(),
        "tenant" => "SLUG|ID".to_owned(),
        "server" => "AUDIENCE|ID".to_owned(),
        "scope" | "key" => "NAME|ID".to_owned(),
        "template" => "NAME".to_owned(),
        _ => "ID".to_owned(),
    });
    std::iter::once((*verb).to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

fn operation<'a>(document: &'a Value, (_, _, method, template): &Command) -> &'a Value {
    let at = document.get("paths").and_then(|paths| paths.get(*template));
    at.and_then(|at| at.get(method.to_ascii_lowercase())).unwrap_or(&Value::Null)
}

fn summary<'a>(document: &'a Value, row: &Command) -> &'a str {
    operation(document, row).get("summary").and_then(Value::as_str).unwrap_or_default()
}

/// The fields of the body, or of the query, each with what it means.
fn fields(document: &Value, row: &Command) -> Vec<(String, String)> {
    let operation = operation(document, row);
    let mut fields = Vec::new();
    let query = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    for parameter in query.filter(|parameter| parameter.get("in") == Some(&Value::from("query"))) {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        fields.push((name.to_owned(), meaning(parameter)));
    }
    if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
        within(document, schema, "", &mut fields);
    }
    fields
}

/// The fields of an object, those of objects in it under a longer name.
fn within(document: &Value, schema: &Value, outer: &str, fields: &mut Vec<(String, String)>) {
    let schema = followed(document, schema);
    let required: Vec<&str> = match schema.get("required").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => Vec::new(),
    };
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let inner = followed(document, field);
        let whole = format!("{outer}{name}");
        if outer.len() < 40 && inner.get("properties").is_some() {
            within(document, inner, &format!("{whole}."), fields);
            continue;
        }
        let needed = if required.contains(&name.as_str()) { "required. " } else { "" };
        fields.push((whole, format!("{needed}{}", meaning(field))));
    }
}

/// The schema that is referred to; of alternatives the first.
fn followed<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let first = schema.pointer("/anyOf/0").unwrap_or(schema);
    let name = first.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next());
    let named = name.and_then(|name| document.get("components")?.get("schemas")?.get(name));
    named.unwrap_or(first)
}

fn meaning(field: &Value) -> String {
    let schema = field.get("schema").unwrap_or(field);
    let said = field.get("description").and_then(Value::as_str).map(str::to_owned);
    let words = schema.get("enum").filter(|words| words.to_string().len() < 100);
    let words = words.map(|words| format!("one of {words}"));
    let default = schema.get("default").filter(|default| !default.is_null());
    let default = default.map(|default| format!("default {default}"));
    [said, words, default].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_described_by_the_api() {
        let document = admin::described("");
        for row in COMMANDS {
            assert!(!summary(&document, row).is_empty(), "{row:?}");
        }
        let text = help("app", Some("create")).unwrap_or_else(|_| panic!());
        for field in ["client_id", "metadata.redirect_uris", "metadata.lifetimes.code"] {
            assert!(text.contains(&format!("  {field} ")), "{text}");
        }
        assert!(help("app", None).is_ok_and(|text| text.contains("show CLIENT_ID|ID")));
        assert!(help("app", Some("fly")).is_err());
    }

    #[test]
    fn every_command_stands_in_the_documentation() {
        let page = include_str!("../../../../docs/command-line.md");
        for (noun, verb, ..) in COMMANDS {
            let row = page.lines().find(|line| line.starts_with(&format!("| `{noun}` |")));
            assert!(row.is_some_and(|row| row.contains(verb)), "{noun} {verb}");
        }
    }
}
