//! Tenants of the file.

use crate::{
    document::TenantEntry,
    report::{Change, Difference, Object, detail},
    walk::{TRIES, contended, fresh, merge, unfit},
};
use base::{Error, Event, Id, Kind, id};
use serde_json::{Map, Value};
use std::sync::Arc;
use store::{
    Directory, NewTenant, Tenant, Unit,
    rows::{
        self,
        tenant::{Settings, TenantRow},
    },
};

use web::theme::{Branding, Theme};

/// What becomes of a tenant.
pub(crate) struct Decision {
    pub(crate) change: Change,
    write: Write,
}

enum Write {
    Nothing,
    Create(NewTenant),
    Update(Box<Update>),
}

struct Update {
    old: TenantRow,
    new: TenantRow,
    /// Those that it does not have yet.
    aliases: Vec<String>,
}

/// Scheme and host of the first tenant, if there is one.
pub(crate) async fn first_origin(directory: &Directory) -> Result<Option<String>, Error> {
    let Some(id) = rows::tenant::first(directory.db()).await? else { return Ok(None) };
    let row = rows::tenant::by_id(directory.db(), id).await?;
    Ok(row.map(|row| origin_of(&row.issuer).to_owned()))
}

/// Scheme, host and port of an issuer.
pub(crate) fn origin_of(issuer: &str) -> &str {
    let host = issuer.find("://").map_or(0, |at| at + 3);
    let path = issuer.get(host..).and_then(|rest| rest.find('/'));
    path.and_then(|at| issuer.get(..host + at)).unwrap_or(issuer)
}

/// Compares a tenant with what is stored. A new one gets `issuer`.
pub(crate) async fn decide(
    directory: &Directory,
    entry: &TenantEntry,
    issuer: &str,
) -> Result<Decision, Error> {
    let change = Change::new(Object::Tenant, &entry.slug, &entry.slug);
    if let Some(issuer) = &entry.issuer
        && let Some(id) = rows::tenant::by_issuer(directory.db(), issuer).await?
        && rows::tenant::by_slug(directory.db(), &entry.slug).await? != Some(id)
    {
        return Err(unfit(
            &format!("{}.issuer", entry.path),
            "belongs to another tenant; choose another one",
        ));
    }
    let Some(id) = rows::tenant::by_slug(directory.db(), &entry.slug).await? else {
        let settings = settings(&entry.path, Map::new(), &entry.settings)?;
        let new = NewTenant {
            slug: entry.slug.clone(),
            name: entry.name.clone().unwrap_or_else(|| entry.slug.clone()),
            issuer: issuer.to_owned(),
            settings: Value::Object(settings).to_string(),
        };
        return Ok(Decision { change: change.create(), write: Write::Create(new) });
    };
    let old = rows::tenant::by_id(directory.db(), id).await?.ok_or_else(Error::not_found)?;
    let stored: Map<String, Value> = parse(&old.settings)?;
    let before = settings(&entry.path, stored.clone(), &Map::new())?;
    let after = settings(&entry.path, stored, &entry.settings)?;
    let kept = rows::tenant::former_issuers(directory.db(), id).await?;
    let aliases = aliases(directory, entry, id, &kept).await?;
    let mut new = old.clone();
    new.state = state(directory, entry, &old).await?;
    new.name = entry.name.clone().unwrap_or(new.name);
    new.issuer = entry.issuer.clone().unwrap_or(new.issuer);
    new.settings = Value::Object(after.clone()).to_string();
    let outer = |row: &TenantRow| {
        Map::from_iter([
            ("name".to_owned(), Value::from(row.name.as_str())),
            ("issuer".to_owned(), Value::from(row.issuer.as_str())),
            ("state".to_owned(), Value::from(row.state.as_str())),
        ])
    };
    let mut differs = Difference::between(&outer(&old), &outer(&new));
    if !aliases.is_empty() {
        let (from, to) = (Some(kept.clone().into()), Some([kept, aliases.clone()].concat().into()));
        differs.push(Difference { field: "aliases".to_owned(), from, to });
    }
    differs.extend(
        Difference::between(&before, &after)
            .into_iter()
            .map(|d| Difference { field: format!("settings.{}", d.field), ..d }),
    );
    let write = if differs.is_empty() {
        Write::Nothing
    } else {
        Write::Update(Box::new(Update { old, new, aliases }))
    };
    Ok(Decision { change: change.update(differs), write })
}

/// The state that the tenant is to have.
async fn state(directory: &Directory, entry: &TenantEntry, old: &TenantRow) -> Result<String, Error> {
    let state = entry.state.unwrap_or(&old.state);
    if state == "disabled" && rows::tenant::first(directory.db()).await? == Some(old.id) {
        let place = format!("{}.state", entry.path);
        return Err(unfit(&place, "is that of the first tenant, which cannot be disabled; leave it out"));
    }
    Ok(state.to_owned())
}

