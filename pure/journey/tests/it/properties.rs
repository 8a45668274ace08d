//! What holds of every journey, whatever happens in it.

use crate::model::{Model, Stage, goal, proves, since_restart};
use journey::{
    Authenticated, Challenge, Collect, Fact, Goal, Method, PersonRef, Purpose, Reason, Rules, Step, next,
};

/// Where a journey stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) stage: Stage,
    pub(crate) who: Option<PersonRef>,
}

/// Checks the journey of these facts, of which the last one led here from `before`.
pub(crate) fn check(facts: &[Fact], rules: &Rules, before: Seen) -> Seen {
    let step = next(facts, rules);
    let model = Model::of(facts, rules);
    let seen = Seen { stage: Stage::of(&step, model.who.is_some()), who: model.who };
    assert_eq!(seen.stage, model.stage(), "{step:?} is not what is asked after {facts:?}");
    let current = since_restart(facts);
    asks_something(current, &step, &model, rules);
    if let Step::Done(done) = &step {
        is_proven(current, rules, done, &model);
        lacks_nothing(current, rules, done);
    }
    if current.iter().any(|fact| matches!(fact, Fact::Declined)) {
        assert_eq!(step, Step::Deny(Reason::Declined), "a no is a no: {facts:?}");
    }
    if let Some((last, earlier)) = facts.split_last() {
        follows(earlier, last, rules, (before, seen));
    }
    if current.len() < facts.len() {
        assert_eq!(step, next(current, rules), "\"Not you?\" left something behind: {facts:?}");
    }
    seen
}

/// A challenge has something to answer, and it is still wanted.
fn asks_something(facts: &[Fact], step: &Step<'_>, model: &Model<'_>, rules: &Rules) {
    match step {
        Step::Another { options } => {
            assert!(!options.is_empty(), "no options after {facts:?}");
            assert!(options.iter().all(|option| rules.methods.contains(option) && !model.has(*option)));
        }
        Step::Challenge(Challenge::Password(named)) => {
            let same = |fact: &Fact| matches!(fact, Fact::Named(of) if std::ptr::eq(of, *named));
            assert!(facts.iter().any(same), "nobody was named: {facts:?}");
        }
        Step::Challenge(Challenge::Code(sent)) => {
            let purpose = match (model.who, model.goal) {
                (Some(_), _) => Purpose::Change,
                (None, Goal::Register) => Purpose::Register,
                (None, _) => Purpose::Recover,
            };
            assert_eq!(sent.purpose, purpose, "a code for something else after {facts:?}");
            let at = facts.iter().position(|fact| matches!(fact, Fact::Sent(of) if std::ptr::eq(of, *sent)));
            let since = at.and_then(|at| facts.get(at..)).unwrap_or_default();
            assert!(!since.is_empty(), "no code was sent: {facts:?}");
            assert!(!since.contains(&Fact::Withdrawn), "the code was taken back: {facts:?}");
        }
        Step::Collect(Collect::Details { address: wanted }) => {
            let same = |fact: &Fact| matches!(fact, Fact::Proven { address, .. } if address == wanted);
            assert!(facts.iter().any(same), "the address is not proven: {facts:?}");
        }
        _ => {}
    }
}

/// The proofs are those that this person gave, and fresh.
fn is_proven(facts: &[Fact], rules: &Rules, done: &Authenticated, model: &Model<'_>) {
    assert!(!done.proofs.is_empty(), "done without any proof: {facts:?}");
    assert!(done.proofs.iter().eq(model.proofs()), "other proofs count after {facts:?}");
    assert_eq!(Some(done.person), model.who, "somebody else was here last: {facts:?}");
    assert_eq!(Some(done.person), journey::person(facts, rules));
    assert!(rules.person.is_none_or(|wanted| wanted == done.person), "not the one asked for: {facts:?}");
    for proof in &done.proofs {
        assert!(proof.at >= rules.fresh_after, "a stale proof counts: {facts:?}");
        let gave = |fact: &Fact| match fact {
            Fact::Verified { person, proof: given, epochs } => {
                (*person, *epochs, given) == (done.person, done.epochs, proof)
            }
            Fact::Carried { person, proofs, epochs, .. } => {
                (*person, *epochs) == (done.person, done.epochs) && proofs.contains(proof)
            }
            _ => false,
        };
        assert!(facts.iter().any(gave), "somebody else's proof counts: {facts:?}");
    }
    if let Some(wanted) = done.session {
        let theirs = |fact: &Fact| matches!(fact, Fact::Carried { person, session, .. } if (*person, *session) == (done.person, wanted));
        assert!(facts.iter().any(theirs), "somebody else's session: {facts:?}");
    }
}

/// Nothing that the rules ask for is missing.
fn lacks_nothing(facts: &[Fact], rules: &Rules, done: &Authenticated) {
    let by = |method| u8::from(done.proofs.iter().any(|proof| proof.method == method));
    assert!(by(Method::Password) + by(Method::Code) >= rules.factors, "a factor is missing: {facts:?}");
    assert!(rules.change.is_none() || facts.contains(&Fact::Changed), "nothing was changed: {facts:?}");
    let agreed = |fact: &Fact| match fact {
        Fact::Consented { scopes } => rules.consent.iter().all(|scope| scopes.contains(scope)),
        _ => false,
    };
    assert!(rules.consent.is_empty() || facts.iter().any(agreed), "nobody agreed: {facts:?}");
    if goal(facts, rules) == Goal::Recover {
        let coded = |fact: &Fact| matches!(fact, Fact::Verified { person, proof, .. } if *person == done.person && proof.method == Method::Code && proof.at >= rules.fresh_after);
        let new = |fact: &Fact| matches!(fact, Fact::Enrolled { person, .. } if *person == done.person);
        let mut since = facts.iter().skip_while(|fact| !coded(fact));
        assert!(since.any(new), "recovered without a code and then a password: {facts:?}");
    }
}

/// A fact brings a journey forward only if it is what was asked for.
fn follows(earlier: &[Fact], last: &Fact, rules: &Rules, (from, to): (Seen, Seen)) {
    let shows = matches!(last, Fact::Verified { person, .. } | Fact::Carried { person, .. } if Some(*person) == to.who);
    let sets_out = matches!(last, Fact::Began { .. });
    let fits = match from.stage {
        _ if matches!(last, Fact::Restarted) || to.stage <= from.stage => true,
        _ if from.who != to.who => shows || sets_out,
        Stage::Denied | Stage::Unknown => shows || sets_out,
        Stage::Enroll => matches!(last, Fact::Enrolled { person, .. } if Some(*person) == from.who),
        Stage::Another => shows,
        Stage::Change => matches!(last, Fact::Changed),
        Stage::Consent => matches!(last, Fact::Consented { .. }),
        Stage::Done => false,
    };
    assert!(fits, "{last:?} led from {from:?} to {to:?} after {earlier:?}");
    if sets_out && since_restart(earlier).iter().any(proves) {
        let mut all = earlier.to_vec();
        all.push(last.clone());
        assert_eq!(next(&all, rules), next(earlier, rules), "another goal after a proof: {earlier:?}");
    }
}
