//! The operators, with what they read and write.

use super::{Form, Network, Value};
use alloc::{format, string::String, vec::Vec};
use core::fmt;

/// An operator over the vectors of some positions. Tensors are given by their index in
/// [`Network::tensors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkOperator {
    /// `output = ` the row of each token: [`mod@crate::embedding`].
    Embedding {
        /// A matrix, one row per token.
        table: usize,
        /// Integers.
        output: Value,
    },
    /// `output = norm(input)`: [`mod@crate::norm`].
    Norm {
        /// Gains, one per element.
        gains: usize,
        /// Epsilon in units of 2^-32.
        epsilon_q32: u32,
        /// Integers in units of 2^-14.
        input: Value,
        /// Blocks in the unit that the gains determine.
        output: Value,
    },
    /// `output = weights · input`: [`mod@crate::linear`].
    Linear {
        /// A matrix, outputs × inputs.
        weights: usize,
        /// Blocks.
        input: Value,
        /// Integers.
        output: Value,
    },
    /// `value = value ⊕ biases`: [`mod@crate::bias`].
    Bias {
        /// Biases, one per element.
        biases: usize,
        /// Integers.
        value: Value,
    },
    /// Normalises each head of `value`, or the whole of it, in place: [`mod@crate::head_norm`].
    HeadNorm {
        /// Gains, one per element of a head, or of the whole.
        gains: usize,
        /// Epsilon in units of 2^-32.
        epsilon_q32: u32,
        /// Integers in units of 2^-16 or 2^-14.
        value: Value,
    },
    /// Rotates each head of `value` by its position, in place: [`mod@crate::rope`].
    Rope {
        /// Cosines and sines.
        table: usize,
        /// Integers in units of 2^-16.
        value: Value,
    },
    /// Stores keys and values of the positions: [`mod@crate::cache`].
    Store {
        /// Index of the cache.
        cache: u32,
        /// Integers in units of 2^-16.
        keys: Value,
        /// Integers in units of 2^-16.
        values: Value,
    },
    /// `output = attention(queries)` over the positions stored so far, or the last of them:
    /// [`mod@crate::attention`].
    Attention {
        /// Index of the cache.
        cache: u32,
        /// Query heads.
        heads: u32,
        /// Key/value heads.
        kv_heads: u32,
        /// The last positions that a position sees, itself among them; none for all.
        window: Option<u32>,
        /// Integers in units of 2^-16.
        queries: Value,
        /// Integers in units of 2^-16, as wide as the queries.
        output: Value,
    },
    /// `output = Blocks(input)`: [`mod@crate::blocks`].
    Quantise {
        /// Integers.
        input: Value,
        /// Blocks in the same unit.
        output: Value,
    },
    /// `output = silu(gate) * up`: [`mod@crate::swiglu`].
    Swiglu {
        /// Integers in units of 2^-20.
        gate: Value,
        /// Integers in units of 2^-20.
        up: Value,
        /// Blocks in units of 2^-16.
        output: Value,
    },
    /// `output = gelu(gate) * up`: [`mod@crate::geglu`].
    Geglu {
        /// Integers in units of 2^-20.
        gate: Value,
        /// Integers in units of 2^-20.
        up: Value,
        /// Blocks in units of 2^-16.
        output: Value,
    },
    /// `output = ` the experts with the largest scores, and their weights: [`mod@crate::route`].
    Route {
        /// Whether the weights add up to 1.
        renormalised: bool,
        /// Integers in units of 2^-20, one for each expert.
        scores: Value,
        /// Routes.
        output: Value,
    },
    /// `output = ` the products of the matrices of the experts in `routes`: [`mod@crate::experts`].
    Experts {
        /// The matrices of all experts, one below the other.
        weights: usize,
        /// Experts.
        count: u32,
        /// Routes.
        routes: Value,
        /// Blocks, which all experts read, or a part for each of the chosen ones.
        input: Value,
        /// Integers, a part for each of the chosen experts.
        output: Value,
    },
    /// `output = ` the sum of the parts of `input` by the weights in `routes`: [`mod@crate::mix`].
    Mix {
        /// Routes.
        routes: Value,
        /// Integers, a part for each of the chosen experts.
        input: Value,
        /// Integers in the same unit, as wide as a part.
        output: Value,
    },
    /// `value = value ⊕ delta`, saturating, element by element.
    Add {
        /// Integers.
        delta: Value,
        /// Integers in the same unit.
        value: Value,
    },
}

