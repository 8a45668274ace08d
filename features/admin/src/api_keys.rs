//! `/api/v1/api-keys`: keys for this API. The handle is shown once, when it is made.

use crate::{
    call::{About, Answer, Call},
    caller::Caller,
    endpoint::{CURSOR, Endpoint, LIMIT, Parameter, Verb},
    listed::{self, COUNT, SEARCH},
    refusal::Refusal,
    rows::api_key::{self, API_KEY, ApiKeyRow},
    scope::{
        Permission::{self, ApiKeysRead, ApiKeysWrite, TenantsRead, TenantsWrite},
        Permissions,
    },
    serve::is_root,
    shape::{Shape, shape},
    stamp::Stamp,
};
use base::{Handle, HandleKind, Id, Time, id};
use serde_json::json;
use store::{Tenant, Unit, rules};

shape! {
    /// A key for this API.
    given ApiKey {
        /// The id.
        id: Id<id::ApiKey>,
        /// What people call it.
        name: String,
        /// What it may do.
        scopes: Vec<String>,
        /// Since when.
        created_at: Stamp,
        /// When it stops being accepted.
        expires_at: Option<Stamp>,
        /// When it was last used, to about a minute.
        used_at: Option<Stamp>,
        /// When it was revoked.
        revoked_at: Option<Stamp>,
        /// Raised at each change; also the `ETag`.
        version: i64,
    }
}

shape! {
    /// A key that was just made.
    given CreatedApiKey {
        /// What to send as `Authorization: Bearer …`. It is shown this once.
        secret: String,
        /// The key.
        key: ApiKey,
    }
}

shape! {
    /// A page of keys.
    counted ApiKeyPage of ApiKey
}

shape! {
    /// A key to be made.
    sent NewApiKey {
        /// What people call it.
        name: String,
        /// What it may do; no more than its maker may.
        scopes: Vec<String>,
        /// When it stops being accepted; never without.
        expires_at: Option<Stamp>,
    }
}

shape! {
    /// A merge patch of a key.
    sent ApiKeyPatch {
        /// What people call it.
        name: Option<String>,
        /// What it may do.
        scopes: Option<Vec<String>>,
        /// When it stops being accepted.
        expires_at: Option<Stamp>,
    }
}

const FILTERS: &[Parameter] = &[CURSOR, LIMIT, SEARCH, COUNT];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new((Verb::Get, "/api-keys"), ("listApiKeys", "List API keys"), ApiKeysRead, |call| {
        Box::pin(list(call))
    })
    .query(FILTERS)
    .gives(ApiKeyPage::schema),
    Endpoint::new((Verb::Post, "/api-keys"), ("createApiKey", "Make an API key"), ApiKeysWrite, |call| {
        Box::pin(create(call))
    })
    .takes(NewApiKey::schema)
    .creates(CreatedApiKey::schema),
    Endpoint::new((Verb::Get, "/api-keys/{key}"), ("getApiKey", "Get an API key"), ApiKeysRead, |call| {
        Box::pin(one(call))
    })
    .gives(ApiKey::schema),
    Endpoint::new(
        (Verb::Patch, "/api-keys/{key}"),
        ("updateApiKey", "Change an API key"),
        ApiKeysWrite,
        |call| Box::pin(update(call)),
    )
    .takes(ApiKeyPatch::schema)
    .gives(ApiKey::schema)
    .guarded(),
    Endpoint::new(
        (Verb::Delete, "/api-keys/{key}"),
        ("revokeApiKey", "Revoke an API key"),
        ApiKeysWrite,
        |call| Box::pin(revoke(call)),
    )
    .guarded(),
];

fn show(row: ApiKeyRow) -> ApiKey {
    ApiKey {
        id: row.id,
        name: row.name,
        scopes: Permissions::stored(&row.scopes).words(),
        created_at: Stamp(row.created_at),
        expires_at: row.expires_at.map(Stamp),
        used_at: row.used_at.map(Stamp),
        revoked_at: row.revoked_at.map(Stamp),
        version: row.version,
    }
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let search = call.asked("search").unwrap_or_default();
    let (ids, next, count) = listed::page(call, &API_KEY, &[search]).await?;
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        items.extend(api_key::by_id(call.db(), call.tenant.id, id).await?.map(show));
    }
    Answer::of(&ApiKeyPage { items, next, count })
}

async fn find(call: &Call) -> Result<ApiKeyRow, Refusal> {
    let row = api_key::by_id(call.db(), call.tenant.id, call.part("key")?).await?;
    row.ok_or_else(Refusal::not_found)
}

async fn one(call: &Call) -> Result<Answer, Refusal> {
    let row = find(call).await?;
    let version = row.version;
    Ok(Answer::of(&show(row))?.version(version))
}

async fn create(call: &Call) -> Result<Answer, Refusal> {
    make(call, call.tenant.as_ref()).await
}

