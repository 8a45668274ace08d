//! `keyward user|app|resource|scope|tenant|key|audit …` and `keyward call …`: the admin API by hand. A command
//! is a row of a table; what it does is the API's business. It goes to the server that holds an embedded
//! database, else it works on the database itself.

use super::reach::reach;
use crate::{
    failure::Failure,
    installation::{Installation, Place},
    wiring,
};
use apply::control::{Call, Reply};
use base::Env;
use serde_json::{Map, Value};
use std::path::Path;
use store::Directory;
use work::{HashPool, HashSettings};

/// `keyward NOUN VERB`, the method and the path with its places.
type Command = (&'static str, &'static str, &'static str, &'static str);

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
    ("key", "list", "GET", "/keys"),
    ("key", "rotate", "POST", "/keys/rotate"),
    ("key", "api-keys", "GET", "/api-keys"),
    ("key", "new-api-key", "POST", "/api-keys"),
    ("key", "drop-api-key", "DELETE", "/api-keys/{key}"),
    ("audit", "list", "GET", "/events"),
    ("audit", "export", "GET", "/events/export"),
    ("audit", "verify", "GET", "/events/verify"),
];

/// What was typed after `keyward`.
pub(super) struct Typed<'a> {
    pub(super) noun: &'a str,
    pub(super) verb: &'a str,
    pub(super) arguments: &'a [String],
    pub(super) tenant: &'a str,
    pub(super) place: &'a Place,
}

/// A command of the table.
pub(super) async fn run(typed: Typed<'_>, json: bool) -> Result<(), Failure> {
    let call = read(typed.noun, typed.verb, typed.arguments, typed.tenant)?;
    send(typed.place, &call, json).await
}

/// `keyward call METHOD PATH [BODY]`: whatever the API can do.
pub(super) async fn raw(place: &Place, call: Call, json: bool) -> Result<(), Failure> {
    send(place, &call, json).await
}

/// The body of `keyward call`.
pub(super) fn body(text: Option<&str>) -> Result<Value, Failure> {
    let Some(text) = text else { return Ok(Value::Null) };
    serde_json::from_str(text).map_err(|error| Failure::usage(format!("The body is not JSON: {error}.")))
}

/// The call that a command stands for: words fill the places of its path, `name=value` is a field of
/// its body, or of the query where there is no body.
fn read(noun: &str, verb: &str, arguments: &[String], tenant: &str) -> Result<Call, Failure> {
    let row = COMMANDS.iter().find(|row| (row.0, row.1) == (noun, verb)).ok_or_else(|| {
        let verbs: Vec<&str> = COMMANDS.iter().filter(|row| row.0 == noun).map(|row| row.1).collect();
        Failure::usage(format!("`keyward {noun}` does not know `{verb}`; it knows {}.", verbs.join(", ")))
    })?;
    let (_, _, method, template) = *row;
    let (mut path, mut words) = (template.to_owned(), arguments.iter().filter(|word| !word.contains('=')));
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
        let word = words
            .next()
            .ok_or_else(|| Failure::usage(format!("Which {name}? Type: keyward {noun} {verb} ID")))?;
        path = format!("{before}{}{after}", encoded(word));
    }
    if let Some(word) = words.next() {
        return Err(Failure::usage(format!("`{word}` is one word too many; a field is written name=value.")));
    }
    let pairs = arguments.iter().filter_map(|argument| argument.split_once('='));
    let mut body = Value::Null;
    if method == "GET" {
        let query: Vec<String> =
            pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
    } else {
        let mut fields = Map::new();
        for (name, value) in pairs {
            set(&mut fields, name, value);
        }
        if !fields.is_empty() || method != "DELETE" {
            body = Value::Object(fields);
        }
    }
    Ok(Call { tenant: tenant.to_owned(), method: method.to_owned(), path, body })
}

/// `address.locality=Berlin` is a field within a field; what reads as JSON is JSON.
fn set(fields: &mut Map<String, Value>, name: &str, value: &str) {
    match name.split_once('.') {
        Some((outer, inner)) => {
            let entry = fields.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(within) = entry {
                set(within, inner, value);
            }
        }
        None => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            fields.insert(name.to_owned(), value);
        }
    }
}

/// Percent-encoded as a part of a path or a query (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

async fn send(place: &Place, call: &Call, json: bool) -> Result<(), Failure> {
    let installation = Installation::of(place)?;
    let directly = async |directory: &Directory| {
        let pool = HashPool::start(Env::system(), HashSettings::default())?;
        Ok(wiring::calls(directory, &pool)(call.clone()).await)
    };
    let beside = async |socket: &Path| apply::control::call(socket, call).await;
    let reply = reach(&installation, directly, beside).await?;
    print(&reply, json)
}

/// The answer on stdout; a refusal on stderr with exit code 1, or 2 where the call itself was wrong.
fn print(reply: &Reply, json: bool) -> Result<(), Failure> {
    if reply.status < 400 {
        match &reply.body {
            Value::Null => {}
            Value::String(text) => print!("{text}"),
            body if json => println!("{body}"),
            body => println!("{}", serde_json::to_string_pretty(body).unwrap_or_default()),
        }
        return Ok(());
    }
    let said = ["detail", "title"].iter().find_map(|name| reply.body.get(name)?.as_str());
    let sentence = crate::failure::sentence(said.unwrap_or("The API refused the call"));
    let mut problem = reply.body.clone();
    if let Some(problem) = problem.as_object_mut() {
        problem.insert("error".to_owned(), sentence.clone().into());
    }
    let mut failure = Failure::problems([problem]);
    if !reply.body.is_object() {
        failure = Failure::usage(sentence);
    }
    failure.code = if matches!(reply.status, 400 | 422) { 2 } else { 1 };
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Call, Failure> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        read(&words[0], &words[1], &words[2..], "default")
    }

    #[test]
    fn a_command_is_a_call_of_the_api() {
        let call = typed("user list search=a b&c").map(|call| call.path);
        assert!(call.is_err(), "a space ends a word");
        let call = typed("user list email=alice+x@example.com limit=5").unwrap_or_else(|_| panic!());
        assert_eq!(
            (call.method.as_str(), call.path.as_str()),
            ("GET", "/users?email=alice%2Bx%40example.com&limit=5")
        );
        assert_eq!(call.body, Value::Null);
        let call = typed("user suspend usr_1/..").unwrap_or_else(|_| panic!());
        assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/users/usr_1%2F../suspend"));
        let call = typed("app create client_id=web first_party=false address.locality=Berlin")
            .unwrap_or_else(|_| panic!());
        let body = serde_json::json!({
            "client_id": "web", "first_party": false, "address": { "locality": "Berlin" }
        });
        assert_eq!(call.body, body);
    }

    #[test]
    fn what_is_not_known_is_said() {
        for (line, said) in [
            ("user fly", "does not know `fly`"),
            ("user show", "Which user?"),
            ("user show usr_1 usr_2", "one word too many"),
        ] {
            let Err(failure) = typed(line) else { panic!("{line}") };
            assert!(failure.says(said), "{line}");
        }
    }
}
