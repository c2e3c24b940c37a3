//! Files that are too large for the job store: updates, and the states of trainers.

use super::RoundsError;
use noema_model::whole;
use noema_protocol::{FamilyId, RoundId};
use sp_core::H256;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

const UPDATE: &str = "update.nupd";

/// The files of one operator: a folder for each round, and one for each family with its trainer's state.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// The files in `folder`, which is created with the first file.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder of a round.
    pub fn folder(&self, round: RoundId) -> PathBuf {
        self.folder.join(round.to_string())
    }

    /// The state from which a family's trainer continues in the family's next round.
    pub fn trainer_state(&self, family: FamilyId) -> PathBuf {
        let folder = self.folder.join(format!("family-{family}"));
        folder.join("trainer.state")
    }

    /// The file of the operator's own update in a round.
    pub fn update(&self, round: RoundId) -> PathBuf {
        self.folder(round).join(UPDATE)
    }

    /// The file of an update that was received from another operator.
    pub fn received(&self, round: RoundId, update: H256) -> PathBuf {
        let folder = self.folder(round).join("received");
        folder.join(format!("{}.nupd", hex::encode(update)))
    }

    /// Writes the operator's own update.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_update(&self, round: RoundId, bytes: &[u8]) -> Result<(), RoundsError> {
        let path = self.update(round);
        whole::write(&path, bytes).map_err(failed(&path))
    }

    /// Removes the files of all rounds but those that are `open`.
    ///
    /// # Errors
    /// If a folder cannot be removed.
    pub fn forget_but(&self, open: &BTreeSet<RoundId>) -> Result<(), RoundsError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(&self.folder)(error)),
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            if number.is_some_and(|number| !open.contains(&RoundId(number))) {
                fs::remove_dir_all(entry.path()).map_err(failed(&entry.path()))?;
            }
        }
        Ok(())
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> RoundsError + '_ {
    move |source| RoundsError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_forgotten_with_their_round_and_states_of_trainers_stay() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().join("rounds"));
        files.forget_but(&BTreeSet::new()).unwrap();
        for round in [RoundId(1), RoundId(2), RoundId(3)] {
            files.keep_update(round, b"update").unwrap();
        }
        let states = [0, 1].map(|family| files.trainer_state(FamilyId(family)));
        assert_ne!(states[0], states[1]);
        for state in &states {
            whole::write(state, b"state").unwrap();
        }
        files.forget_but(&[RoundId(1), RoundId(3)].into()).unwrap();
        let is_kept = |round| files.update(RoundId(round)).exists();
        assert_eq!([1, 2, 3].map(is_kept), [true, false, true]);
        assert!(states.iter().all(|state| state.exists()));
    }

    #[test]
    fn what_another_version_left_in_the_folders_is_removed_with_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().to_owned());
        files.keep_update(RoundId(1), b"update").unwrap();
        fs::write(files.folder(RoundId(1)).join("contribution"), [1, 2, 3]).unwrap();
        files.forget_but(&BTreeSet::new()).unwrap();
        assert!(!files.folder(RoundId(1)).exists());
    }
}
