//! Applications of the file.

use crate::{
    document::ApplicationEntry,
    report::{Action, Change, Difference, Object, detail},
    walk::{TRIES, contended, merge, unfit},
};
use base::{Env, Error, Event, Id, id};
use oauth::{AuthMethod, Client, client::GrantType};
use serde_json::{Map, Value, json};
use store::{
    Application, Directory, Tenant, Unit,
    rows::{self, application::ApplicationRow},
};

/// What becomes of an application.
pub(crate) struct Decision {
    pub(crate) change: Change,
    row: ApplicationRow,
    client: Client,
    /// Whether the file's secret takes the place of those that are stored.
    replace_secret: bool,
}

/// Compares an application with what is stored; without a tenant, nothing is.
pub(crate) async fn decide(
    directory: &Directory,
    tenant: Option<&Tenant>,
    slug: &str,
    entry: &ApplicationEntry,
) -> Result<Decision, Error> {
    let client_id = entry.client_id.as_str();
    let change = Change::new(Object::Application, slug, client_id);
    let stored = match tenant {
        Some(tenant) => rows::application::by_client_id(directory.db(), tenant.id, client_id).await?,
        None => None,
    };
    let (Some(tenant), Some(old)) = (tenant, stored) else {
        return create(directory.env(), entry, change);
    };
    let mut metadata: Map<String, Value> = parse(&old.metadata)?;
    let before = client(&old.metadata)?;
    patch(&mut metadata, entry, before.is_public());
    let json = Value::Object(metadata).to_string();
    let after: Client = serde_json::from_str(&json).map_err(|error| unfit(&entry.path, error))?;
    let secrets = rows::application::secrets(directory.db(), tenant.id, old.id).await?;
    // For assertions the secret itself must be there: one that was not sealed is of no use.
    let jwt = after.token_endpoint_auth_method == Some(AuthMethod::ClientSecretJwt);
    let unsealed = jwt && secrets.iter().all(|secret| secret.sealed.is_none());
    let has_secret = !secrets.is_empty() && !unsealed;
    // What stays as it is was accepted before.
    if after != before || entry.secret.is_some() {
        check(entry, &after, entry.secret.is_some() || has_secret)?;
    }

    let known = Application { id: old.id, active: true, version: old.version, client: before, secrets };
    let replace_secret = entry.secret.as_ref().is_some_and(|secret| {
        unsealed || !known.accepts_secret(tenant, secret.expose(), directory.env().now())
    });
    let mut row = ApplicationRow { name: after.display_name().to_owned(), ..old.clone() };
    row.state = entry.state.map_or(row.state, str::to_owned);
    let mut differs = Difference::between(&object(&known.client)?, &object(&after)?);
    if row.state != old.state {
        let (from, to) = (Some(old.state.into()), Some(row.state.as_str().into()));
        differs.push(Difference { field: "state".to_owned(), from, to });
    }
    if replace_secret {
        differs.push(Difference::hidden("client_secret"));
    }
    if !differs.is_empty() {
        row.metadata = json;
    }
    Ok(Decision { change: change.update(differs), row, client: after, replace_secret })
}

fn create(env: &Env, entry: &ApplicationEntry, change: Change) -> Result<Decision, Error> {
    let mut metadata = Map::from_iter([("client_id".to_owned(), entry.client_id.as_str().into())]);
    patch(&mut metadata, entry, false);
    if entry.is_kept {
        return Err(unfit(
            &format!("{}.client_secret", entry.path),
            "is said to be stored, but this application is new here; write client_secret: \"…\", or \
             client_secret_file, in its place",
        ));
    }
    let client: Client =
        serde_json::from_value(Value::Object(metadata)).map_err(|error| unfit(&entry.path, error))?;
    check(entry, &client, entry.secret.is_some())?;
    let row = ApplicationRow {
        id: env.id(),
        client_id: entry.client_id.as_str().to_owned(),
        name: client.display_name().to_owned(),
        state: entry.state.unwrap_or("active").to_owned(),
        metadata: Value::Object(object(&client)?).to_string(),
        version: 1,
    };
    Ok(Decision { change: change.create(), row, client, replace_secret: entry.secret.is_some() })
}

/// Puts the file's words over the stored metadata.
fn patch(metadata: &mut Map<String, Value>, entry: &ApplicationEntry, was_public: bool) {
    const METHOD: &str = "token_endpoint_auth_method";
    merge(metadata, &entry.patch);
    match entry.public {
        Some(true) => drop(metadata.insert(METHOD.to_owned(), "none".into())),
        Some(false) if was_public && !entry.patch.contains_key(METHOD) => drop(metadata.remove(METHOD)),
        _ => {}
    }
}

