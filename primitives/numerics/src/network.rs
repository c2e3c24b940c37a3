//! A network as data: the list of operators from tokens to logits, with the values that they pass to each
//! other and the tensors that they read.
//!
//! [`Network::new`] derives the list from an [`Architecture`]. It is the only place that knows the order of
//! the steps. [`Transformer`](crate::Transformer), the executors of other crates and the float model follow
//! the list step by step, and the [layout](crate::layout) of the weights is the list of its tensors.
//!
//! | operator | reads → writes | definition |
//! |---|---|---|
//! | embedding | tokens, a matrix → integers | [`mod@crate::embedding`] |
//! | norm | integers, gains → blocks | [`mod@crate::norm`] |
//! | linear | blocks, a matrix → integers | [`mod@crate::linear`] |
//! | bias | integers in place, biases | [`mod@crate::bias`] |
//! | head_norm | integers in place, gains | [`mod@crate::head_norm`] |
//! | rope | integers in place, a table | [`mod@crate::rope`] |
//! | store | keys, values → a cache | [`mod@crate::cache`] |
//! | attention | queries, a cache → integers | [`mod@crate::attention`] |
//! | quantise | integers → blocks | [`mod@crate::blocks`] |
//! | swiglu | gate, up → blocks | [`mod@crate::swiglu`] |
//! | geglu | gate, up → blocks | [`mod@crate::geglu`] |
//! | route | scores → routes | [`mod@crate::route`] |
//! | experts | routes, blocks, stacked matrices → integers | [`mod@crate::experts`] |
//! | mix | routes, integers → integers | [`mod@crate::mix`] |
//! | add | integers, added in place to others, saturating | [`add`](NetworkOperator::Add) |
//!
//! # Example
//! The list of a small model, as [`Display`](fmt::Display) writes it:
//! ```
//! use noema_numerics::{testing::TestModel, Architecture, Network};
//!
//! let architecture = Architecture { layers: 1, ..TestModel::TINY };
//! let network = Network::new(&architecture)?;
//! assert_eq!(network.to_string(), "\
//! residual = embedding(token_embedding)                   64 integers, 2^-14
//! normed = norm(layers.0.attention_norm, residual)        64 in blocks
//! queries = linear(layers.0.query, normed)                64 integers, 2^-16
//! keys = linear(layers.0.key, normed)                     32 integers, 2^-16
//! values = linear(layers.0.value, normed)                 32 integers, 2^-16
//! queries = rope(rope, queries)                           64 integers, 2^-16
//! keys = rope(rope, keys)                                 32 integers, 2^-16
//! cache 0 = store(keys, values)
//! mixed = attention(cache 0, queries)                     64 integers, 2^-16
//! mixed_blocks = quantise(mixed)                          64 in blocks, 2^-16
//! delta = linear(layers.0.attention_output, mixed_blocks) 64 integers, 2^-14
//! residual = add(residual, delta)                         64 integers, 2^-14
//! normed = norm(layers.0.feed_forward_norm, residual)     64 in blocks
//! gate = linear(layers.0.gate, normed)                    96 integers, 2^-20
//! up = linear(layers.0.up, normed)                        96 integers, 2^-20
//! product = swiglu(gate, up)                              96 in blocks, 2^-16
//! delta = linear(layers.0.down, product)                  64 integers, 2^-14
//! residual = add(residual, delta)                         64 integers, 2^-14
//! hidden = norm(final_norm, residual)                     64 in blocks
//! logits = linear(token_embedding, hidden)                128 integers, 2^-16
//! ");
//! # Ok::<(), noema_numerics::ArchitectureError>(())
//! ```

mod builder;
mod check;
mod llama;
mod operator;
mod role;

pub use check::{Mismatch, Rule};
pub use operator::NetworkOperator;
pub use role::TensorRole;

use crate::{layout::TensorSpec, Architecture, ArchitectureError};
use alloc::vec::Vec;
use core::{fmt, ops::Range};

/// A vector of each position that steps pass to each other, by its index in [`Network::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(usize);

impl Value {
    /// Its index in [`Network::values`].
    pub const fn index(self) -> usize {
        self.0
    }
}

/// The name, width and form of a value. Layers use the same values one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueSpec {
    /// Its name in the formula.
    pub name: &'static str,
    /// Elements of the vector.
    pub width: u32,
    /// How the elements are written.
    pub form: Form,
}

