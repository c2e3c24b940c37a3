use crate::{mock::*, Error, Event, Idle, Rosters};
use frame_support::{assert_noop, assert_ok, traits::Get};
use noema_interfaces::{Burden, Candidate, Earning, Load, Operators as _, WorkCredit};
use noema_protocol::{Offence, Prices, Role, Work};
use noema_terms::TermIndex;
use pallet_duties::AsDuty;
use sp_core::H256;
use std::collections::BTreeSet;

#[test]
fn slash_burns_what_goes_to_no_beneficiary() {
    test(|| {
        register(ALICE, WORKER, 500);
        assert_ok!(Operators::lock(&ALICE, job(7), 60));
        let issued = Balances::total_issuance();
        let taken = Operators::slash(&ALICE, job(7), Offence::MissedDeadline, 40, &[]);
        assert_eq!(taken, 40);
        assert_eq!(held(ALICE), 460);
        assert_eq!(Balances::total_issuance(), issued - 40);
        System::assert_last_event(
            Event::Slashed {
                controller: ALICE,
                job: job(7),
                offence: Offence::MissedDeadline,
                paid: 0,
                burned: 40,
                bond: 460,
            }
            .into(),
        );
    });
}

#[test]
fn slash_credits_operators_and_pays_others_and_burns_the_rest() {
    test(|| {
        register(ALICE, WORKER, 500);
        register(BOB, VALIDATOR, 100);
        let issued = Balances::total_issuance();
        let taken = convict(ALICE, 7, 200, &[(BOB, 60), (CAROL, 30)]);
        assert_eq!(taken, 200);
        assert_eq!(Balances::free_balance(BOB), ENDOWMENT - 100);
        let ledger = Operators::earnings(BOB).expect("registered");
        assert_eq!((ledger.payable, ledger.disputes), (60, 60));
        assert_eq!(Balances::free_balance(CAROL), ENDOWMENT + 30);
        assert_eq!(Balances::total_issuance(), issued - 110);
        assert_eq!(Operators::bond(&ALICE), 300);
    });
}

#[test]
fn slash_takes_no_more_than_its_lock() {
    test(|| {
        register(ALICE, WORKER, 500);
        assert_ok!(Operators::lock(&ALICE, job(1), 100));
        assert_ok!(Operators::lock(&ALICE, job(2), 300));
        let shares = [(BOB, 70), (CAROL, 70)];
        let slash = |request, amount| {
            Operators::slash(&ALICE, job(request), Offence::FalseAnswer, amount, &shares)
        };
        assert_eq!(slash(1, 1_000), 100);
        assert_eq!(slash(1, 1_000), 0, "a lock is taken once");
        assert_eq!(slash(3, 1_000), 0, "nothing is locked behind this job");
        assert_eq!(Balances::free_balance(BOB), ENDOWMENT + 70);
        assert_eq!(Balances::free_balance(CAROL), ENDOWMENT + 30);
        assert_eq!(Operators::bond(&ALICE), 400);
        assert_eq!(Operators::locked(&ALICE, job(1)), Some(0));
        assert_eq!(Operators::locked(&ALICE, job(2)), Some(300));
        Operators::release(&ALICE, job(1));
        assert_eq!(Operators::locked(&ALICE, job(1)), None);
    });
}

#[test]
fn spend_burns_a_part_of_the_lock_and_is_no_offence() {
    test(|| {
        serving(ALICE, WORKER, 500);
        pass_terms(2);
        assert_ok!(Operators::lock(&ALICE, job(1), 60));
        let issued = Balances::total_issuance();
        assert_eq!(Operators::spend(&ALICE, job(2), 10), 0, "nothing is locked");
        assert_eq!(Operators::spend(&BOB, job(1), 10), 0, "it is no operator");
        assert_eq!(Operators::spend(&ALICE, job(1), 20), 20);
        System::assert_last_event(
            Event::Spent {
                controller: ALICE,
                job: job(1),
                amount: 20,
                bond: 480,
            }
            .into(),
        );
        assert_eq!(Operators::spend(&ALICE, job(1), 1_000), 40);
        assert_eq!(Balances::total_issuance(), issued - 60);
        assert_eq!((Operators::bond(&ALICE), held(ALICE)), (440, 440));
        assert_eq!(Operators::locked(&ALICE, job(1)), Some(0));
        let idle = Operators::operator(ALICE).expect("registered").idle;
        assert_eq!(idle, None::<Idle>, "it stays in draws");
        Operators::release(&ALICE, job(1));
    });
}

#[test]
fn slash_never_pays_the_offender() {
    test(|| {
        register(ALICE, WORKER, 500);
        let issued = Balances::total_issuance();
        convict(ALICE, 1, 100, &[(ALICE, 100)]);
        assert_eq!(Balances::total_issuance(), issued - 100);
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT - 500);
    });
}

