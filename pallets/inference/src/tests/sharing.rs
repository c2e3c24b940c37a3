//! Several queues share the blocks.

use crate::{mock::*, *};
use noema_protocol::{CheckpointId, RequestId, SamplingParameters};
use sp_core::H256;

fn checkpoint(byte: u8) -> CheckpointId {
    CheckpointId(H256::repeat_byte(byte))
}

fn ask_at(checkpoint: CheckpointId) -> RequestId {
    let parameters = SamplingParameters::greedy(TOKENS_ASKED);
    ask_of(ASKER, checkpoint, PROMPT, parameters, LIMIT).expect("the request is valid")
}

/// A budget for `visits` visits that assign one request each.
fn budget_for(visits: u64) -> frame_support::weights::Weight {
    let base = <Test as Config>::WeightInfo::poll_base();
    let visit = Inference::visit_weight(1);
    base.saturating_add(visit.saturating_mul(visits))
}

#[test]
fn each_checkpoint_has_its_queue_and_its_workers() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        add_checkpoint(OTHER_CHECKPOINT, LIMITS);
        add_worker(11, OTHER_CHECKPOINT, BOND);
        let (first, second) = (ask_at(CHECKPOINT), ask_at(OTHER_CHECKPOINT));
        next_block();
        assert_eq!(worker_of(first), Some(10));
        assert_eq!(worker_of(second), Some(11));
    });
}

#[test]
fn a_worker_of_two_checkpoints_shares_its_room_among_them() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        add_checkpoint(OTHER_CHECKPOINT, LIMITS);
        add_worker(10, OTHER_CHECKPOINT, BOND);
        let ids: Vec<_> = (0..4)
            .flat_map(|_| [ask_at(CHECKPOINT), ask_at(OTHER_CHECKPOINT)])
            .collect();
        next_block();
        assert_eq!(load(10).open, 2);
        for _ in 0..20 {
            for id in assigned() {
                end_claim(answer(id), TRUE);
            }
            next_block();
        }
        let is_over = |id: &RequestId| {
            Requests::<Test>::get(id).is_none_or(|request| request.phase.is_final())
        };
        assert!(ids.iter().all(is_over), "none starves");
    });
}

#[test]
fn one_long_queue_does_not_keep_the_others_waiting() {
    TestExt::new().endow(ASKER).execute_with(|| {
        set_rules(|rules| rules.room = 1_000);
        let checkpoints: Vec<_> = (1..=12).map(checkpoint).collect();
        for (worker, checkpoint) in (10..).zip(&checkpoints) {
            add_checkpoint(*checkpoint, LIMITS);
            add_worker(worker, *checkpoint, BOND);
        }
        for _ in 0..100 {
            ask_at(checkpoints[3]);
        }
        let others: Vec<_> = checkpoints
            .iter()
            .filter(|checkpoint| **checkpoint != checkpoints[3])
            .map(|checkpoint| ask_at(*checkpoint))
            .collect();
        // Three visits a block.
        PollBudget::set(budget_for(3));
        let mut blocks = 0;
        while others.iter().any(|id| waits(*id)) {
            next_block();
            blocks += 1;
        }
        assert!(blocks <= 12 / 2, "{blocks}");
    });
}

#[test]
fn the_next_block_goes_on_with_the_queues_that_are_left() {
    TestExt::new().endow(ASKER).execute_with(|| {
        let checkpoints: Vec<_> = (1..=5).map(checkpoint).collect();
        for (worker, checkpoint) in (10..).zip(&checkpoints) {
            add_checkpoint(*checkpoint, LIMITS);
            add_worker(worker, *checkpoint, BOND);
        }
        next_block_with_an_agenda();
        let ids: Vec<_> = checkpoints.iter().map(|one| ask_at(*one)).collect();
        enqueue_first();
        PollBudget::set(budget_for(1));
        for block in 1..=5 {
            next_block();
            assert_eq!(assigned().len(), block);
        }
        assert!(ids.iter().all(|id| worker_of(*id).is_some()));
    });
}

