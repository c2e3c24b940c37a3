//! View functions, and the findings of the audit.

use crate::{mock::*, *};
use noema_claims::{ClaimStage, Permill};
use noema_protocol::{RequestId, SamplingParameters};

fn two_workers() -> TestExt {
    TestExt::new().endow(ASKER).workers([10, 11])
}

#[test]
fn a_quote_lists_what_each_worker_charges_and_what_storage_costs() {
    two_workers().execute_with(|| {
        set_prices(11, 20);
        let parameters = SamplingParameters::greedy(TOKENS_ASKED);
        let quote = Inference::quote(CHECKPOINT, 16, parameters).expect("the checkpoint is active");
        assert_eq!(quote.lowest, Some(220));
        assert_eq!(quote.typical, Some(220));
        assert_eq!(quote.storage, STORAGE);
        assert!(quote.fits);
        let workers: Vec<_> = quote.offers.iter().map(|offer| offer.worker).collect();
        assert_eq!(workers, [10, 11]);
        let first = &quote.offers[0];
        assert_eq!(
            (first.answer_max, first.check_fee, first.open),
            (ANSWER_MAX, CHECK_FEE, 0)
        );
        // The stake is twice the gain, and so is the margin: every answer is checked.
        let deterrent = Deterrent {
            gain: ANSWER_MAX,
            stake: STAKE,
            check_rate: Permill::one(),
            cost: 352,
        };
        assert_eq!(first.deterrent, deterrent);
        let too_long =
            Inference::quote(CHECKPOINT, 90, parameters).expect("the checkpoint is active");
        assert!(!too_long.fits);
        assert_eq!(Inference::quote(OTHER_CHECKPOINT, 16, parameters), None);
        withdraw_checkpoint(CHECKPOINT);
        assert_eq!(Inference::quote(CHECKPOINT, 16, parameters), None);
    });
}

#[test]
fn a_quote_of_a_worker_that_charges_nothing_has_what_its_checks_cost() {
    two_workers()
        .rules(|rules| rules.check_fee_per_token = 3)
        .execute_with(|| {
            set_prices(11, 0);
            let parameters = SamplingParameters::greedy(TOKENS_ASKED);
            let quote =
                Inference::quote(CHECKPOINT, 16, parameters).expect("the checkpoint is active");
            let fees = |offer: &Offer<AccountId>| (offer.answer_max, offer.check_fee, offer.total);
            // 16 bytes at 1 and 16 tokens at 0; 32 of both are checked at 3.
            assert_eq!(fees(&quote.offers[0]), (16, 96, 112));
            // A quarter of 176 is less than that.
            assert_eq!(fees(&quote.offers[1]), (176, 96, 272));
            assert_eq!(quote.lowest, Some(112));
            let id = ask_for(ASKER, 112);
            next_block();
            let assignment = request(id).assignment.expect("the request is assigned");
            assert_eq!((assignment.worker, assignment.check_fee), (11, 96));
            let claim = answer(id);
            assert_eq!(claim_terms(claim).check_fee, 96);
        });
}

#[test]
fn a_quote_leaves_workers_out_whose_bond_is_too_small() {
    two_workers().execute_with(|| {
        add_worker(12, CHECKPOINT, STAKE - 1);
        let parameters = SamplingParameters::greedy(TOKENS_ASKED);
        let quote = Inference::quote(CHECKPOINT, 16, parameters).expect("the checkpoint is active");
        assert_eq!(quote.offers.len(), 2);
    });
}

