//! Missed deadlines.

use crate::{mock::*, *};

/// Advances to the block in which the missed deadline of the request is noticed.
fn let_it_miss(id: noema_protocol::RequestId) {
    let last = deadline(id);
    while System::block_number() < last {
        next_block();
    }
    assert!(
        worker_of(id).is_some(),
        "the worker has it until the deadline"
    );
    next_block();
}

#[test]
fn silence_costs_its_share_of_the_stake_and_releases_the_rest() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (id, worker) = ask_and_assign();
        let issuance = Balances::total_issuance();
        let_it_miss(id);
        assert_eq!(bond(worker), BOND - STAKE / 2);
        assert_eq!(Balances::total_issuance(), issuance - STAKE / 2);
        assert_eq!(locks(worker), []);
        assert_eq!(load(worker), Load::default());
        assert!(is_absent(worker));
        System::assert_has_event(
            Event::DeadlineMissed {
                request: id,
                worker,
                slashed: STAKE / 2,
                attempts: 1,
            }
            .into(),
        );
        assert_eq!(on_hold(ASKER), LIMIT);
    });
}

#[test]
fn the_request_comes_back_to_its_place_and_another_worker_tries() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| rules.room = 1)
        .execute_with(|| {
            let (first, _) = ask_and_assign();
            let others: Vec<_> = (0..3).map(|_| ask(ASKER)).collect();
            let seed = request(first).assignment.map(|assignment| assignment.seed);
            let_it_miss(first);
            assert!(waits(first), "the request waits for unknown randomness");
            add_worker(11, CHECKPOINT, BOND);
            next_block();
            assert_eq!(
                worker_of(first),
                Some(11),
                "it is assigned before later requests"
            );
            assert!(others.iter().all(|id| waits(*id)));
            let again = request(first).assignment.map(|assignment| assignment.seed);
            assert_ne!(again, seed);
            end_claim(answer(first), TRUE);
            assert!(matches!(phase(first), RequestPhase::Settled { .. }));
            assert_eq!(request(first).attempts, 1);
        });
}

#[test]
fn after_as_many_attempts_as_may_be_it_is_refunded() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11, 12])
        .execute_with(|| {
            let (id, first) = ask_and_assign();
            let_it_miss(id);
            next_block();
            let second = worker_of(id).expect("another worker tries");
            assert_ne!(first, second);
            let_it_miss(id);
            assert_eq!(refunded_for(id), Some(RefundReason::NoAnswer));
            assert_eq!((on_hold(ASKER), free(ASKER)), (0, FUNDS - STORAGE));
            assert_eq!(Queue::<Test>::iter().count(), 0);
        });
}

#[test]
fn without_another_worker_it_is_refunded_as_not_answered() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (id, _) = ask_and_assign();
        let_it_miss(id);
        // The expiry starts again, and the request stays while a draw may still meet a worker.
        advance(9);
        assert!(waits(id));
        next_block();
        assert_eq!(refunded_for(id), Some(RefundReason::NoAnswer));
    });
}

#[test]
fn an_answer_in_time_costs_nothing() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (id, worker) = ask_and_assign();
        while System::block_number() < deadline(id) {
            next_block();
        }
        answer(id);
        advance(3);
        assert_eq!(bond(worker), BOND);
        assert!(!is_absent(worker));
    });
}

#[test]
fn a_worker_that_misses_several_loses_its_share_of_each() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .rules(|rules| rules.room = 3)
        .execute_with(|| {
            let ids = [ask(ASKER), ask(ASKER), ask(ASKER)];
            next_block();
            assert_eq!(load(10).open, 3);
            while ids.iter().any(|id| worker_of(*id).is_some()) {
                next_block();
            }
            assert_eq!(bond(10), BOND - 3 * STAKE / 2);
            assert_eq!(load(10), Load::default());
        });
}
