//! Requests for which no worker is available, and withdrawn checkpoints.

use crate::{mock::*, *};
use frame_support::assert_ok;
use noema_protocol::SamplingParameters;

#[test]
fn without_any_worker_a_request_is_refunded_once_it_has_expired() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask(ASKER);
        set_listed(10, false);
        advance(9);
        assert!(waits(id));
        assert_eq!(Searches::<Test>::get(CHECKPOINT).fruitless, 9);
        next_block();
        assert_eq!(refunded_for(id), Some(RefundReason::NoWorker));
        assert_eq!((on_hold(ASKER), free(ASKER)), (0, FUNDS - STORAGE));
        assert_eq!(
            Searches::<Test>::get(CHECKPOINT).fruitless,
            0,
            "the count is removed"
        );
    });
}

#[test]
fn a_request_waits_as_long_as_a_worker_is_there_however_busy() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| {
            rules.room = 1;
            rules.tokens_per_block = 1;
            rules.answer = 200;
        })
        .execute_with(|| {
            let (first, _) = ask_and_assign();
            let second = ask(ASKER);
            advance(100);
            assert!(waits(second), "it waits for ten times its expiry");
            answer(first);
            next_block();
            assert_eq!(worker_of(second), Some(10));
        });
}

/// The requester pays only once for a request that every block looks at.
#[test]
fn a_request_does_not_wait_for_ever_for_a_worker_that_stays_busy() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| {
            rules.room = 1;
            rules.answer = 2_000;
        })
        .execute_with(|| {
            ask_and_assign();
            let expiry = request(ask(ASKER)).rules.expiry;
            let second = ask(ASKER);
            advance(MOST_EXPIRIES * expiry - 1);
            assert!(waits(second));
            next_block();
            assert_eq!(refunded_for(second), Some(RefundReason::NoWorker));
        });
}

#[test]
fn a_worker_that_is_busy_for_another_checkpoint_is_a_worker() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| {
            rules.room = 1;
            rules.answer = 200;
        })
        .execute_with(|| {
            ask_and_assign();
            add_checkpoint(OTHER_CHECKPOINT, LIMITS);
            add_worker(10, OTHER_CHECKPOINT, BOND);
            let parameters = SamplingParameters::greedy(TOKENS_ASKED);
            let id = ask_of(ASKER, OTHER_CHECKPOINT, PROMPT, parameters, LIMIT)
                .expect("the request is valid");
            advance(50);
            assert!(waits(id));
        });
}

#[test]
fn one_worker_that_is_met_starts_the_count_anew() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        set_rules(|rules| rules.room = 1);
        ask_and_assign();
        let id = ask(ASKER);
        set_listed(10, false);
        advance(5);
        set_listed(10, true);
        next_block();
        set_listed(10, false);
        assert_eq!(Searches::<Test>::get(CHECKPOINT).fruitless, 0);
        advance(9);
        assert!(waits(id), "the request waits although it has expired");
        next_block();
        assert_eq!(refunded_for(id), Some(RefundReason::NoWorker));
    });
}

#[test]
fn blocks_without_randomness_do_not_count() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask(ASKER);
        set_random(false);
        set_listed(10, false);
        advance(40);
        assert!(waits(id));
        set_random(true);
        advance(9);
        assert!(waits(id));
        next_block();
        assert_eq!(refunded_for(id), Some(RefundReason::NoWorker));
    });
}

#[test]
fn what_only_dearer_workers_are_there_for_is_refunded_once_it_has_expired() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .execute_with(|| {
            set_prices(11, 20);
            let id = ask_for(ASKER, 220);
            set_listed(10, false);
            // It expires in block 11, and is passed over in that block and three more times.
            while System::block_number() < 13 {
                next_block();
                assert!(waits(id));
            }
            assert_eq!(request(id).passes, 3 * MOST_UNSTAKED_PASSES / MOST_PASSES);
            next_block();
            assert_eq!(refunded_for(id), Some(RefundReason::NoWorker));
        });
}

