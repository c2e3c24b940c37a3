//! Forward, backward, and one step of AdamW.

use super::TrainingLoop;
use crate::TrainingError;
use burn::{
    nn::loss::CrossEntropyLossConfig,
    optim::Optimizer,
    tensor::{Int, Tensor, TensorData},
};
use noema_float::guarded;

impl TrainingLoop {
    /// One step of AdamW; loss in bits a token, and the norm of the gradients.
    pub(super) fn train(&mut self, batch: &[&[u32]]) -> Result<(f64, f64), TrainingError> {
        let rate = self.options.rate(self.total);
        let device = self.device.clone();
        let (loss, norm) = guarded(&device, || {
            let mut loss = 0.0;
            let mut sums: Vec<Option<Tensor<2>>> = vec![None; self.tensors.len()];
            for part in batch.chunks(self.options.together as usize) {
                let share = part.len() as f64 / batch.len() as f64;
                let own = self.loss(part);
                loss += share * f64::from(own.clone().into_scalar::<f32>());
                let gradients = own.backward();
                let parameters = self.model.parameters();
                for (tensor, sum) in self.tensors.iter().zip(&mut sums) {
                    let Some(own) = parameters[tensor.index].gradient(&gradients) else {
                        continue;
                    };
                    let own = own.mul_scalar(share);
                    *sum = Some(match sum.take() {
                        Some(sum) => sum + own,
                        None => own,
                    });
                }
            }
            let norm = norm(&sums);
            let scale = (f64::from(self.options.clip) / (norm + 1e-6)).min(1.0);
            if loss.is_finite() && norm.is_finite() {
                self.update(sums, scale, rate);
            }
            (loss, norm)
        })?;
        if loss.is_finite() && norm.is_finite() {
            Ok((loss / core::f64::consts::LN_2, norm))
        } else {
            Err(TrainingError::Diverged { step: self.step })
        }
    }

    fn update(&mut self, gradients: Vec<Option<Tensor<2>>>, scale: f64, rate: f64) {
        let mut parameters = self.model.parameters();
        for (tensor, gradient) in self.tensors.iter_mut().zip(gradients) {
            let Some(gradient) = gradient else { continue };
            let parameter = &mut parameters[tensor.index];
            let adam = if tensor.gain {
                &self.kept
            } else {
                &self.decayed
            };
            let gradient = gradient.mul_scalar(scale);
            let (value, moments) =
                adam.step(rate, parameter.value(), gradient, tensor.moments.take());
            tensor.moments = moments;
            parameter.replace(value, true);
        }
    }

    /// Mean loss of the tokens of `sequences` but the first of each, in nats.
    fn loss(&self, sequences: &[&[u32]]) -> Tensor<1> {
        let on = self.plain.clone().autodiff();
        let (count, length) = (sequences.len(), sequences[0].len());
        let ids: Vec<i64> = sequences
            .iter()
            .flat_map(|tokens| tokens.iter().map(|&id| i64::from(id)))
            .collect();
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(ids, [count, length]), &on);
        let read = tokens.clone().narrow(1, 0, length - 1);
        let came = tokens.narrow(1, 1, length - 1).flatten::<1>(0, 1);
        let Some((_, rotary)) = &self.rotary else {
            unreachable!("a round has begun");
        };
        let logits = self.model.logits(self.model.hidden(read, rotary));
        CrossEntropyLossConfig::new()
            .init(&on)
            .forward(logits.flatten::<2>(0, 1), came)
    }

    /// Loss in bits a token, without training.
    pub(super) fn measure(&self, sequences: &[&[u32]]) -> Result<f64, TrainingError> {
        guarded(&self.device, || {
            let parts = sequences.chunks(self.options.together as usize);
            let loss: f64 = parts
                .map(|part| f64::from(self.loss(part).into_scalar::<f32>()) * part.len() as f64)
                .sum();
            loss / sequences.len() as f64 / core::f64::consts::LN_2
        })
        .map_err(TrainingError::from)
    }
}

/// Norm of all tensors together. Sums go along one dimension at a time: on some devices, a sum of everything
/// at once differs between two runs.
fn norm(gradients: &[Option<Tensor<2>>]) -> f64 {
    let squares = gradients.iter().flatten().map(|gradient| {
        let square = gradient.clone().square().sum_dim(0).sum_dim(1);
        f64::from(square.into_scalar::<f32>())
    });
    libm::sqrt(squares.sum())
}
