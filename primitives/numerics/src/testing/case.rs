//! Single calls of operators, with their inputs: random ones that include the ends of every range, and the
//! ends themselves. An executor must return the bytes of the definition for each.

mod mixture;

use super::Random;
use crate::{
    bias, embedding,
    experts::Experts,
    model::{Gains, Linear, RopeTable},
    rope::ROTATED_LIMIT,
    tile::{self, TILE_BYTES, TILE_COLUMNS, TILE_ROWS},
    units::{ATTENTION_FRACTION, RESIDUAL_FRACTION},
    Architecture, Blocks, BlocksRef, Kernels, KvCache, Sampler, Sampling, BLOCK,
};
use alloc::{vec, vec::Vec};

/// An operator that a [`Case`] calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TensorOperator {
    /// See [`mod@crate::linear`].
    Linear,
    /// See [`mod@crate::norm`].
    Norm,
    /// See [`mod@crate::rope`].
    Rope,
    /// See [`crate::cache`].
    Store,
    /// See [`mod@crate::attention`].
    Attention,
    /// See [`mod@crate::swiglu`].
    Swiglu,
    /// See [`mod@crate::geglu`].
    Geglu,
    /// See [`mod@crate::blocks`].
    Quantise,
    /// See [`mod@crate::embedding`]; not among the [`Kernels`].
    Embedding,
    /// See [`crate::sampling`]; not among the [`Kernels`].
    Sample,
    /// See [`mod@crate::bias`]; not among the [`Kernels`].
    Bias,
    /// See [`mod@crate::head_norm`].
    HeadNorm,
    /// See [`mod@crate::route`].
    Route,
    /// See [`mod@crate::experts`].
    Experts,
    /// See [`mod@crate::mix`].
    Mix,
}

impl TensorOperator {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Linear,
        Self::Norm,
        Self::Rope,
        Self::Store,
        Self::Attention,
        Self::Swiglu,
        Self::Geglu,
        Self::Quantise,
        Self::Embedding,
        Self::Sample,
        Self::Bias,
        Self::HeadNorm,
        Self::Route,
        Self::Experts,
        Self::Mix,
    ];

    /// Whether [`Kernels`] can replace it.
    pub const fn is_kernel(self) -> bool {
        !matches!(self, Self::Embedding | Self::Sample | Self::Bias)
    }
}

/// One call of an operator. Matrices and batches are row-major; the fields are the arguments of the operator,
/// in the units that its module states.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "codec", derive(codec::Encode, codec::Decode))]
#[allow(missing_docs)] // named as the arguments of the operators
pub enum Case {
    Linear {
        rows: u32,
        columns: u32,
        exponent: i8,
        tiles: Vec<u8>,
        /// In units of 2^-16; quantised into blocks before the call.
        input: Vec<i32>,
        fraction: i32,
    },
    Norm {
        gains: Vec<i32>,
        exponent: i8,
        epsilon_q32: u32,
        input: Vec<i32>,
    },
    Rope {
        half: u32,
        /// (cosine, sine) by position and pair, from position 0 on.
        table: Vec<i32>,
        start: u32,
        width: u32,
        rows: Vec<i32>,
    },
    Store {
        kv_heads: u32,
        head_dim: u32,
        keys: Vec<i32>,
        values: Vec<i32>,
    },
    Attention {
        heads: u32,
        kv_heads: u32,
        head_dim: u32,
        /// The last positions that a query sees.
        window: Option<u32>,
        /// Position of the first query; there are keys and values up to the last one.
        start: u32,
        keys: Vec<i32>,
        values: Vec<i32>,
        queries: Vec<i32>,
    },
    Swiglu {
        columns: u32,
        gate: Vec<i32>,
        up: Vec<i32>,
    },
    Geglu {
        columns: u32,
        gate: Vec<i32>,
        up: Vec<i32>,
    },
    Quantise {
        columns: u32,
        fraction: i32,
        values: Vec<i32>,
    },
    Embedding {
        vocabulary: u32,
        columns: u32,
        exponent: i8,
        tiles: Vec<u8>,
        token: u32,
    },
    Sample {
        temperature_milli: u16,
        top_k: u16,
        top_p_milli: u16,
        seed: [u8; 32],
        position: u32,
        logits: Vec<i32>,
    },
    Bias {
        biases: Vec<i32>,
        exponent: i8,
        fraction: i32,
        rows: Vec<i32>,
    },
    HeadNorm {
        gains: Vec<i32>,
        exponent: i8,
        epsilon_q32: u32,
        fraction: i32,
        rows: Vec<i32>,
    },
    Route {
        count: u32,
        chosen: u32,
        renormalised: bool,
        scores: Vec<i32>,
    },
    Experts {
        count: u32,
        chosen: u32,
        /// Of one expert.
        rows: u32,
        columns: u32,
        exponent: i8,
        tiles: Vec<u8>,
        routes: Vec<i32>,
        /// Whether each chosen expert has a part of the input.
        own_inputs: bool,
        /// In units of 2^-16; quantised into blocks before the call.
        input: Vec<i32>,
        fraction: i32,
    },
    Mix {
        chosen: u32,
        columns: u32,
        routes: Vec<i32>,
        input: Vec<i32>,
    },
}

