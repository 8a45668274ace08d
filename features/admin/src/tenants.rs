//! `/api/v1/tenants`, at the first tenant only: all tenants of the server.

use crate::{
    api_keys::{self, CreatedApiKey, NewApiKey},
    call::{Answer, Call},
    cursor::Page,
    endpoint::{CURSOR, Endpoint, LIMIT, Parameter, Verb, text},
    listed::{self, COUNT},
    refusal::{Refusal, WRONG_STATE},
    scope::Permission::{TenantsRead, TenantsWrite},
    settings::{TenantSettings, patched},
    shape::{Components, Shape, shape},
};
use base::{Event, Id, Kind, id};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::{
    NewTenant, Outcome, Tenant, Unit,
    rows::{
        filtered,
        tenant::{self, Settings, TenantRow},
    },
    rules,
};

shape! {
    /// An isolated directory of people, keys and applications.
    given ListedTenant {
        /// The id.
        id: Id<id::Tenant>,
        /// Its short name in addresses.
        slug: String,
        /// Its name for people.
        name: String,
        /// Its one issuer.
        issuer: String,
        /// `active` or `disabled`.
        state: String,
        /// Raised at each change of it or of its configuration; also the `ETag`.
        version: i64,
    }
}

shape! {
    /// A page of tenants.
    counted TenantPage of ListedTenant
}

shape! {
    /// A tenant to be made.
    sent NewTenantBody {
        /// Its short name in addresses.
        slug: String,
        /// Its name for people; the short name without.
        name: Option<String>,
        /// Its issuer: https and a host of its own; below this tenant's host without.
        issuer: Option<String>,
        /// Its settings.
        settings: Option<SettingsBody>,
    }
}

shape! {
    /// A merge patch of a tenant.
    sent TenantPatch {
        /// Its name for people.
        name: Option<String>,
        /// `active` or `disabled`.
        state: Option<String>,
    }
}

/// Settings within another body.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct SettingsBody(Map<String, Value>);

impl Shape for SettingsBody {
    fn schema(components: &mut Components) -> Value {
        TenantSettings::schema(components)
    }
}

const FILTERS: &[Parameter] = &[CURSOR, LIMIT, text("slug", "The tenant of this short name."), COUNT];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new((Verb::Get, "/tenants"), ("listTenants", "List tenants"), TenantsRead, |call| {
        Box::pin(list(call))
    })
    .query(FILTERS)
    .gives(TenantPage::schema)
    .at_root(),
    Endpoint::new((Verb::Post, "/tenants"), ("createTenant", "Make a tenant"), TenantsWrite, |call| {
        Box::pin(create(call))
    })
    .takes(NewTenantBody::schema)
    .creates(ListedTenant::schema)
    .at_root(),
    Endpoint::new((Verb::Get, "/tenants/{tenant}"), ("getTenant", "Get a tenant"), TenantsRead, |call| {
        Box::pin(one(call))
    })
    .gives(ListedTenant::schema)
    .at_root(),
    Endpoint::new(
        (Verb::Patch, "/tenants/{tenant}"),
        ("updateTenant", "Change a tenant; a disabled one answers nothing"),
        TenantsWrite,
        |call| Box::pin(update(call)),
    )
    .takes(TenantPatch::schema)
    .gives(ListedTenant::schema)
    .guarded()
    .at_root(),
    Endpoint::new(
        (Verb::Post, "/tenants/{tenant}/api-keys"),
        ("createTenantApiKey", "Make an API key of a tenant"),
        TenantsWrite,
        |call| Box::pin(key(call)),
    )
    .takes(NewApiKey::schema)
    .creates(CreatedApiKey::schema)
    .at_root(),
];

fn show(row: &TenantRow) -> ListedTenant {
    ListedTenant {
        id: row.id,
        slug: row.slug.clone(),
        name: row.name.clone(),
        issuer: row.issuer.clone(),
        state: row.state.clone(),
        version: row.version,
    }
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    if let Some(slug) = call.asked("slug") {
        let row = match tenant::by_slug(call.db(), slug).await? {
            Some(id) => tenant::by_id(call.db(), id).await?,
            None => None,
        };
        let (items, next, count) = listed::exact(call, row.as_ref().map(show));
        return Answer::of(&TenantPage { items, next, count });
    }
    let page = Page::of(call)?;
    let mut ids = store::rows::listing::tenants(call.db(), (page.after_id(), page.limit + 1)).await?;
    let next = page.cut(call, &mut ids, |id| id.as_bytes().to_vec())?;
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        items.extend(tenant::by_id(call.db(), id).await?.as_ref().map(show));
    }
    let count = match listed::counts(call) {
        true => Some(listed::count(filtered::count_tenants(call.db()).await?)),
        false => None,
    };
    Answer::of(&TenantPage { items, next, count })
}

