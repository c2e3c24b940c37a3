//! View functions, pruning, and the audit.

use crate::{mock::*, *};
use frame_support::{traits::Hooks, weights::Weight};
use noema_protocol::{interfaces::Prices, CheckpointId, RequestId, SamplingParameters};
use sp_core::H256;

const ASKER: u64 = 1;

fn world() -> TestExt {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .validators([20, 21])
}

#[test]
fn a_quote_lists_workers_from_the_cheapest() {
    world().workers([11, 12]).execute_with(|| {
        for (worker, per_output_token) in [(10, 30), (11, 10), (12, 20)] {
            set_price(
                worker,
                Prices {
                    per_prompt_byte: 1,
                    per_output_token,
                },
            );
        }
        let parameters = SamplingParameters::greedy(16);
        let list = Inference::quote(CHECKPOINT, 16, parameters).expect("it is active");
        let workers: Vec<_> = list.offers.iter().map(|offer| offer.worker).collect();
        assert_eq!(workers, [11, 12, 10]);
        assert_eq!(list.lowest, Some(ANSWER_MAX + CHECK_FEE));
        assert_eq!(list.typical, Some(336 + 84));
        // The quoted limit is enough, to the unit.
        let id = ask_with(ASKER, PROMPT, parameters, list.lowest.unwrap()).unwrap();
        advance(2);
        assert_eq!(worker_of(id), 11);

        let unknown = CheckpointId(H256::zero());
        assert_eq!(Inference::quote(unknown, 16, parameters), None);
    });
}

#[test]
fn a_quote_without_workers_has_no_price() {
    TestExt::new().execute_with(|| {
        let list = Inference::quote(CHECKPOINT, 16, SamplingParameters::greedy(4)).unwrap();
        assert_eq!((list.lowest, list.typical), (None, None));
    });
}

#[test]
fn the_state_of_a_request_tells_all_of_it() {
    world().checked().execute_with(|| {
        assert_eq!(Inference::request_state(RequestId(0)), None);
        let id = ask_and_answer(ASKER);
        hear(id, |_| Voice::Honest);
        advance(3);
        let state = Inference::request_state(id).expect("it is not pruned");
        assert_eq!(state.phase, Phase::Settled);
        assert_eq!(state.prompt, PROMPT);
        assert_eq!(state.text, TEXT);
        assert_eq!(state.tokens, TOKENS);
        assert_eq!(state.worker_paid, ANSWER_PRICE);
        assert_eq!(state.checks_paid.len(), 2);
        assert_eq!(state.refunded, LIMIT - ANSWER_PRICE - CHECK_FEE);
        assert_eq!(state.escrow, 0);
        assert!(state
            .seats
            .iter()
            .all(|seat| seat.standing == Standing::Upholds));
    });
}

#[test]
fn operators_see_what_they_have_to_do() {
    world().checked().execute_with(|| {
        let jobs = |operator| {
            Inference::pending_jobs(operator)
                .into_iter()
                .map(|job| (job.request, job.task))
                .collect::<Vec<_>>()
        };
        let (id, worker) = ask_and_assign(ASKER);
        assert_eq!(jobs(worker), [(id, Task::Answer)]);
        assert_eq!(jobs(key(worker)), [(id, Task::Answer)]);
        answer(id);
        assert_eq!(jobs(worker), []);
        advance(2);
        assert_eq!(jobs(key(20)), [(id, Task::Commit)]);
        commit(id, 20, Voice::Honest).unwrap();
        assert_eq!(jobs(key(20)), []);
        assert_eq!(jobs(key(21)), [(id, Task::Commit)]);
        commit(id, 21, Voice::Honest).unwrap();
        assert_eq!(jobs(key(20)), [(id, Task::Reveal)]);
        reveal(id, 20, Voice::Honest).unwrap();
        assert_eq!(jobs(key(20)), []);
    });
}

#[test]
fn final_requests_are_pruned_after_the_retention() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        advance(3);
        assert_eq!(phase(id), Phase::Settled);
        let settled_at = System::block_number() - 1;
        advance(settled_at + Retention::get() - System::block_number());
        assert!(Requests::<Test>::contains_key(id));
        next_block();
        assert!(!Requests::<Test>::contains_key(id));
        assert!(!Prompts::<Test>::contains_key(id));
        assert!(!Answers::<Test>::contains_key(id));
        assert!(!Checks::<Test>::contains_key(id));
        assert_eq!(FinishedSpan::<Test>::get(), (1, 1));
        System::assert_has_event(Event::<Test>::Pruned { request: id }.into());
    });
}

#[test]
fn pruning_takes_no_more_than_it_is_given() {
    world().execute_with(|| {
        for _ in 0..3 {
            let id = ask(ASKER);
            Inference::cancel_request(RuntimeOrigin::signed(ASKER), id).unwrap();
        }
        let now = System::block_number() + Retention::get();
        type Weights = <Test as Config>::WeightInfo;
        let for_two = Weights::prune_base() + Weights::prune() + Weights::prune();
        assert!(Inference::on_idle(now, for_two).all_lte(for_two));
        assert_eq!(FinishedSpan::<Test>::get(), (2, 3));
        assert_eq!(Inference::on_idle(now, Weight::zero()), Weight::zero());
    });
}

#[test]
fn the_weight_of_a_block_follows_its_turns() {
    world().execute_with(|| {
        let idle = Inference::on_initialize(2);
        ask(ASKER);
        ask(ASKER);
        let busy = Inference::on_initialize(2);
        assert_eq!(busy, idle + Inference::turn_weight() * 2);
    });
}

#[test]
fn the_audit_finds_what_is_wrong() {
    world().execute_with(|| {
        let (id, _) = ask_and_assign(ASKER);
        let clean = request(id);
        let found = || Inference::audit().expect_err("it is wrong");

        Requests::<Test>::mutate(id, |request| request.as_mut().unwrap().escrow -= 1);
        assert_eq!(found(), AuditError::Incomplete { request: id });
        Requests::<Test>::insert(id, clean.clone());

        let due = clean.due.unwrap();
        Inference::remove_turn(id, due);
        assert_eq!(found(), AuditError::Incomplete { request: id });
        Agenda::<Test>::insert(due, frame_support::BoundedVec::truncate_from(vec![id, id]));
        assert_eq!(found(), AuditError::StrayTurn { request: id });
        Agenda::<Test>::insert(due, frame_support::BoundedVec::truncate_from(vec![id]));

        use noema_protocol::interfaces::Operators;
        World::release(&10, id.into());
        assert_eq!(found(), AuditError::EngagementDiffers { request: id });
        assert_eq!(World::lock(&10, id.into(), 1), Ok(()));
        assert_eq!(World::lock(&10, RequestId(44).into(), 1), Ok(()));
        let request = RequestId(44);
        assert_eq!(found(), AuditError::EngagementDiffers { request });
        World::release(&10, request.into());

        Exposure::<Test>::insert(10, 1);
        assert_eq!(found(), AuditError::ExposureDiffers { worker: 10 });
        Exposure::<Test>::insert(10, ANSWER_MAX);

        LiveRequests::<Test>::put(2);
        assert_eq!(
            found(),
            AuditError::LiveDiffers {
                counted: 1,
                recorded: 2
            }
        );
        LiveRequests::<Test>::put(1);

        let orphan = RequestId(44);
        Prompts::<Test>::insert(orphan, frame_support::BoundedVec::new());
        assert_eq!(found(), AuditError::Orphaned { request: orphan });
        Prompts::<Test>::remove(orphan);
    });
}
