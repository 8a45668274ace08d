//! The file as it is read: every mistake named by its place, nothing decided about what is stored.

mod application;
mod declared;
mod fields;
mod settings;
mod user;

pub(crate) use application::ApplicationEntry;
pub(crate) use declared::DeclaredEntry;
pub(crate) use user::{PersonState, UserEntry};

use crate::yaml;
use fields::{Fields, one_of, text};
use serde_json::{Map, Value};
use std::{collections::HashSet, fmt};
use store::rules::{issuer, language, short, slug, web_address};

/// A mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// Where, such as `tenants[0].applications[2].redirect_uris[0]`; empty for the file as a whole.
    pub path: String,
    /// What is wrong and how to put it right.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.path.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}", self.path, self.message)
    }
}

/// A file that was read. It holds secrets and shows none.
pub struct Document {
    pub(crate) tenants: Vec<TenantEntry>,
    source: Value,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").finish_non_exhaustive()
    }
}

/// A tenant of the file.
pub(crate) struct TenantEntry {
    pub(crate) path: String,
    pub(crate) slug: String,
    pub(crate) name: Option<String>,
    pub(crate) issuer: Option<String>,
    /// Addresses that it once had.
    pub(crate) aliases: Vec<String>,
    pub(crate) state: Option<&'static str>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) resource_servers: Vec<DeclaredEntry>,
    pub(crate) scopes: Vec<DeclaredEntry>,
    pub(crate) applications: Vec<ApplicationEntry>,
    pub(crate) users: Vec<UserEntry>,
}

impl Document {
    /// Reads a file: YAML up to 1 MiB. Secrets that stand in files of their own are read here, by
    /// the process whose working directory the paths belong to.
    ///
    /// # Errors
    /// Every mistake found.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut source = yaml::read(text)?;
        let mut problems = Vec::new();
        application::read_secret_files(&mut source, &mut problems);
        match Self::from_source(source) {
            Ok(document) if problems.is_empty() => Ok(document),
            Ok(_) => Err(problems),
            Err(more) => Err([problems, more].concat()),
        }
    }

    /// Reads what [`Document::source`] gave, in another process: no file is opened.
    pub(crate) fn from_source(source: Value) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let tenants = tenants(source.clone(), &mut problems);
        if problems.is_empty() { Ok(Self { tenants, source }) } else { Err(problems) }
    }

    /// The issuer that the file gives this tenant.
    #[must_use]
    pub fn issuer_of(&self, slug: &str) -> Option<&str> {
        self.tenants.iter().find(|tenant| tenant.slug == slug)?.issuer.as_deref()
    }

    /// The document as JSON, secrets included, for the control socket.
    pub(crate) const fn source(&self) -> &Value {
        &self.source
    }
}

fn tenants(source: Value, problems: &mut Vec<Problem>) -> Vec<TenantEntry> {
    let Some(mut fields) = Fields::new(source, String::new(), &["tenants"], problems) else {
        return Vec::new();
    };
    let list = fields.list("tenants");
    if list.is_empty() && fields.problems().is_empty() {
        fields.wrong("tenants", "is missing or empty; begin with \"tenants:\" and \"- slug: default\"");
    }
    let tenants: Vec<_> =
        list.into_iter().filter_map(|(path, value)| tenant(value, path, problems)).collect();
    unique(tenants.iter().map(|tenant| (&tenant.path, "slug", tenant.slug.clone())), problems);
    tenants
}

/// The keys of a tenant.
const TENANT: &[&str] = &[
    "slug",
    "name",
    "issuer",
    "aliases",
    "state",
    "settings",
    "resource_servers",
    "scopes",
    "applications",
    "users",
];

fn tenant(value: Value, path: String, problems: &mut Vec<Problem>) -> Option<TenantEntry> {
    let mut fields = Fields::new(value, path.clone(), TENANT, problems)?;
    let slug = fields.required("slug", slug);
    let name = fields.text("name", |text| short(text, 200));
    let address = slug.clone().unwrap_or_default();
    let issuer = fields.text("issuer", |text| issuer(text, &address));
    let aliases = aliases(&mut fields, &address);
    let state = fields.text("state", |text| one_of(text, &["active", "disabled"]));
    let settings = settings::read(&mut fields);
    let (servers, scopes) = (fields.list("resource_servers"), fields.list("scopes"));
    let (applications, users) = (fields.list("applications"), fields.list("users"));
    let resource_servers = all(servers, problems, ("audience", declared::resource_server));
    let scopes = all(scopes, problems, ("name", declared::scope));
    let applications: Vec<_> = applications
        .into_iter()
        .filter_map(|(path, value)| application::read(value, path, problems))
        .collect();
    unique(
        applications.iter().map(|entry| (&entry.path, "client_id", entry.client_id.to_string())),
        problems,
    );
    let users: Vec<_> =
        users.into_iter().filter_map(|(path, value)| user::read(value, path, problems)).collect();
    user::unique(&users, problems);
    Some(TenantEntry {
        path,
        slug: slug?,
        name,
        issuer,
        aliases,
        state,
        settings,
        resource_servers,
        scopes,
        applications,
        users,
    })
}

type ReadDeclared = fn(Value, String, &mut Vec<Problem>) -> Option<DeclaredEntry>;

/// What is declared, each once.
fn all(
    list: Vec<(String, Value)>,
    problems: &mut Vec<Problem>,
    (name, read): (&'static str, ReadDeclared),
) -> Vec<DeclaredEntry> {
    let entries: Vec<_> = list.into_iter().filter_map(|(path, value)| read(value, path, problems)).collect();
    unique(entries.iter().map(|entry| (&entry.path, name, entry.name.clone())), problems);
    entries
}

fn aliases(fields: &mut Fields<'_>, slug: &str) -> Vec<String> {
    let mut aliases = Vec::new();
    for (path, value) in fields.list("aliases") {
        match text(&value).and_then(|text| issuer(text, slug)) {
            Ok(alias) => aliases.push(alias),
            Err(message) => fields.problems().push(Problem::new(path, message)),
        }
    }
    aliases
}

/// Notes every value that stands twice.
fn unique<'p>(values: impl Iterator<Item = (&'p String, &'static str, String)>, problems: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    for (path, field, value) in values {
        if !seen.insert((field, value)) {
            problems
                .push(Problem::new(format!("{path}.{field}"), "stands in the file twice; keep one of them"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::rows::tenant::Settings;

    #[test]
    fn every_key_is_documented() {
        let page = include_str!("../../../../docs/apply.md");
        let settings = serde_json::to_value(Settings::default()).unwrap();
        let settings = settings.as_object().unwrap().keys().map(String::as_str);
        let metadata = application::METADATA.iter().map(String::as_str);
        let lists = [TENANT, application::OWN, application::LIFETIMES, user::KNOWN];
        let policy = serde_json::to_value(oauth::registration::Policy::default()).unwrap();
        let policy = policy.as_object().unwrap().keys().map(String::as_str);
        let known = lists.into_iter().flatten().copied().chain(settings).chain(metadata).chain(policy);
        let missing: Vec<&str> = known.filter(|key| !page.contains(&format!("`{key}`"))).collect();
        assert!(missing.is_empty(), "not in docs/apply.md: {missing:?}");
    }
}
