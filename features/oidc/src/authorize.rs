//! `/authorize`: the authorization endpoint (RFC 6749 section 4.1, OpenID Connect Core section 3.1.2).
//!
//! A GET writes nothing unless a session answers, then one grant. Whoever has to be asked something
//! goes to the sign-in. A POST becomes a GET.

use crate::{
    Oidc,
    answer::{Stop, ending},
    carry, events,
    issue::{Holder, Issued},
    request::{Consent, Request, Wanted, application, reference, server},
    session_check, subject,
};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::Response,
};
use base::{Error, Id, Identifier, Kind, id};
use journey::{Authentication, Epochs, Fact, Goal, Named, Reference};
use oauth::{
    Client, ErrorCode, PageError,
    authorize::{Checked, Demand, Prompt, Raw, SessionFacts, Situation},
};
use std::sync::Arc;
use store::{
    Application, Unit,
    rows::{
        identifier,
        person::{self, Known, PersonRow},
        session::SessionRow,
    },
};
use web::{
    Living, Visit,
    intent::{Begin, Intent},
};

/// `POST /authorize`.
pub(crate) async fn post(visit: Visit, body: Result<Bytes, BytesRejection>) -> Response {
    carry::AUTHORIZE.post(&visit, body).await
}

/// `GET /authorize`.
pub(crate) async fn get(State(oidc): State<Oidc>, visit: Visit) -> Response {
    let asked = match Asked::of(&visit).await {
        Ok(asked) => asked,
        Err(stop) => return stop.respond(&visit),
    };
    match asked.answer(&oidc, &visit).await {
        Ok(response) => response,
        // Without a page there is nobody but the application to tell.
        Err(Stop::Broken(error)) if asked.request.checked.prompts(Prompt::None) => {
            asked.broken(&error, &visit).respond(&visit)
        }
        Err(stop) => stop.respond(&visit),
    }
}

/// A request of a known application.
struct Asked {
    request: Request,
    application: Arc<Application>,
}

/// A session that may answer, and whose it is.
struct Candidate {
    session: SessionRow,
    person: PersonRow,
    subject: String,
}

impl Asked {
    async fn of(visit: &Visit) -> Result<Self, Stop> {
        let raw = Raw::new(carry::AUTHORIZE.params(visit).await?);
        let query = raw.params().encode();
        let application = application(visit, raw.client_id()?.as_str()).await?;
        let application = application.ok_or(PageError::ClientUnknown)?;
        let checked = raw.bind(&application.client)?.check(&server(&visit.tenant))?;
        Ok(Self { request: Request { checked, query }, application })
    }

    fn checked(&self) -> &Checked {
        &self.request.checked
    }

    fn client(&self) -> &Client {
        &self.application.client
    }

    async fn answer(&self, oidc: &Oidc, visit: &Visit) -> Result<Response, Stop> {
        let checked = self.checked();
        let wanted = Wanted::of(visit, self.client(), checked).await?.map_err(|_| {
            checked.refuse(
                ErrorCode::InvalidRequest,
                "id_token_hint is not an ID token of this server for this application",
            )
        })?;
        let candidate = self.candidate(visit, &wanted).await?;
        match self.demand(visit, &wanted, candidate.as_ref()).await? {
            Demand::Refuse(error) => Err(error.into()),
            Demand::Proceed => match candidate {
                Some(candidate) => self.grant(oidc, visit, &wanted, &candidate).await,
                None => Err(Error::internal("a request went ahead without anybody").into()),
            },
            demand => self.begin(oidc, visit, (&wanted, &demand), candidate.as_ref()).await,
        }
    }

    async fn demand(
        &self,
        visit: &Visit,
        wanted: &Wanted,
        candidate: Option<&Candidate>,
    ) -> Result<Demand, Error> {
        let person = candidate.map(|candidate| candidate.person.id);
        let consent = Consent::of(visit, &self.application, person, self.checked()).await?;
        let session = candidate.map(|candidate| SessionFacts {
            subject: &candidate.subject,
            auth_time: candidate.session.auth_time.micros(),
            authenticated_now: false,
        });
        let situation = Situation {
            now: visit.now().micros(),
            session,
            hinted_subject: wanted.hinted.as_deref(),
            remembered: consent.remembered(),
            consented_now: false,
        };
        Ok(self.checked().session_demand(self.client(), &situation))
    }

    /// Of several sessions: whom the application wants, else whom it expects, else the last used.
    async fn candidate(&self, visit: &Visit, wanted: &Wanted) -> Result<Option<Candidate>, Error> {
        let mut sessions = visit.sessions().await?;
        sessions.retain(|session| wanted.is(session.row.person));
        let expected = match self.checked().login_hint.as_deref().map(Identifier::parse) {
            Some(Ok(hint)) if sessions.len() > 1 => {
                identifier::find(visit.db(), visit.tenant.id, hint.kind(), hint.normal()).await?
            }
            _ => None,
        };
        let is_expected =
            |session: &Living| expected.as_ref().is_some_and(|row| row.person == session.row.person);
        let at = sessions.iter().position(is_expected).unwrap_or(0);
        match sessions.into_iter().nth(at) {
            Some(session) => Candidate::of(visit, self.client(), session.row).await,
            None => Ok(None),
        }
    }

