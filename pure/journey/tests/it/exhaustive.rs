//! Every sequence of up to five facts, under every rule set.

use crate::{
    model::Stage,
    properties::{Seen, check},
    world::{alphabet, rule_sets},
};
use journey::{Fact, Rules};
use std::thread;

const LENGTH: u32 = 5;

#[test]
fn every_short_journey_is_safe() {
    let (facts, sets) = (alphabet(), rule_sets().map(|(_, rules)| rules));
    let start = sets.each_ref().map(|rules| check(&[], rules, Seen { stage: Stage::Denied, who: None }));
    let checked: u64 = thread::scope(|scope| {
        let walks: Vec<_> = facts
            .iter()
            .map(|first| {
                scope.spawn(|| Walk { facts: &facts, sets: &sets }.from(first, &mut Vec::new(), &start))
            })
            .collect();
        walks.into_iter().map(|walk| walk.join().expect("a journey that is not safe")).sum()
    });
    println!("{checked} sequences of at most {LENGTH} facts, each under {} rule sets", sets.len());
    assert_eq!(checked, (1..=LENGTH).map(|length| 16_u64.pow(length)).sum::<u64>());
}

struct Walk<'a> {
    facts: &'a [Fact; 16],
    sets: &'a [Rules; 24],
}

impl Walk<'_> {
    /// Checks what this fact leads to, and everything beyond; how many sequences that was.
    fn from(&self, fact: &Fact, path: &mut Vec<Fact>, before: &[Seen; 24]) -> u64 {
        path.push(fact.clone());
        let mut seen = *before;
        for (seen, rules) in seen.iter_mut().zip(self.sets) {
            *seen = check(path, rules, *seen);
        }
        let mut checked = 1;
        if path.len() < LENGTH as usize {
            checked += self.facts.iter().map(|fact| self.from(fact, path, &seen)).sum::<u64>();
        }
        path.pop();
        checked
    }
}
