//! The template engine: our templates, compiled once a language, with `t`, `rich`, `say`,
//! `date`, `date_time` and `ago`, escaping everything, and with fuel so that no template runs
//! for ever.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value as Template};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context};
use serde::Serialize;

use super::{Chrome, Form, Rendered, Target};
use crate::assets;
use crate::locale::{self, Locale, Value};

/// Enough for the longest page a hundred times over.
const FUEL: u64 = 1_000_000;
/// In bytes: messages within messages must not grow without end.
const LONGEST_VALUE: usize = 64 * 1024;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../web/hosted/templates/", $name)))),*]
    };
}

const TEMPLATES: &[(&str, &str)] = embedded![
    "_account.html",
    "_base.html",
    "_card.html",
    "_footer.html",
    "_form.html",
    "_header.html",
    "_icons.html",
    "_wide.html",
    "account.html",
    "activity.html",
    "applications.html",
    "change-email.html",
    "change-password.html",
    "choose.html",
    "code.html",
    "consent.html",
    "delete.html",
    "demo.html",
    "details.html",
    "error.html",
    "form-post.html",
    "identify.html",
    "link.html",
    "logout.html",
    "mail.html",
    "mailbox.html",
    "new-password.html",
    "password.html",
    "profile.html",
    "recover.html",
    "register.html",
    "sessions.html",
    "signed-out.html",
];

/// Our own template of this name, a page or a part of pages.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    TEMPLATES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

/// The names of our own templates.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|(name, _)| *name)
}

/// The environment of a language.
fn environment(locale: Locale) -> &'static Environment<'static> {
    static EN: LazyLock<Environment<'static>> = LazyLock::new(|| build(Locale::En));
    static DE: LazyLock<Environment<'static>> = LazyLock::new(|| build(Locale::De));
    static AR: LazyLock<Environment<'static>> = LazyLock::new(|| build(Locale::Ar));
    match locale {
        Locale::En => &EN,
        Locale::De => &DE,
        Locale::Ar => &AR,
    }
}

fn build(locale: Locale) -> Environment<'static> {
    let mut environment = Environment::new();
    prepare(&mut environment, locale);
    environment.add_function("date", move |at: i64| locale::date(locale, at));
    environment.add_function("date_time", move |at: i64| locale::date_time(locale, at));
    environment.add_function("ago", move |at: i64, now: i64| locale::ago(locale, at, now));
    for (name, source) in TEMPLATES {
        if let Err(error) = environment.add_template(name, source) {
            tracing::error!(template = name, %error, "a template is broken");
        }
    }
    environment
}

/// What all templates have in common: how they are written, how far they may go, and how they say
/// our messages.
pub(super) fn prepare(environment: &mut Environment<'_>, locale: Locale) {
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(write);
    // Tags stand on lines of their own and leave no empty ones behind.
    match SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        Ok(syntax) => environment.set_syntax(syntax),
        Err(error) => tracing::error!(%error, "the template syntax is refused"),
    }
    environment.add_function("t", move |id: &str, args: Kwargs| {
        Ok::<_, Error>(locale::t(locale, id, &borrowed(&values(locale, &args)?)))
    });
    environment.add_function("rich", move |id: &str, args: Kwargs| {
        let href = args.get::<Option<&str>>("href")?;
        Ok::<_, Error>(Template::from_safe_string(locale::html(
            locale,
            id,
            &borrowed(&values(locale, &args)?),
            href,
        )))
    });
    environment.add_function("say", move |message: Template| {
        let (id, args) = message_parts(locale, &message)?;
        Ok::<_, Error>(locale::t(locale, &id, &borrowed(&args)))
    });
    environment.add_function("say_rich", move |message: Template| {
        let (id, args) = message_parts(locale, &message)?;
        Ok::<_, Error>(Template::from_safe_string(locale::html(locale, &id, &borrowed(&args), None)))
    });
}

/// Writes a value, escaped where the template is HTML. Ours leaves the slash alone, which the
/// engine's own would write as six characters.
pub(super) fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Template) -> Result<(), Error> {
    match value.as_str().filter(|_| matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe()) {
        Some(text) => out.write_str(&locale::escape(text)).map_err(Error::from),
        None => minijinja::escape_formatter(out, state, value),
    }
}

