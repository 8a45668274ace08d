//! Scopes of the file.

use crate::{
    document::DeclaredEntry,
    report::{Action, Change, Difference, Object, detail},
    walk::{TRIES, contended, merge, unfit},
};
use base::{Error, Event, Id, id};
use oauth::catalogue::IdentityScope;
use serde_json::{Map, Value, json};
use store::{
    Directory, Tenant, Unit,
    rows::{
        self,
        scope::{self, ScopeRow},
    },
};

/// What becomes of a scope.
pub(crate) struct Decision {
    pub(crate) change: Change,
    row: ScopeRow,
}

/// Compares a scope with what is stored; without a tenant, nothing is.
pub(crate) async fn decide(
    directory: &Directory,
    tenant: Option<&Tenant>,
    slug: &str,
    entry: &DeclaredEntry,
) -> Result<Decision, Error> {
    let change = Change::new(Object::Scope, slug, &entry.name);
    let stored = match tenant {
        Some(tenant) => scope::by_name(directory.db(), tenant.id, &entry.name).await?,
        None => None,
    };
    let before = stored.as_ref().map(members).transpose()?;
    let mut wanted = before.clone().unwrap_or_default();
    merge(&mut wanted, &entry.patch);
    let declared = IdentityScope::read(&wanted).map_err(|flaws| entry.unfit(flaws, unfit))?;
    let (change, row) = match (before, stored) {
        (Some(before), Some(row)) => {
            let row = row.with(&declared)?;
            (change.update(Difference::between(&before, &members(&row)?)), row)
        }
        _ => {
            let (id, name) = (directory.env().id(), entry.name.clone());
            let row = ScopeRow { id, name, definition: String::new(), version: 1 };
            (change.create(), row.with(&declared)?)
        }
    };
    Ok(Decision { change, row })
}

/// A stored scope, complete.
fn members(row: &ScopeRow) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(row.read()?) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::internal("a scope is no JSON object")),
    }
}

/// A stored scope as a file says it: without what is as it is by default.
///
/// # Errors
/// Kind `Internal` if it cannot be read.
pub(crate) fn exported(row: &ScopeRow) -> Result<Value, Error> {
    let mut map = members(row)?;
    let said = |value: &Value| !value.is_null() && *value != json!([]) && *value != json!({});
    map.retain(|_, value| said(value));
    Ok(Value::Object(map))
}

/// Puts a scope in force.
pub(crate) async fn apply(
    directory: &Directory,
    tenant: Id<id::Tenant>,
    entry: &DeclaredEntry,
) -> Result<Change, Error> {
    for _ in 0..TRIES {
        directory.forget(tenant);
        let held = directory.tenant(tenant).await?.ok_or_else(Error::not_found)?;
        let decision = decide(directory, Some(&held), &held.slug, entry).await?;
        if decision.change.action == Action::None {
            return Ok(decision.change);
        }
        let outcome = directory.db().commit(unit(directory, &held, &decision)).await?;
        directory.forget(tenant);
        if outcome.done() {
            return Ok(decision.change);
        }
    }
    Err(contended(&entry.path))
}

fn unit(directory: &Directory, tenant: &Tenant, decision: &Decision) -> Unit {
    let (env, row) = (directory.env(), &decision.row);
    let create = decision.change.action == Action::Create;
    let kind = if create { "scope.created" } else { "scope.updated" };
    let changed = detail(&decision.change.differs);
    let event =
        Event::new(env, kind).actor("operator").detail(json!({ "name": row.name, "changed": changed }));
    let mut unit = Unit::new(event.id, vec![tenant.event(env, event, None)]);
    if create {
        scope::insert(&mut unit, tenant.id, row, env.now());
    } else {
        scope::update(&mut unit, tenant.id, row, env.now());
    }
    rows::tenant::raise(&mut unit, tenant.id, tenant.version, env.now());
    unit
}
