//! `/api/v1/templates`: the templates of pages and mails, by name, ours and a tenant's own. One is kept
//! only if it draws every sample; should it break later, the built-in one takes its place.

use crate::{
    call::{About, Answer, Call},
    caller::Caller,
    endpoint::{Endpoint, Verb},
    refusal::{Refusal, WRONG_STATE},
    scope::Permission::{SettingsRead, SettingsWrite},
    settings,
    shape::{Shape, shape},
};
use base::{Email, Id, id, identifier::IdentifierKind};
use serde_json::json;
use std::time::Duration;
use store::rows::identifier;
use web::{locale::Locale, templates};
use work::mail::{Message, enqueue};

/// How long a mail with sample data is worth sending.
const LIFE: Duration = Duration::from_secs(600);

shape! {
    /// What a template may mention.
    given Variable {
        /// Its name.
        name: String,
        /// What it is.
        about: String,
    }
}

shape! {
    /// A template.
    given Template {
        /// Its name, such as `password.html` or `mail-recover.txt`.
        name: String,
        /// What it is for.
        about: String,
        /// The source that is in force.
        source: String,
        /// The built-in source.
        default: String,
        /// Whether the tenant has one of its own.
        own: bool,
        /// What a template of mails may mention.
        variables: Vec<Variable>,
    }
}

shape! {
    /// A template in a list.
    given TemplateName {
        /// Its name.
        name: String,
        /// What it is for.
        about: String,
        /// Whether the tenant has one of its own.
        own: bool,
        /// What a template of mails may mention.
        variables: Vec<Variable>,
    }
}

shape! {
    /// All templates that there are, and those of the tenant in single languages.
    given Templates {
        /// The templates by name.
        items: Vec<TemplateName>,
    }
}

shape! {
    /// The source of a template.
    sent TemplateSource {
        /// The source.
        source: String,
    }
}

shape! {
    /// What to show.
    sent PreviewWish {
        /// The source; what is in force without one.
        source: Option<String>,
        /// The language, such as `de`; the tenant's without one.
        locale: Option<String>,
    }
}

shape! {
    /// A template drawn with sample data.
    given Preview {
        /// The subject, of a mail.
        subject: Option<String>,
        /// The text, of a mail.
        text: Option<String>,
        /// The page, or the mail as HTML.
        html: String,
        /// What is wrong; where there is something, the built-in template was drawn.
        problems: Vec<String>,
    }
}

shape! {
    /// To whom a mail is sent with sample data.
    sent TestMail {
        /// An address that an account of this tenant has; the caller's own without one.
        to: Option<String>,
        /// The language, such as `de`; the tenant's without one.
        locale: Option<String>,
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
        (Verb::Post, "/templates/{template}/preview"),
        ("previewTemplate", "Draw a template with sample data"),
        SettingsRead,
        |call| Box::pin(preview(call)),
    )
    .takes(PreviewWish::schema)
    .gives(Preview::schema),
    Endpoint::new(
        (Verb::Post, "/templates/{template}/send"),
        ("sendTemplate", "Send a mail with sample data"),
        SettingsWrite,
        |call| Box::pin(send(call)),
    )
    .takes(TestMail::schema),
    Endpoint::new(
        (Verb::Delete, "/templates/{template}"),
        ("removeTemplate", "Return to the default of a template"),
        SettingsWrite,
        |call| Box::pin(remove(call)),
    )
    .guarded(),
];

fn variables(template: &templates::Template) -> Vec<Variable> {
    let shown = |variable: &templates::Variable| Variable {
        name: variable.name.to_owned(),
        about: variable.about.to_owned(),
    };
    template.variables.iter().map(shown).collect()
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let own = &call.tenant.settings.templates;
    let mut known = templates::all();
    let listed = |name: &String| known.iter().any(|template| template.name == *name);
    let more: Vec<templates::Template> =
        own.keys().filter(|name| !listed(name)).filter_map(|name| templates::find(name)).collect();
    known.extend(more);
    let items = known.into_iter().map(|template| TemplateName {
        own: own.contains_key(&template.name),
        variables: variables(&template),
        about: template.about.to_owned(),
        name: template.name,
    });
    let items = items.collect();
    Ok(Answer::of(&Templates { items })?.version(call.tenant.version))
}

/// The template that the path names.
fn named(call: &Call) -> Result<templates::Template, Refusal> {
    let name: String = call.part("template")?;
    templates::find(&name).ok_or_else(Refusal::not_found)
}

