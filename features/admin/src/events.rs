//! `/api/v1/events`: the audit trail. Values are sealed under the key of whom they are about, so they
//! are told while that key exists; the chain of hashes stays verifiable without it.

use crate::{
    call::{Answer, Call},
    cursor::{Page, seal},
    endpoint::{CURSOR, Endpoint, LIMIT, Parameter, ParameterKind, Verb, text},
    kinds::KINDS,
    refusal::Refusal,
    scope::Permission::EventsRead,
    shape::{Shape, shape},
    stamp::Stamp,
};
use base::{Aad, Id, Origin, SealingKey, Time, id};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use store::{
    DbError,
    rows::{
        listing::{self, EventFilter, ListedEvent},
        person,
    },
};

shape! {
    /// Something that happened.
    given Happening {
        /// The id.
        id: Id<id::Event>,
        /// What happened, such as `person.created`.
        kind: String,
        /// When.
        at: Stamp,
        /// Whom it concerns.
        user: Option<Id<id::Person>>,
        /// Who did it, where that is not the person: `system`, `operator`, `api`.
        actor: Option<String>,
        /// Through which application.
        application: Option<Id<id::Application>>,
        /// In which session.
        session: Option<Id<id::Session>>,
        /// The network address that it came from.
        address: Option<String>,
        /// The browser or program that it came from.
        agent: Option<String>,
        /// What else belongs to it, such as old and new values; null once the key is destroyed.
        detail: Value,
        /// Its place in the chain of hashes; null until it has one.
        number: Option<i64>,
    }
}

shape! {
    /// A page of events, the latest first. It may be short, even empty, without being the last.
    page EventPage of Happening
}

shape! {
    /// What the verification of the chain found.
    given Verification {
        /// Whether all of it is in order.
        intact: bool,
        /// Rows of the chain.
        batches: i64,
        /// Events in them.
        events: i64,
        /// The number of the last event.
        last: i64,
        /// Where it is broken.
        broken: Option<String>,
    }
}

const KIND: Parameter = Parameter {
    name: "kind",
    kind: ParameterKind::Words(KINDS),
    description: "Events of this kind; all of them are explained in the documentation.",
};
const FILTERS: &[Parameter] = &[
    CURSOR,
    LIMIT,
    KIND,
    text("user", "Events about this person."),
    text("application", "Events through this application."),
    Parameter { name: "since", kind: ParameterKind::Time, description: "Events at this time or later." },
    Parameter { name: "until", kind: ParameterKind::Time, description: "Events before this time." },
];
const EXPORT: &[Parameter] = &[
    CURSOR,
    Parameter {
        name: "limit",
        kind: ParameterKind::Number(5_000),
        description: "The most events; 1000 by default.",
    },
    KIND,
    text("user", "Events about this person."),
    text("application", "Events through this application."),
    Parameter { name: "since", kind: ParameterKind::Time, description: "Events at this time or later." },
    Parameter { name: "until", kind: ParameterKind::Time, description: "Events before this time." },
];

const EXPORT_ENDPOINT: Endpoint = Endpoint::new(
    (Verb::Get, "/events/export"),
    ("exportEvents", "Export events, a line of JSON each; `keyward-next-cursor` leads on"),
    EventsRead,
    |call| Box::pin(export(call)),
)
.query(EXPORT)
.gives(Happening::schema);

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new((Verb::Get, "/events"), ("listEvents", "List events"), EventsRead, |call| {
        Box::pin(list(call))
    })
    .query(FILTERS)
    .gives(EventPage::schema),
    Endpoint { media: "application/x-ndjson", ..EXPORT_ENDPOINT },
    Endpoint::new(
        (Verb::Get, "/events/verify"),
        ("verifyEvents", "Verify the chain of hashes; at the first tenant, since it is the server's"),
        EventsRead,
        |call| Box::pin(verify(call)),
    )
    .gives(Verification::schema)
    .at_root(),
];

