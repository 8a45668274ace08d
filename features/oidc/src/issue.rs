//! The grant that an authorization ends in, with its code.

use base::{Event, Handle, HandleKind, Id, id};
use journey::{Authentication, Epochs};
use oauth::{authorize::Checked, scope::OFFLINE_ACCESS};
use std::time::Duration;
use store::{Application, Unit, rows::grant};
use web::Visit;

/// Who authorizes the application.
pub(crate) struct Holder<'a> {
    /// The person.
    pub(crate) person: Id<id::Person>,
    /// The session in which they do.
    pub(crate) session: Id<id::Session>,
    /// Their epochs.
    pub(crate) epochs: Epochs,
    /// How they proved themselves.
    pub(crate) authentication: &'a Authentication,
}

/// A grant about to be written.
pub(crate) struct Issued {
    grant: grant::NewGrant,
    code: Handle,
}

impl Issued {
    /// A new grant of what the request asks for.
    pub(crate) fn new(
        visit: &Visit,
        application: &Application,
        checked: &Checked,
        holder: &Holder<'_>,
    ) -> Self {
        let (now, lives) = (visit.now(), application.client.lifetimes);
        let id = visit.env().id();
        let code = Handle::new(HandleKind::Code, id, visit.env().rng());
        let longest = lives.refresh_absolute.max(lives.code.saturating_add(lives.access_token));
        let grant = grant::NewGrant {
            id,
            person: holder.person,
            application: application.id,
            session: holder.session,
            offline: checked.scopes.contains(OFFLINE_ACCESS),
            epochs: (holder.epochs.sessions, holder.epochs.offline),
            scopes: checked.scopes.to_string(),
            claims: serde_json::to_string(&checked.claims).unwrap_or_default(),
            resources: resources(checked),
            facts: holder.authentication.write(),
            code: code.hash(),
            code_until: now.plus(seconds(lives.code)),
            redirect_uri: checked.to.redirect_uri().to_string(),
            challenge: checked.code_challenge.clone().map(String::from),
            nonce: checked.nonce.clone(),
            expires_at: now.plus(seconds(longest)),
        };
        Self { grant, code }
    }

    /// What happened.
    pub(crate) fn event(&self, visit: &Visit) -> Event {
        Event::new(visit.env(), "grant.created")
            .person(self.grant.person)
            .application(self.grant.application)
            .session(self.grant.session)
            .detail(serde_json::json!({ "scopes": self.grant.scopes }))
    }

    /// Adds the grant to the unit.
    pub(crate) fn write(&self, visit: &Visit, unit: &mut Unit) {
        grant::insert(unit, visit.tenant.id, &self.grant, visit.now());
    }

    /// The code, for the application.
    pub(crate) fn code(&self) -> String {
        self.code.reveal()
    }
}

/// The resources that the request asks for, as the grant keeps them.
fn resources(checked: &Checked) -> Option<String> {
    let asked = &checked.resources;
    (!asked.is_empty()).then(|| serde_json::Value::from(asked.clone()).to_string())
}

/// A lifetime of an application; none is negative.
pub(crate) fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
