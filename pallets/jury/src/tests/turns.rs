use crate::{mock::*, weights::SubstrateWeight, DisputePlace, DisputeStage, Instance, WeightInfo};
use frame_support::{
    assert_ok,
    traits::Hooks,
    weights::{Weight, WeightMeter},
};
use noema_protocol::{ClaimId, Verdict};

type Weights = SubstrateWeight<Test>;

/// Opens a dispute over a leaf of each of `n` claims.
fn disputes(n: u64) {
    for id in 1..=n {
        challenge(ClaimId(id), 0, CHALLENGER);
    }
}

/// Claims whose dispute has a jury.
fn drawn() -> Vec<u64> {
    let mut drawn: Vec<_> = crate::OpenDisputes::<Test>::iter()
        .filter(|(_, _, open)| !open.dispute.first.is_empty())
        .map(|(claim, _, _)| claim.0)
        .collect();
    drawn.sort_unstable();
    drawn
}

fn place(id: u64) -> Option<DisputePlace<u32>> {
    crate::OpenDisputes::<Test>::get(ClaimId(id), 0).map(|open| open.place)
}

#[test]
fn constants_keep_what_is_promised() {
    TestExt::new().execute_with(Jury::integrity_test);
}

#[test]
fn the_weight_of_the_heaviest_step_is_a_small_part_of_a_block() {
    // Half a second, and five MiB: half of what a block has.
    let half = Weight::from_parts(500_000_000_000, 5 << 20);
    for step in [Jury::heaviest_turn(), Jury::heaviest_draw()] {
        let step = step.saturating_add(Weights::poll_base());
        assert!(step.all_lte(half), "{step:?}");
        assert!(step.all_gte(Weights::look()));
    }
}

#[test]
fn juries_are_drawn_in_the_order_of_the_queue_so_many_in_a_block() {
    TestExt::new().validators(10..40).execute_with(|| {
        MaxDrawsPerBlock::set(2);
        disputes(5);
        while drawn().is_empty() {
            block();
        }
        assert_eq!(drawn(), [1, 2]);
        block();
        assert_eq!(drawn(), [1, 2, 3, 4]);
        block();
        assert_eq!(drawn(), [1, 2, 3, 4, 5]);
    });
}

#[test]
fn one_value_serves_all_that_wait_for_it() {
    TestExt::new().validators(10..60).execute_with(|| {
        disputes(4);
        while drawn().is_empty() {
            block();
        }
        assert_eq!(drawn(), [1, 2, 3, 4]);
    });
}

#[test]
fn what_exceeds_the_budget_waits_for_a_value_that_is_not_public_yet() {
    TestExt::new().validators(10..40).execute_with(|| {
        MaxDrawsPerBlock::set(2);
        disputes(5);
        while drawn().is_empty() {
            block();
        }
        assert_eq!(drawn(), [1, 2]);
        // The value stays, and would suffice for a draw; it has been public since the last block.
        set_random(false);
        for _ in 0..10 {
            block();
            assert_eq!(drawn(), [1, 2]);
        }
        set_random(true);
        block();
        assert_eq!(drawn(), [1, 2, 3, 4]);
    });
}

#[test]
fn a_value_that_came_to_a_block_without_weight_is_not_used_later() {
    TestExt::new().validators(10..40).execute_with(|| {
        disputes(1);
        for _ in 0..20 {
            block_with(&mut WeightMeter::with_limit(Weight::zero()));
        }
        set_random(false);
        (0..10).for_each(|_| block());
        assert_eq!(drawn(), Vec::<u64>::new());
        set_random(true);
        // The next block takes the turns of the earlier blocks.
        block();
        assert_eq!(drawn(), [1]);
    });
}

#[test]
fn what_has_no_fresh_randomness_does_not_go_before_its_time() {
    TestExt::new().validators(10..40).execute_with(|| {
        challenge(ClaimId(1), 0, CHALLENGER);
        block();
        challenge(ClaimId(2), 0, CHALLENGER);
        while drawn().is_empty() {
            block();
        }
        assert_eq!(drawn(), [1]);
        block();
        assert_eq!(drawn(), [1, 2]);
    });
}

