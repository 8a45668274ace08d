//! The person who looks at their account, as their session names them.

use base::{Error, Event, Id, SealingKey, id};
use serde_json::{Map, Value};
use store::{
    attributes,
    rows::{
        identifier::{self, IdentifierRow},
        person::{self, PersonRow},
    },
};
use web::{Living, Visit, pages::Viewer, render::Post};

/// A signed-in person with all that the pages show of them.
pub(crate) struct Me {
    /// The session that answers for them.
    pub(crate) session: Living,
    /// The other sessions of this browser.
    pub(crate) rest: Vec<Living>,
    /// Their row.
    pub(crate) person: PersonRow,
    /// Their key.
    pub(crate) key: SealingKey,
    /// Their attributes, opened.
    pub(crate) attributes: Map<String, Value>,
    /// Addresses and user name.
    pub(crate) identifiers: Vec<IdentifierRow>,
}

impl Me {
    /// Who is signed in in this browser, if anybody.
    pub(crate) async fn load(visit: &Visit) -> Result<Option<Self>, Error> {
        let mut living = visit.sessions().await?.into_iter();
        let Some(session) = living.next() else { return Ok(None) };
        let (db, tenant) = (visit.db(), &visit.tenant);
        let row = person::by_id(db, tenant.id, session.row.person).await?;
        let Some(person) = row.filter(PersonRow::is_active) else { return Ok(None) };
        let key = tenant.person_key(&person)?;
        Ok(Some(Self {
            rest: living.collect(),
            attributes: attributes::join(tenant, &person)?,
            identifiers: identifier::of_person(db, tenant.id, person.id).await?,
            key: key.ok_or_else(|| Error::internal("an active person has no key"))?,
            session,
            person,
        }))
    }

    /// Their id.
    pub(crate) const fn id(&self) -> Id<id::Person> {
        self.person.id
    }

    /// An attribute that is a text; empty without it.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Their address, a proven one first.
    pub(crate) fn email(&self) -> Option<&str> {
        let proven = self.identifiers.iter().find(|row| row.is_proven_email());
        proven.or_else(|| self.of_kind("email")).map(|row| row.typed.as_str())
    }

    /// Their user name.
    pub(crate) fn username(&self) -> Option<&IdentifierRow> {
        self.of_kind("username")
    }

    fn of_kind(&self, kind: &str) -> Option<&IdentifierRow> {
        self.identifiers.iter().find(|row| row.kind == kind)
    }

    /// The bar at the top of their pages.
    pub(crate) fn viewer(&self, visit: &Visit) -> Result<Viewer, Error> {
        let name = Some(self.text("name")).filter(|name| !name.is_empty());
        let username = self.username().map(|row| row.typed.as_str());
        let identifier = self.email().or(username).unwrap_or_default();
        Ok(Viewer::new(name, identifier, form_to(visit, "/account/sign-out")?))
    }

    /// An event that they cause.
    pub(crate) fn event(&self, visit: &Visit, kind: &'static str) -> Event {
        Event::new(visit.env(), kind).person(self.id()).session(self.session.row.id).origin(visit.origin())
    }
}

/// A form of the portal: its address and the token that binds it to this browser.
pub(crate) fn form_to(visit: &Visit, path: &str) -> Result<Post, Error> {
    Ok(Post::new(visit.at(path), vec![("csrf".to_owned(), visit.csrf()?)]))
}
