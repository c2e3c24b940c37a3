use crate::{
    mock::*, AuditFailure, AuditReport, Books, Claimable, Epochs, PendingReward, RunningEpoch,
    RunningWork, ScheduledEpoch, Supply, Terms, WorkDone,
};
use frame_support::{
    assert_ok,
    traits::{fungible::Mutate, Hooks},
};
use noema_protocol::PerWork;

#[test]
fn pending_reward_tells_what_each_epoch_owes_and_why() {
    test(|| {
        answers(ALICE, 30);
        answers(BOB, 10);
        go_to_epoch(1);
        checks(ALICE, 7);
        go_to_epoch(2);
        trains(ALICE, 2);
        let pending = Issuance::pending_reward(ALICE);
        assert_eq!(pending.total, 37);
        let [first, second] = pending.epochs[..] else {
            panic!("two epochs have rewards: {pending:?}");
        };
        let expected = Claimable {
            epoch: 0,
            work: PerWork {
                inference: 30,
                ..Default::default()
            },
            all_work: PerWork {
                inference: 40,
                ..Default::default()
            },
            pools: PerWork {
                inference: 40,
                ..Default::default()
            },
            reward: 30,
            claimable_to: 4 * EPOCH - 1,
        };
        assert_eq!(first, expected);
        assert_eq!((second.epoch, second.reward), (1, 7));
        assert_eq!(pending.running.training, 2);
    });
}

#[test]
fn pending_reward_is_what_claims_pay() {
    test(|| {
        answers(ALICE, 1_000);
        answers(BOB, 333);
        checks(ALICE, 90);
        go_to_epoch(1);
        let pending = Issuance::pending_reward(ALICE);
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        assert_eq!(balance(ALICE), ENDOWMENT + pending.total);
        let nothing = PendingReward {
            total: 0,
            epochs: vec![],
            running: PerWork::default(),
        };
        assert_eq!(Issuance::pending_reward(ALICE), nothing);
    });
}

#[test]
fn pending_reward_forgets_what_is_expired() {
    test(|| {
        answers(ALICE, 30);
        go_to_epoch(WINDOW);
        assert_eq!(Issuance::pending_reward(ALICE).total, 30);
        go_to_epoch(WINDOW + 1);
        assert_eq!(Issuance::pending_reward(ALICE).total, 0);
    });
}

#[test]
fn schedule_tells_of_any_epoch() {
    test(|| {
        let expected = ScheduledEpoch {
            era: 1,
            starts_at: 11 * EPOCH,
            ends_at: 12 * EPOCH - 1,
            subsidy: 500,
            shares: PerWork {
                inference: 200,
                check: 100,
                training: 150,
            },
            treasury: 50,
            before: 10_500,
        };
        assert_eq!(Issuance::schedule(11), Some(expected));
        let last = Issuance::schedule(u32::MAX).expect("the issuance started");
        assert_eq!(last.subsidy, 0);
        assert!(last.before <= POOL);
    });
}

#[test]
fn epoch_tells_of_the_one_that_runs() {
    test(|| {
        go_to_epoch(1);
        checks(ALICE, 4);
        let expected = RunningEpoch {
            number: 1,
            scheduled: Issuance::schedule(1).expect("the issuance started"),
            work: PerWork {
                check: 4,
                ..Default::default()
            },
        };
        assert_eq!(Issuance::epoch(), Some(expected));
    });
}

#[test]
fn supply_tells_the_cap_and_where_the_subsidies_went() {
    test(|| {
        answers(ALICE, 30);
        go_to_epoch(1);
        let expected = Supply {
            genesis: GENESIS,
            cap: GENESIS + POOL,
            total: GENESIS + 100,
            scheduled: SUBSIDY,
            minted: 100,
            pending: 30,
            unminted: 870,
        };
        assert_eq!(Issuance::supply(), Some(expected));
    });
}

#[test]
fn a_chain_whose_issuance_never_started_says_so() {
    new_test_ext().execute_with(|| {
        Terms::<Test>::kill();
        assert_eq!(Issuance::supply(), None);
        assert_eq!(Issuance::epoch(), None);
        assert_eq!(Issuance::audit(), Err(AuditFailure::NotStarted));
        answers(ALICE, 1);
        System::set_block_number(EPOCH);
        Issuance::on_initialize(EPOCH);
        assert_eq!(crate::CurrentEpoch::<Test>::get(), 0);
    });
}

#[test]
fn audit_counts_what_is_owed() {
    test(|| {
        answers(ALICE, 30);
        go_to_epoch(1);
        checks(BOB, 1);
        let expected = AuditReport {
            minted: 100,
            pending: 30,
            records: 2,
        };
        assert_eq!(Issuance::audit(), Ok(expected));
    });
}

#[test]
fn audit_finds_what_is_wrong() {
    let after = |corrupt: fn()| {
        new_test_ext().execute_with(|| {
            answers(ALICE, 30);
            go_to_epoch(1);
            answers(BOB, 5);
            corrupt();
            Issuance::audit().expect_err("the state was corrupted")
        })
    };
    assert_eq!(
        after(|| Books::<Test>::mutate(|books| books.minted += 1)),
        AuditFailure::BooksDiffer
    );
    assert_eq!(
        after(|| Books::<Test>::mutate(|books| {
            books.scheduled += 1;
            books.unminted += 1;
        })),
        AuditFailure::ScheduleDiffers
    );
    assert_eq!(
        after(|| Terms::<Test>::mutate(|terms| terms.as_mut().expect("started").pool = 99)),
        AuditFailure::AbovePool
    );
    assert_eq!(
        after(|| {
            Balances::mint_into(&ALICE, 1).expect("the account exists");
        }),
        AuditFailure::AboveIssued
    );
    assert_eq!(
        after(|| {
            Epochs::<Test>::mutate(0, |epoch| epoch.as_mut().expect("is closed").claimed = 1);
        }),
        AuditFailure::EpochOverdrawn
    );
    assert_eq!(
        after(|| {
            WorkDone::<Test>::remove(0, ALICE);
            Epochs::<Test>::remove(0);
        }),
        AuditFailure::PendingDiffers
    );
    assert_eq!(after(RunningWork::<Test>::kill), AuditFailure::WorkDiffers);
    assert_eq!(
        after(|| WorkDone::<Test>::insert(7, ALICE, PerWork::default())),
        AuditFailure::StrayRecord
    );
}

#[test]
fn the_configuration_is_sound() {
    new_test_ext().execute_with(<Issuance as Hooks<u64>>::integrity_test);
}
