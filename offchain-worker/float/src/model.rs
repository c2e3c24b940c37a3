//! The transformer in 32-bit floats, as a burn module: the model that the integer transformer approximates.
//!
//! It follows the steps of [`Network`], each by its formula in real numbers: rotary positions (Su et al.,
//! 2021), grouped-query attention (Ainslie et al., 2023), SwiGLU and GeGLU (Shazeer, 2020) and RMS norms (Zhang and
//! Sennrich, 2019). Rotary pairs are the two halves of a head, the convention of Hugging Face's `transformers`
//! and of Noema's checkpoints.

use crate::{mixture::Routes, FloatWeights, Rotation};
use burn::{
    module::{Module, Param},
    tensor::{
        activation::{gelu_approximate, silu},
        module::{attention, embedding, linear},
        ops::AttentionModuleOptions,
        Bool, Device, Int, Tensor, TensorData,
    },
};
use noema_numerics::{
    layout::{TensorKind, TensorSpec},
    network::{is_read, NetworkOperator, Value},
    Network,
};
use std::{collections::BTreeMap, ops::Range};

/// The tables of rotations of a model.
#[derive(Clone, Debug)]
pub struct Rotary(Vec<Table>);

/// Cosines and sines of the rotary embedding, `[1, positions, 1, pairs]`.
#[derive(Clone, Debug)]
struct Table {
    cos: Tensor<4>,
    sin: Tensor<4>,
}

impl Rotary {
    /// Tables for `positions` positions, from [`FloatWeights::rotations`].
    pub fn new(rotations: &[Vec<Rotation>], positions: usize, device: &Device) -> Self {
        let tables = rotations.iter();
        Self(
            tables
                .map(|rotations| Table::new(rotations, positions, device))
                .collect(),
        )
    }
}

impl Table {
    fn new(rotations: &[Rotation], positions: usize, device: &Device) -> Self {
        let shape = [1, positions, 1, rotations.len()];
        let table = |value: fn(f64) -> f64| {
            let values: Vec<f32> = (0..positions)
                .flat_map(|t| {
                    let turned = rotations.iter();
                    turned.map(move |r| (r.scale * value(t as f64 * r.angle)) as f32)
                })
                .collect();
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        Self {
            cos: table(f64::cos),
            sin: table(f64::sin),
        }
    }

    /// Rotates the heads of vectors `[batch, positions, width]`, the first of them at position 0.
    fn turn(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, positions, width] = x.dims();
        let half = self.cos.dims()[3];
        let x = x.reshape([batch, positions, width / (2 * half), 2 * half]);
        let cos = self.cos.clone().narrow(1, 0, positions);
        let sin = self.sin.clone().narrow(1, 0, positions);
        let (a, b) = (x.clone().narrow(3, 0, half), x.narrow(3, half, half));
        let turned = vec![
            a.clone() * cos.clone() - b.clone() * sin.clone(),
            b * cos + a * sin,
        ];
        Tensor::cat(turned, 3).reshape([batch, positions, width])
    }
}

/// A model of any network.
#[derive(Module, Debug)]
pub struct FloatModel {
    /// In the order of the canonical list, without the tables of rotations, which are its last. A matrix has
    /// a column per output, since burn multiplies from the left; but a row if tokens are looked up in it.
    pub(crate) tensors: Vec<Param<Tensor<2>>>,
    #[module(skip)]
    pub(crate) network: Network,
}

impl FloatModel {
    /// Reads every tensor of `weights`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn load<W: FloatWeights>(weights: &W, device: &Device) -> Result<Self, W::Error> {
        let network = weights.network().clone();
        let mut tensors = Vec::with_capacity(network.tensors().len());
        for (index, tensor) in network.tensors().iter().enumerate() {
            let Some(shape) = shape(tensor) else {
                continue;
            };
            let values = TensorData::new(weights.read(tensor)?, shape);
            let values = Tensor::from_data(values, device);
            let kept = if is_turned(&network, index) {
                values.transpose()
            } else {
                values
            };
            tensors.push(Param::from_tensor(kept));
        }
        Ok(Self { tensors, network })
    }

    /// The normed hidden states of `tokens` `[batch, positions]`: `[batch, positions, width]`.
    pub fn hidden(&self, tokens: Tensor<2, Int>, rotary: &Rotary) -> Tensor<3> {
        let mut vectors = Vectors::new(self);
        vectors.run(
            0..self.network.sections().hidden.end,
            Some((&tokens, rotary)),
        );
        vectors.take(self.network.hidden())
    }

    /// Logits of hidden states: `[batch, positions, vocabulary]`.
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        let mut vectors = Vectors::new(self);
        vectors.put(self.network.hidden(), hidden);
        vectors.run(self.network.sections().logits, None);
        vectors.take(self.network.logits())
    }
}

