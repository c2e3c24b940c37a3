//! The writing of a network: values and tensors are declared by their first use.

use super::{Form, Network, NetworkOperator, Step, TensorRole, Value, ValueSpec};
use crate::{
    layout::{TensorKind, TensorSpec},
    Architecture,
};
use alloc::vec::Vec;

/// A network that is being described.
pub(super) struct Builder {
    architecture: Architecture,
    layer: Option<u32>,
    values: Vec<ValueSpec>,
    /// Name, layer and shape of each tensor, by first use.
    tensors: Vec<(TensorRole, Option<u32>, TensorKind)>,
    /// Index of the present layer's first tensor.
    layer_first: usize,
    /// Indices of the tensors that belong to no layer.
    shared: Vec<usize>,
    steps: Vec<Step>,
    hidden_from: usize,
    logits_from: usize,
}

impl Builder {
    pub(super) const fn new(architecture: Architecture) -> Self {
        Self {
            architecture,
            layer: None,
            values: Vec::new(),
            tensors: Vec::new(),
            layer_first: 0,
            shared: Vec::new(),
            steps: Vec::new(),
            hidden_from: 0,
            logits_from: 0,
        }
    }

    /// The steps that follow belong to `layer`, and so do their matrices and gains.
    pub(super) fn begin_layer(&mut self, layer: u32) {
        self.layer = Some(layer);
        self.layer_first = self.tensors.len();
    }

    /// The steps that follow are for the requested positions only.
    pub(super) fn begin_hidden(&mut self) {
        self.layer = None;
        self.hidden_from = self.steps.len();
    }

    /// The steps that follow are the output head.
    pub(super) fn begin_logits(&mut self) {
        self.logits_from = self.steps.len();
    }

    /// A value of integers in units of `2^-fraction`.
    pub(super) fn integers(&mut self, name: &'static str, width: u32, fraction: i32) -> Value {
        self.value(name, width, Form::Integers { fraction })
    }

    /// A value of blocks in units of `2^-fraction`.
    pub(super) fn blocks(&mut self, name: &'static str, width: u32, fraction: i32) -> Value {
        self.value(name, width, Form::Blocks { fraction })
    }

    /// The blocks that a norm writes.
    pub(super) fn normed(&mut self, name: &'static str, width: u32) -> Value {
        self.value(name, width, Form::Normed)
    }

    /// `chosen` experts of a position with their weights.
    pub(super) fn routes(&mut self, name: &'static str, chosen: u32) -> Value {
        self.value(name, 2 * chosen, Form::Routes)
    }

    /// The value with this name, width and form: layers share it.
    fn value(&mut self, name: &'static str, width: u32, form: Form) -> Value {
        let spec = ValueSpec { name, width, form };
        let known = self.values.iter().position(|other| *other == spec);
        Value(known.unwrap_or_else(|| {
            self.values.push(spec);
            self.values.len() - 1
        }))
    }

    fn width(&self, value: Value) -> u32 {
        self.values.get(value.0).map_or(0, |spec| spec.width)
    }

    /// The tensor `role` of the present layer.
    fn tensor(&mut self, role: TensorRole, kind: TensorKind) -> usize {
        // All layers rotate by the same table.
        let layer = match kind {
            TensorKind::Rope { .. } => None,
            _ => self.layer,
        };
        let named = |index: &usize| {
            let tensor = self.tensors.get(*index);
            tensor.is_some_and(|(other, of, _)| (*other, *of) == (role, layer))
        };
        let next = self.tensors.len();
        let known = match layer {
            Some(_) => (self.layer_first..next).find(named),
            None => self.shared.iter().copied().find(named),
        };
        known.unwrap_or_else(|| {
            self.tensors.push((role, layer, kind));
            if layer.is_none() {
                self.shared.push(next);
            }
            next
        })
    }

    fn matrix(&mut self, role: TensorRole, rows: u32, columns: u32) -> usize {
        self.tensor(role, TensorKind::Linear { rows, columns })
    }

    fn step(&mut self, operator: NetworkOperator) {
        let layer = self.layer;
        self.steps.push(Step { layer, operator });
    }

    pub(super) fn embedding(&mut self, table: TensorRole, output: Value) {
        let (rows, columns) = (self.architecture.vocabulary, self.width(output));
        let table = self.matrix(table, rows, columns);
        self.step(NetworkOperator::Embedding { table, output });
    }

    /// The norm of the residual stream.
    pub(super) fn norm(&mut self, gains: TensorRole, input: Value, output: Value) {
        let length = self.width(input);
        let gains = self.tensor(gains, TensorKind::Gain { length });
        self.step(NetworkOperator::Norm {
            gains,
            epsilon_q32: self.architecture.residual_epsilon_q32(),
            input,
            output,
        });
    }