impl Case {
    /// The case of `operator` with this seed: any shape, values of any magnitude.
    pub fn random(operator: TensorOperator, seed: u64) -> Self {
        let random = &mut Random::new(seed);
        match operator {
            TensorOperator::Linear => {
                let (rows, columns) = (between(1, 79, random), between(1, 7, random) * 32);
                let batch = between(1, 36, random);
                Self::Linear {
                    rows,
                    columns,
                    exponent: random.below(78) as i8 - 70,
                    tiles: tiles(rows as usize, columns as usize, random),
                    input: values((batch * columns) as usize, random),
                    fraction: random.below(32) as i32 - 8,
                }
            }
            TensorOperator::Norm => {
                let columns = between(1, 5, random) as usize * 32;
                let batch = between(1, 5, random) as usize;
                let largest = (1 << 30) - 1;
                Self::Norm {
                    gains: (0..columns)
                        .map(|_| random.within(largest) as i32)
                        .collect(),
                    exponent: -29,
                    epsilon_q32: [0, 42_950, u32::MAX][random.below(3) as usize],
                    input: values(batch * columns, random),
                }
            }
            TensorOperator::Rope => {
                let (half, heads) = (between(1, 4, random) * 16, between(1, 3, random));
                let (start, batch) = (between(0, 7, random), between(1, 5, random));
                let width = 2 * half * heads;
                Self::Rope {
                    half,
                    table: values(((start + batch) * half * 2) as usize, random),
                    start,
                    width,
                    rows: values((batch * width) as usize, random),
                }
            }
            TensorOperator::Store => {
                let (kv_heads, head_dim) = (between(1, 3, random), between(1, 8, random) * 32);
                let stored = (between(1, 40, random) * kv_heads * head_dim) as usize;
                Self::Store {
                    kv_heads,
                    head_dim,
                    keys: values(stored, random),
                    values: values(stored, random),
                }
            }
            TensorOperator::Attention => {
                let kv_heads = between(1, 2, random);
                let heads = kv_heads * between(1, 3, random);
                let head_dim = [1, 2, 3, 4, 5, 8][random.below(6) as usize] * 32;
                let (start, batch) = (between(0, 69, random), between(1, 39, random));
                let stored = ((start + batch) * kv_heads * head_dim) as usize;
                Self::Attention {
                    heads,
                    kv_heads,
                    head_dim,
                    start,
                    keys: values(stored, random),
                    values: values(stored, random),
                    queries: values((batch * heads * head_dim) as usize, random),
                    window: (random.below(2) == 1).then(|| between(1, 80, random)),
                }
            }
            TensorOperator::Swiglu => {
                let columns = between(1, 5, random) * 32;
                let count = (between(1, 5, random) * columns) as usize;
                Self::Swiglu {
                    columns,
                    gate: values(count, random),
                    up: values(count, random),
                }
            }
            TensorOperator::Geglu => {
                let columns = between(1, 5, random) * 32;
                let count = (between(1, 5, random) * columns) as usize;
                Self::Geglu {
                    columns,
                    gate: values(count, random),
                    up: values(count, random),
                }
            }
            TensorOperator::Quantise => {
                let columns = between(1, 5, random) * 32;
                Self::Quantise {
                    columns,
                    fraction: random.below(32) as i32,
                    values: values((between(1, 5, random) * columns) as usize, random),
                }
            }
            TensorOperator::Embedding => {
                let (vocabulary, columns) = (between(1, 50, random), between(1, 5, random) * 32);
                Self::Embedding {
                    vocabulary,
                    columns,
                    exponent: random.below(78) as i8 - 70,
                    tiles: tiles(vocabulary as usize, columns as usize, random),
                    token: between(0, vocabulary - 1, random),
                }
            }
            TensorOperator::Sample => {
                let count = between(1, 2_000, random) as usize;
                Self::Sample {
                    temperature_milli: [0, 1, 700, 1_000, 65_535][random.below(5) as usize],
                    top_k: [0, 1, 40, u16::MAX][random.below(4) as usize],
                    top_p_milli: [0, 500, 950, 1_000][random.below(4) as usize],
                    seed: core::array::from_fn(|_| random.bits() as u8),
                    position: random.bits() as u32,
                    logits: values(count, random),
                }
            }
            TensorOperator::Bias => {
                let (columns, batch) = (between(1, 100, random), between(1, 5, random));
                Self::Bias {
                    biases: values(columns as usize, random),
                    exponent: random.below(78) as i8 - 70,
                    fraction: random.below(32) as i32 - 8,
                    rows: values((batch * columns) as usize, random),
                }
            }
            TensorOperator::HeadNorm => {
                let width = between(1, 16, random) as usize * 32;
                let heads = between(1, 40, random) as usize;
                Self::HeadNorm {
                    gains: values(width, random),
                    exponent: random.below(60) as i8 - 50,
                    epsilon_q32: [0, 42_950, u32::MAX][random.below(3) as usize],
                    fraction: [14, 16][random.below(2) as usize],
                    rows: values(heads * width, random),
                }
            }
            TensorOperator::Route => mixture::random_route(random),
            TensorOperator::Experts => mixture::random_experts(random),
            TensorOperator::Mix => mixture::random_mix(random),
        }
    }