fn shown(template: templates::Template, own: Option<String>) -> Template {
    Template {
        variables: variables(&template),
        about: template.about.to_owned(),
        own: own.is_some(),
        source: own.unwrap_or_else(|| template.default.to_owned()),
        default: template.default.to_owned(),
        name: template.name,
    }
}

async fn one(call: &Call) -> Result<Answer, Refusal> {
    let template = named(call)?;
    let own = call.tenant.settings.templates.get(&template.name).cloned();
    Ok(Answer::of(&shown(template, own))?.version(call.tenant.version))
}

async fn set(call: &Call) -> Result<Answer, Refusal> {
    let TemplateSource { source } = call.sent()?;
    call.check_version(call.tenant.version)?;
    let template = named(call)?;
    let name = template.name.clone();
    templates::check(&name, &source).map_err(|problem| Refusal::field("source", problem))?;
    let mut after = call.tenant.settings.clone();
    let old = after.templates.insert(name.clone(), source.clone());
    if after.templates.len() > templates::MOST {
        let most = templates::MOST;
        return Err(Refusal::field("template", format!("is one too many; there are at most {most}")));
    }
    let answer = Answer::of(&shown(template, Some(source.clone())))?;
    let detail = json!({ "template": name, "changed": { "source": { "old": old, "new": source } } });
    settings::write(call, &after, ("template.set", detail), answer).await
}

fn language(wished: Option<&str>) -> Result<Option<Locale>, Refusal> {
    let known =
        |tag: &str| Locale::from_tag(tag).ok_or_else(|| Refusal::field("locale", "is not spoken here"));
    wished.map(known).transpose()
}

/// The template with sample data, as the tenant would send or show it.
fn drawn(call: &Call, source: Option<String>, locale: Option<&str>) -> Result<templates::Preview, Refusal> {
    let template = named(call)?;
    if source.as_ref().is_some_and(|source| source.len() > templates::LONGEST) {
        return Err(Refusal::field("source", format!("is longer than {} bytes", templates::LONGEST)));
    }
    let chrome = call.admin.site.chrome(&call.tenant);
    templates::preview(&template.name, source, language(locale)?, chrome).ok_or_else(Refusal::not_found)
}

async fn preview(call: &Call) -> Result<Answer, Refusal> {
    let PreviewWish { source, locale } = call.sent()?;
    let templates::Preview { subject, text, html, problems } = drawn(call, source, locale.as_deref())?;
    Answer::of(&Preview { subject, text, html, problems })
}

async fn send(call: &Call) -> Result<Answer, Refusal> {
    let TestMail { to, locale } = call.sent()?;
    let templates::Preview { subject: Some(subject), text: Some(text), html, .. } =
        drawn(call, None, locale.as_deref())?
    else {
        return Err(Refusal::because(WRONG_STATE, "Only mails can be sent."));
    };
    let (person, to) = receiver(call, to.as_deref()).await?;
    let message = Message { to, subject, text, html, code: None, links: Vec::new(), decoy: false };
    let name: String = call.part("template")?;
    let mut unit = call.unit("template.sent", About::person(person, None), json!({ "template": name }));
    enqueue(&mut unit, &call.tenant, call.env(), &message, call.now().plus(LIFE));
    call.finish(unit, Answer::empty()).await
}

/// Mails with sample data go to people of this tenant only, so that nobody else is bothered.
async fn receiver(call: &Call, to: Option<&str>) -> Result<(Id<id::Person>, String), Refusal> {
    let wrong = |message: &str| Refusal::field("to", message);
    if let Some(to) = to {
        let email = Email::parse(to).map_err(|error| wrong(&error.to_string()))?;
        let found =
            identifier::find(call.db(), call.tenant.id, IdentifierKind::Email, email.normal()).await?;
        let row = found.ok_or_else(|| wrong("is the address of no account here"))?;
        return Ok((row.person, row.typed));
    }
    let Caller::Token { person: Some(person), .. } = &call.caller else {
        return Err(wrong("is needed, since the caller is no person"));
    };
    let rows = identifier::of_person(call.db(), call.tenant.id, *person).await?;
    let row = rows.into_iter().find(|row| row.kind == "email");
    row.map(|row| (row.person, row.typed)).ok_or_else(|| wrong("is needed, since the caller has no address"))
}

async fn remove(call: &Call) -> Result<Answer, Refusal> {
    call.check_version(call.tenant.version)?;
    let name: String = call.part("template")?;
    let mut after = call.tenant.settings.clone();
    let source = after.templates.remove(&name).ok_or_else(Refusal::not_found)?;
    let detail = json!({ "template": name, "changed": { "source": { "old": source } } });
    settings::write(call, &after, ("template.removed", detail), Answer::empty()).await
}