/// Shape of a tensor with a row per output; none for a table of rotations.
fn shape(tensor: &TensorSpec) -> Option<[usize; 2]> {
    match tensor.kind {
        TensorKind::Linear { rows, columns } => Some([rows as usize, columns as usize]),
        TensorKind::Gain { length } => Some([1, length as usize]),
        _ => None,
    }
}

/// Whether tensor `index` is kept with a column per output.
pub(crate) fn is_turned(network: &Network, index: usize) -> bool {
    let mut readers = network.steps().iter().map(|step| step.operator);
    let is_matrix = network
        .tensors()
        .get(index)
        .is_some_and(|tensor| matches!(tensor.kind, TensorKind::Linear { .. }));
    is_matrix
        && !readers
            .any(|operator| matches!(operator, NetworkOperator::Embedding { table, .. } if table == index))
}

/// The values of a pass, `[batch, positions, width]`.
struct Vectors<'a> {
    model: &'a FloatModel,
    values: Vec<Option<Tensor<3>>>,
    /// Keys and values of each cache.
    caches: BTreeMap<u32, [Tensor<3>; 2]>,
    /// The values that are routes.
    routes: BTreeMap<Value, Routes>,
}

impl<'a> Vectors<'a> {
    fn new(model: &'a FloatModel) -> Self {
        Self {
            model,
            values: vec![None; model.network.values().len()],
            caches: BTreeMap::new(),
            routes: BTreeMap::new(),
        }
    }

    fn put(&mut self, value: Value, tensor: Tensor<3>) {
        if let Some(place) = self.values.get_mut(value.index()) {
            *place = Some(tensor);
        }
    }

    fn take(&mut self, value: Value) -> Tensor<3> {
        let place = self.values.get_mut(value.index());
        place
            .and_then(Option::take)
            .expect("a network writes a value before it reads it; qed")
    }

    fn routes(&self, value: Value) -> &Routes {
        let routes = self.routes.get(&value);
        routes.expect("a network routes before it reads the experts; qed")
    }

    fn weight(&self, tensor: usize) -> Tensor<2> {
        self.model.tensors[tensor].val()
    }

    /// Runs steps; those that read tokens or positions are given `input`.
    fn run(&mut self, steps: Range<usize>, input: Option<(&Tensor<2, Int>, &Rotary)>) {
        let network = &self.model.network;
        let (tokens, rotary) = input.unzip();
        for index in steps {
            let rest = &network.steps()[index + 1..];
            // A value that is read for the last time is not kept, so that its memory can be used again.
            let read = |vectors: &mut Self, value: Value| {
                let tensor = vectors.take(value);
                if is_read(value, rest) {
                    vectors.put(value, tensor.clone());
                }
                tensor
            };
            match network.steps()[index].operator {
                NetworkOperator::Embedding { table, output } => {
                    let tokens = tokens.expect("the layers are given tokens; qed");
                    self.put(output, embedding(self.weight(table), tokens.clone()));
                }
                NetworkOperator::Norm {
                    gains,
                    epsilon_q32,
                    input,
                    output,
                } => {
                    let x = read(self, input);
                    let normed = norm(x, self.weight(gains).unsqueeze(), epsilon_q32);
                    self.put(output, normed);
                }
                NetworkOperator::Linear {
                    weights,
                    input,
                    output,
                } => {
                    let x = read(self, input);
                    let product = self.product(weights, x);
                    self.put(output, product);
                }
                NetworkOperator::Bias { biases, value } => {
                    let sum = self.take(value) + self.weight(biases).unsqueeze();
                    self.put(value, sum);
                }
                NetworkOperator::HeadNorm {
                    gains,
                    epsilon_q32,
                    value,
                } => {
                    let normed = norm_heads(self.take(value), self.weight(gains), epsilon_q32);
                    self.put(value, normed);
                }
                NetworkOperator::Rope { table, value } => {
                    let Rotary(tables) = rotary.expect("the layers are given positions; qed");
                    // They follow the other tensors.
                    let turned = tables[table - self.model.tensors.len()].turn(self.take(value));
                    self.put(value, turned);
                }
                NetworkOperator::Store {
                    cache,
                    keys,
                    values,
                } => {
                    let stored = [read(self, keys), read(self, values)];
                    self.caches.insert(cache, stored);
                }
                NetworkOperator::Attention {
                    cache,
                    heads,
                    kv_heads,
                    window,
                    queries,
                    output,
                } => {
                    let queries = read(self, queries);
                    let stored = self.caches.remove(&cache);
                    let [keys, values] =
                        stored.expect("a network stores keys before attention reads them; qed");
                    let heads = [heads as usize, kv_heads as usize];
                    self.put(output, attend(queries, keys, values, heads, window));
                }
                NetworkOperator::Quantise { input, output } => {
                    let exact = read(self, input);
                    self.put(output, exact);
                }
                NetworkOperator::Swiglu { gate, up, output } => {
                    let gated = silu(read(self, gate)) * read(self, up);
                    self.put(output, gated);
                }
                NetworkOperator::Geglu { gate, up, output } => {
                    let gated = gelu_approximate(read(self, gate)) * read(self, up);
                    self.put(output, gated);
                }
                NetworkOperator::Route {
                    renormalised,
                    scores,
                    output,
                } => {
                    let chosen = network.width(output) / 2;
                    let routes = Routes::new(read(self, scores), chosen, renormalised);
                    self.routes.insert(output, routes);
                }
                NetworkOperator::Experts {
                    weights,
                    count,
                    routes,
                    input,
                    output,
                } => {
                    let x = read(self, input);
                    let weight = self.weight(weights);
                    let products = self.routes(routes).multiply(weight, count as usize, x);
                    self.put(output, products);
                }
                NetworkOperator::Mix {
                    routes,
                    input,
                    output,
                } => {
                    let x = read(self, input);
                    let mixed = self.routes(routes).mix(x);
                    self.put(output, mixed);
                }
                NetworkOperator::Add { delta, value } => {
                    let sum = self.take(value) + read(self, delta);
                    self.put(value, sum);
                }
            }
        }
    }

