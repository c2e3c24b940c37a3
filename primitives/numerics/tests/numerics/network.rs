//! The network as data: its rules, over all architectures, and its agreement with the layout.

use noema_numerics::{
    layout::{TensorKind, TensorRole},
    network::NetworkOperator,
    testing::TestModel,
    Architecture, ArchitectureError, AttentionWindow, Dimension, ExpertMixture, LayerPattern,
    Network, Variant,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const TINY: Architecture = TestModel::TINY;

#[test]
fn every_tensor_is_read_by_a_step_and_belongs_to_its_layer() {
    let untied = Architecture {
        tied_head: false,
        ..TINY
    };
    for architecture in [&TINY, &untied]
        .into_iter()
        .chain(TestModel::VARIANTS)
        .chain(TestModel::MIXTURES)
    {
        let network = Network::new(architecture).unwrap();
        let mut read = BTreeSet::new();
        for step in network.steps() {
            let Some(tensor) = step.operator.tensor() else {
                continue;
            };
            read.insert(tensor);
            let spec = network.tensors()[tensor];
            assert!(spec.layer.is_none() || spec.layer == step.layer, "{spec:?}");
            assert_eq!(network.tensor(spec.role, spec.layer), Some(tensor));
        }
        assert_eq!(read.len(), network.tensors().len());
    }
}

#[test]
fn biases_are_added_to_queries_keys_and_values() {
    let network = Network::new(&Architecture {
        layers: 1,
        variant: Variant {
            projection_biases: true,
            ..Variant::LLAMA
        },
        ..TINY
    })
    .unwrap();
    let formula = network.to_string();
    let lines: Vec<&str> = formula.lines().skip(4).take(4).collect();
    assert_eq!(
        lines,
        [
            "values = linear(layers.0.value, normed)                 32 integers, 2^-16",
            "queries = bias(layers.0.query_bias, queries)            64 integers, 2^-16",
            "keys = bias(layers.0.key_bias, keys)                    32 integers, 2^-16",
            "values = bias(layers.0.value_bias, values)              32 integers, 2^-16",
        ]
    );
    let names: Vec<_> = network.tensors().iter().map(|spec| spec.name()).collect();
    assert_eq!(
        names[4..9],
        [
            "layers.0.value",
            "layers.0.query_bias",
            "layers.0.key_bias",
            "layers.0.value_bias",
            "layers.0.attention_output",
        ]
    );
}

#[test]
fn heads_of_queries_and_keys_are_normed_before_their_rotation() {
    let network = Network::new(&Architecture {
        layers: 1,
        variant: Variant {
            head_norms: true,
            ..Variant::LLAMA
        },
        ..TINY
    })
    .unwrap();
    let formula = network.to_string();
    let lines: Vec<&str> = formula.lines().skip(5).take(3).collect();
    assert_eq!(
        lines,
        [
            "queries = head_norm(layers.0.query_norm, queries)       64 integers, 2^-16",
            "keys = head_norm(layers.0.key_norm, keys)               32 integers, 2^-16",
            "queries = rope(rope, queries)                           64 integers, 2^-16",
        ]
    );
    let gains = network.tensor(TensorRole::QueryNorm, Some(0)).unwrap();
    let kind = TensorKind::Gain { length: 32 };
    assert_eq!(network.tensors()[gains].kind, kind, "one for all heads");
}

#[test]
fn gemma_norms_what_it_adds_and_has_a_table_of_rotations_for_windows() {
    let network = Network::new(&Architecture {
        layers: 3,
        ..TestModel::GEMMA
    })
    .unwrap();
    let formula = network.to_string();
    let lines: Vec<&str> = formula.lines().collect();
    for line in [
        "queries = rope(windowed_rope, queries)                  128 integers, 2^-16",
        "mixed = attention(last 40 of cache 0, queries)          128 integers, 2^-16",
        "delta = head_norm(layers.0.attention_post_norm, delta)  64 integers, 2^-14",
        "product = geglu(gate, up)                               96 in blocks, 2^-16",
        "delta = head_norm(layers.0.feed_forward_post_norm, delta) 64 integers, 2^-14",
        "queries = rope(rope, queries)                           128 integers, 2^-16",
        "mixed = attention(cache 2, queries)                     128 integers, 2^-16",
    ] {
        assert!(lines.contains(&line), "{line} is not in:\n{formula}");
    }
    let last: Vec<_> = network.tensors().iter().rev().take(2).collect();
    assert_eq!(last[0].role, TensorRole::Rope);
    assert_eq!(last[1].role, TensorRole::WindowedRope);
    // The residual stream is divided by the root of its width, 64.
    let epsilons: BTreeSet<u32> = network
        .steps()
        .iter()
        .filter_map(|step| match step.operator {
            NetworkOperator::Norm { epsilon_q32, .. } => Some(epsilon_q32),
            _ => None,
        })
        .collect();
    assert_eq!(epsilons, BTreeSet::from([671]), "42,950 / 64 is 671.1");
}

#[test]
fn a_table_of_rotations_for_windows_needs_layers_with_and_without() {
    let with = |window: Option<LayerPattern>| {
        let mut architecture = TestModel::GEMMA;
        architecture.variant.window = window.map(|layers| AttentionWindow {
            positions: 40,
            layers,
        });
        architecture.validate()
    };
    assert_eq!(with(Some(LayerPattern::Every(2))), Ok(()));
    for window in [None, Some(LayerPattern::ALL)] {
        assert_eq!(with(window), Err(ArchitectureError::WindowedRope));
    }
}

#[test]
fn a_tied_head_reads_the_token_embedding() {
    let head = |tied_head| {
        let network = Network::new(&Architecture { tied_head, ..TINY }).unwrap();
        let last = network.steps().last().unwrap().operator;
        network.tensors()[last.tensor().unwrap()].role
    };
    assert_eq!(head(true), TensorRole::TokenEmbedding);
    assert_eq!(head(false), TensorRole::OutputHead);
}

#[test]
fn sections_cover_all_steps_in_order() {
    let network = Network::new(&TINY).unwrap();
    let sections = network.sections();
    assert_eq!(sections.layers.start, 0);
    assert_eq!(sections.layers.end, sections.hidden.start);
    assert_eq!(sections.hidden.end, sections.logits.start);
    assert_eq!(sections.logits.end, network.steps().len());
    let layers: Vec<_> = network.steps().iter().map(|step| step.layer).collect();
    assert!(layers[1..sections.hidden.start].is_sorted());
}

#[test]
fn the_number_of_values_does_not_depend_on_the_layers() {
    let values = |layers| {
        let network = Network::new(&Architecture { layers, ..TINY }).unwrap();
        network.values().to_vec()
    };
    assert_eq!(values(1), values(9));
}

#[test]
fn linear_layers_over_one_input_join_and_so_do_the_steps_of_a_sequence() {
    let network = Network::new(&Architecture { layers: 1, ..TINY }).unwrap();
    let steps = &network.steps()[network.sections().layers];
    let joined: Vec<Vec<&str>> = steps
        .chunk_by(|a, b| a.operator.joins(&b.operator))
        .map(|run| run.iter().map(|step| step.operator.name()).collect())
        .collect();
    assert_eq!(
        joined,
        [
            vec!["embedding"],
            vec!["norm"],
            vec!["linear", "linear", "linear"],
            vec!["rope", "rope", "store", "attention"],
            vec!["quantise"],
            vec!["linear"],
            vec!["add"],
            vec!["norm"],
            vec!["linear", "linear"],
            vec!["swiglu"],
            vec!["linear"],
            vec!["add"],
        ]
    );
}

fn pattern() -> impl Strategy<Value = Option<LayerPattern>> {
    prop_oneof![
        Just(None),
        (0u32..20).prop_map(|first| Some(LayerPattern::From(first))),
        (2u32..20).prop_map(|group| Some(LayerPattern::Every(group))),
        (2u32..20).prop_map(|group| Some(LayerPattern::ExceptEvery(group))),
    ]
}

/// Whether a pattern is accepted for so many layers.
fn applies(pattern: LayerPattern, layers: u32) -> bool {
    let architecture = Architecture {
        layers,
        variant: Variant {
            unrotated: Some(pattern),
            ..Variant::LLAMA
        },
        ..TINY
    };
    architecture.validate().is_ok()
}

#[test]
fn a_pattern_selects_layers() {
    let layers = |pattern: LayerPattern| -> Vec<u32> {
        (0..9).filter(|layer| pattern.contains(*layer)).collect()
    };
    assert_eq!(layers(LayerPattern::ALL), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(layers(LayerPattern::From(7)), [7, 8]);
    assert_eq!(layers(LayerPattern::Every(4)), [3, 7]);
    assert_eq!(layers(LayerPattern::ExceptEvery(4)), [0, 1, 2, 4, 5, 6, 8]);
}

#[test]
fn a_pattern_that_selects_nothing_or_has_a_shorter_form_is_refused() {
    for (pattern, layers) in [
        (LayerPattern::From(4), 4),
        (LayerPattern::Every(5), 4),
        (LayerPattern::Every(1), 4),
        (LayerPattern::Every(0), 4),
        (LayerPattern::ExceptEvery(1), 4),
        (LayerPattern::ExceptEvery(5), 4),
    ] {
        assert!(!applies(pattern, layers), "{pattern}");
    }
    for pattern in [
        LayerPattern::From(3),
        LayerPattern::Every(4),
        LayerPattern::ExceptEvery(2),
    ] {
        assert!(applies(pattern, 4), "{pattern}");
    }
}

#[test]
fn layers_without_rotation_have_no_rope() {
    let network = Network::new(&Architecture {
        layers: 8,
        variant: Variant {
            unrotated: Some(LayerPattern::Every(4)),
            ..Variant::LLAMA
        },
        ..TINY
    })
    .unwrap();
    let ropes = |layer| {
        let steps = network.steps().iter();
        steps
            .filter(|step| step.layer == Some(layer) && step.operator.name() == "rope")
            .count()
    };
    assert_eq!(
        (0..8).map(ropes).collect::<Vec<_>>(),
        [2, 2, 2, 0, 2, 2, 2, 0]
    );
}

#[test]
fn a_window_is_that_of_its_layers() {
    let with = |positions| Architecture {
        layers: 6,
        variant: Variant {
            window: Some(AttentionWindow {
                positions,
                layers: LayerPattern::ExceptEvery(3),
            }),
            ..Variant::LLAMA
        },
        ..TINY
    };
    let network = Network::new(&with(40)).unwrap();
    let windows: Vec<Option<u32>> = network
        .steps()
        .iter()
        .filter_map(|step| match step.operator {
            NetworkOperator::Attention { window, .. } => Some(window),
            _ => None,
        })
        .collect();
    let narrow = Some(40);
    assert_eq!(windows, [narrow, narrow, None, narrow, narrow, None]);
    let formula = network.to_string();
    assert!(formula.contains("mixed = attention(last 40 of cache 0, queries)"));
    assert!(formula.contains("mixed = attention(cache 2, queries)"));
    let empty = Err(ArchitectureError::Zero(Dimension::Window));
    assert_eq!(with(0).validate(), empty);
}

#[test]
fn experts_replace_the_feed_forward_layer_of_their_layers() {
    let network = Network::new(&TestModel::SOME_EXPERTS).unwrap();
    assert_eq!(network.check(), Ok(()));
    let formula = network.to_string();
    let lines: Vec<&str> = formula.lines().collect();
    let first = lines
        .iter()
        .position(|line| line.contains("router"))
        .unwrap();
    assert_eq!(
        lines[first - 1..first + 8],
        [
            "normed = norm(layers.1.feed_forward_norm, residual)     64 in blocks",
            "scores = linear(layers.1.router, normed)                21 integers, 2^-20",
            "routes = route(scores)                                  10 experts and weights",
            "gates = experts(layers.1.expert_gates, routes, normed)  160 integers, 2^-20",
            "ups = experts(layers.1.expert_ups, routes, normed)      160 integers, 2^-20",
            "products = swiglu(gates, ups)                           160 in blocks, 2^-16",
            "downs = experts(layers.1.expert_downs, routes, products) 320 integers, 2^-14",
            "delta = mix(routes, downs)                              64 integers, 2^-14",
            "residual = add(residual, delta)                         64 integers, 2^-14",
        ]
    );
    assert!(formula.contains("layers.0.gate,") && formula.contains("layers.2.gate,"));
    assert!(!formula.contains("layers.1.gate,"));
}

#[test]
fn experts_that_cannot_be_executed_are_refused() {
    let refused = |change: fn(&mut ExpertMixture)| {
        let mut architecture = TestModel::SOME_EXPERTS;
        change(architecture.variant.experts.as_mut().unwrap());
        architecture.validate().unwrap_err()
    };
    let too_large = |dimension, value, limit| ArchitectureError::TooLarge {
        dimension,
        value,
        limit,
    };
    assert_eq!(
        refused(|e| e.count = 0),
        ArchitectureError::Zero(Dimension::Experts)
    );
    assert_eq!(
        refused(|e| e.chosen = 0),
        ArchitectureError::Zero(Dimension::ChosenExperts)
    );
    assert_eq!(
        refused(|e| e.width = 0),
        ArchitectureError::Zero(Dimension::ExpertWidth)
    );
    assert_eq!(
        refused(|e| e.count = 513),
        too_large(Dimension::Experts, 513, 512)
    );
    assert_eq!(
        refused(|e| e.chosen = 22),
        too_large(Dimension::ChosenExperts, 22, 21)
    );
    let many = refused(|e| (e.count, e.chosen) = (64, 33));
    assert_eq!(many, too_large(Dimension::ChosenExperts, 33, 32));
    let wide = refused(|e| e.width = 6_560);
    assert_eq!(wide, too_large(Dimension::ChosenWidth, 32_800, 32_768));
    let odd = refused(|e| e.width = 48);
    let dimension = Dimension::ExpertWidth;
    assert_eq!(
        odd,
        ArchitectureError::NotInBlocks {
            dimension,
            value: 48
        }
    );
    assert!(matches!(
        refused(|e| e.layers = LayerPattern::Every(4)),
        ArchitectureError::Pattern { .. }
    ));
    // Two equal networks have one architecture.
    let unused = refused(|e| e.layers = LayerPattern::ALL);
    let (feed_forward, width) = (96, 32);
    assert_eq!(
        unused,
        ArchitectureError::UnusedFeedForward {
            feed_forward,
            width
        }
    );
}

proptest! {
    /// Every network keeps the rules of networks.
    #[test]
    fn every_network_keeps_the_rules(
        layers in 1u32..20,
        blocks in prop::array::uniform3(1u32..40),
        kv_heads in 1u32..5,
        per_kv in 1u32..5,
        vocabulary in 1u32..70_000,
        context_length in 1u32..10_000,
        norm_epsilon_q32: u32,
        tied_head: bool,
        projection_biases: bool,
        head_norms: bool,
        gemma in prop::array::uniform4(any::<bool>()),
        unrotated in pattern(),
        positions in 1u32..10_000,
        windowed in pattern(),
        count in 1u32..200,
        chosen in 1u32..9,
        expert_blocks in 1u32..9,
        sparse in pattern(),
    ) {
        let experts = sparse.filter(|pattern| applies(*pattern, layers)).map(|layers| ExpertMixture {
            count,
            chosen: chosen.min(count),
            width: expert_blocks * 32,
            renormalised: tied_head,
            layers,
        });
        let is_sparse = |layer| experts.is_some_and(|experts| experts.layers.contains(layer));
        let unused = experts.filter(|_| (0..layers).all(is_sparse));
        let architecture = Architecture {
            layers,
            hidden: blocks[0] * 32,
            heads: kv_heads * per_kv,
            kv_heads,
            head_dim: blocks[1].min(16) * 32,
            feed_forward: unused.map_or(blocks[2] * 32, |experts| experts.width),
            vocabulary,
            context_length,
            norm_epsilon_q32,
            tied_head,
            variant: Variant {
                projection_biases,
                head_norms,
                unrotated: unrotated.filter(|pattern| applies(*pattern, layers)),
                window: windowed
                    .filter(|pattern| applies(*pattern, layers))
                    .map(|layers| AttentionWindow { positions, layers }),
                post_norms: gemma[0],
                gelu: gemma[1],
                scaled_embedding: gemma[2],
                windowed_rope: false,
                experts,
            },
        };
        let mut own_table = architecture;
        own_table.variant.windowed_rope = gemma[3];
        let architecture = if own_table.validate().is_ok() { own_table } else { architecture };
        let network = Network::new(&architecture).unwrap();
        prop_assert_eq!(network.check(), Ok(()));
        let matrices = network.tensors().iter().filter(|tensor| matches!(tensor.kind, TensorKind::Linear { .. }));
        let linear = |step: &noema_numerics::network::Step| {
            matches!(step.operator, NetworkOperator::Linear { .. } | NetworkOperator::Experts { .. })
        };
        let products = network.steps().iter().filter(|step| linear(step)).count();
        // All matrices are multiplied by, except that an untied embedding is only looked up.
        prop_assert_eq!(matrices.count(), products + usize::from(!tied_head));
    }
}
