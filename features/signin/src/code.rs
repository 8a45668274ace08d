//! One-time codes: sent in the unit of a POST, answered once, in time, in the flow that sent them.

use crate::{
    accounts::{Account, NOBODY, reference},
    draft::Draft,
    flow::Flow,
    notify::{self, Letter},
    tally::{Method, Outcome},
    turn::Turn,
};
use base::{Aad, Error, Handle, HandleKind, Id, id, identifier::mask};
use journey::{Epochs, Fact, Purpose, Sent};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::{
    Mac,
    rows::{
        attempt::{self, Allowance, AttemptKey},
        challenge::{self, ChallengeRow},
    },
};
use web::{
    Visit,
    pages::mails::{AddressChangeCode, Recover, VerifyAddress},
};

/// How long a code is good.
pub(crate) const LIFE: Duration = Duration::from_secs(600);
/// How long to wait before it is sent again.
pub(crate) const RESEND_AFTER: Duration = Duration::from_secs(30);
const TRIES: i64 = 5;

/// Where a code goes, sealed in its challenge.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    /// The address as it was typed; for an unknown account what was typed to name it.
    pub(crate) address: String,
    /// Its normal form.
    pub(crate) normal: String,
    /// The account that the answer is a proof of, as far as it is known when the code is sent.
    pub(crate) person: Option<Id<id::Person>>,
    /// The epochs of that account then.
    pub(crate) epochs: Option<Epochs>,
    /// How the page shows where it went.
    pub(crate) masked: String,
    /// Whether nobody gets it.
    pub(crate) decoy: bool,
    /// The code, for the page that shows it on another device.
    #[serde(default)]
    pub(crate) code: String,
}

impl Target {
    /// An address that is to be proven.
    pub(crate) fn address(email: &base::Email) -> Self {
        Self {
            address: email.as_typed().to_owned(),
            normal: email.normal().to_owned(),
            person: None,
            epochs: None,
            masked: email.masked(),
            decoy: false,
            code: String::new(),
        }
    }

    /// An account that somebody named, with the address that we know of it; or nobody.
    pub(crate) fn account(typed: &str, normal: &str, account: Option<&Account>) -> Self {
        let email = account.and_then(Account::email);
        let address = email.map_or(typed, |row| row.typed.as_str());
        Self {
            address: address.to_owned(),
            normal: normal.to_owned(),
            person: account.map(|account| account.person.id),
            epochs: account.map(Account::epochs),
            // The same for accounts that are there and that are not.
            masked: if typed.contains('@') { mask(typed) } else { typed.to_owned() },
            decoy: email.is_none(),
            code: String::new(),
        }
    }

    /// The same once more: a recovery goes to the address that its account has now.
    pub(crate) async fn renewed(self, visit: &Visit, purpose: Purpose) -> Result<Self, Error> {
        if purpose != Purpose::Recover {
            return Ok(self);
        }
        let account = Account::of(visit, self.person.unwrap_or(NOBODY)).await?;
        let Some(email) = account.as_ref().and_then(Account::email) else {
            return Ok(Self { decoy: true, ..self });
        };
        Ok(Self { address: email.typed.clone(), epochs: account.as_ref().map(Account::epochs), ..self })
    }
}

