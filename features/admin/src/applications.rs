//! `/api/v1/applications`: the relying parties. Deleting one disables it; its grants, tokens and audit
//! trail keep a name.

use crate::{
    call::{About, Answer, Call, said},
    endpoint::{CURSOR, Endpoint, LIMIT, Parameter, ParameterKind, Verb, text},
    listed::{self, COUNT},
    refusal::Refusal,
    scope::Permission::{ApplicationsRead, ApplicationsWrite},
    secrets,
    shape::{Components, Shape, shape},
    users::changed,
};
use base::{Error, Id, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth::{
    Client, ClientId,
    client::{ClientError, GrantType},
};
use serde_json::{Map, Value, json};
use store::{
    rows::{self, application::ApplicationRow, filtered::APPLICATION},
    rules,
};

shape! {
    /// A relying party.
    given Application {
        /// The id.
        id: Id<id::Application>,
        /// Its name in OAuth.
        client_id: String,
        /// `active` or `disabled`.
        state: String,
        /// What it is registered with.
        metadata: Metadata,
        /// Raised at each change; also the `ETag`.
        version: i64,
    }
}

shape! {
    /// A relying party that was just made.
    given CreatedApplication {
        /// Its secret, shown this once; null where it has none.
        client_secret: Option<String>,
        /// The application.
        application: Application,
    }
}

shape! {
    /// A page of applications.
    counted ApplicationPage of Application
}

shape! {
    /// A relying party to be made.
    sent NewApplication {
        /// Its name in OAuth; a random one without.
        client_id: Option<String>,
        /// What it is registered with; what is left out takes its default.
        metadata: Metadata,
    }
}

shape! {
    /// A merge patch of an application.
    sent ApplicationPatch {
        /// `active` or `disabled`.
        state: Option<String>,
        /// Changes of what it is registered with; null returns to the default.
        metadata: Option<Metadata>,
    }
}

/// Client metadata, all but the `client_id`.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Metadata(Map<String, Value>);

impl Shape for Metadata {
    /// Made from the type that the protocol itself reads.
    fn schema(components: &mut Components) -> Value {
        let name = "ApplicationMetadata";
        if !components.contains_key(name) {
            let known = known().unwrap_or_default();
            let properties: Map<String, Value> =
                known.iter().map(|(name, default)| (name.clone(), property(name, default))).collect();
            let schema = json!({
                "type": "object",
                "description": "Client metadata (RFC 7591, OpenID Connect Registration); null is the default.",
                "additionalProperties": false,
                "properties": properties,
            });
            components.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// The schema of a value whose default this is.
fn property(name: &str, default: &Value) -> Value {
    match default {
        Value::Bool(_) => json!({ "type": ["boolean", "null"], "default": default }),
        Value::Number(_) => json!({ "type": ["integer", "null"], "default": default }),
        Value::String(_) => json!({ "type": ["string", "null"], "default": default }),
        Value::Array(_) => {
            json!({ "type": ["array", "null"], "items": { "type": "string" }, "default": default })
        }
        Value::Object(map) => {
            let inner: Map<String, Value> =
                map.iter().map(|(name, default)| (name.clone(), property(name, default))).collect();
            json!({ "type": ["object", "null"], "properties": inner })
        }
        Value::Null if name.ends_with("_uri") => json!({ "type": ["string", "null"] }),
        Value::Null => json!({}),
    }
}

/// All metadata with their defaults.
fn known() -> Option<Map<String, Value>> {
    object(&Client::new("x".parse().ok()?)).ok()
}

const FILTERS: &[Parameter] = &[
    CURSOR,
    LIMIT,
    text("client_id", "The application of this `client_id`."),
    text("search", "Applications whose `client_id` or name begins so, whatever the case."),
    Parameter {
        name: "state",
        kind: ParameterKind::Words(&["active", "disabled"]),
        description: "Applications in this state.",
    },
    COUNT,
];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        (Verb::Get, "/applications"),
        ("listApplications", "List applications"),
        ApplicationsRead,
        |call| Box::pin(list(call)),
    )
    .query(FILTERS)
    .gives(ApplicationPage::schema),
    Endpoint::new(
        (Verb::Post, "/applications"),
        ("createApplication", "Make an application; its secret is shown once"),
        ApplicationsWrite,
        |call| Box::pin(create(call)),
    )
    .takes(NewApplication::schema)
    .creates(CreatedApplication::schema),
    Endpoint::new(
        (Verb::Get, "/applications/{application}"),
        ("getApplication", "Get an application"),
        ApplicationsRead,
        |call| Box::pin(one(call)),
    )
    .gives(Application::schema),
    Endpoint::new(
        (Verb::Patch, "/applications/{application}"),
        ("updateApplication", "Change an application"),
        ApplicationsWrite,
        |call| Box::pin(update(call)),
    )
    .takes(ApplicationPatch::schema)
    .gives(Application::schema)
    .guarded(),
    Endpoint::new(
        (Verb::Delete, "/applications/{application}"),
        ("disableApplication", "Disable an application"),
        ApplicationsWrite,
        |call| Box::pin(disable(call)),
    )
    .guarded(),
];

/// The metadata as JSON, without the `client_id`.
fn object(client: &Client) -> Result<Map<String, Value>, Refusal> {
    match serde_json::to_value(client) {
        Ok(Value::Object(mut map)) => {
            map.remove("client_id");
            Ok(map)
        }
        _ => Err(Error::internal("an application's metadata is no JSON object").into()),
    }
}

/// The metadata of a stored application.
pub(crate) fn client(row: &ApplicationRow) -> Result<Client, Refusal> {
    serde_json::from_str(&row.metadata)
        .map_err(|error| Error::internal(format!("metadata of an application: {error}")).into())
}

fn show(row: &ApplicationRow, client: &Client) -> Result<Application, Refusal> {
    Ok(Application {
        id: row.id,
        client_id: row.client_id.clone(),
        state: row.state.clone(),
        metadata: Metadata(object(client)?),
        version: row.version,
    })
}

/// The application that the path names.
pub(crate) async fn find(call: &Call) -> Result<(ApplicationRow, Client), Refusal> {
    let row = rows::application::by_id(call.db(), call.tenant.id, call.part("application")?).await?;
    let row = row.ok_or_else(Refusal::not_found)?;
    let client = client(&row)?;
    Ok((row, client))
}

/// The same, for a change: whatever its tokens may do here, the caller may too.
pub(crate) async fn to_change(call: &Call) -> Result<(ApplicationRow, Client), Refusal> {
    let (row, client) = find(call).await?;
    call.check_version(row.version)?;
    call.holds_reach(&client)?;
    Ok((row, client))
}

async fn one(call: &Call) -> Result<Answer, Refusal> {
    let (row, client) = find(call).await?;
    Ok(Answer::of(&show(&row, &client)?)?.version(row.version))
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let (db, tenant) = (call.db(), call.tenant.id);
    let (search, state) = (listed::searched(call, "client_id")?, call.asked("state").unwrap_or_default());
    let (found, next, count) = match call.asked("client_id") {
        Some(client_id) => {
            let row = rows::application::by_client_id(db, tenant, client_id).await?;
            listed::exact(call, row.filter(|row| state.is_empty() || row.state == state))
        }
        None => {
            let (ids, next, count) = listed::page(call, &APPLICATION, &[search, state]).await?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(rows::application::by_id(db, tenant, id).await?);
            }
            (found, next, count)
        }
    };
    let show = |row: &ApplicationRow| show(row, &client(row)?);
    let items = found.iter().map(show).collect::<Result<_, Refusal>>()?;
    Answer::of(&ApplicationPage { items, next, count })
}

/// Metadata with a patch over it, as the protocol reads it, each mistake with its field.
fn read(
    client_id: &ClientId,
    mut metadata: Map<String, Value>,
    patch: &Map<String, Value>,
) -> Result<Client, Refusal> {
    let known = known().unwrap_or_default();
    let unknown = patch.keys().filter(|name| !known.contains_key(*name));
    let unknown: Vec<_> = unknown.map(|name| (format!("metadata.{name}"), "is unknown".to_owned())).collect();
    if !unknown.is_empty() {
        return Err(Refusal::fields(unknown));
    }
    rules::merge(&mut metadata, patch);
    metadata.insert("client_id".to_owned(), client_id.as_str().into());
    if let Some(Value::String(name)) = metadata.get("name") {
        rules::short(name, 200).map_err(|message| Refusal::field("metadata.name", message))?;
    }
    let client: Client = serde_json::from_value(Value::Object(metadata.clone())).map_err(|whole| {
        // One value alone beside the defaults tells which field it is.
        let alone = |(name, value): (&String, &Value)| {
            let one = json!({ "client_id": client_id.as_str(), name.as_str(): value });
            serde_json::from_value::<Client>(one)
                .err()
                .map(|error| (format!("metadata.{name}"), said(&error)))
        };
        let fields: Vec<_> = metadata.iter().filter_map(alone).collect();
        if fields.is_empty() { Refusal::field("metadata", said(&whole)) } else { Refusal::fields(fields) }
    })?;
    client.check().map_err(|error: ClientError| Refusal::field("metadata", error))?;
    Ok(client)
}

/// The token path never makes keys, so they are there before an application that needs them.
async fn ensure_keys(call: &Call, client: &Client) -> Result<(), Refusal> {
    let id_token = client.allows(GrantType::AuthorizationCode).then_some(client.id_token_signed_response_alg);
    let needed = id_token
        .into_iter()
        .chain([client.access_token_signed_response_alg])
        .chain(client.userinfo_signed_response_alg);
    let mut made = false;
    for algorithm in needed {
        if call.tenant.signing_key(algorithm).is_none() {
            call.directory().ensure_signing_key(call.tenant.id, algorithm).await?;
            made = true;
        }
    }
    // The tenant has another version now.
    if made { Err(Refusal::Again) } else { Ok(()) }
}

async fn create(call: &Call) -> Result<Answer, Refusal> {
    let new: NewApplication = call.sent()?;
    let client_id = match new.client_id {
        Some(text) => {
            text.parse().map_err(|error: oauth::client::ClientIdError| Refusal::field("client_id", error))?
        }
        None => URL_SAFE_NO_PAD.encode(call.env().bytes::<12>()).parse().map_err(
            |error: oauth::client::ClientIdError| Refusal::from(Error::internal(error.to_string())),
        )?,
    };
    let client = read(&client_id, Map::new(), &new.metadata.0)?;
    call.holds_reach(&client)?;
    if rows::application::by_client_id(call.db(), call.tenant.id, client_id.as_str()).await?.is_some() {
        return Err(Refusal::taken("client_id"));
    }
    ensure_keys(call, &client).await?;
    let metadata = object(&client)?;
    let mut stored = metadata.clone();
    stored.insert("client_id".to_owned(), client_id.as_str().into());
    let row = ApplicationRow {
        id: call.env().id(),
        client_id: client_id.as_str().to_owned(),
        name: client.display_name().to_owned(),
        state: "active".to_owned(),
        metadata: Value::Object(stored).to_string(),
        version: 1,
    };
    let detail = json!({ "client_id": row.client_id, "changed": changed(&Map::new(), &metadata) });
    let mut unit = call.unit("application.created", About::application(row.id), detail);
    rows::application::insert(&mut unit, call.tenant.id, &row, call.now());
    let client_secret = match client.has_secret() {
        true => Some(secrets::add(call, &mut unit, (row.id, &client))?.1),
        false => None,
    };
    let answer = Answer::of(&CreatedApplication { client_secret, application: show(&row, &client)? })?;
    let answer = answer.version(1).at(format!("/applications/{}", row.id));
    call.finish_configuration(unit, answer).await
}

async fn update(call: &Call) -> Result<Answer, Refusal> {
    let patch: ApplicationPatch = call.sent()?;
    let (old, before) = to_change(call).await?;
    let client_id = before.client_id.clone();
    let patched = patch.metadata.map(|metadata| metadata.0).unwrap_or_default();
    let after = read(&client_id, object(&before)?, &patched)?;
    call.holds_reach(&after)?;
    let state = match patch.state.as_deref() {
        None => old.state.clone(),
        Some(state @ ("active" | "disabled")) => state.to_owned(),
        Some(_) => return Err(Refusal::field("state", "must be active or disabled")),
    };
    let mut differs = changed(&object(&before)?, &object(&after)?);
    if state != old.state {
        differs.insert("state".to_owned(), json!({ "old": old.state, "new": state }));
    }
    if differs.is_empty() {
        return Ok(Answer::of(&show(&old, &before)?)?.version(old.version));
    }
    ensure_keys(call, &after).await?;
    let mut stored = object(&after)?;
    stored.insert("client_id".to_owned(), client_id.as_str().into());
    let mut new = ApplicationRow {
        name: after.display_name().to_owned(),
        state,
        metadata: Value::Object(stored).to_string(),
        ..old
    };
    let detail = json!({ "client_id": new.client_id, "changed": differs });
    let mut unit = call.unit("application.updated", About::application(new.id), detail);
    rows::application::update(&mut unit, call.tenant.id, &new, call.now());
    // One that keeps no secret any more must not be let in by one of before.
    if before.has_secret() && !after.has_secret() {
        rows::application::drop_secrets(&mut unit, call.tenant.id, new.id);
    }
    new.version += 1;
    let answer = Answer::of(&show(&new, &after)?)?.version(new.version);
    call.finish_configuration(unit, answer).await
}

async fn disable(call: &Call) -> Result<Answer, Refusal> {
    let (old, _) = to_change(call).await?;
    if old.state == "disabled" {
        return Ok(Answer::empty());
    }
    let detail = json!({ "client_id": old.client_id, "changed": { "state": { "old": old.state, "new": "disabled" } } });
    let mut unit = call.unit("application.disabled", About::application(old.id), detail);
    let new = ApplicationRow { state: "disabled".to_owned(), ..old };
    rows::application::update(&mut unit, call.tenant.id, &new, call.now());
    call.finish_configuration(unit, Answer::empty()).await
}
