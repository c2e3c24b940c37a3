//! Windows grow with the work and with the time until a block is final, and stay as they were.

use crate::{mock::*, *};
use frame_support::assert_noop;
use noema_protocol::SamplingParameters;

const ASKER: u64 = 1;

#[test]
fn a_long_prompt_has_more_time_to_be_read() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let deadline = |prompt: &[u8]| {
            let id = NextRequestId::<Test>::get();
            ask_with(ASKER, prompt, SamplingParameters::greedy(16), LIMIT).expect("it is accepted");
            advance(2);
            match phase(id) {
                Phase::Answering { deadline } => deadline,
                other => panic!("{other:?}"),
            }
        };
        let short = deadline(b"?");
        let long = deadline(&[b'?'; 64]);
        // Two blocks later, and 64 bytes at 20 a block.
        assert_eq!(long, short + 2 + 3);
    });
}

#[test]
fn every_window_grants_the_time_until_its_opening_is_final() {
    let story = |allowance| {
        TestExt::new()
            .endow(ASKER)
            .workers([10])
            .validators([20, 21])
            .checked()
            .execute_with(|| {
                FinalityAllowance::set(allowance);
                DisputeWindow::set(24 + 2 * allowance);
                let id = ask(ASKER);
                advance(2);
                let Phase::Answering { deadline } = phase(id) else {
                    panic!("{:?}", phase(id));
                };
                let answering = deadline - System::block_number();
                answer(id);
                advance(2);
                let Stage::Committing { deadline } = Checks::<Test>::get(id).expect("it is").stage
                else {
                    panic!("it is checked");
                };
                (answering, deadline - System::block_number())
            })
    };
    let (answering, committing) = story(0);
    assert_eq!(story(15), (answering + 15, committing + 15));
}

#[test]
fn a_request_keeps_the_windows_and_rates_that_it_was_made_with() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let early = ask(ASKER);
        AnswerWindow::set(1);
        BurnedShare::set(noema_economics::Permill::from_percent(50));
        let late = ask(ASKER);
        advance(2);
        let deadline = |id| match phase(id) {
            Phase::Answering { deadline } => deadline,
            other => panic!("{other:?}"),
        };
        assert_eq!(deadline(early), deadline(late) + 3);
        answer(early);
        answer(late);
        advance(10);
        let burned = |id| Inference::request_state(id).expect("it is readable").burned;
        assert_eq!(burned(early), 0);
        assert_eq!(burned(late), ANSWER_PRICE / 2);
    });
}

#[test]
fn nothing_is_asked_while_governance_has_set_what_cannot_work() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        AnswerWindow::set(0);
        assert_noop!(
            ask_with(ASKER, PROMPT, SamplingParameters::greedy(16), LIMIT),
            Error::<Test>::ParametersUnworkable
        );
    });
}