    fn product(&self, tensor: usize, x: Tensor<3>) -> Tensor<3> {
        let weight = self.weight(tensor);
        if is_turned(&self.model.network, tensor) {
            return linear(x, weight, None);
        }
        let [batch, positions, width] = x.dims();
        x.reshape([batch * positions, width])
            .matmul(weight.transpose())
            .reshape([batch as i32, positions as i32, -1])
    }
}

/// RMS norm of vectors along their last dimension.
fn norm<const D: usize>(x: Tensor<D>, gains: Tensor<D>, epsilon_q32: u32) -> Tensor<D> {
    let epsilon = f64::from(epsilon_q32) / 4_294_967_296.0;
    let root = (x.clone().square().mean_dim(D - 1) + epsilon).sqrt();
    (x / root) * gains
}

/// RMS norm of each head of vectors `[batch, positions, width]`, with gains `[1, head_width]`.
fn norm_heads(x: Tensor<3>, gains: Tensor<2>, epsilon_q32: u32) -> Tensor<3> {
    let [batch, positions, width] = x.dims();
    let [_, head_width] = gains.dims();
    let heads = x.reshape([batch, positions, width / head_width, head_width]);
    norm(heads, gains.unsqueeze(), epsilon_q32).reshape([batch, positions, width])
}

/// Causal attention of vectors `[batch, positions, width]`, with numbers of query and key/value heads, over all
/// positions or the last of them.
fn attend(
    queries: Tensor<3>,
    keys: Tensor<3>,
    values: Tensor<3>,
    [heads, kv_heads]: [usize; 2],
    window: Option<u32>,
) -> Tensor<3> {
    let [batch, positions, width] = queries.dims();
    let split = |x: Tensor<3>, heads: usize| {
        let [_, _, width] = x.dims();
        x.reshape([batch, positions, heads, width / heads])
            .swap_dims(1, 2)
    };
    let shared = |x: Tensor<3>| repeat_heads(split(x, kv_heads), heads / kv_heads);
    let options = AttentionModuleOptions {
        is_causal: true,
        ..Default::default()
    };
    // The positions before the window of each position, which are masked.
    let unseen = window
        .map(|window| window as usize)
        .filter(|window| *window < positions)
        .map(|window| {
            let shape = [positions, positions];
            Tensor::<2, Bool>::triu_mask(shape, 1 - window as i64, &queries.device())
                .unsqueeze::<4>()
                .expand([batch, heads, positions, positions])
        });
    let queries = split(queries, heads);
    attention(queries, shared(keys), shared(values), unseen, None, options)
        .swap_dims(1, 2)
        .reshape([batch, positions, width])
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
