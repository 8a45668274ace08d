//! A new account: the address, its code, then the rest. Nothing of it is stored before the unit
//! that makes it whole.

use crate::{
    accounts::{Account, identifier_words, reference},
    code::{self, Target},
    draft::Draft,
    password,
    show::Problems,
    turn::{Move, Turn},
};
use base::{Email, Error, Event, Identifier, IdentifierKind, Username};
use journey::{Epochs, Fact, Method, Proof, Purpose};
use serde_json::{Map, Value};
use store::{
    Mac,
    accounts::NewAccount,
    rows::{
        attempt::{self, Allowance, AttemptKey},
        identifier,
    },
};
use web::{Submission, pages::say};

const LONGEST_NAME: usize = 100;

/// The address. Whether it has an account already is told to nobody but its owner.
pub(crate) async fn address(turn: &Turn<'_>, sent: &Submission) -> Result<Move, Error> {
    if sent.get("email").trim().is_empty() {
        return Move::refuse(Problems::with("email", say::email_missing()));
    }
    let Ok(email) = Email::parse(sent.get("email")) else {
        return Move::refuse(Problems::with("email", say::email_invalid()));
    };
    let mut draft = turn.draft();
    match code::send(turn, &mut draft, Purpose::Register, Target::address(&email)).await? {
        Ok(fact) => Ok(Move::Forward(vec![fact], draft)),
        Err(wait) => Move::refuse(turn.too_many("email", wait)),
    }
}

/// The rest: a name and a user name if they like, and a password.
pub(crate) async fn details(turn: &Turn<'_>, address: &str, sent: &Submission) -> Result<Move, Error> {
    let visit = turn.visit;
    let email = Email::parse(address).map_err(|_| Error::internal("a proven address is none"))?;
    if let Some(proven) = made_since(turn, &email).await? {
        return Ok(proven);
    }
    let mut draft = turn.draft();
    let (name, username, problems) = read(turn, sent, &mut draft).await?;
    if !problems.is_empty() {
        // The user name may be taken by a click that came just before this one.
        return match made_since(turn, &email).await? {
            Some(proven) => Ok(proven),
            None => refuse_checked(turn, problems, draft, sent),
        };
    }
    let mut own = identifier_words(address);
    own.extend([name.clone(), sent.get("username").to_owned(), visit.tenant.name.clone()]);
    match password::choose(turn.signin, visit, sent.get("password"), &own).await? {
        Err(message) => Move::refuse(Problems::with("password", message)),
        Ok(phc) => create(turn, (&email, username.as_ref()), &name, &phc, draft),
    }
}

/// Where somebody made the account since: the code is a proof of it.
async fn made_since(turn: &Turn<'_>, email: &Email) -> Result<Option<Move>, Error> {
    let account = Account::named(turn.visit, IdentifierKind::Email, email.normal()).await?;
    let Some(account) = account else { return Ok(None) };
    let mut draft = turn.draft();
    let epochs = super::code::prove_address(turn, &account, email.normal(), &mut draft);
    let proof = Proof { method: Method::Code, at: turn.visit.now().micros() };
    let person = reference(account.person.id);
    Ok(Some(Move::Forward(vec![Fact::Verified { person, proof, epochs }], draft)))
}

/// A refusal after the store was asked whether a name is free takes an attempt at that.
fn refuse_checked(
    turn: &Turn<'_>,
    problems: Problems,
    draft: Draft,
    sent: &Submission,
) -> Result<Move, Error> {
    let asked = !sent.get("username").trim().is_empty() && turn.visit.tenant.settings.usernames;
    Ok(Move::Refuse(Box::new(problems), asked.then_some(draft)))
}

/// Name and user name as typed, with what is wrong with them.
async fn read(
    turn: &Turn<'_>,
    sent: &Submission,
    draft: &mut Draft,
) -> Result<(String, Option<Username>, Problems), Error> {
    let visit = turn.visit;
    let mut problems = Problems::none();
    let name = sent.get("name").trim().to_owned();
    if name.chars().count() > LONGEST_NAME {
        problems = problems.and("name", say::too_long(100));
    } else if name.chars().any(char::is_control) {
        problems = problems.and("name", say::unreadable());
    }
    let typed = sent.get("username").trim();
    if typed.is_empty() || !visit.tenant.settings.usernames {
        return Ok((name, None, problems));
    }
    let Ok(username) = Username::parse(typed) else {
        return Ok((name, None, problems.and("username", say::username_invalid())));
    };
    let (_, mac) = visit.tenant.mac(Mac::Attempt)?;
    let key = AttemptKey { subject: mac.sign(&[b"username", &visit.device()]), device: Vec::new() };
    let seen = attempt::read(visit.db(), visit.tenant.id, &key).await?;
    if let Some(wait) = seen.wait(Allowance::LOOKUP, visit.now()) {
        return Ok((name, None, turn.too_many("username", wait)));
    }
    attempt::take(&mut draft.unit, visit.tenant.id, &key, Allowance::LOOKUP, visit.now());
    let asked = (IdentifierKind::Username, username.normal());
    if identifier::taken(visit.db(), visit.tenant.id, asked, visit.now()).await? {
        problems = problems.and("username", say::username_taken());
    }
    Ok((name, Some(username), problems))
}

fn create(
    turn: &Turn<'_>,
    names: (&Email, Option<&Username>),
    name: &str,
    phc: &str,
    mut draft: Draft,
) -> Result<Move, Error> {
    let visit = turn.visit;
    let mut identifiers = vec![(Identifier::Email(names.0.clone()), Some("code"))];
    identifiers.extend(names.1.map(|username| (Identifier::Username(username.clone()), Some("chosen"))));
    let mut attributes = Map::new();
    if !name.is_empty() {
        attributes.insert("name".to_owned(), Value::String(name.to_owned()));
    }
    let new = NewAccount {
        identifiers: &identifiers,
        attributes,
        locale: Some(visit.locale.code()),
        password_phc: Some(phc),
        sub: None,
        external_ids: &[],
    };
    let created = new.write(&mut draft.unit, &visit.tenant, visit.env())?;
    let event: Event = turn.event("person.created").person(created.person);
    draft.record(visit, event, Some(&created.key));
    let epochs = Epochs { sessions: created.epoch, offline: created.offline_epoch };
    let person = reference(created.person);
    let at = visit.now().micros();
    let verified = |method| Fact::Verified { person, proof: Proof { method, at }, epochs };
    Ok(Move::Forward(vec![verified(Method::Code), verified(Method::Password)], draft))
}
