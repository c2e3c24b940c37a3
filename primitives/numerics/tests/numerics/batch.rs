//! Results do not depend on how positions are split into calls, and checking agrees with generating.

use blake2::{digest::consts::U32, Blake2b, Digest};
use noema_numerics::{
    check, generate, generate_after, positions_needed,
    testing::{Random, TestModel},
    Architecture, Blocks, Checked, End, Flaw, ForwardPass, Generated, Generation,
    GenerationParameters, Sampling, Scalar, StepBudget, Transformer, Variant,
};
use proptest::prelude::*;
use std::ops::ControlFlow;

const TOKENS: usize = 150;

fn tokens(seed: u64, count: usize) -> Vec<u32> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.below(128) as u32).collect()
}

/// Hidden vectors and logits of all tokens, in calls of the given lengths.
fn run(test: &TestModel, tokens: &[u32], splits: &[usize]) -> (Blocks, Vec<i32>) {
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    let mut hidden = Blocks::default();
    let mut start = 0;
    for &split in splits.iter().chain([&tokens.len()]) {
        let end = tokens.len().min(start + split);
        transformer
            .forward(start, &tokens[start..end], 0..end - start, &mut hidden)
            .unwrap();
        start = end;
    }
    let mut logits = Vec::new();
    transformer.logits(hidden.view(), &mut logits);
    (hidden, logits)
}

fn untied() -> TestModel {
    TestModel::seeded(
        Architecture {
            heads: 4,
            kv_heads: 2,
            head_dim: 64,
            vocabulary: 121,
            tied_head: false,
            ..TestModel::TINY
        },
        7,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_of_positions_gives_the_same_bits(
        seed in 0u64..1 << 32,
        splits in prop::collection::vec(1usize..70, 0..12),
    ) {
        let test = TestModel::tiny(seed);
        let tokens = tokens(seed, TOKENS);
        prop_assert_eq!(run(&test, &tokens, &splits), run(&test, &tokens, &[]));
    }

    #[test]
    fn checking_agrees_with_generating(
        seed in 0u64..1 << 32,
        prompt in 1usize..140,
        max_tokens in 1u32..60,
        temperature_milli in prop_oneof![Just(0u16), 1u16..2_000],
        top_k in 0u16..40,
        top_p_milli in 1u16..=1_000,
    ) {
        let test = TestModel::tiny(seed);
        let prompt = tokens(seed, prompt);
        let request = GenerationParameters {
            sampling: Sampling { temperature_milli, top_k, top_p_milli },
            seed: [seed as u8; 32],
            max_tokens,
            stop_tokens: &[3, 77],
        };
        let capacity = positions_needed(prompt.len(), max_tokens) as u32;
        let mut transformer = Transformer::new(test.model(), Scalar, capacity);
        let answer = answer(&mut transformer, &prompt, &request);
        let checked = check(&mut transformer, &prompt, &answer.tokens, &request).unwrap();
        prop_assert_eq!(checked, Checked { flaw: None, hidden: answer.hidden });

        // Any other token is found, at its index.
        let index = seed as usize % answer.tokens.len();
        let mut wrong = answer.tokens.clone();
        wrong[index] = (wrong[index] + 1) % 128;
        let checked = check(&mut transformer, &prompt, &wrong, &request).unwrap();
        prop_assert_eq!(
            checked.flaw,
            Some(Flaw::WrongToken { index, expected: answer.tokens[index] })
        );
    }
}

fn answer(
    transformer: &mut impl ForwardPass,
    prompt: &[u32],
    request: &GenerationParameters<'_>,
) -> Generated {
    generate(transformer, prompt, request, |_| ControlFlow::Continue(())).unwrap()
}

const REQUEST: GenerationParameters<'static> = GenerationParameters {
    sampling: Sampling {
        temperature_milli: 900,
        top_k: 0,
        top_p_milli: 1_000,
    },
    seed: [9; 32],
    max_tokens: 40,
    stop_tokens: &[],
};