/// The least id of an event at this time.
fn bound(at: Time) -> Id<id::Event> {
    let millis = u64::try_from(at.micros().div_euclid(1_000)).unwrap_or(0).to_be_bytes();
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(millis.into_iter().skip(2)) {
        *to = from;
    }
    Id::from_bytes(bytes)
}

async fn read(call: &Call, page: &Page) -> Result<(Vec<Happening>, Option<String>), Refusal> {
    let time = |name: &str| call.asked(name).and_then(Stamp::parse).map(|Stamp(at)| bound(at));
    let filter = EventFilter {
        kind: call.asked("kind").map(str::to_owned),
        person: call.asked_id("user")?,
        application: call.asked_id("application")?,
    };
    let since = time("since").unwrap_or(Id::from_bytes([0; 16]));
    let until = time("until").unwrap_or(Id::from_bytes([0xff; 16]));
    let before = if page.after.is_some() { page.after_id() } else { until };
    let range = (before.min(until), since);
    let (db, tenant) = (call.db(), call.tenant.id);
    let mut rows = listing::events(db, tenant, &filter, range, page.limit + 1).await?;
    let mut next = page.cut(call, &mut rows, |row| row.id.as_bytes().to_vec())?;
    if next.is_none()
        && let Some(end) = listing::window_end(db, tenant, filter.person, range).await?
    {
        next = Some(seal(call, end.as_bytes())?);
    }
    let mut keys = HashMap::new();
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(opened(call, row, &mut keys).await?);
    }
    Ok((items, next))
}

#[derive(Default, Deserialize)]
struct Sealed {
    #[serde(default)]
    origin: Origin,
    #[serde(default)]
    detail: Value,
}

type Keys = HashMap<[u8; 16], Option<SealingKey>>;

async fn opened(call: &Call, row: ListedEvent, keys: &mut Keys) -> Result<Happening, Refusal> {
    let place = Aad::new(&call.tenant.id, "event.data", &row.id);
    let mut plain = call.tenant.key.open(place, &row.data).ok();
    if let (None, Some(person)) = (&plain, row.person) {
        if !keys.contains_key(person.as_bytes()) {
            let found = person::by_id(call.db(), call.tenant.id, person).await?;
            let key = found.map(|row| call.tenant.person_key(&row)).transpose()?.flatten();
            keys.insert(*person.as_bytes(), key);
        }
        let key = keys.get(person.as_bytes()).and_then(Option::as_ref);
        plain = key.and_then(|key| key.open(place, &row.data).ok());
    }
    let sealed: Sealed = plain.and_then(|plain| serde_json::from_slice(&plain).ok()).unwrap_or_default();
    Ok(Happening {
        id: row.id,
        kind: row.kind,
        at: Stamp(row.at),
        user: row.person,
        actor: row.actor,
        application: row.application,
        session: row.session,
        address: sealed.origin.address,
        agent: sealed.origin.agent,
        detail: sealed.detail,
        number: row.number,
    })
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let (items, next) = read(call, &Page::of(call)?).await?;
    Answer::of(&EventPage { items, next })
}

async fn export(call: &Call) -> Result<Answer, Refusal> {
    let mut page = Page::of(call)?;
    if call.asked("limit").is_none() {
        page.limit = 1_000;
    }
    let (items, next) = read(call, &page).await?;
    let mut text = String::new();
    for item in &items {
        let line = serde_json::to_string(item)
            .map_err(|error| base::Error::internal(format!("an event is no JSON: {error}")))?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(Answer { text: Some(text), next, ..Answer::empty() })
}

async fn verify(call: &Call) -> Result<Answer, Refusal> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let verification = match store::verify_chain(call.db()).await {
        Ok(found) => Verification {
            intact: true,
            batches: number(found.batches),
            events: number(found.events),
            last: found.last,
            broken: None,
        },
        Err(DbError::Chain(broken)) => {
            Verification { intact: false, batches: 0, events: 0, last: 0, broken: Some(broken) }
        }
        Err(error) => return Err(error.into()),
    };
    Answer::of(&verification)
}
