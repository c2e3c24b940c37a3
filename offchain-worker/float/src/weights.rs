//! The source of the weights.

use noema_numerics::{layout::TensorRole, Architecture};

/// The weights of a model as floats, in the canonical list's tensors.
pub trait FloatWeights {
    /// Why a tensor cannot be read.
    type Error;

    /// The model's dimensions.
    fn architecture(&self) -> &Architecture;

    /// The angle, in radians, that each pair of a head turns by from one position to the next:
    /// `head_dim / 2` of them.
    fn rope_frequencies(&self) -> Vec<f64>;

    /// The values of a tensor, row-major with a row per output, query and key rows in half-split
    /// order; empty for the rotation table.
    ///
    /// # Errors
    /// When they cannot be read.
    fn read(&self, role: TensorRole, layer: Option<u32>) -> Result<Vec<f32>, Self::Error>;
}
