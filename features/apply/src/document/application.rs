//! An application of the file: a patch of client metadata, every value checked where it stands.

use super::{
    Problem,
    fields::{Fields, one_of, text, unknown},
    short, web_address,
};
use base::Secret;
use oauth::{client::ClientId, scope::Scope, uri::RedirectUri};
use serde_json::{Map, Value};
use std::{fmt::Display, sync::LazyLock};

/// An application of the file.
pub(crate) struct ApplicationEntry {
    pub(crate) path: String,
    pub(crate) client_id: ClientId,
    /// What the file says of the metadata; null where it returns to the default.
    pub(crate) patch: Map<String, Value>,
    pub(crate) public: Option<bool>,
    pub(crate) secret: Option<Secret<String>>,
    /// Whether the file says that the secret is the one that is stored.
    pub(crate) is_kept: bool,
    pub(crate) state: Option<&'static str>,
}

/// What stands beside the metadata.
pub(super) const OWN: &[&str] = &["client_id", "client_secret", "client_secret_file", "public", "state"];
/// The names of all metadata.
pub(super) static METADATA: LazyLock<Vec<String>> = LazyLock::new(|| {
    let client = "any".parse().ok().map(oauth::Client::new);
    let all = client.and_then(|client| serde_json::to_value(client).ok()).unwrap_or_default();
    let names = all.as_object().into_iter().flat_map(Map::keys);
    names.filter(|name| name.as_str() != "client_id").cloned().collect()
});
pub(super) const LIFETIMES: &[&str] =
    &["code", "access_token", "id_token", "refresh_idle", "refresh_absolute"];
const GRANTS: &[&str] = &["authorization_code", "refresh_token", "client_credentials"];
const METHODS: &[&str] =
    &["none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"];

/// Reads an application.
pub(super) fn read(value: Value, path: String, problems: &mut Vec<Problem>) -> Option<ApplicationEntry> {
    let known: Vec<&str> = OWN.iter().copied().chain(METADATA.iter().map(String::as_str)).collect();
    let mut fields = Fields::new(value, path.clone(), &known, problems)?;
    let client_id = fields.required("client_id", str::parse::<ClientId>);
    let is_kept = says_stored(&mut fields);
    let secret = fields.text("client_secret", secret);
    if fields.take("client_secret_file").is_some() {
        fields.wrong("client_secret_file", "is read by the command, never by the server");
    }
    let public = fields.flag("public");
    let state = fields.text("state", |text| one_of(text, &["active", "disabled"]));
    let mut patch = Map::new();
    for name in METADATA.iter() {
        let Some(value) = fields.take(name) else { continue };
        for problem in check(name, &value).err().unwrap_or_default() {
            fields.wrong(&format!("{name}{}", problem.path), problem.message);
        }
        patch.insert(name.clone(), value);
    }
    let method = patch.get("token_endpoint_auth_method").and_then(Value::as_str);
    let none = method.map(|method| method == "none");
    if matches!((public, none), (Some(public), Some(none)) if public != none) {
        fields.wrong("public", "contradicts token_endpoint_auth_method; leave one of them out");
    }
    if (secret.is_some() || is_kept) && (public == Some(true) || none == Some(true)) {
        fields.wrong("client_secret", "belongs to no public application; leave it or \"public: true\" out");
    }
    Some(ApplicationEntry { path, client_id: client_id?, patch, public, secret, is_kept, state })
}

/// Whether the secret is written as `{stored: true}`, which stands for the one that is kept.
fn says_stored(fields: &mut Fields<'_>) -> bool {
    let Some(said) = fields.take_group("client_secret") else { return false };
    let stored = said.len() == 1 && said.get("stored") == Some(&Value::Bool(true));
    if !stored {
        fields.wrong("client_secret", "must be a text, or {stored: true} for the one that is kept");
    }
    stored
}

/// The characters of RFC 6749, appendix A.2.
fn secret(text: &str) -> Result<Secret<String>, &'static str> {
    let proper = (1..=256).contains(&text.len()) && text.bytes().all(|b| matches!(b, 0x20..=0x7e));
    if !proper {
        return Err("must be 1 to 256 characters of printable ASCII");
    }
    Ok(Secret::new(text.to_owned()))
}

