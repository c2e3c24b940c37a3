//! Golden vectors: the frozen results of numerics version 2, and their computation.
//!
//! [`FROZEN`] holds one BLAKE2b-256 per line, of an operator's output on seeded input or of a small
//! model end to end. A change of any line is a new numerics version.

use super::{Random, TestModel};
use crate::{
    attention, bias, check, embedding, exp2, geglu, generate, hidden,
    layout::{self, TensorRole},
    loss::{log2, loss},
    model::{Gains, Linear},
    sampling::Sampler,
    swiglu,
    tile::TILE_BYTES,
    Architecture, Blocks, ForwardPass, GenerationParameters, Kernels, KvCache, Model, Sampling,
    Transformer,
};
use alloc::{collections::BTreeMap, format, string::String, vec, vec::Vec};
use blake2::{digest::consts::U32, Blake2b, Digest};
use core::ops::ControlFlow;

/// `tests/golden/v2.txt`: a name and a hash per line, comments after `#`.
pub const FROZEN: &str = include_str!("../../tests/golden/v2.txt");

/// The frozen hashes by name.
pub fn frozen() -> BTreeMap<&'static str, &'static str> {
    FROZEN
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect()
}

/// The hashes by name, as this machine computes them with `kernels`.
///
/// # Panics
/// When checking an answer disagrees with generating it.
pub fn results(kernels: &dyn Kernels) -> BTreeMap<&'static str, String> {
    let test = TestModel::tiny(1);
    let model = test.model();
    let down = model.linear(model.index(TensorRole::Down, Some(1)));
    BTreeMap::from([
        ("attention", hash_i32(&attended(kernels, None))),
        (
            "attention_scale",
            hash_i32(&[32, 64, 96, 128, 256].map(|d| attention::score_scale(d) as i32)),
        ),
        ("attention_window", hash_i32(&attended(kernels, Some(50)))),
        ("bias", hash_i32(&biased())),
        ("blocks", hash_blocks(&quantised(kernels))),
        ("cache", hash_cache(kernels)),
        ("embedding", hash_i32(&embedded(&model))),
        (
            "exp2",
            hash_i32(
                &(-2_100_000..=0)
                    .step_by(13)
                    .map(|z| exp2::exp2(z) as i32)
                    .collect::<Vec<_>>(),
            ),
        ),
        ("exp2_table", hash_i32(&exp2::TABLE.map(|x| x as i32))),
        ("experts", hash_i32(&multiplied_by_experts(kernels))),
        (
            "geglu",
            hash_blocks(&gated(|gate, up, columns, output| {
                kernels.geglu(gate, up, columns, output);
            })),
        ),
        (
            "gelu",
            hash_i32(
                &values(21, 31, 4_096)
                    .iter()
                    .map(|&x| geglu::gelu(x))
                    .collect::<Vec<_>>(),
            ),
        ),
        ("head_norm", hash_i32(&normed_heads(kernels, 64, 16))),
        ("head_norm_whole", hash_i32(&normed_heads(kernels, 960, 14))),
        ("hidden", hash(&hidden_hashes(kernels))),
        ("layout", hash(layout_lines().as_bytes())),
        ("linear", hash_i32(&multiplied(kernels, &down, 96))),
        ("linear_any_bytes", hash_i32(&multiplied_any_bytes(kernels))),
        ("log2", hash_i32(&logarithms())),
        ("loss", hash(&losses())),
        ("mix", hash_i32(&mixed(kernels))),
        ("norm", hash_blocks(&normed(kernels, &model))),
        ("rope", hash_i32(&rotated(kernels, &model))),
        ("route", hash_i32(&routed(kernels))),
        ("sampling", hash_i32(&sampled())),
        (
            "sigmoid",
            hash_i32(
                &values(2, 31, 4_096)
                    .iter()
                    .map(|&x| swiglu::sigmoid(x) as i32)
                    .collect::<Vec<_>>(),
            ),
        ),
        (
            "swiglu",
            hash_blocks(&gated(|gate, up, columns, output| {
                kernels.swiglu(gate, up, columns, output);
            })),
        ),
        ("testing_weights", hash(&test.weights)),
        ("transformer", hash_model(kernels, TestModel::TINY)),
        (
            "transformer_experts",
            hash_models(kernels, TestModel::MIXTURES.iter()),
        ),
        ("transformer_gemma", hash_model(kernels, TestModel::GEMMA)),
        ("transformer_variants", hash_variants(kernels)),
        (
            "transformer_untied",
            hash_model(
                kernels,
                Architecture {
                    heads: 4,
                    kv_heads: 2,
                    head_dim: 64,
                    vocabulary: 121,
                    tied_head: false,
                    ..TestModel::TINY
                },
            ),
        ),
    ])
}

