//! A trainer to its state file and back.

use super::Trainer;
use crate::training::{
    state::{Saved, SavedTensor},
    TrainingError,
};
use burn::{
    optim::{AdamWState, AdaptiveMomentumState},
    tensor::{DataError, Tensor, TensorData},
};
use noema_float::guarded;
use std::path::Path;

impl Trainer {
    /// Writes the state, if there is a file for it.
    pub(super) fn save(&mut self) -> Result<(), TrainingError> {
        let Some(path) = self.state.clone() else {
            return Ok(());
        };
        let parameters = self.llama.parameters();
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
                index: tensor.index,
                values,
                moments,
                residual: tensor.residual.clone(),
            });
        }
        let saved = Saved {
            parent: self.parent.id(),
            options: self.options.clone(),
            data: self.data,
            step: self.step,
            total: self.total,
            loss_before: self.loss_before,
            finished: self.finished.clone(),
            tensors,
        };
        saved.write(&path)
    }

    /// Goes on from a state: in the middle of the round if the parent is the same.
    pub(super) fn restore(&mut self, path: &Path, saved: Saved) -> Result<(), TrainingError> {
        if saved.options != self.options {
            return Err(TrainingError::OtherState {
                path: path.into(),
                what: "options",
            });
        }
        let same_round = saved.parent == self.parent.id();
        let damaged = || TrainingError::DamagedState { path: path.into() };
        if saved.tensors.len() != self.tensors.len() {
            return Err(damaged());
        }
        let mut parameters = self.llama.parameters();
        for (tensor, saved) in self.tensors.iter_mut().zip(saved.tensors) {
            let parameter = &mut parameters[tensor.index];
            let shape = parameter.value().dims();
            let count = shape[0] * shape[1];
            let fits = |values: &[f32]| values.len() == count;
            let sound = saved.index == tensor.index
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