#[test]
fn the_state_of_a_request_tells_all_of_it() {
    two_workers().execute_with(|| {
        assert_eq!(Inference::request_state(RequestId(0)), None);
        let first = ask(ASKER);
        let id = ask(ASKER);
        let state = || Inference::request_state(id).expect("the request exists");
        assert_eq!(state().position, Some(1));
        assert_eq!(
            Inference::request_state(first).and_then(|state| state.position),
            Some(0)
        );
        assert_eq!(state().prompt, PROMPT);
        assert_eq!((state().assignment, state().claim), (None, None));

        next_block();
        assert_eq!(state().position, None);
        let assignment = state().assignment.expect("a worker has the request");
        assert_eq!(assignment.deadline, deadline(id));

        let given = receipt(id);
        let claim = answer(id);
        let answered = state();
        assert_eq!(answered.tokens, TOKENS);
        assert_eq!(answered.text, TEXT);
        assert_eq!(answered.receipt, Some(given));
        assert_eq!(answered.payment, Some(ANSWER_PRICE));
        assert_eq!(answered.answered_at, Some(2));
        assert_eq!(answered.claim, Some(claim));
        assert_eq!(answered.claim_stage, Some(ClaimStage::Undrawn));

        end_claim(claim, FALSE);
        let ended = state();
        assert_eq!(ended.claim, Some(claim));
        assert_eq!(ended.claim_stage, Some(ClaimStage::Ended(FALSE)));
        assert_eq!(ended.payments.refunded, LIMIT);
        assert_eq!(ended.ended_at, Some(2));
        assert_eq!(ended.assignment.map(|a| a.worker), Some(assignment.worker));
    });
}

#[test]
fn cheating_costs_what_is_at_stake() {
    two_workers().execute_with(|| {
        let id = ask(ASKER);
        assert_eq!(Inference::cost_to_cheat(id), None);
        next_block();
        let before = Inference::cost_to_cheat(id).expect("the request has a worker");
        assert_eq!((before.gain, before.stake), (ANSWER_MAX, STAKE));
        answer(id);
        let after = Inference::cost_to_cheat(id).expect("the request has a worker");
        assert_eq!((after.gain, after.stake), (ANSWER_PRICE, STAKE));
        assert!(after.cost >= 0);
    });
}

#[test]
fn a_queue_tells_how_many_wait_and_since_when() {
    two_workers().execute_with(|| {
        let empty = QueueState {
            waiting: 0,
            first: None,
            oldest: None,
            fruitless: 0,
        };
        assert_eq!(Inference::queue(CHECKPOINT), empty);
        set_listed(10, false);
        ask(ASKER);
        set_listed(11, false);
        next_block();
        set_listed(11, true);
        ask(ASKER);
        let expected = QueueState {
            waiting: 2,
            first: Some(RequestId(0)),
            oldest: Some(1),
            fruitless: 1,
        };
        assert_eq!(Inference::queue(CHECKPOINT), expected);
        assert_eq!(Inference::queue(OTHER_CHECKPOINT), empty);
    });
}

#[test]
fn assignments_are_those_of_the_operator_or_its_key() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (first, second) = (ask(ASKER), ask(ASKER));
        next_block();
        let expected = [first, second].map(|id| OpenAnswer {
            request: id,
            checkpoint: CHECKPOINT,
            deadline: deadline(id),
        });
        assert_eq!(Inference::assignments(10), expected);
        assert_eq!(Inference::assignments(key(10)), expected);
        assert_eq!(Inference::assignments(11), []);
        answer(first);
        assert_eq!(Inference::assignments(10), expected[1..]);
    });
}

#[test]
fn the_rules_of_now_can_be_read() {
    two_workers().execute_with(|| {
        set_rules(|rules| rules.room = 5);
        assert_eq!(Inference::rules().room, 5);
    });
}

