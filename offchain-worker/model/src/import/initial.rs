//! Checkpoints with random weights, to be trained from scratch.
//!
//! A weight is drawn uniformly from `-a..a` with `a = σ √3`, so that its standard deviation is σ:
//! ```text
//! σ = √(2 / 5 hidden)        Nguyen and Salazar, 2019
//! σ / √(2 layers)            for outputs added to the residual stream: Radford et al., 2019
//! ```
//! Gains are 1, biases 0. The draws of a row are the BLAKE3 stream of seed, tensor and row, so the same options
//! give the same checkpoint on every machine.

use super::{
    model::{epsilon_q32, Model, Weights, END_OF_TURN},
    rope::{Rope, Ropes},
    tokenizer, write, ImportError, ImportOptions, ImportProgress,
};
use crate::checkpoint::OpenCheckpoint;
use codec::Encode;
use noema_checkpoint::{
    blake2_256,
    layout::{TensorKind, TensorRole},
    Architecture, Source, SourceFormat,
};
use noema_numerics::{Network, Variant};
use std::{
    ops::{Range, RangeInclusive},
    path::Path,
};

/// Epsilon of every norm.
const EPSILON: f64 = 1e-5;

/// The options of a checkpoint with random weights.
#[derive(Clone, Debug, PartialEq)]
pub struct InitialOptions {
    /// Name to record.
    pub name: String,
    /// Licence to record.
    pub licence: String,
    /// Transformer layers.
    pub layers: u32,
    /// Width of the residual stream, a multiple of 32.
    pub hidden: u32,
    /// Query heads.
    pub heads: u32,
    /// Key/value heads, of which the query heads are a multiple.
    pub kv_heads: u32,
    /// Width of a head, a multiple of 32.
    pub head_dim: u32,
    /// Width of the feed-forward layer, a multiple of 32.
    pub feed_forward: u32,
    /// Positions that a text may have.
    pub context: u32,
    /// Base of the rotary embedding's frequencies.
    pub rope_base: f64,
    /// Whether the output head is a separate tensor.
    pub untied_head: bool,
    /// The seed of the weights.
    pub seed: u64,
}

impl InitialOptions {
    /// Valid values of [`Self::rope_base`].
    pub const ROPE_BASES: RangeInclusive<f64> = 1.0..=1e15;
}

impl Default for InitialOptions {
    fn default() -> Self {
        Self {
            name: "untrained".into(),
            licence: String::new(),
            layers: 4,
            hidden: 96,
            heads: 3,
            kv_heads: 1,
            head_dim: 32,
            feed_forward: 256,
            context: 256,
            rope_base: 10_000.0,
            untied_head: false,
            seed: 0,
        }
    }
}

/// Makes a checkpoint with random weights in the library under `home`. `tokenizer` is a
/// `tokenizer.json`, read from `path`; its tokens are the vocabulary.
///
/// # Errors
/// When the tokenizer cannot be used, the numerics do not have such a shape, or the checkpoint cannot be
/// written.
pub fn initialise(
    path: &Path,
    tokenizer: Vec<u8>,
    home: &Path,
    options: &InitialOptions,
    progress: &dyn ImportProgress,
) -> Result<OpenCheckpoint, ImportError> {
    if !InitialOptions::ROPE_BASES.contains(&options.rope_base) {
        return Err(ImportError::RopeBase {
            asked: options.rope_base,
        });
    }
    let loaded = tokenizer::check(path, &tokenizer, Architecture::MAX_VOCABULARY)?;
    let highest = loaded.get_vocab(true).into_values().max().unwrap_or(0);
    let mut stops: Vec<u32> = END_OF_TURN
        .into_iter()
        .filter_map(|token| loaded.token_to_id(token))
        .collect();
    stops.sort_unstable();
    let architecture = Architecture {
        layers: options.layers,
        hidden: options.hidden,
        heads: options.heads,
        kv_heads: options.kv_heads,
        head_dim: options.head_dim,
        feed_forward: options.feed_forward,
        vocabulary: highest + 1,
        context_length: options.context,
        norm_epsilon_q32: epsilon_q32(EPSILON).unwrap_or_default(),
        tied_head: !options.untied_head,
        variant: Variant::LLAMA,
    };
    let recipe = (
        b"noema/random-weights/1",
        options.seed,
        options.rope_base.to_bits(),
    );
    let model = Model {
        name: options.name.clone(),
        licence: options.licence.clone(),
        source: Source {
            format: SourceFormat::Random,
            hash: blake2_256(&recipe.encode()),
        },
        architecture,
        ropes: Ropes::alike(Rope::plain(options.rope_base, options.head_dim)),
        tokenizer,
        chat_template: String::new(),
        bos: None,
        eos: None,
        stops,
    };
    let weights = Random {
        architecture,
        // None if the architecture is refused when it is written.
        network: Network::new(&architecture).ok(),
        seed: options.seed,
    };
    let import = ImportOptions {
        context: Some(options.context),
        ..Default::default()
    };
    write::write(model, &weights, home, &import, progress)
}

/// Random weights.
struct Random {
    architecture: Architecture,
    network: Option<Network>,
    seed: u64,
}

impl Random {
    fn is_gain(&self, role: TensorRole, layer: Option<u32>) -> bool {
        let Some(network) = &self.network else {
            return false;
        };
        let tensor = network.tensor(role, layer);
        let spec = tensor.and_then(|index| network.tensors().get(index));
        spec.is_some_and(|spec| matches!(spec.kind, TensorKind::Gain { .. }))
    }

    /// Half the width of the interval from which the weights of `role` are drawn.
    fn reach(&self, role: TensorRole) -> f64 {
        let sigma = libm::sqrt(2.0 / (5.0 * f64::from(self.architecture.hidden)));
        let layers = f64::from(self.architecture.layers);
        let sigma = match role {
            TensorRole::AttentionOutput | TensorRole::Down | TensorRole::ExpertDowns => {
                sigma / libm::sqrt(2.0 * layers)
            }
            _ => sigma,
        };
        sigma * libm::sqrt(3.0)
    }
}

impl Weights for Random {
    fn path(&self) -> &Path {
        Path::new("random weights")
    }

    fn read(
        &self,
        role: TensorRole,
        layer: Option<u32>,
        rows: Range<usize>,
        columns: usize,
        out: &mut [f32],
    ) -> Result<(), ImportError> {
        if role.is_bias() {
            out.fill(0.0);
            return Ok(());
        }
        if self.is_gain(role, layer) {
            out.fill(1.0);
            return Ok(());
        }
        let reach = self.reach(role);
        let mut bytes = vec![0; columns * 4];
        for (row, out) in rows.zip(out.chunks_exact_mut(columns)) {
            let place = (self.seed, role.name(), layer, row as u64);
            let mut hasher = blake3::Hasher::new();
            hasher.update(&place.encode());
            hasher.finalize_xof().fill(&mut bytes);
            for (value, draw) in out.iter_mut().zip(bytes.as_chunks().0) {
                let draw = f64::from(i32::from_le_bytes(*draw)) / 2_147_483_648.0;
                *value = (draw * reach) as f32;
            }
        }
        Ok(())
    }

    fn release(&self) {}

    fn locate(&self, role: TensorRole, _: Option<u32>) -> (String, u64) {
        (role.name().into(), 0)
    }
}