    /// The ends of every range: the longest sums of the largest products, the widest spans, inputs
    /// that saturate, and zeros.
    pub fn extremes() -> Vec<Self> {
        let mut cases = Vec::new();
        cases.extend(linear_extremes());
        cases.extend(norm_extremes());
        cases.extend(head_norm_extremes());
        cases.extend(mixture::extremes());
        for sign in [1, -1] {
            cases.push(Self::attention_of(512, 300, sign * ROTATED_LIMIT, i32::MIN));
            cases.push(Self::attention_of(32, 300, sign, i32::MAX));
        }
        cases.push(Self::attention_of(64, 40, 0, 0));
        cases.push(Self::attention_of(512, 40, i32::MIN, 1));
        let stored: Vec<i32> = [0, 1, -1, 127, ROTATED_LIMIT, i32::MIN]
            .into_iter()
            .flat_map(|key| [key; 64])
            .collect();
        cases.push(Self::Store {
            kv_heads: 1,
            head_dim: 64,
            values: stored.iter().map(|v| v.saturating_mul(16)).collect(),
            keys: stored,
        });
        let ends = [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX];
        let pairs = |which: usize| {
            let pair = move |i: usize| [ends[i / 6], ends[i % 6]][which];
            (0..64).map(|i| pair(i % 36)).collect()
        };
        cases.push(Self::Swiglu {
            columns: 64,
            gate: pairs(0),
            up: pairs(1),
        });
        cases.push(Self::Geglu {
            columns: 64,
            gate: pairs(0),
            up: pairs(1),
        });
        cases.push(Self::Quantise {
            columns: 64,
            fraction: 16,
            values: pairs(1),
        });
        for cosine in [i32::MIN, i32::MAX, 1 << 30] {
            cases.push(Self::Rope {
                half: 32,
                table: vec![cosine; 64],
                start: 0,
                width: 64,
                rows: pairs(0),
            });
        }
        for exponent in [i8::MIN, -16, -15, 0, i8::MAX] {
            cases.push(Self::Bias {
                biases: pairs(0),
                exponent,
                fraction: 16,
                rows: pairs(1),
            });
        }
        for temperature_milli in [0, 1, u16::MAX] {
            for logits in [vec![7; 500], pairs(1), vec![i32::MIN; 3]] {
                cases.push(Self::Sample {
                    temperature_milli,
                    top_k: 0,
                    top_p_milli: 1_000,
                    seed: [9; 32],
                    position: u32::MAX,
                    logits,
                });
            }
        }
        cases
    }

