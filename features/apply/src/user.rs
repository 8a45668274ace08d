//! Users of the file.

use crate::{
    document::{PersonState, UserEntry},
    report::{Action, Change, Difference, Object, detail},
    walk::{TRIES, contended, unfit},
};
use base::{Error, Event, Id, Identifier, IdentifierKind, Kind, SealingKey, Time, id};
use passwords::Prepared;
use serde_json::{Map, Value, json};
use std::time::Duration;
use store::{
    Directory, Tenant, Unit,
    accounts::NewAccount,
    attributes,
    rows::{self, identifier::IdentifierRow, person::PersonRow, tenant::Settings},
};
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
    let allowed = |settings: &Settings| {
        let checked = entry.check_password(settings);
        checked.map_err(|message| unfit(&format!("{}.password", entry.path), message))
    };
    let Some(tenant) = tenant else {
        allowed(&Settings::default())?;
        return Ok(create(change));
    };
    let person = find(directory, tenant, entry).await?;
    let external = external_ids(directory, tenant, entry, person).await?;
    subject(directory, tenant, entry, person).await?;
    let Some(person) = person else {
        for (identifier, _) in entry.identifiers() {
            free(directory, tenant, entry, &identifier).await?;
        }
        allowed(&tenant.settings)?;
        return Ok(create(change));
    };
    let old = rows::person::by_id(directory.db(), tenant.id, person).await?;
    let Some(old) = old.filter(|row| row.state != "deleted") else {
        return Err(unfit(&entry.path, "is being deleted; apply the file again in a moment"));
    };
    let identifiers = rows::identifier::of_person(directory.db(), tenant.id, person).await?;
    let mut notes = Vec::new();
    let add = missing(entry, &identifiers, &mut notes);
    for (identifier, _) in &add {
        free(directory, tenant, entry, identifier).await?;
    }
    let found = Found { old, identifiers, add, external };
    let (change, update) = existing(directory, tenant, entry, found, change)?;
    Ok(Decision { change, notes, update })
}

/// The person whom the file means: by address, else by user name.
async fn find(
    directory: &Directory,
    tenant: &Tenant,
    entry: &UserEntry,
) -> Result<Option<Id<id::Person>>, Error> {
    let mut found = None;
    for (identifier, _) in entry.identifiers() {
        let row =
            rows::identifier::find(directory.db(), tenant.id, identifier.kind(), identifier.normal()).await?;
        let Some(row) = row else { continue };
        if found.is_some_and(|person| person != row.person) {
            let place = format!("{}.username", entry.path);
            return Err(unfit(&place, "belongs to another account than the address; choose another one"));
        }
        found = Some(row.person);
    }
    Ok(found)
}

/// An identifier without owner is free, unless it is held back. The owner is asked last, so that one
/// who came between is no mistake of the file.
async fn free(
    directory: &Directory,
    tenant: &Tenant,
    entry: &UserEntry,
    identifier: &Identifier,
) -> Result<(), Error> {
    let (kind, normal, now) = (identifier.kind(), identifier.normal(), directory.env().now());
    let taken = rows::identifier::taken(directory.db(), tenant.id, (kind, normal), now).await?;
    if taken && rows::identifier::find(directory.db(), tenant.id, kind, normal).await?.is_none() {
        let place = format!("{}.{}", entry.path, kind.as_str());
        return Err(unfit(&place, "is held back for a deleted account; choose another one, or wait"));
    }
    Ok(())
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

/// Puts a user in force; gives what of the file was left aside, too.
pub(crate) async fn apply(
    directory: &Directory,
    pool: &HashPool,
    tenant: Id<id::Tenant>,
    entry: &UserEntry,
) -> Result<(Change, Vec<String>), Error> {
    let tenant = directory.tenant(tenant).await?.ok_or_else(Error::not_found)?;
    let mut phc = None;
    for _ in 0..TRIES {
        let decision = decide(directory, Some(&tenant), &tenant.slug, entry).await?;
        let unit = match (&decision.update, decision.change.action) {
            (Some(update), _) => update_unit(directory, &tenant, update),
            (None, Action::Create) => {
                if phc.is_none() {
                    phc = hash(pool, entry).await?;
                }
                create_unit(directory, &tenant, entry, phc.as_deref())?
            }
            (None, _) => return Ok((decision.change, decision.notes)),
        };
        if directory.db().commit(unit).await?.done() {
            return Ok((decision.change, decision.notes));
        }
    }
    Err(contended(&entry.path))
}

/// The hash of the password. The pool refuses while it is full; a file waits its turn.
async fn hash(pool: &HashPool, entry: &UserEntry) -> Result<Option<String>, Error> {
    if let Some(hash) = &entry.password_hash {
        return Ok(Some(hash.expose().clone()));
    }
    let Some(password) = &entry.password else { return Ok(None) };
    let mut tries = 0;
    loop {
        let prepared = Prepared::new(password.expose())
            .map_err(|error| unfit(&format!("{}.password", entry.path), error))?;
        match pool.hash(prepared, Priority::Other).await {
            Ok(phc) => return Ok(Some(phc.to_string())),
            Err(error) if error.kind == Kind::Unavailable && tries < 50 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(error) => return Err(error),
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
