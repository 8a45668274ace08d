//! A turn: one POST of a flow. It finds the step, lets the step's module answer, asks the journey
//! about what is about to be written, and writes it in one unit. Also the GET that shows a flow.

use crate::{
    Signin,
    accounts::person_id,
    begin,
    draft::Draft,
    finish,
    flow::{Flow, Found},
    show::{self, Problems},
    steps,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use base::{Error, Id, id};
use journey::{Challenge, Fact, Goal, Purpose, Rules, Step, next};
use std::time::Duration;
use store::rows;
use tokio::time::{Instant, sleep_until};
use web::{
    Submission, Visit,
    intent::{Asking, Intent},
    render::{Client, Page},
};
use work::admission::{Limit, Subject};

/// How often a turn is taken again when another one was faster.
const TRIES: usize = 6;
/// Answers that must not tell who is known leave at a multiple of this after the request: longer than looking
/// somebody up, a hash, or writing a mail takes where nobody waits.
const UNTOLD: Duration = Duration::from_millis(25);

/// One look at a flow.
pub(crate) struct Turn<'a> {
    pub(crate) signin: &'a Signin,
    pub(crate) visit: &'a Visit,
    pub(crate) flow: Flow,
    pub(crate) rules: Rules,
    /// Who asks, if an application does.
    pub(crate) asking: Option<Asking>,
}

/// What a step makes of a POST.
pub(crate) enum Move {
    /// These facts are new; the draft writes what they rest on.
    Forward(Vec<Fact>, Draft),
    /// Not like this. The draft, if any, writes the attempt.
    Refuse(Box<Problems>, Option<Draft>),
}

impl Move {
    /// A refusal that writes nothing.
    pub(crate) fn refuse(problems: Problems) -> Result<Self, Error> {
        Ok(Self::Refuse(Box::new(problems), None))
    }
}

impl<'a> Turn<'a> {
    /// The flow with what is asked of it.
    pub(crate) async fn of(signin: &'a Signin, visit: &'a Visit, flow: Flow) -> Result<Self, Error> {
        let asking = match &flow.intent {
            Intent::Authorize { request } => Some(signin.destination.asking(visit, request).await?),
            _ => None,
        };
        let rules = rules(signin, visit, &flow).await?;
        Ok(Self { signin, visit, flow, rules, asking })
    }

    pub(crate) fn step(&self) -> Step<'_> {
        next(&self.flow.facts, &self.rules)
    }

    /// The name of the application that asks.
    pub(crate) fn application(&self) -> Option<String> {
        self.asking.as_ref().map(|asking| asking.name.clone())
    }

    /// The page of a step, with what it shows of the application that asks.
    pub(crate) fn page<P: Page>(&self, status: StatusCode, page: &P) -> Response {
        let mut chrome = self.visit.chrome(&self.own());
        chrome.client = self.asking.as_ref().map(|asking| Client {
            name: asking.name.clone(),
            logo: self.logo(asking),
            policy: asking.privacy.clone(),
            terms: asking.terms.clone(),
        });
        self.visit.page_within(status, page, &chrome)
    }

    fn logo(&self, asking: &Asking) -> Option<String> {
        let path = self.signin.logos.path(asking.application, asking.logo.as_deref()?)?;
        Some(self.visit.at(&path))
    }

    /// A draft for this flow.
    pub(crate) fn draft(&self) -> Draft {
        Draft::new(self.visit, &self.flow)
    }

    /// The refusal of somebody who tried one account or address too often.
    pub(crate) fn too_many(&self, field: &'static str, wait: Duration) -> Problems {
        self.signin.admission.count(Limit::Account);
        Problems::wait(field, wait)
    }

    /// Where the flow's pages are in other languages: its own address once it has a row, else the
    /// beginning that it came from.
    pub(crate) fn own(&self) -> String {
        if self.flow.row.is_some() {
            return self.flow.path(self.visit);
        }
        if matches!(self.flow.intent, Intent::Change { .. }) {
            return begin::again(self.signin, self.visit, &self.flow.intent);
        }
        let path = match self.rules.goal {
            Goal::SignIn => "/signin",
            Goal::Register => "/register",
            Goal::Recover => "/recover",
        };
        format!("{}?from={}", self.visit.at(path), self.flow.seal_for_link(self.visit))
    }

    fn event_application(&self) -> Option<Id<id::Application>> {
        self.asking.as_ref().map(|asking| asking.application)
    }

    /// An event that happened in this flow.
    pub(crate) fn event(&self, kind: &'static str) -> base::Event {
        base::Event::new(self.visit.env(), kind).application(self.event_application())
    }
}