#[test]
fn slash_leaves_a_stranger_alone() {
    test(|| {
        assert_eq!(
            Operators::slash(&ALICE, job(7), Offence::FalseAnswer, 100, &[(BOB, 1)]),
            0
        );
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT);
    });
}

#[test]
fn slash_below_the_least_bond_suspends() {
    test(|| {
        register(ALICE, WORKER, 150);
        convict(ALICE, 1, 50, &[]);
        let idle = || Operators::operator(ALICE).expect("registered").idle;
        assert_eq!(idle(), Some(Idle::Absent));
        convict(ALICE, 2, 1, &[]);
        assert_eq!(idle(), Some(Idle::Suspended));
        System::assert_last_event(
            Event::Suspended {
                controller: ALICE,
                bond: 99,
            }
            .into(),
        );
    });
}

#[test]
fn locks_never_exceed_the_bond() {
    test(|| {
        register(ALICE, WORKER, 100);
        assert_ok!(Operators::lock(&ALICE, job(1), 60));
        let lock = |request, amount| Operators::lock(&ALICE, job(request), amount);
        assert_noop!(lock(2, 41), Error::<Test>::BondExhausted);
        assert_noop!(lock(2, Balance::MAX), Error::<Test>::BondExhausted);
        assert_noop!(lock(1, 1), Error::<Test>::AlreadyLocked);
        assert_ok!(lock(2, 40));
        Operators::release(&ALICE, job(1));
        Operators::release(&ALICE, job(1));
        assert_ok!(lock(3, 60));
        assert_noop!(
            Operators::lock(&BOB, job(1), 1),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn credit_is_withdrawn_by_the_controller() {
    test(|| {
        register(ALICE, BOTH, 500);
        for (amount, kind) in [(210, Earning::Answer), (15, Earning::Check)] {
            transfer_to_purse(BOB, amount);
            Operators::credit(&ALICE, job(7), kind, amount);
        }
        System::assert_last_event(
            Event::Earned {
                controller: ALICE,
                job: job(7),
                kind: Earning::Check,
                amount: 15,
            }
            .into(),
        );
        convict(ALICE, 8, 5, &[]);
        let ledger = Operators::earnings(ALICE).expect("registered");
        assert_eq!((ledger.answers, ledger.checks), (210, 15));
        assert_eq!((ledger.payable, ledger.slashed), (225, 5));
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT - 500);
        assert_ok!(Operators::withdraw(signed(ALICE)));
        System::assert_last_event(
            Event::Withdrawn {
                controller: ALICE,
                amount: 225,
            }
            .into(),
        );
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT - 500 + 225);
        assert_noop!(
            Operators::withdraw(signed(ALICE)),
            Error::<Test>::NothingToWithdraw
        );
        let ledger = Operators::earnings(ALICE).expect("registered");
        assert_eq!((ledger.answers, ledger.payable), (210, 0));
    });
}

#[test]
fn a_payment_below_the_existential_deposit_is_credited_like_any_other() {
    test(|| {
        register(ALICE, WORKER, 100);
        let least: Balance = <Test as pallet_balances::Config>::ExistentialDeposit::get();
        pay(BOB, ALICE, least - 1);
        assert_ok!(Operators::withdraw(signed(ALICE)));
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT - 100 + least - 1);
    });
}

#[test]
fn draw_tells_bonds_and_prices() {
    test(|| {
        serving(ALICE, BOTH, 300);
        serving(BOB, VALIDATOR, 200);
        pass_terms(2);
        let drawn = |role| {
            let mut drawn = Operators::draw(role, &LLAMA, H256::zero(), 9, |_| true).candidates;
            drawn.sort_by_key(|candidate| candidate.controller);
            drawn
        };
        let worker = Candidate {
            controller: ALICE,
            bond: 300,
            free: 300,
            prices: PRICES,
            load: Load::default(),
        };
        assert_eq!(drawn(Role::Worker), vec![worker]);
        let validators = [(ALICE, 300), (BOB, 200)].map(|(controller, bond)| Candidate {
            controller,
            bond,
            free: bond,
            prices: Prices::default(),
            load: Load::default(),
        });
        assert_eq!(drawn(Role::Validator), validators);
        let other = Operators::draw(Role::Worker, &OTHER, H256::zero(), 9, |_| true);
        assert!(other.candidates.is_empty());
        assert_eq!(other.tries, 0);
        assert!(draw(Role::Trainer, 1, 1).is_empty());
    });
}

#[test]
fn a_candidate_is_found_by_its_controller_where_it_can_be_drawn() {
    test(|| {
        serving(ALICE, WORKER, 300);
        serving(BOB, VALIDATOR, 200);
        let found = |role, who| Operators::candidate_for(role, &LLAMA, &who);
        assert_eq!(found(Role::Worker, ALICE), None, "not in this term");
        pass_terms(2);
        let roster = |role| Operators::roster(role, &LLAMA).pop();
        assert_eq!(found(Role::Worker, ALICE), roster(Role::Worker));
        assert_eq!(found(Role::Validator, BOB), roster(Role::Validator));
        assert!(found(Role::Worker, ALICE).is_some());
        assert_eq!(found(Role::Validator, ALICE), None);
        assert_eq!(found(Role::Worker, BOB), None);
        assert_eq!(found(Role::Worker, CAROL), None);
        assert_eq!(Operators::candidate_for(Role::Worker, &OTHER, &ALICE), None);
        assert_ok!(Operators::lock(&ALICE, job(1), 60));
        let free = found(Role::Worker, ALICE).map(|candidate| candidate.free);
        assert_eq!(free, Some(240));
        convict(ALICE, 2, 5, &[]);
        assert_eq!(found(Role::Worker, ALICE), None, "it is absent");
    });
}

#[test]
fn draw_tells_no_more_of_a_bond_than_was_in_the_roster() {
    test(|| {
        serving(ALICE, WORKER, 109);
        pass_terms(2);
        let drawn = || Operators::draw(Role::Worker, &LLAMA, H256::zero(), 1, |_| true).candidates;
        let bond = || drawn().first().map(|candidate| candidate.bond);
        assert_eq!(bond(), Some(100), "in whole units");
        assert_ok!(Operators::bond_extra(signed(ALICE), 200));
        let roster = Operators::roster(Role::Worker, &LLAMA);
        assert_eq!(roster, drawn());
        for expected in [100, 100, 300] {
            assert_eq!(bond(), Some(expected));
            pass_terms(1);
        }
    });
}

#[test]
fn what_is_added_to_a_bond_after_a_draw_lets_nothing_more_be_locked_for_it() {
    test(|| {
        serving(ALICE, WORKER, 100);
        pass_terms(2);
        let drawn = || {
            let mut drawn = Operators::draw(Role::Worker, &LLAMA, H256::zero(), 1, |_| true);
            drawn.candidates.pop().expect("ALICE is in the roster")
        };
        assert_ok!(Operators::lock_drawn(&drawn(), job(1), 60, Burden::None));
        assert_eq!(drawn().free, 40);
        assert_ok!(Operators::bond_extra(signed(ALICE), 100));
        assert_noop!(
            Operators::lock_drawn(&drawn(), job(2), 41, Burden::None),
            Error::<Test>::BondExhausted
        );
        assert_ok!(Operators::lock_drawn(&drawn(), job(2), 40, Burden::None));
        assert_ok!(Operators::lock(&ALICE, job(3), 50));
        pass_terms(2);
        assert_ok!(Operators::lock_drawn(&drawn(), job(4), 50, Burden::None));
        assert_eq!(drawn().free, 0);
        assert_noop!(
            Operators::lock_drawn(&drawn(), job(5), 1, Burden::None),
            Error::<Test>::BondExhausted
        );
    });
}

#[test]
fn draw_asks_once_for_each_operator_and_skips_those_that_do_not_suit() {
    test(|| {
        for controller in 1..=5 {
            serving(controller, VALIDATOR, 200);
        }
        pass_terms(2);
        let mut asked = Vec::new();
        let drawn = Operators::draw(Role::Validator, &LLAMA, H256::zero(), 2, |candidate| {
            asked.push(candidate.controller);
            candidate.controller > 3
        });
        assert_eq!(drawn.candidates.len(), 2);
        assert_eq!(drawn.tries as usize, asked.len());
        let distinct: BTreeSet<_> = asked.iter().collect();
        assert_eq!(distinct.len(), asked.len());
    });
}

#[test]
fn an_absent_operator_is_skipped_at_once_until_it_resumes() {
    test(|| {
        serving(ALICE, WORKER, 300);
        serving(BOB, WORKER, 300);
        pass_terms(2);
        let before = (0..20)
            .map(|n| draw(Role::Worker, n, 1))
            .collect::<Vec<_>>();
        assert!(before.contains(&vec![ALICE]));
        convict(ALICE, 1, 10, &[]);
        System::assert_has_event(Event::MarkedAbsent { controller: ALICE }.into());
        // The others are drawn as before; BOB takes the place of ALICE.
        assert!((0..20).all(|n| draw(Role::Worker, n, 1) == [BOB]));
        let weights = |term| Rosters::<Test>::get(LLAMA, Role::Worker).total(TermIndex(term));
        assert_eq!((weights(2), weights(3)), (60, 60));
        assert_eq!(
            weights(4),
            30,
            "an absent operator that was drawn leaves with notice"
        );

        let signed_at = |who, block| {
            let duty = crate::Call::<Test>::resume {}.as_duty(&who, block);
            duty.is_some_and(|duty| duty.is_ok())
        };
        let is_duty = |who| signed_at(who, System::block_number());
        let before = System::block_number() - 1;
        assert!(
            !signed_at(key_of(ALICE), before),
            "the signature is for an earlier absence"
        );
        assert!(is_duty(key_of(ALICE)) && !is_duty(ALICE) && !is_duty(key_of(BOB)));
        assert_noop!(Operators::resume(signed(ALICE)), Error::<Test>::NotAKey);
        assert_ok!(Operators::resume(signed(key_of(ALICE))));
        System::assert_last_event(
            Event::Resumed {
                controller: ALICE,
                from: TermIndex(4),
            }
            .into(),
        );
        assert!(!is_duty(key_of(ALICE)));
        assert_noop!(
            Operators::resume(signed(key_of(ALICE))),
            Error::<Test>::NotAbsent
        );
        for _ in 0..2 {
            assert!((0..20).all(|n| draw(Role::Worker, n, 1) == [BOB]));
            assert_eq!(Operators::live_bond(Role::Worker, &ALICE), None);
            pass_terms(1);
        }
        assert_eq!(drawable(Role::Worker, LLAMA), vec![(ALICE, 29), (BOB, 30)]);
        assert!((0..20).any(|n| draw(Role::Worker, n, 1) == [ALICE]));
        assert_eq!(Operators::live_bond(Role::Worker, &ALICE), Some(290));
    });
}

#[test]
fn nothing_done_in_a_term_changes_whom_it_and_the_next_draw() {
    test(|| {
        serving(ALICE, WORKER, 300);
        serving(BOB, WORKER, 300);
        pass_terms(2);
        let draws = || {
            (0..20)
                .map(|n| draw(Role::Worker, n, 2))
                .collect::<Vec<_>>()
        };
        let before = draws();
        serving(CAROL, WORKER, 5_000);
        assert_ok!(Operators::bond_extra(signed(ALICE), 5_000));
        assert_ok!(Operators::stop_serving(signed(BOB), LLAMA));
        assert_ok!(Operators::start_unbonding(signed(BOB)));
        for _ in 0..2 {
            assert_eq!(draws(), before);
            pass_terms(1);
        }
        assert!(draws().iter().flatten().all(|who| *who != BOB));
    });
}

#[test]
fn a_lock_adds_what_its_job_adds_to_the_work_of_the_operator() {
    test(|| {
        serving(ALICE, BOTH, 300);
        pass_terms(2);
        let drawn = || {
            let mut drawn = Operators::draw(Role::Worker, &LLAMA, H256::zero(), 1, |_| true);
            drawn.candidates.pop().expect("ALICE is in the roster")
        };
        let request = Burden::Request {
            tokens: 16,
            prompt_bytes: 3,
        };
        assert_ok!(Operators::lock_drawn(&drawn(), job(1), 50, request));
        let load = Load::default().with(16, 3);
        assert_eq!(drawn().load, load);
        let check = Burden::Check { tokens: 20 };
        assert_ok!(Operators::lock_drawn(&drawn(), job(2), 50, check));
        assert_eq!(Operators::check_backlog(&ALICE), 20);
        assert_noop!(
            Operators::lock_drawn(&drawn(), job(3), 201, request),
            Error::<Test>::BondExhausted
        );
        assert_eq!(drawn().load, load);
        Operators::change_load(&ALICE, |load| load.without(16, 3));
        assert_eq!(drawn().load, Load::default());
        Operators::change_check_backlog(&ALICE, |tokens| tokens - 20);
    });
}

#[test]
fn a_paid_job_ends_its_lock_and_credits_the_operator_once() {
    test(|| {
        register(ALICE, BOTH, 500);
        assert_ok!(Operators::lock(&ALICE, job(7), 60));
        let credit = WorkCredit {
            job: job(1),
            kind: Earning::Check,
            amount: 15,
            work: Work::Check,
            done: 1,
        };
        for locked in [60, 0] {
            let before = Operators::operator(ALICE).expect("registered").operator;
            assert_eq!(before.locked, locked);
            transfer_to_purse(BOB, 15);
            assert!(!Operators::release_paid(&ALICE, job(7), credit));
        }
        let after = Operators::operator(ALICE).expect("registered").operator;
        assert_eq!((after.locked, after.locks), (0, 0));
        assert_eq!((after.ledger.payable, after.ledger.checks), (30, 30));
        System::assert_last_event(
            Event::Earned {
                controller: ALICE,
                job: job(1),
                kind: Earning::Check,
                amount: 15,
            }
            .into(),
        );
    });
}
