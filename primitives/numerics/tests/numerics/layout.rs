//! The canonical layout, and the architectures that are refused.

use codec::{Decode, Encode, MaxEncodedLen};
use noema_numerics::{
    layout::{self, TensorKind},
    testing::{Random, TestModel},
    tile, Architecture, ArchitectureError, AttentionWindow, Dimension, LayerPattern, Model,
    ModelError, Variant,
};
use proptest::prelude::*;

const TINY: Architecture = TestModel::TINY;

#[test]
fn tensors_follow_each_other_without_gaps() {
    for tied_head in [true, false] {
        let architecture = Architecture { tied_head, ..TINY };
        let tensors = layout::tensors(&architecture).unwrap();
        assert_eq!(tensors.len(), layout::tensor_count(&architecture).unwrap());
        let mut next = 0;
        for spec in &tensors {
            assert_eq!(spec.offset_tiles, next, "{}", spec.name());
            assert_eq!(spec.tiles, spec.kind.tiles());
            assert!(spec.kind.content_bytes() <= spec.bytes());
            next += spec.tiles;
        }
        assert_eq!(
            layout::weights_bytes(&architecture).unwrap(),
            next * tile::TILE_BYTES as u64
        );
    }
}

#[test]
fn tensors_are_in_canonical_order() {
    let names: Vec<_> = layout::tensors(&Architecture {
        layers: 1,
        tied_head: false,
        ..TINY
    })
    .unwrap()
    .iter()
    .map(|spec| spec.name())
    .collect();
    assert_eq!(
        names,
        [
            "token_embedding",
            "layers.0.attention_norm",
            "layers.0.query",
            "layers.0.key",
            "layers.0.value",
            "layers.0.attention_output",
            "layers.0.feed_forward_norm",
            "layers.0.gate",
            "layers.0.up",
            "layers.0.down",
            "final_norm",
            "output_head",
            "rope",
        ]
    );
}

#[test]
fn rows_are_padded_to_whole_groups() {
    let kind = TensorKind::Linear {
        rows: 17,
        columns: 64,
    };
    assert_eq!(kind.tiles(), 4);
    assert_eq!(TensorKind::Gain { length: 576 }.tiles(), 5);
}

#[test]
fn a_tile_decodes_to_what_was_encoded() {
    let mut random = Random::new(1);
    let quants = core::array::from_fn(|_| core::array::from_fn(|_| random.within(127) as i8));
    let scales = core::array::from_fn(|_| random.bits() as u16);
    let encoded = tile::encode(&quants, &scales);
    assert_eq!(tile::decode(&encoded), (quants, scales));
    // Four consecutive inputs of a row are one word; the next word is the next row.
    assert_eq!(encoded[4] as i8, quants[1][0]);
    assert_eq!(encoded[66] as i8, quants[0][6]);
    assert_eq!(encoded[514..516], scales[1].to_le_bytes());
}

#[test]
fn an_architecture_without_something_is_refused() {
    let zero = |architecture: Architecture, dimension| {
        assert_eq!(
            architecture.validate(),
            Err(ArchitectureError::Zero(dimension))
        );
    };
    zero(Architecture { layers: 0, ..TINY }, Dimension::Layers);
    zero(Architecture { hidden: 0, ..TINY }, Dimension::Hidden);
    zero(Architecture { heads: 0, ..TINY }, Dimension::Heads);
    zero(
        Architecture {
            kv_heads: 0,
            ..TINY
        },
        Dimension::KvHeads,
    );
    zero(
        Architecture {
            head_dim: 0,
            ..TINY
        },
        Dimension::HeadDim,
    );
    zero(
        Architecture {
            feed_forward: 0,
            ..TINY
        },
        Dimension::FeedForward,
    );
    zero(
        Architecture {
            vocabulary: 0,
            ..TINY
        },
        Dimension::Vocabulary,
    );
    zero(
        Architecture {
            context_length: 0,
            ..TINY
        },
        Dimension::ContextLength,
    );
}

#[test]
fn an_architecture_beyond_a_proven_bound_is_refused() {
    let too_large = |architecture: Architecture, dimension, value, limit| {
        assert_eq!(
            architecture.validate(),
            Err(ArchitectureError::TooLarge {
                dimension,
                value,
                limit
            })
        );
    };
    too_large(
        Architecture {
            hidden: 32_800,
            ..TINY
        },
        Dimension::Hidden,
        32_800,
        32_768,
    );
    too_large(
        Architecture {
            context_length: 131_073,
            ..TINY
        },
        Dimension::ContextLength,
        131_073,
        131_072,
    );
    too_large(
        Architecture {
            head_dim: 544,
            ..TINY
        },
        Dimension::HeadDim,
        544,
        512,
    );
    too_large(
        Architecture {
            heads: 1_025,
            ..TINY
        },
        Dimension::AttentionWidth,
        32_800,
        32_768,
    );
    assert_eq!(
        Architecture { hidden: 48, ..TINY }.validate(),
        Err(ArchitectureError::NotInBlocks {
            dimension: Dimension::Hidden,
            value: 48
        })
    );
    assert_eq!(
        Architecture {
            heads: 3,
            kv_heads: 2,
            ..TINY
        }
        .validate(),
        Err(ArchitectureError::UnevenHeads {
            heads: 3,
            kv_heads: 2
        })
    );
    assert!(matches!(
        Architecture {
            layers: 1_024,
            hidden: 32_768,
            feed_forward: 32_768,
            heads: 1_024,
            kv_heads: 1_024,
            ..TINY
        }
        .validate(),
        Err(ArchitectureError::TooManyTiles { .. })
    ));
}