/// The aliases that the tenant does not have yet. None is taken from another tenant.
async fn aliases(
    directory: &Directory,
    entry: &TenantEntry,
    id: Id<id::Tenant>,
    kept: &[String],
) -> Result<Vec<String>, Error> {
    let db = directory.db();
    let mut missing = Vec::new();
    for alias in entry.aliases.iter().filter(|alias| !kept.contains(alias)) {
        let owners =
            [rows::tenant::by_issuer(db, alias).await?, rows::tenant::by_former_issuer(db, alias).await?];
        match owners.into_iter().flatten().next() {
            Some(owner) if owner != id => {
                let message = format!("names {alias}, which belongs to another tenant");
                return Err(unfit(&format!("{}.aliases", entry.path), message));
            }
            Some(_) => {}
            None if missing.contains(alias) => {}
            None => missing.push(alias.clone()),
        }
    }
    Ok(missing)
}

/// The stored settings with the file's over them, complete.
fn settings(
    path: &str,
    mut stored: Map<String, Value>,
    patch: &Map<String, Value>,
) -> Result<Map<String, Value>, Error> {
    let before = stored.get("theme").cloned();
    merge(&mut stored, patch);
    if let Some(theme) = stored.get("theme").filter(|theme| before.as_ref() != Some(*theme)) {
        let theme = serde_json::from_value::<Branding>(theme.clone()).map_err(|error| error.to_string());
        let drawn = theme.and_then(|theme| Theme::accept(&theme).map_err(|error| error.to_string()));
        drawn.map_err(|error| unfit(&format!("{path}.settings.theme"), format!("cannot be: {error}")))?;
    }
    let settings: Settings = serde_json::from_value(Value::Object(stored))
        .map_err(|error| unfit(&format!("{path}.settings"), error))?;
    let unfitting = |(name, message)| unfit(&format!("{path}.settings.{name}"), message);
    store::rules::coherent(&settings).map_err(unfitting)?;
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::internal("settings are no JSON object")),
    }
}

fn parse(json: &str) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(json).map_err(|error| Error::internal(format!("settings of a tenant: {error}")))
}

/// Puts a tenant in force.
pub(crate) async fn apply(
    directory: &Directory,
    entry: &TenantEntry,
    default_issuer: &str,
) -> Result<(Change, Arc<Tenant>), Error> {
    // A new tenant gets what it cannot be made with in a second unit.
    let mut made = None;
    for _ in 0..TRIES {
        let issuer = match (&entry.issuer, first_origin(directory).await?) {
            (Some(issuer), _) => issuer.clone(),
            (None, Some(origin)) => format!("{origin}/t/{}", entry.slug),
            (None, None) => default_issuer.to_owned(),
        };
        let decision = decide(directory, entry, &issuer).await?;
        let done = match decision.write {
            Write::Nothing => true,
            Write::Create(new) => match directory.create_tenant(new).await {
                Ok(_) => {
                    made = Some(decision.change.clone());
                    entry.aliases.is_empty() && entry.state != Some("disabled")
                }
                Err(error) if error.kind == Kind::Conflict => false,
                Err(error) => return Err(error),
            },
            Write::Update(what) => update(directory, &decision.change, &what).await?,
        };
        if done {
            let tenant = fresh(directory, &entry.slug).await?.ok_or_else(Error::not_found)?;
            return Ok((made.unwrap_or(decision.change), tenant));
        }
    }
    Err(contended(&entry.path))
}

async fn update(directory: &Directory, change: &Change, what: &Update) -> Result<bool, Error> {
    let (env, now) = (directory.env(), directory.env().now());
    let Update { old, new, aliases } = what;
    directory.forget(old.id);
    let tenant = directory.tenant(old.id).await?.ok_or_else(Error::not_found)?;
    let event = Event::new(env, "tenant.updated").actor("operator").detail(detail(&change.differs));
    let mut unit = Unit::new(event.id, vec![tenant.event(env, event, None)]);
    rows::tenant::update(&mut unit, new, now);
    // An address that it once had is kept as if it had moved from there now.
    let moved = (new.issuer != old.issuer).then_some(&old.issuer);
    for (version, from) in (old.version + 1..).zip(aliases.iter().chain(moved)) {
        let before = TenantRow { version, issuer: from.clone(), ..old.clone() };
        rows::tenant::change_issuer(&mut unit, &before, &new.issuer, host_of(&new.issuer), now);
    }
    let outcome = directory.db().commit(unit).await?;
    directory.forget(old.id);
    Ok(outcome.done())
}

/// The host of an issuer, without its port.
fn host_of(issuer: &str) -> &str {
    let host = origin_of(issuer).split_once("://").map_or("", |(_, host)| host);
    match host.rfind(':') {
        Some(at) if !host.ends_with(']') => host.get(..at).unwrap_or(host),
        _ => host,
    }
}