    fn attention_of(head_dim: u32, positions: u32, key: i32, value: i32) -> Self {
        let width = head_dim as usize;
        Self::Attention {
            heads: 1,
            kv_heads: 1,
            head_dim,
            window: None,
            start: positions - 1,
            keys: vec![key; positions as usize * width],
            values: vec![value; positions as usize * width],
            queries: [ROTATED_LIMIT, i32::MAX].repeat(width / 2),
        }
    }

    /// The operator that is called.
    pub const fn operator(&self) -> TensorOperator {
        match self {
            Self::Linear { .. } => TensorOperator::Linear,
            Self::Norm { .. } => TensorOperator::Norm,
            Self::Rope { .. } => TensorOperator::Rope,
            Self::Store { .. } => TensorOperator::Store,
            Self::Attention { .. } => TensorOperator::Attention,
            Self::Swiglu { .. } => TensorOperator::Swiglu,
            Self::Geglu { .. } => TensorOperator::Geglu,
            Self::Quantise { .. } => TensorOperator::Quantise,
            Self::Embedding { .. } => TensorOperator::Embedding,
            Self::Sample { .. } => TensorOperator::Sample,
            Self::Bias { .. } => TensorOperator::Bias,
            Self::HeadNorm { .. } => TensorOperator::HeadNorm,
            Self::Route { .. } => TensorOperator::Route,
            Self::Experts { .. } => TensorOperator::Experts,
            Self::Mix { .. } => TensorOperator::Mix,
        }
    }

