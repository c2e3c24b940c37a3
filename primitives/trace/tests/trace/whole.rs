//! A whole trace comes to the tokens, the hidden states and the loss of the definition.

use crate::support::{end_of, World};
use noema_numerics::{
    testing::TestModel, Architecture, AttentionWindow, End, ExpertMixture, LayerPattern, Sampling,
    Variant,
};
use noema_protocol::hashing::tokens_hash;
use noema_trace::{TokensOf, TraceShape, TracedExecution};
use proptest::prelude::*;
use sp_core::H256;

/// The ways to sample, with every combination of searches.
const SAMPLINGS: [Sampling; 7] = [
    Sampling::GREEDY,
    sampling(1_000, 0, 1_000),
    sampling(800, 40, 950),
    sampling(3_000, 3, 1_000),
    sampling(1_500, 0, 700),
    sampling(10_000, 200, 0),
    sampling(1, 1, 1),
];

const fn sampling(temperature_milli: u16, top_k: u16, top_p_milli: u16) -> Sampling {
    Sampling {
        temperature_milli,
        top_k,
        top_p_milli,
    }
}

/// Whether the last step of the trace is what a true statement ends with.
fn outcome(world: &World) -> bool {
    let shape = world.shape();
    world.leaves(&shape).last() == Some(&TraceShape::outcome())
}

#[test]
fn a_trace_ends_with_the_answer_of_the_definition() {
    for sampling in SAMPLINGS {
        let world = World::answer(TestModel::TINY, 5, 9, sampling);
        assert!(outcome(&world), "{sampling:?}");
    }
}

#[test]
fn every_variant_has_a_trace() {
    for architecture in TestModel::VARIANTS.iter().chain(TestModel::MIXTURES) {
        let world = World::answer(*architecture, 70, 4, SAMPLINGS[2]);
        assert!(outcome(&world), "{architecture:?}");
        assert!(outcome(&World::text(*architecture, 70)), "{architecture:?}");
    }
}

/// Vectors, reductions and vocabularies of more than one part, heads that do not all attend together.
#[test]
fn a_trace_cuts_wide_layers() {
    let wide = Architecture {
        layers: 1,
        hidden: 2_080,
        heads: 6,
        kv_heads: 2,
        head_dim: 512,
        feed_forward: 4_128,
        vocabulary: 4_101,
        tied_head: false,
        variant: Variant {
            projection_biases: true,
            head_norms: true,
            post_norms: true,
            gelu: true,
            ..Variant::LLAMA
        },
        ..TestModel::TINY
    };
    assert!(outcome(&World::answer(wide, 2, 2, SAMPLINGS[2])));
    assert!(outcome(&World::text(wide, 3)));
}

/// Reductions, rows and mixtures of more than one part, parts of the input that are cut in the middle of a leaf, and an
/// expert alone.
#[test]
fn a_trace_cuts_wide_experts() {
    for (hidden, count, chosen, width) in [
        (2_080, 5, 3, 2_112),
        (3_104, 9, 2, 96),
        (64, 40, 32, 32),
        (4_128, 2, 1, 32),
    ] {
        let wide = Architecture {
            layers: 1,
            hidden,
            feed_forward: width,
            variant: Variant {
                experts: Some(ExpertMixture {
                    count,
                    chosen,
                    width,
                    renormalised: chosen != 2,
                    layers: LayerPattern::ALL,
                }),
                ..Variant::LLAMA
            },
            ..TestModel::TINY
        };
        assert!(outcome(&World::answer(wide, 2, 2, SAMPLINGS[2])));
        assert!(outcome(&World::text(wide, 3)));
    }
}

#[test]
fn a_prompt_of_several_runs_of_tokens_has_a_trace() {
    let long = Architecture {
        layers: 1,
        context_length: 1_024,
        ..TestModel::TINY
    };
    assert!(outcome(&World::answer(long, 600, 2, Sampling::GREEDY)));
}

#[test]
fn an_answer_ends_as_it_does() {
    let free = World::answer(TestModel::TINY, 5, 9, SAMPLINGS[2]);
    assert_eq!(end_of(&free), Some(End::MaxTokens));
    let stop = free.answer[4];
    let stopped = World::answer_until(TestModel::TINY, 5, 9, SAMPLINGS[2], &[stop], u32::MAX);
    assert_eq!(end_of(&stopped), Some(End::StopToken));
    let cancelled = World::answer_until(TestModel::TINY, 5, 9, SAMPLINGS[2], &[], 3);
    assert_eq!(end_of(&cancelled), Some(End::Cancelled));
    let full = Architecture {
        context_length: 10,
        ..TestModel::TINY
    };
    let full = World::answer(full, 5, 9, SAMPLINGS[2]);
    assert_eq!(end_of(&full), Some(End::ContextFull));
    for mut world in [free, stopped, cancelled, full] {
        let TracedExecution::Answer(stated) = world.execution else {
            panic!("an answer")
        };
        for end in [
            End::StopToken,
            End::MaxTokens,
            End::ContextFull,
            End::Cancelled,
        ] {
            let length = |end| matches!(end, End::MaxTokens | End::ContextFull);
            let same = end == stated.end || (length(end) && length(stated.end));
            let mut stated = stated;
            stated.end = end;
            world.execution = TracedExecution::Answer(stated);
            assert_eq!(outcome(&world), same, "{end:?}");
        }
    }
}

