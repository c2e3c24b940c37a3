//! The source of the weights.

use noema_numerics::{layout::TensorSpec, Architecture, Network};

/// The weights of a model as floats, in the canonical list's tensors.
pub trait FloatWeights {
    /// Why a tensor cannot be read.
    type Error;

    /// The model's steps and tensors.
    fn network(&self) -> &Network;

    /// The model's dimensions.
    fn architecture(&self) -> &Architecture {
        self.network().architecture()
    }

    /// The angle, in radians, that each pair of a head turns by from one position to the next:
    /// `head_dim / 2` of them.
    fn rope_frequencies(&self) -> Vec<f64>;

    /// The values of a matrix or of gains, row-major with a row per output, query and key rows in half-split
    /// order.
    ///
    /// # Errors
    /// When they cannot be read.
    fn read(&self, tensor: &TensorSpec) -> Result<Vec<f32>, Self::Error>;
}
