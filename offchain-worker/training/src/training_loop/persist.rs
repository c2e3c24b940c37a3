//! Saving and restoring a trainer.

use super::TrainingLoop;
use crate::{
    state::{Saved, SavedTensor},
    Differences, TrainingError, TrainingOptions,
};
use burn::{
    optim::{AdamWState, AdaptiveMomentumState},
    tensor::{DataError, Tensor, TensorData},
};
use noema_float::guarded;
use noema_model::whole;
use std::path::Path;
use tracing::{info, warn};

/// Bytes of a state apart from those that grow with the trained tensors.
const HEADER_BYTES: u64 = 4 << 20;
/// Most bytes of a state for each coordinate: a float for the value and for each of two moments, an integer
/// for the residual, and an entry of the update.
const MOST_COORDINATE_BYTES: u64 = 24;

impl TrainingLoop {
    /// Writes the state, if there is a file for it.
    pub(super) fn save(&mut self) -> Result<(), TrainingError> {
        let Some(path) = self.state.clone() else {
            return Ok(());
        };
        let parameters = self.model.parameters();
        let mut tensors = Vec::with_capacity(self.tensors.len());
        for tensor in &self.tensors {
            let read = |value: Tensor<2>| value.into_data().try_into_vec();
            let value = parameters[tensor.index].value();
            let moments = tensor.moments.clone().map(|state| state.momentum);
            let (values, moments) = guarded(&self.device, || {
                let moments = moments
                    .map(|m| Ok::<_, DataError>((m.time, read(m.moment_1)?, read(m.moment_2)?)));
                Ok::<_, DataError>((read(value)?, moments.transpose()?))
            })??;
            tensors.push(SavedTensor {
                name: self.parent.specs()[tensor.index].name(),
                values,
                moments,
                residual: tensor.residual.clone(),
            });
        }
        let saved = Saved {
            parent: self.parent.id(),
            options: self.options.clone(),
            diverged: false,
            data: self.data,
            step: self.step,
            total: self.total,
            loss_before: self.loss_before,
            finished: self.finished.clone(),
            tensors,
        };
        // Training can always continue from the state on disk.
        if !saved.is_finite() {
            return Err(TrainingError::Diverged { step: self.step });
        }
        saved.write(&path)
    }

    /// Records in the state on disk, if there is one, that training diverged from there.
    pub(super) fn note_divergence(&self) {
        let Some(path) = self.state.as_deref().filter(|path| path.exists()) else {
            return;
        };
        let noted = Saved::read(path, self.most_bytes()).and_then(|mut saved| {
            saved.diverged = true;
            saved.write(path)
        });
        if let Err(error) = noted {
            warn!(%error, "cannot record in the state that training diverged");
        }
    }

    /// Most bytes of a state of this family, whichever tensors are trained.
    pub(super) fn most_bytes(&self) -> u64 {
        let tensors = self.parent.trainable().tensors().iter();
        let coordinates: u64 = tensors.map(|tensor| tensor.coordinates()).sum();
        HEADER_BYTES + MOST_COORDINATE_BYTES * coordinates
    }

    /// Checks that the disk has room for the state, if there is a file for it.
    ///
    /// # Errors
    /// [`TrainingError::WriteState`].
    pub fn ensure_room(&self) -> Result<(), TrainingError> {
        let Some(path) = &self.state else {
            return Ok(());
        };
        let bytes = self.tensors.iter().map(|tensor| {
            let values = self.parent.coordinates(tensor.index).count() as u64;
            // A float for each value and for its two moments, and an integer for each residual.
            12 * values + 4 * tensor.residual.len() as u64
        });
        let bytes = HEADER_BYTES + bytes.sum::<u64>();
        whole::ensure_room(path, bytes).map_err(|error| TrainingError::write_state(path, error))
    }

    /// Continues from a state: in the middle of the round if the parent and the entries are the same. A state
    /// that led to a divergence is ignored if the options differ.
    pub(super) fn restore(&mut self, path: &Path, saved: Saved) -> Result<(), TrainingError> {
        // The entries are set by the rules of a round, not by this trainer.
        let entries = self.options.entries;
        let goes_on = saved.options.entries == entries;
        let before = TrainingOptions {
            entries,
            ..saved.options.clone()
        };
        let differing = Differences::between(before.deciding(), self.options.deciding());
        if !saved.is_finite() || (saved.diverged && !differing.is_empty()) {
            info!(path = %path.display(), %differing, "training diverged before, and starts over");
            return Ok(());
        }
        if !differing.is_empty() {
            return Err(TrainingError::OtherState {
                path: path.into(),
                differing,
            });
        }
        let same_round = goes_on && saved.parent == self.parent.id();
        let damaged = || TrainingError::DamagedState { path: path.into() };
        if saved.tensors.len() != self.tensors.len() {
            return Err(damaged());
        }
        let mut parameters = self.model.parameters();
        for (tensor, saved) in self.tensors.iter_mut().zip(saved.tensors) {
            let parameter = &mut parameters[tensor.index];
            let shape = parameter.value().dims();
            let count = shape[0] * shape[1];
            let fits = |values: &[f32]| values.len() == count;
            let sound = saved.name == self.parent.specs()[tensor.index].name()
                && fits(&saved.values)
                && saved.residual.len() == tensor.residual.len()
                && saved.moments.iter().all(|(_, a, b)| fits(a) && fits(b));
            if !sound {
                return Err(damaged());
            }
            let plain = &self.plain;
            let load =
                |values: Vec<f32>| Tensor::<2>::from_data(TensorData::new(values, shape), plain);
            guarded(&self.device, || {
                if same_round {
                    parameter.replace(load(saved.values), true);
                }
                tensor.moments = saved.moments.map(|(time, first, second)| {
                    AdamWState::new(AdaptiveMomentumState::new(time, load(first), load(second)))
                });
            })?;
            tensor.residual = saved.residual;
        }
        self.total = saved.total;
        if same_round {
            self.step = saved.step;
            self.data = saved.data;
            self.loss_before = saved.loss_before;
            self.finished = saved.finished;
        }
        Ok(())
    }
}