#[test]
fn a_model_needs_the_right_number_of_bytes_and_exponents() {
    let test = TestModel::tiny(1);
    let short = &test.weights[..test.weights.len() - 1];
    assert_eq!(
        Model::new(&test.architecture, &test.exponents, short).unwrap_err(),
        ModelError::WeightsLength {
            expected: test.weights.len() as u64,
            found: test.weights.len() as u64 - 1
        }
    );
    assert_eq!(
        Model::new(&test.architecture, &test.exponents[1..], &test.weights).unwrap_err(),
        ModelError::ExponentCount {
            expected: 21,
            found: 20
        }
    );
    let hidden = Architecture {
        hidden: 33,
        ..test.architecture
    };
    assert!(matches!(
        Model::new(&hidden, &test.exponents, &test.weights),
        Err(ModelError::Architecture(_))
    ));
}

#[test]
fn an_architecture_has_a_frozen_encoding() {
    let encoded = TINY.encode();
    // Eight dimensions and the epsilon as u32, then a flag and the number of differences from Llama 2.
    assert_eq!(encoded.len(), 9 * 4 + 2);
    assert_eq!(encoded[4..8], 64u32.to_le_bytes());
    assert_eq!(Architecture::decode(&mut &encoded[..]).unwrap(), TINY);
    let json = serde_json::to_string(&TINY).unwrap();
    assert_eq!(serde_json::from_str::<Architecture>(&json).unwrap(), TINY);
    assert!(serde_json::from_str::<Architecture>(&json.replace("heads", "haeds")).is_err());
    assert!(!json.contains("variant"), "{json}");
}

#[test]
fn a_variant_is_encoded_as_the_list_of_its_differences() {
    for architecture in TestModel::VARIANTS.iter().chain(TestModel::MIXTURES) {
        let encoded = architecture.encode();
        assert!(encoded.len() <= Architecture::max_encoded_len());
        let decoded = Architecture::decode(&mut &encoded[..]);
        assert_eq!(decoded.as_ref(), Ok(architecture));
        let json = serde_json::to_string(architecture).unwrap();
        let read: Architecture = serde_json::from_str(&json).unwrap();
        assert_eq!(read, *architecture);
    }
    let biases = Variant {
        projection_biases: true,
        ..Variant::LLAMA
    };
    let both = Variant {
        head_norms: true,
        ..biases
    };
    let unrotated = Variant {
        unrotated: Some(LayerPattern::Every(4)),
        ..both
    };
    let window = Variant {
        window: Some(AttentionWindow {
            positions: 4_096,
            layers: LayerPattern::ALL,
        }),
        ..Variant::LLAMA
    };
    assert_eq!(window.encode(), [4, 3, 0, 16, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(
        serde_json::to_string(&window).unwrap(),
        r#"{"window":{"positions":4096,"layers":{"from":0}}}"#
    );
    let gemma = Variant {
        post_norms: true,
        gelu: true,
        scaled_embedding: true,
        windowed_rope: true,
        ..Variant::LLAMA
    };
    assert_eq!(gemma.encode(), [16, 4, 5, 6, 7]);
    assert_eq!(
        serde_json::to_string(&gemma).unwrap(),
        r#"{"post_norms":true,"gelu":true,"scaled_embedding":true,"windowed_rope":true}"#
    );
    let experts = TestModel::EXPERTS.variant;
    let numbers: Vec<u8> = [8u32, 2, 64].iter().flat_map(|n| n.to_le_bytes()).collect();
    assert_eq!(
        experts.encode(),
        [&[4, 8], &numbers[..], &[1, 0, 0, 0, 0, 0]].concat()
    );
    assert_eq!(
        serde_json::to_string(&experts).unwrap(),
        r#"{"experts":{"count":8,"chosen":2,"width":64,"renormalised":true,"layers":{"from":0}}}"#
    );
    assert_eq!(Variant::LLAMA.encode(), [0]);
    let longest = Variant {
        experts: experts.experts,
        window: window.window,
        post_norms: true,
        gelu: true,
        scaled_embedding: true,
        windowed_rope: true,
        ..unrotated
    };
    assert_eq!(longest.encode().len(), Variant::max_encoded_len());
    assert_eq!(biases.encode(), [4, 0]);
    assert_eq!(both.encode(), [8, 0, 1]);
    assert_eq!(unrotated.encode(), [12, 0, 1, 2, 1, 4, 0, 0, 0]);
    assert_eq!(
        serde_json::to_string(&unrotated).unwrap(),
        r#"{"projection_biases":true,"head_norms":true,"unrotated":{"every":4}}"#
    );
    for bytes in [
        &[8, 0, 0][..],
        &[8, 1, 0],
        &[4, 200],
        &[40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[8, 5, 4],
    ] {
        assert!(Variant::decode(&mut &*bytes).is_err(), "{bytes:?}");
    }
}

proptest! {
    /// Validation returns a result for any numbers, and every accepted architecture can be laid out.
    #[test]
    fn validation_is_total(n in prop::array::uniform9(any::<u32>()), scale in 0u32..32) {
        let n = n.map(|n| n >> scale);
        let architecture = Architecture {
            layers: n[0], hidden: n[1] & !31, heads: n[2], kv_heads: n[3], head_dim: n[4] & !31,
            feed_forward: n[5] & !31, vocabulary: n[6], context_length: n[7],
            norm_epsilon_q32: n[8], tied_head: n[8] & 1 == 1,
            variant: Variant {
                projection_biases: n[8] & 2 == 2,
                head_norms: n[8] & 4 == 4,
                post_norms: n[8] & 8 == 8,
                scaled_embedding: n[8] & 16 == 16,
                ..Variant::LLAMA
            },
        };
        match architecture.validate() {
            Ok(()) => prop_assert!(layout::weights_bytes(&architecture).unwrap() > 0),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
