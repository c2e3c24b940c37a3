//! The completed rounds, in a file beside the trainers' states: another run continues from there.

use super::{trainer_state, RoundReport, RoundsOptions};
use crate::{Differences, TrainingError, TrainingOptions};
use noema_checkpoint::{CheckpointId, H256};
use noema_model::whole;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tracing::{info, warn};

const NAME: &str = "rounds.json";

/// The saved state of a run.
#[derive(Serialize, Deserialize)]
pub(super) struct Journal {
    #[serde(skip)]
    folder: Option<PathBuf>,
    /// The options that affect the rounds.
    plan: Plan,
    /// Whether training diverged after the last round: with other options it starts over.
    #[serde(default)]
    diverged: bool,
    /// The completed rounds.
    pub(super) rounds: Vec<RoundReport>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Plan {
    start: CheckpointId,
    dataset: H256,
    trainers: u32,
    shards: u32,
    evaluation_shards: u32,
    dense: bool,
    judged: bool,
    training: TrainingOptions,
}

impl Plan {
    /// All options in which two runs can differ, by the name of their flags.
    fn deciding(&self) -> Vec<(&'static str, String)> {
        let Self {
            start,
            dataset,
            trainers,
            shards,
            evaluation_shards,
            dense,
            judged,
            training,
        } = self;
        let given = |given: &bool| if *given { "given" } else { "not given" };
        let mut deciding = vec![
            ("--checkpoint", start.to_string()),
            ("--dataset", format!("{dataset:?}")),
            ("--trainers", trainers.to_string()),
            ("--shards", shards.to_string()),
            ("--evaluation-shards", evaluation_shards.to_string()),
            ("--dense", given(dense).into()),
            ("--judge", given(judged).into()),
        ];
        deciding.extend(training.deciding());
        deciding
    }
}

impl Journal {
    /// Opens the journal of the run that begins with `start`, or creates one. A saved horizon replaces the
    /// one in the options.
    ///
    /// The state of another training is refused, unless nothing is lost with it: it diverged, or it never
    /// made a step.
    pub(super) fn open(
        start: CheckpointId,
        dataset: H256,
        options: &mut RoundsOptions,
    ) -> Result<Self, TrainingError> {
        let plan = Plan {
            start,
            dataset,
            trainers: options.trainers,
            shards: options.shards,
            evaluation_shards: options.evaluation_shards,
            dense: options.dense,
            judged: options.judged,
            training: options.training.clone(),
        };
        let fresh = Self {
            folder: options.state.clone(),
            plan,
            diverged: false,
            rounds: Vec::new(),
        };
        let Some(folder) = options.state.clone() else {
            return Ok(fresh);
        };
        let Some(mut found) = Self::read(&folder.join(NAME))? else {
            return Ok(fresh);
        };
        let mut plan = fresh.plan.clone();
        if options.default_horizon {
            plan.training.horizon = found.plan.training.horizon;
        }
        let differing = Differences::between(found.plan.deciding(), plan.deciding());
        if !differing.is_empty() {
            if found.diverged || found.is_empty(&folder) {
                info!(folder = %folder.display(), %differing, "training starts over");
                found.remove_states(&folder)?;
                return Ok(fresh);
            }
            return Err(TrainingError::OtherState {
                path: folder,
                differing,
            });
        }
        options.training.horizon = plan.training.horizon;
        (found.folder, found.plan) = (Some(folder), plan);
        Ok(found)
    }

    fn read(path: &Path) -> Result<Option<Self>, TrainingError> {
        let read = match fs::read(path) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TrainingError::read_state(path, error)),
        };
        let damaged = |_| TrainingError::DamagedState { path: path.into() };
        serde_json::from_slice(&read).map(Some).map_err(damaged)
    }

    /// The state files of its trainers.
    fn states<'f>(&self, folder: &'f Path) -> impl Iterator<Item = PathBuf> + use<'f> {
        (0..self.plan.trainers).map(move |index| trainer_state(folder, index))
    }

    /// Whether no round is complete and no trainer has saved a step.
    fn is_empty(&self, folder: &Path) -> bool {
        self.rounds.is_empty() && !self.states(folder).any(|state| state.exists())
    }

    fn remove_states(&self, folder: &Path) -> Result<(), TrainingError> {
        for state in self.states(folder).filter(|state| state.exists()) {
            fs::remove_file(&state).map_err(|error| TrainingError::write_state(&state, error))?;
        }
        Ok(())
    }

    /// Adds a round.
    pub(super) fn push(&mut self, report: RoundReport) -> Result<(), TrainingError> {
        self.rounds.push(report);
        self.diverged = false;
        self.save()
    }

    /// Records that training diverged.
    pub(super) fn note_divergence(&mut self) {
        self.diverged = true;
        if let Err(error) = self.save() {
            warn!(%error, "cannot record in the state that training diverged");
        }
    }

    /// Writes the journal, if there is a folder for it.
    pub(super) fn save(&self) -> Result<(), TrainingError> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let path = folder.join(NAME);
        let failed = |error| TrainingError::write_state(&path, error);
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        whole::write(&path, &bytes).map_err(failed)
    }
}
