//! The model that all executors run.

use noema_executor::ModelSource;
use noema_model::checkpoint::OpenCheckpoint;
use noema_numerics::{testing::TestModel, Architecture, Model, ModelError};
use std::sync::Arc;

/// A model with its bytes.
pub struct SharedModel {
    /// Its shape.
    pub architecture: Architecture,
    /// One exponent per tensor.
    pub exponents: Vec<i8>,
    weights: Bytes,
}

enum Bytes {
    Owned(Vec<u8>),
    Mapped(Arc<OpenCheckpoint>),
}

impl SharedModel {
    /// The weights.
    pub fn weights(&self) -> &[u8] {
        match &self.weights {
            Bytes::Owned(bytes) => bytes,
            Bytes::Mapped(checkpoint) => checkpoint.weights(),
        }
    }

    /// The model over them.
    ///
    /// # Errors
    /// When the weights do not fit the architecture.
    pub fn model(&self) -> Result<Model<'_>, ModelError> {
        Model::new(&self.architecture, &self.exponents, self.weights())
    }
}

impl ModelSource for SharedModel {
    fn model(&self) -> Result<Model<'_>, ModelError> {
        self.model()
    }
}

impl From<TestModel> for SharedModel {
    fn from(test: TestModel) -> Self {
        Self {
            architecture: test.architecture,
            exponents: test.exponents,
            weights: Bytes::Owned(test.weights),
        }
    }
}

impl From<Arc<OpenCheckpoint>> for SharedModel {
    fn from(checkpoint: Arc<OpenCheckpoint>) -> Self {
        Self {
            architecture: *checkpoint.architecture(),
            exponents: checkpoint.exponents().to_vec(),
            weights: Bytes::Mapped(checkpoint),
        }
    }
}
