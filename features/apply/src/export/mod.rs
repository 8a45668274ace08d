//! `keyward export`: what is stored, as the documents that `keyward apply` reads, one after another.
//! Each is bounded in size, and people are read page by page, so that however many there are, few are
//! in memory. It shows no secret; see [`render`] for what stands in the place of one.

mod render;

use crate::{Document, Problem};
use base::{Error, Id, Kind, id};
use serde::{Deserialize, Serialize};
use serde_yaml_ng::{Mapping, Value as Yaml};
use std::{collections::VecDeque, pin::Pin, sync::Arc};
use store::{
    Db, DbError, Directory, Tenant,
    rows::{self, application::ApplicationRow, listing},
};

/// A document that has become this long ends.
const LONG: usize = 512 * 1024;
/// A document that holds so many values ends.
const MANY: usize = 40_000;
/// How many people are read at once.
const PAGE: i64 = 100;

/// Which applications of a tenant registered themselves: the program puts the capability here that
/// knows, which this crate does not.
pub type Registered = Arc<dyn Fn(Db, Id<id::Tenant>) -> Registrations + Send + Sync>;
/// The answer, on its way.
pub type Registrations = Pin<Box<dyn Future<Output = Result<Vec<Id<id::Application>>, DbError>> + Send>>;

/// What is to be exported, and how it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The slug of a tenant; without one all of them.
    pub tenant: Option<String>,
    /// Whether the people of the tenants come along, with the hashes of their passwords.
    pub users: bool,
    /// Whether applications that registered themselves come along, which no file ever made.
    #[serde(default)]
    pub registered: bool,
    /// Whether the documents are JSON, one a line, and not YAML.
    pub json: bool,
}

/// A document of an export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Piece {
    /// Its text, with the line before it that divides it from the last one.
    pub text: String,
    /// What is stored in such a way that a file must not say it.
    pub problems: Vec<Problem>,
}

/// An export under way.
pub struct Export {
    directory: Directory,
    selection: Selection,
    registered: Registered,
    tenants: VecDeque<Id<id::Tenant>>,
    current: Option<Current>,
    is_first: bool,
}

/// The tenant that is being exported.
struct Current {
    tenant: Arc<Tenant>,
    applications: VecDeque<ApplicationRow>,
    people: VecDeque<Id<id::Person>>,
    /// After whom the next page begins; none behind the last page.
    after: Option<Id<id::Person>>,
}

/// A document that is being put together.
#[derive(Default)]
struct Draft {
    tenants: Vec<TenantDraft>,
    length: usize,
    values: usize,
}

struct TenantDraft {
    head: Mapping,
    applications: Vec<Yaml>,
    users: Vec<Yaml>,
}

impl Export {
    /// Looks which tenants there are.
    ///
    /// # Errors
    /// Kind `NotFound` if the tenant is not there; `Unavailable` if the store cannot answer.
    pub async fn begin(
        directory: &Directory,
        selection: Selection,
        registered: Registered,
    ) -> Result<Self, Error> {
        let db = directory.db();
        let tenants = match &selection.tenant {
            None => rows::tenant::list(db).await?.into_iter().map(|row| row.id).collect(),
            Some(slug) => {
                let unknown = || {
                    let public = format!("There is no tenant {slug}.");
                    Error::new(Kind::NotFound, "error-no-tenant", public)
                };
                VecDeque::from([rows::tenant::by_slug(db, slug).await?.ok_or_else(unknown)?])
            }
        };
        Ok(Self {
            directory: directory.clone(),
            selection,
            registered,
            tenants,
            current: None,
            is_first: true,
        })
    }

    /// The next document, until there is none.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer, `Internal` if what it holds does not open.
    pub async fn next(&mut self) -> Result<Option<Piece>, Error> {
        let mut draft = Draft::default();
        if let Some(current) = &self.current {
            draft.begin(render::slug(&current.tenant.slug));
        }
        while !draft.is_full() {
            let Some(current) = &mut self.current else {
                if self.begin_tenant(&mut draft).await? {
                    continue;
                }
                break;
            };
            if let Some(row) = current.applications.pop_front() {
                let application = render::application(&self.directory, &current.tenant, row).await?;
                draft.add(application, |tenant| &mut tenant.applications);
            } else if let Some(person) = current.next_person(&self.directory).await? {
                if let Some(user) = render::user(&self.directory, &current.tenant, person).await? {
                    draft.add(user, |tenant| &mut tenant.users);
                }
            } else {
                self.current = None;
            }
        }
        self.finish(draft)
    }