fn check(name: &str, value: &Value) -> Result<(), Vec<Problem>> {
    if value.is_null() {
        return Ok(());
    }
    let whole = |checked: Result<(), String>| checked.map_err(|message| vec![Problem::new("", message)]);
    match name {
        "name" => whole(text(value).and_then(|text| short(text, 200)).map(drop)),
        "application_type" => whole(word(value, &["web", "native"])),
        "token_endpoint_auth_method" => whole(word(value, METHODS)),
        "id_token_signed_response_alg" | "access_token_signed_response_alg" => {
            let offered = jose::Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric());
            whole(word(value, &offered.map(jose::Algorithm::as_str).collect::<Vec<_>>()))
        }
        "redirect_uris" | "post_logout_redirect_uris" => each(value, |text| text.parse::<RedirectUri>()),
        "grant_types" => each(value, |text| one_of(text, GRANTS)),
        "scopes" => each(value, |text| text.parse::<Scope>()),
        "audiences" => each(value, |text| short(text, 2048)),
        "lifetimes" => lifetimes(value),
        "client_uri" | "logo_uri" | "policy_uri" | "tos_uri" => {
            let parse = |text| web_address(text).map(drop).map_err(|error| error.to_string());
            whole(text(value).and_then(parse))
        }
        "first_party" | "require_pkce" | "rotate_refresh_tokens" | "userinfo_in_id_token" => {
            whole(value.as_bool().map(drop).ok_or_else(|| "must be true or false".to_owned()))
        }
        _ => whole(as_metadata(name, value)),
    }
}

/// Whether the value is one of this metadata, as the application itself reads it.
fn as_metadata(name: &str, value: &Value) -> Result<(), String> {
    let alone =
        Map::from_iter([("client_id".to_owned(), Value::from("any")), (name.to_owned(), value.clone())]);
    let read = serde_json::from_value::<oauth::Client>(Value::Object(alone));
    read.map(drop).map_err(|error| format!("is not valid: {error}"))
}

fn word(value: &Value, words: &[&str]) -> Result<(), String> {
    text(value).and_then(|text| one_of(text, words)).map(drop)
}

fn each<T, E: Display>(value: &Value, parse: impl Fn(&str) -> Result<T, E>) -> Result<(), Vec<Problem>> {
    let Value::Array(list) = value else { return Err(vec![Problem::new("", "must be a list")]) };
    let mut problems = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let parsed = text(value).and_then(|text| parse(text).map(drop).map_err(|error| error.to_string()));
        if let Err(message) = parsed {
            problems.push(Problem::new(format!("[{index}]"), message));
        }
        if list.iter().take(index).any(|earlier| earlier == value) {
            problems.push(Problem::new(format!("[{index}]"), "stands twice; keep one of them"));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn lifetimes(value: &Value) -> Result<(), Vec<Problem>> {
    let Value::Object(map) = value else {
        return Err(vec![Problem::new("", "must be a group of keys with values")]);
    };
    let mut problems = Vec::new();
    for (name, value) in map {
        let most = match name.as_str() {
            "code" => 60,
            "access_token" | "id_token" => oauth::client::Lifetimes::LONGEST_SIGNED,
            _ => 10 * 365 * 86_400,
        };
        let message = if !LIFETIMES.contains(&name.as_str()) {
            unknown(name, LIFETIMES)
        } else if value.is_null() || value.as_i64().is_some_and(|seconds| (1..=most).contains(&seconds)) {
            continue;
        } else {
            format!("must be a number of seconds from 1 to {most}")
        };
        problems.push(Problem::new(format!(".{name}"), message));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Puts the content of each `client_secret_file` in the place of its name.
pub(super) fn read_secret_files(source: &mut Value, problems: &mut Vec<Problem>) {
    let tenants = source.get_mut("tenants").and_then(Value::as_array_mut);
    for (t, tenant) in tenants.into_iter().flatten().enumerate() {
        let applications = tenant.get_mut("applications").and_then(Value::as_array_mut);
        for (a, application) in applications.into_iter().flatten().enumerate() {
            let Some(map) = application.as_object_mut() else { continue };
            let Some(file) = map.remove("client_secret_file") else { continue };
            let both = map.contains_key("client_secret");
            let read = match text(&file) {
                Ok(_) if both => Err("stands beside client_secret; keep one of them".to_owned()),
                Ok(name) => secret_file(name),
                Err(message) => Err(message),
            };
            match read {
                Ok(secret) => drop(map.insert("client_secret".to_owned(), secret.into())),
                Err(message) => {
                    let path = format!("tenants[{t}].applications[{a}].client_secret_file");
                    problems.push(Problem::new(path, message));
                }
            }
        }
    }
}

fn secret_file(name: &str) -> Result<String, String> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |error: std::io::Error| format!("cannot be read ({error}); name a readable file");
    let meta = std::fs::metadata(name).map_err(failed)?;
    if meta.permissions().mode() & 0o004 != 0 {
        return Err(format!("is readable by everybody; run: chmod 600 {name}"));
    }
    if meta.len() > 1024 {
        return Err("is larger than 1 KiB; name a file that holds the secret alone".to_owned());
    }
    let text = std::fs::read_to_string(name).map_err(failed)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