    pub(super) fn linear(&mut self, weights: TensorRole, input: Value, output: Value) {
        let weights = self.matrix(weights, self.width(output), self.width(input));
        self.step(NetworkOperator::Linear {
            weights,
            input,
            output,
        });
    }

    pub(super) fn bias(&mut self, biases: TensorRole, value: Value) {
        let length = self.width(value);
        let biases = self.tensor(biases, TensorKind::Gain { length });
        self.step(NetworkOperator::Bias { biases, value });
    }

    /// The norm of each head.
    pub(super) fn head_norm(&mut self, gains: TensorRole, value: Value) {
        self.norm_in_place(gains, self.architecture.head_dim, value);
    }

    /// The norm of the whole vector, in place.
    pub(super) fn post_norm(&mut self, gains: TensorRole, value: Value) {
        self.norm_in_place(gains, self.width(value), value);
    }

    fn norm_in_place(&mut self, gains: TensorRole, length: u32, value: Value) {
        let gains = self.tensor(gains, TensorKind::Gain { length });
        self.step(NetworkOperator::HeadNorm {
            gains,
            epsilon_q32: self.architecture.norm_epsilon_q32,
            value,
        });
    }

    pub(super) fn rope(&mut self, table: TensorRole, value: Value) {
        let kind = TensorKind::Rope {
            positions: self.architecture.context_length,
            half: self.architecture.head_dim / 2,
        };
        let table = self.tensor(table, kind);
        self.step(NetworkOperator::Rope { table, value });
    }

    pub(super) fn store(&mut self, keys: Value, values: Value) {
        let cache = self.layer.unwrap_or_default();
        self.step(NetworkOperator::Store {
            cache,
            keys,
            values,
        });
    }

    pub(super) fn attention(&mut self, window: Option<u32>, queries: Value, output: Value) {
        self.step(NetworkOperator::Attention {
            cache: self.layer.unwrap_or_default(),
            heads: self.architecture.heads,
            kv_heads: self.architecture.kv_heads,
            window,
            queries,
            output,
        });
    }

    pub(super) fn quantise(&mut self, input: Value, output: Value) {
        self.step(NetworkOperator::Quantise { input, output });
    }

    pub(super) fn swiglu(&mut self, gate: Value, up: Value, output: Value) {
        self.step(NetworkOperator::Swiglu { gate, up, output });
    }

    pub(super) fn geglu(&mut self, gate: Value, up: Value, output: Value) {
        self.step(NetworkOperator::Geglu { gate, up, output });
    }

    pub(super) fn route(&mut self, renormalised: bool, scores: Value, output: Value) {
        self.step(NetworkOperator::Route {
            renormalised,
            scores,
            output,
        });
    }

    /// Multiplies by the matrices of `count` experts, each of `rows` × `columns`.
    pub(super) fn experts(
        &mut self,
        weights: TensorRole,
        [count, rows, columns]: [u32; 3],
        routes: Value,
        [input, output]: [Value; 2],
    ) {
        let weights = self.matrix(weights, count * rows, columns);
        self.step(NetworkOperator::Experts {
            weights,
            count,
            routes,
            input,
            output,
        });
    }

    pub(super) fn mix(&mut self, routes: Value, input: Value, output: Value) {
        self.step(NetworkOperator::Mix {
            routes,
            input,
            output,
        });
    }

    pub(super) fn add(&mut self, delta: Value, value: Value) {
        self.step(NetworkOperator::Add { delta, value });
    }

    /// The network. `residual` is what the layers leave, from which the steps after them compute `hidden`,
    /// and from that `logits`.
    pub(super) fn finish(mut self, residual: Value, hidden: Value, logits: Value) -> Network {
        // Tables, which no training changes, follow all other tensors.
        let is_table = |index: &usize| {
            let tensor = self.tensors.get(*index);
            tensor.is_some_and(|(_, _, kind)| !kind.is_trained())
        };
        let (tables, others): (Vec<usize>, Vec<usize>) =
            (0..self.tensors.len()).partition(is_table);
        let mut moved = alloc::vec![0; self.tensors.len()];
        let mut tensors = Vec::with_capacity(self.tensors.len());
        let mut offset_tiles = 0;
        for index in others.into_iter().chain(tables) {
            moved[index] = tensors.len();
            let (role, layer, kind) = self.tensors[index];
            let tiles = kind.tiles();
            tensors.push(TensorSpec {
                role,
                layer,
                kind,
                offset_tiles,
                tiles,
            });
            offset_tiles += tiles;
        }
        for step in &mut self.steps {
            if let Some(tensor) = step.operator.tensor_mut() {
                *tensor = moved[*tensor];
            }
        }
        Network {
            architecture: self.architecture,
            values: self.values,
            tensors,
            steps: self.steps,
            hidden_from: self.hidden_from,
            logits_from: self.logits_from,
            residual,
            hidden,
            logits,
        }
    }
}
