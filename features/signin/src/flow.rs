//! A flow in memory: from its row, or, before its first POST, from the request sealed in its page.

use base::{Aad, Error, Id, Kind, SealingKey, Time, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use journey::{Epochs, Fact, Facts, Reference};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::rows::{
    flow::{self, FlowRow},
    person,
};
use web::{Visit, intent::Intent};

/// How long a flow may take.
const LIFE: Duration = Duration::from_secs(3_600);

/// A flow.
pub(crate) struct Flow {
    pub(crate) id: Id<id::Flow>,
    /// Its row, once its first POST wrote one.
    pub(crate) row: Option<FlowRow>,
    pub(crate) intent: Intent,
    pub(crate) facts: Vec<Fact>,
    pub(crate) begun_at: Time,
}

/// What a flow is found as.
pub(crate) enum Found {
    /// This browser's, under way.
    Open(Flow),
    /// Not begun, and its page was sealed for another device of this browser: it is shown again.
    Resealed(Flow),
    /// Finished, expired or of another version: its request starts over.
    Over(Intent),
}

/// What travels in the page until the first POST.
#[derive(Serialize, Deserialize)]
struct Sealed {
    flow: Id<id::Flow>,
    device: Reference,
    intent: Intent,
    facts: Vec<Fact>,
    begun_at: Time,
}

/// What a flow's row keeps of its beginning.
#[derive(Serialize, Deserialize)]
struct Beginning {
    intent: Intent,
    begun_at: Time,
}

impl Flow {
    /// A flow that begins now.
    pub(crate) fn begin(visit: &Visit, intent: Intent, facts: Vec<Fact>) -> Self {
        Self { id: visit.env().id(), row: None, intent, facts, begun_at: visit.now() }
    }

    /// The flow of this address: its row, or the request sealed in the posted page.
    ///
    /// # Errors
    /// Kind `Forbidden` if the flow is another browser's, `Gone` if there is none.
    pub(crate) async fn find(visit: &Visit, id: Id<id::Flow>, sealed: &str) -> Result<Found, Error> {
        let found = match flow::by_id(visit.db(), visit.tenant.id, id).await? {
            Some(row) => Self::of_row(visit, row)?,
            None => Self::of_request(visit, id, sealed)?,
        };
        let Found::Open(mut flow) = found else { return Ok(found) };
        flow.facts = standing(visit, flow.facts).await?;
        // A change of the account rests on the session in which it began.
        let mut recent = flow.facts.iter().rev().take_while(|fact| !matches!(fact, Fact::Restarted));
        let rests = recent.any(|fact| matches!(fact, Fact::Carried { .. }));
        let over = matches!(flow.intent, Intent::Change { .. }) && !rests;
        Ok(if over { Found::Over(flow.intent) } else { Found::Open(flow) })
    }

    fn of_row(visit: &Visit, row: FlowRow) -> Result<Found, Error> {
        if !base::mac::equal(&row.browser, &visit.device()) {
            return Err(foreign());
        }
        let key = &visit.tenant.key;
        let intent = key.open(place(&visit.tenant.id, "flow.intent", &row.id), &row.intent)?;
        let beginning: Beginning = serde_json::from_slice(&intent)
            .map_err(|error| Error::internal(format!("a flow's intent: {error}")))?;
        let facts = key.open(place(&visit.tenant.id, "flow.facts", &row.id), &row.facts)?;
        let facts = Facts::read(&facts);
        match facts {
            Ok(facts) if row.state == "open" && visit.now() < row.expires_at => Ok(Found::Open(Self {
                id: row.id,
                row: Some(row),
                intent: beginning.intent,
                facts,
                begun_at: beginning.begun_at,
            })),
            _ => Ok(Found::Over(beginning.intent)),
        }
    }

    fn of_request(visit: &Visit, id: Id<id::Flow>, sealed: &str) -> Result<Found, Error> {
        let sealed = unseal(visit, sealed).filter(|sealed| sealed.flow == id).ok_or_else(gone)?;
        if visit.now() >= sealed.begun_at.plus(LIFE) {
            return Ok(Found::Over(sealed.intent));
        }
        let same = sealed.device == device(visit);
        let Sealed { flow: id, intent, facts, begun_at, .. } = sealed;
        let flow = Self { id, row: None, intent, facts, begun_at };
        Ok(if same { Found::Open(flow) } else { Found::Resealed(flow) })
    }

    /// The intent and facts that a link to another beginning carries, whatever the browser.
    pub(crate) fn carried(visit: &Visit, sealed: &str) -> Option<(Intent, Vec<Fact>)> {
        let sealed = unseal(visit, sealed)?;
        Some((sealed.intent, sealed.facts))
    }

    /// The request as it travels in the page.
    pub(crate) fn seal(&self, visit: &Visit) -> String {
        let sealed = Sealed {
            flow: self.id,
            device: device(visit),
            intent: self.intent.clone(),
            facts: self.facts.clone(),
            begun_at: self.begun_at,
        };
        seal(visit, &sealed)
    }

    /// The request for a link to another beginning: with what was typed, without what was proven.
    pub(crate) fn seal_for_link(&self, visit: &Visit) -> String {
        let named = self.facts.iter().rev().find(|fact| matches!(fact, Fact::Named(_)));
        let sealed = Sealed {
            flow: self.id,
            device: device(visit),
            intent: self.intent.clone(),
            facts: named.cloned().into_iter().collect(),
            begun_at: self.begun_at,
        };
        seal(visit, &sealed)
    }

    /// The row that the first POST inserts.
    pub(crate) fn first_row(&self, visit: &Visit, state: &str) -> FlowRow {
        let beginning = Beginning { intent: self.intent.clone(), begun_at: self.begun_at };
        let beginning = serde_json::to_vec(&beginning).unwrap_or_default();
        FlowRow {
            id: self.id,
            browser: visit.device().to_vec(),
            intent: self.sealed(visit, "flow.intent", &beginning),
            facts: self.sealed_facts(visit),
            state: state.to_owned(),
            version: 1,
            expires_at: visit.now().plus(LIFE),
        }
    }

    /// The facts as the row keeps them.
    pub(crate) fn sealed_facts(&self, visit: &Visit) -> Vec<u8> {
        self.sealed(visit, "flow.facts", &Facts::new(self.facts.clone()).write())
    }

    fn sealed(&self, visit: &Visit, label: &'static str, plain: &[u8]) -> Vec<u8> {
        visit.tenant.key.seal(visit.env().rng(), place(&visit.tenant.id, label, &self.id), plain)
    }

    /// Its address.
    pub(crate) fn path(&self, visit: &Visit) -> String {
        visit.at(&format!("/flow/{}", self.id))
    }
}

/// The facts without those that ceased to hold: proofs of an epoch that is over or of somebody who
/// may not come in any more, and what was carried over from a session that ended.
async fn standing(visit: &Visit, facts: Vec<Fact>) -> Result<Vec<Fact>, Error> {
    let mut standing = Vec::with_capacity(facts.len());
    for fact in facts {
        if stands(visit, &fact).await? {
            standing.push(fact);
        }
    }
    Ok(standing)
}

async fn stands(visit: &Visit, fact: &Fact) -> Result<bool, Error> {
    let (whose, epochs) = match fact {
        Fact::Verified { person, epochs, .. } | Fact::Carried { person, epochs, .. } => (*person, *epochs),
        _ => return Ok(true),
    };
    if let Fact::Carried { session, .. } = fact {
        let living = visit.sessions().await?;
        if !living.iter().any(|living| *living.row.id.as_bytes() == session.0) {
            return Ok(false);
        }
    }
    let person = person::by_id(visit.db(), visit.tenant.id, Id::from_bytes(whose.0)).await?;
    Ok(person.is_some_and(|person| {
        let now = Epochs { sessions: person.epoch, offline: person.offline_epoch };
        person.is_active() && now == epochs
    }))
}

const fn place<'a>(tenant: &'a Id<id::Tenant>, label: &'static str, row: &'a Id<id::Flow>) -> Aad<'a> {
    Aad::new(tenant, label, row)
}

fn device(visit: &Visit) -> Reference {
    let hash = visit.device();
    let mut short = [0; 16];
    short.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    Reference(short)
}

const REQUEST: &str = "flow.request";

fn seal(visit: &Visit, sealed: &Sealed) -> String {
    let key: &SealingKey = &visit.tenant.key;
    let plain = serde_json::to_vec(sealed).unwrap_or_default();
    let place = Aad::new(&visit.tenant.id, REQUEST, &visit.tenant.id);
    URL_SAFE_NO_PAD.encode(key.seal(visit.env().rng(), place, &plain))
}

fn unseal(visit: &Visit, text: &str) -> Option<Sealed> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let place = Aad::new(&visit.tenant.id, REQUEST, &visit.tenant.id);
    let plain = visit.tenant.key.open(place, &bytes).ok()?;
    serde_json::from_slice(&plain).ok()
}

fn foreign() -> Error {
    Error::new(
        Kind::Forbidden,
        "error-elsewhere",
        "This sign-in was begun in another browser. Go on there, or begin again here.",
    )
}

fn gone() -> Error {
    Error::new(Kind::Gone, "error-expired", "This sign-in is over. Please begin again.")
}
