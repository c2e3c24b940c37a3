//! Test support for this and other crates: calls of operators with their inputs, the golden vectors, and a
//! recorder of an executor's output. All data are seeded, as the [models](crate::seeded) are.

mod case;
pub mod golden;
mod record;

pub use crate::seeded::{Random, TestModel};
pub use case::{tiles, values, Case, TensorOperator};
pub use record::{Record, Recorder};

use crate::{Architecture, Variant};

impl TestModel {
    /// The shape of SmolLM2-135M with a shorter context, for measurements of speed.
    pub const SMOLLM2_135M: Architecture = Architecture {
        layers: 30,
        hidden: 576,
        heads: 9,
        kv_heads: 3,
        head_dim: 64,
        feed_forward: 1_536,
        vocabulary: 49_152,
        context_length: 1_024,
        norm_epsilon_q32: 42_950,
        tied_head: true,
        variant: Variant::LLAMA,
    };
}