/// What is asked of a flow, in view of who is proven so far.
async fn rules(signin: &Signin, visit: &Visit, flow: &Flow) -> Result<Rules, Error> {
    let base = Rules { registration: visit.tenant.settings.registration, ..Rules::sign_in() };
    match &flow.intent {
        Intent::Portal { .. } => Ok(base),
        Intent::Change { change, person } => Ok(begin::change_rules(visit, base, *change, *person)),
        Intent::Authorize { request } => {
            let begun = flow.begun_at.micros();
            let rules = signin.destination.rules(visit, request, None, begun).await?;
            match journey::person(&flow.facts, &rules) {
                Some(person) => {
                    signin.destination.rules(visit, request, Some(person_id(person)), begun).await
                }
                None => Ok(rules),
            }
        }
    }
}

/// `GET /flow/{id}`: the step that the flow has come to.
pub(crate) async fn show(State(signin): State<Signin>, Path(id): Path<String>, visit: Visit) -> Response {
    match look(&signin, &visit, &id).await {
        Ok(response) => response,
        Err(error) => visit.error(&error),
    }
}

async fn look(signin: &Signin, visit: &Visit, id: &str) -> Result<Response, Error> {
    let id = id.parse().map_err(|_| Error::not_found())?;
    match Flow::find(visit, id, "").await? {
        Found::Open(flow) | Found::Resealed(flow) => {
            let turn = Turn::of(signin, visit, flow).await?;
            show::step(&turn, &turn.step(), &Problems::none(), StatusCode::OK).await
        }
        Found::Over(intent) => Ok(visit.see_other(&begin::again(signin, visit, &intent))),
    }
}

/// `POST /flow/{id}`.
pub(crate) async fn post(
    State(signin): State<Signin>,
    Path(id): Path<String>,
    mut visit: Visit,
    sent: Submission,
) -> Response {
    visit.adopt_device(&sent);
    match take(&signin, &visit, &id, &sent).await {
        Ok(response) => response,
        Err(error) => visit.error(&error),
    }
}

async fn take(signin: &Signin, visit: &Visit, id: &str, sent: &Submission) -> Result<Response, Error> {
    let id: Id<id::Flow> = id.parse().map_err(|_| Error::not_found())?;
    if let Some(client) = visit.client {
        signin.admission.check(Subject::Network(client.network()), visit.now())?;
    }
    signin.admission.check(Subject::Tenant(visit.tenant.id), visit.now())?;
    let token = visit.check_csrf(sent);
    for _ in 0..TRIES {
        let flow = match Flow::find(visit, id, sent.get("request")).await? {
            Found::Over(intent) => return Ok(visit.see_other(&begin::again(signin, visit, &intent))),
            // Two tabs of a browser that had no cookie yet: each page was made for a device of its
            // own, and the later one stayed.
            Found::Resealed(flow) if visit.brought_device() && visit.said_same_origin() => {
                let turn = Turn::of(signin, visit, flow).await?;
                let problems = Problems::none().typed(sent).once_more();
                return show::step(&turn, &turn.step(), &problems, StatusCode::UNPROCESSABLE_ENTITY).await;
            }
            Found::Open(flow) | Found::Resealed(flow) => flow,
        };
        token.clone()?;
        let turn = Turn::of(signin, visit, flow).await?;
        if let Some(application) = turn.event_application() {
            signin.admission.check(Subject::Application(application), visit.now())?;
        }
        if let Some(response) = attempt(&turn, sent).await? {
            return Ok(response);
        }
    }
    Err(Error::unavailable("a flow changed under each of several tries"))
}

/// One try; none if somebody else changed the flow or the account meanwhile.
async fn attempt(turn: &Turn<'_>, sent: &Submission) -> Result<Option<Response>, Error> {
    let step = turn.step();
    let shown = sent.get("step");
    // The page of an earlier step, by the back button or from another tab: show where we are.
    if !shown.is_empty() && shown != show::name(&step) {
        return already_elsewhere(turn, &step).await.map(Some);
    }
    let begun = Instant::now();
    let (refused, answer) = match steps::take(turn, &step, sent).await {
        Ok(Move::Forward(facts, draft)) => (false, forward(turn, facts, draft).await),
        Ok(Move::Refuse(problems, draft)) => (true, refuse(turn, &step, (*problems, draft), sent).await),
        Err(error) => (true, Err(error)),
    };
    if hides(&step, refused) {
        sleep_until(begun + untold(begun.elapsed())).await;
    }
    answer
}

