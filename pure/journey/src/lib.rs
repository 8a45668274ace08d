//! The sign-in journey: facts and rules in, the next step out.
//!
//! A flow is a list of facts, in the order in which they became known. What comes next is never
//! stored: [`next`] computes it afresh each time, so that the back button, two tabs and a restart
//! are safe by construction and no step can be skipped by calling a later one. Steps never lead to
//! one another; a POST appends facts and asks [`next`] about what it is about to write.
//!
//! No clock, no randomness, no I/O. Times are microseconds since 1970 in UTC.

mod fact;
mod rules;
mod step;

pub use fact::{
    Epochs, Fact, Facts, Method, Named, PersonRef, Proof, Purpose, Reference, Sent, UnknownFacts,
};
pub use rules::{Change, Goal, Rules};
pub use step::{Authenticated, Authentication, Challenge, Collect, Reason, Step};

/// The next step of a flow with these facts under these rules.
pub fn next<'a>(facts: &'a [Fact], rules: &Rules) -> Step<'a> {
    let view = View::new(facts, rules);
    if view.facts.iter().any(|fact| matches!(fact, Fact::Declined)) {
        return Step::Deny(Reason::Declined);
    }
    match view.identity() {
        Some(identity) => view.known(&identity),
        None => view.unknown(),
    }
}

/// The person whom the facts so far prove to be here, whatever is still to be asked of them.
pub fn person(facts: &[Fact], rules: &Rules) -> Option<PersonRef> {
    View::new(facts, rules).identity().map(|identity| identity.person)
}

/// The facts since the last "Not you?", seen under rules.
struct View<'a, 'r> {
    facts: &'a [Fact],
    rules: &'r Rules,
    goal: Goal,
    /// Position of the fact that set the goal.
    since: usize,
}

/// A person with those of their proofs that count.
struct Identity<'a> {
    person: PersonRef,
    epochs: Epochs,
    proofs: Vec<Proof>,
    /// What became known since they, and nobody else, were here: only this is their answer.
    answers: &'a [Fact],
}

/// A fact that shows who is here, by proofs of which at least one counts.
struct Shown<'a> {
    at: usize,
    person: PersonRef,
    epochs: Epochs,
    proofs: &'a [Proof],
}

impl<'a, 'r> View<'a, 'r> {
    fn new(facts: &'a [Fact], rules: &'r Rules) -> Self {
        let start = facts.iter().rposition(|fact| matches!(fact, Fact::Restarted)).map_or(0, |at| at + 1);
        let facts = facts.get(start..).unwrap_or_default();
        // A goal chosen after something was proven would lower what is asked: it counts no more.
        let proven = facts.iter().position(Fact::proves).unwrap_or(facts.len());
        let began = facts.iter().take(proven).enumerate().rev().find_map(|(at, fact)| match fact {
            Fact::Began { goal } => Some((*goal, at + 1)),
            _ => None,
        });
        let (goal, since) = began.unwrap_or((rules.goal, 0));
        Self { facts, rules, goal, since }
    }

