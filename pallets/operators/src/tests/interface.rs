use crate::{mock::*, Entry, Error, Event, Reason, LEDGER_ENTRIES};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{
    interfaces::{Candidate, Earning, Offence, Operators as _, Prices, Role},
    Job, RequestId,
};

const JOB: Job = Job::Request(RequestId(7));

#[test]
fn slash_should_burn_what_nobody_is_paid() {
    test(|| {
        register(ALICE, WORKER, 500);
        let issued = Balances::total_issuance();
        let taken = Operators::slash(&ALICE, JOB, Offence::MissedDeadline, 40, &[]);
        assert_eq!(taken, 40);
        assert_eq!(held(ALICE), 460);
        assert_eq!(Balances::total_issuance(), issued - 40);
        System::assert_last_event(
            Event::Slashed {
                controller: ALICE,
                job: JOB,
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
fn slash_should_pay_its_beneficiaries_and_burn_the_rest() {
    test(|| {
        register(ALICE, WORKER, 500);
        let issued = Balances::total_issuance();
        let shares = [(BOB, 60), (CAROL, 30)];
        let taken = Operators::slash(&ALICE, JOB, Offence::FalseAnswer, 200, &shares);
        assert_eq!(taken, 200);
        assert_eq!(Balances::free_balance(BOB), ENDOWMENT + 60);
        assert_eq!(Balances::free_balance(CAROL), ENDOWMENT + 30);
        assert_eq!(Balances::total_issuance(), issued - 110);
        assert_eq!(Operators::bond(&ALICE), 300);
    });
}

#[test]
fn slash_should_take_no_more_than_the_bond() {
    test(|| {
        register(ALICE, WORKER, 100);
        let shares = [(BOB, 70), (CAROL, 70)];
        let taken = Operators::slash(&ALICE, JOB, Offence::FalseAnswer, 1_000, &shares);
        assert_eq!(taken, 100);
        assert_eq!(Balances::free_balance(BOB), ENDOWMENT + 70);
        assert_eq!(Balances::free_balance(CAROL), ENDOWMENT + 30);
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT - 100);
        assert_eq!(Operators::bond(&ALICE), 0);
    });
}

#[test]
fn slash_should_never_pay_the_offender() {
    test(|| {
        register(ALICE, WORKER, 500);
        let issued = Balances::total_issuance();
        Operators::slash(&ALICE, JOB, Offence::FalseAnswer, 100, &[(ALICE, 100)]);
        assert_eq!(Balances::total_issuance(), issued - 100);
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT - 500);
    });
}

#[test]
fn slash_should_leave_a_stranger_alone() {
    test(|| {
        assert_eq!(
            Operators::slash(&ALICE, JOB, Offence::FalseAnswer, 100, &[(BOB, 1)]),
            0
        );
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT);
    });
}

#[test]
fn slash_below_the_least_bond_should_suspend() {
    test(|| {
        register(ALICE, WORKER, 150);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        Operators::slash(&ALICE, JOB, Offence::MissedDeadline, 50, &[]);
        assert_eq!(Operators::candidates(Role::Worker, &LLAMA).len(), 1);
        Operators::slash(&ALICE, JOB, Offence::MissedDeadline, 1, &[]);
        assert!(Operators::candidates(Role::Worker, &LLAMA).is_empty());
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
fn candidates_should_be_live_operators_with_their_bonds_and_prices() {
    test(|| {
        register(ALICE, BOTH, 300);
        register(BOB, VALIDATOR, 200);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        assert_ok!(Operators::serve(signed(BOB), LLAMA));
        let worker = Candidate {
            controller: ALICE,
            bond: 300,
            prices: PRICES,
        };
        assert_eq!(Operators::candidates(Role::Worker, &LLAMA), vec![worker]);
        let validators = [(ALICE, 300), (BOB, 200)].map(|(controller, bond)| Candidate {
            controller,
            bond,
            prices: Prices::default(),
        });
        assert_eq!(Operators::candidates(Role::Validator, &LLAMA), validators);
        assert!(Operators::candidates(Role::Worker, &OTHER).is_empty());
    });
}

#[test]
fn engage_should_be_bounded() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        assert_ok!(Operators::engage(&ALICE));
        assert_ok!(Operators::engage(&ALICE));
        assert_noop!(Operators::engage(&ALICE), Error::<Test>::FullyEngaged);
        assert!(Operators::candidates(Role::Worker, &LLAMA).is_empty());
        Operators::release(&ALICE);
        assert_eq!(Operators::candidates(Role::Worker, &LLAMA).len(), 1);
        assert_noop!(Operators::engage(&BOB), Error::<Test>::NotRegistered);
    });
}

#[test]
fn earnings_should_be_told_with_their_reasons() {
    test(|| {
        register(ALICE, BOTH, 500);
        Operators::note_earning(&ALICE, JOB, Earning::Answer, 210);
        Operators::note_earning(&ALICE, JOB, Earning::Check, 15);
        Operators::slash(
            &ALICE,
            Job::Request(RequestId(8)),
            Offence::MissedVerdict,
            5,
            &[],
        );
        Operators::note_earning(&ALICE, Job::Request(RequestId(9)), Earning::Dispute, 50);
        let ledger = Operators::earnings(ALICE).expect("registered");
        assert_eq!((ledger.answers, ledger.checks), (210, 15));
        assert_eq!((ledger.disputes, ledger.slashed), (50, 5));
        let slash = Entry {
            at: 1,
            job: Job::Request(RequestId(8)),
            reason: Reason::Lost(Offence::MissedVerdict),
            amount: 5,
        };
        assert_eq!(ledger.recent.get(2), Some(&slash));
        System::assert_last_event(
            Event::Earned {
                controller: ALICE,
                job: Job::Request(RequestId(9)),
                kind: Earning::Dispute,
                amount: 50,
            }
            .into(),
        );
    });
}

#[test]
fn earnings_should_keep_the_latest_entries() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        let count = u64::from(LEDGER_ENTRIES) + 3;
        for request in 0..count {
            Operators::note_earning(&ALICE, Job::Request(RequestId(request)), Earning::Answer, 1);
        }
        let ledger = Operators::earnings(ALICE).expect("registered");
        assert_eq!(ledger.answers, count);
        let jobs: Vec<Job> = ledger.recent.iter().map(|entry| entry.job).collect();
        let expected: Vec<Job> = (3..count).map(|id| RequestId(id).into()).collect();
        assert_eq!(jobs, expected);
    });
}

#[test]
fn note_earning_should_record_nothing_of_a_stranger() {
    test(|| {
        Operators::note_earning(&ALICE, JOB, Earning::Answer, 210);
        assert_eq!(Operators::earnings(ALICE), None);
    });
}
