//! One object as a file says it: in a fixed order, and only what differs from the default.

use crate::{resource_server, scope};
use base::{Error, Id, id};
use oauth::Client;
use passwords::PhcString;
use serde_json::{Map, Value};
use serde_yaml_ng::{Mapping, Value as Yaml};
use std::collections::BTreeMap;
use store::{
    Directory, Tenant, accounts, attributes,
    rows::{
        self,
        application::ApplicationRow,
        identifier::IdentifierRow,
        listing,
        person::PersonRow,
        tenant::{Settings, TenantRow},
    },
};

/// A tenant of whom an earlier document says the rest.
pub(super) fn slug(slug: &str) -> Mapping {
    Mapping::from_iter([("slug".into(), slug.into())])
}

/// A tenant with what it declares, without applications and people.
pub(super) async fn tenant(directory: &Directory, row: &TenantRow) -> Result<Mapping, Error> {
    let mut map = slug(&row.slug);
    map.insert("name".into(), row.name.as_str().into());
    map.insert("issuer".into(), row.issuer.as_str().into());
    let mut aliases = rows::tenant::former_issuers(directory.db(), row.id).await?;
    aliases.retain(|alias| *alias != row.issuer);
    aliases.sort_unstable();
    if !aliases.is_empty() {
        map.insert("aliases".into(), aliases.into());
    }
    if row.state != "active" {
        map.insert("state".into(), row.state.as_str().into());
    }
    let settings: Settings = serde_json::from_str(&row.settings).map_err(|error| unreadable(&error))?;
    let changed = changed(&settings, &Settings::default())?;
    if !changed.is_empty() {
        map.insert("settings".into(), Yaml::Mapping(changed));
    }
    let servers = rows::resource_server::list(directory.db(), row.id).await?;
    let servers = servers.iter().map(resource_server::exported).collect::<Result<Vec<_>, _>>()?;
    let scopes = rows::scope::list(directory.db(), row.id).await?;
    let scopes = scopes.iter().map(scope::exported).collect::<Result<Vec<_>, _>>()?;
    for (name, list) in [("resource_servers", servers), ("scopes", scopes)] {
        if !list.is_empty() {
            map.insert(name.into(), yaml(&Value::Array(list))?);
        }
    }
    Ok(map)
}

/// An application. In the place of its secret stands that there is one.
pub(super) async fn application(
    directory: &Directory,
    tenant: &Tenant,
    row: ApplicationRow,
) -> Result<Yaml, Error> {
    let client: Client = serde_json::from_str(&row.metadata).map_err(|error| unreadable(&error))?;
    let mut map = Mapping::from_iter([("client_id".into(), row.client_id.as_str().into())]);
    let mut metadata = changed(&client, &Client::new(client.client_id.clone()))?;
    if let Some(name) = metadata.remove("name") {
        map.insert("name".into(), name);
    }
    if client.is_public() {
        metadata.remove("token_endpoint_auth_method");
        map.insert("public".into(), true.into());
    } else if client.has_secret()
        && !rows::application::secrets(directory.db(), tenant.id, row.id).await?.is_empty()
    {
        let stored = Mapping::from_iter([("stored".into(), true.into())]);
        map.insert("client_secret".into(), Yaml::Mapping(stored));
    }
    if row.state != "active" {
        map.insert("state".into(), row.state.into());
    }
    map.extend(metadata);
    Ok(Yaml::Mapping(map))
}

/// A person, unless they were deleted meanwhile or have nothing to be found by.
pub(super) async fn user(
    directory: &Directory,
    tenant: &Tenant,
    id: Id<id::Person>,
) -> Result<Option<Yaml>, Error> {
    let db = directory.db();
    let row = rows::person::by_id(db, tenant.id, id).await?.filter(|row| row.state != "deleted");
    let Some(row) = row else { return Ok(None) };
    let identifiers = rows::identifier::of_person(db, tenant.id, id).await?;
    if identifiers.is_empty() {
        return Ok(None);
    }
    let mut map = named(identifiers);
    if let Some(sub) = rows::person::subject(db, tenant.id, id).await? {
        map.insert("sub".into(), sub.into());
    }
    if row.state != "active" {
        map.insert("state".into(), row.state.as_str().into());
    }
    if let Some(locale) = &row.locale {
        map.insert("locale".into(), locale.as_str().into());
    }
    if let Some(hash) = password_hash(directory, tenant, &row).await? {
        map.insert("password_hash".into(), hash.into());
    }
    let external = listing::external_ids(db, tenant.id, id).await?;
    if !external.is_empty() {
        map.insert("external_id".into(), by_source(external));
    }
    let claims = attributes::join(tenant, &PersonRow { locale: None, ..row })?;
    if !claims.is_empty() {
        map.insert("claims".into(), yaml(&Value::Object(claims))?);
    }
    Ok(Some(Yaml::Mapping(map)))
}

