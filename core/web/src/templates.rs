//! Owns the list of templates that a tenant may have of its own, with what each may mention; checks
//! them before they are kept, and shows them with sample data.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::locale::Locale;
use crate::pages::{Sample, gallery};
use crate::render::mail::template::MailTemplate;
pub use crate::render::mail::{RenderedMail, Variable};
use crate::render::{Chrome, engine};

/// The longest template, in bytes.
pub const LONGEST: usize = 64 * 1024;
/// The most templates of a tenant.
pub const MOST: usize = 200;

const PAGE: &str = "A page.";
const PART: &str = "A part of pages.";

/// A template that a tenant may have of its own.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its name, such as `password.html` or `mail-recover.txt`.
    pub name: String,
    /// What it is for.
    pub about: &'static str,
    /// What is used where the tenant has none.
    pub default: &'static str,
    /// What a template of mails may mention; those of pages mention what their defaults do.
    pub variables: Vec<Variable>,
}

/// A template with sample data.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// The subject, of a mail.
    pub subject: Option<String>,
    /// The text, of a mail.
    pub text: Option<String>,
    /// The page, or the mail as HTML.
    pub html: String,
    /// What is wrong: where there is something, the built-in template was drawn.
    pub problems: Vec<String>,
}

/// Every template; those of mails without a language.
pub fn all() -> Vec<Template> {
    let pages = engine::names().filter_map(find);
    pages.chain(MailTemplate::all().into_iter().map(|(name, mail)| of_mail(name, mail))).collect()
}

/// The template of this name, if there is one.
pub fn find(name: &str) -> Option<Template> {
    if let Some(mail) = MailTemplate::parse(name) {
        return Some(of_mail(name.to_owned(), mail));
    }
    let about = if name.starts_with('_') { PART } else { PAGE };
    let default = engine::source(name)?;
    Some(Template { name: name.to_owned(), about, default, variables: Vec::new() })
}

fn of_mail(name: String, mail: MailTemplate) -> Template {
    Template { name, about: mail.about(), default: mail.piece.default(), variables: mail.variables() }
}

/// Whether a tenant may keep this template: there is one of this name, and every sample of what it
/// is for can be drawn by it.
///
/// # Errors
/// What is wrong, beginning with a verb or with the line.
pub fn check(name: &str, source: &str) -> Result<(), String> {
    if source.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    if let Some(mail) = MailTemplate::parse(name) {
        return mail.check(name, source);
    }
    engine::source(name).ok_or_else(|| format!("is no template; \"{name}\" is not known"))?;
    let custom = Arc::new(BTreeMap::from([(name.to_owned(), source.to_owned())]));
    let chrome = Chrome { tenant_name: "Northwind".to_owned(), custom, ..Chrome::default() };
    let problem =
        samples(name).into_iter().find_map(|sample| sample.html(&chrome).problems.into_iter().next());
    problem.map_or(Ok(()), Err)
}

/// The pages that a template takes part in.
fn samples(name: &str) -> Vec<Sample> {
    let every = name.starts_with('_');
    gallery().into_iter().filter(|sample| every || sample.template == name).collect()
}

/// The template with sample data: `source` in place of what is kept, in the wished language if the
/// template is not for one language itself.
pub fn preview(
    name: &str,
    source: Option<String>,
    wished: Option<Locale>,
    mut chrome: Chrome,
) -> Option<Preview> {
    if let Some(source) = source {
        Arc::make_mut(&mut chrome.custom).insert(name.to_owned(), source);
    }
    let Some(mail) = MailTemplate::parse(name) else {
        chrome.locale = wished.unwrap_or(chrome.locale);
        let drawn = samples(name).into_iter().next()?.html(&chrome);
        return Some(Preview { html: drawn.html, problems: drawn.problems, ..Preview::default() });
    };
    chrome.locale = mail.language(wished, chrome.locale);
    if mail.is_layout() {
        // A mail with a template of its own would hide it.
        Arc::make_mut(&mut chrome.custom).retain(|kept, _| kept == name);
    }
    let drawn = mail.kinds().first()?.samples(&chrome).into_iter().next()?;
    let RenderedMail { subject, text, html } = drawn.mail;
    Some(Preview { subject: Some(subject), text: Some(text), html, problems: drawn.problems })
}
