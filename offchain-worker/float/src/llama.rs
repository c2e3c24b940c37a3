//! A Llama of 32-bit floats, as burn modules: the model that the integer transformer approximates.
//!
//! Pre-norm decoder with rotary positions (Su et al., 2021), grouped-query attention (Ainslie et
//! al., 2023) and SwiGLU (Shazeer, 2020), as in Touvron et al., 2023. Rotary pairs are the two
//! halves of a head, the convention of Hugging Face's `transformers` and of Noema's checkpoints.

use crate::FloatWeights;
use burn::{
    module::{Module, Param},
    nn::{Embedding, Linear, RmsNorm},
    tensor::{
        activation::silu, module::attention, ops::AttentionModuleOptions, Device, Int, Tensor,
        TensorData,
    },
};
use noema_numerics::layout::{TensorKind, TensorRole};

/// Cosines and sines of the rotary embedding.
#[derive(Clone, Debug)]
pub struct Rotary {
    cos: Tensor<4>,
    sin: Tensor<4>,
}

impl Rotary {
    /// Tables for `positions` positions, from [`FloatWeights::rope_frequencies`].
    pub fn new(frequencies: &[f64], positions: usize, device: &Device) -> Self {
        let shape = [1, 1, positions, frequencies.len()];
        let table = |value: fn(f64) -> f64| {
            let values: Vec<f32> = (0..positions)
                .flat_map(|t| frequencies.iter().map(move |f| value(t as f64 * f) as f32))
                .collect();
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        Self {
            cos: table(f64::cos),
            sin: table(f64::sin),
        }
    }

    /// Rotates heads `[batch, heads, positions, head_width]`, the first of them at position 0.
    fn turn(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, _, positions, width] = x.dims();
        let half = width / 2;
        let cos = self.cos.clone().narrow(2, 0, positions);
        let sin = self.sin.clone().narrow(2, 0, positions);
        let (a, b) = (x.clone().narrow(3, 0, half), x.narrow(3, half, half));
        Tensor::cat(
            vec![
                a.clone() * cos.clone() - b.clone() * sin.clone(),
                b * cos + a * sin,
            ],
            3,
        )
    }
}

/// Causal self-attention with grouped key/value heads.
#[derive(Module, Debug)]
pub struct Attention {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    heads: usize,
    key_value_heads: usize,
    head_width: usize,
}

impl Attention {
    /// `[batch, positions, width]` to the same shape.
    pub fn forward(&self, x: Tensor<3>, rotary: &Rotary) -> Tensor<3> {
        let [batch, positions, _] = x.dims();
        let split = |y: Tensor<3>, heads: usize| {
            y.reshape([batch, positions, heads, self.head_width])
                .swap_dims(1, 2)
        };
        let shared = |y: Tensor<4>| {
            let group = self.heads / self.key_value_heads;
            repeat_heads(y, group)
        };
        let query = rotary.turn(split(self.query.forward(x.clone()), self.heads));
        let key = rotary.turn(split(self.key.forward(x.clone()), self.key_value_heads));
        let value = split(self.value.forward(x), self.key_value_heads);
        let (key, value) = (shared(key), shared(value));
        let options = AttentionModuleOptions {
            is_causal: true,
            ..Default::default()
        };
        let mixed = attention(query, key, value, None, None, options)
            .swap_dims(1, 2)
            .reshape([batch, positions, self.heads * self.head_width]);
        self.output.forward(mixed)
    }
}

/// One head for each query head, from heads `[batch, heads, positions, head_width]` that `group` query heads
/// share: burn's kernels for graphics processors need equal numbers of both.
fn repeat_heads(heads: Tensor<4>, group: usize) -> Tensor<4> {
    if group == 1 {
        return heads;
    }
    let [batch, count, positions, width] = heads.dims();
    heads
        .unsqueeze_dim::<5>(2)
        .expand([batch, count, group, positions, width])
        .reshape([batch, count * group, positions, width])
}

/// The gated feed-forward network.
#[derive(Module, Debug)]
pub struct FeedForward {
    pub(crate) gate: Linear,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
}

impl FeedForward {
    /// `[batch, positions, width]` to the same shape.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let gated = silu(self.gate.forward(x.clone())) * self.up.forward(x);
        self.down.forward(gated)
    }
}

/// Attention and feed-forward network, each behind a norm and beside the residual stream.
#[derive(Module, Debug)]
pub struct Block {
    pub(crate) attention_norm: RmsNorm,
    pub(crate) attention: Attention,
    pub(crate) feed_forward_norm: RmsNorm,
    pub(crate) feed_forward: FeedForward,
}

