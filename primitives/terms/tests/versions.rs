//! Values over terms, compared with a list of all changes.

use noema_terms::{TermIndex, Versions};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_change_holds_from_the_term_after_next(
        changes in prop::collection::vec((0u32..4, any::<u8>()), 0..50),
    ) {
        let mut versions = Versions::constant(0u8);
        let mut history = vec![(0, 0u8)];
        let mut now = TermIndex(0);
        for (passed, value) in changes {
            now = now.after(passed);
            versions.set(now, value);
            history.push((now.0 + 2, value));
            for term in now.0..now.0 + 5 {
                let in_force = history.iter().rev().find(|(since, _)| *since <= term);
                prop_assert_eq!(Some(*versions.at(TermIndex(term))), in_force.map(|(_, value)| *value));
            }
            prop_assert_eq!(*versions.latest(), value);
            let settled = versions.settled_from();
            for term in settled.max(now).0..now.0 + 5 {
                prop_assert_eq!(*versions.at(TermIndex(term)), value);
            }
            if settled > now {
                prop_assert_ne!(*versions.at(TermIndex(settled.0 - 1)), value);
            }
        }
    }
}

#[test]
fn a_value_starts_with_notice() {
    let versions = Versions::starting(TermIndex(7), 0, 5);
    let read = |term| *versions.at(TermIndex(term));
    assert_eq!([read(7), read(8), read(9), read(100)], [0, 0, 5, 5]);
}

#[test]
fn the_last_terms_do_not_overflow() {
    let mut versions = Versions::constant(1);
    versions.set(TermIndex(u32::MAX), 2);
    assert_eq!(*versions.at(TermIndex(u32::MAX)), 1);
    assert_eq!(*versions.latest(), 2);
}
