//! The source of the weights.

use noema_numerics::{layout::TensorSpec, Architecture, Network};

/// How a pair of elements of a head turns with the position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation {
    /// The angle, in radians, from one position to the next.
    pub angle: f64,
    /// Factor of the turned pair: 1, or the attention factor of a scaled rotary embedding.
    pub scale: f64,
}

impl Rotation {
    /// The rotation of a pair that stays as it is.
    pub const NONE: Self = Self {
        angle: 0.0,
        scale: 1.0,
    };
}

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

    /// Of each table of rotations, which are the last tensors: the rotations of the pairs of a head, `head_dim / 2` of
    /// them, for texts of up to `positions` tokens.
    fn rotations(&self, positions: usize) -> Vec<Vec<Rotation>>;

    /// The values of a matrix or of gains, row-major with a row per output, query and key rows in half-split
    /// order.
    ///
    /// # Errors
    /// When they cannot be read.
    fn read(&self, tensor: &TensorSpec) -> Result<Vec<f32>, Self::Error>;
}
