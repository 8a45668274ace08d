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
struct Identity {
    person: PersonRef,
    epochs: Epochs,
    proofs: Vec<Proof>,
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

    fn identity(&self) -> Option<Identity> {
        let (person, epochs) = self.facts.iter().rev().find_map(|fact| match fact {
            Fact::Verified { person, proof, epochs } if self.counts(*person, proof) => {
                Some((*person, *epochs))
            }
            Fact::Carried { person, proofs, epochs, .. } => {
                let one = proofs.iter().any(|proof| self.counts(*person, proof));
                (one && self.goal == Goal::SignIn).then_some((*person, *epochs))
            }
            _ => None,
        })?;
        let mut proofs = Vec::new();
        for fact in self.facts {
            let of_fact = match fact {
                Fact::Verified { person: whose, proof, epochs: of } if (*whose, *of) == (person, epochs) => {
                    std::slice::from_ref(proof)
                }
                Fact::Carried { person: whose, proofs, epochs: of, .. }
                    if (*whose, *of) == (person, epochs) =>
                {
                    proofs
                }
                _ => &[],
            };
            proofs.extend(of_fact.iter().filter(|proof| self.counts(person, proof)).copied());
        }
        Some(Identity { person, epochs, proofs })
    }

    /// Whether a proof of this person counts: it is of the person asked for, fresh enough, and in a
    /// recovery a code.
    fn counts(&self, person: PersonRef, proof: &Proof) -> bool {
        let recovery = self.goal != Goal::Recover || proof.method == Method::Code || self.enrolled(person);
        self.rules.person.is_none_or(|wanted| wanted == person)
            && proof.at >= self.rules.fresh_after
            && recovery
    }

    fn enrolled(&self, person: PersonRef) -> bool {
        let new = |fact: &Fact| matches!(fact, Fact::Enrolled { person: whose, .. } if *whose == person);
        self.facts.iter().any(new)
    }

    /// Somebody is proven: what else is asked of them?
    fn known(&self, identity: &Identity) -> Step<'a> {
        if self.goal == Goal::Recover && !self.enrolled(identity.person) {
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
            && !self.facts.iter().any(|fact| matches!(fact, Fact::Changed))
        {
            return self.change(change);
        }
        if !self.consented() {
            return Step::Consent;
        }
        Step::Done(Authenticated {
            person: identity.person,
            epochs: identity.epochs,
            proofs: identity.proofs.clone(),
            session: self.carried_session(identity.person),
        })
    }

    fn change(&self, change: Change) -> Step<'a> {
        match (change, self.pending(Purpose::Change)) {
            (Change::Address, Some(sent)) => Step::Challenge(Challenge::Code(sent)),
            (Change::Address, None) => Step::Collect(Collect::NewAddress),
            (Change::Password | Change::Deletion, _) => Step::Change(change),
        }
    }

    fn consented(&self) -> bool {
        let given = self.facts.iter().rev().find_map(|fact| match fact {
            Fact::Consented { scopes } => Some(scopes.as_slice()),
            _ => None,
        });
        self.rules.consent.iter().all(|scope| given.unwrap_or_default().contains(scope))
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
            Goal::Recover => self
                .pending(Purpose::Recover)
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
        match (proven, self.pending(Purpose::Register)) {
            (Some(address), _) => Step::Collect(Collect::Details { address }),
            (None, Some(sent)) => Step::Challenge(Challenge::Code(sent)),
            (None, None) => Step::Collect(Collect::Address),
        }
    }

    /// The code that was sent last for this purpose, unless its sender took it back.
    fn pending(&self, purpose: Purpose) -> Option<&'a Sent> {
        let last = self.recent().iter().rev().find_map(|fact| match fact {
            Fact::Sent(sent) if sent.purpose == purpose => Some(Some(sent)),
            Fact::Withdrawn => Some(None),
            _ => None,
        });
        last.flatten()
    }
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