    /// Calls the operator and returns its output as bytes: integers little-endian; of blocks the
    /// mantissas, then the shifts, then the fraction; of the cache the quants and scales of each head.
    ///
    /// # Panics
    /// When the fields do not fit each other, as the operator does.
    pub fn run(&self, kernels: &dyn Kernels) -> Vec<u8> {
        let mut blocks = Blocks::default();
        match self {
            Self::Linear {
                rows,
                columns,
                exponent,
                tiles,
                input,
                fraction,
            } => {
                let (rows, columns) = (*rows as usize, *columns as usize);
                let weights = Linear::new(rows, columns, *exponent, tiles).expect("a matrix");
                let input = Blocks::quantise(input, columns, 16);
                let mut output = vec![1; input.rows() * rows];
                kernels.linear(&weights, input.view(), *fraction, &mut output);
                return integers(&output);
            }
            Self::Norm {
                gains,
                exponent,
                epsilon_q32,
                input,
            } => {
                let gains = integers(gains);
                let gains = Gains::new(*exponent, &gains);
                kernels.norm(&gains, *epsilon_q32, input, &mut blocks);
            }
            Self::Rope {
                half,
                table,
                start,
                width,
                rows,
            } => {
                let table = integers(table);
                let table = RopeTable::new(*half as usize, &table);
                let mut rows = rows.clone();
                kernels.rope(&table, *start as usize, *width as usize, &mut rows);
                return integers(&rows);
            }
            Self::Store {
                kv_heads,
                head_dim,
                keys,
                values,
            } => {
                let mut cache = cache(*kv_heads, *head_dim, keys.len());
                kernels.store(&mut cache, 0, 0, keys, values);
                let layer = cache.layer(0);
                let heads =
                    (0..*kv_heads as usize).flat_map(|head| [layer.keys(head), layer.values(head)]);
                let mut bytes = Vec::new();
                for head in heads {
                    bytes.extend(head.quants.iter().flat_map(|q| q.to_le_bytes()));
                    bytes.extend(head.scales.iter().flat_map(|s| s.to_le_bytes()));
                }
                return bytes;
            }
            Self::Attention {
                heads,
                kv_heads,
                head_dim,
                window,
                start,
                keys,
                values,
                queries,
            } => {
                let mut cache = cache(*kv_heads, *head_dim, keys.len());
                cache.store(0, 0, keys, values);
                let mut output = vec![1; queries.len()];
                let heads = *heads as usize;
                let (layer, start) = (cache.layer(0), *start as usize);
                kernels.attention(layer, heads, *window, start, queries, &mut output);
                return integers(&output);
            }
            Self::Swiglu { columns, gate, up } => {
                kernels.swiglu(gate, up, *columns as usize, &mut blocks);
            }
            Self::Geglu { columns, gate, up } => {
                kernels.geglu(gate, up, *columns as usize, &mut blocks);
            }
            Self::Quantise {
                columns,
                fraction,
                values,
            } => kernels.quantise(values, *columns as usize, *fraction, &mut blocks),
            Self::Embedding {
                vocabulary,
                columns,
                exponent,
                tiles,
                token,
            } => {
                let (vocabulary, columns) = (*vocabulary as usize, *columns as usize);
                let table = Linear::new(vocabulary, columns, *exponent, tiles).expect("a matrix");
                let mut output = vec![1; columns];
                embedding::embedding(&table, *token as usize, &mut output);
                return integers(&output);
            }
            Self::Sample {
                temperature_milli,
                top_k,
                top_p_milli,
                seed,
                position,
                logits,
            } => {
                let sampling = Sampling {
                    temperature_milli: *temperature_milli,
                    top_k: *top_k,
                    top_p_milli: *top_p_milli,
                };
                let token = Sampler::new(sampling, *seed).sample(logits, *position);
                return token.to_le_bytes().to_vec();
            }
            Self::Bias {
                biases,
                exponent,
                fraction,
                rows,
            } => {
                let biases = integers(biases);
                let mut rows = rows.clone();
                bias::bias(&Gains::new(*exponent, &biases), *fraction, &mut rows);
                return integers(&rows);
            }
            Self::HeadNorm {
                gains,
                exponent,
                epsilon_q32,
                fraction,
                rows,
            } => {
                let gains = integers(gains);
                let gains = Gains::new(*exponent, &gains);
                let mut rows = rows.clone();
                kernels.head_norm(&gains, *epsilon_q32, *fraction, &mut rows);
                return integers(&rows);
            }
            Self::Route {
                count,
                chosen,
                renormalised,
                scores,
            } => {
                let (count, chosen) = (*count as usize, *chosen as usize);
                let mut output = vec![1; scores.len() / count * 2 * chosen];
                kernels.route(scores, count, chosen, *renormalised, &mut output);
                return integers(&output);
            }
            Self::Experts {
                count,
                chosen,
                rows,
                columns,
                exponent,
                tiles,
                routes,
                own_inputs,
                input,
                fraction,
            } => {
                let (rows, columns) = (*rows as usize, *columns as usize);
                let (count, chosen) = (*count as usize, *chosen as usize);
                let stack = Linear::new(count * rows, columns, *exponent, tiles).expect("a matrix");
                let weights = Experts::new(stack, count).expect("whole groups of rows");
                let parts = if *own_inputs { chosen } else { 1 };
                let input = Blocks::quantise(input, parts * columns, 16);
                let mut output = vec![1; input.rows() * chosen * rows];
                kernels.experts(
                    &weights,
                    chosen,
                    routes,
                    input.view(),
                    *fraction,
                    &mut output,
                );
                return integers(&output);
            }
            Self::Mix {
                chosen,
                columns,
                routes,
                input,
            } => {
                let (chosen, columns) = (*chosen as usize, *columns as usize);
                let mut output = vec![1; input.len() / chosen];
                kernels.mix(chosen, routes, input, columns, &mut output);
                return integers(&output);
            }
        }
        block_bytes(blocks.view())
    }
}

/// An empty cache of one layer with room for `elements` elements of keys.
fn cache(kv_heads: u32, head_dim: u32, elements: usize) -> KvCache {
    let positions = elements as u32 / (kv_heads * head_dim);
    let architecture = Architecture {
        layers: 1,
        heads: kv_heads,
        kv_heads,
        head_dim,
        context_length: positions,
        ..super::TestModel::TINY
    };
    KvCache::new(&architecture, positions)
}

