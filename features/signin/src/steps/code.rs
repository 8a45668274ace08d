//! The code of a mail: typed, or by its link. What it proves depends on what it was sent for.

use crate::{
    accounts::{Account, reference},
    code::{self, Answer, Target},
    draft::Draft,
    notify,
    show::Problems,
    turn::{Move, Turn},
};
use base::{Email, Error, Identifier, IdentifierKind, Kind, identifier::mask};
use journey::{Epochs, Fact, Method, Proof, Purpose, Sent};
use store::rows::{
    challenge::ChallengeRow,
    credential, identifier,
    person::{self, Raise},
};
use web::{
    Submission,
    pages::{mails::AddressChanged, say},
    render::Notice,
};

/// How an address was proven.
const PROOF: &str = "code";

/// A typed code, or the wish for another one.
pub(crate) async fn take(turn: &Turn<'_>, waiting: &Sent, sent: &Submission) -> Result<Move, Error> {
    match sent.get("action") {
        "another" => return Ok(Move::Forward(vec![Fact::Withdrawn], turn.draft())),
        "resend" => return resend(turn, waiting).await,
        _ => {}
    }
    let typed = code::digits(sent.get("code"));
    if typed.is_empty() {
        return Move::refuse(Problems::with("code", say::code_missing()));
    }
    // A slip of the finger costs no try.
    if typed.len() != 6 || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Move::refuse(Problems::with("code", say::code_malformed()));
    }
    let answer = code::check(turn.visit, &turn.flow, waiting, &typed).await?;
    answered(turn, waiting, answer).await
}

async fn resend(turn: &Turn<'_>, waiting: &Sent) -> Result<Move, Error> {
    if code::resend_after(turn.visit, waiting) > 0 {
        return Move::refuse(Problems::notice(Notice::error(say::code_wait())));
    }
    let id = base::Id::from_bytes(waiting.challenge.0);
    let row = store::rows::challenge::by_id(turn.visit.db(), turn.visit.tenant.id, id).await?;
    let Some(row) = row.filter(|row| row.flow == turn.flow.id) else {
        return Ok(Move::Forward(vec![Fact::Withdrawn], turn.draft()));
    };
    let target = code::target(turn.visit, &row)?.renewed(turn.visit, waiting.purpose).await?;
    let mut draft = turn.draft();
    match code::send(turn, &mut draft, waiting.purpose, target).await? {
        Ok(fact) => Ok(Move::Forward(vec![fact], draft)),
        Err(wait) => Move::refuse(turn.too_many("code", wait)),
    }
}

/// What an answer leads to.
pub(crate) async fn answered(turn: &Turn<'_>, waiting: &Sent, answer: Answer) -> Result<Move, Error> {
    let (row, target, attempts) = match answer {
        Answer::Right(row, target, attempts) => (row, target, attempts),
        Answer::Wrong(draft, left) => {
            let message = if left == 0 { say::code_used_up() } else { say::code_wrong(left) };
            return Ok(Move::Refuse(Box::new(Problems::with("code", message)), Some(*draft)));
        }
        Answer::Over => return Move::refuse(Problems::with("code", say::code_expired())),
        Answer::TooMany(wait) => return Move::refuse(turn.too_many("code", wait)),
    };
    let mut draft = turn.draft();
    code::answer(turn.visit, &mut draft, &row, attempts.as_ref());
    match waiting.purpose {
        Purpose::Register => registered(turn, &target, draft).await,
        Purpose::Recover => recovered(turn, &target, draft).await,
        Purpose::Change => changed(turn, &row, &target, draft).await,
    }
}

/// A proven address: an account's, then it is a proof of that account; else of a new one.
async fn registered(turn: &Turn<'_>, target: &Target, mut draft: Draft) -> Result<Move, Error> {
    let visit = turn.visit;
    match Account::named(visit, IdentifierKind::Email, &target.normal).await? {
        None => {
            let at = visit.now().micros();
            Ok(Move::Forward(vec![Fact::Proven { address: target.address.clone(), at }], draft))
        }
        Some(account) => {
            let epochs = prove_address(turn, &account, &target.normal, &mut draft);
            verified(turn, &account, epochs, draft)
        }
    }
}

/// An address that was set unproven yields to whoever proves it: earlier passwords and sessions
/// end. Gives the epochs that hold afterwards.
pub(crate) fn prove_address(turn: &Turn<'_>, account: &Account, normal: &str, draft: &mut Draft) -> Epochs {
    let (visit, now) = (turn.visit, turn.visit.now());
    let unproven =
        |row: &&identifier::IdentifierRow| row.kind == "email" && row.normal == normal && row.proof.is_none();
    if !account.identifiers.iter().any(|row| unproven(&row)) {
        return account.epochs();
    }
    let (tenant, id) = (visit.tenant.id, account.person.id);
    identifier::prove(&mut draft.unit, tenant, id, (IdentifierKind::Email, normal, PROOF), now);
    credential::drop_kind(&mut draft.unit, tenant, id, "password");
    person::raise(&mut draft.unit, tenant, (id, account.person.epoch), Raise::Everything, now);
    let event = turn.event("email.added").person(id).detail(serde_json::json!({ "email": normal }));
    draft.record(visit, event, account.key.as_ref());
    raised(account.epochs())
}

