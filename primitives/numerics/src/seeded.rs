//! Small seeded models: real arithmetic, meaningless output. The self-test of a device executes them.
//!
//! All data come from SplitMix64 alone, so every machine builds the same bytes. The weights of the
//! model are scaled like those of a trained one (outputs of each layer near one), so answers vary
//! from position to position.

use crate::{
    layout::{self, TensorKind, TensorRole},
    tile::{self, TILE_BYTES, TILE_COLUMNS, TILE_ROWS},
    Architecture, AttentionWindow, ExpertMixture, LayerPattern, Model, Variant,
};
use alloc::{vec, vec::Vec};

/// A generator of data: SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.bits() as u128 * bound as u128) >> 64) as u64
    }

    /// A number in `-limit..=limit`.
    pub const fn within(&mut self, limit: i64) -> i64 {
        self.below(2 * limit as u64 + 1) as i64 - limit
    }
}

/// Weights that own their bytes.
#[derive(Clone, Debug)]
pub struct TestModel {
    /// The shape.
    pub architecture: Architecture,
    /// One exponent per tensor.
    pub exponents: Vec<i8>,
    /// The tiles.
    pub weights: Vec<u8>,
}

impl TestModel {
    /// 2 layers, hidden 64, 2 query heads on 1 key/value head of 32, feed-forward 96, vocabulary
    /// 128, context 256, tied head.
    pub const TINY: Architecture = Architecture {
        layers: 2,
        hidden: 64,
        heads: 2,
        kv_heads: 1,
        head_dim: 32,
        feed_forward: 96,
        vocabulary: 128,
        context_length: 256,
        norm_epsilon_q32: 42_950,
        tied_head: true,
        variant: Variant::LLAMA,
    };

    /// 3 layers with all differences of attention from Llama 2 that Gemma 3 does not add: biases, norms of heads, a
    /// window, and a layer without rotation.
    pub const EVERY_DIFFERENCE: Architecture = Architecture {
        layers: 3,
        heads: 4,
        kv_heads: 2,
        head_dim: 64,
        tied_head: false,
        variant: Variant {
            projection_biases: true,
            head_norms: true,
            unrotated: Some(LayerPattern::Every(3)),
            window: Some(AttentionWindow {
                positions: 64,
                layers: LayerPattern::ExceptEvery(2),
            }),
            ..Variant::LLAMA
        },
        ..Self::TINY
    };

    /// 4 layers with the differences of Gemma 3: norms of heads and of what sublayers add, GELU, a scaled embedding, and
    /// layers with a window and a table of rotations of their own.
    pub const GEMMA: Architecture = Architecture {
        layers: 4,
        heads: 4,
        variant: Variant {
            head_norms: true,
            window: Some(AttentionWindow {
                positions: 40,
                layers: LayerPattern::ExceptEvery(3),
            }),
            post_norms: true,
            gelu: true,
            scaled_embedding: true,
            windowed_rope: true,
            ..Variant::LLAMA
        },
        ..Self::TINY
    };

