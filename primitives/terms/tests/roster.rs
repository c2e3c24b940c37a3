//! Rosters over random sequences of joins, leaves and changes of weight.

use codec::{Encode, MaxEncodedLen};
use noema_protocol::hashing::blake2_256;
use noema_terms::{
    bond_of, weight_of, Page, Pages, Roster, RosterFull, Slot, TermIndex, MAX_WEIGHT, PAGES,
    PAGE_ENTRIES,
};
use proptest::prelude::*;
use sp_core::H256;
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

/// Pages in memory, with a count of those read.
#[derive(Clone, Default)]
struct Memory {
    pages: BTreeMap<u16, Page>,
    read: Cell<u32>,
}

impl Pages for Memory {
    fn page(&self, number: u16) -> Page {
        self.read.set(self.read.get() + 1);
        self.pages.get(&number).cloned().unwrap_or_default()
    }

    fn put(&mut self, number: u16, page: Page) {
        self.pages.insert(number, page);
    }
}

/// A roster and its expected content: the weights of every operator, by term.
#[derive(Clone, Default)]
struct Life {
    roster: Roster,
    memory: Memory,
    now: TermIndex,
    slots: BTreeMap<u32, Slot>,
    expected: BTreeMap<TermIndex, BTreeMap<u32, u64>>,
}

/// Most terms of a random sequence.
const TERMS: u32 = 64;

impl Life {
    fn set(&mut self, operator: u32, weight: u64) {
        let slot = self.slots.get(&operator).copied();
        let set = self
            .roster
            .set(&mut self.memory, self.now, operator, slot, weight);
        self.slots.insert(operator, set.expect("there is room"));
        self.expect(operator, weight);
    }

    fn leave(&mut self, operator: u32, forget: bool) {
        let Some(slot) = self.slots.get(&operator).copied() else {
            return;
        };
        self.roster
            .leave(&mut self.memory, self.now, operator, slot);
        if forget {
            self.slots.remove(&operator);
        }
        self.expect(operator, 0);
    }

    fn expect(&mut self, operator: u32, weight: u64) {
        for term in self.now.0 + 2..TERMS + 4 {
            let weights = self.expected.entry(TermIndex(term)).or_default();
            weights.insert(operator, weight);
        }
    }

    /// The content of the pages for `term`: weights above zero, by operator.
    fn read(&self, term: TermIndex) -> BTreeMap<u32, u64> {
        let mut weights = BTreeMap::new();
        for page in self.memory.pages.values() {
            for entry in page.entries() {
                let weight = *entry.weight.at(term);
                if weight > 0 {
                    let twice = weights.insert(entry.operator, weight);
                    assert_eq!(twice, None, "an operator stands in two slots in one term");
                }
            }
        }
        weights
    }

