//! The queue: which worker gets which request, and when.

use crate::{mock::*, *};
use frame_support::assert_ok;
use noema_protocol::{hashing, RequestId, SamplingParameters};
use std::collections::BTreeSet;

#[test]
fn a_request_is_assigned_with_randomness_that_was_not_known_when_it_was_made() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        next_block();
        let id = ask(ASKER);
        // The latest value is that of the relay chain block on which the request was made.
        next_block_on_the_same_relay_block();
        assert!(waits(id));
        set_random(false);
        advance(20);
        assert!(
            waits(id),
            "no request is refunded while no worker can be drawn"
        );
        set_random(true);
        next_block();
        assert_eq!(worker_of(id), Some(10));
        // 4 blocks, one for 16 bytes of prompt, and two for 16 tokens.
        assert_eq!(deadline(id), System::block_number() + 4 + 1 + 2);
    });
}

#[test]
fn an_assignment_locks_the_stake_and_tells_the_seed() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (id, worker) = ask_and_assign();
        assert_eq!(locks(worker), [(id.into(), STAKE)]);
        let assignment = request(id).assignment.expect("the request is assigned");
        assert_eq!(
            (assignment.answer_max, assignment.check_fee),
            (ANSWER_MAX, CHECK_FEE)
        );
        let value = world_value();
        let draw = hashing::worker_draw(value, CHECKPOINT, 2u32, 0);
        assert_eq!(assignment.seed, hashing::sampling_seed(draw, id, 0));
        System::assert_last_event(
            Event::Assigned {
                request: id,
                worker,
                seed: assignment.seed,
                stake: STAKE,
                deadline: 9,
            }
            .into(),
        );
    });
}

/// The latest value of the relay chain's randomness.
fn world_value() -> sp_core::H256 {
    use noema_interfaces::RelayRandomness;
    World::beacon()
        .for_assignment(0)
        .expect("a value is available")
}

#[test]
fn a_thousand_requests_of_one_block_are_answered_in_order_and_no_worker_idles() {
    TestExt::new()
        .endow(ASKER)
        .endow(2)
        .workers([10, 11])
        .rules(|rules| {
            rules.room = 8;
            rules.retention = 1_000;
        })
        .execute_with(|| {
            audit_every(40);
            let ids: Vec<_> = (0..1_000).map(|n| ask_for(1 + n % 2, 300)).collect();
            let (mut given, mut answered, mut blocks) = (0, 0, 0);
            while answered < ids.len() {
                next_block();
                blocks += 1;
                let mut now: Vec<_> = [10, 11]
                    .into_iter()
                    .flat_map(Inference::assignments)
                    .map(|open| open.request)
                    .collect();
                now.sort_unstable();
                // The requests of workers follow the answered ones without a gap.
                let new = now.iter().filter(|id| **id >= RequestId(given as u64));
                let expected: Vec<_> = ids.iter().skip(given).take(new.clone().count()).collect();
                assert_eq!(new.collect::<Vec<_>>(), expected, "in order");
                given += expected.len();
                let room_left = [10, 11].iter().any(|worker| load(*worker).open < 8);
                assert!(given == ids.len() || !room_left, "none idles");
                // Each worker answers half of what it has.
                for id in now.into_iter().take(8) {
                    end_claim(answer(id), TRUE);
                    answered += 1;
                }
            }
            assert!(blocks <= 1_000 / 8 + 1, "{blocks}");
            assert!(ids.iter().all(|id| Requests::<Test>::get(id)
                .is_none_or(|request| { matches!(request.phase, RequestPhase::Settled { .. }) })));
        });
}

#[test]
fn the_deadlines_of_a_worker_leave_time_for_all_that_it_has() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| rules.room = 4)
        .execute_with(|| {
            TestClaimRules::mutate(|rules| rules.windows.finality = 7);
            let ids: Vec<_> = (0..4).map(|_| ask(ASKER)).collect();
            next_block();
            let deadlines: Vec<_> = ids.iter().map(|id| deadline(*id)).collect();
            // 7 blocks until the assignment is final, 4, and for each request one block for every started 20
            // bytes of all prompts and one for every 8 tokens of all answers.
            assert_eq!(deadlines, [2 + 14, 2 + 11 + 6, 2 + 11 + 9, 2 + 11 + 12]);
            assert_eq!(
                load(10),
                Load {
                    open: 4,
                    tokens: 64,
                    prompt_bytes: 64
                }
            );
            answer(ids[2]);
            assert_eq!(load(10).open, 3);
            let next = ask(ASKER);
            next_block();
            assert_eq!(deadline(next), 3 + 11 + 12);
        });
}