#[test]
fn without_weight_nothing_happens_and_nothing_is_lost() {
    TestExt::new().validators(10..40).execute_with(|| {
        disputes(2);
        for _ in 0..20 {
            block_with(&mut WeightMeter::with_limit(Weight::zero()));
        }
        assert_eq!(drawn(), Vec::<u64>::new());
        let mut meter =
            WeightMeter::with_limit(Weights::poll_base().saturating_add(Jury::heaviest_draw()));
        // Randomness is available again for two disputes, and weight for one turn. Leaving each earlier block
        // takes a step.
        crate::AgendaCursor::<Test>::put(System::block_number() + 1);
        block_with(&mut meter);
        assert_eq!(drawn(), [1]);
        block();
        assert_eq!(drawn(), [1, 2]);
    });
}

#[test]
fn no_more_is_used_than_there_is() {
    TestExt::new().validators(10..100).execute_with(|| {
        MaxDrawsPerBlock::set(16);
        disputes(12);
        // Where the heaviest turn no longer fits, none is taken.
        let turn = Weights::draw_jury(FirstJury::get())
            .saturating_add(Weights::draw(FirstJury::get()))
            .saturating_add(Weights::advance());
        let limit = Weights::poll_base()
            .saturating_add(Jury::heaviest_draw())
            .saturating_add(turn.saturating_mul(3));
        let mut blocks_with_draws = 0;
        for _ in 0..60 {
            let before = drawn().len();
            let mut meter = WeightMeter::with_limit(limit);
            block_with(&mut meter);
            assert!(meter.consumed().all_lte(limit));
            blocks_with_draws += u32::from(drawn().len() > before);
        }
        assert!(blocks_with_draws > 2, "the draws do not fit in one block");
        assert_eq!(concluded().len(), 12, "and all ended by silence");
    });
}

#[test]
fn turns_that_are_due_together_are_taken_so_many_in_a_block() {
    TestExt::new().validators(10..100).execute_with(|| {
        MaxDrawsPerBlock::set(16);
        disputes(6);
        while drawn().is_empty() {
            block();
        }
        let deadline = |id| match place(id) {
            Some(DisputePlace::Agenda(at)) => at,
            other => panic!("{other:?}"),
        };
        let last = (1..=6)
            .map(deadline)
            .max()
            .expect("the list has six entries");
        while System::block_number() < last {
            block_with(&mut WeightMeter::with_limit(Weight::zero()));
        }
        MaxTurnsPerBlock::set(4);
        let in_second = || {
            crate::OpenDisputes::<Test>::iter_values()
                .filter(|open| open.dispute.instance == Instance::Second)
                .count()
        };
        let mut blocks = 0;
        while in_second() < 6 {
            let before = in_second();
            block();
            blocks += 1;
            assert!(in_second() - before <= 4);
        }
        assert!(blocks > 1);
    });
}

#[test]
fn a_late_turn_does_not_shorten_the_next_window() {
    TestExt::new().validators(10..13).execute_with(|| {
        open_and_draw();
        let first = jurors()[0];
        assert_ok!(commit(first, Verdict::True));
        go_to_deadline();
        for _ in 0..3 {
            block_with(&mut WeightMeter::with_limit(Weight::zero()));
        }
        // Leaving the blocks in which no turn was taken takes as many steps.
        block();
        let until = System::block_number() + REVEAL_WINDOW;
        assert_eq!(dispute().stage, DisputeStage::Revealing { until });
    });
}

#[test]
fn the_last_to_commit_brings_the_turn_forward() {
    TestExt::new().validators(10..13).execute_with(|| {
        open_and_draw();
        let turns = || crate::Turns::<Test>::iter_keys().map(|(block, _)| block);
        let deadline = until() + 1;
        for juror in jurors() {
            assert_eq!(turns().collect::<Vec<_>>(), [deadline]);
            assert_ok!(commit(juror, Verdict::True));
        }
        let next = System::block_number() + 1;
        assert_eq!(turns().collect::<Vec<_>>(), [next]);
    });
}

#[test]
fn every_dispute_ends_by_itself() {
    TestExt::new().validators(10..20).execute_with(|| {
        open();
        // Freshness and both windows to commit; without a commitment there is no window to reveal.
        let longest = 2 * (FRESHNESS + 2) + 2 * (COMMIT_WINDOW + 1);
        for _ in 0..longest {
            block();
        }
        assert_eq!(concluded().len(), 1);
        assert_eq!(crate::Turns::<Test>::iter().count(), 0);
    });
}
