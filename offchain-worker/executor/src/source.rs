//! The source of an executor's weights.

use noema_numerics::{seeded::TestModel, Model, ModelError};

/// Lends a model to the executors that share it, for the duration of a pass. A checkpoint on disk lends its
/// mapped file, so that executors on the processor need no copy.
pub trait ModelSource: Send + Sync {
    /// The model; the same at every call.
    ///
    /// # Errors
    /// When the weights do not fit the architecture.
    fn model(&self) -> Result<Model<'_>, ModelError>;
}

impl ModelSource for TestModel {
    fn model(&self) -> Result<Model<'_>, ModelError> {
        Ok(self.model())
    }
}
