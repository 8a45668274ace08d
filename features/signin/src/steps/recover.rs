//! A forgotten password: a code to the account's address, then a new password. Whoever is unknown
//! gets the same page, and a mail that is never sent.

use crate::{
    accounts::{Account, reference},
    code::{self, Target},
    notify, password,
    show::{self, Problems},
    steps::code::raised,
    turn::{Move, Turn},
};
use base::{Error, Identifier};
use journey::{Fact, Method, Proof, Purpose};
use store::{
    accounts::seal_password,
    rows::{
        credential,
        person::{self, Raise},
    },
};
use web::{
    Submission,
    pages::{mails::PasswordChanged, say},
};

/// Whose password is forgotten.
pub(crate) async fn named(turn: &Turn<'_>, sent: &Submission) -> Result<Move, Error> {
    let typed = sent.get("identifier").trim();
    if typed.is_empty() {
        return Move::refuse(Problems::with("identifier", say::identifier_missing()));
    }
    let Ok(identifier) = Identifier::parse(typed) else {
        return Move::refuse(Problems::with("identifier", say::identifier_invalid()));
    };
    let account = Account::named(turn.visit, identifier.kind(), identifier.normal()).await?;
    let target = Target::account(identifier.as_typed(), identifier.normal(), account.as_ref());
    let mut draft = turn.draft();
    match code::send(turn, &mut draft, Purpose::Recover, target).await? {
        Ok(fact) => Ok(Move::Forward(vec![fact], draft)),
        Err(wait) => Move::refuse(turn.too_many("identifier", wait)),
    }
}

/// The new password. Every session and grant of before ends.
pub(crate) async fn enroll(turn: &Turn<'_>, sent: &Submission) -> Result<Move, Error> {
    let visit = turn.visit;
    let account = show::proven(turn).await?;
    let phc =
        match password::choose(turn.signin, visit, sent.get("password"), &account.own_words(visit)).await? {
            Ok(phc) => phc,
            Err(message) => return Move::refuse(Problems::with("password", message)),
        };
    let mut draft = turn.draft();
    set(turn, &account, &phc, &mut draft).await?;
    let (tenant, id, now) = (visit.tenant.id, account.person.id, visit.now());
    person::raise(&mut draft.unit, tenant, (id, account.person.epoch), Raise::Everything, now);
    draft.record(visit, turn.event("password.recovered").person(id), account.key.as_ref());
    let notice = PasswordChanged { at: now.micros(), recover: format!("{}/recover", visit.tenant.issuer) };
    if let Some(email) = account.email() {
        notify::tell(visit, &mut draft, &email.typed, &notice);
    }
    let (person, epochs, at) = (reference(id), raised(account.epochs()), now.micros());
    let verified = |method| Fact::Verified { person, proof: Proof { method, at }, epochs };
    // Proofs of the former epoch fall away, so the code's is renewed before what rests on it.
    let facts = vec![verified(Method::Code), Fact::Enrolled { person, at }, verified(Method::Password)];
    Ok(Move::Forward(facts, draft))
}

/// Writes the password of an account, in place of one that it had.
pub(crate) async fn set(
    turn: &Turn<'_>,
    account: &Account,
    phc: &str,
    draft: &mut crate::draft::Draft,
) -> Result<(), Error> {
    let visit = turn.visit;
    let (tenant, id, now) = (visit.tenant.id, account.person.id, visit.now());
    let key = account.key.as_ref().ok_or_else(|| Error::internal("a living account without a key"))?;
    let old = credential::of_kind(visit.db(), tenant, id, "password").await?;
    let credential = old.as_ref().map_or_else(|| visit.env().id(), |old| old.id);
    let data = seal_password(visit.env(), key, (tenant, credential), phc);
    match &old {
        Some(old) => credential::replace(&mut draft.unit, tenant, id, (old, &data), now),
        None => credential::insert(&mut draft.unit, tenant, id, (credential, "password", &data), now),
    }
    Ok(())
}
