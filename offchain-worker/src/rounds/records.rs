//! What a participant must not forget between a commitment and its reveal.

use super::RoundsError;
use crate::whole;
use codec::{Decode, Encode};
use noema_protocol::RoundId;
use noema_rounds::{Contribution, ScoreSheet};
use sp_core::H256;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const UPDATE: &str = "update.nupd";
const CONTRIBUTION: &str = "contribution";
const SCORES: &str = "scores";

/// A contribution that was, or is about to be, committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Committed {
    /// The update.
    pub contribution: Contribution,
    /// The salt of the commitment.
    pub salt: H256,
}

/// Scores that were, or are about to be, committed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Scored {
    /// The scores.
    pub sheet: ScoreSheet,
    /// The salt of the commitment.
    pub salt: H256,
}

/// The records of one participant, a folder for each round.
#[derive(Clone, Debug)]
pub struct Records {
    folder: PathBuf,
}

impl Records {
    /// The records in `folder`, which is made when the first is kept.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder of a round.
    pub fn folder(&self, round: RoundId) -> PathBuf {
        self.folder.join(round.to_string())
    }

    /// The file that a trainer goes on from in the next round.
    pub fn trainer_state(&self) -> PathBuf {
        self.folder.join("trainer.state")
    }

    /// The file with the update of a round.
    pub fn update(&self, round: RoundId) -> PathBuf {
        self.folder(round).join(UPDATE)
    }

    /// Keeps the bytes of an update.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_update(&self, round: RoundId, bytes: &[u8]) -> Result<PathBuf, RoundsError> {
        let path = self.update(round);
        write(&path, bytes)?;
        Ok(path)
    }

    /// The contribution of a round, if one was kept.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn contribution(&self, round: RoundId) -> Result<Option<Committed>, RoundsError> {
        read(&self.folder(round).join(CONTRIBUTION))
    }

    /// Keeps the contribution of a round.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_contribution(&self, round: RoundId, record: &Committed) -> Result<(), RoundsError> {
        write(&self.folder(round).join(CONTRIBUTION), &record.encode())
    }

    /// The scores of a round, if any were kept.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn scores(&self, round: RoundId) -> Result<Option<Scored>, RoundsError> {
        read(&self.folder(round).join(SCORES))
    }

    /// Keeps the scores of a round.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_scores(&self, round: RoundId, record: &Scored) -> Result<(), RoundsError> {
        write(&self.folder(round).join(SCORES), &record.encode())
    }

    /// Removes the records of all rounds before `round`.
    ///
    /// # Errors
    /// When a folder cannot be removed.
    pub fn forget_before(&self, round: RoundId) -> Result<(), RoundsError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(&self.folder)(error)),
        };
        for entry in entries.flatten() {
            let number = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            if number.is_some_and(|number: u64| number < round.0) {
                fs::remove_dir_all(entry.path()).map_err(failed(&entry.path()))?;
            }
        }
        Ok(())
    }
}

/// Reads a record; a damaged one counts as none, since it was never acted on: a record is whole on
/// disk before the chain hears of it.
fn read<T: Decode>(path: &Path) -> Result<Option<T>, RoundsError> {
    match fs::read(path) {
        Ok(bytes) => Ok(T::decode(&mut &bytes[..]).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), RoundsError> {
    whole::write(path, bytes).map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> RoundsError + '_ {
    move |source| RoundsError::Record {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again_and_forgotten_with_its_round() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::new(folder.path().join("rounds"));
        assert_eq!(records.contribution(RoundId(1)).unwrap(), None);
        records.forget_before(RoundId(9)).unwrap();
        let committed = Committed {
            contribution: Contribution {
                update: H256::repeat_byte(1),
                bytes: 5,
            },
            salt: H256::repeat_byte(2),
        };
        records.keep_contribution(RoundId(1), &committed).unwrap();
        let scored = Scored {
            sheet: ScoreSheet {
                parent: 7,
                findings: Default::default(),
            },
            salt: H256::repeat_byte(3),
        };
        records.keep_scores(RoundId(2), &scored).unwrap();
        fs::write(records.trainer_state(), b"state").unwrap();
        assert_eq!(records.contribution(RoundId(1)).unwrap(), Some(committed));
        assert_eq!(records.scores(RoundId(2)).unwrap(), Some(scored));
        records.forget_before(RoundId(2)).unwrap();
        assert_eq!(records.contribution(RoundId(1)).unwrap(), None);
        assert!(records.scores(RoundId(2)).unwrap().is_some());
        assert!(records.trainer_state().exists());
    }

    #[test]
    fn half_a_record_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::new(folder.path().to_owned());
        fs::create_dir_all(records.folder(RoundId(1))).unwrap();
        fs::write(records.folder(RoundId(1)).join(CONTRIBUTION), [1, 2, 3]).unwrap();
        assert_eq!(records.contribution(RoundId(1)).unwrap(), None);
    }
}