    /// [`TINY`](Self::TINY) with some differences from Llama 2, and models that have all differences between them.
    pub const VARIANTS: &'static [Architecture] = &[
        Architecture {
            variant: Variant {
                projection_biases: true,
                ..Variant::LLAMA
            },
            ..Self::TINY
        },
        Architecture {
            variant: Variant {
                head_norms: true,
                ..Variant::LLAMA
            },
            ..Self::TINY
        },
        Architecture {
            variant: Variant {
                unrotated: Some(LayerPattern::Every(2)),
                ..Variant::LLAMA
            },
            ..Self::TINY
        },
        Architecture {
            variant: Variant {
                window: Some(AttentionWindow {
                    positions: 37,
                    layers: LayerPattern::ALL,
                }),
                ..Variant::LLAMA
            },
            ..Self::TINY
        },
        Self::EVERY_DIFFERENCE,
        Self::GEMMA,
    ];

    /// [`TINY`](Self::TINY) with two of eight experts in every layer.
    pub const EXPERTS: Architecture = Architecture {
        feed_forward: 64,
        variant: Variant {
            experts: Some(ExpertMixture {
                count: 8,
                chosen: 2,
                width: 64,
                renormalised: true,
                layers: LayerPattern::ALL,
            }),
            ..Variant::LLAMA
        },
        ..Self::TINY
    };

    /// 3 layers, of which the second has experts: five of 21, whose weights do not add up to 1; and norms of heads.
    pub const SOME_EXPERTS: Architecture = Architecture {
        layers: 3,
        tied_head: false,
        variant: Variant {
            head_norms: true,
            experts: Some(ExpertMixture {
                count: 21,
                chosen: 5,
                width: 32,
                renormalised: false,
                layers: LayerPattern::Every(2),
            }),
            ..Variant::LLAMA
        },
        ..Self::TINY
    };

    /// [`GEMMA`](Self::GEMMA) with three of seven experts in the even layers, which no model that can be imported has.
    pub const GEMMA_EXPERTS: Architecture = Architecture {
        variant: Variant {
            experts: Some(ExpertMixture {
                count: 7,
                chosen: 3,
                width: 32,
                renormalised: true,
                layers: LayerPattern::ExceptEvery(2),
            }),
            ..Self::GEMMA.variant
        },
        ..Self::GEMMA
    };

    /// The models with experts that models which can be imported are like.
    pub const MIXTURES: &'static [Architecture] = &[Self::EXPERTS, Self::SOME_EXPERTS];

    /// The model of [`TINY`](Self::TINY) with `seed`.
    pub fn tiny(seed: u64) -> Self {
        Self::seeded(Self::TINY, seed)
    }

    /// A model of any valid architecture.
    ///
    /// # Panics
    /// When the architecture is not valid or does not fit in memory.
    pub fn seeded(architecture: Architecture, seed: u64) -> Self {
        let tensors = layout::tensors(&architecture).expect("a valid architecture");
        let bytes = layout::weights_bytes(&architecture).expect("a valid architecture");
        let mut weights = vec![0; usize::try_from(bytes).expect("weights that fit in memory")];
        let mut exponents = Vec::with_capacity(tensors.len());
        let mut random = Random::new(seed);
        for spec in &tensors {
            let start = spec.offset_bytes() as usize;
            let content = &mut weights[start..start + spec.kind.content_bytes() as usize];
            exponents.push(match spec.kind {
                TensorKind::Linear { rows, columns } => {
                    fill_linear(content, rows as usize, columns as usize, &mut random);
                    linear_exponent(spec.role, columns)
                }
                TensorKind::Gain { .. } if spec.role.is_bias() => {
                    for bias in content.as_chunks_mut().0 {
                        *bias = (random.within((1 << 30) - 1) as i32).to_le_bytes();
                    }
                    -30
                }
                TensorKind::Gain { .. } => {
                    for gain in content.as_chunks_mut().0 {
                        *gain = ((1 << 29) + random.below(1 << 29) as i32).to_le_bytes();
                    }
                    -29
                }
                TensorKind::Rope { half, .. } => {
                    let slower = u32::from(spec.role == TensorRole::WindowedRope);
                    fill_rope(content, half as usize, slower);
                    0
                }
            });
        }
        Self {
            architecture,
            exponents,
            weights,
        }
    }

    /// The model over these bytes.
    ///
    /// # Panics
    /// When the public fields have been changed so that they do not fit each other.
    pub fn model(&self) -> Model<'_> {
        Model::new(&self.architecture, &self.exponents, &self.weights).expect("a valid model")
    }
}

/// Uniform quants, scales of 15 to 16 bits; rows past the last stay zero.
fn fill_linear(content: &mut [u8], rows: usize, columns: usize, random: &mut Random) {
    let blocks = columns / TILE_COLUMNS;
    for (index, tile) in content
        .as_chunks_mut::<TILE_BYTES>()
        .0
        .iter_mut()
        .enumerate()
    {
        let first = index / blocks * TILE_ROWS;
        let mut quants = [[0; TILE_COLUMNS]; TILE_ROWS];
        let mut scales = [0; TILE_ROWS];
        for row in 0..TILE_ROWS.min(rows - first) {
            scales[row] = 32_768 + random.below(32_768) as u16;
            for q in &mut quants[row] {
                *q = random.within(127) as i8;
            }
        }
        *tile = tile::encode(&quants, &scales);
    }
}

/// Makes the weights' standard deviation about `1 / sqrt(columns)`: q * s is near 2^21.7.
fn linear_exponent(role: TensorRole, columns: u32) -> i8 {
    match role {
        TensorRole::TokenEmbedding | TensorRole::OutputHead => -23,
        _ => -22 - (columns.ilog2() / 2) as i8,
    }
}

/// Rotations by a frequency that halves from pair to pair, in integers: each step multiplies by a unit
/// complex number in units of 2^-30. All are halved `slower` times.
fn fill_rope(content: &mut [u8], half: usize, slower: u32) {
    let mut angles = vec![(1i64 << 30, 0i64); half];
    let steps: Vec<(i64, i64)> = (0..half)
        .map(|pair| {
            let sin = (1i64 << 30) >> (1 + slower as usize + pair.min(20));
            let cos = ((1u64 << 60) - (sin * sin) as u64).isqrt() as i64;
            (cos, sin)
        })
        .collect();
    for row in content.chunks_exact_mut(half * 8) {
        let entries = row.as_chunks_mut::<8>().0.iter_mut();
        for (entry, ((cos, sin), (dc, ds))) in entries.zip(angles.iter_mut().zip(&steps)) {
            entry[..4].copy_from_slice(&(*cos as i32).to_le_bytes());
            entry[4..].copy_from_slice(&(*sin as i32).to_le_bytes());
            let next = ((*cos * dc - *sin * ds) >> 30, (*sin * dc + *cos * ds) >> 30);
            (*cos, *sin) = next;
        }
    }
}
