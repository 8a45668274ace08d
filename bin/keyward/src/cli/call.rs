//! `keyward user|app|tenant|…` and `keyward call …`: the admin API by hand. A command
//! is a row of a table; what it does is the API's business. It goes to the server that holds an embedded
//! database, else it works on the database itself. Objects may be named as people name them: a list is
//! asked for their ids.

use super::{commands, output, reach::reach};
use crate::{
    failure::Failure,
    installation::{Installation, Place},
    wiring,
};
use apply::control::{Call, Reply};
use base::{Env, Id, id};
use serde_json::{Map, Value};
use std::path::Path;
use store::Directory;
use work::{HashPool, HashSettings};

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
    let arguments = resolved(&typed).await?;
    let call = read(typed.noun, typed.verb, &arguments, typed.tenant)?;
    let reply = answer(typed.place, &call).await?;
    let (_, _, _, template) = commands::find(typed.noun, typed.verb)?;
    let named = commands::places(template).next().zip(typed.arguments.iter().find(|word| is_word(word)));
    match named {
        Some((place, word)) if reply.status == 404 => {
            print(&Reply { body: with_detail(reply.body, absent(place, word, typed.tenant)), ..reply }, json)
        }
        _ => print(&reply, json),
    }
}

fn is_word(argument: &str) -> bool {
    !is_field(argument)
}

/// `name=value`; a word that is an address of its own may hold the sign, too.
fn is_field(argument: &str) -> bool {
    let name = argument.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| !name.contains("://") && !name.contains('@'))
}

fn absent(place: &str, word: &str, tenant: &str) -> String {
    match place {
        "tenant" => format!("There is no tenant {word}."),
        "server" => format!("There is no resource server {word} in tenant {tenant}."),
        "key" => format!("There is no API key {word} in tenant {tenant}."),
        _ => format!("There is no {place} {word} in tenant {tenant}."),
    }
}

fn with_detail(mut body: Value, detail: String) -> Value {
    if let Some(body) = body.as_object_mut() {
        body.insert("detail".to_owned(), detail.into());
    }
    body
}

/// The arguments with an id in the place of each name.
async fn resolved(typed: &Typed<'_>) -> Result<Vec<String>, Failure> {
    let (_, _, _, template) = commands::find(typed.noun, typed.verb)?;
    let mut arguments = typed.arguments.to_vec();
    let words = arguments.iter_mut().filter(|argument| is_word(argument));
    for (word, place) in words.zip(commands::places(template)) {
        *word = id_of(typed, place, word).await?;
    }
    if typed.noun == "audit" {
        for argument in &mut arguments {
            if let Some((place @ ("user" | "application"), name)) = argument.split_once('=') {
                *argument = format!("{place}={}", id_of(typed, place, name).await?);
            }
        }
    }
    Ok(arguments)
}

/// The id of the object that a word names; a word that is an id, or stands for one itself, as it is.
async fn id_of(typed: &Typed<'_>, place: &str, word: &str) -> Result<String, Failure> {
    let Some((list, by)) = list_of(place, word) else { return Ok(word.to_owned()) };
    let path = format!("{list}?{by}={}", encoded(word));
    let call = Call { tenant: typed.tenant.to_owned(), method: "GET".to_owned(), path, body: Value::Null };
    let reply = answer(typed.place, &call).await?;
    if reply.status >= 400 {
        return Err(refusal(&reply));
    }
    let all = reply.body.get("items").and_then(Value::as_array);
    let fits = |item: &&Value| {
        let other = by == "search" && item.get("name").and_then(Value::as_str) != Some(word);
        !other && item.get("revoked_at").is_none_or(Value::is_null)
    };
    let mut ids = all.into_iter().flatten().filter(fits).filter_map(|item| item.get("id")?.as_str());
    match (ids.next(), ids.next()) {
        (Some(id), None) => Ok(id.to_owned()),
        (None, _) => Err(Failure::failed(absent(place, word, typed.tenant))),
        _ => Err(Failure::failed(format!("Several are called {word}; give the id."))),
    }
}

