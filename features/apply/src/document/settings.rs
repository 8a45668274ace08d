//! The settings of a tenant in the file: a patch of what is stored.

use super::{
    fields::{Fields, one_of, text, unknown},
    language, web_address,
};
use serde_json::{Map, Value};
use store::rows::tenant::Settings;

/// Reads `settings`. A setting that is null returns to its default.
pub(super) fn read(fields: &mut Fields<'_>) -> Map<String, Value> {
    let known = serde_json::to_value(Settings::default()).unwrap_or_default();
    let known: Vec<&str> = known.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    let settings = fields.group("settings");
    for (name, value) in &settings {
        if name == "client_policy" && !value.is_null() {
            for (place, message) in oauth::registration::Policy::flaws(value) {
                fields.wrong(&format!("settings.{name}{place}"), message);
            }
            continue;
        }
        let checked =
            if known.contains(&name.as_str()) { check(name, value) } else { Err(unknown(name, &known)) };
        if let Err(message) = checked {
            fields.wrong(&format!("settings.{name}"), message);
        }
    }
    settings
}

fn check(name: &str, value: &Value) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    match name {
        "registration" | "usernames" | "session_management" => {
            value.as_bool().map(drop).ok_or_else(|| "must be true or false".into())
        }
        "profile" => one_of(text(value)?, &["default", "nist-aal2"]).map(drop),
        "client_registration" => one_of(text(value)?, &["off", "token", "open"]).map(drop),
        "locale" => {
            let tag = text(value)?;
            language(tag).map_err(str::to_owned).and_then(|tag| web::locale::Locale::check(&tag))
        }
        "password_min" => number(value, 8..=64, "characters"),
        "session_idle" | "session_absolute" => number(value, 60..=400 * 86_400, "seconds"),
        "key_rotation_days" | "key_publish_days" => store::rules::setting(name, value),
        "privacy_url" | "terms_url" => web_address(text(value)?).map(drop).map_err(|error| error.to_string()),
        "templates" => templates(value),
        "theme" if value.is_object() => Ok(()),
        _ => texts(value),
    }
}

/// Templates draw every sample before they are kept, as when they come by the API.
fn templates(value: &Value) -> Result<(), String> {
    texts(value)?;
    let named = value.as_object().into_iter().flatten();
    for (name, source) in named.filter_map(|(name, source)| Some((name, source.as_str()?))) {
        web::templates::check(name, source).map_err(|problem| format!("{name}: {problem}"))?;
    }
    Ok(())
}

fn number(value: &Value, range: std::ops::RangeInclusive<u64>, unit: &str) -> Result<(), String> {
    match value.as_u64() {
        Some(number) if range.contains(&number) => Ok(()),
        _ => Err(format!("must be a number of {unit} from {} to {}", range.start(), range.end())),
    }
}

fn texts(value: &Value) -> Result<(), String> {
    let texts = value.as_object().is_some_and(|map| map.values().all(|v| v.is_string() || v.is_null()));
    if texts { Ok(()) } else { Err("must be a group of names with texts".to_owned()) }
}