#[test]
fn requests_that_no_worker_takes_do_not_stop_those_behind_them() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .rules(|rules| rules.room = 40)
        .execute_with(|| {
            set_prices(11, 20);
            let cheap: Vec<_> = (0..3).map(|_| ask_for(ASKER, 220)).collect();
            let dear: Vec<_> = (0..3).map(|_| ask(ASKER)).collect();
            set_listed(10, false);
            next_block();
            assert_eq!(assigned(), dear);
            assert!(cheap.iter().all(|id| waits(*id)));
            set_listed(10, true);
            next_block();
            assert!(cheap.iter().all(|id| worker_of(*id) == Some(10)));
        });
}

#[test]
fn the_search_goes_on_behind_those_that_no_worker_with_room_takes() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .rules(|rules| {
            rules.room = 40;
            rules.expiry = 100;
        })
        .execute_with(|| {
            set_prices(11, 20);
            let cheap: Vec<_> = (0..150).map(|_| ask_for(ASKER, 220)).collect();
            let dear = ask(ASKER);
            set_listed(10, false);
            next_block();
            let searched = (MOST_VISITS * LOOK_AHEAD) as usize;
            assert_eq!(
                Searches::<Test>::get(CHECKPOINT).cursor,
                Some(cheap[searched - 1]),
                "a block looks at that many"
            );
            next_block();
            assert_eq!(assigned(), [dear], "the next block finds it");
            assert_eq!(
                Searches::<Test>::get(CHECKPOINT).cursor,
                None,
                "and no request is left behind it"
            );
            set_listed(10, true);
            set_listed(11, false);
            next_block();
            assert_eq!(
                assigned()[..40],
                cheap[..40],
                "the requests kept their places"
            );
        });
}

#[test]
fn a_worker_with_room_finds_what_it_would_take_behind_those_that_wait_for_a_busy_one() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .rules(|rules| rules.answer = 200)
        .execute_with(|| {
            audit_every(10);
            set_prices(11, 20);
            let cheap: Vec<_> = (0..200).map(|_| ask_for(ASKER, 220)).collect();
            let dear = ask(ASKER);
            next_block();
            assert_eq!(load(10).open, 2);
            next_block();
            assert_eq!(worker_of(dear), Some(11));
            assert!(cheap[2..].iter().all(|id| waits(*id)));
        });
}

#[test]
fn a_dear_worker_that_always_has_room_changes_nothing_about_the_order() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| {
            rules.room = 8;
            rules.retention = 1_000;
        })
        .execute_with(|| {
            audit_every(20);
            add_worker(66, CHECKPOINT, 9 * BOND);
            set_prices(66, 1_000);
            let ids: Vec<_> = (0..300).map(|_| ask(ASKER)).collect();
            let mut given = Vec::new();
            while given.len() < ids.len() {
                next_block();
                let new = assigned();
                assert!(!new.is_empty(), "worker 10 does not idle");
                for id in &new {
                    end_claim(answer(*id), TRUE);
                }
                given.extend(new);
            }
            assert_eq!(given, ids);
        });
}

#[test]
fn what_comes_back_before_the_cursor_is_not_left_out() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 66])
        .rules(|rules| {
            rules.room = 1;
            rules.max_attempts = 8;
            rules.expiry = 100;
        })
        .execute_with(|| {
            audit_every(10);
            set_prices(66, 1_000);
            let (first, _) = ask_and_assign();
            set_prices(10, 5);
            for _ in 0..200 {
                ask_for(ASKER, 150);
            }
            set_prices(10, 10);
            while !waits(first) || Searches::<Test>::get(CHECKPOINT).cursor.is_none() {
                next_block();
            }
            resume(10);
            next_block();
            assert_eq!(worker_of(first), Some(10));
        });
}

#[test]
fn a_worker_that_takes_a_request_is_found_among_many_that_charge_too_much() {
    for salt in 0..20 {
        TestExt::new()
            .salt(salt)
            .endow(ASKER)
            .workers(10..28)
            .execute_with(|| {
                for worker in 11..28 {
                    set_prices(worker, 11);
                }
                let id = ask_for(ASKER, 300);
                let cheap = ask_for(ASKER, 220);
                next_block();
                assert_eq!(worker_of(cheap), Some(10), "although the other came first");
                assert!(worker_of(id).is_some());
            });
    }
}

#[test]
fn a_relay_chain_that_stands_still_does_not_stop_requests_that_are_older() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| rules.room = 1)
        .execute_with(|| {
            let (first, _) = ask_and_assign();
            let second = ask(ASKER);
            next_block();
            let third = ask(ASKER);
            answer(first);
            next_block_on_the_same_relay_block();
            assert_eq!(worker_of(second), Some(10));
            answer(second);
            next_block_on_the_same_relay_block();
            assert!(waits(third), "the request is not older than the value");
        });
}