/// Addresses, the oldest first, and the user name.
fn named(identifiers: Vec<IdentifierRow>) -> Mapping {
    let mut map = Mapping::new();
    let (emails, names): (Vec<_>, Vec<_>) = identifiers.into_iter().partition(|row| row.kind == "email");
    let mut emails = emails.into_iter();
    if let Some(first) = emails.next() {
        map.insert("email".into(), first.typed.into());
        if first.proof.is_some() {
            map.insert("email_verified".into(), true.into());
        }
    }
    let further: Vec<Yaml> = emails
        .map(|row| {
            let mut address = Mapping::from_iter([("address".into(), row.typed.into())]);
            if row.proof.is_some() {
                address.insert("verified".into(), true.into());
            }
            Yaml::Mapping(address)
        })
        .collect();
    if !further.is_empty() {
        map.insert("emails".into(), further.into());
    }
    if let Some(name) = names.into_iter().next() {
        map.insert("username".into(), name.typed.into());
    }
    map
}

/// The hash of a password that lets in, if it can be imported. One that must be changed lets nobody
/// in, and would do so as an import.
async fn password_hash(
    directory: &Directory,
    tenant: &Tenant,
    row: &PersonRow,
) -> Result<Option<String>, Error> {
    let credential = rows::credential::of_kind(directory.db(), tenant.id, row.id, "password").await?;
    let Some(credential) = credential.filter(|credential| credential.state == "active") else {
        return Ok(None);
    };
    let Some(key) = tenant.person_key(row)? else { return Ok(None) };
    let phc = accounts::open_password(&key, (tenant.id, credential.id), &credential.data)?;
    Ok(PhcString::import(&phc).ok().map(|_| phc.to_string()))
}

/// A name, or several where a system has more than one for somebody.
fn by_source(external: Vec<(String, String)>) -> Yaml {
    let mut sources: BTreeMap<String, Vec<Yaml>> = BTreeMap::new();
    for (source, value) in external {
        sources.entry(source).or_default().push(value.into());
    }
    let one_or_list = |values: Vec<Yaml>| match <[Yaml; 1]>::try_from(values) {
        Ok([one]) => one,
        Err(several) => several.into(),
    };
    Yaml::Mapping(sources.into_iter().map(|(source, values)| (source.into(), one_or_list(values))).collect())
}

/// The fields in which an object differs from another, in the order of their declaration; of a
/// field that is an object in both, its members that differ.
fn changed<T: serde::Serialize>(own: &T, default: &T) -> Result<Mapping, Error> {
    let object = |value: &T| match serde_json::to_value(value) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(unreadable(&"no JSON object")),
    };
    let (mut own_values, default) = (object(own)?, object(default)?);
    own_values.retain(|name, value| default.get(name) != Some(value));
    let order = serde_yaml_ng::to_value(own).map_err(|error| unreadable(&error))?;
    let names = order.as_mapping().into_iter().flat_map(Mapping::keys).filter_map(Yaml::as_str);
    let mut map = Mapping::new();
    for name in names {
        let Some(value) = own_values.remove(name) else { continue };
        map.insert(name.into(), yaml(&differing(value, default.get(name)))?);
    }
    Ok(map)
}

fn differing(value: Value, default: Option<&Value>) -> Value {
    match (value, default) {
        (Value::Object(own), Some(Value::Object(default))) => {
            let differs = |(name, value): &(String, Value)| default.get(name) != Some(value);
            Value::Object(own.into_iter().filter(differs).collect::<Map<_, _>>())
        }
        (value, _) => value,
    }
}

fn yaml(value: &Value) -> Result<Yaml, Error> {
    serde_yaml_ng::to_value(value).map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::fmt::Display) -> Error {
    Error::internal(format!("what is stored cannot be exported: {error}"))
}
