use crate::{mock::*, Controllers, Devices, Error, Event, Keys, Operators as Records, Served};
use frame_support::{assert_noop, assert_ok};
use noema_interfaces::Operators as _;
use noema_protocol::Role;

#[test]
fn start_unbonding_ends_the_draws_from_the_term_after_next() {
    test(|| {
        serving(ALICE, WORKER, MIN_BOND);
        pass_terms(2);
        assert_ok!(Operators::start_unbonding(signed(ALICE)));
        System::assert_last_event(
            Event::UnbondingStarted {
                controller: ALICE,
                withdrawable_at: 70,
            }
            .into(),
        );
        assert!(Served::<Test>::get(ALICE).is_empty());
        for count in [1, 1, 0] {
            assert_eq!(draw(Role::Worker, 1, 1).len(), count);
            pass_terms(1);
        }
    });
}

#[test]
fn start_unbonding_refuses_twice() {
    test(|| {
        assert_noop!(
            Operators::start_unbonding(signed(ALICE)),
            Error::<Test>::NotRegistered
        );
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::start_unbonding(signed(ALICE)));
        assert_noop!(
            Operators::start_unbonding(signed(ALICE)),
            Error::<Test>::Leaving
        );
    });
}

#[test]
fn cancel_unbonding_lets_the_operator_serve_again() {
    test(|| {
        serving(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::start_unbonding(signed(ALICE)));
        assert_ok!(Operators::cancel_unbonding(signed(ALICE)));
        System::assert_last_event(Event::UnbondingCancelled { controller: ALICE }.into());
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        pass_terms(2);
        assert_eq!(drawable(Role::Worker, LLAMA).len(), 1);
    });
}

#[test]
fn cancel_unbonding_refuses_an_operator_that_stays() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::cancel_unbonding(signed(ALICE)),
            Error::<Test>::NotLeaving
        );
    });
}

#[test]
fn withdraw_bond_releases_everything_and_forgets_the_operator() {
    test(|| {
        serving(ALICE, BOTH, 500);
        assert_ok!(Operators::report_device(signed(key_of(ALICE)), gpu()));
        let at = Some(endpoint());
        assert_ok!(Operators::set_endpoint(signed(key_of(ALICE)), at));
        pay(BOB, ALICE, 5);
        assert_ok!(Operators::start_unbonding(signed(ALICE)));
        advance_to(51);
        assert_ok!(Operators::withdraw_bond(signed(ALICE)));
        System::assert_last_event(
            Event::BondWithdrawn {
                controller: ALICE,
                amount: 500,
            }
            .into(),
        );
        assert_eq!(
            (held(ALICE), Balances::free_balance(ALICE)),
            (0, ENDOWMENT + 5)
        );
        assert_eq!(System::sufficients(&key_of(ALICE)), 0);
        assert!(!System::account_exists(&key_of(ALICE)));
        assert_eq!(
            Records::<Test>::iter().count() + Keys::<Test>::iter().count(),
            0
        );
        assert_eq!(
            Served::<Test>::iter().count() + Controllers::<Test>::iter().count(),
            0
        );
        assert_eq!(Devices::<Test>::iter().count(), 0);
    });
}

#[test]
fn withdraw_bond_refuses_before_the_delay() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::withdraw_bond(signed(ALICE)),
            Error::<Test>::NotLeaving
        );
        assert_ok!(Operators::start_unbonding(signed(ALICE)));
        advance_to(50);
        assert_noop!(
            Operators::withdraw_bond(signed(ALICE)),
            Error::<Test>::TooEarly
        );
    });
}

#[test]
fn withdraw_bond_refuses_while_a_job_is_open() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::lock(&ALICE, job(1), 1));
        assert_ok!(Operators::start_unbonding(signed(ALICE)));
        advance_to(51);
        assert_noop!(
            Operators::withdraw_bond(signed(ALICE)),
            Error::<Test>::Locked
        );
        Operators::release(&ALICE, job(1));
        assert_ok!(Operators::withdraw_bond(signed(ALICE)));
    });
}

#[test]
fn withdraw_bond_refuses_a_stranger() {
    test(|| {
        assert_noop!(
            Operators::withdraw_bond(signed(BOB)),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn withdraw_bond_succeeds_when_everything_was_slashed() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::start_unbonding(signed(ALICE)));
        convict(ALICE, 1, MIN_BOND, &[]);
        advance_to(51);
        assert_ok!(Operators::withdraw_bond(signed(ALICE)));
        assert_eq!(total(ALICE), ENDOWMENT - MIN_BOND);
    });
}
