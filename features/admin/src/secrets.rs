//! `/api/v1/applications/{application}/secrets`: rotation with overlap. A new secret is shown once;
//! those before it are accepted for a while yet.

use crate::{
    applications::{find, to_change},
    call::{About, Answer, Call},
    endpoint::{Endpoint, Verb},
    refusal::{Refusal, WRONG_STATE},
    scope::Permission::{ApplicationsRead, ApplicationsWrite},
    shape::{Shape, shape},
    stamp::Stamp,
};
use base::{Id, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth::Client;
use serde_json::json;
use std::time::Duration;
use store::{
    Unit,
    rows::{application, listing},
};

/// The longest overlap.
const MOST: u32 = 90 * 86_400;
/// The overlap where none is given.
const DAY: u32 = 86_400;

shape! {
    /// A secret, without its value.
    given ClientSecret {
        /// The id.
        id: Id<id::Credential>,
        /// Since when.
        created_at: Stamp,
        /// When it stops being accepted; null while it is the newest.
        expires_at: Option<Stamp>,
    }
}

shape! {
    /// All secrets of an application.
    given ClientSecrets {
        /// The secrets, the oldest first.
        items: Vec<ClientSecret>,
    }
}

shape! {
    /// A secret that was just made.
    given CreatedSecret {
        /// The secret, shown this once.
        client_secret: String,
        /// Its id.
        id: Id<id::Credential>,
    }
}

shape! {
    /// How the secrets before go.
    sent Rotation {
        /// For how many seconds they are accepted yet, at most 90 days; one day without.
        overlap: Option<u32>,
    }
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        (Verb::Get, "/applications/{application}/secrets"),
        ("listSecrets", "List an application's secrets, without their values"),
        ApplicationsRead,
        |call| Box::pin(list(call)),
    )
    .gives(ClientSecrets::schema),
    Endpoint::new(
        (Verb::Post, "/applications/{application}/secrets"),
        ("rotateSecret", "Make a new secret, shown once; those before it end after the overlap"),
        ApplicationsWrite,
        |call| Box::pin(rotate(call)),
    )
    .takes(Rotation::schema)
    .creates(CreatedSecret::schema),
    Endpoint::new(
        (Verb::Delete, "/applications/{application}/secrets/{secret}"),
        ("removeSecret", "Remove a secret at once"),
        ApplicationsWrite,
        |call| Box::pin(remove(call)),
    ),
];

/// Adds a fresh secret of an application to a unit; gives its id and value.
pub(crate) fn add(
    call: &Call,
    unit: &mut Unit,
    (id, client): (Id<id::Application>, &Client),
) -> Result<(Id<id::Credential>, String), Refusal> {
    let value = URL_SAFE_NO_PAD.encode(call.env().bytes::<32>());
    let secret = call.tenant.client_secret(call.env(), id, client, &value)?;
    application::insert_secret(unit, call.tenant.id, id, &secret, call.now());
    Ok((secret.id, value))
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let (row, _) = find(call).await?;
    let secrets = listing::secrets(call.db(), call.tenant.id, row.id).await?;
    let show = |secret: listing::ListedSecret| ClientSecret {
        id: secret.id,
        created_at: Stamp(secret.created_at),
        expires_at: secret.expires_at.map(Stamp),
    };
    Answer::of(&ClientSecrets { items: secrets.into_iter().map(show).collect() })
}

async fn rotate(call: &Call) -> Result<Answer, Refusal> {
    let sent: Rotation = call.sent()?;
    let overlap = sent.overlap.unwrap_or(DAY);
    if overlap > MOST {
        return Err(Refusal::field("overlap", format!("must be at most {MOST} seconds")));
    }
    let (row, client) = to_change(call).await?;
    if !client.has_secret() {
        return Err(Refusal::because(WRONG_STATE, "The application authenticates without a secret."));
    }
    let detail = json!({ "client_id": row.client_id, "overlap": overlap });
    let mut unit = call.unit("application.secret-rotated", About::application(row.id), detail);
    let until = call.now().plus(Duration::from_secs(overlap.into()));
    listing::expire_secrets(&mut unit, call.tenant.id, row.id, until);
    let (id, client_secret) = add(call, &mut unit, (row.id, &client))?;
    let answer = Answer::of(&CreatedSecret { client_secret, id })?;
    let answer = answer.at(format!("/applications/{}/secrets/{id}", row.id));
    call.finish_configuration(unit, answer).await
}

async fn remove(call: &Call) -> Result<Answer, Refusal> {
    let (row, _) = to_change(call).await?;
    let id: Id<id::Credential> = call.part("secret")?;
    let secrets = listing::secrets(call.db(), call.tenant.id, row.id).await?;
    if !secrets.iter().any(|secret| secret.id == id) {
        return Err(Refusal::not_found());
    }
    let detail = json!({ "client_id": row.client_id, "secret": id });
    let mut unit = call.unit("application.secret-removed", About::application(row.id), detail);
    listing::drop_secret(&mut unit, call.tenant.id, (row.id, id));
    call.finish_configuration(unit, Answer::empty()).await
}
