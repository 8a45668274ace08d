//! `/api/v1/templates`: a tenant's own templates of pages and mails, by name. One that is broken does
//! no harm: the default is shown in its place.

use crate::{
    call::{Answer, Call},
    endpoint::{Endpoint, Verb},
    refusal::Refusal,
    scope::Permission::{SettingsRead, SettingsWrite},
    settings,
    shape::{Shape, shape},
};
use serde_json::json;

/// The longest template, in bytes.
const LONGEST: usize = 64 * 1024;
/// The most templates.
const MOST: usize = 100;

shape! {
    /// A template.
    given Template {
        /// Its name, such as `password.html`.
        name: String,
        /// Its source.
        source: String,
    }
}

shape! {
    /// All templates of a tenant.
    given Templates {
        /// The templates by name.
        items: Vec<Template>,
    }
}

shape! {
    /// The source of a template.
    sent TemplateSource {
        /// The source.
        source: String,
    }
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new((Verb::Get, "/templates"), ("listTemplates", "List templates"), SettingsRead, |call| {
        Box::pin(list(call))
    })
    .gives(Templates::schema),
    Endpoint::new(
        (Verb::Get, "/templates/{template}"),
        ("getTemplate", "Get a template"),
        SettingsRead,
        |call| Box::pin(one(call)),
    )
    .gives(Template::schema),
    Endpoint::new(
        (Verb::Put, "/templates/{template}"),
        ("setTemplate", "Set a template"),
        SettingsWrite,
        |call| Box::pin(set(call)),
    )
    .takes(TemplateSource::schema)
    .gives(Template::schema)
    .guarded(),
    Endpoint::new(
        (Verb::Delete, "/templates/{template}"),
        ("removeTemplate", "Return to the default of a template"),
        SettingsWrite,
        |call| Box::pin(remove(call)),
    )
    .guarded(),
];

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let templates = &call.tenant.settings.templates;
    let show = |(name, source): (&String, &String)| Template { name: name.clone(), source: source.clone() };
    let items = templates.iter().map(show).collect();
    Ok(Answer::of(&Templates { items })?.version(call.tenant.version))
}

fn found(call: &Call) -> Result<(String, String), Refusal> {
    let name: String = call.part("template")?;
    let source = call.tenant.settings.templates.get(&name).cloned().ok_or_else(Refusal::not_found)?;
    Ok((name, source))
}

async fn one(call: &Call) -> Result<Answer, Refusal> {
    let (name, source) = found(call)?;
    Ok(Answer::of(&Template { name, source })?.version(call.tenant.version))
}

async fn set(call: &Call) -> Result<Answer, Refusal> {
    let TemplateSource { source } = call.sent()?;
    call.check_version(call.tenant.version)?;
    let name: String = call.part("template")?;
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(letters) {
        return Err(Refusal::field("template", "is no name of a template; use letters, digits and _ - ."));
    }
    if source.len() > LONGEST {
        return Err(Refusal::field("source", format!("is longer than {LONGEST} bytes")));
    }
    let mut after = call.tenant.settings.clone();
    let old = after.templates.insert(name.clone(), source.clone());
    if after.templates.len() > MOST {
        return Err(Refusal::field("template", format!("is one too many; there are at most {MOST}")));
    }
    let detail = json!({ "template": name, "changed": { "source": { "old": old, "new": source } } });
    let answer = Answer::of(&Template { name, source })?;
    settings::write(call, &after, ("template.set", detail), answer).await
}

async fn remove(call: &Call) -> Result<Answer, Refusal> {
    call.check_version(call.tenant.version)?;
    let (name, source) = found(call)?;
    let mut after = call.tenant.settings.clone();
    after.templates.remove(&name);
    let detail = json!({ "template": name, "changed": { "source": { "old": source } } });
    settings::write(call, &after, ("template.removed", detail), Answer::empty()).await
}