#[test]
fn requests_that_fit_only_the_askers_own_busy_worker_delay_others_by_few_blocks() {
    const ATTACKER: AccountId = 2;
    TestExt::new()
        .endow(ASKER)
        .endow(ATTACKER)
        .workers([10, 11, 66])
        .rules(|rules| rules.expiry = 30)
        .execute_with(|| {
            audit_every(10);
            // Worker 66 charges half, and is busy with the requests of its owner.
            set_prices(66, 5);
            let own_limit = 16 + 16 * 5 + 32;
            let ids: Vec<_> = (0..300).map(|_| ask_for(ATTACKER, own_limit)).collect();
            next_block();
            assert_eq!(load(66).open, 2);
            let honest = ask(ASKER);
            let mut blocks = 0;
            while waits(honest) {
                next_block();
                blocks += 1;
            }
            // Each block looks at 128 requests, and 16 of them are the first ones, again.
            assert!(blocks <= 300 / 112 + 1, "{blocks}");
            assert_ne!(worker_of(honest), Some(66));
            end_claim(answer(honest), TRUE);
            let burned: Balance = ids.iter().map(|id| request(*id).storage_burned).sum();
            assert_eq!(free(ATTACKER) + on_hold(ATTACKER), FUNDS - burned);
            // They expire once the attacker's worker, which answers none, is no longer in the roster.
            let mut blocks = 0;
            while ids
                .iter()
                .filter_map(Requests::<Test>::get)
                .any(|request| request.phase == RequestPhase::Waiting)
            {
                next_block();
                blocks += 1;
            }
            // Each is looked at four times until it is refunded, except for the two that the worker has: they
            // wait again once it has missed their deadline.
            assert!(blocks <= 12 + 30 + 4 * (300 / 112 + 1), "{blocks}");
        });
}

#[test]
fn a_worker_whose_bond_is_spent_gets_nothing_that_it_cannot_stake() {
    TestExt::new()
        .endow(ASKER)
        .rules(|rules| rules.room = 8)
        .execute_with(|| {
            add_worker(10, CHECKPOINT, STAKE + 150);
            let first = ask(ASKER);
            let large = ask(ASKER);
            let parameters = SamplingParameters::greedy(4);
            // Its stake is 2 · (16 + 40).
            let small =
                ask_of(ASKER, CHECKPOINT, PROMPT, parameters, LIMIT).expect("the request is valid");
            next_block();
            assert_eq!(assigned(), [first, small]);
            advance(5);
            assert!(waits(large), "the worker is present, but busy");
            end_claim(answer(first), TRUE);
            next_block();
            assert_eq!(worker_of(large), Some(10));
        });
}

#[test]
fn what_is_added_to_a_bond_once_the_draw_is_known_stakes_nothing() {
    TestExt::new().endow(ASKER).execute_with(|| {
        add_worker(10, CHECKPOINT, STAKE + 150);
        let ids = [ask(ASKER), ask(ASKER)];
        add_to_bond(10, 9 * STAKE);
        next_block();
        assert_eq!(assigned(), ids[..1]);
    });
}

#[test]
fn a_worker_with_nothing_left_to_stake_leaves_a_request_to_another() {
    for salt in 0..10 {
        TestExt::new()
            .salt(salt)
            .endow(ASKER)
            .rules(|rules| rules.room = 8)
            .execute_with(|| {
                use noema_interfaces::Operators;
                // Worker 10 is drawn nine times out of ten, and its whole bond is locked behind another job.
                add_worker(10, CHECKPOINT, 9 * BOND);
                add_worker(11, CHECKPOINT, BOND);
                let other = noema_protocol::RoundId(0).into();
                assert_ok!(World::lock(&10, other, 9 * BOND));
                let id = ask(ASKER);
                next_block();
                assert_eq!(worker_of(id), Some(11));
            });
    }
}

#[test]
fn every_worker_with_room_gets_its_part() {
    TestExt::new()
        .endow(ASKER)
        .workers(10..20)
        .execute_with(|| {
            for _ in 0..20 {
                ask(ASKER);
            }
            next_block();
            assert!((10..20).all(|worker| load(worker).open == 2));
        });
}