impl Block {
    /// `[batch, positions, width]` to the same shape.
    pub fn forward(&self, x: Tensor<3>, rotary: &Rotary) -> Tensor<3> {
        let x = x.clone()
            + self
                .attention
                .forward(self.attention_norm.forward(x), rotary);
        x.clone() + self.feed_forward.forward(self.feed_forward_norm.forward(x))
    }
}

/// A whole Llama.
#[derive(Module, Debug)]
pub struct Llama {
    pub(crate) embedding: Embedding,
    pub(crate) blocks: Vec<Block>,
    pub(crate) final_norm: RmsNorm,
    pub(crate) head: Option<Linear>,
}

impl Llama {
    /// Reads every tensor of `weights`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn load<W: FloatWeights>(weights: &W, device: &Device) -> Result<Self, W::Error> {
        let architecture = weights.architecture();
        let reader = Reader { weights, device };
        let embedding = reader.matrix(TensorRole::TokenEmbedding, None)?;
        let blocks = (0..architecture.layers)
            .map(|layer| {
                let layer = Some(layer);
                Ok(Block {
                    attention_norm: reader.norm(TensorRole::AttentionNorm, layer)?,
                    attention: Attention {
                        query: reader.linear(TensorRole::Query, layer)?,
                        key: reader.linear(TensorRole::Key, layer)?,
                        value: reader.linear(TensorRole::Value, layer)?,
                        output: reader.linear(TensorRole::AttentionOutput, layer)?,
                        heads: architecture.heads as usize,
                        key_value_heads: architecture.kv_heads as usize,
                        head_width: architecture.head_dim as usize,
                    },
                    feed_forward_norm: reader.norm(TensorRole::FeedForwardNorm, layer)?,
                    feed_forward: FeedForward {
                        gate: reader.linear(TensorRole::Gate, layer)?,
                        up: reader.linear(TensorRole::Up, layer)?,
                        down: reader.linear(TensorRole::Down, layer)?,
                    },
                })
            })
            .collect::<Result<_, W::Error>>()?;
        let final_norm = reader.norm(TensorRole::FinalNorm, None)?;
        let head = if architecture.tied_head {
            None
        } else {
            Some(reader.linear(TensorRole::OutputHead, None)?)
        };
        Ok(Self {
            embedding: Embedding {
                weight: Param::from_tensor(embedding),
            },
            blocks,
            final_norm,
            head,
        })
    }

    /// The normed hidden states of `tokens` `[batch, positions]`: `[batch, positions, width]`.
    pub fn hidden(&self, tokens: Tensor<2, Int>, rotary: &Rotary) -> Tensor<3> {
        let embedded = self.embedding.forward(tokens);
        let x = self
            .blocks
            .iter()
            .fold(embedded, |x, block| block.forward(x, rotary));
        self.final_norm.forward(x)
    }

    /// Logits of hidden states: `[batch, positions, vocabulary]`.
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        match &self.head {
            Some(head) => head.forward(hidden),
            None => {
                let [batch, positions, width] = hidden.dims();
                let head = self.embedding.weight.val().transpose();
                hidden
                    .reshape([batch * positions, width])
                    .matmul(head)
                    .reshape([batch as i32, positions as i32, -1])
            }
        }
    }
}

struct Reader<'a, W> {
    weights: &'a W,
    device: &'a Device,
}

impl<W: FloatWeights> Reader<'_, W> {
    /// A tensor with a row per output.
    fn matrix(&self, role: TensorRole, layer: Option<u32>) -> Result<Tensor<2>, W::Error> {
        let values = self.weights.read(role, layer)?;
        let rows = match role.kind(self.weights.architecture()) {
            TensorKind::Linear { rows, .. } => rows as usize,
            _ => 1,
        };
        let shape = [rows, values.len() / rows];
        Ok(Tensor::from_data(
            TensorData::new(values, shape),
            self.device,
        ))
    }

    /// burn multiplies from the left, so its weight is the transpose of a row per output.
    fn linear(&self, role: TensorRole, layer: Option<u32>) -> Result<Linear, W::Error> {
        Ok(Linear {
            weight: Param::from_tensor(self.matrix(role, layer)?.transpose()),
            bias: None,
        })
    }

    fn norm(&self, role: TensorRole, layer: Option<u32>) -> Result<RmsNorm, W::Error> {
        let epsilon = self.weights.architecture().norm_epsilon_q32;
        Ok(RmsNorm {
            gamma: Param::from_tensor(self.matrix(role, layer)?.squeeze_dim(0)),
            epsilon: f64::from(epsilon) / 4_294_967_296.0,
        })
    }
}
