//! What a plan would change, or an application of a file has changed: as text and as JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// What is or would be changed, object by object in the order of the file. It shows no secret, and
/// of people only which fields differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether the changes were made; otherwise this is a plan.
    pub applied: bool,
    /// Every object of the file, also those that stay as they are.
    pub changes: Vec<Change>,
    /// What of the file was left aside, as sentences.
    pub notes: Vec<String>,
}

/// A [`Report`] of what would be changed.
pub type Plan = Report;

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is new.
    Create,
    /// It is there and differs.
    Update,
    /// It stays as it is.
    None,
}

/// What sort of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Object {
    /// A tenant.
    Tenant,
    /// A resource server.
    #[serde(rename = "resource_server")]
    ResourceServer,
    /// A scope.
    Scope,
    /// An application.
    Application,
    /// A user.
    User,
}

/// What happens to one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happens.
    pub action: Action,
    /// To what sort of object.
    pub object: Object,
    /// The slug of the tenant that it is or belongs to.
    pub tenant: String,
    /// Slug, `client_id`, address or user name.
    pub name: String,
    /// What differs; empty for what is new or stays.
    pub differs: Vec<Difference>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which.
    pub field: String,
    /// Its value before; none where that is nobody's business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// Its value afterwards; none likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

impl Report {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.action == Action::None)
    }

    /// How many objects have this action.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }

    /// Adds the report of the next document of the same file. A tenant that it only names again stands
    /// there once.
    pub fn extend(&mut self, next: Self) {
        let known = |change: &Change, report: &Self| {
            let says_nothing_new = |old: &Change| {
                old.object == Object::Tenant
                    && old.name == change.name
                    && (change.action == Action::None || old == change)
            };
            change.object == Object::Tenant && report.changes.iter().any(says_nothing_new)
        };
        self.applied = next.applied;
        for change in next.changes {
            if !known(&change, self) {
                self.changes.push(change);
            }
        }
        self.notes.extend(next.notes);
    }

    /// The report as one JSON object.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Change {
    /// Nothing yet: `action` is decided by what differs.
    pub(crate) fn new(object: Object, tenant: &str, name: impl Into<String>) -> Self {
        let (tenant, name) = (tenant.to_owned(), name.into());
        Self { action: Action::None, object, tenant, name, differs: Vec::new() }
    }

    /// Something new.
    pub(crate) fn create(mut self) -> Self {
        self.action = Action::Create;
        self
    }

    /// With these differences.
    pub(crate) fn update(mut self, differs: Vec<Difference>) -> Self {
        self.action = if differs.is_empty() { Action::None } else { Action::Update };
        self.differs = differs;
        self
    }
}

impl Difference {
    /// A field whose values are not shown.
    pub(crate) fn hidden(field: impl Into<String>) -> Self {
        Self { field: field.into(), from: None, to: None }
    }

    /// The members in which two objects differ.
    pub(crate) fn between(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Self> {
        let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let value = |map: &Map<String, Value>, name: &str| map.get(name).cloned().unwrap_or_default();
        let differ = names.into_iter().filter(|name| value(old, name) != value(new, name));
        differ
            .map(|name| Self {
                field: name.clone(),
                from: Some(value(old, name)),
                to: Some(value(new, name)),
            })
            .collect()
    }
}

/// What events keep of differences: field, old and new value.
pub(crate) fn detail(differs: &[Difference]) -> Value {
    let pair = |d: &Difference| (d.field.clone(), serde_json::json!([d.from, d.to]));
    Value::Object(differs.iter().map(pair).collect())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            change.fmt(f)?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        let [new, changed, same] = [Action::Create, Action::Update, Action::None].map(|a| self.count(a));
        match (self.is_empty(), self.applied) {
            (true, _) => write!(f, "Nothing to change: all {same} are as the file says."),
            (_, true) => write!(f, "Done: {new} created, {changed} changed, {same} unchanged."),
            (_, false) => write!(f, "Plan: {new} to create, {changed} to change, {same} unchanged."),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.action {
            Action::Create => '+',
            Action::Update => '~',
            Action::None => '=',
        };
        let (indent, object) = match self.object {
            Object::Tenant => ("", "tenant"),
            Object::ResourceServer => ("  ", "resource server"),
            Object::Scope => ("  ", "scope"),
            Object::Application => ("  ", "application"),
            Object::User => ("  ", "user"),
        };
        writeln!(f, "{indent}{mark} {object} {}", self.name)?;
        for difference in &self.differs {
            match (&difference.from, &difference.to) {
                (Some(from), Some(to)) => {
                    writeln!(f, "{indent}    {}: {} -> {}", difference.field, shown(from), shown(to))?;
                }
                _ => writeln!(f, "{indent}    {}", difference.field)?,
            }
        }
        Ok(())
    }
}

fn shown(value: &Value) -> String {
    let text = if value.is_null() { "default".to_owned() } else { value.to_string() };
    if text.chars().count() <= 200 {
        return text;
    }
    let start: String = text.chars().take(200).collect();
    format!("{start}…")
}
