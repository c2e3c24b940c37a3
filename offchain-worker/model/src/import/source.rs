//! A source's weights as floats: the reference for the checkpoint.

use super::{
    gguf, huggingface,
    model::{Model, Weights},
    ImportError, ImportProgress,
};
use noema_checkpoint::{
    layout::{TensorKind, TensorSpec},
    ManifestError, Source,
};
use noema_float::{FloatWeights, Rotation};
use noema_numerics::Network;
use std::path::Path;

/// A GGUF file or a Hugging Face folder whose weights can be read as floats.
pub struct FloatSource {
    model: Model,
    network: Network,
    weights: Box<dyn Weights>,
}

impl FloatSource {
    /// Opens `source` with the checks of an import.
    pub fn open(source: &Path, progress: &dyn ImportProgress) -> Result<Self, ImportError> {
        let kind = std::fs::metadata(source).map_err(|e| ImportError::read(source, e))?;
        let (model, weights): (_, Box<dyn Weights>) = if kind.is_dir() {
            let folder = huggingface::Folder::open(source, progress)?;
            (folder.model()?, Box::new(folder))
        } else {
            let file = gguf::File::open(source, progress)?;
            (file.model()?, Box::new(file))
        };
        let network = Network::new(&model.architecture).map_err(ManifestError::Architecture)?;
        Ok(Self {
            model,
            network,
            weights,
        })
    }

    /// Kind and hash of the source, as a checkpoint's manifest states them.
    pub fn source(&self) -> &Source {
        &self.model.source
    }

    /// The tokenizer, as a checkpoint's `tokenizer.json`.
    pub fn tokenizer(&self) -> &[u8] {
        &self.model.tokenizer
    }
}

impl FloatWeights for FloatSource {
    type Error = ImportError;

    /// Its architecture has the context length that the model was trained for.
    fn network(&self) -> &Network {
        &self.network
    }

    /// With longrope, those that Transformers uses for a text of this length.
    fn rotations(&self, positions: usize) -> Vec<Vec<Rotation>> {
        let head_dim = self.model.architecture.head_dim as usize;
        let tables = self.network.tensors().iter();
        tables
            .filter(|tensor| !tensor.kind.is_trained())
            .map(|table| {
                let rope = self.model.ropes.table(table.role);
                rope.rotations(head_dim, positions)
            })
            .collect()
    }

    fn read(&self, tensor: &TensorSpec) -> Result<Vec<f32>, ImportError> {
        let (rows, columns) = match tensor.kind {
            TensorKind::Linear { rows, columns } => (rows as usize, columns as usize),
            TensorKind::Gain { length } => (1, length as usize),
            _ => return Ok(Vec::new()),
        };
        let mut values = vec![0.0; rows * columns];
        self.weights
            .read(tensor.role, tensor.layer, 0..rows, columns, &mut values)?;
        Ok(values)
    }
}
