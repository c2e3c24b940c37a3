//! Loading the checkpoints that operators execute.

use super::operators::{owed, served, Recorded};
use super::{Config, ServiceError};
use crate::chain::types::{CheckpointRecord, Status};
use crate::chain::Node;
use crate::metrics::Metrics;
use noema_executor::{schedule::Observer, Device};
use noema_model::checkpoint::{Library, OpenCheckpoint};
use noema_model::engine::Engine;
use noema_model::printable::one_line;
use noema_protocol::CheckpointId;
use std::collections::BTreeMap;
use std::path::Path;
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
    pub(super) fn new(config: &Config, device: &Device, metrics: &Metrics) -> Self {
        Self {
            device: device.clone(),
            metrics: metrics.clone(),
            large_pages: config.large_pages,
            trust_weights: config.trust_weights,
        }
    }

    /// Compares a checkpoint with its record on chain, and loads it.
    pub(super) async fn load(
        &self,
        checkpoint: OpenCheckpoint,
        recorded: Option<CheckpointRecord>,
    ) -> Result<Arc<Engine>, ServiceError> {
        let loader = self.clone();
        tokio::task::spawn_blocking(move || loader.load_now(checkpoint, recorded.as_ref()))
            .await
            .map_err(|_| ServiceError::CutOff("the preparation of a checkpoint"))?
    }

    fn load_now(
        &self,
        mut checkpoint: OpenCheckpoint,
        recorded: Option<&CheckpointRecord>,
    ) -> Result<Arc<Engine>, ServiceError> {
        let id = checkpoint.id();
        match recorded {
            None => return Err(ServiceError::UnknownCheckpoint(id)),
            Some(record) if record.weights.root != checkpoint.manifest().weights_root => {
                return Err(ServiceError::OtherWeights {
                    checkpoint: id,
                    found: checkpoint.manifest().weights_root,
                    recorded: record.weights.root,
                });
            }
            Some(record) if record.status == Status::Withdrawn => {
                warn!(checkpoint = %id, "the checkpoint was withdrawn: only requests that are open still need it");
            }
            Some(_) => {}
        }
        if self.large_pages {
            checkpoint.copy_to_large_pages()?;
        }
        if !self.trust_weights {
            info!(checkpoint = %id, "verifies the weights");
            checkpoint.verify(&|_| ())?;
        }
        let name = one_line(&checkpoint.manifest().name);
        let passes = self.metrics.clone();
        let observer: Observer = Box::new(move |pass| passes.passed(pass));
        let engine = Engine::open(Arc::new(checkpoint), &self.device, Some(observer))?;
        info!(checkpoint = %id, name, device = %self.device, "loaded");
        Ok(Arc::new(engine))
    }
}

/// Loads the checkpoints that the operators execute.
pub(super) async fn load(
    config: &Config,
    loader: &Loader,
    node: &Node,
    operators: &[Recorded],
) -> Result<BTreeMap<CheckpointId, Arc<Engine>>, ServiceError> {
    let opened = open(config, operators)?;
    let takes_part = |operator: &Recorded| operator.role_in_rounds(config).is_some();
    if opened.is_empty() && !operators.iter().any(takes_part) {
        return Err(ServiceError::NothingToDo);
    }
    if let Some(missing) = served(operators)
        .iter()
        .find(|id| !opened.contains_key(*id))
    {
        warn!(checkpoint = %missing, "an operator serves this checkpoint on chain, and it is not loaded: jobs for it will be missed");
    }
    let at = node.finalized().await?;
    let mut engines = BTreeMap::new();
    for (id, checkpoint) in opened {
        let record = at.checkpoint(&id).await?;
        engines.insert(id, loader.load(checkpoint, record).await?);
    }
    Ok(engines)
}

/// Opens the configured checkpoints, or else those that the operators serve or served before.
fn open(
    config: &Config,
    operators: &[Recorded],
) -> Result<BTreeMap<CheckpointId, OpenCheckpoint>, ServiceError> {
    let library = Library::new(&config.home);
    let mut opened = BTreeMap::new();
    for name in &config.checkpoints {
        let checkpoint = match Path::new(name) {
            path if path.is_dir() => OpenCheckpoint::open(path)?,
            _ => library.open(library.find(name)?)?,
        };
        opened.insert(checkpoint.id(), checkpoint);
    }
    if !config.checkpoints.is_empty() {
        return Ok(opened);
    }
    for checkpoint in served(operators) {
        let open = library.open(checkpoint);
        let open = open.map_err(|source| ServiceError::Served {
            checkpoint,
            source: Box::new(source),
        })?;
        opened.insert(checkpoint, open);
    }
    for id in owed(operators) {
        if opened.contains_key(&id) {
            continue;
        }
        match library.open(id) {
            Ok(checkpoint) => {
                info!(checkpoint = %id, "loads a checkpoint that was served before: jobs for it may still come");
                opened.insert(id, checkpoint);
            }
            Err(error) => {
                warn!(checkpoint = %id, %error, "cannot load a checkpoint that was served before: jobs for it will be missed");
            }
        }
    }
    Ok(opened)
}
