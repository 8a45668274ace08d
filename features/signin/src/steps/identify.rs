//! Who are you, and your password. Both may come in one POST, from a browser that fills both.

use crate::{
    accounts::{Account, reference},
    begin,
    password::{self, Checked},
    show::Problems,
    turn::{Move, Turn},
};
use base::{Error, Identifier, Kind};
use journey::{Fact, Goal, Method, Named, Proof};
use web::{Submission, pages::say};

/// One of the accounts of this browser.
pub(crate) async fn choose(turn: &Turn<'_>, sent: &Submission) -> Result<Move, Error> {
    if sent.get("action") == "another" {
        return Ok(Move::Forward(vec![Fact::Began { goal: Goal::SignIn }], turn.draft()));
    }
    for living in turn.visit.sessions().await? {
        if living.row.id.to_string() == sent.get("account")
            && let Some(account) = Account::of(turn.visit, living.row.person).await?
        {
            // The name goes along, for the case that a fresh proof is asked of that account.
            let mut facts = named(&account).map(Fact::Named).into_iter().collect::<Vec<_>>();
            facts.push(begin::carried(&living, &account));
            return Ok(Move::Forward(facts, turn.draft()));
        }
    }
    Move::refuse(Problems::notice(web::render::Notice::error(say::choice_unknown())))
}

fn named(account: &Account) -> Option<Named> {
    let row = account.email().or_else(|| account.identifiers.first())?;
    Some(Named { kind: row.kind.clone(), normal: row.normal.clone(), typed: row.typed.clone() })
}

/// An identifier, perhaps with its password.
pub(crate) async fn identify(turn: &Turn<'_>, sent: &Submission) -> Result<Move, Error> {
    let typed = sent.get("identifier").trim();
    if typed.is_empty() {
        return Move::refuse(Problems::with("identifier", say::identifier_missing()));
    }
    let Ok(identifier) = Identifier::parse(typed) else {
        return Move::refuse(Problems::with("identifier", say::identifier_invalid()));
    };
    let named = name(&identifier);
    if sent.get("password").is_empty() {
        return Ok(Move::Forward(vec![Fact::Named(named)], turn.draft()));
    }
    match prove(turn, &named, sent.get("password")).await? {
        Move::Forward(mut facts, draft) => {
            facts.insert(0, Fact::Named(named));
            Ok(Move::Forward(facts, draft))
        }
        // The page that is shown again has the identifier in it.
        Move::Refuse(problems, draft) => {
            Ok(Move::Refuse(Box::new(problems.moved("password", "identifier")), draft))
        }
    }
}

/// What was typed, as a fact.
pub(crate) fn name(identifier: &Identifier) -> Named {
    Named {
        kind: identifier.kind().as_str().to_owned(),
        normal: identifier.normal().to_owned(),
        typed: identifier.as_typed().to_owned(),
    }
}

/// The password of the account that was named.
pub(crate) async fn password(turn: &Turn<'_>, named: &Named, sent: &Submission) -> Result<Move, Error> {
    if sent.get("password").is_empty() {
        return Move::refuse(Problems::with("password", say::password_missing()));
    }
    prove(turn, named, sent.get("password")).await
}

async fn prove(turn: &Turn<'_>, named: &Named, password: &str) -> Result<Move, Error> {
    let visit = turn.visit;
    let account = Account::of_named(visit, named).await?;
    let who = (account.as_ref(), named.normal.as_str());
    let right = match password::check(turn.signin, visit, &turn.flow, who, password).await? {
        Checked::TooMany(wait) => return Move::refuse(turn.too_many("password", wait)),
        Checked::Wrong(draft) => {
            let problems = Problems::with("password", say::wrong_password());
            return Ok(Move::Refuse(Box::new(problems), Some(draft)));
        }
        Checked::Right(right) => right,
    };
    let account = account.ok_or_else(|| Error::internal("a right password of nobody"))?;
    if !account.person.is_active() {
        return Err(Error::new(
            Kind::Forbidden,
            "error-refused",
            "This account is suspended. Ask the operator of this service for help.",
        ));
    }
    if right.is_expired() {
        return Move::refuse(Problems::with("password", say::password_expired()));
    }
    let mut draft = turn.draft();
    right.hold(visit, &account, &mut draft);
    let proof = Proof { method: Method::Password, at: visit.now().micros() };
    let person = reference(account.person.id);
    Ok(Move::Forward(vec![Fact::Verified { person, proof, epochs: account.epochs() }], draft))
}