/// Whether the step looks somebody up whom nobody has proven to be: there the time of the answer must not tell
/// whether there is such an account. A right password tells it anyway.
fn hides(step: &Step<'_>, refused: bool) -> bool {
    match step {
        Step::Identify | Step::Challenge(Challenge::Password(_)) => refused,
        Step::Recover => true,
        Step::Challenge(Challenge::Code(sent)) => sent.purpose == Purpose::Recover,
        _ => false,
    }
}

/// When an answer leaves that is ready after so long.
fn untold(ready: Duration) -> Duration {
    let steps = ready.as_nanos() / UNTOLD.as_nanos() + 1;
    UNTOLD.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

/// The page once more, with what is wrong; the draft writes the attempt.
async fn refuse(
    turn: &Turn<'_>,
    step: &Step<'_>,
    (problems, draft): (Problems, Option<Draft>),
    sent: &Submission,
) -> Result<Option<Response>, Error> {
    let stands = match draft {
        Some(draft) => draft.commit(turn.signin, turn.visit).await?.done(),
        None => stands(turn).await?,
    };
    if !stands {
        return Ok(None);
    }
    let status = problems.status();
    show::step(turn, step, &problems.typed(sent), status).await.map(Some)
}

/// Whether the flow is still where it was read. Of two clicks at once the later one finds the code used that
/// the earlier one answered: it is no refusal, as the flow went on.
async fn stands(turn: &Turn<'_>) -> Result<bool, Error> {
    let Some(row) = &turn.flow.row else { return Ok(true) };
    let now = rows::flow::by_id(turn.visit.db(), turn.visit.tenant.id, row.id).await?;
    Ok(now.is_some_and(|now| now.version == row.version))
}

async fn already_elsewhere(turn: &Turn<'_>, step: &Step<'_>) -> Result<Response, Error> {
    if turn.flow.row.is_some() && !turn.visit.json {
        return Ok(turn.visit.see_other(&turn.flow.path(turn.visit)));
    }
    show::step(turn, step, &Problems::none(), StatusCode::OK).await
}

/// Writes new facts, and what the journey says of them.
pub(crate) async fn forward(
    turn: &Turn<'_>,
    new: Vec<Fact>,
    mut draft: Draft,
) -> Result<Option<Response>, Error> {
    let (signin, visit) = (turn.signin, turn.visit);
    let mut facts = turn.flow.facts.clone();
    facts.extend(new);
    let flow = Flow {
        id: turn.flow.id,
        row: turn.flow.row.clone(),
        intent: turn.flow.intent.clone(),
        facts,
        begun_at: turn.flow.begun_at,
    };
    let after = Turn::of(signin, visit, flow).await?;
    match after.step() {
        Step::Done(authenticated) => return finish::done(&after, &authenticated, draft).await,
        Step::Deny(reason) => return finish::deny(&after, reason, draft).await,
        _ => {}
    }
    write_facts(&after, &mut draft);
    if !draft.commit(signin, visit).await?.done() {
        return Ok(None);
    }
    if visit.json {
        // The row is there now; its page needs no sealed request any more.
        let Found::Open(flow) = Flow::find(visit, after.flow.id, "").await? else { return Ok(None) };
        let turn = Turn::of(signin, visit, flow).await?;
        return show::step(&turn, &turn.step(), &Problems::none(), StatusCode::OK).await.map(Some);
    }
    Ok(Some(visit.see_other(&after.flow.path(visit))))
}

fn write_facts(turn: &Turn<'_>, draft: &mut Draft) {
    let (visit, flow) = (turn.visit, &turn.flow);
    match &flow.row {
        None => {
            rows::flow::insert(&mut draft.unit, visit.tenant.id, &flow.first_row(visit, "open"), visit.now())
        }
        Some(row) => rows::flow::advance(&mut draft.unit, visit.tenant.id, row, &flow.sealed_facts(visit)),
    }
}

/// Writes the last facts and closes the flow.
pub(crate) fn close(turn: &Turn<'_>, draft: &mut Draft) {
    let (visit, flow) = (turn.visit, &turn.flow);
    match &flow.row {
        None => rows::flow::insert(
            &mut draft.unit,
            visit.tenant.id,
            &flow.first_row(visit, "closed"),
            visit.now(),
        ),
        Some(row) => rows::flow::close(&mut draft.unit, visit.tenant.id, row, &flow.sealed_facts(visit)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, untold};

    #[test]
    fn answers_leave_at_a_multiple() {
        for (ready, leaves) in [(0, 25), (9_000, 25), (24_999, 25), (25_000, 50), (61_000, 75)] {
            assert_eq!(untold(Duration::from_micros(ready)), Duration::from_millis(leaves), "{ready}");
        }
    }
}