/// How the elements of a value are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// i32 in units of `2^-fraction`.
    Integers {
        /// Fraction bits.
        fraction: i32,
    },
    /// [Blocks](crate::blocks) in units of `2^-fraction`.
    Blocks {
        /// Fraction bits.
        fraction: i32,
    },
    /// [Blocks](crate::blocks) in the unit that the gains of the norm determine: [`crate::norm::fraction`].
    Normed,
    /// Indices of experts as i32, then as many weights: [`mod@crate::route`].
    Routes,
}

/// One operator of a network, with the layer it belongs to, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The layer.
    pub layer: Option<u32>,
    /// The operator.
    pub operator: NetworkOperator,
}

/// The sections of a network: consecutive steps, by index in [`Network::steps`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections {
    /// The steps that every position takes, layer by layer. They leave [`Network::residual`].
    pub layers: Range<usize>,
    /// The steps from there to [`Network::hidden`], which only requested positions take.
    pub hidden: Range<usize>,
    /// The steps from there to [`Network::logits`].
    pub logits: Range<usize>,
}

/// The steps from a token to its logits, in the order in which they are executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    architecture: Architecture,
    values: Vec<ValueSpec>,
    tensors: Vec<TensorSpec>,
    steps: Vec<Step>,
    hidden_from: usize,
    logits_from: usize,
    residual: Value,
    hidden: Value,
    logits: Value,
}

impl Network {
    /// The network of `architecture`.
    ///
    /// # Errors
    /// As [`Architecture::validate`].
    pub fn new(architecture: &Architecture) -> Result<Self, ArchitectureError> {
        architecture.validate_dimensions()?;
        let network = llama::describe(*architecture);
        let tiles = network.tiles();
        if tiles > u64::from(u32::MAX) {
            return Err(ArchitectureError::TooManyTiles { tiles });
        }
        Ok(network)
    }

    /// The architecture.
    pub const fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The values, by [index](Value::index).
    pub fn values(&self) -> &[ValueSpec] {
        &self.values
    }

    /// A value's name, width and form.
    ///
    /// # Panics
    /// When `value` is one of another network.
    pub fn value(&self, value: Value) -> &ValueSpec {
        &self.values[value.0]
    }

    /// Elements of a value's vector.
    ///
    /// # Panics
    /// When `value` is one of another network.
    pub fn width(&self, value: Value) -> usize {
        self.value(value).width as usize
    }

    /// Fraction bits of a value's unit; 0 for [`Form::Normed`], where the gains determine it, and for
    /// [`Form::Routes`].
    ///
    /// # Panics
    /// When `value` is one of another network.
    pub fn fraction(&self, value: Value) -> i32 {
        match self.value(value).form {
            Form::Integers { fraction } | Form::Blocks { fraction } => fraction,
            Form::Normed | Form::Routes => 0,
        }
    }

    /// The tensors in canonical order: that of their first use, tables of rotations last.
    pub fn tensors(&self) -> &[TensorSpec] {
        &self.tensors
    }

    /// The tensors alone.
    pub fn into_tensors(self) -> Vec<TensorSpec> {
        self.tensors
    }

    /// Index of the tensor with this role in this layer.
    pub fn tensor(&self, role: TensorRole, layer: Option<u32>) -> Option<usize> {
        let named = |tensor: &TensorSpec| (tensor.role, tensor.layer) == (role, layer);
        self.tensors.iter().position(named)
    }

    /// Tiles of all tensors.
    ///
    /// Cannot overflow: within the limits of [`Architecture`] a tensor has at most 2^30 tiles, and there are
    /// fewer than 2^14 tensors.
    pub fn tiles(&self) -> u64 {
        self.tensors.iter().map(|tensor| tensor.tiles).sum()
    }

    /// All steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The indices of the steps, by section.
    pub const fn sections(&self) -> Sections {
        Sections {
            layers: 0..self.hidden_from,
            hidden: self.hidden_from..self.logits_from,
            logits: self.logits_from..self.steps.len(),
        }
    }

    /// The residual stream.
    pub const fn residual(&self) -> Value {
        self.residual
    }

    /// The final hidden vector.
    pub const fn hidden(&self) -> Value {
        self.hidden
    }

    /// The logits.
    pub const fn logits(&self) -> Value {
        self.logits
    }
}

/// Whether a step of `rest` reads what `value` holds before them.
pub fn is_read(value: Value, rest: &[Step]) -> bool {
    let reads = |step: &Step| step.operator.inputs().any(|input| input == value);
    let writes = |step: &Step| step.operator.output() == Some(value);
    let next = rest.iter().find(|step| reads(step) || writes(step));
    next.is_some_and(reads)
}

/// One step a line, as an assignment, with width and unit of what it writes.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{}", operator::Line(self, &step.operator))?;
        }
        Ok(())
    }
}