#[test]
fn the_audit_finds_what_is_wrong() {
    use noema_interfaces::Operators;
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let found = || Inference::audit().expect_err("the state was corrupted");
        let (id, worker) = ask_and_assign();
        let waiting = ask(ASKER);
        let other = RequestId(44);
        assert_eq!(Inference::audit(), Ok(()));

        Unqueued::<Test>::put(id);
        assert_eq!(found(), AuditFailure::Incomplete { request: waiting });
        Unqueued::<Test>::put(waiting);
        enqueue_first();
        Unqueued::<Test>::put(waiting);
        assert_eq!(found(), AuditFailure::Incomplete { request: waiting });
        Unqueued::<Test>::put(id);
        assert_eq!(found(), AuditFailure::StrayPlace { request: id });
        Unqueued::<Test>::kill();
        assert_eq!(Inference::audit(), Ok(()));

        let place = QueueKey::of(waiting);
        Queue::<Test>::remove(CHECKPOINT, place);
        assert_eq!(found(), AuditFailure::Incomplete { request: waiting });
        Queue::<Test>::insert(CHECKPOINT, place, ());
        Queue::<Test>::insert(OTHER_CHECKPOINT, place, ());
        assert_eq!(found(), AuditFailure::StrayPlace { request: waiting });
        Queue::<Test>::remove(OTHER_CHECKPOINT, place);

        let at = deadline(id) + 1;
        Deadlines::<Test>::remove(at, id);
        assert_eq!(found(), AuditFailure::Incomplete { request: id });
        Deadlines::<Test>::insert(at, id, ());
        Deadlines::<Test>::insert(at, waiting, ());
        assert_eq!(found(), AuditFailure::StrayDeadline { request: waiting });
        Deadlines::<Test>::remove(at, waiting);
        for (bodies, records) in [(waiting, id), (waiting, waiting)] {
            PruningState::<Test>::put(Pruning {
                bodies,
                records,
                ..Default::default()
            });
            assert_eq!(found(), AuditFailure::PruningDiffers { request: id });
        }
        PruningState::<Test>::kill();
        LateRequests::<Test>::insert(id, RequestPart::Bodies);
        assert_eq!(found(), AuditFailure::PruningDiffers { request: id });
        LateRequests::<Test>::remove(id);
        PruningState::<Test>::mutate(|state| state.late = 1);
        assert_eq!(found(), AuditFailure::LateRequestsDiffer);
        PruningState::<Test>::kill();

        <World as Operators<_, _>>::release(&worker, id.into());
        let stake = |request| AuditFailure::StakeDiffers { worker, request };
        assert_eq!(found(), stake(id));
        assert_eq!(World::lock(&worker, id.into(), STAKE), Ok(()));
        assert_eq!(World::lock(&worker, other.into(), 1), Ok(()));
        assert_eq!(found(), stake(other));
        <World as Operators<_, _>>::release(&worker, other.into());

        World::change_load(&worker, |_| Load::default());
        assert_eq!(found(), AuditFailure::LoadDiffers { worker });
        World::change_load(&worker, |load| load.with(16, 16));
        World::change_load(&77, |load| load.with(1, 1));
        assert_eq!(found(), AuditFailure::LoadDiffers { worker: 77 });
        World::change_load(&77, |_| Load::default());

        Requests::<Test>::mutate(id, |request| {
            request
                .as_mut()
                .expect("the request exists")
                .payments
                .worker = 1;
        });
        assert_eq!(found(), AuditFailure::PaymentsDiffer { request: id });
        Requests::<Test>::mutate(id, |request| {
            request
                .as_mut()
                .expect("the request exists")
                .payments
                .worker = 0;
        });

        Prompts::<Test>::insert(other, frame_support::BoundedVec::new());
        assert_eq!(found(), AuditFailure::Orphaned { request: other });
        Prompts::<Test>::remove(other);

        let claim = answer(id);
        Requests::<Test>::mutate(id, |request| {
            let request = request.as_mut().expect("the request exists");
            let statement = request.statement.as_mut().expect("the request is answered");
            statement.hidden_root = Default::default();
        });
        assert_eq!(found(), AuditFailure::ClaimDiffers { request: id });
        Requests::<Test>::mutate(id, |request| {
            let request = request.as_mut().expect("the request exists");
            let statement = request.statement.as_mut().expect("the request is answered");
            statement.hidden_root = receipt(id).hidden_root;
        });
        assert_eq!(Inference::audit(), Ok(()));
        end_claim(claim, TRUE);
    });
}
