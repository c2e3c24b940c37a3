use crate::{
    mock::*, weights::SubstrateWeight, Books, Epochs, Event, OldestEpoch, WeightInfo, WorkDone,
};
use frame_support::{assert_ok, traits::Hooks, weights::Weight};

/// Ends the last block before epoch 0 expires; no record is removed yet.
fn go_to_expiry() {
    go_to_epoch(WINDOW + 1);
}

#[test]
fn unclaimed_rewards_are_never_minted() {
    test(|| {
        answers(ALICE, 30);
        answers(BOB, 10);
        go_to_epoch(1);
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        go_to_expiry();
        let before = Books::<Test>::get();
        next_block();
        let books = Books::<Test>::get();
        assert_eq!(books.unminted, before.unminted + 10);
        assert_eq!(books.pending, 0);
        assert!(!WorkDone::<Test>::contains_key(0, BOB));
        assert_eq!(Epochs::<Test>::get(0), None);
        assert_eq!(OldestEpoch::<Test>::get(), 1);
        let expired = Event::EpochExpired {
            epoch: 0,
            claimed: 30,
            treasury: 0,
            unminted: 10,
        };
        System::assert_has_event(expired.into());
    });
}

#[test]
fn what_rounding_left_goes_to_the_treasury() {
    test(|| {
        // 400 in three equal parts.
        for account in [1, 2, 3] {
            answers(account, 1_000);
        }
        go_to_epoch(1);
        for account in [1, 2, 3] {
            assert_ok!(Issuance::claim(signed(account), account, 0));
        }
        go_to_expiry();
        let before = balance(TREASURY);
        next_block();
        assert_eq!(balance(TREASURY), before + 1);
        let expired = Event::EpochExpired {
            epoch: 0,
            claimed: 399,
            treasury: 1,
            unminted: 0,
        };
        System::assert_has_event(expired.into());
    });
}

#[test]
fn a_block_removes_as_much_as_it_has_weight_for() {
    test(|| {
        for account in 1..=5 {
            answers(account, 1_000);
        }
        go_to_expiry();
        type Weights = SubstrateWeight<Test>;
        let records = |count: u64| {
            Weights::expire_base()
                .saturating_add(Weights::expire_epoch())
                .saturating_add(Weights::expire_record().saturating_mul(count))
        };
        let now = System::block_number();
        let left = || WorkDone::<Test>::iter_prefix_values(0).count();

        assert_eq!(Issuance::on_idle(now, Weight::zero()), Weight::zero());
        assert_eq!(left(), 5);
        assert_eq!(Issuance::on_idle(now, records(2)), records(2));
        assert_eq!(left(), 3);
        assert_ok!(Issuance::audit());
        Issuance::on_idle(now, records(3));
        assert_eq!(left(), 0);
        assert_eq!(
            OldestEpoch::<Test>::get(),
            0,
            "no later call has found the epoch empty yet"
        );
        Issuance::on_idle(now, records(1));
        assert_eq!(OldestEpoch::<Test>::get(), 1);
        assert_eq!(Books::<Test>::get().pending, 0);
    });
}

#[test]
fn a_block_never_takes_more_weight_than_there_is() {
    test(|| {
        for account in 1..=5 {
            answers(account, 1_000);
        }
        go_to_expiry();
        let now = System::block_number();
        for step in 0..40u64 {
            let limit = Weight::from_parts(step * 20_000_000, step * 1_000);
            let used = Issuance::on_idle(now, limit);
            assert!(used.all_lte(limit), "{used:?} of {limit:?}");
        }
    });
}

#[test]
fn epochs_without_records_are_passed_over() {
    test(|| {
        go_to_epoch(WINDOW + 5);
        next_block();
        assert_eq!(OldestEpoch::<Test>::get(), 5);
    });
}
