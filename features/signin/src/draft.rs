//! A unit in the making: writes, events, and what is to happen in the browser once it is in force.

use crate::{
    Signin,
    flow::Flow,
    tally::{self, Method},
};
use base::{Error, Event, SealingKey};
use store::{Outcome, Unit, args, rows};
use web::Visit;
use work::AccountSlot;

/// A unit of a flow, known by its first event or else by the flow's row.
pub(crate) struct Draft {
    pub(crate) unit: Unit,
    recorded: bool,
    mails: bool,
    cookies: Vec<String>,
    slot: Option<AccountSlot>,
    ends: Option<(Method, tally::Outcome)>,
}

impl Draft {
    pub(crate) fn new(visit: &Visit, flow: &Flow) -> Self {
        let id = visit.env().id();
        let unit = Unit::marked(id, rows::flow::PROBE, args![visit.tenant.id, flow.id, id]);
        Self { unit, recorded: false, mails: false, cookies: Vec::new(), slot: None, ends: None }
    }

    /// Records an event from where the visit comes, sealed under the person's key if there is one.
    pub(crate) fn record(&mut self, visit: &Visit, event: Event, key: Option<&SealingKey>) {
        let mut event = event.origin(visit.origin());
        if !self.recorded {
            event.id = self.unit.id();
            self.recorded = true;
        }
        self.unit.record(visit.tenant.event(visit.env(), event, key));
    }

    /// Notes how a sign-in ends, to be counted once the unit is in force.
    pub(crate) const fn ends(&mut self, method: Method, outcome: tally::Outcome) {
        self.ends = Some((method, outcome));
    }

    /// Sets a cookie once the unit is in force.
    pub(crate) fn cookie(&mut self, cookie: String) {
        self.cookies.push(cookie);
    }

    /// Notes that a mail was queued.
    pub(crate) const fn has_mail(&mut self) {
        self.mails = true;
    }

    /// Keeps the account's place at the hashes until the unit is written, so that guesses in
    /// parallel read attempts that are current.
    pub(crate) fn keep(&mut self, slot: AccountSlot) {
        self.slot = Some(slot);
    }

    /// Writes it. Cookies are set and mail workers woken only if it is in force.
    pub(crate) async fn commit(self, signin: &Signin, visit: &Visit) -> Result<Outcome, Error> {
        let outcome = visit.db().commit(self.unit).await?;
        if outcome.done() {
            self.cookies.into_iter().for_each(|cookie| visit.set_cookie(cookie));
            if let Some(end) = self.ends {
                signin.tally.add(end);
            }
            if self.mails {
                signin.mail.wake();
            }
        }
        Ok(outcome)
    }
}