/// A worker whose whole bond is locked behind another job.
fn exhausted(worker: AccountId, bond: Balance) {
    use noema_interfaces::Operators;
    add_worker(worker, CHECKPOINT, bond);
    let other = noema_protocol::RoundId(0).into();
    assert_ok!(World::lock(&worker, other, bond));
}

#[test]
fn what_only_a_worker_with_nothing_left_to_stake_would_take_does_not_wait_for_ever() {
    TestExt::new().endow(ASKER).execute_with(|| {
        exhausted(10, BOND);
        let id = ask(ASKER);
        // It expires in block 11, and is passed over in that block and 31 more times.
        while System::block_number() < 10 + MOST_UNSTAKED_PASSES - 1 {
            next_block();
            assert!(waits(id));
        }
        assert_eq!(request(id).passes, MOST_UNSTAKED_PASSES - 1);
        next_block();
        assert_eq!(refunded_for(id), Some(RefundReason::NoWorker));
        assert_eq!((on_hold(ASKER), free(ASKER)), (0, FUNDS - STORAGE));
    });
}

/// An attacker's worker with a large bond and room that takes no request, beside an honest busy one.
fn beside_a_busy_worker(attack: impl Fn(AccountId, Balance)) {
    for salt in 0..5 {
        TestExt::new()
            .salt(salt)
            .endow(ASKER)
            .workers([10])
            .rules(|rules| {
                rules.room = 1;
                rules.answer = 200;
            })
            .execute_with(|| {
                let (first, _) = ask_and_assign();
                attack(66, 20 * BOND);
                let second = ask(ASKER);
                // Ten times as long as it takes to expire.
                for _ in 0..100 {
                    next_block();
                    assert!(waits(second));
                    assert_eq!(request(second).passes, 0);
                }
                answer(first);
                next_block();
                assert_eq!(worker_of(second), Some(10));
            });
    }
}

#[test]
fn a_dear_worker_with_room_does_not_let_requests_expire_that_a_busy_one_would_take() {
    beside_a_busy_worker(|worker, bond| {
        add_worker(worker, CHECKPOINT, bond);
        set_prices(worker, 1_000);
    });
}

#[test]
fn an_exhausted_worker_with_room_does_not_let_requests_expire_that_a_busy_one_would_take() {
    beside_a_busy_worker(exhausted);
}

#[test]
fn a_busy_worker_that_would_take_it_begins_the_count_of_passes_anew() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .rules(|rules| {
            rules.room = 1;
            rules.answer = 200;
        })
        .execute_with(|| {
            set_prices(11, 20);
            let first = ask_for(ASKER, 220);
            next_block();
            assert_eq!(worker_of(first), Some(10));
            let id = ask_for(ASKER, 220);
            set_listed(10, false);
            // It expires in block 12.
            while System::block_number() < 14 {
                next_block();
            }
            assert_eq!(request(id).passes, 3 * MOST_UNSTAKED_PASSES / MOST_PASSES);
            set_listed(10, true);
            next_block();
            assert_eq!(request(id).passes, 0);
            set_listed(10, false);
            advance(MOST_PASSES - 1);
            assert!(waits(id));
            next_block();
            assert_eq!(refunded_for(id), Some(RefundReason::NoWorker));
        });
}

#[test]
fn a_draw_that_ends_before_it_meets_all_workers_is_no_pass() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| {
            rules.room = 1_000;
            rules.answer = 1_000;
            rules.expiry = 1;
        })
        .execute_with(|| {
            audit_every(20);
            let dear = 11..11 + AccountId::from(MOST_WORKERS);
            for worker in dear {
                add_worker(worker, CHECKPOINT, 200 * BOND);
                set_prices(worker, 20);
            }
            let cheap = ask_for(ASKER, 220);
            // Expensive workers are drawn first, and enough of them take a request.
            for _ in 0..4 {
                for _ in 0..MOST_VISITS * LOOK_AHEAD {
                    ask(ASKER);
                }
                next_block();
                assert_eq!(refunded_for(cheap), None);
            }
            advance(2);
            assert_eq!(worker_of(cheap), Some(10));
        });
}

