//! Users of the file.

use crate::{
    document::{PersonState, UserEntry},
    report::{Action, Change, Difference, Object, detail},
    walk::{TRIES, contended, unfit},
};
use base::{Error, Event, Id, Identifier, IdentifierKind, Kind, SealingKey, Time, id};
use passwords::Prepared;
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};
use store::{
    Directory, Tenant, Unit,
    accounts::NewAccount,
    attributes,
    rows::{
        self,
        identifier::{IdentifierRow, Owner},
        person::PersonRow,
        tenant::Settings,
    },
};
use tokio::sync::Semaphore;
use work::{HashPool, Priority};

/// What becomes of a user.
pub(crate) struct Decision {
    pub(crate) change: Change,
    pub(crate) notes: Vec<String>,
    update: Option<Update>,
}

/// What is written of somebody who has an account.
struct Update {
    old: PersonRow,
    new: PersonRow,
    key: SealingKey,
    /// The addresses that are proven from now on.
    prove: Vec<Identifier>,
    add: Vec<(Identifier, Option<&'static str>)>,
    external: Vec<(String, String)>,
    texts: Vec<String>,
    /// Old and new values, for the event.
    detail: Value,
}

/// Compares a user with what is stored; without a tenant, nobody is. An account that is made between
/// two reads may look like somebody else's: only what is wrong twice is a mistake.
pub(crate) async fn decide(
    directory: &Directory,
    tenant: Option<&Tenant>,
    slug: &str,
    entry: &UserEntry,
) -> Result<Decision, Error> {
    match look(directory, tenant, slug, entry).await {
        Err(error) if error.kind == Kind::Invalid => look(directory, tenant, slug, entry).await,
        decided => decided,
    }
}

async fn look(
    directory: &Directory,
    tenant: Option<&Tenant>,
    slug: &str,
    entry: &UserEntry,
) -> Result<Decision, Error> {
    let change = Change::new(Object::User, slug, entry.label());
    let create = |change: Change| Decision { change: change.create(), notes: Vec::new(), update: None };
    let Some(tenant) = tenant else {
        allowed(entry, &Settings::default())?;
        return Ok(create(change));
    };
    let Owners { person, held } = owners(directory, tenant, entry).await?;
    let external = external_ids(directory, tenant, entry, person).await?;
    subject(directory, tenant, entry, person).await?;
    let Some(person) = person else {
        held.first().map_or(Ok(()), |identifier| Err(held_back(entry, identifier)))?;
        allowed(entry, &tenant.settings)?;
        return Ok(create(change));
    };
    let old = rows::person::by_id(directory.db(), tenant.id, person).await?;
    let Some(old) = old.filter(|row| row.state != "deleted") else {
        return Err(unfit(&entry.path, "is being deleted; apply the file again in a moment"));
    };
    let identifiers = rows::identifier::of_person(directory.db(), tenant.id, person).await?;
    let mut notes = Vec::new();
    let add = missing(entry, &identifiers, &mut notes);
    if let Some((identifier, _)) = add.iter().find(|(identifier, _)| held.contains(identifier)) {
        return Err(held_back(entry, identifier));
    }
    let found = Found { old, identifiers, add, external };
    let (change, update) = existing(directory, tenant, entry, found, change)?;
    Ok(Decision { change, notes, update })
}

/// Whether the rules of these settings for new passwords allow the password.
fn allowed(entry: &UserEntry, settings: &Settings) -> Result<(), Error> {
    let checked = entry.check_password(settings);
    checked.map_err(|message| unfit(&format!("{}.password", entry.path), message))
}

/// Whose the identifiers of an entry are.
struct Owners {
    /// The person whom the file means: by address, else by user name.
    person: Option<Id<id::Person>>,
    /// Identifiers that are held back for a deleted account.
    held: Vec<Identifier>,
}

async fn owners(directory: &Directory, tenant: &Tenant, entry: &UserEntry) -> Result<Owners, Error> {
    let (mut found, now) = (Owners { person: None, held: Vec::new() }, directory.env().now());
    for (identifier, _) in entry.identifiers() {
        let (kind, normal) = (identifier.kind(), identifier.normal());
        match rows::identifier::owner(directory.db(), tenant.id, kind, normal).await? {
            Some(Owner { held_until: Some(until), .. }) if until > now => found.held.push(identifier),
            Some(Owner { held_until: Some(_), .. }) | None => {}
            Some(owner) if found.person.is_some_and(|person| person != owner.person) => {
                let place = format!("{}.username", entry.path);
                let message = "belongs to another account than the address; choose another one";
                return Err(unfit(&place, message));
            }
            Some(owner) => found.person = Some(owner.person),
        }
    }
    Ok(found)
}

fn held_back(entry: &UserEntry, identifier: &Identifier) -> Error {
    let place = format!("{}.{}", entry.path, identifier.kind().as_str());
    unfit(&place, "is held back for a deleted account; choose another one, or wait")
}

/// The external ids that the person does not have yet.
async fn external_ids(
    directory: &Directory,
    tenant: &Tenant,
    entry: &UserEntry,
    person: Option<Id<id::Person>>,
) -> Result<Vec<(String, String)>, Error> {
    let mut missing = Vec::new();
    for (source, value) in &entry.external_ids {
        match rows::person::by_external(directory.db(), tenant.id, source, value).await? {
            None => missing.push((source.clone(), value.clone())),
            Some(owner) if Some(owner) == person => {}
            Some(_) => {
                let place = format!("{}.external_id.{source}", entry.path);
                return Err(unfit(&place, "belongs to another account; correct it in one of them"));
            }
        }
    }
    Ok(missing)
}

async fn subject(
    directory: &Directory,
    tenant: &Tenant,
    entry: &UserEntry,
    person: Option<Id<id::Person>>,
) -> Result<(), Error> {
    let Some(sub) = &entry.sub else { return Ok(()) };
    match rows::person::by_subject(directory.db(), tenant.id, sub).await? {
        Some(owner) if Some(owner) != person => Err(unfit(
            &format!("{}.sub", entry.path),
            "belongs to another account; no subject is given twice",
        )),
        None if person.is_some() => Err(unfit(
            &format!("{}.sub", entry.path),
            "is not the subject of this account, and counts at its creation only; leave it out",
        )),
        _ => Ok(()),
    }
}

/// Identifiers that the file adds. One that the person has changed meanwhile is theirs to change:
/// an address that they gave up must not come back from a file.
fn missing(
    entry: &UserEntry,
    has: &[IdentifierRow],
    notes: &mut Vec<String>,
) -> Vec<(Identifier, Option<&'static str>)> {
    let mut add = entry.identifiers();
    add.retain(|(identifier, _)| {
        let kind = identifier.kind().as_str();
        let mut own = has.iter().filter(|row| row.kind == kind).peekable();
        if own.peek().is_none() {
            return true;
        }
        if !own.any(|row| row.normal == identifier.normal()) {
            notes.push(format!(
                "{}.{kind}: the account has another one by now, which was left alone",
                entry.path
            ));
        }
        false
    });
    add
}

struct Found {
    old: PersonRow,
    identifiers: Vec<IdentifierRow>,
    add: Vec<(Identifier, Option<&'static str>)>,
    external: Vec<(String, String)>,
}

fn existing(
    directory: &Directory,
    tenant: &Tenant,
    entry: &UserEntry,
    found: Found,
    change: Change,
) -> Result<(Change, Option<Update>), Error> {
    let Found { old, identifiers, add, external } = found;
    let key = tenant.person_key(&old)?.ok_or_else(|| Error::internal("a person without a key"))?;
    let before = attributes::join(tenant, &PersonRow { locale: None, ..old.clone() })?;
    let mut after = before.clone();
    for (name, value) in &entry.claims {
        match value {
            Value::Null => drop(after.remove(name)),
            value => drop(after.insert(name.clone(), value.clone())),
        }
    }
    let claims = Difference::between(&before, &after);
    let mut new = old.clone();
    if !claims.is_empty() {
        (new.attributes, new.sealed_attributes) =
            attributes::columns(directory.env(), &key, (tenant.id, old.id), after.clone());
    }
    new.locale = entry.locale.clone().or(new.locale);
    new.state = entry.state.map_or(new.state, |state| state.as_str().to_owned());
    let unproven = |(identifier, proof): &(Identifier, Option<&str>)| {
        let own = |row: &IdentifierRow| {
            row.kind == identifier.kind().as_str() && row.normal == identifier.normal() && row.proof.is_none()
        };
        proof.is_some() && identifiers.iter().any(own)
    };
    let prove: Vec<_> =
        entry.identifiers().into_iter().filter(unproven).map(|(identifier, _)| identifier).collect();

    let value = |text: &str| Some(Value::from(text));
    let mut differs: Vec<_> =
        claims.into_iter().map(|d| Difference { field: format!("claims.{}", d.field), ..d }).collect();
    if new.locale != old.locale {
        let (from, to) = (old.locale.clone().map(Value::from), new.locale.clone().map(Value::from));
        differs.push(Difference { field: "locale".to_owned(), from, to });
    }
    if new.state != old.state {
        let (from, to) = (value(&old.state), value(&new.state));
        differs.push(Difference { field: "state".to_owned(), from, to });
    }
    if !prove.is_empty() {
        differs.push(Difference { field: "email_verified".to_owned(), from: None, to: Some(true.into()) });
    }
    for (identifier, _) in &add {
        let field = identifier.kind().as_str().to_owned();
        differs.push(Difference { field, from: None, to: value(identifier.as_typed()) });
    }
    for (source, id) in &external {
        differs.push(Difference { field: format!("external_id.{source}"), from: None, to: value(id) });
    }
    if differs.is_empty() {
        return Ok((change, None));
    }
    let names = identifiers.iter().map(|row| row.typed.as_str());
    let names = names.chain(add.iter().map(|(identifier, _)| identifier.as_typed()));
    let texts = attributes::search_texts(names, &after);
    let detail = serde_json::json!({ "changed": detail(&differs) });
    let shown = differs.into_iter().map(|d| Difference::hidden(d.field)).collect();
    let update = Update { old, new, key, prove, add, external, texts, detail };
    Ok((change.update(shown), Some(update)))
}

/// What putting users in force needs.
pub(crate) struct Import<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) pool: &'a HashPool,
    pub(crate) tenant: Arc<Tenant>,
    /// One password of a file is hashed at a time: those who sign in meanwhile come first.
    pub(crate) hashing: Semaphore,
}

