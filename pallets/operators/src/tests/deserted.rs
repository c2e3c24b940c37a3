use crate::{mock::*, Deserted, DesertedSpan, RosterPages, Rosters};
use frame_support::{assert_ok, traits::Hooks, weights::Weight};
use noema_protocol::Role;

/// The numbers of stored rosters, of pages and of rosters to be removed.
fn stored() -> (usize, usize, usize) {
    let waiting = Deserted::<Test>::iter_keys().count();
    let (begin, end) = DesertedSpan::<Test>::get();
    assert_eq!(waiting as u64, end - begin);
    (
        Rosters::<Test>::iter_keys().count(),
        RosterPages::<Test>::iter_keys().count(),
        waiting,
    )
}

fn idle(limit: Weight) -> Weight {
    Operators::on_idle(System::block_number(), limit)
}

#[test]
fn a_roster_that_all_left_is_forgotten_once_no_term_reads_it() {
    test(|| {
        serving(ALICE, BOTH, MIN_BOND);
        serving(BOB, WORKER, MIN_BOND);
        pass_terms(2);
        assert_ok!(Operators::stop_serving(signed(ALICE), LLAMA));
        assert_eq!(stored(), (2, 2, 1), "the workers' roster has another page");
        assert_ok!(Operators::start_unbonding(signed(BOB)));
        for _ in 0..2 {
            for _ in 0..9 {
                idle(Weight::MAX);
            }
            assert_eq!(stored(), (2, 2, 2));
            assert_eq!(drawable(Role::Worker, LLAMA).len(), 2);
            pass_terms(1);
        }
        assert_eq!(idle(Weight::from_parts(1, 1)), Weight::zero());
        assert_eq!(stored(), (2, 2, 2), "the block has no room");
        idle(Weight::MAX);
        assert_eq!(stored(), (2, 1, 2), "one page at a time");
        for _ in 0..3 {
            idle(Weight::MAX);
        }
        assert_eq!(stored(), (0, 0, 0));
    });
}

#[test]
fn a_roster_that_another_joins_is_kept() {
    test(|| {
        serving(ALICE, WORKER, MIN_BOND);
        pass_terms(2);
        assert_ok!(Operators::stop_serving(signed(ALICE), LLAMA));
        pass_terms(1);
        serving(BOB, WORKER, MIN_BOND);
        pass_terms(1);
        idle(Weight::MAX);
        assert_eq!(stored(), (1, 1, 0));
        pass_terms(1);
        assert_eq!(drawable(Role::Worker, LLAMA), [(BOB, 10)]);
    });
}

#[test]
fn an_absent_operator_returns_to_a_roster_that_was_forgotten() {
    test(|| {
        serving(ALICE, WORKER, 300);
        pass_terms(2);
        convict(ALICE, 1, 10, &[]);
        assert!(draw(Role::Worker, 1, 1).is_empty());
        pass_terms(2);
        for _ in 0..2 {
            idle(Weight::MAX);
        }
        assert_eq!(stored(), (0, 0, 0));
        assert_ok!(Operators::resume(signed(key_of(ALICE))));
        pass_terms(2);
        assert_eq!(drawable(Role::Worker, LLAMA), [(ALICE, 29)]);
    });
}
