//! The weight of a poll is bounded, and later polls do the rest.

use crate::{mock::*, *};
use frame_support::{
    assert_ok,
    traits::Hooks,
    weights::{Weight, WeightMeter},
};

fn poll_with(limit: Weight) -> Weight {
    let mut meter = WeightMeter::with_limit(limit);
    Inference::on_poll(System::block_number(), &mut meter);
    assert!(meter.consumed().all_lte(limit));
    meter.consumed()
}

#[test]
fn a_block_with_nothing_to_do_costs_little() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        next_block();
        System::set_block_number(3);
        let base = <Test as Config>::WeightInfo::poll_base();
        assert_eq!(poll_with(Weight::MAX), base);
    });
}

#[test]
fn a_block_in_which_no_randomness_is_known_costs_little() {
    type Weights = <Test as Config>::WeightInfo;
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        next_block();
        let ids: Vec<_> = (0..40).map(|_| ask(ASKER)).collect();
        System::set_block_number(3);
        let expected = Weights::poll_base()
            .saturating_add(Weights::look())
            .saturating_add(Weights::visit_early());
        assert_eq!(poll_with(Weight::MAX), expected);
        assert!(ids.iter().all(|id| waits(*id)));
    });
}

#[test]
fn a_request_that_came_back_does_not_hide_that_those_behind_it_are_ready() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .rules(|rules| rules.room = 1)
        .execute_with(|| {
            set_listed(11, false);
            let (first, _) = ask_and_assign();
            let second = ask(ASKER);
            while worker_of(first).is_some() {
                next_block();
            }
            // The first came back in this block, and has to wait for a value that is younger.
            set_listed(11, true);
            next_block_on_the_same_relay_block();
            assert!(waits(first));
            assert_eq!(worker_of(second), Some(11));
        });
}

#[test]
fn a_block_that_is_full_leaves_everything_to_the_next() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        next_block();
        let id = ask(ASKER);
        System::set_block_number(4);
        assert_eq!(poll_with(Weight::zero()), Weight::zero());
        assert!(waits(id));
        next_block();
        assert_eq!(worker_of(id), Some(10));
    });
}

#[test]
fn no_more_is_taken_than_the_budget_and_the_block_have() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| rules.room = 100)
        .execute_with(|| {
            next_block_with_an_agenda();
            for _ in 0..60 {
                ask(ASKER);
            }
            enqueue_first();
            let base = <Test as Config>::WeightInfo::poll_base();
            PollBudget::set(base.saturating_add(Inference::visit_weight(3)));
            next_block();
            assert_eq!(assigned().len(), 3);
            PollBudget::set(BUDGET);
            System::set_block_number(4);
            poll_with(base.saturating_add(Inference::visit_weight(4)));
            assert_eq!(assigned().len(), 7);
            next_block();
            assert_eq!(assigned().len(), 60);
        });
}

#[test]
fn a_budget_for_few_requests_does_not_let_those_that_no_worker_takes_stop_the_others() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .rules(|rules| rules.expiry = 100)
        .execute_with(|| {
            next_block_with_an_agenda();
            set_prices(11, 20);
            let cheap: Vec<_> = (0..12).map(|_| ask_for(ASKER, 220)).collect();
            let honest = ask(ASKER);
            enqueue_first();
            set_listed(10, false);
            let base = <Test as Config>::WeightInfo::poll_base();
            PollBudget::set(base.saturating_add(Inference::visit_weight(5)));
            let mut blocks = 0;
            while waits(honest) {
                next_block();
                blocks += 1;
                // Each block looks at five; from the second block on, at two of them again.
                assert!(blocks <= 1 + (13 - 5_u32).div_ceil(3), "{blocks}");
            }
            assert_eq!(worker_of(honest), Some(11));
            assert!(cheap.iter().all(|id| waits(*id)));
        });
}

