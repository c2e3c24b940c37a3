use crate::{mock::*, Books, ClosedEpoch, CurrentEpoch, Epochs, Event, IssuanceBooks, RunningWork};
use frame_support::traits::Hooks;
use noema_protocol::PerWork;

#[test]
fn an_epoch_closes_with_the_first_block_after_it() {
    test(|| {
        while System::block_number() < EPOCH - 1 {
            next_block();
        }
        assert_eq!(CurrentEpoch::<Test>::get(), 0);
        next_block();
        assert_eq!(CurrentEpoch::<Test>::get(), 1);
    });
}

#[test]
fn closing_divides_the_subsidy_by_the_work() {
    test(|| {
        answers(ALICE, 500);
        checks(BOB, 50);
        go_to_epoch(1);
        let work = PerWork {
            inference: 500,
            check: 50,
            training: 0,
        };
        let pools = PerWork {
            inference: 400,
            check: 50,
            training: 0,
        };
        let closed = ClosedEpoch {
            work,
            pools,
            ..Default::default()
        };
        assert_eq!(Epochs::<Test>::get(0), Some(closed));
        assert_eq!(balance(TREASURY), 100);
        let books = IssuanceBooks {
            scheduled: SUBSIDY,
            minted: 100,
            pending: 450,
            unminted: 450,
        };
        assert_eq!(Books::<Test>::get(), books);
        let event = Event::EpochClosed {
            epoch: 0,
            subsidy: SUBSIDY,
            work,
            pools,
            treasury: 100,
            unminted: 450,
        };
        System::assert_last_event(event.into());
    });
}

#[test]
fn training_shares_its_whole_part() {
    test(|| {
        trains(ALICE, 1);
        go_to_epoch(1);
        let closed = Epochs::<Test>::get(0).expect("the epoch had work");
        assert_eq!(closed.pools.training, 300);
        assert_eq!(closed.pools.inference, 0);
    });
}

#[test]
fn an_epoch_without_work_leaves_no_record() {
    test(|| {
        go_to_epoch(1);
        assert_eq!(Epochs::<Test>::get(0), None);
        assert_eq!(Books::<Test>::get().unminted, 900);
    });
}

#[test]
fn work_counts_for_the_epoch_in_which_it_is_recorded() {
    test(|| {
        answers(ALICE, 1);
        go_to_epoch(1);
        answers(ALICE, 2);
        assert_eq!(RunningWork::<Test>::get().inference, 2);
        let closed = Epochs::<Test>::get(0).expect("the epoch had work");
        assert_eq!(closed.work.inference, 1);
    });
}

#[test]
fn work_is_counted_as_far_as_it_can() {
    test(|| {
        answers(ALICE, u64::MAX);
        answers(ALICE, 5);
        answers(BOB, 7);
        answers(BOB, 0);
        assert_eq!(
            RunningWork::<Test>::get().inference,
            u128::from(u64::MAX / 2) + 7
        );
    });
}

#[test]
fn the_subsidy_halves_after_an_era() {
    test(|| {
        go_to_epoch(EPOCHS_PER_ERA);
        assert_eq!(Books::<Test>::get().scheduled, 10 * SUBSIDY);
        go_to_epoch(EPOCHS_PER_ERA + 1);
        assert_eq!(Books::<Test>::get().scheduled, 10 * SUBSIDY + SUBSIDY / 2);
    });
}

#[test]
fn the_whole_schedule_stays_below_the_cap() {
    test(|| {
        for epoch in 1..=EPOCHS_PER_ERA * 12 {
            trains(ALICE, 1);
            answers(BOB, u64::MAX);
            checks(BOB, u64::MAX);
            go_to_epoch(epoch);
            for account in [ALICE, BOB] {
                // The last eras' rewards are less than a unit.
                let _ = Issuance::claim(signed(account), account, epoch - 1);
            }
        }
        let supply = Issuance::supply().expect("the issuance started");
        assert_eq!(
            supply.scheduled,
            10 * (1_000 + 500 + 250 + 125 + 62 + 31 + 15 + 7 + 3 + 1)
        );
        assert_eq!(supply.total, GENESIS + supply.minted);
        assert!(supply.total <= supply.cap);
        assert!(supply.minted > supply.scheduled * 99 / 100);
    });
}

#[test]
fn a_treasury_that_cannot_take_its_part_does_not_stop_the_epochs() {
    test(|| {
        // In the ninth era its part is below the existential deposit; its funds are unspent.
        go_to_epoch(EPOCHS_PER_ERA * 8);
        let spent = balance(TREASURY);
        frame_support::assert_ok!(Balances::transfer_allow_death(
            signed(TREASURY),
            ALICE,
            spent
        ));
        let before = Books::<Test>::get();
        go_to_epoch(EPOCHS_PER_ERA * 8 + 1);
        let books = Books::<Test>::get();
        assert_eq!(balance(TREASURY), 0);
        assert_eq!(books.minted, before.minted);
        assert_eq!(books.unminted, before.unminted + 3);
    });
}

#[test]
fn epochs_follow_one_by_one_where_block_numbers_jump() {
    test(|| {
        System::set_block_number(3 * EPOCH);
        for expected in [1, 2, 3, 3] {
            Issuance::on_initialize(System::block_number());
            assert_eq!(CurrentEpoch::<Test>::get(), expected);
        }
        assert_eq!(Books::<Test>::get().scheduled, 3 * SUBSIDY);
    });
}

#[test]
fn genesis_chooses_the_length_of_an_epoch() {
    genesis(Some(2)).execute_with(|| {
        next_block();
        assert_eq!(System::block_number(), 2);
        assert_eq!(CurrentEpoch::<Test>::get(), 1);
    });
}

#[test]
#[should_panic(expected = "an epoch has at least one block")]
fn genesis_refuses_epochs_without_blocks() {
    genesis(Some(0));
}