    /// Somebody is signed in and nothing is to be asked: one unit, and back to the application.
    async fn grant(
        &self,
        oidc: &Oidc,
        visit: &Visit,
        wanted: &Wanted,
        candidate: &Candidate,
    ) -> Result<Response, Stop> {
        let authentication = candidate.authentication();
        let holder = Holder {
            person: candidate.person.id,
            session: candidate.session.id,
            epochs: candidate.epochs(),
            authentication: &authentication,
        };
        let issued = Issued::new(visit, &self.application, self.checked(), &holder);
        let event = issued.event(visit);
        let mut unit = Unit::new(event.id, vec![events::of(visit, event, &candidate.person)?]);
        issued.write(visit, &mut unit);
        if visit.db().commit(unit).await?.done() {
            let (client, session) = (self.client(), candidate.session.id);
            let answer = session_check::success(visit, self.checked(), client, session, &issued.code())?;
            return Ok(visit.leave(ending(answer), Some(self.client().display_name())));
        }
        // The person was locked out or changed their password in this very moment.
        match self.demand(visit, wanted, None).await? {
            Demand::Refuse(error) => Err(error.into()),
            demand => self.begin(oidc, visit, (wanted, &demand), None).await,
        }
    }

    /// Hands the request to the sign-in.
    async fn begin(
        &self,
        oidc: &Oidc,
        visit: &Visit,
        (wanted, demand): (&Wanted, &Demand),
        candidate: Option<&Candidate>,
    ) -> Result<Response, Stop> {
        let facts = match demand {
            Demand::Create | Demand::SelectAccount => Vec::new(),
            Demand::Login { .. } => self.known(visit, wanted, candidate, true).await?,
            _ => self.known(visit, wanted, candidate, false).await?,
        };
        let goal = (*demand == Demand::Create).then_some(Goal::Register);
        let intent = Intent::Authorize { request: self.request.write()? };
        Ok(oidc.journeys.begin(visit, Begin { intent, goal, facts }).await)
    }

    /// What the flow may start from: the session, and who will probably sign in.
    async fn known(
        &self,
        visit: &Visit,
        wanted: &Wanted,
        candidate: Option<&Candidate>,
        name: bool,
    ) -> Result<Vec<Fact>, Error> {
        let candidate = candidate.filter(|candidate| wanted.is(candidate.person.id));
        let mut facts: Vec<Fact> = candidate.map(Candidate::carried).into_iter().collect();
        let hint = self.checked().login_hint.as_deref().and_then(|hint| Identifier::parse(hint).ok());
        let named = match (hint, candidate) {
            (Some(hint), _) => Some(named(hint.kind().as_str(), hint.normal(), hint.as_typed())),
            (None, Some(candidate)) => {
                let rows = identifier::of_person(visit.db(), visit.tenant.id, candidate.person.id).await?;
                rows.first().map(|row| named(&row.kind, &row.normal, &row.typed))
            }
            (None, None) => None,
        };
        facts.extend(named.filter(|_| name));
        Ok(facts)
    }

    fn broken(&self, error: &Error, visit: &Visit) -> Stop {
        web::error::log(error, &visit.request_id);
        let code = match error.kind {
            Kind::Unavailable | Kind::TooMany => ErrorCode::TemporarilyUnavailable,
            _ => ErrorCode::ServerError,
        };
        self.checked().refuse(code, "the server cannot answer right now").into()
    }
}

impl Candidate {
    /// The session with its person, unless they are gone since it was read.
    async fn of(visit: &Visit, client: &Client, session: SessionRow) -> Result<Option<Self>, Error> {
        let known = person::known(visit.db(), visit.tenant.id, session.person).await?;
        let current = |known: &Known| known.person.is_active() && known.person.epoch == session.epoch;
        let Some(Known { person, subject }) = known.filter(current) else { return Ok(None) };
        let subject = subject::of(&visit.tenant, client, &subject.ok_or_else(nameless)?)?;
        Ok(Some(Self { session, person, subject }))
    }

    fn authentication(&self) -> Authentication {
        Authentication::read(&self.session.facts)
    }

    fn epochs(&self) -> Epochs {
        Epochs { sessions: self.person.epoch, offline: self.person.offline_epoch }
    }

    fn carried(&self) -> Fact {
        Fact::Carried {
            person: reference(self.person.id),
            session: Reference(*self.session.id.as_bytes()),
            proofs: self.authentication().proofs,
            epochs: self.epochs(),
        }
    }
}

fn named(kind: &str, normal: &str, typed: &str) -> Fact {
    Fact::Named(Named { kind: kind.to_owned(), normal: normal.to_owned(), typed: typed.to_owned() })
}

/// The subject under which applications know the person, unless they have one for their sector.
pub(crate) async fn subject(visit: &Visit, person: Id<id::Person>) -> Result<String, Error> {
    let subject = person::subject(visit.db(), visit.tenant.id, person).await?;
    subject.ok_or_else(nameless)
}

fn nameless() -> Error {
    Error::internal("a person without a subject")
}
