//! Passwords: the one check of all steps that ask for the present one, and the policy and hash of
//! new ones. The same reads, hashes and writes for accounts that are there and that are not.

use crate::{
    Signin,
    accounts::{Account, NOBODY},
    draft::Draft,
    flow::Flow,
    tally::{Method, Outcome},
};
use base::{Aad, Error, Event, Id, SealingKey, id, net::ClientAddr};
use passwords::{Policy, Prepared, PreparedError, Problem, Verdict};
use std::time::Duration;
use store::{
    Mac, accounts,
    rows::{
        attempt::{self, Allowance, AttemptKey, Seen},
        credential::{self, CredentialRow},
        person,
    },
};
use tracing::Instrument as _;
use web::{Visit, pages::say, render::Message};
use work::{AccountSlot, Caller, Limit, Priority};

/// What a password turned out to be.
pub(crate) enum Checked {
    /// Right: the unit of success must hold these attempts.
    Right(Right),
    /// Wrong, or there is no such account: the unit takes an attempt and tells nobody which.
    Wrong(Draft),
    /// No attempt is left for so long.
    TooMany(Duration),
}

/// The right password.
pub(crate) struct Right {
    key: AttemptKey,
    seen: Seen,
    slot: AccountSlot,
    expired: bool,
    rehashed: Option<(CredentialRow, Vec<u8>)>,
}

impl Right {
    /// Whether an operator asks for another password: this one lets nobody in any more.
    pub(crate) const fn is_expired(&self) -> bool {
        self.expired
    }

    /// The same where the password is replaced or goes.
    pub(crate) fn hold_only(self, visit: &Visit, draft: &mut Draft) {
        attempt::hold(&mut draft.unit, visit.tenant.id, &self.key, self.seen);
        draft.keep(self.slot);
    }

    /// What the unit of success writes: it loses to failures that came first.
    pub(crate) fn hold(self, visit: &Visit, account: &Account, draft: &mut Draft) {
        if let Some((old, data)) = &self.rehashed {
            credential::rehash(&mut draft.unit, visit.tenant.id, account.person.id, (old, data));
        }
        self.hold_only(visit, draft);
    }
}

/// Whose attempts at this are counted: the account's if there is one, else the typed name's, so
/// that all its names share one count; a device that the person used before has its own.
pub(crate) async fn attempts(
    visit: &Visit,
    kind: &str,
    whose: Option<Id<id::Person>>,
    typed: &str,
) -> Result<AttemptKey, Error> {
    let (_, mac) = visit.tenant.mac(Mac::Attempt)?;
    let person = whose.unwrap_or(NOBODY);
    let device = visit.device();
    let known = person::knows_device(visit.db(), visit.tenant.id, person, &device).await?;
    let subject = match whose {
        Some(person) => mac.sign(&[kind.as_bytes(), b"person", person.as_bytes()]),
        None => mac.sign(&[kind.as_bytes(), b"name", typed.as_bytes()]),
    };
    Ok(AttemptKey { subject, device: if known { device.to_vec() } else { Vec::new() } })
}

/// Checks a password. `typed` is the normal form of what named the account.
pub(crate) async fn check(
    signin: &Signin,
    visit: &Visit,
    flow: &Flow,
    who: (Option<&Account>, &str),
    password: &str,
) -> Result<Checked, Error> {
    let (account, typed) = who;
    let key = attempts(visit, "password", account.map(|account| account.person.id), typed).await?;
    let seen = attempt::read(visit.db(), visit.tenant.id, &key).await?;
    if let Some(wait) = seen.wait(Allowance::PASSWORD, visit.now()) {
        return Ok(Checked::TooMany(wait));
    }
    let count = |_: &Error| signin.admission.count(Limit::Account);
    let slot = signin.slots.enter(key.subject).inspect_err(count)?;
    let priority = if key.device.is_empty() { Priority::Other } else { Priority::KnownDevice };
    let caller = caller(visit, priority);
    let stored = stored(visit, account).await?;
    // What cannot be a password costs the same hash.
    let prepared = Prepared::new(password).or_else(|_| Prepared::new("-")).map_err(internal)?;
    let readable = Prepared::new(password).is_ok();
    let phc = stored.as_ref().map_or_else(passwords::dummy, |(_, _, phc)| phc.clone());
    let verdict = signin.hashing.verify(prepared, phc, caller).instrument(hashing()).await?;
    let right = match (verdict, stored) {
        (Verdict::Match { rehash }, Some((row, sealing, _))) if readable => Some((rehash, row, sealing)),
        _ => None,
    };
    let Some((rehash, row, sealing)) = right else {
        let mut draft = Draft::new(visit, flow);
        let mut event =
            Event::new(visit.env(), "signin.refused").detail(serde_json::json!({ "method": "password" }));
        event.person = account.map(|account| account.person.id);
        draft.ends(Method::Password, Outcome::Refused);
        draft.record(visit, event, account.and_then(|account| account.key.as_ref()));
        attempt::take(&mut draft.unit, visit.tenant.id, &key, Allowance::PASSWORD, visit.now());
        draft.keep(slot);
        return Ok(Checked::Wrong(draft));
    };
    let expired = row.state == "expired";
    let mut rehashed = None;
    if rehash {
        let prepared = Prepared::new(password).map_err(internal)?;
        let phc = signin.hashing.hash(prepared, caller).instrument(hashing()).await?.to_string();
        let data = accounts::seal_password(visit.env(), &sealing, (visit.tenant.id, row.id), &phc);
        rehashed = Some((row, data));
    }
    Ok(Checked::Right(Right { key, seen, slot, expired, rehashed }))
}

