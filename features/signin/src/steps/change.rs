//! Changes of the account, each proven on its own page or just before.

use crate::{
    accounts::{Account, reference},
    code::{self, Target},
    notify,
    password::{self, Checked, Right},
    show::{self, Problems},
    turn::{Move, Turn},
};
use base::{Email, Error, Handle, HandleKind};
use journey::{Epochs, Fact, Method, Proof, Purpose};
use std::time::Duration;
use store::rows::{
    grant, identifier,
    person::{self, Raise},
    session,
};
use web::{
    Submission, cookies,
    pages::{
        mails::{AccountDeleted, PasswordChanged},
        say,
    },
};

/// How long the user name of a deleted account is held back.
const NAME_HOLD: Duration = Duration::from_secs(90 * 86_400);

/// The new address: a code goes there.
pub(crate) async fn address(turn: &Turn<'_>, sent: &Submission) -> Result<Move, Error> {
    if sent.get("email").trim().is_empty() {
        return Move::refuse(Problems::with("email", say::email_missing()));
    }
    let Ok(email) = Email::parse(sent.get("email")) else {
        return Move::refuse(Problems::with("email", say::email_invalid()));
    };
    let account = show::proven(turn).await?;
    if account.identifiers.iter().any(|row| row.kind == "email" && row.normal == email.normal()) {
        return Move::refuse(Problems::with("email", say::email_unchanged()));
    }
    let mut target = Target::address(&email);
    target.person = Some(account.person.id);
    target.epochs = Some(account.epochs());
    let mut draft = turn.draft();
    match code::send(turn, &mut draft, Purpose::Change, target).await? {
        Ok(fact) => Ok(Move::Forward(vec![fact], draft)),
        Err(wait) => Move::refuse(turn.too_many("email", wait)),
    }
}

/// Another password. This session goes on with a new handle; all others end.
pub(crate) async fn password(turn: &Turn<'_>, sent: &Submission) -> Result<Move, Error> {
    let visit = turn.visit;
    let account = show::proven(turn).await?;
    let right = match prove(turn, &account, sent).await? {
        Ok(right) => right,
        Err(refusal) => return Ok(refusal),
    };
    if sent.get("new_password") == sent.get("password") {
        return Move::refuse(Problems::with("new_password", say::password_same()));
    }
    let own = account.own_words(visit);
    let phc = match password::choose(turn.signin, visit, sent.get("new_password"), &own).await? {
        Ok(phc) => phc,
        Err(message) => return Move::refuse(Problems::with("new_password", message)),
    };
    let mut draft = turn.draft();
    right.hold_only(visit, &mut draft);
    super::recover::set(turn, &account, &phc, &mut draft).await?;
    let (tenant, id, now) = (visit.tenant.id, account.person.id, visit.now());
    person::raise(&mut draft.unit, tenant, (id, account.person.epoch), Raise::Sessions, now);
    let living = visit.sessions().await?;
    let own = living.iter().find(|living| living.row.person == id).ok_or_else(Error::not_found)?;
    let handle = Handle::new(HandleKind::Session, own.row.id, visit.env().rng());
    session::restamp(&mut draft.unit, tenant, &own.row, &handle.hash());
    grant::restamp(&mut draft.unit, tenant, own.row.id, own.row.epoch);
    let others = living.iter().filter(|other| other.row.person != id).map(|other| other.handle.clone());
    let handles: Vec<Handle> = std::iter::once(handle).chain(others).collect();
    draft.cookie(cookies::set_sessions(&visit.tenant, &handles, now, own.row.expires_at));
    draft.record(visit, turn.event("password.changed").person(id).session(own.row.id), account.key.as_ref());
    let notice = PasswordChanged { at: now.micros(), recover: format!("{}/recover", visit.tenant.issuer) };
    if let Some(email) = account.email() {
        notify::tell(visit, &mut draft, &email.typed, &notice);
    }
    let epochs = Epochs { sessions: account.person.epoch + 1, offline: account.person.offline_epoch };
    Ok(Move::Forward(vec![verified(turn, &account, epochs), Fact::Changed], draft))
}

/// The end of the account. Everything of it is dead at once; a job erases it.
pub(crate) async fn delete(turn: &Turn<'_>, sent: &Submission) -> Result<Move, Error> {
    let visit = turn.visit;
    let account = show::proven(turn).await?;
    let right = match prove(turn, &account, sent).await? {
        Ok(right) => right,
        Err(refusal) => return Ok(refusal),
    };
    let mut draft = turn.draft();
    right.hold_only(visit, &mut draft);
    let (tenant, id, now) = (visit.tenant.id, account.person.id, visit.now());
    person::delete(&mut draft.unit, tenant, &account.person, now);
    identifier::release(&mut draft.unit, tenant, id, now.plus(NAME_HOLD));
    draft.record(visit, turn.event("person.deleted").person(id), account.key.as_ref());
    if let Some(email) = account.email() {
        notify::tell(visit, &mut draft, &email.typed, &AccountDeleted { at: now.micros() });
    }
    let living = visit.sessions().await?;
    let others: Vec<Handle> =
        living.iter().filter(|other| other.row.person != id).map(|other| other.handle.clone()).collect();
    let end = living.iter().map(|living| living.row.expires_at).max().unwrap_or(now);
    draft.cookie(cookies::set_sessions(&visit.tenant, &others, now, end));
    let facts = vec![verified(turn, &account, account.epochs()), Fact::Changed];
    Ok(Move::Forward(facts, draft))
}

fn verified(turn: &Turn<'_>, account: &Account, epochs: Epochs) -> Fact {
    let proof = Proof { method: Method::Password, at: turn.visit.now().micros() };
    Fact::Verified { person: reference(account.person.id), proof, epochs }
}

/// The present password, or what is wrong with it.
async fn prove(turn: &Turn<'_>, account: &Account, sent: &Submission) -> Result<Result<Right, Move>, Error> {
    let refuse = |problems: Problems, draft| Ok(Err(Move::Refuse(Box::new(problems), draft)));
    if sent.get("password").is_empty() {
        return refuse(Problems::with("password", say::password_missing()), None);
    }
    let who = (Some(account), "");
    match password::check(turn.signin, turn.visit, &turn.flow, who, sent.get("password")).await? {
        Checked::Right(right) => Ok(Ok(right)),
        Checked::Wrong(draft) => {
            refuse(Problems::with("password", say::current_password_wrong()), Some(draft))
        }
        Checked::TooMany(wait) => refuse(turn.too_many("password", wait), None),
    }
}