/// Tiles of random quants and scales, extremes included: -128 and the largest scale.
pub fn tiles(rows: usize, columns: usize, random: &mut Random) -> Vec<u8> {
    let count = rows.div_ceil(TILE_ROWS) * columns / TILE_COLUMNS;
    let mut bytes = Vec::with_capacity(count * TILE_BYTES);
    for _ in 0..count {
        let mut quants = [[0; TILE_COLUMNS]; TILE_ROWS];
        let mut scales = [0; TILE_ROWS];
        for (quants, scale) in quants.iter_mut().zip(&mut scales) {
            *scale = match random.below(4) {
                0 => u16::MAX,
                1 => 0,
                _ => random.below(1 << 16) as u16,
            };
            let extreme = random.below(3) == 0;
            for q in quants {
                *q = match extreme {
                    true => [-128, 127][random.below(2) as usize],
                    false => random.bits() as i8,
                };
            }
        }
        bytes.extend(tile::encode(&quants, &scales));
    }
    bytes
}

/// Values of any magnitude, the extremes included.
pub fn values(count: usize, random: &mut Random) -> Vec<i32> {
    let widest = random.below(32) as u32;
    (0..count)
        .map(|_| match random.below(16) {
            0 => i32::MAX >> widest,
            1 => i32::MIN >> widest,
            2 => 0,
            _ => (random.bits() as i32) >> (widest + random.below(u64::from(32 - widest)) as u32),
        })
        .collect()
}

/// A number in `least..=most`.
const fn between(least: u32, most: u32, random: &mut Random) -> u32 {
    least + random.below((most - least + 1) as u64) as u32
}

fn linear_extremes() -> Vec<Case> {
    let longest = Architecture::MAX_COLUMNS;
    let case = |q: i8, columns: u32, exponent, fraction, input| Case::Linear {
        rows: 16,
        columns,
        exponent,
        tiles: tile::encode(&[[q; 32]; 16], &[u16::MAX; 16]).repeat(columns as usize / BLOCK),
        input,
        fraction,
    };
    let all = |value| vec![value; longest as usize];
    let mut widest = all(i32::MAX);
    widest[..BLOCK].fill((1 << 20) - 1);
    vec![
        case(127, longest, -45, 0, all(i32::MAX)),
        case(-128, longest, -45, 0, all(i32::MAX)),
        case(-128, longest, -45, 0, all(i32::MIN)),
        case(-128, longest, -45, 0, widest),
        case(127, 32, 127, 100, vec![1 << 30; 64]),
        case(127, 32, 0, 31, vec![-(1 << 30); 32]),
        case(-128, 32, -128, 16, vec![i32::MAX; 32]),
        case(-128, 32, 20, -16, vec![0; 32]),
    ]
}

fn norm_extremes() -> Vec<Case> {
    let mut cases = Vec::new();
    for columns in [32, 576, Architecture::MAX_COLUMNS as usize] {
        for value in [0, 1, (1 << 24) - 1, i32::MAX, i32::MIN] {
            let mut spike = vec![0; columns];
            spike[0] = value;
            for input in [vec![value; columns], spike] {
                cases.push(Case::Norm {
                    gains: [1 << 30, i32::MAX, i32::MIN, 0].repeat(columns / 4),
                    exponent: -29,
                    epsilon_q32: if value == 1 { u32::MAX } else { 0 },
                    input,
                });
            }
        }
    }
    cases
}

fn head_norm_extremes() -> Vec<Case> {
    let mut cases = Vec::new();
    for (width, fraction) in [
        (32, ATTENTION_FRACTION),
        (Architecture::MAX_HEAD_DIM as usize, ATTENTION_FRACTION),
        (Architecture::MAX_COLUMNS as usize, RESIDUAL_FRACTION),
    ] {
        for value in [0, 1, (1 << 24) - 1, i32::MAX, i32::MIN] {
            let mut rows = vec![value; 2 * width];
            rows[width..].fill(0);
            rows[width] = value;
            for exponent in [i8::MIN, -29, 6, i8::MAX] {
                cases.push(Case::HeadNorm {
                    gains: [1 << 30, i32::MAX, i32::MIN, 0].repeat(width / 4),
                    exponent,
                    epsilon_q32: if value == 1 { u32::MAX } else { 0 },
                    fraction,
                    rows: rows.clone(),
                });
            }
        }
    }
    cases
}

fn integers(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn block_bytes(blocks: BlocksRef<'_>) -> Vec<u8> {
    let mantissas = blocks.mantissas().iter().flat_map(|a| a.to_le_bytes());
    mantissas
        .chain(blocks.shifts().iter().copied())
        .chain(blocks.fraction().to_le_bytes())
        .collect()
}
