//! `/api/v1/resource-servers`: whom access tokens are for, and the scopes that they may carry there.

use crate::{
    call::{About, Answer, Call},
    declared::{self, Form},
    endpoint::{CURSOR, Endpoint, LIMIT, Parameter, Verb, text},
    listed::{self, COUNT},
    refusal::Refusal,
    scope::Permission::{ResourcesRead, ResourcesWrite},
    shape::{Components, Shape, shape},
    users::changed,
};
use base::id;
use oauth::catalogue::ResourceServer as Declared;
use serde_json::{Map, Value, json};
use store::rows::{
    filtered::RESOURCE_SERVER,
    resource_server::{self, ResourceServerRow},
};

/// A resource server as it is answered.
#[derive(serde::Serialize)]
#[serde(transparent)]
pub(crate) struct ResourceServer(Value);

impl Shape for ResourceServer {
    fn schema(components: &mut Components) -> Value {
        of(components, Form::Given)
    }
}

shape! {
    /// A page of resource servers.
    counted ResourceServerPage of ResourceServer
}

fn of(components: &mut Components, form: Form) -> Value {
    let scope = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name"],
        "properties": { "name": { "type": "string" }, "description": declared::words(Form::New) },
    });
    let lifetime = json!({ "type": ["integer", "null"], "minimum": 1 });
    let properties = [
        ("audience", json!({ "type": "string", "format": "uri" })),
        ("name", json!({ "type": ["string", "null"] })),
        ("scopes", json!({ "type": ["array", "null"], "items": scope })),
        ("access_token_lifetime", lifetime),
        ("access_token_format", json!({ "enum": ["jwt", "opaque", null] })),
        ("access_token_signed_response_alg", json!({ "type": ["string", "null"] })),
        ("introspection_client", json!({ "type": ["string", "null"] })),
    ];
    let doc = "A resource server; what it leaves out of the tokens is as their application says.";
    declared::schema::<id::ResourceServer>(components, ("ResourceServer", form), doc, &properties)
}

const FILTERS: &[Parameter] = &[
    CURSOR,
    LIMIT,
    text("audience", "The resource server of this audience."),
    text("search", "Resource servers whose audience begins so."),
    COUNT,
];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        (Verb::Get, "/resource-servers"),
        ("listResourceServers", "List resource servers"),
        ResourcesRead,
        |call| Box::pin(list(call)),
    )
    .query(FILTERS)
    .gives(ResourceServerPage::schema),
    Endpoint::new(
        (Verb::Post, "/resource-servers"),
        ("createResourceServer", "Declare a resource server"),
        ResourcesWrite,
        |call| Box::pin(create(call)),
    )
    .takes(|components| of(components, Form::New))
    .creates(ResourceServer::schema),
    Endpoint::new(
        (Verb::Get, "/resource-servers/{server}"),
        ("getResourceServer", "Get a resource server"),
        ResourcesRead,
        |call| Box::pin(one(call)),
    )
    .gives(ResourceServer::schema),
    Endpoint::new(
        (Verb::Patch, "/resource-servers/{server}"),
        ("updateResourceServer", "Change a resource server; its audience stays"),
        ResourcesWrite,
        |call| Box::pin(update(call)),
    )
    .takes(|components| of(components, Form::Patch))
    .gives(ResourceServer::schema)
    .guarded(),
    Endpoint::new(
        (Verb::Delete, "/resource-servers/{server}"),
        ("deleteResourceServer", "Remove a resource server; tokens that it has live on"),
        ResourcesWrite,
        |call| Box::pin(remove(call)),
    )
    .guarded(),
];

async fn find(call: &Call) -> Result<(ResourceServerRow, Declared), Refusal> {
    let row = resource_server::by_id(call.db(), call.tenant.id, call.part("server")?).await?;
    let row = row.ok_or_else(Refusal::not_found)?;
    let declared = row.read()?;
    Ok((row, declared))
}