#[test]
fn an_untied_head_and_wider_heads_split_alike() {
    let test = untied();
    let tokens: Vec<u32> = tokens(3, TOKENS).iter().map(|t| t % 121).collect();
    assert_eq!(
        run(&test, &tokens, &[1, 2, 40, 31]),
        run(&test, &tokens, &[])
    );
}

#[test]
fn every_variant_splits_alike() {
    let tokens = tokens(4, TOKENS);
    let variants = TestModel::VARIANTS.iter().chain(TestModel::MIXTURES);
    for architecture in variants.chain([&TestModel::GEMMA_EXPERTS]) {
        let test = TestModel::seeded(*architecture, 4);
        let whole = run(&test, &tokens, &[]);
        assert_eq!(run(&test, &tokens, &[1, 2, 40, 31]), whole);
        let llama = Architecture {
            variant: Variant::LLAMA,
            ..*architecture
        };
        let llama = run(&TestModel::seeded(llama, 4), &tokens, &[]);
        assert_ne!(llama, whole, "the difference counts: {architecture:?}");
    }
}

#[test]
fn only_the_wanted_positions_are_returned() {
    let test = TestModel::tiny(1);
    let tokens = tokens(1, TOKENS);
    let (all, _) = run(&test, &tokens, &[]);
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    for wanted in [0..0, 0..1, 100..140, 127..129, 149..150, 150..150, 0..150] {
        let mut hidden = Blocks::default();
        transformer
            .forward(0, &tokens, wanted.clone(), &mut hidden)
            .unwrap();
        if wanted.is_empty() {
            assert_eq!(hidden.rows(), 0);
        } else {
            assert_eq!(hidden.view(), all.view().slice(wanted));
        }
    }
}

#[test]
fn a_cached_prefix_is_reused() {
    let test = TestModel::tiny(2);
    let prompt = tokens(2, 80);
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    let fresh = answer(&mut transformer, &prompt, &REQUEST);

    let mut other = prompt.clone();
    other[70] ^= 1;
    let mut reusing = Transformer::new(test.model(), Scalar, 256);
    answer(&mut reusing, &other, &REQUEST);
    reusing.truncate(70);
    assert_eq!(reusing.cached(), 70);
    let reused = generate_after(&mut reusing, 70, &prompt, &REQUEST, |_| {
        ControlFlow::Continue(())
    });
    assert_eq!(reused.unwrap(), fresh);
}

#[test]
fn an_answer_ends_with_a_stop_token() {
    let test = TestModel::tiny(4);
    let prompt = tokens(4, 10);
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    let long = answer(&mut transformer, &prompt, &REQUEST);
    assert_eq!((long.tokens.len(), long.end), (40, End::MaxTokens));

    let stop = [long.tokens[5]];
    let first = long.tokens.iter().position(|t| *t == stop[0]).unwrap();
    let request = GenerationParameters {
        stop_tokens: &stop,
        ..REQUEST
    };
    let short = answer(&mut transformer, &prompt, &request);
    assert_eq!(short.tokens, long.tokens[..=first]);
    assert_eq!(short.end, End::StopToken);

    // The same tokens without the stop, or beyond it, are another answer.
    let mut flaw = |tokens: &[u32], request: &GenerationParameters<'_>| {
        check(&mut transformer, &prompt, tokens, request).unwrap()
    };
    assert_eq!(
        flaw(&short.tokens, &REQUEST).flaw,
        Some(Flaw::EndsEarly { length: first + 1 })
    );
    let beyond = flaw(&long.tokens, &request);
    assert_eq!(beyond.flaw, Some(Flaw::RunsOn { length: first + 1 }));
    assert_eq!(beyond.hidden, short.hidden);
    assert_eq!(
        flaw(&[], &REQUEST),
        Checked {
            flaw: Some(Flaw::EndsEarly { length: 0 }),
            hidden: Vec::new()
        }
    );
}

