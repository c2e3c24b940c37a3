//! The common form of both kinds of source.

use super::{rope::Ropes, ImportError};
use noema_checkpoint::{layout::TensorRole, Architecture, Source};
use std::ops::Range;
use std::path::Path;

/// A model without its weights.
pub(super) struct Model {
    pub(super) name: String,
    pub(super) licence: String,
    pub(super) source: Source,
    /// With the context length that the model was trained for.
    pub(super) architecture: Architecture,
    pub(super) ropes: Ropes,
    /// `tokenizer.json`.
    pub(super) tokenizer: Vec<u8>,
    /// Empty if there is none.
    pub(super) chat_template: String,
    pub(super) bos: Option<u32>,
    /// What the source declares as the end of a text.
    pub(super) eos: Option<u32>,
    pub(super) stops: Vec<u32>,
}

/// The source of the weights, row by row.
pub(super) trait Weights: Sync {
    /// The file to name in errors.
    fn path(&self) -> &Path;

    /// Decodes `rows` of the tensor of `role` and `layer`, each of `columns` values, into `out`.
    ///
    /// Query and key rows have Hugging Face's order, whatever the source's is. Gains, and biases, are one row.
    /// The caller has checked the shape and type of the tensor.
    fn read(
        &self,
        role: TensorRole,
        layer: Option<u32>,
        rows: Range<usize>,
        columns: usize,
        out: &mut [f32],
    ) -> Result<(), ImportError>;

    /// Releases the memory of what was read of the files.
    fn release(&self);

    /// Name of the tensor in the source and the byte its data starts at.
    fn locate(&self, role: TensorRole, layer: Option<u32>) -> (String, u64);
}

/// An error about a tensor of `weights`.
pub(super) fn tensor_error(
    weights: &dyn Weights,
    role: TensorRole,
    layer: Option<u32>,
    problem: String,
) -> ImportError {
    let (tensor, offset) = weights.locate(role, layer);
    ImportError::Tensor {
        path: weights.path().into(),
        tensor,
        offset,
        problem,
    }
}

/// Names of tokens that end an answer in common chat formats, for sources that list only the end of a text.
pub(super) const END_OF_TURN: [&str; 8] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<end_of_turn>",
    "</s>",
];

/// Epsilon in units of 2^-32, as the architecture states it.
///
/// A source writes it as f32 or as a decimal; both pass through f32, so both give the same.
pub(super) fn epsilon_q32(epsilon: f64) -> Option<u32> {
    let scaled = libm::round(f64::from(epsilon as f32) * 4_294_967_296.0);
    (scaled >= 0.0 && scaled <= f64::from(u32::MAX)).then_some(scaled as u32)
}

/// Decodes little-endian f32 values.
pub(super) fn decode_f32(bytes: &[u8], out: &mut [f32]) {
    for (bytes, out) in bytes.as_chunks::<4>().0.iter().zip(out) {
        *out = f32::from_le_bytes(*bytes);
    }
}

/// Decodes little-endian values of sixteen bits.
pub(super) fn decode_u16(bytes: &[u8], out: &mut [f32], value: fn(u16) -> f32) {
    for (bytes, out) in bytes.as_chunks::<2>().0.iter().zip(out) {
        *out = value(u16::from_le_bytes(*bytes));
    }
}