/// Makes a key of this tenant. Its maker has all of its scopes.
pub(crate) async fn make(call: &Call, tenant: &Tenant) -> Result<Answer, Refusal> {
    let new: NewApiKey = call.sent()?;
    let permissions = permitted(call, tenant, &new.scopes).await?;
    let name = rules::short(&new.name, 200).map_err(|message| Refusal::field("name", message))?;
    let expires_at = later(call, new.expires_at)?;
    let id = call.env().id();
    let handle = Handle::new(HandleKind::ApiKey, id, call.env().rng());
    let row = ApiKeyRow {
        id,
        name,
        secret: handle.hash().to_vec(),
        scopes: permissions.to_string(),
        created_at: call.now(),
        expires_at,
        used_at: None,
        revoked_at: None,
        version: 1,
    };
    let detail = json!({ "api_key": id, "name": row.name, "scopes": permissions.words() });
    let mut unit = event_of(call, tenant, "api-key.created", detail);
    api_key::insert(&mut unit, tenant.id, &row);
    let answer = Answer::of(&CreatedApiKey { secret: handle.reveal(), key: show(row) })?;
    call.finish(unit, answer.version(1).at(format!("/api-keys/{id}"))).await
}

fn event_of(call: &Call, tenant: &Tenant, kind: &'static str, mut detail: serde_json::Value) -> Unit {
    if tenant.id == call.tenant.id {
        return call.unit(kind, About::NOBODY, detail);
    }
    if let Some(detail) = detail.as_object_mut() {
        detail.insert("by".to_owned(), call.caller.named());
    }
    let event = base::Event::new(call.env(), kind)
        .actor(call.caller.actor())
        .origin(call.origin.clone())
        .detail(detail);
    Unit::new(event.id, vec![tenant.event(call.env(), event, None)])
}

/// Scopes that the caller may give at this tenant.
async fn permitted(call: &Call, tenant: &Tenant, scopes: &[String]) -> Result<Permissions, Refusal> {
    let permissions = Permissions::parse(scopes)?;
    let of_server = |permission: Permission| permissions.allow(permission);
    if (of_server(TenantsRead) || of_server(TenantsWrite)) && !is_root(&call.admin, tenant).await? {
        return Err(Refusal::field("scopes", "names tenants, which are at the first tenant only"));
    }
    call.holds(&permissions)?;
    Ok(permissions)
}

fn later(call: &Call, at: Option<Stamp>) -> Result<Option<Time>, Refusal> {
    match at {
        Some(Stamp(at)) if at <= call.now() => Err(Refusal::field("expires_at", "is past")),
        at => Ok(at.map(|Stamp(at)| at)),
    }
}

/// A key that is to be changed: the caller has all of its scopes, and it is not revoked.
async fn to_change(call: &Call) -> Result<ApiKeyRow, Refusal> {
    let row = find(call).await?;
    call.check_version(row.version)?;
    call.holds(&Permissions::stored(&row.scopes))?;
    if row.revoked_at.is_some() {
        return Err(Refusal::because(crate::refusal::WRONG_STATE, "The key is revoked."));
    }
    Ok(row)
}

async fn update(call: &Call) -> Result<Answer, Refusal> {
    let (sent, patch): (_, ApiKeyPatch) = (call.object()?, call.sent()?);
    let old = to_change(call).await?;
    let mut new = old.clone();
    if let Some(name) = patch.name {
        new.name = rules::short(&name, 200).map_err(|message| Refusal::field("name", message))?;
    }
    if let Some(scopes) = patch.scopes {
        new.scopes = permitted(call, &call.tenant, &scopes).await?.to_string();
    }
    if sent.contains_key("expires_at") {
        new.expires_at = later(call, patch.expires_at)?;
    }
    let detail = json!({ "api_key": old.id, "changed": {
        "name": { "old": old.name, "new": new.name },
        "scopes": { "old": old.scopes, "new": new.scopes },
        "expires_at": { "old": old.expires_at.map(Stamp), "new": new.expires_at.map(Stamp) },
    } });
    let mut unit = call.unit("api-key.updated", About::NOBODY, detail);
    api_key::update(&mut unit, call.tenant.id, &new);
    new.version += 1;
    let version = new.version;
    call.finish(unit, Answer::of(&show(new))?.version(version)).await
}

/// A caller may always revoke its own key.
async fn revoke(call: &Call) -> Result<Answer, Refusal> {
    let row = find(call).await?;
    let own = matches!(&call.caller, Caller::Key { id, .. } if *id == row.id);
    let row = if own { row } else { to_change(call).await? };
    if row.revoked_at.is_some() {
        return Err(Refusal::because(crate::refusal::WRONG_STATE, "The key is revoked."));
    }
    let mut unit =
        call.unit("api-key.revoked", About::NOBODY, json!({ "api_key": row.id, "name": row.name }));
    api_key::revoke(&mut unit, call.tenant.id, row.id, call.now());
    call.finish(unit, Answer::empty()).await
}
