//! The rounds that are over, in a file beside the trainers' states: where another run goes on.

use super::{RoundReport, RoundsOptions};
use crate::{
    training::{Sabotage, TrainingError, TrainingOptions},
    whole,
};
use noema_checkpoint::{CheckpointId, H256};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

const NAME: &str = "rounds.json";

/// What is kept of a run.
#[derive(Serialize, Deserialize)]
pub(super) struct Journal {
    #[serde(skip)]
    path: Option<PathBuf>,
    /// What decides the rounds.
    plan: Plan,
    /// The rounds that are over.
    pub(super) rounds: Vec<RoundReport>,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct Plan {
    start: CheckpointId,
    dataset: H256,
    trainers: u32,
    shards: u32,
    evaluation_shards: u32,
    dense: bool,
    judged: bool,
    sabotage: Option<Sabotage>,
    training: TrainingOptions,
}

impl Journal {
    /// Opens the journal of the run that begins with `start`, or begins one.
    pub(super) fn open(
        start: CheckpointId,
        dataset: H256,
        options: &RoundsOptions,
    ) -> Result<Self, TrainingError> {
        let plan = Plan {
            start,
            dataset,
            trainers: options.trainers,
            shards: options.shards,
            evaluation_shards: options.evaluation_shards,
            dense: options.dense,
            judged: options.judged,
            sabotage: options.sabotage,
            training: options.training.clone(),
        };
        let path = options.state.as_ref().map(|folder| folder.join(NAME));
        let Some(there) = path.as_deref().filter(|path| path.exists()) else {
            return Ok(Self {
                path,
                plan,
                rounds: Vec::new(),
            });
        };
        let read = fs::read(there).map_err(|error| TrainingError::read_state(there, error))?;
        let mut journal: Self = serde_json::from_slice(&read)
            .map_err(|_| TrainingError::DamagedState { path: there.into() })?;
        if journal.plan != plan {
            return Err(TrainingError::OtherState {
                path: there.into(),
                what: "checkpoint, dataset or options",
            });
        }
        journal.path = path;
        journal.rounds.truncate(options.rounds as usize);
        Ok(journal)
    }

    /// Adds a round.
    pub(super) fn push(&mut self, report: RoundReport) -> Result<(), TrainingError> {
        self.rounds.push(report);
        match &self.path {
            Some(path) => self
                .write(path)
                .map_err(|error| TrainingError::write_state(path, error)),
            None => Ok(()),
        }
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        whole::write(path, &serde_json::to_vec_pretty(self)?)
    }
}