#[test]
fn workers_are_drawn_in_proportion_to_their_bonds() {
    let mut drawn = [0; 2];
    for salt in 0..100 {
        TestExt::new().salt(salt).endow(ASKER).execute_with(|| {
            add_worker(10, CHECKPOINT, 3 * BOND);
            add_worker(11, CHECKPOINT, BOND);
            let (_, worker) = ask_and_assign();
            drawn[(worker - 10) as usize] += 1;
        });
    }
    assert!((60..=90).contains(&drawn[0]), "{drawn:?}");
}

#[test]
fn absent_workers_get_nothing_until_they_come_back() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (first, _) = ask_and_assign();
        let second = ask(ASKER);
        while !waits(first) {
            next_block();
        }
        assert!(is_absent(10));
        end_claim(answer(second), TRUE);
        advance(5);
        assert!(waits(first));
        resume(10);
        next_block();
        assert_eq!(worker_of(first), Some(10));
    });
}

#[test]
fn more_workers_than_requests_leave_nothing_waiting() {
    TestExt::new()
        .endow(ASKER)
        .workers(10..60)
        .execute_with(|| {
            let ids = [ask(ASKER), ask(ASKER), ask(ASKER)];
            next_block();
            assert_eq!(assigned(), ids);
            let workers: BTreeSet<_> = ids.iter().map(|id| worker_of(*id)).collect();
            assert_eq!(workers.len(), 3, "each worker gets one request");
            assert_ok!(Inference::audit());
        });
}

#[test]
fn the_first_new_request_has_no_place_in_a_queue_and_comes_before_those_that_have() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| rules.room = 1)
        .execute_with(|| {
            let (first, second) = (ask(ASKER), ask(ASKER));
            assert_eq!(Unqueued::<Test>::get(), Some(first));
            assert_eq!(Queue::<Test>::iter_keys().count(), 1);
            let position = |id| Inference::request_state(id).and_then(|state| state.position);
            assert_eq!((position(first), position(second)), (Some(0), Some(1)));
            next_block();
            assert_eq!(worker_of(first), Some(10));
            assert!(waits(second));
            assert_eq!(Unqueued::<Test>::get(), None);
        });
}

#[test]
fn a_request_without_a_place_comes_behind_those_that_wait_for_its_checkpoint() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| rules.room = 1)
        .execute_with(|| {
            let (first, _) = ask_and_assign();
            let second = ask(ASKER);
            next_block();
            assert_eq!(Queue::<Test>::iter_keys().count(), 1, "no worker has room");
            let third = ask(ASKER);
            assert_eq!(Unqueued::<Test>::get(), Some(third));
            next_block();
            assert_eq!(Unqueued::<Test>::get(), None);
            answer(first);
            next_block();
            assert_eq!(worker_of(second), Some(10));
            answer(second);
            next_block();
            assert_eq!(worker_of(third), Some(10));
        });
}

#[test]
fn a_request_without_a_place_is_drawn_for_once_in_a_block() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask(ASKER);
        set_listed(10, false);
        next_block();
        assert!(waits(id));
        assert_eq!(Searches::<Test>::get(CHECKPOINT).fruitless, 1);
        assert_eq!(Unqueued::<Test>::get(), None, "it has a place from then on");
        next_block();
        assert_eq!(Searches::<Test>::get(CHECKPOINT).fruitless, 2);
    });
}

#[test]
fn a_request_without_a_place_is_refunded_where_its_checkpoint_was_withdrawn() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask(ASKER);
        withdraw_checkpoint(CHECKPOINT);
        next_block();
        assert_eq!(refunded_for(id), Some(RefundReason::CheckpointWithdrawn));
        assert_eq!(Unqueued::<Test>::get(), None);
    });
}

#[test]
fn a_request_without_a_place_that_is_cancelled_leaves_room_for_another() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let first = ask(ASKER);
        let second = ask(ASKER);
        assert_ok!(cancel(ASKER, second));
        assert_eq!(Unqueued::<Test>::get(), Some(first));
        assert_ok!(cancel(ASKER, first));
        let third = ask(ASKER);
        assert_eq!(Unqueued::<Test>::get(), Some(third));
        next_block();
        assert_eq!(assigned(), [third]);
    });
}

#[test]
fn a_request_pays_for_the_place_that_it_gets() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let charged = || {
            let made = Inference::request_inference(
                RuntimeOrigin::signed(ASKER),
                CHECKPOINT,
                PROMPT.to_vec(),
                SamplingParameters::greedy(TOKENS_ASKED),
                LIMIT,
            );
            made.expect("the request is valid").actual_weight
        };
        type Weights = <Test as Config>::WeightInfo;
        let without = Weights::request_inference(PROMPT.len() as u32, 1);
        assert_eq!(charged(), Some(without));
        assert_eq!(charged(), Some(without.saturating_add(Weights::enqueue())));
    });
}
