//! How flows begin: the addresses that people open, and what other capabilities ask for. A GET
//! writes nothing: the flow travels sealed in its first page.

use crate::{
    Signin,
    accounts::{Account, reference},
    flow::Flow,
    show::{self, Problems},
    turn::Turn,
};
use axum::{extract::State, http::StatusCode, response::Response};
use base::Error;
use journey::{Authentication, Change, Epochs, Fact, Goal, Named, PersonRef, Rules};
use std::time::Duration;
use web::{
    Living, Visit,
    intent::{Begin, Boxed, Intent, Journeys},
    query,
};

/// How long a proof is fresh enough for a change of address.
const FRESH: Duration = Duration::from_secs(600);

impl Journeys for Signin {
    fn begin<'a>(&'a self, visit: &'a Visit, begin: Begin) -> Boxed<'a, Response> {
        Box::pin(async move {
            match first_page(self, visit, begin).await {
                Ok(response) => response,
                Err(error) => visit.error(&error),
            }
        })
    }
}

async fn first_page(signin: &Signin, visit: &Visit, begin: Begin) -> Result<Response, Error> {
    let mut facts = begin.facts;
    facts.extend(begin.goal.map(|goal| Fact::Began { goal }));
    let turn = Turn::of(signin, visit, Flow::begin(visit, begin.intent, facts)).await?;
    show::step(&turn, &turn.step(), &Problems::none(), StatusCode::OK).await
}

/// Where the intent of a finished or expired flow runs anew.
pub(crate) fn again(signin: &Signin, visit: &Visit, intent: &Intent) -> String {
    match intent {
        Intent::Portal { path } => visit.at(path),
        Intent::Authorize { request } => signin.destination.again(visit, request),
        Intent::Change { change, .. } => visit.at(again_path(*change)),
    }
}

/// `GET /signin`.
pub(crate) async fn signin(State(signin): State<Signin>, visit: Visit) -> Response {
    open(&signin, &visit, Goal::SignIn).await
}

/// `GET /register`.
pub(crate) async fn register(State(signin): State<Signin>, visit: Visit) -> Response {
    open(&signin, &visit, Goal::Register).await
}

/// `GET /recover`.
pub(crate) async fn recover(State(signin): State<Signin>, visit: Visit) -> Response {
    open(&signin, &visit, Goal::Recover).await
}

/// A goal chosen on a page carries what the flow there was for in `from`.
async fn open(signin: &Signin, visit: &Visit, goal: Goal) -> Response {
    let from = query(&visit.uri, "from").unwrap_or_default();
    let carried = Flow::carried(visit, &from);
    if carried.is_none() && goal == Goal::SignIn {
        match visit.signed_in().await {
            Ok(Some(_)) => return visit.see_other(&visit.at("/account")),
            Ok(None) => {}
            Err(error) => return visit.error(&error),
        }
    }
    let portal = Intent::Portal { path: "/account".to_owned() };
    let (intent, facts) = match carried {
        // A change rests on a session, which whoever goes astray from it does not bring along.
        Some((Intent::Change { change, .. }, facts)) => {
            (Intent::Portal { path: again_path(change).to_owned() }, facts)
        }
        Some(carried) => carried,
        None => (portal, Vec::new()),
    };
    signin.begin(visit, Begin { intent, goal: Some(goal), facts }).await
}

/// `GET /account/password`.
pub(crate) async fn change_password(State(signin): State<Signin>, visit: Visit) -> Response {
    change(&signin, &visit, Change::Password).await
}

/// `GET /account/email`.
pub(crate) async fn change_email(State(signin): State<Signin>, visit: Visit) -> Response {
    change(&signin, &visit, Change::Address).await
}

/// `GET /account/delete`.
pub(crate) async fn delete(State(signin): State<Signin>, visit: Visit) -> Response {
    change(&signin, &visit, Change::Deletion).await
}

async fn change(signin: &Signin, visit: &Visit, change: Change) -> Response {
    match begin_change(signin, visit, change).await {
        Ok(response) => response,
        Err(error) => visit.error(&error),
    }
}

async fn begin_change(signin: &Signin, visit: &Visit, change: Change) -> Result<Response, Error> {
    let Some(living) = visit.signed_in().await? else {
        let portal = Intent::Portal { path: again_path(change).to_owned() };
        return Ok(signin.begin(visit, Begin { intent: portal, goal: None, facts: Vec::new() }).await);
    };
    let account = Account::of(visit, living.row.person).await?.ok_or_else(Error::not_found)?;
    let named = account.email().or_else(|| account.identifiers.first()).map(|row| {
        Fact::Named(Named { kind: row.kind.clone(), normal: row.normal.clone(), typed: row.typed.clone() })
    });
    let mut facts = vec![carried(&living, &account)];
    facts.extend(named);
    let intent = Intent::Change { change, person: reference(account.person.id) };
    first_page(signin, visit, Begin { intent, goal: None, facts }).await
}

const fn again_path(change: Change) -> &'static str {
    match change {
        Change::Password => "/account/password",
        Change::Address => "/account/email",
        Change::Deletion => "/account/delete",
    }
}

/// A session of this browser as a fact.
pub(crate) fn carried(living: &Living, account: &Account) -> Fact {
    Fact::Carried {
        person: reference(living.row.person),
        session: reference(living.row.id),
        proofs: Authentication::read(&living.row.facts).proofs,
        epochs: Epochs { sessions: living.row.epoch, offline: account.person.offline_epoch },
    }
}

/// What a change of the account asks: this person; for an address a fresh proof, since the other
/// two ask for the password on their own page.
pub(crate) fn change_rules(visit: &Visit, base: Rules, change: Change, person: PersonRef) -> Rules {
    let fresh = match change {
        Change::Address => visit.now().minus(FRESH).micros(),
        Change::Password | Change::Deletion => i64::MIN,
    };
    Rules { person: Some(person), fresh_after: fresh, change: Some(change), registration: false, ..base }
}
