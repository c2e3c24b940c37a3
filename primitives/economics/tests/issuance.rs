//! Issuance: never above the pool, and every unit is accounted for.

use noema_economics::{reward, split, Permill, Schedule};
use noema_protocol::{PerWork, Work};
use proptest::prelude::*;

const SHARES: PerWork<Permill> = PerWork {
    inference: Permill::from_percent(40),
    check: Permill::from_percent(20),
    training: Permill::from_percent(30),
};

fn sum(pools: &PerWork<u128>) -> u128 {
    Work::ALL.into_iter().map(|kind| pools.get(kind)).sum()
}

#[test]
fn the_subsidy_halves_with_each_era_and_end() {
    let schedule = Schedule::within(1_000, 10);
    assert_eq!(schedule.initial, 50);
    assert_eq!(schedule.subsidy(0), 50);
    assert_eq!(schedule.subsidy(9), 50);
    assert_eq!(schedule.subsidy(10), 25);
    assert_eq!(schedule.subsidy(20), 12);
    assert_eq!(schedule.eras(), 6);
    assert_eq!(schedule.subsidy(59), 1);
    assert_eq!(schedule.subsidy(60), 0);
    assert_eq!(schedule.subsidy(u32::MAX), 0);
    assert_eq!(schedule.total(), 10 * (50 + 25 + 12 + 6 + 3 + 1));
}

#[test]
fn a_schedule_without_a_pool_issues_nothing() {
    for schedule in [Schedule::within(0, 10), Schedule::within(1, 10)] {
        assert_eq!(schedule.eras(), 0);
        assert_eq!(schedule.total(), 0);
        assert_eq!(schedule.subsidy(0), 0);
    }
    assert_eq!(Schedule::within(7, 0).subsidy(0), 3);
}

#[test]
fn work_decides_what_each_pool_takes() {
    let work = PerWork {
        inference: 1_000,
        check: 50,
        training: 0,
    };
    let split = split(1_000, &work, &SHARES);
    let expected = PerWork {
        inference: 400,
        check: 50,
        training: 0,
    };
    assert_eq!(split.pools, expected);
    assert_eq!(split.treasury, 100);
    assert_eq!(split.unminted, 150 + 300);
}

#[test]
fn remainders_go_to_the_treasury() {
    let work = PerWork::from_fn(|_| 1_000);
    let split = split(19, &work, &SHARES);
    let expected = PerWork {
        inference: 7,
        check: 3,
        training: 5,
    };
    assert_eq!(split.pools, expected);
    assert_eq!(split.treasury, 4);
    assert_eq!(split.unminted, 0);
}

#[test]
fn shares_above_the_whole_are_cut() {
    let shares = PerWork::from_fn(|_| Permill::from_percent(60));
    let split = split(100, &PerWork::from_fn(|_| 1_000), &shares);
    assert_eq!(
        (
            split.pools.inference,
            split.pools.check,
            split.pools.training
        ),
        (60, 40, 0)
    );
    assert_eq!(split.treasury, 0);
}

#[test]
fn reward_follows_each_part_of_the_work() {
    let work = PerWork {
        inference: 3,
        check: 10,
        training: 0,
    };
    let pools = PerWork {
        inference: 100,
        check: 10,
        training: 0,
    };
    let amounts = PerWork::<u64> {
        inference: 1,
        check: 10,
        training: 5,
    };
    assert_eq!(reward(&amounts, &work, &pools), 33 + 10);
}

fn any_work() -> impl Strategy<Value = PerWork<u128>> {
    (any::<u128>(), any::<u128>(), any::<u128>()).prop_map(|(inference, check, training)| PerWork {
        inference,
        check,
        training,
    })
}

fn any_shares() -> impl Strategy<Value = PerWork<Permill>> {
    let part = || (0u32..=1_000_000).prop_map(Permill::from_parts);
    (part(), part(), part()).prop_map(|(inference, check, training)| PerWork {
        inference,
        check,
        training,
    })
}