/// Both epochs, one later.
pub(crate) const fn raised(epochs: Epochs) -> Epochs {
    Epochs { sessions: epochs.sessions + 1, offline: epochs.offline + 1 }
}

fn verified(turn: &Turn<'_>, account: &Account, epochs: Epochs, draft: Draft) -> Result<Move, Error> {
    if !account.person.is_active() {
        return Err(suspended());
    }
    let proof = Proof { method: Method::Code, at: turn.visit.now().micros() };
    let person = reference(account.person.id);
    Ok(Move::Forward(vec![Fact::Verified { person, proof, epochs }], draft))
}

fn suspended() -> Error {
    Error::new(
        Kind::Forbidden,
        "error-refused",
        "This account is suspended. Ask the operator of this service for help.",
    )
}

/// A proof of the very account that the code was sent for, as it was then: an address that is no
/// longer its own proves nothing.
async fn recovered(turn: &Turn<'_>, target: &Target, mut draft: Draft) -> Result<Move, Error> {
    let account = match target.person {
        Some(person) => Account::of(turn.visit, person).await?,
        None => None,
    };
    let current = account.filter(|account| {
        let mailed = account.email().is_some_and(|row| row.typed == target.address);
        mailed && Some(account.epochs()) == target.epochs
    });
    let Some(account) = current else { return Move::refuse(Problems::with("code", say::code_expired())) };
    let normal = Email::parse(&target.address).map(|email| email.normal().to_owned()).unwrap_or_default();
    let epochs = prove_address(turn, &account, &normal, &mut draft);
    verified(turn, &account, epochs, draft)
}

/// The new address of an account: it takes the place of the old one, which is told.
async fn changed(
    turn: &Turn<'_>,
    row: &ChallengeRow,
    target: &Target,
    mut draft: Draft,
) -> Result<Move, Error> {
    let visit = turn.visit;
    let account = crate::show::proven(turn).await?;
    let same = target.person == Some(account.person.id) && Some(account.epochs()) == target.epochs;
    let Ok(email) = Email::parse(&target.address) else {
        return Err(Error::internal("a code to no address"));
    };
    if !same || row.flow != turn.flow.id {
        return Move::refuse(Problems::with("code", say::code_expired()));
    }
    if identifier::taken(visit.db(), visit.tenant.id, (IdentifierKind::Email, email.normal()), visit.now())
        .await?
    {
        return Move::refuse(Problems::with("code", say::email_taken()));
    }
    let (tenant, id, now) = (visit.tenant.id, account.person.id, visit.now());
    let old: Vec<_> = account.identifiers.iter().filter(|row| row.kind == "email").collect();
    for row in &old {
        identifier::remove(&mut draft.unit, tenant, id, (IdentifierKind::Email, &row.normal));
    }
    let new = Identifier::Email(email.clone());
    identifier::insert(&mut draft.unit, tenant, id, (&new, Some(PROOF)), now);
    person::touch(&mut draft.unit, tenant, id, account.person.version, now);
    reindex(turn, &account, &email, &mut draft)?;
    let event = turn.event("email.changed").person(id).detail(serde_json::json!({
        "old": old.iter().map(|row| row.typed.as_str()).collect::<Vec<_>>(),
        "new": email.as_typed(),
    }));
    draft.record(visit, event, account.key.as_ref());
    let notice = AddressChanged {
        new_masked: mask(email.as_typed()),
        at: now.micros(),
        help: format!("{}/account", visit.tenant.issuer),
    };
    for row in old.iter().filter(|row| row.is_proven_email()) {
        notify::tell(visit, &mut draft, &row.typed, &notice);
    }
    Ok(Move::Forward(vec![Fact::Changed], draft))
}

fn reindex(turn: &Turn<'_>, account: &Account, email: &Email, draft: &mut Draft) -> Result<(), Error> {
    let names = account.identifiers.iter().filter(|row| row.kind != "email").map(|row| row.typed.as_str());
    let names: Vec<&str> = names.chain([email.as_typed()]).collect();
    let attributes = account.attributes(turn.visit)?;
    let texts = store::attributes::search_texts(names, &attributes);
    person::index(&mut draft.unit, turn.visit.tenant.id, account.person.id, &texts);
    Ok(())
}
