//! Where an executor finds the weights.

use noema_numerics::{Model, ModelError};

/// Lends a model to the executors that share it, for as long as a pass takes. A checkpoint on disk
/// lends its mapped file, so that no executor on the processor needs a copy.
pub trait ModelSource: Send + Sync {
    /// The model; the same one at every call.
    ///
    /// # Errors
    /// When the weights do not fit the architecture.
    fn model(&self) -> Result<Model<'_>, ModelError>;
}