#[test]
fn an_answer_ends_where_the_context_does() {
    let test = TestModel::tiny(5);
    let prompt = tokens(5, 250);
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    let full = answer(&mut transformer, &prompt, &REQUEST);
    assert_eq!((full.tokens.len(), full.end), (6, End::ContextFull));
    let mut flaw = |tokens: &[u32]| {
        check(&mut transformer, &prompt, tokens, &REQUEST)
            .unwrap()
            .flaw
    };
    assert_eq!(flaw(&full.tokens), None);
    let mut longer = full.tokens.clone();
    longer.push(1);
    assert_eq!(flaw(&longer), Some(Flaw::RunsOn { length: 6 }));
}

#[test]
fn the_caller_can_stop_an_answer() {
    let test = TestModel::tiny(6);
    let prompt = tokens(6, 10);
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    let mut seen = Vec::new();
    let cut = generate(&mut transformer, &prompt, &REQUEST, |token| {
        seen.push(token);
        if seen.len() == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .unwrap();
    assert_eq!((&cut.tokens, cut.end), (&seen, End::Cancelled));
    assert_eq!(
        cut.tokens,
        answer(&mut transformer, &prompt, &REQUEST).tokens[..3]
    );
}

#[test]
fn an_answer_of_tokens_that_do_not_exist_is_wrong_not_an_error() {
    let test = TestModel::tiny(8);
    let prompt = tokens(8, 10);
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    let mut tokens = answer(&mut transformer, &prompt, &REQUEST).tokens;
    let expected = tokens[2];
    tokens[2] = 128;
    tokens[3] = u32::MAX;
    let checked = check(&mut transformer, &prompt, &tokens, &REQUEST).unwrap();
    assert_eq!(checked.flaw, Some(Flaw::WrongToken { index: 2, expected }));
}

#[test]
fn a_hash_is_that_of_the_state_from_which_its_token_is_sampled() {
    let test = TestModel::tiny(3);
    let prompt = tokens(3, 20);
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    let answer = answer(&mut transformer, &prompt, &REQUEST);
    assert_eq!(answer.hidden.len(), answer.tokens.len());
    let executed = [&prompt[..], &answer.tokens].concat();
    let (states, _) = run(&test, &executed, &[]);
    for (index, found) in answer.hidden.iter().enumerate() {
        let (mantissas, shifts) = states.view().row(prompt.len() - 1 + index);
        let mut bytes = b"noema/hidden".to_vec();
        bytes.extend(mantissas.iter().flat_map(|mantissa| mantissa.to_le_bytes()));
        bytes.extend(shifts);
        let expected: [u8; 32] = Blake2b::<U32>::digest(&bytes).into();
        assert_eq!(*found, expected, "token {index}");
    }
}

#[test]
fn another_checkpoint_gives_other_hashes() {
    let prompt = tokens(1, 20);
    let hidden = |seed| {
        let test = TestModel::tiny(seed);
        let mut transformer = Transformer::new(test.model(), Scalar, 256);
        answer(&mut transformer, &prompt, &REQUEST).hidden
    };
    let (one, other) = (hidden(1), hidden(2));
    assert!(one.iter().zip(&other).all(|(one, other)| one != other));
}

#[test]
fn a_generation_that_starts_again_forgets_its_hashes() {
    let test = TestModel::tiny(9);
    let prompt = tokens(9, 10);
    let mut transformer = Transformer::new(test.model(), Scalar, 256);
    let expected = answer(&mut transformer, &prompt, &REQUEST);
    let mut generation = Generation::new(&TestModel::TINY, &prompt, &REQUEST).unwrap();
    let (mut cached, mut fed, mut logits) = (0, 0, Vec::new());
    while let Some(step) = generation.step(cached, StepBudget::ALL) {
        let mut states = Blocks::default();
        cached = step.start + step.tokens.len();
        transformer
            .forward(step.start, step.tokens, step.wanted, &mut states)
            .unwrap();
        transformer.logits(states.view(), &mut logits);
        generation.feed(states.view(), &logits);
        fed += 1;
        if fed == 5 {
            generation.restart();
            cached = 0;
        }
    }
    assert_eq!(generation.finish(), expected);
}