/// Sends a code, or says how long to wait: at most five mails of a kind at once to one address.
pub(crate) async fn send(
    turn: &Turn<'_>,
    draft: &mut Draft,
    purpose: Purpose,
    target: Target,
) -> Result<Result<Fact, Duration>, Error> {
    let (visit, flow) = (turn.visit, &turn.flow);
    let key = attempts(visit, "mail", purpose, &target).await?;
    let seen = attempt::read(visit.db(), visit.tenant.id, &key).await?;
    if let Some(wait) = seen.wait(Allowance::MAIL, visit.now()) {
        return Ok(Err(wait));
    }
    attempt::take(&mut draft.unit, visit.tenant.id, &key, Allowance::MAIL, visit.now());
    let code = visit.env().six_digits();
    let id: Id<id::Challenge> = visit.env().id();
    let link = Handle::new(HandleKind::Link, id, visit.env().rng());
    let (now, until) = (visit.now(), visit.now().plus(LIFE));
    let (key_version, key) = visit.tenant.mac(Mac::Code)?;
    let sealed = Target { code: code.clone(), ..target.clone() };
    let sealed = serde_json::to_vec(&sealed).unwrap_or_default();
    let row = ChallengeRow {
        id,
        flow: flow.id,
        purpose: name(purpose).to_owned(),
        target: visit.tenant.key.seal(visit.env().rng(), place(visit, &id), &sealed),
        code: key.sign(&[id.as_bytes(), code.as_bytes()]).to_vec(),
        key_version,
        link: link.hash().to_vec(),
        tries: TRIES,
        state: "open".to_owned(),
        created_at: now,
        expires_at: until,
    };
    challenge::insert(&mut draft.unit, visit.tenant.id, &row);
    let href = format!("{}/link/{}", visit.tenant.issuer, link.reveal());
    mail(visit, draft, (purpose, turn.application()), &target, (&code, &href));
    Ok(Ok(Fact::Sent(Sent {
        challenge: reference(id),
        purpose,
        masked: target.masked,
        at: now.micros(),
        expires: until.micros(),
    })))
}

fn mail(
    visit: &Visit,
    draft: &mut Draft,
    what: (Purpose, Option<String>),
    target: &Target,
    code: (&str, &str),
) {
    let (code, href) = code;
    let minutes = u32::try_from(LIFE.as_secs() / 60).unwrap_or(10);
    let letter = Letter {
        to: &target.address,
        code: Some(code),
        links: vec![href.to_owned()],
        decoy: target.decoy,
        until: visit.now().plus(LIFE),
    };
    let (code, link) = (code.to_owned(), href.to_owned());
    match what.0 {
        Purpose::Register => {
            notify::queue(visit, draft, &VerifyAddress { code, link, minutes, application: what.1 }, letter);
        }
        Purpose::Recover => notify::queue(visit, draft, &Recover { code, link, minutes }, letter),
        Purpose::Change => notify::queue(visit, draft, &AddressChangeCode { code, link, minutes }, letter),
    }
}

const fn name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Register => "register",
        Purpose::Recover => "recover",
        Purpose::Change => "change",
    }
}

fn place<'a>(visit: &'a Visit, id: &'a Id<id::Challenge>) -> Aad<'a> {
    Aad::new(&visit.tenant.id, "challenge.target", id)
}

/// Where the code of this challenge went.
pub(crate) fn target(visit: &Visit, row: &ChallengeRow) -> Result<Target, Error> {
    let plain = visit.tenant.key.open(place(visit, &row.id), &row.target)?;
    serde_json::from_slice(&plain).map_err(|error| Error::internal(format!("a challenge's target: {error}")))
}

/// Whose mails or answers are counted: in a recovery the account's, by whatever name it was asked
/// for; else the address's.
async fn attempts(visit: &Visit, what: &str, purpose: Purpose, target: &Target) -> Result<AttemptKey, Error> {
    let whose = target.person.filter(|_| purpose == Purpose::Recover);
    let kind = format!("{what} {}", name(purpose));
    crate::password::attempts(visit, &kind, whose, &target.normal).await
}

/// How an answer turned out.
pub(crate) enum Answer {
    /// Right: the unit of success must write this.
    Right(Box<ChallengeRow>, Target, Option<(AttemptKey, attempt::Seen)>),
    /// Wrong: the unit takes a try; so many are left.
    Wrong(Box<Draft>, u32),
    /// Too late, used up or replaced.
    Over,
    /// No attempt is left for so long.
    TooMany(Duration),
}

