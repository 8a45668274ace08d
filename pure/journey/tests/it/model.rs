//! What must come out, told a second time and in another way: one pass over the facts that keeps
//! the person who is here and what they have answered.

use journey::{Epochs, Fact, Goal, Method, PersonRef, Proof, Rules, Step};

/// How far a journey has come. The greater, the less is still asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Denied,
    Unknown,
    Enroll,
    Another,
    Change,
    Consent,
    Done,
}

impl Stage {
    pub(crate) const fn of(step: &Step<'_>, known: bool) -> Self {
        match step {
            Step::Deny(_) => Self::Denied,
            Step::Enroll => Self::Enroll,
            Step::Another { .. } => Self::Another,
            Step::Challenge(_) | Step::Collect(_) if known => Self::Change,
            Step::Change(_) => Self::Change,
            Step::Consent => Self::Consent,
            Step::Done(_) => Self::Done,
            Step::Choose | Step::Identify | Step::Recover | Step::Challenge(_) | Step::Collect(_) => {
                Self::Unknown
            }
        }
    }
}

/// Everything since the last "Not you?".
pub(crate) fn since_restart(facts: &[Fact]) -> &[Fact] {
    facts.rsplit(|fact| matches!(fact, Fact::Restarted)).next().unwrap_or_default()
}

pub(crate) const fn proves(fact: &Fact) -> bool {
    matches!(fact, Fact::Verified { .. } | Fact::Proven { .. } | Fact::Enrolled { .. })
}

/// What the person set out for last before anything was proven.
pub(crate) fn goal(facts: &[Fact], rules: &Rules) -> Goal {
    let mut goal = rules.goal;
    for fact in since_restart(facts) {
        match fact {
            Fact::Began { goal: begun } => goal = *begun,
            fact if proves(fact) => break,
            _ => {}
        }
    }
    goal
}

#[derive(Debug)]
pub(crate) struct Model<'a> {
    rules: &'a Rules,
    pub(crate) goal: Goal,
    pub(crate) who: Option<PersonRef>,
    epochs: Option<Epochs>,
    given: Vec<(Epochs, Proof)>,
    coded: Vec<PersonRef>,
    enrolled: Vec<PersonRef>,
    changed: bool,
    consent: &'a [String],
    declined: bool,
}

impl<'a> Model<'a> {
    pub(crate) fn of(facts: &'a [Fact], rules: &'a Rules) -> Self {
        let mut model = Self {
            rules,
            goal: goal(facts, rules),
            who: None,
            epochs: None,
            given: Vec::new(),
            coded: Vec::new(),
            enrolled: Vec::new(),
            changed: false,
            consent: &[],
            declined: false,
        };
        for fact in since_restart(facts) {
            model.learn(fact);
        }
        model
    }

    fn learn(&mut self, fact: &'a Fact) {
        match fact {
            Fact::Verified { person, proof, epochs } => {
                self.show(*person, *epochs, std::slice::from_ref(proof));
            }
            Fact::Carried { person, proofs, epochs, .. } if self.goal == Goal::SignIn => {
                self.show(*person, *epochs, proofs);
            }
            Fact::Enrolled { person, .. } if self.coded.contains(person) => self.enrolled.push(*person),
            Fact::Changed => self.changed = self.who.is_some(),
            Fact::Consented { scopes } if self.who.is_some() => self.consent = scopes,
            Fact::Declined => self.declined = true,
            _ => {}
        }
    }

    fn show(&mut self, person: PersonRef, epochs: Epochs, proofs: &[Proof]) {
        for proof in proofs {
            let code = proof.method == Method::Code;
            let admitted = self.goal != Goal::Recover || code || self.enrolled.contains(&person);
            let wanted = self.rules.person.is_none_or(|wanted| wanted == person);
            if !(admitted && wanted && proof.at >= self.rules.fresh_after) {
                continue;
            }
            if code {
                self.coded.push(person);
            }
            if self.who != Some(person) {
                self.given.clear();
                self.changed = false;
                self.consent = &[];
            }
            self.who = Some(person);
            self.epochs = Some(epochs);
            self.given.push((epochs, *proof));
        }
    }

    /// The proofs that count.
    pub(crate) fn proofs(&self) -> impl Iterator<Item = &Proof> {
        self.given.iter().filter(|(epochs, _)| Some(*epochs) == self.epochs).map(|(_, proof)| proof)
    }

    pub(crate) fn has(&self, method: Method) -> bool {
        self.proofs().any(|proof| proof.method == method)
    }

    pub(crate) fn stage(&self) -> Stage {
        let Some(person) = self.who else {
            let closed = self.goal == Goal::Register && !self.rules.registration;
            return if closed || self.declined { Stage::Denied } else { Stage::Unknown };
        };
        let factors = u8::from(self.has(Method::Password)) + u8::from(self.has(Method::Code));
        if self.declined {
            Stage::Denied
        } else if self.goal == Goal::Recover && !self.enrolled.contains(&person) {
            Stage::Enroll
        } else if factors < self.rules.factors {
            let left = self.rules.methods.iter().any(|method| !self.has(*method));
            if left { Stage::Another } else { Stage::Denied }
        } else if self.rules.change.is_some() && !self.changed {
            Stage::Change
        } else if self.rules.consent.iter().any(|scope| !self.consent.contains(scope)) {
            Stage::Consent
        } else {
            Stage::Done
        }
    }
}