fn hash(bytes: &[u8]) -> String {
    let digest = Blake2b::<U32>::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash_i32(values: &[i32]) -> String {
    hash(&bytes(values))
}

fn bytes(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn hash_blocks(blocks: &Blocks) -> String {
    let blocks = blocks.view();
    let mut bytes: Vec<u8> = blocks
        .mantissas()
        .iter()
        .flat_map(|a| a.to_le_bytes())
        .collect();
    bytes.extend(blocks.shifts());
    bytes.extend(blocks.fraction().to_le_bytes());
    hash(&bytes)
}

fn quantised(kernels: &dyn Kernels) -> Blocks {
    let mut output = Blocks::default();
    kernels.quantise(&values(1, 31, 4_096), 256, 16, &mut output);
    output
}

fn hidden_hashes(kernels: &dyn Kernels) -> Vec<u8> {
    hidden::hashes(quantised(kernels).view())
        .flatten()
        .collect()
}

/// Values of every size up to `bits`: their magnitudes decrease along the vector, repeatedly.
fn values(seed: u64, bits: u32, count: usize) -> Vec<i32> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|i| (random.within(i64::from(i32::MAX)) >> (31 - bits + (i as u32 / 16) % 20)) as i32)
        .collect()
}

fn attended(kernels: &dyn Kernels, window: Option<u32>) -> Vec<i32> {
    let mut cache = KvCache::new(&TestModel::TINY, 128);
    cache.store(0, 0, &values(3, 19, 100 * 32), &values(4, 19, 100 * 32));
    let queries = values(5, 19, 30 * 64);
    let mut output = vec![0; queries.len()];
    kernels.attention(cache.layer(0), 2, window, 70, &queries, &mut output);
    output
}

fn hash_cache(kernels: &dyn Kernels) -> String {
    let mut cache = KvCache::new(&TestModel::TINY, 64);
    kernels.store(
        &mut cache,
        1,
        0,
        &values(6, 27, 64 * 32),
        &values(7, 31, 64 * 32),
    );
    let layer = cache.layer(1);
    let mut bytes = Vec::new();
    for head in [layer.keys(0), layer.values(0)] {
        bytes.extend(head.quants.iter().map(|&q| q as u8));
        bytes.extend(head.scales.iter().flat_map(|s| s.to_le_bytes()));
    }
    hash(&bytes)
}

fn embedded(model: &Model<'_>) -> Vec<i32> {
    let table = model.linear(model.index(TensorRole::TokenEmbedding, None));
    let mut rows = vec![0; 128 * 64];
    for (token, row) in rows.chunks_mut(64).enumerate() {
        embedding::embedding(&table, token, row);
    }
    rows
}

fn layout_lines() -> String {
    let tensors = layout::tensors(&TestModel::TINY).expect("a valid architecture");
    tensors
        .iter()
        .map(|spec| {
            format!(
                "{} {:?} {} {}\n",
                spec.name(),
                spec.kind,
                spec.offset_tiles,
                spec.tiles
            )
        })
        .collect()
}

fn multiplied(kernels: &dyn Kernels, weights: &Linear<'_>, columns: usize) -> Vec<i32> {
    let input = Blocks::quantise(&values(8, 31, 20 * columns), columns, 16);
    let mut output = vec![0; 20 * weights.rows()];
    kernels.linear(weights, input.view(), 16, &mut output);
    output
}

fn multiplied_any_bytes(kernels: &dyn Kernels) -> Vec<i32> {
    let mut random = Random::new(9);
    let bytes: Vec<u8> = (0..3 * 4 * TILE_BYTES)
        .map(|_| random.bits() as u8)
        .collect();
    multiplied(
        kernels,
        &Linear::new(35, 128, -20, &bytes).expect("a matrix"),
        128,
    )
}

fn normed(kernels: &dyn Kernels, model: &Model<'_>) -> Blocks {
    let mut output = Blocks::default();
    kernels.norm(
        &model.gains(model.index(TensorRole::FinalNorm, None)),
        42_950,
        &values(10, 31, 30 * 64),
        &mut output,
    );
    output
}

fn rotated(kernels: &dyn Kernels, model: &Model<'_>) -> Vec<i32> {
    let mut rows = values(11, 31, 100 * 64);
    let table = model.rope(model.index(TensorRole::Rope, None));
    kernels.rope(&table, 100, 64, &mut rows);
    rows
}

fn biased() -> Vec<i32> {
    let mut rows = values(17, 31, 40 * 96);
    let biases = bytes(&values(18, 31, 96));
    bias::bias(&Gains::new(-20, &biases), 16, &mut rows);
    rows
}

fn normed_heads(kernels: &dyn Kernels, width: usize, fraction: i32) -> Vec<i32> {
    let mut rows = values(19, 31, 60 * 64);
    let gains = bytes(&values(20, 30, width));
    kernels.head_norm(&Gains::new(-29, &gains), 4_295, fraction, &mut rows);
    rows
}

/// Routes of 30 positions to 5 of 21 experts, some of them with equal scores.
fn routed(kernels: &dyn Kernels) -> Vec<i32> {
    let mut scores = values(21, 24, 30 * 21);
    for (index, score) in scores.iter_mut().enumerate() {
        if index % 3 == 0 {
            *score &= -1 << 22;
        }
    }
    let mut routes = Vec::new();
    for renormalised in [false, true] {
        let mut output = vec![0; 30 * 10];
        kernels.route(&scores, 21, 5, renormalised, &mut output);
        routes.extend(output);
    }
    routes
}