/// The work of some accounts in an epoch.
fn ledgers() -> impl Strategy<Value = Vec<PerWork<u64>>> {
    let amount = || prop_oneof![Just(0u64), 0u64..1_000, any::<u64>()];
    let one = (amount(), amount(), amount()).prop_map(|(inference, check, training)| PerWork {
        inference,
        check,
        training,
    });
    proptest::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn the_schedule_never_exceeds_its_pool(pool: u128, epochs_per_era: u32) {
        let schedule = Schedule::within(pool, epochs_per_era);
        prop_assert!(schedule.total() <= pool);
        // With a first subsidy one unit larger, the bound of the halvings would not hold.
        let epochs = 2 * u128::from(epochs_per_era.max(1));
        prop_assert!((schedule.initial + 1).checked_mul(epochs).is_none_or(|bound| bound > pool));
    }

    #[test]
    fn what_is_before_an_epoch_is_the_sum_of_the_subsidies(
        pool in 0u128..100_000, epochs_per_era in 0u32..40, epoch in 0u32..400,
    ) {
        let schedule = Schedule::within(pool, epochs_per_era);
        let expected: u128 = (0..epoch).map(|epoch| schedule.subsidy(epoch)).sum();
        prop_assert_eq!(schedule.before(epoch), expected);
    }

    #[test]
    fn what_is_before_any_epoch_stays_within_the_total(
        pool: u128, epochs_per_era: u32, epoch: u32,
    ) {
        let schedule = Schedule::within(pool, epochs_per_era);
        prop_assert!(schedule.before(epoch) <= schedule.total());
        let next = schedule.before(epoch) + schedule.subsidy(epoch);
        prop_assert!(epoch == u32::MAX || schedule.before(epoch + 1) == next);
        prop_assert!(next <= pool);
    }

    #[test]
    fn a_subsidy_is_split_without_loss(
        subsidy: u128, work in any_work(), shares in any_shares(),
    ) {
        let split = split(subsidy, &work, &shares);
        let issued = sum(&split.pools).checked_add(split.treasury);
        prop_assert_eq!(issued.and_then(|i| i.checked_add(split.unminted)), Some(subsidy));
        // The burned part of payments bounds the pool.
        prop_assert!(split.pools.inference <= work.inference);
        prop_assert!(split.pools.check <= work.check);
        for kind in Work::ALL {
            prop_assert!(*split.pools.get(kind) <= shares.get(kind).mul_floor(subsidy));
            prop_assert!(*work.get(kind) > 0 || *split.pools.get(kind) == 0);
        }
    }

    #[test]
    fn rewards_share_out_the_pools_and_leave_only_dust(
        subsidy: u128, shares in any_shares(), ledgers in ledgers(),
    ) {
        let work = PerWork::from_fn(|kind| {
            ledgers.iter().map(|amounts| u128::from(*amounts.get(kind))).sum()
        });
        let split = split(subsidy, &work, &shares);
        let pools = sum(&split.pools);
        let paid: u128 = ledgers
            .iter()
            .map(|amounts| reward(amounts, &work, &split.pools))
            .sum();
        prop_assert!(paid <= pools);
        let dust = pools - paid;
        prop_assert!(dust <= 3 * ledgers.len() as u128);
        prop_assert_eq!(paid + dust + split.treasury + split.unminted, subsidy);
    }

    #[test]
    fn who_pays_themselves_does_not_win(
        subsidy in 0u128..1u128 << 80, own: u64, others in ledgers(),
    ) {
        let amounts = PerWork { inference: own, ..Default::default() };
        let mut work = PerWork::from_fn(|kind| {
            others.iter().map(|other| u128::from(*other.get(kind))).sum()
        });
        work.inference += u128::from(own);
        let split = split(subsidy, &work, &SHARES);
        prop_assert!(reward(&amounts, &work, &split.pools) <= u128::from(own));
    }
}
