//! How rounds are run.

use crate::training::{within, Sabotage, TrainingError, TrainingOptions};
use std::{ops::RangeInclusive, path::PathBuf};

/// How rounds are run.
#[derive(Clone, Debug)]
pub struct RoundsOptions {
    /// Rounds to run.
    pub rounds: u32,
    /// Trainers that take part in each.
    pub trainers: u32,
    /// Shards that each trainer has in a round.
    pub shards: u32,
    /// Shards that nobody trains on and the loss is taken on.
    pub evaluation_shards: u32,
    /// How each trainer trains; the seed of trainer `i` is `i` more.
    pub training: TrainingOptions,
    /// Whether the horizon of `training` is a default only: a run that goes on keeps the one it began with,
    /// so that it can have more rounds.
    pub default_horizon: bool,
    /// Average what the trainers changed without compressing it: what compression is compared with.
    pub dense: bool,
    /// Judge the contributions as validators do, refuse those that do not help, and weigh the others
    /// by how much they do; otherwise all weigh the same.
    pub judged: bool,
    /// The last trainer spoils its contributions in this way.
    pub sabotage: Option<Sabotage>,
    /// Folder for the trainers' states and the rounds that are over, from which a run that was
    /// stopped or killed goes on.
    pub state: Option<PathBuf>,
}

impl RoundsOptions {
    /// What [`Self::rounds`] may be.
    pub const ROUNDS: RangeInclusive<u32> = 1..=1_000_000;
    /// What [`Self::trainers`] may be.
    pub const TRAINERS: RangeInclusive<u32> = 1..=1_024;
    /// What [`Self::shards`] may be.
    pub const SHARDS: RangeInclusive<u32> = 1..=65_536;
    /// What [`Self::evaluation_shards`] may be.
    pub const EVALUATION_SHARDS: RangeInclusive<u32> = Self::SHARDS;

    /// Refuses what rounds cannot be run with, by the name of the flag that sets it.
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
        // A trainer that is alone has none whose shards or whose contribution it could take.
        let takes = matches!(self.sabotage, Some(Sabotage::Copy | Sabotage::OtherShards));
        if takes && self.trainers < 2 {
            let rule = "be at least 2 with this --sabotage, which takes from another trainer";
            return Err(TrainingError::option("--trainers", self.trainers, rule));
        }
        if self.dense && (self.judged || self.sabotage.is_some()) {
            let rule = "be without --judge and --sabotage, which are about updates";
            return Err(TrainingError::option("--dense", "with one of them", rule));
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
            sabotage: None,
            state: None,
        };
        assert!(sound.validate().is_ok());
        type Edit = fn(&mut RoundsOptions);
        let edits: [(Edit, &str); 7] = [
            (
                |o| o.rounds = 0,
                "--rounds must be from 1 to 1000000; it is 0.",
            ),
            (|o| o.trainers = 0, "--trainers must be from 1"),
            (|o| o.shards = u32::MAX, "--shards must be from 1"),
            (|o| o.evaluation_shards = 0, "--evaluation-shards must be"),
            (|o| o.training.batch = 0, "--batch must be"),
            (
                |o| o.sabotage = Some(Sabotage::Copy),
                "--trainers must be at least 2",
            ),
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