fn caller(visit: &Visit, priority: Priority) -> Caller {
    Caller { priority, network: visit.client.map(ClientAddr::network) }
}

/// The wait for a hash, with the hash, in a trace.
fn hashing() -> tracing::Span {
    tracing::info_span!(target: "trace", "hash")
}

type Stored = (CredentialRow, SealingKey, passwords::PhcString);

/// The stored hash of an account's password, if it has one.
async fn stored(visit: &Visit, account: Option<&Account>) -> Result<Option<Stored>, Error> {
    let person = account.map_or(NOBODY, |account| account.person.id);
    let row = credential::of_kind(visit.db(), visit.tenant.id, person, "password").await?;
    let key = account.and_then(|account| account.key.clone());
    let (Some(row), Some(key)) = (row, key) else { return Ok(None) };
    let place = Aad::new(&visit.tenant.id, "credential.data", &row.id);
    let plain = key.open(place, &row.data)?;
    let text = std::str::from_utf8(&plain).map_err(internal)?;
    let phc = text.parse().map_err(internal)?;
    Ok(Some((row, key, phc)))
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(error.to_string())
}

/// The tenant's password policy.
pub(crate) fn policy(visit: &Visit) -> Policy {
    let settings = &visit.tenant.settings;
    let mut policy = if settings.profile == "nist-aal2" { Policy::nist_aal2() } else { Policy::default() };
    if let Some(least) = settings.password_min {
        policy.min_chars = usize::try_from(least).unwrap_or(policy.min_chars);
    }
    policy
}

/// The least length of a password, as pages say it.
pub(crate) fn least_length(visit: &Visit) -> u32 {
    u32::try_from(policy(visit).min_chars).unwrap_or(u32::MAX)
}

/// Checks a new password against the policy and hashes it; or says what is wrong with it.
pub(crate) async fn choose(
    signin: &Signin,
    visit: &Visit,
    password: &str,
    own: &[String],
) -> Result<Result<String, Message>, Error> {
    if password.is_empty() {
        return Ok(Err(say::password_missing()));
    }
    let prepared = match Prepared::new(password) {
        Ok(prepared) => prepared,
        Err(PreparedError::Nul) => return Ok(Err(say::unreadable())),
        Err(PreparedError::TooManyBytes { .. } | PreparedError::TooManyChars { .. }) => {
            return Ok(Err(say::password_too_long(256)));
        }
    };
    if own.iter().any(|own| own.to_lowercase() == password.to_lowercase()) {
        return Ok(Err(say::password_similar()));
    }
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    if let Err(problems) = policy(visit).check(&prepared, &own)
        && let Some(problem) = problems.first()
    {
        return Ok(Err(sentence(problem)));
    }
    let phc = signin.hashing.hash(prepared, caller(visit, Priority::Other)).instrument(hashing()).await?;
    Ok(Ok(phc.to_string()))
}

fn sentence(problem: &Problem) -> Message {
    let short = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    match *problem {
        Problem::TooShort { min } => say::password_too_short(short(min)),
        Problem::TooLong { max } => say::password_too_long(short(max)),
        Problem::Common => say::password_common(),
        Problem::Similar { .. } => say::password_similar(),
    }
}
