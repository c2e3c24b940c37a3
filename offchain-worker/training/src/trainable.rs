//! The checkpoint from which a round starts.

use super::TrainingError;
use noema_checkpoint::{
    layout::{tensors, TensorKind, TensorSpec},
    Architecture, CheckpointId,
};
use noema_executor::ModelSource;
use noema_float::{FloatWeights, Rotation};
use noema_model::checkpoint::OpenCheckpoint;
use noema_numerics::{Model, ModelError, Network};
use noema_update::{apply, master::LEAF_BYTES, ApplyError, Trainable, Update};
use std::convert::Infallible;

/// A checkpoint with its masters, in memory.
#[derive(Clone, Debug)]
pub struct TrainableCheckpoint {
    id: CheckpointId,
    network: Network,
    exponents: Vec<i8>,
    /// Of each table.
    rotations: Vec<Vec<Rotation>>,
    /// The tensors that can be trained.
    specs: Vec<TensorSpec>,
    trainable: Trainable,
    masters: Vec<u8>,
    weights: Vec<u8>,
}

impl TrainableCheckpoint {
    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When its masters cannot be read.
    pub fn read(checkpoint: &OpenCheckpoint) -> Result<Self, TrainingError> {
        let masters = checkpoint.masters()?;
        Self::new(
            checkpoint.id(),
            checkpoint.architecture(),
            checkpoint.exponents(),
            checkpoint.weights().to_vec(),
            masters,
        )
    }

    /// A checkpoint from its parts.
    ///
    /// # Errors
    /// When the parts do not fit together.
    pub fn new(
        id: CheckpointId,
        architecture: &Architecture,
        exponents: &[i8],
        weights: Vec<u8>,
        masters: Vec<u8>,
    ) -> Result<Self, TrainingError> {
        let model = Model::new(architecture, exponents, &weights)?;
        let tables = model.tensors().iter().enumerate();
        let rotations = tables
            .filter(|(_, tensor)| !tensor.kind.is_trained())
            .map(|(index, _)| match architecture.context_length {
                0 | 1 => Vec::new(),
                _ => {
                    let table = model.rope(index);
                    table.row(0).zip(table.row(1)).map(rotation).collect()
                }
            })
            .collect();
        let trainable = Trainable::new(architecture).map_err(ModelError::from)?;
        let (expected, found) = (trainable.masters_bytes(), masters.len() as u64);
        if expected != found {
            return Err(noema_update::ApplyError::MastersLength { expected, found }.into());
        }
        let specs = Self::trained(architecture)?;
        Ok(Self {
            id,
            network: model.network().clone(),
            exponents: exponents.to_vec(),
            rotations,
            specs,
            trainable,
            masters,
            weights,
        })
    }

    /// The tensors of an architecture that can be trained, in canonical order: all but tables of rotations.
    pub(super) fn trained(architecture: &Architecture) -> Result<Vec<TensorSpec>, TrainingError> {
        let mut specs = tensors(architecture).map_err(ModelError::from)?;
        specs.retain(|spec| spec.kind.is_trained());
        Ok(specs)
    }

    /// The checkpoint's id.
    pub fn id(&self) -> CheckpointId {
        self.id
    }

    /// One power-of-two exponent per tensor, in canonical order.
    pub fn exponents(&self) -> &[i8] {
        &self.exponents
    }

    /// The tensors that can be trained, in canonical order.
    pub fn specs(&self) -> &[TensorSpec] {
        &self.specs
    }

    /// The same tensors, in the form that updates use.
    pub fn trainable(&self) -> &Trainable {
        &self.trainable
    }

    /// The masters.
    pub fn masters(&self) -> &[u8] {
        &self.masters
    }

    /// The tiles.
    pub fn weights(&self) -> &[u8] {
        &self.weights
    }

    /// The checkpoint with `updates`, each with its weight, applied. Its id stays the parent's: the new id is
    /// known once it is written as a checkpoint.
    ///
    /// # Errors
    /// When an update is malformed, or they cannot be applied together.
    pub fn with(&self, updates: &[(Update<'_>, u32)]) -> Result<Self, ApplyError> {
        let mut changed = self.clone();
        let (masters, weights) = (&mut changed.masters, &mut changed.weights);
        apply(updates, &self.exponents, masters, weights)?;
        Ok(changed)
    }

    /// The masters and the tiles.
    pub(super) fn into_state(self) -> (Vec<u8>, Vec<u8>) {
        (self.masters, self.weights)
    }

    /// The value of one unit of tensor `index`'s masters.
    pub(super) fn unit(&self, index: usize) -> f64 {
        libm::exp2(f64::from(self.exponents[index]))
    }

    /// Coordinates of the values of tensor `index`, in canonical order.
    pub(super) fn coordinates(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let tensor = &self.trainable.tensors()[index];
        let (rows, columns) = match tensor.kind() {
            TensorKind::Linear { rows, columns } => (rows, columns),
            TensorKind::Gain { length } => (1, length),
            _ => (0, 0),
        };
        (0..rows).flat_map(move |row| {
            let at = move |column| tensor.coordinate(row, column);
            (0..columns).filter_map(at).map(|at| at as usize)
        })
    }

    /// The values of tensor `index`, in canonical order.
    pub(super) fn values(&self, index: usize) -> Vec<f32> {
        let first = self.specs[index].offset_tiles as usize * LEAF_BYTES;
        let masters = self.masters[first..].as_chunks::<4>().0;
        let unit = self.unit(index);
        self.coordinates(index)
            .map(|at| (f64::from(i32::from_le_bytes(masters[at])) * unit) as f32)
            .collect()
    }
}

/// The rotation, by at most π, of a pair with these cosines and sines at positions 0 and 1.
fn rotation(((scale, _), (cos, sin)): ((i32, i32), (i32, i32))) -> Rotation {
    Rotation {
        angle: libm::atan2(f64::from(sin), f64::from(cos)),
        scale: f64::from(scale) / 1_073_741_824.0,
    }
}

impl FloatWeights for TrainableCheckpoint {
    type Error = Infallible;

    fn network(&self) -> &Network {
        &self.network
    }

    fn rotations(&self, _: usize) -> Vec<Vec<Rotation>> {
        self.rotations.clone()
    }

    fn read(&self, tensor: &TensorSpec) -> Result<Vec<f32>, Infallible> {
        let index = self.specs.iter().position(|spec| spec == tensor);
        Ok(index.map(|index| self.values(index)).unwrap_or_default())
    }
}

impl ModelSource for TrainableCheckpoint {
    fn model(&self) -> Result<Model<'_>, ModelError> {
        Model::new(self.network.architecture(), &self.exponents, &self.weights)
    }
}