/// Which list knows this word, and by which parameter.
fn list_of(place: &str, word: &str) -> Option<(&'static str, &'static str)> {
    match place {
        "user" if word.parse::<Id<id::Person>>().is_ok() => None,
        "user" if word.contains('@') => Some(("/users", "email")),
        "user" => Some(("/users", "username")),
        "application" if word.parse::<Id<id::Application>>().is_err() => Some(("/applications", "client_id")),
        "tenant" if word.parse::<Id<id::Tenant>>().is_err() => Some(("/tenants", "slug")),
        "server" if word.parse::<Id<id::ResourceServer>>().is_err() => {
            Some(("/resource-servers", "audience"))
        }
        "scope" if word.parse::<Id<id::Scope>>().is_err() => Some(("/scopes", "name")),
        "key" if word.parse::<Id<id::ApiKey>>().is_err() => Some(("/api-keys", "search")),
        _ => None,
    }
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
    let (_, _, method, template) = *commands::find(noun, verb)?;
    let (mut path, mut words) = (template.to_owned(), arguments.iter().filter(|word| is_word(word)));
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
    let pairs =
        arguments.iter().filter(|word| is_field(word)).filter_map(|argument| argument.split_once('='));
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
    print(&answer(place, call).await?, json)
}

async fn answer(place: &Place, call: &Call) -> Result<Reply, Failure> {
    let installation = Installation::of(place)?;
    let directly = async |directory: &Directory| {
        let pool = HashPool::start(Env::system(), HashSettings::default())?;
        Ok(wiring::calls(directory, &pool)(call.clone()).await)
    };
    let beside = async |socket: &Path| apply::control::call(socket, call).await;
    reach(&installation, directly, beside).await
}

/// The answer on stdout; a refusal on stderr with exit code 1, or 2 where the call itself was wrong.
fn print(reply: &Reply, json: bool) -> Result<(), Failure> {
    if reply.status < 400 {
        match &reply.body {
            Value::Null => {}
            Value::String(text) => output::write(text),
            body if json => output::line(body),
            body => output::line(serde_json::to_string_pretty(body).unwrap_or_default()),
        }
        return Ok(());
    }
    Err(refusal(reply))
}

/// A refusal as a failure: the sentence, and below it each field with what is wrong with it.
fn refusal(reply: &Reply) -> Failure {
    let said = ["detail", "title"].iter().find_map(|name| reply.body.get(name)?.as_str());
    let sentence = crate::failure::sentence(said.unwrap_or("The API refused the call"));
    let mut problem = reply.body.clone();
    if let Some(problem) = problem.as_object_mut() {
        let fields = problem.get("fields").and_then(Value::as_array);
        let line = |field: &Value| {
            Some(format!("\n  {} {}", field.get("field")?.as_str()?, field.get("message")?.as_str()?))
        };
        let lines: String = fields.into_iter().flatten().filter_map(line).collect();
        problem.insert("error".to_owned(), sentence.clone().into());
        problem.insert("text".to_owned(), format!("{sentence}{lines}").into());
    }
    let mut failure = Failure::problems([problem]);
    if !reply.body.is_object() {
        failure = Failure::usage(sentence);
    }
    failure.code = if matches!(reply.status, 400 | 422) { 2 } else { 1 };
    failure
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
    fn a_refusal_says_which_field_and_why() {
        let fields = serde_json::json!([{ "field": "client_policy.bogus", "message": "is unknown" }]);
        let body = serde_json::json!({ "title": "Values cannot be accepted.", "fields": fields });
        let failure = refusal(&Reply { status: 400, body });
        assert_eq!(failure.code, 2);
        assert!(failure.says("Values cannot be accepted.\\n  client_policy.bogus is unknown"));
    }

    #[test]
    fn names_stand_for_ids() {
        assert_eq!(list_of("application", "shop"), Some(("/applications", "client_id")));
        assert_eq!(list_of("user", "alice@example.com"), Some(("/users", "email")));
        assert_eq!(list_of("user", "usr_AaIQKx5PeyGOVOGXQw-jYQ"), None);
        assert_eq!(list_of("template", "mail-code.txt"), None);
        assert!(is_word("https://orders.example/?a=b") && is_field("q=a@b"));
        assert_eq!(
            absent("application", "shop", "default"),
            "There is no application shop in tenant default."
        );
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
