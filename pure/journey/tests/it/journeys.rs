//! Ordinary journeys, step by step: what became known, and what is asked then.

use crate::world::{
    ANN, BOB, FRESH, NOW, STALE, began, carried, consented, enrolled, named, proof, proven, scopes, sent,
    verified, verified_before,
};
use journey::{Challenge, Change, Collect, Fact, Goal, Method::*, Purpose, Rules, Step, next};

/// Walks a journey and compares each step with what is expected.
fn walk<const N: usize>(rules: &Rules, start: &str, path: [(Fact, &str); N]) {
    let mut facts = Vec::new();
    assert_eq!(told(&next(&facts, rules)), start, "at the start");
    for (fact, expected) in path {
        facts.push(fact);
        assert_eq!(told(&next(&facts, rules)), expected, "after {facts:#?}");
    }
}

fn told(step: &Step<'_>) -> String {
    match step {
        Step::Choose => "choose".into(),
        Step::Identify => "identify".into(),
        Step::Challenge(Challenge::Password(named)) => format!("password of {}", named.typed),
        Step::Challenge(Challenge::Code(sent)) => format!("code to {:?}", sent.purpose).to_lowercase(),
        Step::Another { options } => format!("another: {options:?}").to_lowercase(),
        Step::Collect(Collect::Address) => "address".into(),
        Step::Collect(Collect::Details { address }) => format!("details of {address}"),
        Step::Collect(Collect::NewAddress) => "new address".into(),
        Step::Recover => "recover".into(),
        Step::Enroll => "enroll".into(),
        Step::Change(change) => format!("change {change:?}").to_lowercase(),
        Step::Consent => "consent".into(),
        Step::Deny(reason) => format!("deny {reason:?}").to_lowercase(),
        Step::Done(done) => {
            let who = if done.person == ANN { "ann" } else { "bob" };
            let how: Vec<_> = done.proofs.iter().map(|proof| proof.method.amr()).collect();
            format!("done: {who} by {}", how.join(" "))
        }
    }
}

#[test]
fn sign_in() {
    walk(
        &Rules::sign_in(),
        "identify",
        [
            (named("ann"), "password of ann"),
            (named("Ann@example.org"), "password of Ann@example.org"),
            (verified(ANN, Password), "done: ann by pwd"),
        ],
    );
}

#[test]
fn second_application() {
    let session = carried(ANN, &[proof(Password, STALE)]);
    walk(&Rules::sign_in(), "identify", [(session, "done: ann by pwd")]);
}

#[test]
fn forced_login_keeps_the_session_and_asks_again() {
    let rules = Rules { fresh_after: FRESH, ..Rules::sign_in() };
    let session = carried(ANN, &[proof(Password, FRESH - 1)]);
    let path = [
        (session.clone(), "identify"),
        (named("ann"), "password of ann"),
        (verified(ANN, Password), "done: ann by pwd"),
    ];
    walk(&rules, "identify", path.clone());
    let facts = path.map(|(fact, _)| fact);
    let Step::Done(done) = next(&facts, &rules) else { panic!("not done") };
    let Fact::Carried { session, .. } = session else { panic!("not a session") };
    assert_eq!((done.at(), done.epochs, done.session), (FRESH, NOW, Some(session)));
    assert_eq!(done.proofs, [proof(Password, FRESH)]);
}

#[test]
fn register() {
    walk(
        &Rules { goal: Goal::Register, ..Rules::sign_in() },
        "address",
        [
            (sent(Purpose::Register), "code to register"),
            (Fact::Withdrawn, "address"),
            (sent(Purpose::Register), "code to register"),
            (proven(), "details of Ann@example.org"),
            (verified(ANN, Code), "done: ann by otp"),
        ],
    );
}

#[test]
fn register_after_all() {
    walk(
        &Rules::sign_in(),
        "identify",
        [
            (named("ann"), "password of ann"),
            (began(Goal::Register), "address"),
            (began(Goal::SignIn), "identify"),
            (began(Goal::Register), "address"),
            (sent(Purpose::Register), "code to register"),
            (proven(), "details of Ann@example.org"),
            (began(Goal::SignIn), "details of Ann@example.org"),
        ],
    );
}

#[test]
fn registration_is_closed() {
    let rules = Rules { goal: Goal::Register, registration: false, ..Rules::sign_in() };
    walk(&rules, "deny registrationclosed", [(began(Goal::SignIn), "identify")]);
}

