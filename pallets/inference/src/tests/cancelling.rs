//! `cancel_request`, in every phase of a request.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::RequestId;

fn one_worker() -> TestExt {
    TestExt::new().endow(ASKER).workers([10])
}

#[test]
fn what_waits_can_be_taken_back_except_what_its_storage_cost() {
    one_worker().execute_with(|| {
        let id = ask(ASKER);
        assert_ok!(cancel(ASKER, id));
        assert_eq!(refunded_for(id), Some(RefundReason::Cancelled));
        assert_eq!((on_hold(ASKER), free(ASKER)), (0, FUNDS - STORAGE));
        assert_eq!(Queue::<Test>::iter().count(), 0);
        System::assert_last_event(
            Event::Refunded {
                request: id,
                requester: ASKER,
                amount: LIMIT,
                reason: RefundReason::Cancelled,
            }
            .into(),
        );
        next_block();
        assert_eq!(load(10), Load::default());
    });
}

#[test]
fn only_the_requester_can() {
    one_worker().execute_with(|| {
        let id = ask(ASKER);
        assert_noop!(cancel(2, id), Error::<Test>::NotRequester);
        assert_noop!(cancel(ASKER, RequestId(9)), Error::<Test>::RequestUnknown);
    });
}

#[test]
fn what_a_worker_has_or_has_answered_cannot_be_taken_back() {
    one_worker().execute_with(|| {
        let (id, _) = ask_and_assign();
        assert_noop!(cancel(ASKER, id), Error::<Test>::AlreadyAssigned);
        let claim = answer(id);
        assert_noop!(cancel(ASKER, id), Error::<Test>::AlreadyAssigned);
        end_claim(claim, TRUE);
        assert_noop!(cancel(ASKER, id), Error::<Test>::TooLate);
    });
}

#[test]
fn what_is_over_cannot_be_taken_back() {
    one_worker().execute_with(|| {
        let id = ask(ASKER);
        assert_ok!(cancel(ASKER, id));
        assert_noop!(cancel(ASKER, id), Error::<Test>::TooLate);
    });
}

#[test]
fn what_waits_again_after_a_missed_deadline_can_be_taken_back() {
    one_worker().execute_with(|| {
        let (id, _) = ask_and_assign();
        while !waits(id) {
            next_block();
        }
        assert_ok!(cancel(ASKER, id));
        assert_eq!(free(ASKER), FUNDS - STORAGE);
    });
}

#[test]
fn those_taken_back_leave_no_holes_in_a_queue() {
    one_worker().execute_with(|| {
        let ids: Vec<_> = (0..200).map(|_| ask(ASKER)).collect();
        for id in &ids[..198] {
            assert_ok!(cancel(ASKER, *id));
        }
        next_block();
        assert_eq!(assigned(), &ids[198..]);
    });
}
