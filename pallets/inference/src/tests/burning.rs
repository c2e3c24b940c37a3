//! What is burned of the payments, and the work that is noted for it.

use crate::{mock::*, *};
use noema_economics::Permill;
use noema_protocol::interfaces::{Earning, Work};

const ASKER: u64 = 1;

fn world(burned_percent: u32) -> TestExt {
    let world = TestExt::new()
        .endow(ASKER)
        .workers([10])
        .validators([20, 21, 22, 23])
        .checked();
    BurnedShare::set(Permill::from_percent(burned_percent));
    world
}

#[test]
fn a_part_of_each_payment_burns_and_is_noted_as_work() {
    world(25).execute_with(|| {
        let issuance = Balances::total_issuance();
        let id = ask_and_answer(ASKER);
        let validators = hear(id, |_| Voice::Honest);
        advance(3);
        assert_eq!(phase(id), Phase::Settled);

        // 56 and twice 22 are paid; of them 14 and twice 5 burn.
        assert_eq!(free(10), FUNDS + 42);
        for validator in &validators {
            assert_eq!(free(*validator), FUNDS + 17);
        }
        assert_eq!(free(ASKER), FUNDS - ANSWER_PRICE - CHECK_FEE);
        assert_eq!(Balances::total_issuance(), issuance - 24);
        let expected = [
            (Work::Inference, 10, 14),
            (Work::Check, validators[0], 5),
            (Work::Check, validators[1], 5),
        ];
        assert_eq!(work(), expected);
        assert_eq!(earnings()[0], (10, id.into(), Earning::Answer, 42));
        let state = Inference::request_state(id).expect("it is not pruned");
        assert_eq!((state.worker_paid, state.burned), (42, 24));
        System::assert_has_event(
            Event::Settled {
                request: id,
                requester: ASKER,
                worker: 10,
                worker_paid: 42,
                checks_paid: state.checks_paid,
                refunded: LIMIT - ANSWER_PRICE - CHECK_FEE,
                burned: 24,
            }
            .into(),
        );
    });
}

#[test]
fn only_checks_that_were_paid_for_are_noted() {
    world(25).execute_with(|| {
        let id = ask_and_answer(ASKER);
        let lazy = sitting(id)[0];
        hear(id, |validator| {
            if validator == lazy {
                Voice::Lazy
            } else {
                Voice::Honest
            }
        });
        // Another is drawn in its place.
        while !phase(id).is_final() {
            next_block();
            hear(id, |_| Voice::Honest);
        }
        assert_eq!(phase(id), Phase::Settled);
        assert_eq!(work().len(), 3);
        assert!(work().iter().all(|(_, who, _)| *who != lazy));
    });
}

#[test]
fn an_answer_that_is_refunded_is_no_work() {
    world(25).execute_with(|| {
        let issuance = Balances::total_issuance();
        let id = ask(ASKER);
        set_live(10, false);
        advance(15);
        assert_eq!(refunded_for(id), Some(RefundReason::NoWorker));
        assert_eq!(free(ASKER), FUNDS);
        assert_eq!(work(), []);
        assert_eq!(Balances::total_issuance(), issuance);
    });
}

#[test]
fn without_a_burned_share_everything_is_paid() {
    world(0).execute_with(|| {
        let id = ask_and_answer(ASKER);
        hear(id, |_| Voice::Honest);
        advance(3);
        assert_eq!(free(10), FUNDS + ANSWER_PRICE);
        assert!(work().iter().all(|(_, _, amount)| *amount == 0));
    });
}