/// Products of gates, which share their input, and of downs, which do not.
fn multiplied_by_experts(kernels: &dyn Kernels) -> Vec<i32> {
    let test = TestModel::seeded(TestModel::EXPERTS, 1);
    let model = test.model();
    let mut routes = vec![0; 30 * 4];
    kernels.route(&values(22, 22, 30 * 8), 8, 2, true, &mut routes);
    let mut products = Vec::new();
    for (role, columns) in [
        (TensorRole::ExpertGates, 64),
        (TensorRole::ExpertDowns, 128),
    ] {
        let weights = model.experts(model.index(role, Some(1)), 8);
        let input = Blocks::quantise(&values(23, 31, 30 * columns), columns, 16);
        let mut output = vec![0; 30 * 128];
        kernels.experts(&weights, 2, &routes, input.view(), 16, &mut output);
        products.extend(output);
    }
    products
}

fn mixed(kernels: &dyn Kernels) -> Vec<i32> {
    let mut routes = vec![0; 30 * 10];
    kernels.route(&values(24, 22, 30 * 21), 21, 5, false, &mut routes);
    let mut output = vec![0; 30 * 96];
    kernels.mix(5, &routes, &values(25, 31, 30 * 5 * 96), 96, &mut output);
    output
}

fn sampled() -> Vec<i32> {
    let logits = values(12, 20, 2_000);
    let mut tokens = Vec::new();
    for (temperature_milli, top_k, top_p_milli) in [
        (0, 0, 1_000),
        (1_000, 0, 1_000),
        (700, 40, 950),
        (10_000, 0, 300),
    ] {
        let sampling = Sampling {
            temperature_milli,
            top_k,
            top_p_milli,
        };
        let mut sampler = Sampler::new(sampling, [7; 32]);
        tokens.extend((0..50).map(|position| sampler.sample(&logits, position) as i32));
    }
    tokens
}

/// Logarithms of numbers of every bit length.
fn logarithms() -> Vec<i32> {
    let mut random = Random::new(15);
    (0..4_096)
        .map(|i| log2(random.bits() >> (i % 64)) as i32)
        .collect()
}

/// Losses as u64 LE of every token under logits of every spread.
fn losses() -> Vec<u8> {
    (10..32)
        .flat_map(|bits| {
            let logits = values(16, bits, 500);
            (0..500)
                .filter_map(|target| loss(&logits, target))
                .flat_map(u64::to_le_bytes)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The output of an operator that gates rows, given gates, ups, columns and output.
fn gated(operator: impl FnOnce(&[i32], &[i32], usize, &mut Blocks)) -> Blocks {
    let mut output = Blocks::default();
    operator(
        &values(13, 24, 40 * 96),
        &values(14, 24, 40 * 96),
        96,
        &mut output,
    );
    output
}

/// Of each model of [`TestModel::VARIANTS`] but Gemma, which has a vector of its own, the hash.
fn hash_variants(kernels: &dyn Kernels) -> String {
    let variants = TestModel::VARIANTS.iter();
    hash_models(
        kernels,
        variants.filter(|variant| **variant != TestModel::GEMMA),
    )
}

/// Of each of some models, the hash.
fn hash_models<'a>(
    kernels: &dyn Kernels,
    models: impl Iterator<Item = &'a Architecture>,
) -> String {
    let hashes = models.map(|model| hash_model(kernels, *model));
    hash(hashes.collect::<String>().as_bytes())
}

/// Answer, hashes of its hidden states, hidden vectors and logits of a seeded model, checked by a parallel
/// pass.
fn hash_model(kernels: &dyn Kernels, architecture: Architecture) -> String {
    let test = TestModel::seeded(architecture, 2);
    let mut transformer = Transformer::new(test.model(), kernels, 256);
    let prompt: Vec<u32> = (0..40).map(|i| i * 7 % architecture.vocabulary).collect();
    let request = GenerationParameters {
        sampling: Sampling {
            temperature_milli: 800,
            top_k: 50,
            top_p_milli: 950,
        },
        seed: [3; 32],
        max_tokens: 60,
        stop_tokens: &[],
    };
    let answer = generate(&mut transformer, &prompt, &request, |_| {
        ControlFlow::Continue(())
    })
    .expect("the context has room");
    let checked =
        check(&mut transformer, &prompt, &answer.tokens, &request).expect("the context has room");
    assert_eq!((checked.flaw, &checked.hidden), (None, &answer.hidden));

    let mut hidden = Blocks::default();
    let mut logits = Vec::new();
    transformer
        .forward(0, &prompt, 0..prompt.len(), &mut hidden)
        .expect("the context has room");
    transformer.logits(hidden.view(), &mut logits);
    let mut bytes = answer.hidden.concat();
    bytes.extend(
        answer
            .tokens
            .iter()
            .chain(&prompt)
            .flat_map(|t| t.to_le_bytes()),
    );
    bytes.extend(hash_blocks(&hidden).as_bytes());
    bytes.extend(hash_i32(&logits).as_bytes());
    hash(&bytes)
}
