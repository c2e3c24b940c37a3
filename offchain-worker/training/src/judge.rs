//! Judging contributions: the effect of each on the parent, alone, in exact integers. Two machines that have
//! the same bytes find the same, on any device.

use super::{evaluate, TrainableCheckpoint, TrainingError};
use noema_executor::Device;
use noema_model::dataset::Shard;
use noema_rounds::{Finding, Losses};
use noema_update::{overlap, Limits, Update};
use std::sync::Arc;

/// A contribution as it was received.
#[derive(Clone, Copy)]
pub struct Submitted<'a> {
    /// The bytes of the update; `None` if no peer served it.
    pub bytes: Option<&'a [u8]>,
    /// The shards of its trainer.
    pub assigned: &'a [Shard],
}

/// The inputs of the judgement of contributions.
pub struct Judge<'a> {
    /// The parent of the contributions.
    pub parent: &'a Arc<TrainableCheckpoint>,
    /// Shards that no trainer trained on.
    pub evaluation: &'a [Shard],
    /// The limits of an update.
    pub limits: Limits,
    /// Thousandths of its entries that an update may share with an earlier one.
    pub most_shared: u32,
    /// The device that computes the losses.
    pub device: &'a Device,
}

impl Judge<'_> {
    /// The parent's loss on the evaluation shards, and a finding for each contribution, in order.
    ///
    /// # Errors
    /// When the device fails or a sequence does not fit the model.
    pub fn judge(&self, submitted: &[Submitted<'_>]) -> Result<(u64, Vec<Finding>), TrainingError> {
        let loss_of_parent = self.loss(self.parent.clone(), self.evaluation)?;
        let opened: Vec<Result<Update<'_>, Finding>> = submitted
            .iter()
            .map(|contribution| self.open(contribution.bytes))
            .collect();
        let mut findings = Vec::with_capacity(opened.len());
        for (place, (contribution, update)) in submitted.iter().zip(&opened).enumerate() {
            let update = match update {
                Ok(update) => *update,
                Err(finding) => {
                    findings.push(*finding);
                    continue;
                }
            };
            if let Some(of) = self.copied(&update, &opened[..place]) {
                findings.push(Finding::Copy { of });
                continue;
            }
            let changed = Arc::new(self.parent.with(&[(update, 1)])?);
            findings.push(Finding::Scored {
                assigned: Losses {
                    before: self.loss(self.parent.clone(), contribution.assigned)?,
                    after: self.loss(changed.clone(), contribution.assigned)?,
                },
                evaluation: self.loss(changed, self.evaluation)?,
            });
        }
        Ok((loss_of_parent, findings))
    }

    /// The loss on all tokens of `shards`, in units of 2^-16 bit.
    ///
    /// # Errors
    /// When the device fails or a sequence does not fit the model.
    pub fn loss(
        &self,
        model: Arc<TrainableCheckpoint>,
        shards: &[Shard],
    ) -> Result<u64, TrainingError> {
        let sequences = shards.iter().flat_map(Shard::sequences);
        Ok(evaluate(model, self.device, sequences)?.sum)
    }

    fn open<'b>(&'b self, bytes: Option<&'b [u8]>) -> Result<Update<'b>, Finding> {
        let bytes = bytes.ok_or(Finding::Unavailable)?;
        let update = Update::open(
            bytes,
            self.parent.trainable(),
            self.parent.id(),
            self.limits,
        )
        .map_err(|_| Finding::Malformed)?;
        update.check().map_err(|_| Finding::Malformed)?;
        Ok(update)
    }

    /// The earliest contribution with which `update` shares too much.
    fn copied(&self, update: &Update<'_>, earlier: &[Result<Update<'_>, Finding>]) -> Option<u32> {
        let shares = |other: &Update<'_>| {
            overlap(other, update).is_ok_and(|shared| shared.permill() > self.most_shared)
        };
        let place = earlier
            .iter()
            .position(|other| other.as_ref().is_ok_and(shares))?;
        u32::try_from(place).ok()
    }
}