    fn check(&self) {
        for term in [self.now, self.now.after(1), self.now.after(2)] {
            let mut expected = self.expected.get(&term).cloned().unwrap_or_default();
            expected.retain(|_, weight| *weight > 0);
            assert_eq!(self.read(term), expected);
            assert_eq!(self.roster.total(term), expected.values().sum::<u64>());
            for (number, summary) in self.roster.pages().iter().enumerate() {
                let page = self.memory.page(number as u16);
                let weights = page.entries().iter().map(|entry| *entry.weight.at(term));
                assert_eq!(*summary.weight.at(term), weights.sum::<u64>());
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Set(u32, u64),
    Leave(u32, bool),
    NextTerm(u32),
}

fn step(operators: u32) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..operators, 1u64..1_000).prop_map(|(operator, weight)| Step::Set(operator, weight)),
        2 => (0..operators, any::<bool>()).prop_map(|(operator, forget)| Step::Leave(operator, forget)),
        1 => (1u32..3).prop_map(Step::NextTerm),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_term_reads_what_was_set_two_terms_before(
        steps in prop::collection::vec(step(300), 1..300),
    ) {
        let mut life = Life::default();
        for (turn, step) in steps.into_iter().enumerate() {
            let before = life.clone();
            match step {
                Step::Set(operator, weight) => life.set(operator, weight),
                Step::Leave(operator, forget) => life.leave(operator, forget),
                Step::NextTerm(terms) if life.now.0 + terms < TERMS => {
                    life.now = life.now.after(terms);
                }
                Step::NextTerm(_) => {}
            }
            let randomness = blake2_256(&turn.to_le_bytes()).0;
            if life.now == before.now {
                for term in [life.now, life.now.after(1)] {
                    prop_assert_eq!(life.read(term), before.read(term));
                    let who = |life: &Life| {
                        let drawn = life.roster.draw(&life.memory, term, randomness);
                        drawn.map(|drawn| (drawn.operator, drawn.weight))
                    };
                    prop_assert_eq!(who(&life), who(&before));
                }
            }
            life.check();
        }
    }

    #[test]
    fn a_slot_holds_one_operator_in_any_term(
        steps in prop::collection::vec(step(20), 1..200),
    ) {
        let mut life = Life::default();
        let mut holders: BTreeMap<(TermIndex, u16, usize), u32> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Set(operator, weight) => life.set(operator, weight),
                Step::Leave(operator, forget) => life.leave(operator, forget),
                Step::NextTerm(terms) => life.now = life.now.after(terms.min(TERMS - life.now.0)),
            }
            for (number, page) in &life.memory.pages {
                for (index, entry) in page.entries().iter().enumerate() {
                    for term in [life.now, life.now.after(1)] {
                        if *entry.weight.at(term) > 0 {
                            let holder = holders.entry((term, *number, index));
                            prop_assert_eq!(*holder.or_insert(entry.operator), entry.operator);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_draw_hits_each_operator_in_proportion_to_its_weight() {
    let mut life = Life::default();
    for operator in 0..150u32 {
        life.set(operator, u64::from(operator % 7) * 10 + 1);
    }
    life.now = TermIndex(2);
    life.memory.read.set(0);
    const DRAWS: u32 = 30_000;
    let mut hits = BTreeMap::<u32, f64>::new();
    for n in 0..DRAWS {
        let randomness = blake2_256(&n.to_le_bytes()).0;
        let drawn = life.roster.draw(&life.memory, life.now, randomness);
        *hits.entry(drawn.expect("drawn").operator).or_default() += 1.0;
    }
    assert_eq!(life.memory.read.get(), DRAWS, "a draw reads one page");
    let total = life.roster.total(life.now) as f64;
    let chi_square: f64 = life
        .read(life.now)
        .into_iter()
        .map(|(operator, weight)| {
            let expected = f64::from(DRAWS) * weight as f64 / total;
            let hits = hits.get(&operator).copied().unwrap_or(0.0);
            (hits - expected).powi(2) / expected
        })
        .sum();
    // 149 degrees of freedom: the mean is 149 and the standard deviation 17.
    assert!((95.0..210.0).contains(&chi_square), "{chi_square}");
}

#[test]
fn several_draws_give_different_operators_and_skip_those_refused() {
    let mut life = Life::default();
    for operator in 0..10 {
        life.set(operator, 100);
    }
    let randomness = H256::repeat_byte(7);
    let draw = |life: &Life, term, wanted, tries, absent: &[u32]| {
        let (mut seen, mut accepted) = (0, Vec::new());
        let tried =
            life.roster
                .draw_several(&life.memory, term, randomness, wanted, tries, |drawn| {
                    seen += 1;
                    let accepts = !absent.contains(&drawn.operator);
                    accepted.extend(accepts.then_some(drawn.operator));
                    accepts
                });
        assert_eq!(tried, seen);
        accepted
    };
    assert!(draw(&life, TermIndex(1), 3, 100, &[]).is_empty());
    let all = draw(&life, TermIndex(2), 10, 1_000, &[]);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 10);
    assert_eq!(draw(&life, TermIndex(2), 3, 1_000, &[]), all[..3]);
    let without_first = draw(&life, TermIndex(2), 9, 1_000, &all[..1]);
    assert_eq!(without_first, all[1..], "one refused moves no other draw");
    assert_eq!(draw(&life, TermIndex(2), 10, 1, &[]).len(), 1);
    // One with nearly all of the weight does not use up the tries of the others.
    life.set(3, MAX_WEIGHT);
    let all = draw(&life, TermIndex(4), 10, 10, &[]);
    assert_eq!(all.len(), 10);
    assert_eq!(all[0], 3);
}

#[test]
fn the_second_draw_is_in_proportion_to_the_weights_of_the_others() {
    let mut life = Life::default();
    // On the second of two pages, and with nearly all of the weight, so that it is drawn first.
    let heavy = PAGE_ENTRIES + 1;
    for operator in 0..=heavy {
        life.set(operator, u64::from(1 + operator % 2));
    }
    life.set(heavy, MAX_WEIGHT);
    let mut odd = 0u32;
    for n in 0..4_000u32 {
        let randomness = blake2_256(&n.to_le_bytes());
        let mut drawn = Vec::new();
        life.roster
            .draw_several(&life.memory, TermIndex(2), randomness, 2, 2, |operator| {
                drawn.push(operator);
                true
            });
        assert_eq!(drawn.len(), 2);
        assert_eq!(drawn[0].operator, heavy);
        odd += drawn[1].operator % 2;
    }
    // 56 operators of weight two and 57 of weight one: two thirds, less one part in 170.
    let share = f64::from(odd) / 4_000.0;
    assert!((0.635..0.69).contains(&share), "{share}");
}

#[test]
fn an_index_and_a_page_take_at_most_eight_kibibytes() {
    assert!(Roster::max_encoded_len() + Page::max_encoded_len() <= 8 * 1024);
    const { assert!(PAGES * PAGE_ENTRIES >= 10_000) };
}

#[test]
fn ten_thousand_operators_fit_and_the_last_slot_is_refused_until_one_is_freed() {
    let mut life = Life::default();
    let slots = PAGES * PAGE_ENTRIES;
    let join = |life: &mut Life, operator| {
        let (roster, memory) = (&mut life.roster, &mut life.memory);
        roster.set(memory, life.now, operator, None, MAX_WEIGHT)
    };
    for operator in 0..slots {
        assert!(join(&mut life, operator).is_ok());
    }
    assert_eq!(join(&mut life, slots), Err(RosterFull));
    assert_eq!(
        life.roster.total(TermIndex(2)),
        MAX_WEIGHT * u64::from(slots)
    );
    let largest = life.memory.pages.values().map(|page| page.encode().len());
    let largest = life.roster.encode().len() + largest.max().expect("there are pages");
    assert!(largest <= 8 * 1024, "{largest}");

    life.now = TermIndex(5);
    let slot = Slot { page: 50, entry: 7 };
    let operator = life.memory.page(50).entries()[7].operator;
    life.roster
        .leave(&mut life.memory, life.now, operator, slot);
    for term in [5, 6] {
        life.now = TermIndex(term);
        assert_eq!(join(&mut life, slots), Err(RosterFull), "in term {term}");
    }
    life.now = TermIndex(7);
    assert_eq!(join(&mut life, slots), Ok(slot));
}

#[test]
fn an_operator_that_lost_its_slot_gets_another() {
    let mut life = Life::default();
    life.set(1, 10);
    let first = life.slots[&1];
    life.leave(1, false);
    life.now = TermIndex(2);
    life.set(2, 20);
    assert_eq!(life.slots[&2], first, "no term reads it any longer");
    life.set(1, 10);
    assert_ne!(life.slots[&1], first);
    life.check();
}

#[test]
fn pages_that_no_term_reads_can_be_forgotten() {
    let mut life = Life::default();
    for operator in 0..=PAGE_ENTRIES {
        life.set(operator, 10);
    }
    life.now = TermIndex(2);
    for operator in 0..=PAGE_ENTRIES {
        life.leave(operator, false);
    }
    life.now = TermIndex(4);
    assert_eq!(life.roster.total(life.now), 0);
    for page in [1, 0] {
        assert_eq!(life.roster.pop(), Some(page));
        assert!(life.memory.pages.remove(&page).is_some());
    }
    assert_eq!(life.roster.pop(), None);
    life.set(PAGE_ENTRIES, 20);
    assert_eq!(life.slots[&PAGE_ENTRIES].page, 0, "its old page is gone");
    life.check();
}

#[test]
fn a_weight_is_a_bond_in_whole_units() {
    assert_eq!(weight_of(999, 1_000), 0);
    assert_eq!(bond_of(weight_of(2_999, 1_000), 1_000), 2_000);
    assert_eq!(bond_of(weight_of(7, 0), 0), 7);
    assert_eq!(weight_of(2_999, 1_000), 2);
    assert_eq!(weight_of(7, 0), 7);
    assert_eq!(weight_of(u128::MAX, 1), MAX_WEIGHT);
}