#[test]
fn two_queues_take_turns_at_being_first() {
    TestExt::new().endow(ASKER).execute_with(|| {
        set_rules(|rules| rules.room = 1_000);
        let checkpoints = [checkpoint(1), checkpoint(2)];
        for (worker, checkpoint) in (10..).zip(checkpoints) {
            add_checkpoint(checkpoint, LIMITS);
            add_worker(worker, checkpoint, BOND);
        }
        next_block_with_an_agenda();
        for checkpoint in checkpoints {
            for _ in 0..80 {
                ask_at(checkpoint);
            }
        }
        enqueue_first();
        // The first queue is looked at up to the limit, the second gets the rest.
        let base = <Test as Config>::WeightInfo::poll_base();
        let first = Inference::visit_weight(LOOK_AHEAD);
        let second = Inference::visit_weight(1);
        PollBudget::set(base.saturating_add(first).saturating_add(second));
        let open = || [10, 11].map(|worker| load(worker).open);
        next_block();
        let [most, least] = open();
        assert!(most.abs_diff(least) >= 10, "{most} and {least}");
        next_block();
        let [one, other] = open();
        assert_eq!((one, other), (most + least, most + least));
        next_block();
        next_block();
        let [one, other] = open();
        assert_eq!(one, other, "and so on");
    });
}

#[test]
fn as_many_queues_as_are_visited_in_a_block_take_turns_too() {
    let count = MOST_QUEUES as u8;
    for more in [0, 1] {
        TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
            audit_every(10);
            set_rules(|rules| rules.room = 1);
            ask_and_assign();
            let checkpoints: Vec<_> = (1..=count + more).map(|n| checkpoint(100 + n)).collect();
            for checkpoint in &checkpoints {
                add_checkpoint(*checkpoint, LIMITS);
                add_worker(10, *checkpoint, BOND);
                ask_at(*checkpoint);
            }
            enqueue_first();
            // No request is assigned: each block visits the queues and leaves them unchanged.
            PollBudget::set(frame_support::weights::Weight::MAX);
            let next = |queue: &CheckpointId| Inference::next_queue(Some(*queue));
            let order: Vec<_> = core::iter::successors(Inference::next_queue(None), next)
                .take(checkpoints.len())
                .collect();
            assert_eq!(order.len(), checkpoints.len());
            for block in 0..3 {
                next_block();
                // The next block begins after this one: with the second queue, or with the remaining one.
                let after = match more {
                    0 => block,
                    _ => (block + 1) * (order.len() - 1) - 1,
                };
                let expected = order[after % order.len()];
                assert_eq!(LastVisited::<Test>::get(), Some(expected), "{block}");
            }
        });
    }
}

#[test]
fn queues_that_are_emptied_on_the_way_do_not_let_others_be_visited_twice_or_left_out() {
    TestExt::new().endow(ASKER).execute_with(|| {
        set_rules(|rules| rules.room = 1_000);
        let checkpoints: Vec<_> = (1..=9).map(checkpoint).collect();
        for (worker, checkpoint) in (10..).zip(&checkpoints) {
            add_checkpoint(*checkpoint, LIMITS);
            add_worker(worker, *checkpoint, BOND);
        }
        next_block_with_an_agenda();
        for _ in 0..3 {
            let ids: Vec<_> = checkpoints.iter().map(|one| ask_at(*one)).collect();
            // One queue stays unchanged, as its worker is not in the roster.
            set_listed(14, false);
            next_block();
            assert!(waits(ids[4]));
            assert_eq!(
                Searches::<Test>::get(checkpoints[4]).fruitless,
                1,
                "one draw"
            );
            let given = ids.iter().filter(|id| worker_of(**id).is_some());
            assert_eq!(given.count(), 8);
            set_listed(14, true);
            next_block();
            assert_eq!(worker_of(ids[4]), Some(14));
        }
    });
}

#[test]
fn new_requests_for_one_checkpoint_take_no_room_before_those_that_wait_for_another() {
    let other = checkpoint(1);
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| rules.room = 1)
        .execute_with(|| {
            add_checkpoint(other, LIMITS);
            add_worker(10, other, BOND);
            let (mut open, _) = ask_and_assign();
            let waiting: Vec<_> = (0..3).map(|_| ask(ASKER)).collect();
            next_block();
            let mut given = Vec::new();
            for _ in 0..2 * waiting.len() {
                ask_at(other);
                answer(open);
                next_block();
                open = *assigned().first().expect("the worker has room");
                given.push(open);
            }
            assert!(waiting.iter().all(|id| given.contains(id)), "{given:?}");
        });
}

#[test]
fn no_queue_is_looked_up_that_the_budget_does_not_reach() {
    let proof = TestExt::new().endow(ASKER).proof_of(
        || {
            audit_every(1_000);
            for checkpoint in (1..=60).map(checkpoint) {
                add_checkpoint(checkpoint, LIMITS);
                add_worker(10, checkpoint, BOND);
                ask_at(checkpoint);
            }
            enqueue_first();
        },
        || {
            PollBudget::set(budget_for(0));
            next_block();
        },
    );
    assert!(proof < 2_500, "{proof}: one queue and no request");
}
