//! Journeys of six to twelve facts, at random, from a wider alphabet.

use crate::{
    model::{Stage, proves, since_restart},
    properties::{Seen, check},
    world::{began, rule_sets, wide_alphabet},
};
use journey::{Fact, Facts, Goal, Reason, Rules, Step, next};
use proptest::{prelude::*, sample};

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec(sample::select(wide_alphabet()), 6..=12)
}

fn rules() -> impl Strategy<Value = Rules> {
    sample::select(rule_sets().map(|(_, rules)| rules).to_vec())
}

fn with(facts: &[Fact], at: usize, fact: Fact) -> Vec<Fact> {
    let mut all = facts.to_vec();
    all.insert(at, fact);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_step_is_safe(facts in facts(), rules in rules()) {
        let mut seen = Seen { stage: Stage::Denied, who: None };
        for length in 0..=facts.len() {
            seen = check(&facts[..length], &rules, seen);
        }
    }

    #[test]
    fn the_same_facts_lead_to_the_same_step(facts in facts(), rules in rules()) {
        let stored = Facts::read(&Facts::new(facts.clone()).write()).unwrap();
        prop_assert_eq!(&stored, &facts);
        prop_assert_eq!(next(&stored, &rules), next(&facts, &rules));
        prop_assert_eq!(next(&facts, &rules), next(&facts, &rules));
    }

    #[test]
    fn not_you_voids_everything_before(facts in facts(), rules in rules()) {
        for at in 0..=facts.len() {
            let longer = with(&facts, at, Fact::Restarted);
            prop_assert_eq!(next(&longer, &rules), next(&facts[at..], &rules));
        }
    }

    #[test]
    fn a_goal_after_a_proof_changes_nothing(
        facts in facts(),
        rules in rules(),
        goal in sample::select(vec![Goal::SignIn, Goal::Register, Goal::Recover]),
    ) {
        for at in (0..=facts.len()).filter(|at| since_restart(&facts[..*at]).iter().any(proves)) {
            let longer = with(&facts, at, began(goal));
            prop_assert_eq!(next(&longer, &rules), next(&facts, &rules));
        }
    }

    #[test]
    fn a_no_is_a_no(facts in facts(), rules in rules()) {
        for at in (0..=facts.len()).filter(|at| !facts[*at..].contains(&Fact::Restarted)) {
            let longer = with(&facts, at, Fact::Declined);
            prop_assert_eq!(next(&longer, &rules), Step::Deny(Reason::Declined));
        }
    }

    #[test]
    fn without_a_proof_nobody_is_done(facts in facts(), rules in rules()) {
        let shows = |fact: &Fact| matches!(fact, Fact::Verified { .. } | Fact::Carried { .. });
        let nothing: Vec<_> = facts.into_iter().filter(|fact| !shows(fact)).collect();
        prop_assert!(!matches!(next(&nothing, &rules), Step::Done(_)));
        prop_assert_eq!(journey::person(&nothing, &rules), None);
    }
}