impl NetworkOperator {
    /// Name of the operator.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Embedding { .. } => "embedding",
            Self::Norm { .. } => "norm",
            Self::Linear { .. } => "linear",
            Self::Bias { .. } => "bias",
            Self::HeadNorm { .. } => "head_norm",
            Self::Rope { .. } => "rope",
            Self::Store { .. } => "store",
            Self::Attention { .. } => "attention",
            Self::Quantise { .. } => "quantise",
            Self::Swiglu { .. } => "swiglu",
            Self::Geglu { .. } => "geglu",
            Self::Route { .. } => "route",
            Self::Experts { .. } => "experts",
            Self::Mix { .. } => "mix",
            Self::Add { .. } => "add",
        }
    }

    /// The values that it reads, at most two; one that it changes in place is among them.
    pub fn inputs(&self) -> impl Iterator<Item = Value> {
        let inputs = match *self {
            Self::Embedding { .. } => [None, None],
            Self::Norm { input, .. }
            | Self::Linear { input, .. }
            | Self::Quantise { input, .. } => [Some(input), None],
            Self::Bias { value, .. } | Self::HeadNorm { value, .. } | Self::Rope { value, .. } => {
                [Some(value), None]
            }
            Self::Store { keys, values, .. } => [Some(keys), Some(values)],
            Self::Attention { queries, .. } => [Some(queries), None],
            Self::Swiglu { gate, up, .. } | Self::Geglu { gate, up, .. } => [Some(gate), Some(up)],
            Self::Route { scores, .. } => [Some(scores), None],
            Self::Experts { routes, input, .. } | Self::Mix { routes, input, .. } => {
                [Some(routes), Some(input)]
            }
            Self::Add { delta, value } => [Some(value), Some(delta)],
        };
        inputs.into_iter().flatten()
    }

    /// The value that it writes; a store writes a cache instead.
    pub const fn output(&self) -> Option<Value> {
        match *self {
            Self::Embedding { output, .. }
            | Self::Norm { output, .. }
            | Self::Linear { output, .. }
            | Self::Attention { output, .. }
            | Self::Quantise { output, .. }
            | Self::Swiglu { output, .. }
            | Self::Geglu { output, .. }
            | Self::Route { output, .. }
            | Self::Experts { output, .. }
            | Self::Mix { output, .. } => Some(output),
            Self::Bias { value, .. }
            | Self::HeadNorm { value, .. }
            | Self::Rope { value, .. }
            | Self::Add { value, .. } => Some(value),
            Self::Store { .. } => None,
        }
    }

    /// Index of the tensor that it reads.
    pub const fn tensor(&self) -> Option<usize> {
        match *self {
            Self::Embedding { table: tensor, .. }
            | Self::Norm { gains: tensor, .. }
            | Self::Linear {
                weights: tensor, ..
            }
            | Self::Bias { biases: tensor, .. }
            | Self::HeadNorm { gains: tensor, .. }
            | Self::Experts {
                weights: tensor, ..
            }
            | Self::Rope { table: tensor, .. } => Some(tensor),
            _ => None,
        }
    }

    pub(super) const fn tensor_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Embedding { table: tensor, .. }
            | Self::Norm { gains: tensor, .. }
            | Self::Linear {
                weights: tensor, ..
            }
            | Self::Bias { biases: tensor, .. }
            | Self::HeadNorm { gains: tensor, .. }
            | Self::Experts {
                weights: tensor, ..
            }
            | Self::Rope { table: tensor, .. } => Some(tensor),
            _ => None,
        }
    }

    /// Whether its result depends on positions or on earlier positions of the same sequence. All other
    /// operators work on each vector by itself.
    pub const fn is_by_sequence(&self) -> bool {
        matches!(
            self,
            Self::Rope { .. } | Self::Store { .. } | Self::Attention { .. }
        )
    }

    /// Whether an executor can compute this operator together with `next`, which follows it: both are linear
    /// layers over the same input, of all positions or of the same routes, both add biases, or both depend on the
    /// sequence.
    pub fn joins(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Linear { input, .. }, Self::Linear { input: other, .. }) => input == other,
            (
                Self::Experts { routes, input, .. },
                Self::Experts {
                    routes: other_routes,
                    input: other,
                    ..
                },
            ) => (routes, input) == (other_routes, other),
            (Self::Bias { .. }, Self::Bias { .. }) => true,
            _ => self.is_by_sequence() && next.is_by_sequence(),
        }
    }
}

/// A step as an assignment.
pub(super) struct Line<'a>(pub(super) &'a Network, pub(super) &'a NetworkOperator);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(network, operator) = self;
        let cache = |cache: u32| format!("cache {cache}");
        let name = |value: Value| network.value(value).name;
        let (read, written) = match **operator {
            NetworkOperator::Store { cache: index, .. } => (None, Some(cache(index))),
            NetworkOperator::Attention {
                cache: index,
                window: Some(positions),
                ..
            } => (Some(format!("last {positions} of {}", cache(index))), None),
            NetworkOperator::Attention { cache: index, .. } => (Some(cache(index)), None),
            _ => (None, None),
        };
        let tensor = operator
            .tensor()
            .map(|index| network.tensors()[index].name());
        let arguments: Vec<String> = tensor
            .into_iter()
            .chain(read)
            .chain(operator.inputs().map(|value| name(value).into()))
            .collect();
        let target = written.or_else(|| operator.output().map(|value| name(value).into()));
        let line = format!(
            "{} = {}({})",
            target.unwrap_or_default(),
            operator.name(),
            arguments.join(", ")
        );
        let Some(output) = operator.output() else {
            return f.write_str(&line);
        };
        let width = network.width(output);
        write!(f, "{line:<55} {width} ")?;
        match network.value(output).form {
            Form::Integers { fraction } => write!(f, "integers, 2^-{fraction}"),
            Form::Blocks { fraction } => write!(f, "in blocks, 2^-{fraction}"),
            Form::Normed => f.write_str("in blocks"),
            Form::Routes => f.write_str("experts and weights"),
        }
    }
}
