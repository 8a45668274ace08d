//! An application's request as it accompanies a flow, and what has to be looked up to decide on it:
//! the application, the person it asks for, the consent that was given before.

use crate::{keys, subject};
use base::{Error, Id, Kind, id};
use journey::Reference;
use oauth::{
    Client, Scopes,
    authorize::{Checked, Demand, Prompt, Remembered, SessionFacts, Situation},
    claims::{BY_SCOPE, scope_of},
    client::ConsentMode,
    discovery::Server,
    uri,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};
use store::{Application, DbError, Tenant, rows::consent};
use web::{Visit, locale::Locale};

/// The authentication contexts that exist: one proof, whichever.
pub(crate) const ACR: &str = "1";

/// A request that was checked, as a flow carries it, sealed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// What it asks for.
    pub(crate) checked: Checked,
    /// Its parameters, to run it anew.
    pub(crate) query: String,
}

/// Whom a request wants: by an `id_token_hint`, or by a value of `sub` in `claims`.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// The subject of the `id_token_hint`.
    pub(crate) hinted: Option<String>,
    /// The person; nobody has the reference of zeros.
    pub(crate) person: Option<Reference>,
}

/// The hint is no ID token of ours for this application.
pub(crate) struct NotOurs;

/// What the tenant's server is.
pub(crate) fn server(tenant: &Tenant) -> Server {
    Server {
        issuer: tenant.issuer.clone(),
        ui_locales: Locale::ALL.iter().map(|locale| locale.code().to_owned()).collect(),
        acr_values: vec![ACR.to_owned()],
        id_token_algorithms: keys::offered(),
        catalogue: Arc::clone(&tenant.catalogue),
    }
}

/// A person as rules name them.
pub(crate) const fn reference(person: Id<id::Person>) -> Reference {
    Reference(*person.as_bytes())
}

/// The active application of this name.
pub(crate) async fn application(visit: &Visit, client_id: &str) -> Result<Option<Arc<Application>>, Error> {
    let found = visit.site.directory().application(&visit.tenant, client_id).await?;
    Ok(found.filter(|application| application.active))
}

impl Request {
    /// As a flow carries it.
    ///
    /// # Errors
    /// Kind `Internal` if it cannot be written.
    pub(crate) fn write(&self) -> Result<Value, Error> {
        serde_json::to_value(self).map_err(|error| Error::internal(format!("writing a request: {error}")))
    }

    /// From the flow that carried it.
    ///
    /// # Errors
    /// Kind `Gone` if another version of the program wrote it.
    pub(crate) fn read(value: &Value) -> Result<Self, Error> {
        serde_json::from_value(value.clone()).map_err(|error| {
            Error::new(Kind::Gone, "error-expired", "Go back to the application and start again.")
                .because(error.to_string())
        })
    }

    /// The application, which must still be active and still have the address of the answer.
    ///
    /// # Errors
    /// Kind `Forbidden` if it is not so any more, `Unavailable` if the store cannot answer.
    pub(crate) async fn application(&self, visit: &Visit) -> Result<Arc<Application>, Error> {
        let refused = || {
            Error::new(Kind::Forbidden, "error-refused", "The application is not in use any more.")
                .because("the application changed while somebody signed in to it")
        };
        let application = application(visit, self.checked.client_id.as_str()).await?.ok_or_else(refused)?;
        let (client, to) = (&application.client, self.checked.to.redirect_uri().as_str());
        if uri::matching(&client.redirect_uris, to, client.application_type).is_none() {
            return Err(refused());
        }
        Ok(application)
    }
}

