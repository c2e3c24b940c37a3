//! Options of rounds.

use crate::{within, TrainingError, TrainingOptions};
use std::{ops::RangeInclusive, path::PathBuf};

/// Options of rounds.
#[derive(Clone, Debug)]
pub struct RoundsOptions {
    /// Rounds to run.
    pub rounds: u32,
    /// Trainers in each round.
    pub trainers: u32,
    /// Shards that each trainer has in a round.
    pub shards: u32,
    /// Shards for evaluation, which no trainer trains on.
    pub evaluation_shards: u32,
    /// The options of each trainer; the seed of trainer `i` is `i` more.
    pub training: TrainingOptions,
    /// Whether the horizon of `training` is only a default: a run that continues keeps its first horizon, so
    /// that rounds can be added to it.
    pub default_horizon: bool,
    /// Average the trainers' changes without compressing them: the reference for compression.
    pub dense: bool,
    /// Judge the contributions as validators do, refuse those that do not lower the loss, and weigh the
    /// others by how much they do; otherwise all have the same weight.
    pub judged: bool,
    /// Folder for the trainers' states and the completed rounds, from which a run that was stopped or killed
    /// continues.
    pub state: Option<PathBuf>,
}

impl RoundsOptions {
    /// Valid values of [`Self::rounds`].
    pub const ROUNDS: RangeInclusive<u32> = 1..=1_000_000;
    /// Valid values of [`Self::trainers`].
    pub const TRAINERS: RangeInclusive<u32> = 1..=1_024;
    /// Valid values of [`Self::shards`].
    pub const SHARDS: RangeInclusive<u32> = 1..=65_536;
    /// Valid values of [`Self::evaluation_shards`].
    pub const EVALUATION_SHARDS: RangeInclusive<u32> = Self::SHARDS;

    /// Refuses invalid options, with the name of the flag that sets them.
    ///
    /// # Errors
    /// [`TrainingError::Option`].
    pub fn validate(&self) -> Result<(), TrainingError> {
        within("--rounds", self.rounds, Self::ROUNDS)?;
        within("--trainers", self.trainers, Self::TRAINERS)?;
        within("--shards", self.shards, Self::SHARDS)?;
        let evaluation = self.evaluation_shards;
        within("--evaluation-shards", evaluation, Self::EVALUATION_SHARDS)?;
        self.training.validate()?;
        if self.dense && self.judged {
            let rule = "be without --judge, which needs updates";
            return Err(TrainingError::option("--dense", "with it", rule));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_options_are_refused_by_the_name_of_their_flag() {
        let sound = RoundsOptions {
            rounds: 4,
            trainers: 1,
            shards: 1,
            evaluation_shards: 2,
            training: TrainingOptions::default(),
            default_horizon: true,
            dense: false,
            judged: false,
            state: None,
        };
        assert!(sound.validate().is_ok());
        type Edit = fn(&mut RoundsOptions);
        let edits: [(Edit, &str); 6] = [
            (
                |o| o.rounds = 0,
                "--rounds must be from 1 to 1000000; it is 0.",
            ),
            (|o| o.trainers = 0, "--trainers must be from 1"),
            (|o| o.shards = u32::MAX, "--shards must be from 1"),
            (|o| o.evaluation_shards = 0, "--evaluation-shards must be"),
            (|o| o.training.batch = 0, "--batch must be"),
            (
                |o| (o.dense, o.judged) = (true, true),
                "--dense must be without --judge",
            ),
        ];
        for (edit, expected) in edits {
            let mut options = sound.clone();
            edit(&mut options);
            let refused = options.validate().expect_err(expected).to_string();
            assert!(refused.starts_with(expected), "{refused}");
        }
    }
}
