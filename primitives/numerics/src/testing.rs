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

    /// The shape of Llama 3.2 1B, for what is computed from shapes alone, as those below.
    pub const LLAMA_1B: Architecture = Architecture {
        layers: 16,
        hidden: 2_048,
        heads: 32,
        kv_heads: 8,
        head_dim: 64,
        feed_forward: 8_192,
        vocabulary: 128_256,
        context_length: 131_072,
        norm_epsilon_q32: 42_950,
        tied_head: true,
        variant: Variant::LLAMA,
    };

    /// The shape of Llama 3.1 8B.
    pub const LLAMA_8B: Architecture = Architecture {
        layers: 32,
        hidden: 4_096,
        head_dim: 128,
        feed_forward: 14_336,
        tied_head: false,
        ..Self::LLAMA_1B
    };

    /// The shape of Llama 3.1 70B.
    pub const LLAMA_70B: Architecture = Architecture {
        layers: 80,
        hidden: 8_192,
        heads: 64,
        feed_forward: 28_672,
        ..Self::LLAMA_8B
    };
}
