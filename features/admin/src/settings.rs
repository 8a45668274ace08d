//! `/api/v1/settings`: what an operator decides for a tenant. Templates have addresses of their own.

use crate::{
    call::{About, Answer, Call, said},
    endpoint::{Endpoint, Verb},
    refusal::Refusal,
    scope::Permission::{SettingsRead, SettingsWrite},
    shape::{Components, Shape},
    users::changed,
};
use base::Error;
use oauth::registration::Policy;
use serde_json::{Map, Value, json};
use store::{
    rows::tenant::{self, Settings},
    rules,
};
use web::{
    locale::Locale,
    theme::{Branding, Theme},
};

/// The settings as the API shows them: all but the templates.
pub(crate) struct TenantSettings;

impl Shape for TenantSettings {
    /// Made from the type that the store itself reads.
    fn schema(components: &mut Components) -> Value {
        let name = "Settings";
        if !components.contains_key(name) {
            let known = shown(&Settings::default()).unwrap_or_default();
            let property = |(name, default): (&String, &Value)| {
                let schema = match default {
                    Value::Bool(_) => json!({ "type": ["boolean", "null"], "default": default }),
                    Value::Number(_) => json!({ "type": ["integer", "null"], "default": default }),
                    Value::Object(_) => json!({ "type": ["object", "null"] }),
                    Value::Null if name == "password_min" => json!({ "type": ["integer", "null"] }),
                    Value::Null if !name.ends_with("_url") => json!({}),
                    _ => json!({ "type": ["string", "null"], "default": default }),
                };
                (name.clone(), schema)
            };
            let properties: Map<String, Value> = known.iter().map(property).collect();
            let schema = json!({
                "type": "object",
                "description": "What an operator decides for a tenant; null is the default.",
                "additionalProperties": false,
                "properties": properties,
            });
            components.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new((Verb::Get, "/settings"), ("getSettings", "Get the settings"), SettingsRead, |call| {
        Box::pin(one(call))
    })
    .gives(TenantSettings::schema),
    Endpoint::new(
        (Verb::Patch, "/settings"),
        ("updateSettings", "Change the settings"),
        SettingsWrite,
        |call| Box::pin(update(call)),
    )
    .takes(TenantSettings::schema)
    .gives(TenantSettings::schema)
    .guarded(),
];

fn all(settings: &Settings) -> Result<Map<String, Value>, Refusal> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::internal("settings are no JSON object").into()),
    }
}

fn shown(settings: &Settings) -> Result<Map<String, Value>, Refusal> {
    let mut map = all(settings)?;
    map.remove("templates");
    Ok(map)
}

async fn one(call: &Call) -> Result<Answer, Refusal> {
    Ok(Answer::of(&shown(&call.tenant.settings)?)?.version(call.tenant.version))
}

async fn update(call: &Call) -> Result<Answer, Refusal> {
    let patch = call.object()?;
    call.check_version(call.tenant.version)?;
    let before = &call.tenant.settings;
    let after = patched(before, &patch)?;
    let differs = changed(&shown(before)?, &shown(&after)?);
    if differs.is_empty() {
        return one(call).await;
    }
    let body = Answer::of(&shown(&after)?)?;
    write(call, &after, ("tenant.updated", json!({ "changed": differs })), body).await
}

/// What is wrong with a setting, each flaw with its place within it.
fn flaws(name: &str, value: &Value) -> Vec<(String, String)> {
    match (name, value) {
        (_, Value::Null) => Vec::new(),
        ("client_policy", _) => Policy::flaws(value),
        _ => {
            let spoken = |value: &Value| value.as_str().map_or(Ok(()), Locale::check);
            let checked = rules::setting(name, value);
            let checked = checked.and_then(|()| if name == "locale" { spoken(value) } else { Ok(()) });
            checked.err().map(|message| (String::new(), message)).into_iter().collect()
        }
    }
}

/// The settings with a patch over them, each mistake with its field.
pub(crate) fn patched(before: &Settings, patch: &Map<String, Value>) -> Result<Settings, Refusal> {
    let known = shown(before)?;
    let mut wrong = Vec::new();
    for (name, value) in patch {
        if !known.contains_key(name) {
            let known: Vec<&str> = known.keys().map(String::as_str).collect();
            wrong.push((name.clone(), format!("is unknown. Known here: {}.", known.join(", "))));
            continue;
        }
        let places = flaws(name, value).into_iter();
        wrong.extend(places.map(|(place, message)| (format!("{name}{place}"), message)));
    }
    if !wrong.is_empty() {
        return Err(Refusal::fields(wrong));
    }
    let mut map = all(before)?;
    rules::merge(&mut map, patch);
    let after: Settings = serde_json::from_value(Value::Object(map))
        .map_err(|error| Refusal::field("settings", said(&error)))?;
    rules::coherent(&after).map_err(|(name, message)| Refusal::field(name, message))?;
    if after.theme != before.theme {
        let branding: Branding = serde_json::from_value(Value::Object(after.theme.clone()))
            .map_err(|error| Refusal::field("theme", said(&error)))?;
        Theme::accept(&branding).map_err(|error| Refusal::field("theme", format!("cannot be: {error}")))?;
    }
    Ok(after)
}

/// Writes settings; the answer gets the tenant's new version.
pub(crate) async fn write(
    call: &Call,
    settings: &Settings,
    event: (&'static str, Value),
    answer: Answer,
) -> Result<Answer, Refusal> {
    let row = tenant::by_id(call.db(), call.tenant.id).await?.ok_or_else(Refusal::not_found)?;
    if row.version != call.tenant.version {
        return Err(Refusal::Again);
    }
    let mut unit = call.unit(event.0, About::NOBODY, event.1);
    let settings = Value::Object(all(settings)?).to_string();
    let version = row.version + 1;
    tenant::update(&mut unit, &tenant::TenantRow { settings, ..row }, call.now());
    let answer = call.finish(unit, answer.version(version)).await?;
    call.directory().forget(call.tenant.id);
    Ok(answer)
}