#[test]
fn a_bond_that_comes_back_in_time_takes_it() {
    use noema_interfaces::Operators;
    TestExt::new().endow(ASKER).execute_with(|| {
        exhausted(10, BOND);
        let id = ask(ASKER);
        advance(10 + MOST_UNSTAKED_PASSES - 2);
        assert!(waits(id));
        <World as Operators<_, _>>::release(&10, noema_protocol::RoundId(0).into());
        next_block();
        assert_eq!(worker_of(id), Some(10));
    });
}

#[test]
fn requests_for_an_exhausted_bond_of_ones_own_all_end_and_let_others_through() {
    const ATTACKER: AccountId = 2;
    TestExt::new()
        .endow(ASKER)
        .endow(ATTACKER)
        .workers([10])
        .rules(|rules| rules.retention = 1_000)
        .execute_with(|| {
            audit_every(10);
            exhausted(66, BOND);
            set_prices(66, 5);
            let own: Vec<_> = (0..100).map(|_| ask_for(ATTACKER, 16 + 80 + 32)).collect();
            let honest = ask(ASKER);
            next_block();
            assert_eq!(worker_of(honest), Some(10));
            end_claim(answer(honest), TRUE);
            advance(10 + MOST_UNSTAKED_PASSES);
            assert!(own.iter().all(|id| refunded_for(*id).is_some()));
            assert_eq!(on_hold(ATTACKER), 0);
        });
}

#[test]
fn a_cheaper_worker_that_comes_in_time_takes_it() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .execute_with(|| {
            set_prices(11, 20);
            let id = ask_for(ASKER, 220);
            set_listed(10, false);
            while System::block_number() < 13 {
                next_block();
            }
            set_listed(10, true);
            next_block();
            assert_eq!(worker_of(id), Some(10));
        });
}

#[test]
fn prices_that_rise_while_a_request_waits_do_not_exceed_its_limit() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask_for(ASKER, 220);
        set_prices(10, 11);
        next_block();
        assert!(waits(id));
        set_prices(10, 9);
        next_block();
        let assignment = request(id).assignment.expect("the request is assigned");
        assert_eq!(assignment.answer_max, 16 + 16 * 9);
    });
}

#[test]
fn a_checkpoint_that_is_withdrawn_refunds_what_waits_for_it() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let ids: Vec<_> = (0..100).map(|_| ask(ASKER)).collect();
        next_block();
        let taken = assigned();
        assert_eq!(taken, &ids[..2]);
        withdraw_checkpoint(CHECKPOINT);
        next_block();
        for id in &ids[2..] {
            assert_eq!(refunded_for(*id), Some(RefundReason::CheckpointWithdrawn));
        }
        // Requests that a worker already has are still answered and paid.
        for id in taken {
            end_claim(answer(id), TRUE);
            assert!(matches!(phase(id), RequestPhase::Settled { .. }));
        }
        assert_eq!(on_hold(ASKER), 0);
    });
}

#[test]
fn a_request_that_comes_back_to_a_withdrawn_checkpoint_is_refunded() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (id, _) = ask_and_assign();
        withdraw_checkpoint(CHECKPOINT);
        while worker_of(id).is_some() {
            next_block();
        }
        assert_eq!(refunded_for(id), Some(RefundReason::CheckpointWithdrawn));
        assert_ok!(Inference::audit());
    });
}

#[test]
fn many_that_expire_together_are_all_refunded() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        audit_every(5);
        let ids: Vec<_> = (0..300).map(|_| ask(ASKER)).collect();
        set_listed(10, false);
        advance(30);
        let waiting = ids.iter().filter(|id| {
            Requests::<Test>::get(id).is_some_and(|r| r.phase == RequestPhase::Waiting)
        });
        assert_eq!(waiting.count(), 0);
        assert_eq!(on_hold(ASKER), 0);
    });
}