/// Checks a typed code against what was sent.
pub(crate) async fn check(visit: &Visit, flow: &Flow, sent: &Sent, typed: &str) -> Result<Answer, Error> {
    let Some(row) = find(visit, flow, sent).await? else { return Ok(Answer::Over) };
    let target = target(visit, &row)?;
    let key = attempts(visit, "code", sent.purpose, &target).await?;
    let seen = attempt::read(visit.db(), visit.tenant.id, &key).await?;
    if let Some(wait) = seen.wait(Allowance::PASSWORD, visit.now()) {
        return Ok(Answer::TooMany(wait));
    }
    let fits = visit
        .tenant
        .mac_of_version(Mac::Code, row.key_version)
        .is_some_and(|key| key.verify(&[row.id.as_bytes(), typed.as_bytes()], &row.code));
    if fits && !target.decoy {
        return Ok(Answer::Right(Box::new(row), target, Some((key, seen))));
    }
    let mut draft = Draft::new(visit, flow);
    challenge::fail(&mut draft.unit, visit.tenant.id, &row);
    attempt::take(&mut draft.unit, visit.tenant.id, &key, Allowance::PASSWORD, visit.now());
    let mut event = base::Event::new(visit.env(), "signin.refused")
        .detail(serde_json::json!({ "method": "code", "purpose": row.purpose }));
    event.person = target.person;
    draft.ends(Method::Code, Outcome::Refused);
    draft.record(visit, event, None);
    Ok(Answer::Wrong(Box::new(draft), u32::try_from(row.tries - 1).unwrap_or(0)))
}

/// The challenge of this flow, if it may still be answered.
pub(crate) async fn find(visit: &Visit, flow: &Flow, sent: &Sent) -> Result<Option<ChallengeRow>, Error> {
    let id = Id::from_bytes(sent.challenge.0);
    let row = challenge::by_id(visit.db(), visit.tenant.id, id).await?;
    Ok(row.filter(|row| row.flow == flow.id && row.is_open(visit.now())))
}

/// What the unit of success writes: the answer counts once, and loses to failures that came first.
pub(crate) fn answer(
    visit: &Visit,
    draft: &mut Draft,
    row: &ChallengeRow,
    attempts: Option<&(AttemptKey, attempt::Seen)>,
) {
    challenge::answer(&mut draft.unit, visit.tenant.id, row, visit.now());
    if let Some((key, seen)) = attempts {
        attempt::hold(&mut draft.unit, visit.tenant.id, key, *seen);
    }
}

/// The digits of what was typed: spaces and hyphens are no part of a code, and digits of other
/// scripts count as what they are.
pub(crate) fn digits(typed: &str) -> String {
    typed
        .chars()
        .filter(|c| {
            !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{200e}' | '\u{200f}')
        })
        .map(|c| match c {
            '\u{660}'..='\u{669}' => digit(c, '\u{660}'),
            '\u{6f0}'..='\u{6f9}' => digit(c, '\u{6f0}'),
            '\u{ff10}'..='\u{ff19}' => digit(c, '\u{ff10}'),
            c => c,
        })
        .collect()
}

fn digit(c: char, zero: char) -> char {
    char::from_digit(u32::from(c) - u32::from(zero), 10).unwrap_or(c)
}

/// Minutes until the code is no longer good.
pub(crate) fn minutes_left(visit: &Visit, sent: &Sent) -> u32 {
    let left = base::Time::from_micros(sent.expires).since(visit.now()).as_secs().div_ceil(60);
    u32::try_from(left).unwrap_or(0)
}

/// Seconds until the code may be sent again.
pub(crate) fn resend_after(visit: &Visit, sent: &Sent) -> u32 {
    let from = base::Time::from_micros(sent.at).plus(RESEND_AFTER);
    u32::try_from(from.since(visit.now()).as_millis().div_ceil(1_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in ["417026", " 417 026 ", "417-026", "٤١٧٠٢٦", "۴۱۷۰۲۶", "４１７０２６", "\u{200f}417026"]
        {
            assert_eq!(digits(typed), "417026", "{typed}");
        }
        assert_eq!(digits("41702a"), "41702a");
    }
}
