//! Accounts as the sign-in looks at them.

use base::{Error, Id, IdentifierKind, SealingKey, id};
use journey::{Epochs, Named, PersonRef, Reference};
use serde_json::{Map, Value};
use store::rows::{
    identifier::{self, IdentifierRow},
    person::{self, PersonRow},
};
use web::Visit;

/// Stands in for the person of an unknown account, so that the same statements run.
pub(crate) const NOBODY: Id<id::Person> = Id::from_bytes([0; 16]);

/// A person with what names them.
pub(crate) struct Account {
    pub(crate) person: PersonRow,
    pub(crate) key: Option<SealingKey>,
    pub(crate) identifiers: Vec<IdentifierRow>,
}

/// The person that a fact names.
pub(crate) const fn person_id(person: PersonRef) -> Id<id::Person> {
    Id::from_bytes(person.0)
}

/// A fact's name for a row.
pub(crate) const fn reference<T>(id: Id<T>) -> Reference {
    Reference(*id.as_bytes())
}

impl Account {
    /// The account of this person, unless it is deleted.
    pub(crate) async fn of(visit: &Visit, id: Id<id::Person>) -> Result<Option<Self>, Error> {
        let person = person::by_id(visit.db(), visit.tenant.id, id).await?;
        let identifiers = identifier::of_person(visit.db(), visit.tenant.id, id).await?;
        let Some(person) = person.filter(|person| person.state != "deleted") else { return Ok(None) };
        let key = visit.tenant.person_key(&person)?;
        Ok(Some(Self { person, key, identifiers }))
    }

    /// The account with this identifier. The same statements whether it is there or not.
    pub(crate) async fn named(
        visit: &Visit,
        kind: IdentifierKind,
        normal: &str,
    ) -> Result<Option<Self>, Error> {
        let row = identifier::find(visit.db(), visit.tenant.id, kind, normal).await?;
        Self::of(visit, row.map_or(NOBODY, |row| row.person)).await
    }

    /// The account that was named in a flow.
    pub(crate) async fn of_named(visit: &Visit, named: &Named) -> Result<Option<Self>, Error> {
        let kind = if named.kind == "email" { IdentifierKind::Email } else { IdentifierKind::Username };
        Self::named(visit, kind, &named.normal).await
    }

    pub(crate) const fn epochs(&self) -> Epochs {
        Epochs { sessions: self.person.epoch, offline: self.person.offline_epoch }
    }

    /// Where mail for the person goes: a proven address, else one that an operator set.
    pub(crate) fn email(&self) -> Option<&IdentifierRow> {
        let emails = || self.identifiers.iter().filter(|row| row.kind == "email");
        emails().find(|row| row.is_proven_email()).or_else(|| emails().next())
    }

    /// What the person is called where there is no name: the address, else the user name.
    pub(crate) fn label(&self) -> String {
        let row = self.email().or_else(|| self.identifiers.first());
        row.map(|row| row.typed.clone()).unwrap_or_default()
    }

    /// The person's attributes.
    pub(crate) fn attributes(&self, visit: &Visit) -> Result<Map<String, Value>, Error> {
        store::attributes::join(&visit.tenant, &self.person)
    }

    /// Words of the person's own that a password must not be made of.
    pub(crate) fn own_words(&self, visit: &Visit) -> Vec<String> {
        let mut words: Vec<String> =
            self.identifiers.iter().flat_map(|row| identifier_words(&row.typed)).collect();
        let attributes = self.attributes(visit).unwrap_or_default();
        for name in ["name", "given_name", "family_name", "nickname"] {
            words.extend(attributes.get(name).and_then(Value::as_str).map(str::to_owned));
        }
        words.push(visit.tenant.name.clone());
        words
    }
}

/// An address gives itself, its local part and its domain, a user name itself.
pub(crate) fn identifier_words(typed: &str) -> Vec<String> {
    std::iter::once(typed).chain(typed.split('@')).map(str::to_owned).collect()
}