type Owned = (String, Value<'static>);

fn borrowed(values: &[Owned]) -> Vec<(&str, Value<'static>)> {
    values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

fn values(locale: Locale, args: &Kwargs) -> Result<Vec<Owned>, Error> {
    let value = |name: &str| Ok((name.to_owned(), value(locale, &args.get::<Template>(name)?)?));
    args.args().map(value).collect()
}

fn message_parts(locale: Locale, message: &Template) -> Result<(String, Vec<Owned>), Error> {
    let id = message.get_attr("id")?.to_string();
    let args = message.get_attr("args")?;
    let mut values = Vec::new();
    for name in args.try_iter()? {
        let given = args.get_item(&name)?;
        values.push((name.to_string(), value(locale, &given)?));
    }
    Ok((id, values))
}

/// A value of a template as one of a message: a number, a moment (`{time: micros}`), or text.
fn value(locale: Locale, given: &Template) -> Result<Value<'static>, Error> {
    if given.is_undefined() || given.is_none() {
        return Err(Error::new(ErrorKind::UndefinedError, "a message needs this value"));
    }
    if let Ok(number) = i64::try_from(given.clone()) {
        return Ok(Value::Number(number));
    }
    if let Ok(Ok(micros)) = given.get_attr("time").map(i64::try_from) {
        return Ok(Value::Text(locale::date_time(locale, micros).into()));
    }
    match given.as_str() {
        Some(text) if text.len() <= LONGEST_VALUE => Ok(Value::Text(text.to_owned().into())),
        Some(_) => Err(Error::new(ErrorKind::InvalidOperation, "a value of a message is too long")),
        None => Err(Error::new(ErrorKind::InvalidOperation, "a value of a message is text or a number")),
    }
}

/// Draws a page, with the tenant's own templates where they work.
pub(super) fn draw<P: Serialize>(
    template: &str,
    step: &str,
    page: &P,
    form: &Form,
    chrome: &Chrome,
) -> Rendered {
    let context = context(step, page, form, chrome);
    let mut problems = Vec::new();
    if !chrome.custom.is_empty() {
        match draw_custom(template, &context, form, chrome) {
            Ok(html) => return Rendered { html, problems },
            Err(problem) => problems.push(problem),
        }
    }
    let html = draw_with(environment(chrome.locale), template, context).unwrap_or_else(|error| {
        tracing::error!(template, %error, "a page cannot be drawn");
        problems.push(error.to_string());
        "<!doctype html><title>Keyward</title><main data-step=\"error\"><h1 id=\"error\">This page cannot be shown. Please try again later.</h1></main>".to_owned()
    });
    Rendered { html, problems }
}

fn draw_with(environment: &Environment<'_>, template: &str, context: Template) -> Result<String, Error> {
    environment.get_template(template)?.render(context)
}

fn draw_custom(template: &str, context: &Template, form: &Form, chrome: &Chrome) -> Result<String, String> {
    let mut environment = environment(chrome.locale).clone();
    for (name, source) in chrome.custom.iter() {
        let added = environment.add_template_owned(name.clone(), source.clone());
        added.map_err(|error| format!("{name}: {error}"))?;
    }
    let html = draw_with(&environment, template, context.clone()).map_err(|error| error.to_string())?;
    match missing(&html, form) {
        Some(name) => Err(format!("{template}: the field or button \"{name}\" is missing")),
        None => Ok(html),
    }
}

/// The first thing without which nobody gets past the page.
fn missing<'a>(html: &str, form: &'a Form) -> Option<&'a str> {
    let hidden = form.post.iter().flat_map(|post| post.hidden.iter().map(|(name, _)| name.as_str()));
    let fields = form.fields.iter().map(|field| field.name);
    let buttons = form.actions.iter().filter(|action| !matches!(action.target, Target::Link(_)));
    let ids = buttons.filter_map(|action| action.id);
    let field = hidden.chain(fields).find(|name| !html.contains(&format!("name=\"{name}\"")));
    field.or_else(|| ids.into_iter().find(|id| !html.contains(&format!("id=\"{id}\""))))
}

fn context<P: Serialize>(step: &str, page: &P, form: &Form, chrome: &Chrome) -> Template {
    let languages: Vec<Template> = chrome
        .languages
        .iter()
        .map(|language| {
            context! {
                code => language.locale.code(),
                dir => language.locale.dir(),
                name => language.locale.own_name(),
                href => &language.href,
                current => language.locale == chrome.locale,
            }
        })
        .collect();
    context! {
        page => Template::from(Serde(page)),
        form => Template::from(Serde(form)),
        step => step,
        refused => form.has_error(),
        locale => chrome.locale.code(),
        dir => chrome.locale.dir(),
        tenant => chrome.theme.product_name().unwrap_or(&chrome.tenant_name),
        base => &chrome.base_path,
        logo => chrome.theme.logo(),
        css => assets::css_path(),
        theme_css => chrome.theme.stylesheet().map(|sheet| sheet.path.as_str()),
        js => assets::js_path(),
        icon_path => assets::icon_path(),
        form_post_script => Template::from_safe_string(assets::form_post_script().to_owned()),
        client => Template::from(Serde(&chrome.client)),
        help => chrome.help.as_deref(),
        privacy => chrome.privacy.as_deref(),
        terms => chrome.terms.as_deref(),
        languages => languages,
        now => chrome.now,
    }
}