impl Import<'_> {
    /// Puts a user in force as it was decided, or anew where somebody changed the account meanwhile;
    /// gives what of the file was left aside, too.
    pub(crate) async fn apply(
        &self,
        entry: &UserEntry,
        decision: Decision,
    ) -> Result<(Change, Vec<String>), Error> {
        let (mut decision, mut phc) = (decision, None);
        for _ in 0..TRIES {
            let unit = match (&decision.update, decision.change.action) {
                (Some(update), _) => update_unit(self.directory, &self.tenant, update),
                (None, Action::Create) => {
                    allowed(entry, &self.tenant.settings)?;
                    if phc.is_none() {
                        phc = self.hash(entry).await?;
                    }
                    create_unit(self.directory, &self.tenant, entry, phc.as_deref())?
                }
                (None, _) => return Ok((decision.change, decision.notes)),
            };
            if self.directory.db().commit(unit).await?.done() {
                return Ok((decision.change, decision.notes));
            }
            decision = decide(self.directory, Some(&self.tenant), &self.tenant.slug, entry).await?;
        }
        Err(contended(&entry.path))
    }

    /// The hash of the password. The pool refuses while it is full; a file waits its turn.
    async fn hash(&self, entry: &UserEntry) -> Result<Option<String>, Error> {
        if let Some(hash) = &entry.password_hash {
            return Ok(Some(hash.expose().clone()));
        }
        let Some(password) = &entry.password else { return Ok(None) };
        let _turn = self.hashing.acquire().await;
        let mut tries = 0;
        loop {
            let prepared = Prepared::new(password.expose())
                .map_err(|error| unfit(&format!("{}.password", entry.path), error))?;
            match self.pool.hash(prepared, Priority::Other).await {
                Ok(phc) => return Ok(Some(phc.to_string())),
                Err(error) if error.kind == Kind::Unavailable && tries < 50 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn create_unit(
    directory: &Directory,
    tenant: &Tenant,
    entry: &UserEntry,
    phc: Option<&str>,
) -> Result<Unit, Error> {
    let (env, now) = (directory.env(), directory.env().now());
    let external: Vec<_> = entry.external_ids.iter().map(|(s, v)| (s.as_str(), v.as_str())).collect();
    let (first, further): (Vec<_>, Vec<_>) = entry.identifiers().into_iter().partition(|(identifier, _)| {
        let further = |(email, _): &(base::Email, bool)| email.normal() == identifier.normal();
        identifier.kind() == IdentifierKind::Username || !entry.emails.iter().any(further)
    });
    let account = NewAccount {
        identifiers: &first,
        attributes: entry.claims.clone(),
        locale: entry.locale.as_deref(),
        password_phc: phc,
        sub: entry.sub.as_deref(),
        external_ids: &external,
    };
    let mut given: Map<String, Value> = Map::new();
    for (name, value) in entry.claims.iter().filter(|(_, value)| !value.is_null()) {
        given.insert(name.clone(), json!({ "new": value }));
    }
    for (identifier, _) in first.iter().chain(&further).rev() {
        given.insert(identifier.kind().as_str().to_owned(), json!({ "new": identifier.as_typed() }));
    }
    let event = Event::new(env, "person.created").actor("operator").detail(json!({ "changed": given }));
    let mut unit = Unit::new(event.id, Vec::new());
    let created = account.write(&mut unit, tenant, env)?;
    unit.record(tenant.event(env, event.person(created.person), Some(&created.key)));
    let written = env.now();
    for (number, (identifier, proof)) in (1..).zip(&further) {
        let proven = (identifier, *proof);
        rows::identifier::insert(&mut unit, tenant.id, created.person, proven, after(written, number));
    }
    if !further.is_empty() {
        let names = first.iter().chain(&further).map(|(identifier, _)| identifier.as_typed());
        let texts = attributes::search_texts(names, &entry.claims);
        rows::person::index(&mut unit, tenant.id, created.person, &texts);
    }
    if entry.state == Some(PersonState::Suspended) {
        let row = PersonRow {
            id: created.person,
            state: "active".to_owned(),
            epoch: created.epoch,
            offline_epoch: created.offline_epoch,
            locale: None,
            attributes: String::new(),
            sealed_attributes: None,
            sealed_key: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        rows::person::set_state(&mut unit, tenant.id, &row, PersonState::Suspended.as_str(), now);
        let event = Event::new(env, "person.suspended").actor("operator").person(created.person);
        unit.record(tenant.event(env, event, Some(&created.key)));
    }
    Ok(unit)
}

/// Addresses keep their order: each is a microsecond younger than the one before.
fn after(now: Time, number: u64) -> Time {
    now.plus(Duration::from_micros(number))
}

fn update_unit(directory: &Directory, tenant: &Tenant, update: &Update) -> Unit {
    let (env, now) = (directory.env(), directory.env().now());
    let Update { old, new, .. } = update;
    let event =
        Event::new(env, "person.updated").actor("operator").person(old.id).detail(update.detail.clone());
    let mut unit = Unit::new(event.id, vec![tenant.event(env, event, Some(&update.key))]);
    rows::person::update(&mut unit, tenant.id, new, now);
    if new.state != old.state {
        let raised = PersonRow { version: old.version + 1, ..old.clone() };
        rows::person::set_state(&mut unit, tenant.id, &raised, &new.state, now);
        let kind = if new.state == "active" { "person.activated" } else { "person.suspended" };
        let event = Event::new(env, kind).actor("operator").person(old.id);
        unit.record(tenant.event(env, event, Some(&update.key)));
    }
    for email in &update.prove {
        let identifier = (email.kind(), email.normal(), "operator");
        rows::identifier::prove(&mut unit, tenant.id, old.id, identifier, now);
    }
    for (number, (identifier, proof)) in (0..).zip(&update.add) {
        rows::identifier::insert(&mut unit, tenant.id, old.id, (identifier, *proof), after(now, number));
    }
    for (source, value) in &update.external {
        rows::person::insert_external(&mut unit, tenant.id, old.id, (source, value), now);
    }
    rows::person::index(&mut unit, tenant.id, old.id, &update.texts);
    unit
}