    /// Whether there was another tenant.
    async fn begin_tenant(&mut self, draft: &mut Draft) -> Result<bool, Error> {
        let Some(id) = self.tenants.pop_front() else { return Ok(false) };
        let (db, row) = (self.directory.db(), rows::tenant::by_id(self.directory.db(), id).await?);
        let (Some(row), Some(tenant)) = (row, self.directory.tenant(id).await?) else { return Ok(true) };
        draft.begin(render::tenant(&self.directory, &row).await?);
        let mut applications: VecDeque<_> = rows::application::list(db, id).await?.into();
        if !self.selection.registered {
            let registered = (self.registered)(db.clone(), id).await?;
            applications.retain(|row| !registered.contains(&row.id));
        }
        self.current = Some(Current {
            tenant,
            applications,
            people: VecDeque::new(),
            after: self.selection.users.then_some(Id::from_bytes([0; 16])),
        });
        Ok(true)
    }

    fn finish(&mut self, draft: Draft) -> Result<Option<Piece>, Error> {
        if draft.tenants.is_empty() {
            return Ok(None);
        }
        let tenants: Vec<_> = draft.tenants.into_iter().map(TenantDraft::whole).collect();
        let document = Mapping::from_iter([("tenants".into(), tenants.into())]);
        let text = self.written(&document)?;
        let problems = Document::parse(&text).err().unwrap_or_default();
        self.is_first = false;
        Ok(Some(Piece { text, problems }))
    }

    fn written(&self, document: &Mapping) -> Result<String, Error> {
        if self.selection.json {
            let line = serde_json::to_string(document).map_err(|error| unwritable(&error))?;
            return Ok(format!("{line}\n"));
        }
        let yaml = serde_yaml_ng::to_string(document).map_err(|error| unwritable(&error))?;
        let before = match (self.is_first, self.selection.users) {
            (false, _) => "---\n",
            (true, false) => HEADER,
            (true, true) => HEADER_WITH_USERS,
        };
        Ok(format!("{before}{yaml}"))
    }
}

const HEADER: &str = "# Made by `keyward export`, for `keyward apply`. No secret is in it: {stored: true} \
                      stands for one that is kept.\n";

const HEADER_WITH_USERS: &str = "# Made by `keyward export`, for `keyward apply`. It holds hashes of passwords; keep it \
                                 as you keep backups. {stored: true} stands for a secret that is kept.\n";

fn unwritable(error: &dyn std::fmt::Display) -> Error {
    Error::internal(format!("an export cannot be written: {error}"))
}

impl Current {
    async fn next_person(&mut self, directory: &Directory) -> Result<Option<Id<id::Person>>, Error> {
        if let (true, Some(after)) = (self.people.is_empty(), self.after) {
            let page = listing::people(directory.db(), self.tenant.id, None, (after, PAGE)).await?;
            self.people = page.into_iter().map(|person| person.id).collect();
            self.after = self.people.back().copied();
        }
        Ok(self.people.pop_front())
    }
}

impl Draft {
    fn is_full(&self) -> bool {
        self.length >= LONG || self.values >= MANY
    }

    fn begin(&mut self, head: Mapping) {
        self.count(&Yaml::Mapping(head.clone()));
        self.tenants.push(TenantDraft { head, applications: Vec::new(), users: Vec::new() });
    }

    fn add(&mut self, entry: Yaml, list: fn(&mut TenantDraft) -> &mut Vec<Yaml>) {
        self.count(&entry);
        if let Some(tenant) = self.tenants.last_mut() {
            list(tenant).push(entry);
        }
    }

    /// Its length is that of its lines, each indented as deeply as it will stand.
    fn count(&mut self, entry: &Yaml) {
        let text = serde_yaml_ng::to_string(entry).unwrap_or_default();
        self.length += text.len() + 4 * text.lines().count();
        self.values += values(entry);
    }
}

fn values(value: &Yaml) -> usize {
    match value {
        Yaml::Sequence(list) => 1 + list.iter().map(values).sum::<usize>(),
        Yaml::Mapping(map) => 1 + map.values().map(values).sum::<usize>(),
        _ => 1,
    }
}

impl TenantDraft {
    fn whole(self) -> Yaml {
        let mut whole = self.head;
        for (name, list) in [("applications", self.applications), ("users", self.users)] {
            if !list.is_empty() {
                whole.insert(name.into(), Yaml::Sequence(list));
            }
        }
        Yaml::Mapping(whole)
    }
}