/// Whether all of it together makes sense.
fn check(entry: &ApplicationEntry, client: &Client, has_secret: bool) -> Result<(), Error> {
    client.check().map_err(|error| unfit(&entry.path, format!("does not fit together: {error}")))?;
    let jwt = client.token_endpoint_auth_method == Some(AuthMethod::ClientSecretJwt);
    if jwt && entry.secret.as_ref().is_some_and(|secret| secret.expose().len() < jose::HmacKey::MIN_BYTES) {
        return Err(unfit(
            &entry.path,
            "needs a client_secret of at least 32 characters for client_secret_jwt",
        ));
    }
    match (client.is_public(), has_secret || !client.has_secret(), entry.secret.is_some()) {
        (false, false, _) => Err(unfit(
            &entry.path,
            "has no secret; add client_secret or client_secret_file, or \"public: true\" if it cannot keep one",
        )),
        (true, _, true) => Err(unfit(
            &entry.path,
            "is public and has no secret; leave client_secret out or add \"public: false\"",
        )),
        _ => Ok(()),
    }
}

fn object(client: &Client) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(client) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::internal("an application's metadata is no JSON object")),
    }
}

fn parse(json: &str) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(json)
        .map_err(|error| Error::internal(format!("metadata of an application: {error}")))
}

fn client(json: &str) -> Result<Client, Error> {
    serde_json::from_str(json)
        .map_err(|error| Error::internal(format!("metadata of an application: {error}")))
}

/// Puts an application in force, its signing keys first.
pub(crate) async fn apply(
    directory: &Directory,
    tenant: Id<id::Tenant>,
    entry: &ApplicationEntry,
) -> Result<Change, Error> {
    for _ in 0..TRIES {
        directory.forget(tenant);
        let mut held = directory.tenant(tenant).await?.ok_or_else(Error::not_found)?;
        let decision = decide(directory, Some(&held), &held.slug, entry).await?;
        if ensure_keys(directory, &held, &decision.client).await? {
            held = directory.tenant(tenant).await?.ok_or_else(Error::not_found)?;
        }
        if decision.change.action == Action::None {
            return Ok(decision.change);
        }
        let unit = unit(directory.env(), &held, entry, &decision)?;
        let outcome = directory.db().commit(unit).await?;
        directory.forget(tenant);
        if outcome.done() {
            return Ok(decision.change);
        }
    }
    Err(contended(&entry.path))
}

/// The token path never makes keys, so they are there before an application that needs them.
async fn ensure_keys(directory: &Directory, tenant: &Tenant, client: &Client) -> Result<bool, Error> {
    let id_token = client.allows(GrantType::AuthorizationCode).then_some(client.id_token_signed_response_alg);
    let mut made = false;
    let others = [client.access_token_signed_response_alg];
    for algorithm in id_token.into_iter().chain(others).chain(client.userinfo_signed_response_alg) {
        if tenant.signing_key(algorithm).is_none() {
            directory.ensure_signing_key(tenant.id, algorithm).await?;
            made = true;
        }
    }
    Ok(made)
}

fn unit(env: &Env, tenant: &Tenant, entry: &ApplicationEntry, decision: &Decision) -> Result<Unit, Error> {
    let (row, now) = (&decision.row, env.now());
    let create = decision.change.action == Action::Create;
    let kind = if create { "application.created" } else { "application.updated" };
    let changed = detail(&decision.change.differs);
    let event = Event::new(env, kind)
        .actor("operator")
        .application(row.id)
        .detail(json!({ "client_id": row.client_id, "changed": changed }));
    let mut unit = Unit::new(event.id, vec![tenant.event(env, event, None)]);
    if create {
        rows::application::insert(&mut unit, tenant.id, row, now);
    } else {
        rows::application::update(&mut unit, tenant.id, row, now);
    }
    // An application that became public must not be let in by a secret of before.
    if !create && (decision.replace_secret || decision.client.is_public()) {
        rows::application::drop_secrets(&mut unit, tenant.id, row.id);
    }
    if let Some(secret) = entry.secret.as_ref().filter(|_| decision.replace_secret) {
        let secret = tenant.client_secret(env, row.id, &decision.client, secret.expose())?;
        rows::application::insert_secret(&mut unit, tenant.id, row.id, &secret, now);
    }
    rows::tenant::raise(&mut unit, tenant.id, tenant.version, now);
    Ok(unit)
}