impl Wanted {
    /// Looks up whom the request wants.
    ///
    /// # Errors
    /// The inner one if the hint is not ours; the outer if the store cannot answer.
    pub(crate) async fn of(
        visit: &Visit,
        client: &Client,
        checked: &Checked,
    ) -> Result<Result<Self, NotOurs>, Error> {
        let hint = match &checked.id_token_hint {
            None => None,
            Some(token) => match keys::hint(&visit.tenant, token) {
                Some(hint) if hint.client_id == checked.client_id => Some(hint),
                _ => return Ok(Err(NotOurs)),
            },
        };
        let sid = hint.as_ref().and_then(|hint| hint.session.clone());
        let hinted = hint.map(|hint| hint.subject);
        let person = match hinted.as_deref().or(checked.claims.subject()) {
            None => None,
            Some(name) => {
                let person = subject::person(visit, client, name, sid.as_deref()).await?;
                Some(person.map_or(Reference([0; 16]), reference))
            }
        };
        Ok(Ok(Self { hinted, person }))
    }

    /// Whether this person may answer.
    pub(crate) fn is(&self, person: Id<id::Person>) -> bool {
        self.person.is_none_or(|wanted| wanted == reference(person))
    }
}

/// What a person let the application know before, and what this request asks for.
pub(crate) struct Consent {
    /// Everything that is asked for, as scopes.
    pub(crate) asked: Scopes,
    /// What was agreed to before.
    pub(crate) given: Option<Scopes>,
    claims: BTreeSet<String>,
}

impl Consent {
    /// Looks up the consent of this person; of nobody there is none.
    ///
    /// # Errors
    /// [`DbError`] if the store cannot answer.
    pub(crate) async fn of(
        visit: &Visit,
        application: &Application,
        person: Option<Id<id::Person>>,
        checked: &Checked,
    ) -> Result<Self, DbError> {
        let row = match person {
            Some(person) => consent::find(visit.db(), visit.tenant.id, person, application.id).await?,
            None => None,
        };
        let given: Option<Scopes> = row.map(|row| row.scopes.parse().unwrap_or_default());
        let claims = given.iter().flat_map(claims_of).collect();
        Ok(Self { asked: asked(checked), given, claims })
    }

    /// As the decision takes it.
    pub(crate) fn remembered(&self) -> Option<Remembered<'_>> {
        self.given.as_ref().map(|scopes| Remembered { scopes, claims: &self.claims })
    }

    /// The scopes that the person must still agree to: those that are new, or all of them where it
    /// is the question itself that is due again.
    pub(crate) fn due(&self, checked: &Checked, client: &Client) -> Scopes {
        // Somebody who has just proved themselves: only consent can be missing.
        let session = SessionFacts { subject: "", auth_time: 0, authenticated_now: true };
        let bare = Checked { id_token_hint: None, claims: Default::default(), ..checked.clone() };
        let situation =
            Situation { session: Some(session), remembered: self.remembered(), ..Situation::default() };
        let mode = client.consent_mode();
        let covered = self.given.as_ref().is_some_and(|given| self.asked.is_subset(given));
        let is_due = bare.session_demand(client, &situation) != Demand::Proceed
            || (mode != ConsentMode::Skip && !covered);
        if !is_due {
            return Scopes::default();
        }
        let mut due = self.asked.clone();
        if let Some(given) = &self.given
            && !covered
            && !checked.prompts(Prompt::Consent)
            && mode != ConsentMode::Always
        {
            due.retain(|scope| !given.contains(scope.as_str()));
        }
        due
    }
}

/// What consent is about: the scopes, and those that stand for claims asked for one by one.
fn asked(checked: &Checked) -> Scopes {
    let beyond = checked.claims_beyond_scopes();
    let beyond: Scopes =
        beyond.iter().filter_map(|claim| scope_of(claim)).filter_map(|scope| scope.parse().ok()).collect();
    checked.scopes.union(&beyond)
}

fn claims_of(scopes: &Scopes) -> Vec<String> {
    let named = BY_SCOPE.iter().filter(|(scope, _)| scopes.contains(scope));
    named.flat_map(|(_, claims)| claims.iter()).map(|&claim| claim.to_owned()).collect()
}
