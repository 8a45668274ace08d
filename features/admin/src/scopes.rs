//! `/api/v1/scopes`: the scopes that stand for claims of a person.

use crate::{
    call::{About, Answer, Call},
    declared::{self, Form},
    endpoint::{CURSOR, Endpoint, LIMIT, Parameter, Verb, text},
    listed::{self, COUNT, SEARCH},
    refusal::Refusal,
    scope::Permission::{ResourcesRead, ResourcesWrite},
    shape::{Components, Shape, shape},
    users::changed,
};
use base::id;
use oauth::catalogue::IdentityScope as Declared;
use serde_json::{Map, Value, json};
use store::rows::{
    filtered::SCOPE,
    scope::{self, ScopeRow},
};

/// A scope as it is answered.
#[derive(serde::Serialize)]
#[serde(transparent)]
pub(crate) struct Scope(Value);

impl Shape for Scope {
    fn schema(components: &mut Components) -> Value {
        of(components, Form::Given)
    }
}

shape! {
    /// A page of scopes.
    counted ScopePage of Scope
}

fn of(components: &mut Components, form: Form) -> Value {
    let mapping = json!({
        "description": "The name of an attribute, told by userinfo; or where it comes from and goes to.",
        "anyOf": [
            { "type": "string" },
            {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "attribute": { "type": ["string", "null"] },
                    "value": {},
                    "targets": {
                        "type": "array",
                        "items": { "enum": ["id_token", "userinfo", "access_token"] },
                    },
                },
            },
            { "type": "null" },
        ],
    });
    let properties = [
        ("name", json!({ "type": "string" })),
        ("description", declared::words(form)),
        ("claims", json!({ "type": ["object", "null"], "additionalProperties": mapping })),
    ];
    let doc = "A scope that stands for claims; one with the name of a standard scope adds to its claims.";
    declared::schema::<id::Scope>(components, ("Scope", form), doc, &properties)
}

const FILTERS: &[Parameter] = &[CURSOR, LIMIT, text("name", "The scope of this name."), SEARCH, COUNT];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new((Verb::Get, "/scopes"), ("listScopes", "List scopes"), ResourcesRead, |call| {
        Box::pin(list(call))
    })
    .query(FILTERS)
    .gives(ScopePage::schema),
    Endpoint::new((Verb::Post, "/scopes"), ("createScope", "Declare a scope"), ResourcesWrite, |call| {
        Box::pin(create(call))
    })
    .takes(|components| of(components, Form::New))
    .creates(Scope::schema),
    Endpoint::new((Verb::Get, "/scopes/{scope}"), ("getScope", "Get a scope"), ResourcesRead, |call| {
        Box::pin(one(call))
    })
    .gives(Scope::schema),
    Endpoint::new(
        (Verb::Patch, "/scopes/{scope}"),
        ("updateScope", "Change a scope; its name stays"),
        ResourcesWrite,
        |call| Box::pin(update(call)),
    )
    .takes(|components| of(components, Form::Patch))
    .gives(Scope::schema)
    .guarded(),
    Endpoint::new(
        (Verb::Delete, "/scopes/{scope}"),
        ("deleteScope", "Remove a scope; who may ask for it still may, and gets no claims"),
        ResourcesWrite,
        |call| Box::pin(remove(call)),
    )
    .guarded(),
];

async fn find(call: &Call) -> Result<(ScopeRow, Declared), Refusal> {
    let row = scope::by_id(call.db(), call.tenant.id, call.part("scope")?).await?;
    let row = row.ok_or_else(Refusal::not_found)?;
    let declared = row.read()?;
    Ok((row, declared))
}

fn read(members: &Map<String, Value>) -> Result<Declared, Refusal> {
    Declared::read(members).map_err(declared::flawed)
}

async fn one(call: &Call) -> Result<Answer, Refusal> {
    let (row, declared) = find(call).await?;
    Ok(Answer::of(&declared::shown(row.id, &declared, row.version)?)?.version(row.version))
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let (db, tenant) = (call.db(), call.tenant.id);
    let search = listed::searched(call, "name")?;
    let (rows, next, count) = match call.asked("name") {
        Some(name) => listed::exact(call, scope::by_name(db, tenant, name).await?),
        None => {
            let (ids, next, count) = listed::page(call, &SCOPE, &[search]).await?;
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                rows.extend(scope::by_id(db, tenant, id).await?);
            }
            (rows, next, count)
        }
    };
    let show = |row: &ScopeRow| Ok(Scope(declared::shown(row.id, &row.read()?, row.version)?));
    let items = rows.iter().map(show).collect::<Result<_, Refusal>>()?;
    Answer::of(&ScopePage { items, next, count })
}

async fn create(call: &Call) -> Result<Answer, Refusal> {
    let declared = read(&call.object()?)?;
    let (db, tenant) = (call.db(), call.tenant.id);
    if scope::by_name(db, tenant, declared.name.as_str()).await?.is_some() {
        return Err(Refusal::taken("name"));
    }
    let (id, name) = (call.env().id(), declared.name.as_str().to_owned());
    let row = ScopeRow { id, name, definition: String::new(), version: 1 }.with(&declared)?;
    let differs = changed(&Map::new(), &declared::members(&declared)?);
    let detail = json!({ "name": row.name, "changed": differs });
    let mut unit = call.unit("scope.created", About::NOBODY, detail);
    scope::insert(&mut unit, tenant, &row, call.now());
    let answer = Answer::of(&declared::shown(id, &declared, 1)?)?;
    call.finish_configuration(unit, answer.version(1).at(format!("/scopes/{id}"))).await
}

async fn update(call: &Call) -> Result<Answer, Refusal> {
    let patch = call.object()?;
    let (row, before) = find(call).await?;
    call.check_version(row.version)?;
    let old = declared::members(&before)?;
    let after = read(&declared::patched(&old, &patch, "name")?)?;
    let differs = changed(&old, &declared::members(&after)?);
    if differs.is_empty() {
        return one(call).await;
    }
    let row = row.with(&after)?;
    let detail = json!({ "name": row.name, "changed": differs });
    let mut unit = call.unit("scope.updated", About::NOBODY, detail);
    scope::update(&mut unit, call.tenant.id, &row, call.now());
    let version = row.version + 1;
    let answer = Answer::of(&declared::shown(row.id, &after, version)?)?;
    call.finish_configuration(unit, answer.version(version)).await
}

async fn remove(call: &Call) -> Result<Answer, Refusal> {
    let (row, before) = find(call).await?;
    call.check_version(row.version)?;
    let differs = changed(&declared::members(&before)?, &Map::new());
    let detail = json!({ "name": row.name, "changed": differs });
    let mut unit = call.unit("scope.removed", About::NOBODY, detail);
    scope::remove(&mut unit, call.tenant.id, &row);
    call.finish_configuration(unit, Answer::empty()).await
}