#[test]
fn a_queue_is_given_no_more_in_a_block_than_its_visits_look_at() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| rules.room = 1_000)
        .execute_with(|| {
            for _ in 0..140 {
                ask(ASKER);
            }
            next_block();
            assert_eq!(assigned().len() as u32, MOST_VISITS * LOOK_AHEAD);
            next_block();
            assert_eq!(assigned().len(), 140);
        });
}

#[test]
fn a_burst_of_a_thousand_is_given_in_eight_blocks_with_the_budget_of_a_live_chain() {
    TestExt::new()
        .endow(ASKER)
        .workers(10..30)
        .rules(|rules| rules.room = 1_000)
        .execute_with(|| {
            audit_every(10);
            // A quarter of two seconds and of 10 MiB.
            PollBudget::set(Weight::from_parts(500_000_000_000, 10 << 18));
            for _ in 0..1_000 {
                ask(ASKER);
            }
            for block in 1..=8 {
                next_block();
                let most = MOST_VISITS * LOOK_AHEAD * block;
                assert_eq!(assigned().len() as u32, most.min(1_000));
            }
        });
}

#[test]
fn many_prunings_of_one_block_do_not_stop_the_queues_and_are_taken_later() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let ids: Vec<_> = (0..100).map(|_| ask(ASKER)).collect();
        for id in &ids {
            assert_ok!(cancel(ASKER, *id));
        }
        advance(9);
        let base = <Test as Config>::WeightInfo::poll_base();
        let visits = Inference::visit_weight(1).saturating_mul(2);
        PollBudget::set(base.saturating_add(visits));
        let id = ask(ASKER);
        next_block();
        let left = Prompts::<Test>::iter().count();
        assert!(
            (2..101).contains(&left),
            "some of 100 are gone: {left} are left"
        );
        assert_eq!(worker_of(id), Some(10));
        advance(8);
        assert_eq!(Prompts::<Test>::iter().count(), 1);
        advance(20);
        assert!(ids.iter().all(|id| !Requests::<Test>::contains_key(id)));
    });
}

#[test]
fn what_was_cancelled_in_masses_does_not_delay_a_deadline() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        for _ in 0..500 {
            let id = ask(ASKER);
            assert_ok!(cancel(ASKER, id));
        }
        let (id, worker) = ask_and_assign();
        let due = deadline(id) + 1;
        // All prunings are due by then, and a block has room for a few.
        let base = <Test as Config>::WeightInfo::poll_base();
        let prunings = Inference::pruning_weight().saturating_mul(20);
        PollBudget::set(base.saturating_add(prunings));
        advance(due - System::block_number());
        assert!(
            Prompts::<Test>::iter().count() > 100,
            "most prunings are left"
        );
        assert_eq!(bond(worker), BOND - STAKE / 2);
    });
}

#[test]
fn a_deadline_that_is_found_late_is_still_missed() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (id, worker) = ask_and_assign();
        let last = deadline(id);
        System::set_block_number(last + 50);
        assert_eq!(
            submit(id, worker, TOKENS, TEXT, receipt(id)),
            Err(Error::<Test>::TooLate.into())
        );
        next_block();
        assert!(waits(id));
        assert_eq!(bond(worker), BOND - STAKE / 2);
    });
}

#[test]
fn the_constants_of_the_mock_work() {
    TestExt::new().execute_with(|| {
        PollBudget::set(Weight::from_parts(500_000_000_000, 2 << 20));
        Inference::integrity_test();
    });
}

#[test]
#[should_panic = "half of PollBudget"]
fn a_budget_without_room_for_a_whole_visit_is_refused() {
    TestExt::new().execute_with(|| {
        PollBudget::set(Inference::visit_weight(LOOK_AHEAD));
        Inference::integrity_test();
    });
}

#[test]
#[should_panic = "leaves half of a block"]
fn a_budget_that_leaves_too_little_of_a_block_is_refused() {
    TestExt::new().execute_with(|| {
        PollBudget::set(Weight::MAX);
        Inference::integrity_test();
    });
}
