//! How `noema-worker run` gets a checkpoint ready.

use super::checkpoint::verify;
use super::run::RunArgs;
use crate::chain::types::{CheckpointRecord, Status};
use crate::checkpoint::OpenCheckpoint;
use crate::engine::Engine;
use crate::metrics::Metrics;
use anyhow::bail;
use noema_executor::{schedule::Observer, Device};
use std::sync::Arc;
use tracing::{info, warn};

/// Loads checkpoints onto one device.
#[derive(Clone)]
pub(super) struct Loader {
    device: Device,
    metrics: Metrics,
    large_pages: bool,
    trust_weights: bool,
}

impl Loader {
    pub(super) fn new(args: &RunArgs, device: &Device, metrics: &Metrics) -> Self {
        Self {
            device: device.clone(),
            metrics: metrics.clone(),
            large_pages: args.large_pages,
            trust_weights: args.trust_weights,
        }
    }

    /// Holds a checkpoint against what the chain has recorded of it, and prepares it. Blocks for as
    /// long as that takes.
    pub(super) fn load(
        &self,
        mut checkpoint: OpenCheckpoint,
        recorded: Option<&CheckpointRecord>,
    ) -> anyhow::Result<Arc<Engine>> {
        let id = checkpoint.id();
        match recorded {
            None => bail!(
                "the chain does not know checkpoint {id}; register it with: noema-worker register checkpoint {id} --account <PUBLISHER>"
            ),
            Some(record) if record.weights.root != checkpoint.manifest().weights_root => bail!(
                "checkpoint {id} has the weights root {:?} in {}, and {:?} on chain; import it again",
                checkpoint.manifest().weights_root,
                checkpoint.directory().display(),
                record.weights.root
            ),
            Some(record) if record.status == Status::Withdrawn => {
                warn!(checkpoint = %id, "the checkpoint was withdrawn: only requests that are open still need it");
            }
            Some(_) => {}
        }
        if self.large_pages {
            checkpoint.copy_to_large_pages()?;
        }
        if !self.trust_weights {
            verify(&checkpoint)?;
        }
        let name = checkpoint.manifest().name.clone();
        let passes = self.metrics.clone();
        let observer: Observer = Box::new(move |pass| passes.passed(pass));
        let engine = Engine::open(Arc::new(checkpoint), &self.device, Some(observer))?;
        info!(checkpoint = %id, name, device = %self.device, "loaded");
        Ok(Arc::new(engine))
    }
}
