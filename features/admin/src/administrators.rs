//! `/api/v1/administrators`: people whose access tokens open this API. A token is worth what its
//! application may ask for, the person granted, and this list allows, and nothing beyond.

use crate::{
    call::{Answer, Call},
    cursor::Page,
    endpoint::{Endpoint, PAGE, Verb},
    refusal::Refusal,
    rows::administrator::{self, AdministratorRow},
    scope::{
        Permission::{ApiKeysRead, ApiKeysWrite},
        Permissions,
    },
    shape::{Shape, shape},
    stamp::Stamp,
    users::Found,
};
use base::{Id, id};
use serde_json::json;
use store::rows::person;

shape! {
    /// A person whose access tokens open this API.
    given Administrator {
        /// The person.
        user: Id<id::Person>,
        /// The most that their tokens may do.
        scopes: Vec<String>,
        /// Since when.
        created_at: Stamp,
        /// Raised at each change; also the `ETag`.
        version: i64,
    }
}

shape! {
    /// A page of administrators.
    page AdministratorPage of Administrator
}

shape! {
    /// What an administrator may do.
    sent AdministratorScopes {
        /// The most that their tokens may do; no more than the caller may.
        scopes: Vec<String>,
    }
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        (Verb::Get, "/administrators"),
        ("listAdministrators", "List administrators"),
        ApiKeysRead,
        |call| Box::pin(list(call)),
    )
    .query(PAGE)
    .gives(AdministratorPage::schema),
    Endpoint::new(
        (Verb::Put, "/users/{user}/administrator"),
        ("setAdministrator", "Make a person an administrator, or change what they may do"),
        ApiKeysWrite,
        |call| Box::pin(set(call)),
    )
    .takes(AdministratorScopes::schema)
    .gives(Administrator::schema),
    Endpoint::new(
        (Verb::Delete, "/users/{user}/administrator"),
        ("removeAdministrator", "Take a person's rights as administrator"),
        ApiKeysWrite,
        |call| Box::pin(remove(call)),
    ),
];

fn show(row: AdministratorRow) -> Administrator {
    Administrator {
        user: row.person,
        scopes: Permissions::stored(&row.scopes).words(),
        created_at: Stamp(row.created_at),
        version: row.version,
    }
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let page = Page::of(call)?;
    let mut rows = administrator::list(call.db(), call.tenant.id, (page.after_id(), page.limit + 1)).await?;
    let next = page.cut(call, &mut rows, |row| row.person.as_bytes().to_vec())?;
    Answer::of(&AdministratorPage { items: rows.into_iter().map(show).collect(), next })
}

async fn set(call: &Call) -> Result<Answer, Refusal> {
    let sent: AdministratorScopes = call.sent()?;
    let found = Found::of(call).await?;
    let permissions = Permissions::parse(&sent.scopes)?;
    call.holds(&permissions)?;
    call.holds_person(found.row.id).await?;
    let old = administrator::find(call.db(), call.tenant.id, found.row.id).await?;
    let before = old.as_ref().map(|row| Permissions::stored(&row.scopes).words());
    let detail = json!({ "changed": { "scopes": { "old": before, "new": permissions.words() } } });
    let mut unit = call.unit("administrator.set", found.about(), detail);
    // Whoever changes the person at the same time without these scopes comes too late.
    person::touch(&mut unit, call.tenant.id, found.row.id, found.row.version, call.now());
    let scopes = permissions.to_string();
    let row = match old {
        Some(old) => {
            let new = AdministratorRow { scopes, ..old };
            administrator::update(&mut unit, call.tenant.id, &new);
            AdministratorRow { version: new.version + 1, ..new }
        }
        None => {
            let new = AdministratorRow { person: found.row.id, scopes, created_at: call.now(), version: 1 };
            administrator::insert(&mut unit, call.tenant.id, &new);
            new
        }
    };
    let version = row.version;
    call.finish(unit, Answer::of(&show(row))?.version(version)).await
}

async fn remove(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::of(call).await?;
    let row = administrator::find(call.db(), call.tenant.id, found.row.id).await?;
    let row = row.ok_or_else(Refusal::not_found)?;
    let permissions = Permissions::stored(&row.scopes);
    call.holds(&permissions)?;
    let detail = json!({ "changed": { "scopes": { "old": permissions.words() } } });
    let mut unit = call.unit("administrator.removed", found.about(), detail);
    administrator::remove(&mut unit, call.tenant.id, &row);
    call.finish(unit, Answer::empty()).await
}