fn read(call: &Call, members: &Map<String, Value>) -> Result<Declared, Refusal> {
    Declared::read(members, &call.tenant.issuers()).map_err(declared::flawed)
}

async fn one(call: &Call) -> Result<Answer, Refusal> {
    let (row, declared) = find(call).await?;
    Ok(Answer::of(&declared::shown(row.id, &declared, row.version)?)?.version(row.version))
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let (db, tenant) = (call.db(), call.tenant.id);
    let search = listed::searched(call, "audience")?;
    let (rows, next, count) = match call.asked("audience") {
        Some(audience) => listed::exact(call, resource_server::by_audience(db, tenant, audience).await?),
        None => {
            let (ids, next, count) = listed::page(call, &RESOURCE_SERVER, &[search]).await?;
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                rows.extend(resource_server::by_id(db, tenant, id).await?);
            }
            (rows, next, count)
        }
    };
    let show =
        |row: &ResourceServerRow| Ok(ResourceServer(declared::shown(row.id, &row.read()?, row.version)?));
    let items = rows.iter().map(show).collect::<Result<_, Refusal>>()?;
    Answer::of(&ResourceServerPage { items, next, count })
}

/// The token path never makes keys, so they are there before a resource server that needs them.
async fn ensure_key(call: &Call, declared: &Declared) -> Result<(), Refusal> {
    let Some(algorithm) = declared.access_token_signed_response_alg else { return Ok(()) };
    if call.tenant.signing_key(algorithm).is_some() {
        return Ok(());
    }
    call.directory().ensure_signing_key(call.tenant.id, algorithm).await?;
    // The tenant has another version now.
    Err(Refusal::Again)
}

async fn create(call: &Call) -> Result<Answer, Refusal> {
    let declared = read(call, &call.object()?)?;
    let (db, tenant) = (call.db(), call.tenant.id);
    if resource_server::by_audience(db, tenant, &declared.audience).await?.is_some() {
        return Err(Refusal::taken("audience"));
    }
    ensure_key(call, &declared).await?;
    let (id, audience) = (call.env().id(), declared.audience.clone());
    let row = ResourceServerRow { id, audience, definition: String::new(), version: 1 }.with(&declared)?;
    let differs = changed(&Map::new(), &declared::members(&declared)?);
    let detail = json!({ "audience": row.audience, "changed": differs });
    let mut unit = call.unit("resource-server.created", About::NOBODY, detail);
    resource_server::insert(&mut unit, tenant, &row, call.now());
    let answer = Answer::of(&declared::shown(id, &declared, 1)?)?;
    call.finish_configuration(unit, answer.version(1).at(format!("/resource-servers/{id}"))).await
}

async fn update(call: &Call) -> Result<Answer, Refusal> {
    let patch = call.object()?;
    let (row, before) = find(call).await?;
    call.check_version(row.version)?;
    let old = declared::members(&before)?;
    let after = read(call, &declared::patched(&old, &patch, "audience")?)?;
    let differs = changed(&old, &declared::members(&after)?);
    if differs.is_empty() {
        return one(call).await;
    }
    ensure_key(call, &after).await?;
    let row = row.with(&after)?;
    let detail = json!({ "audience": row.audience, "changed": differs });
    let mut unit = call.unit("resource-server.updated", About::NOBODY, detail);
    resource_server::update(&mut unit, call.tenant.id, &row, call.now());
    let version = row.version + 1;
    let answer = Answer::of(&declared::shown(row.id, &after, version)?)?;
    call.finish_configuration(unit, answer.version(version)).await
}

async fn remove(call: &Call) -> Result<Answer, Refusal> {
    let (row, before) = find(call).await?;
    call.check_version(row.version)?;
    let differs = changed(&declared::members(&before)?, &Map::new());
    let detail = json!({ "audience": row.audience, "changed": differs });
    let mut unit = call.unit("resource-server.removed", About::NOBODY, detail);
    resource_server::remove(&mut unit, call.tenant.id, &row);
    call.finish_configuration(unit, Answer::empty()).await
}
