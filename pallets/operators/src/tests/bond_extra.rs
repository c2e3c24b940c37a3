use crate::{mock::*, Error, Event, Idle};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::Role;
use sp_runtime::TokenError;

#[test]
fn bond_extra_holds_more() {
    test(|| {
        register(ALICE, WORKER, 100);
        assert_ok!(Operators::bond_extra(signed(ALICE), 50));
        assert_eq!(held(ALICE), 150);
        System::assert_last_event(
            Event::BondIncreased {
                controller: ALICE,
                amount: 50,
                bond: 150,
            }
            .into(),
        );
    });
}

#[test]
fn bond_extra_counts_in_draws_from_the_term_after_next() {
    test(|| {
        serving(ALICE, WORKER, 100);
        pass_terms(2);
        assert_ok!(Operators::bond_extra(signed(ALICE), 50));
        for weight in [10, 10, 15, 15] {
            assert_eq!(drawable(Role::Worker, LLAMA), vec![(ALICE, weight)]);
            pass_terms(1);
        }
    });
}

#[test]
fn bond_extra_lets_a_suspended_operator_resume() {
    test(|| {
        serving(ALICE, WORKER, 100);
        convict(ALICE, 1, 1, &[]);
        let idle = || Operators::operator(ALICE).expect("registered").idle;
        assert_eq!(idle(), Some(Idle::Suspended));
        let resume = || Operators::resume(signed(key_of(ALICE)));
        assert_noop!(resume(), Error::<Test>::BondTooSmall);
        assert_ok!(Operators::bond_extra(signed(ALICE), 1));
        assert_eq!(idle(), Some(Idle::Absent));
        assert_ok!(resume());
        pass_terms(2);
        assert_eq!(idle(), None);
        assert_eq!(drawable(Role::Worker, LLAMA), vec![(ALICE, 10)]);
    });
}

#[test]
fn bond_extra_refuses_a_stranger() {
    test(|| {
        assert_noop!(
            Operators::bond_extra(signed(ALICE), 50),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn bond_extra_refuses_more_than_the_caller_has() {
    test(|| {
        register(ALICE, WORKER, 100);
        assert_noop!(
            Operators::bond_extra(signed(ALICE), ENDOWMENT),
            TokenError::FundsUnavailable
        );
    });
}
