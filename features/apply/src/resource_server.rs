//! Resource servers of the file.

use crate::{
    document::DeclaredEntry,
    report::{Action, Change, Difference, Object, detail},
    walk::{TRIES, contended, merge, unfit},
};
use base::{Error, Event, Id, id};
use oauth::catalogue::ResourceServer;
use serde_json::{Map, Value, json};
use store::{
    Directory, Tenant, Unit,
    rows::{
        self,
        resource_server::{self, ResourceServerRow},
    },
};

/// What becomes of a resource server.
pub(crate) struct Decision {
    pub(crate) change: Change,
    row: ResourceServerRow,
    declared: ResourceServer,
}

/// Compares a resource server with what is stored; without a tenant, nothing is.
pub(crate) async fn decide(
    directory: &Directory,
    tenant: Option<&Tenant>,
    slug: &str,
    entry: &DeclaredEntry,
) -> Result<Decision, Error> {
    let change = Change::new(Object::ResourceServer, slug, &entry.name);
    let stored = match tenant {
        Some(tenant) => resource_server::by_audience(directory.db(), tenant.id, &entry.name).await?,
        None => None,
    };
    let before = stored.as_ref().map(members).transpose()?;
    let mut wanted = before.clone().unwrap_or_default();
    merge(&mut wanted, &entry.patch);
    let issuers = tenant.map_or_else(Vec::new, Tenant::issuers);
    let declared = ResourceServer::read(&wanted, &issuers).map_err(|flaws| entry.unfit(flaws, unfit))?;
    let (change, row) = match (before, stored) {
        (Some(before), Some(row)) => {
            let row = row.with(&declared)?;
            (change.update(Difference::between(&before, &members(&row)?)), row)
        }
        _ => {
            let (id, audience) = (directory.env().id(), entry.name.clone());
            let row = ResourceServerRow { id, audience, definition: String::new(), version: 1 };
            (change.create(), row.with(&declared)?)
        }
    };
    Ok(Decision { change, row, declared })
}

/// A stored resource server, complete.
fn members(row: &ResourceServerRow) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(row.read()?) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::internal("a resource server is no JSON object")),
    }
}

/// A stored resource server as a file says it: without what is as it is by default.
///
/// # Errors
/// Kind `Internal` if it cannot be read.
pub(crate) fn exported(row: &ResourceServerRow) -> Result<Value, Error> {
    let mut map = members(row)?;
    let said = |value: &Value| !value.is_null() && *value != json!([]) && *value != json!({});
    map.retain(|_, value| said(value));
    Ok(Value::Object(map))
}

/// Puts a resource server in force, its signing key first.
pub(crate) async fn apply(
    directory: &Directory,
    tenant: Id<id::Tenant>,
    entry: &DeclaredEntry,
) -> Result<Change, Error> {
    for _ in 0..TRIES {
        directory.forget(tenant);
        let mut held = directory.tenant(tenant).await?.ok_or_else(Error::not_found)?;
        let decision = decide(directory, Some(&held), &held.slug, entry).await?;
        if decision.change.action == Action::None {
            return Ok(decision.change);
        }
        if let Some(algorithm) = decision.declared.access_token_signed_response_alg
            && held.signing_key(algorithm).is_none()
        {
            directory.ensure_signing_key(tenant, algorithm).await?;
            held = directory.tenant(tenant).await?.ok_or_else(Error::not_found)?;
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
    let kind = if create { "resource-server.created" } else { "resource-server.updated" };
    let changed = detail(&decision.change.differs);
    let event = Event::new(env, kind)
        .actor("operator")
        .detail(json!({ "audience": row.audience, "changed": changed }));
    let mut unit = Unit::new(event.id, vec![tenant.event(env, event, None)]);
    if create {
        resource_server::insert(&mut unit, tenant.id, row, env.now());
    } else {
        resource_server::update(&mut unit, tenant.id, row, env.now());
    }
    rows::tenant::raise(&mut unit, tenant.id, tenant.version, env.now());
    unit
}