    /// The facts since the goal was set.
    fn recent(&self) -> &'a [Fact] {
        self.facts.get(self.since..).unwrap_or_default()
    }

    /// Whoever was shown last; somebody else before them lends them nothing.
    fn identity(&self) -> Option<Identity<'a>> {
        let shown: Vec<_> =
            self.facts.iter().enumerate().filter_map(|(at, fact)| self.shown(at, fact)).collect();
        let Shown { person, epochs, .. } = *shown.last()?;
        let theirs = shown.rsplit(|fact| fact.person != person).next()?;
        let proofs = theirs
            .iter()
            .filter(|fact| fact.epochs == epochs)
            .flat_map(|fact| fact.proofs.iter().copied().filter(|proof| self.counts(fact.at, person, proof)));
        Some(Identity {
            person,
            epochs,
            proofs: proofs.collect(),
            answers: self.facts.get(theirs.first()?.at..)?,
        })
    }

    fn shown(&self, at: usize, fact: &'a Fact) -> Option<Shown<'a>> {
        let (person, epochs, proofs) = match fact {
            Fact::Verified { person, proof, epochs } => (*person, *epochs, std::slice::from_ref(proof)),
            Fact::Carried { person, proofs, epochs, .. } if self.goal == Goal::SignIn => {
                (*person, *epochs, proofs.as_slice())
            }
            _ => return None,
        };
        let counts = proofs.iter().any(|proof| self.counts(at, person, proof));
        counts.then_some(Shown { at, person, epochs, proofs })
    }

    /// Whether a proof of this person, known from the fact at this position, counts: it is of the
    /// person asked for, fresh enough, and in a recovery a code or of the new password.
    fn counts(&self, at: usize, person: PersonRef, proof: &Proof) -> bool {
        self.rules.person.is_none_or(|wanted| wanted == person)
            && proof.at >= self.rules.fresh_after
            && (self.goal != Goal::Recover || proof.method == Method::Code || self.enrolled(person, at))
    }

    /// Whether this person chose a new password before this position, and before that gave a code.
    fn enrolled(&self, person: PersonRef, before: usize) -> bool {
        let code = |fact: &Fact| {
            matches!(fact, Fact::Verified { person: whose, proof, .. }
                if *whose == person && proof.method == Method::Code && proof.at >= self.rules.fresh_after)
        };
        let new = |fact: &Fact| matches!(fact, Fact::Enrolled { person: whose, .. } if *whose == person);
        self.facts.iter().take(before).skip_while(|fact| !code(fact)).any(new)
    }

    /// Somebody is proven: what else is asked of them?
    fn known(&self, identity: &Identity<'a>) -> Step<'a> {
        if self.goal == Goal::Recover && !self.enrolled(identity.person, self.facts.len()) {
            return Step::Enroll;
        }
        let methods = distinct(&identity.proofs);
        if methods.len() < usize::from(self.rules.factors) {
            let left: Vec<Method> =
                self.rules.methods.iter().filter(|method| !methods.contains(method)).copied().collect();
            return if left.is_empty() {
                Step::Deny(Reason::NoMethod)
            } else {
                Step::Another { options: left }
            };
        }
        if let Some(change) = self.rules.change
            && !identity.answers.iter().any(|fact| matches!(fact, Fact::Changed))
        {
            return identity.change(change);
        }
        if !identity.consented(&self.rules.consent) {
            return Step::Consent;
        }
        Step::Done(Authenticated {
            person: identity.person,
            epochs: identity.epochs,
            proofs: identity.proofs.clone(),
            session: self.carried_session(identity.person),
        })
    }

    fn carried_session(&self, person: PersonRef) -> Option<Reference> {
        self.facts.iter().rev().find_map(|fact| match fact {
            Fact::Carried { person: whose, session, .. } if *whose == person => Some(*session),
            _ => None,
        })
    }

    /// Nobody is proven: how do we find out?
    fn unknown(&self) -> Step<'a> {
        match self.goal {
            Goal::SignIn => self.sign_in(),
            Goal::Register if !self.rules.registration => Step::Deny(Reason::RegistrationClosed),
            Goal::Register => self.register(),
            Goal::Recover => pending(self.recent(), Purpose::Recover)
                .map_or(Step::Recover, |sent| Step::Challenge(Challenge::Code(sent))),
        }
    }

    fn sign_in(&self) -> Step<'a> {
        let named = self.recent().iter().rev().find_map(|fact| match fact {
            Fact::Named(named) => Some(named),
            _ => None,
        });
        match named {
            Some(named) => Step::Challenge(Challenge::Password(named)),
            None if self.rules.choose && self.since == 0 => Step::Choose,
            None => Step::Identify,
        }
    }

    fn register(&self) -> Step<'a> {
        let proven = self.recent().iter().rev().find_map(|fact| match fact {
            Fact::Proven { address, .. } => Some(address),
            _ => None,
        });
        match (proven, pending(self.recent(), Purpose::Register)) {
            (Some(address), _) => Step::Collect(Collect::Details { address }),
            (None, Some(sent)) => Step::Challenge(Challenge::Code(sent)),
            (None, None) => Step::Collect(Collect::Address),
        }
    }
}

impl<'a> Identity<'a> {
    fn change(&self, change: Change) -> Step<'a> {
        match (change, pending(self.answers, Purpose::Change)) {
            (Change::Address, Some(sent)) => Step::Challenge(Challenge::Code(sent)),
            (Change::Address, None) => Step::Collect(Collect::NewAddress),
            (Change::Password | Change::Deletion, _) => Step::Change(change),
        }
    }

    fn consented(&self, scopes: &[String]) -> bool {
        let given = self.answers.iter().rev().find_map(|fact| match fact {
            Fact::Consented { scopes } => Some(scopes.as_slice()),
            _ => None,
        });
        scopes.iter().all(|scope| given.unwrap_or_default().contains(scope))
    }
}

/// The code that was sent last for this purpose, unless its sender took it back.
fn pending(facts: &[Fact], purpose: Purpose) -> Option<&Sent> {
    let last = facts.iter().rev().find_map(|fact| match fact {
        Fact::Sent(sent) if sent.purpose == purpose => Some(Some(sent)),
        Fact::Withdrawn => Some(None),
        _ => None,
    });
    last.flatten()
}

fn distinct(proofs: &[Proof]) -> Vec<Method> {
    let mut methods = Vec::new();
    for proof in proofs {
        if !methods.contains(&proof.method) {
            methods.push(proof.method);
        }
    }
    methods
}
