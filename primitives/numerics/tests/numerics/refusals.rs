//! Input that cannot be executed is refused with its error, and changes nothing.

use noema_numerics::{
    check, generate, testing::TestModel, Blocks, ForwardError, ForwardPass, GenerationParameters,
    Sampling, Scalar, Transformer,
};
use std::ops::ControlFlow;

const REQUEST: GenerationParameters<'static> = GenerationParameters {
    sampling: Sampling::GREEDY,
    seed: [0; 32],
    max_tokens: 4,
    stop_tokens: &[],
};

/// The error of a forward pass after 10 cached positions, which stay.
fn refused(start: usize, tokens: &[u32], wanted: core::ops::Range<usize>) -> ForwardError {
    let test = TestModel::tiny(1);
    let mut transformer = Transformer::new(test.model(), Scalar, 40);
    let mut hidden = Blocks::default();
    transformer.forward(0, &[1; 10], 0..0, &mut hidden).unwrap();
    let error = transformer
        .forward(start, tokens, wanted, &mut hidden)
        .unwrap_err();
    assert_eq!((transformer.cached(), hidden.rows()), (10, 0));
    assert!(error.to_string().len() > 20);
    error
}

#[test]
fn a_token_outside_the_vocabulary_is_refused() {
    assert_eq!(
        refused(3, &[5, 127, 128], 0..3),
        ForwardError::TokenOutOfRange {
            index: 2,
            token: 128,
            vocabulary: 128
        }
    );
}

#[test]
fn more_positions_than_there_is_room_for_are_refused() {
    assert_eq!(
        refused(10, &[1; 31], 0..1),
        ForwardError::ContextFull {
            needed: 41,
            capacity: 40
        }
    );
}

#[test]
fn positions_that_leave_a_gap_are_refused() {
    assert_eq!(
        refused(11, &[1], 0..1),
        ForwardError::PositionNotCached {
            start: 11,
            cached: 10
        }
    );
    assert_eq!(
        refused(usize::MAX, &[1], 0..1),
        ForwardError::PositionNotCached {
            start: usize::MAX,
            cached: 10
        }
    );
}

#[test]
fn vectors_of_tokens_that_are_not_given_are_refused() {
    for (start, end) in [(0, 2), (1, 2), (1, 0)] {
        assert_eq!(
            refused(10, &[1], start..end),
            ForwardError::WantedOutOfRange {
                start,
                end,
                tokens: 1
            }
        );
    }
}

#[test]
fn no_tokens_are_a_pass_that_does_nothing() {
    let test = TestModel::tiny(1);
    let mut transformer = Transformer::new(test.model(), Scalar, 40);
    let mut hidden = Blocks::default();
    assert_eq!(transformer.forward(0, &[], 0..0, &mut hidden), Ok(()));
    let mut logits = vec![1];
    transformer.logits(hidden.view(), &mut logits);
    assert!(logits.is_empty());
}

#[test]
fn a_cache_never_exceeds_the_context() {
    let test = TestModel::tiny(1);
    let transformer = Transformer::new(test.model(), Scalar, u32::MAX);
    assert_eq!(transformer.capacity(), 256);
}

#[test]
fn prompts_and_requests_that_have_no_answer_are_refused() {
    let test = TestModel::tiny(1);
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    let mut both = |prompt: &[u32], request: &GenerationParameters<'_>| {
        let error = check(&mut transformer, prompt, &[1], request).unwrap_err();
        let generated = generate(&mut transformer, prompt, request, |_| {
            ControlFlow::Continue(())
        });
        assert_eq!(generated.unwrap_err(), error);
        error
    };
    assert_eq!(both(&[], &REQUEST), ForwardError::EmptyPrompt);
    let nothing = GenerationParameters {
        max_tokens: 0,
        ..REQUEST
    };
    assert_eq!(both(&[1], &nothing), ForwardError::NoTokens);
    assert_eq!(
        both(&[1; 256], &REQUEST),
        ForwardError::ContextFull {
            needed: 257,
            capacity: 256
        }
    );
    assert_eq!(
        both(&[1, 500], &REQUEST),
        ForwardError::TokenOutOfRange {
            index: 1,
            token: 500,
            vocabulary: 128
        }
    );
}