#[test]
fn forgotten_password() {
    walk(
        &Rules::sign_in(),
        "identify",
        [
            (named("ann"), "password of ann"),
            (began(Goal::Recover), "recover"),
            (sent(Purpose::Recover), "code to recover"),
            (verified(ANN, Password), "code to recover"),
            (verified_before(ANN, Code), "enroll"),
            (enrolled(BOB), "enroll"),
            (enrolled(ANN), "done: ann by otp"),
            (verified(ANN, Password), "done: ann by pwd"),
        ],
    );
}

#[test]
fn a_new_password_before_the_code_is_none() {
    let rules = Rules { goal: Goal::Recover, ..Rules::sign_in() };
    let path = [
        (enrolled(ANN), "recover"),
        (verified(ANN, Password), "recover"),
        (verified(ANN, Code), "enroll"),
        (carried(ANN, &[proof(Password, FRESH)]), "enroll"),
    ];
    walk(&rules, "recover", path);
}

#[test]
fn change_of_password() {
    walk(
        &Rules { change: Some(Change::Password), person: Some(ANN), ..Rules::sign_in() },
        "identify",
        [
            (carried(BOB, &[proof(Password, FRESH)]), "identify"),
            (carried(ANN, &[proof(Password, FRESH)]), "change password"),
            (Fact::Changed, "done: ann by pwd"),
        ],
    );
}

#[test]
fn change_of_address() {
    walk(
        &Rules { change: Some(Change::Address), ..Rules::sign_in() },
        "identify",
        [
            (carried(ANN, &[proof(Password, FRESH)]), "new address"),
            (sent(Purpose::Change), "code to change"),
            (Fact::Withdrawn, "new address"),
            (sent(Purpose::Change), "code to change"),
            (Fact::Changed, "done: ann by pwd"),
        ],
    );
}

#[test]
fn deletion_after_signing_in_again() {
    walk(
        &Rules { change: Some(Change::Deletion), person: Some(ANN), fresh_after: FRESH, ..Rules::sign_in() },
        "identify",
        [
            (carried(ANN, &[proof(Password, STALE)]), "identify"),
            (named("ann"), "password of ann"),
            (verified(ANN, Password), "change deletion"),
            (Fact::Changed, "done: ann by pwd"),
        ],
    );
}

#[test]
fn consent() {
    walk(
        &Rules { consent: scopes(&["email", "profile"]), ..Rules::sign_in() },
        "identify",
        [
            (named("ann"), "password of ann"),
            (verified(ANN, Password), "consent"),
            (consented(&["email"]), "consent"),
            (consented(&["profile", "email"]), "done: ann by pwd"),
            (Fact::Declined, "deny declined"),
            (Fact::Restarted, "identify"),
        ],
    );
}

#[test]
fn chooser() {
    walk(
        &Rules { choose: true, ..Rules::sign_in() },
        "choose",
        [(began(Goal::SignIn), "identify"), (named("bob"), "password of bob")],
    );
    let session = carried(BOB, &[proof(Code, STALE)]);
    walk(&Rules { choose: true, ..Rules::sign_in() }, "choose", [(session, "done: bob by otp")]);
}

#[test]
fn two_factors() {
    walk(
        &Rules { factors: 2, methods: vec![Password, Code], ..Rules::sign_in() },
        "identify",
        [
            (verified(ANN, Password), "another: [code]"),
            (verified(ANN, Password), "another: [code]"),
            (verified(BOB, Code), "another: [password]"),
            (verified(BOB, Password), "done: bob by otp pwd"),
        ],
    );
    let rules = Rules { factors: 2, methods: vec![Password], ..Rules::sign_in() };
    walk(&rules, "identify", [(verified(ANN, Password), "deny nomethod")]);
}

#[test]
fn not_you() {
    walk(
        &Rules { consent: scopes(&["email"]), ..Rules::sign_in() },
        "identify",
        [
            (verified(ANN, Password), "consent"),
            (consented(&["email"]), "done: ann by pwd"),
            (Fact::Restarted, "identify"),
            (consented(&["email"]), "identify"),
            (named("bob"), "password of bob"),
            (verified(BOB, Password), "consent"),
        ],
    );
}

#[test]
fn what_one_person_answered_is_not_the_answer_of_another() {
    walk(
        &Rules { consent: scopes(&["email"]), change: Some(Change::Address), ..Rules::sign_in() },
        "identify",
        [
            (verified(ANN, Password), "new address"),
            (sent(Purpose::Change), "code to change"),
            (verified(BOB, Password), "new address"),
            (Fact::Changed, "consent"),
            (consented(&["email"]), "done: bob by pwd"),
            (verified(ANN, Code), "new address"),
        ],
    );
}