#[test]
fn an_answer_that_runs_on_after_a_stop_token_is_false() {
    let mut world = World::answer(TestModel::TINY, 5, 9, SAMPLINGS[2]);
    world.stops = vec![world.answer[4]];
    assert!(!outcome(&world));
}

#[test]
fn another_statement_is_false() {
    let mut world = World::answer(TestModel::TINY, 5, 4, SAMPLINGS[2]);
    let TracedExecution::Answer(stated) = world.execution else {
        panic!("an answer")
    };
    let mut other = stated;
    other.hidden_root = H256::zero();
    world.execution = TracedExecution::Answer(other);
    assert!(!outcome(&world));
    for index in 0..4 {
        let answer = world.answer.clone();
        world.answer[index] = (answer[index] + 1) % 128;
        let mut other = stated;
        other.answer = TokensOf::new(&world.answer);
        world.execution = TracedExecution::Answer(other);
        assert!(!outcome(&world), "{index}");
        world.answer = answer;
    }
    for token in [128, u32::MAX] {
        let given = world.given.clone();
        world.given[1] = token;
        let mut other = stated;
        other.prompt.hash = tokens_hash(&world.given);
        world.execution = TracedExecution::Answer(other);
        assert!(!outcome(&world), "{token}");
        world.given = given;
    }
}

#[test]
fn another_loss_is_false() {
    let mut world = World::text(TestModel::TINY, 40);
    assert!(outcome(&world));
    let TracedExecution::Text(stated) = world.execution else {
        panic!("a text")
    };
    for change in [1, u64::MAX] {
        let mut other = stated;
        other.loss = other.loss.wrapping_add(change);
        world.execution = TracedExecution::Text(other);
        assert!(!outcome(&world));
    }
    // The last token is no position's, only a target.
    world.given[39] = 128;
    let mut other = stated;
    other.tokens = TokensOf::new(&world.given);
    world.execution = TracedExecution::Text(other);
    assert!(!outcome(&world));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_shape_has_a_trace_that_ends_with_its_answer(
        (layers, hidden, head_dim) in (1..3u32, 1..4u32, 1..4u32),
        (kv_heads, share, feed_forward) in (1..3u32, 1..4u32, 1..5u32),
        (vocabulary, prompt, most) in (20..300u32, 1..45u32, 1..4u32),
        window in prop::option::of(1..50u32),
        (projection_biases, head_norms, tied_head, gelu, post_norms) in any::<(bool, bool, bool, bool, bool)>(),
        sampling in 0..SAMPLINGS.len(),
    ) {
        let architecture = Architecture {
            layers,
            hidden: hidden * 32,
            heads: kv_heads * share,
            kv_heads,
            head_dim: head_dim * 32,
            feed_forward: feed_forward * 32,
            vocabulary,
            tied_head,
            variant: Variant {
                projection_biases,
                head_norms,
                gelu,
                post_norms,
                unrotated: None,
                window: window.map(|positions| AttentionWindow {
                    positions,
                    layers: LayerPattern::From(layers - 1),
                }),
                ..Variant::LLAMA
            },
            ..TestModel::TINY
        };
        let world = World::answer(architecture, prompt, most, SAMPLINGS[sampling]);
        prop_assert!(outcome(&world));
    }

    #[test]
    fn any_mixture_of_experts_has_a_trace_that_ends_with_its_answer(
        (layers, hidden, width) in (1..3u32, 1..12u32, 1..12u32),
        (count, left) in (1..70u32, 0..70u32),
        (prompt, most) in (1..10u32, 1..4u32),
        (renormalised, head_norms, dense_first) in any::<(bool, bool, bool)>(),
        sampling in 0..SAMPLINGS.len(),
    ) {
        let width = width * 32;
        let first = u32::from(dense_first).min(layers - 1);
        let architecture = Architecture {
            layers,
            hidden: hidden * 32,
            feed_forward: if first == 0 { width } else { 96 },
            variant: Variant {
                head_norms,
                experts: Some(ExpertMixture {
                    count,
                    chosen: count.saturating_sub(left).clamp(1, 32),
                    width,
                    renormalised,
                    layers: LayerPattern::From(first),
                }),
                ..Variant::LLAMA
            },
            ..TestModel::TINY
        };
        let world = World::answer(architecture, prompt, most, SAMPLINGS[sampling]);
        prop_assert!(outcome(&world));
    }
}