async fn find(call: &Call) -> Result<TenantRow, Refusal> {
    tenant::by_id(call.db(), call.part("tenant")?).await?.ok_or_else(Refusal::not_found)
}

async fn one(call: &Call) -> Result<Answer, Refusal> {
    let row = find(call).await?;
    Ok(Answer::of(&show(&row))?.version(row.version))
}

/// The tenant, its keys, both events and the answer for a repeat are one unit.
async fn create(call: &Call) -> Result<Answer, Refusal> {
    let new: NewTenantBody = call.sent()?;
    let slug = rules::slug(&new.slug).map_err(|message| Refusal::field("slug", message))?;
    let name = new.name.as_deref().unwrap_or(&slug);
    let name = rules::short(name, 200).map_err(|message| Refusal::field("name", message))?;
    let issuer = match &new.issuer {
        Some(issuer) => rules::issuer(issuer, &slug).map_err(|message| Refusal::field("issuer", message))?,
        None => format!("{}/t/{slug}", call.tenant.origin()),
    };
    let settings = patched(&Settings::default(), &new.settings.map(|s| s.0).unwrap_or_default())?;
    let settings = serde_json::to_string(&settings)
        .map_err(|error| base::Error::internal(format!("settings: {error}")))?;
    let db = call.db();
    if tenant::by_slug(db, &slug).await?.is_some() {
        return Err(Refusal::taken("slug"));
    }
    if tenant::by_issuer(db, &issuer).await?.is_some() {
        return Err(Refusal::taken("issuer"));
    }
    let new = NewTenant { slug, name, issuer, settings };
    let mut answer = Err(Refusal::Again);
    let made = call.directory().create_tenant_with(new, |row, unit| {
        let detail =
            json!({ "by": call.caller.named(), "tenant": row.id, "slug": row.slug, "name": row.name });
        let event = Event::new(call.env(), "tenant.added")
            .actor(call.caller.actor())
            .origin(call.origin.clone())
            .detail(detail);
        unit.record(call.tenant.event(call.env(), event, None));
        let made = Answer::of(&show(row))
            .map(|answer| answer.version(row.version).at(format!("/tenants/{}", row.id)));
        if let (Some(repeat), Ok(made)) = (&call.repeat, &made) {
            repeat.keep(call, unit, made);
        }
        answer = made;
    });
    match made.await {
        Ok(_) => answer,
        // Who has the name, or whether this is a repeat, shows at another look.
        Err(error) if error.kind == Kind::Conflict => Err(Refusal::Again),
        Err(error) => Err(error.into()),
    }
}

async fn update(call: &Call) -> Result<Answer, Refusal> {
    let patch: TenantPatch = call.sent()?;
    let old = find(call).await?;
    call.check_version(old.version)?;
    let mut new = old.clone();
    if let Some(name) = patch.name {
        new.name = rules::short(&name, 200).map_err(|message| Refusal::field("name", message))?;
    }
    match patch.state.as_deref() {
        None => {}
        Some("disabled") if old.id == call.tenant.id => {
            return Err(Refusal::because(WRONG_STATE, "The first tenant cannot be disabled."));
        }
        Some(state @ ("active" | "disabled")) => new.state = state.to_owned(),
        Some(_) => return Err(Refusal::field("state", "must be active or disabled")),
    }
    let detail = json!({ "by": call.caller.named(), "changed": {
        "name": { "old": old.name, "new": new.name },
        "state": { "old": old.state, "new": new.state },
    } });
    let of = opened(call, old.id).await?;
    let event = Event::new(call.env(), "tenant.updated")
        .actor(call.caller.actor())
        .origin(call.origin.clone())
        .detail(detail);
    let mut unit = Unit::new(event.id, vec![of.event(call.env(), event, None)]);
    tenant::update(&mut unit, &new, call.now());
    match call.db().commit(unit).await? {
        Outcome::Done => {}
        Outcome::Conflict { .. } => return Err(Refusal::Again),
    }
    call.directory().forget(old.id);
    new.version += 1;
    Ok(Answer::of(&show(&new))?.version(new.version))
}

async fn opened(call: &Call, id: Id<id::Tenant>) -> Result<Arc<Tenant>, Refusal> {
    call.directory().tenant(id).await?.ok_or_else(Refusal::not_found)
}

async fn key(call: &Call) -> Result<Answer, Refusal> {
    let of = opened(call, call.part("tenant")?).await?;
    api_keys::make(call, &of).await
}
