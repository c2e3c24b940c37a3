//! The directory that holds a machine's checkpoints, each under its id.

use super::{CheckpointError, OpenCheckpoint};
use noema_checkpoint::{CheckpointId, H256};
use std::{
    env, io,
    path::{Path, PathBuf},
};

/// The checkpoints under `<home>/checkpoints`.
#[derive(Clone, Debug)]
pub struct Library {
    root: PathBuf,
}

impl Library {
    /// The library under `home`. It need not exist yet.
    pub fn new(home: &Path) -> Self {
        Self {
            root: home.join("checkpoints"),
        }
    }

    /// `$NOEMA_HOME`, or `~/.noema`.
    pub fn default_home() -> Result<PathBuf, CheckpointError> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        set("NOEMA_HOME")
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| Path::new(&home).join(".noema")))
            .ok_or(CheckpointError::NoHome)
    }

    /// The directory of the library.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the checkpoint `id` is or would be.
    pub fn path(&self, id: CheckpointId) -> PathBuf {
        self.root.join(name(id))
    }

    /// Ids of all checkpoints, ascending. Their validity is checked when they are opened.
    pub fn ids(&self) -> Result<Vec<CheckpointId>, CheckpointError> {
        let failed = |source| CheckpointError::Read {
            path: self.root.clone(),
            source,
        };
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            ids.extend(entry.file_name().to_str().and_then(id));
        }
        ids.sort();
        Ok(ids)
    }

    /// Opens the checkpoint `id`.
    pub fn open(&self, id: CheckpointId) -> Result<OpenCheckpoint, CheckpointError> {
        let path = self.path(id);
        let checkpoint = OpenCheckpoint::open(&path)?;
        if checkpoint.id() != id {
            return Err(CheckpointError::WrongPlace {
                path,
                found: checkpoint.id(),
            });
        }
        Ok(checkpoint)
    }

    /// The one checkpoint whose id begins with `prefix`, in hexadecimal with or without `0x`.
    pub fn find(&self, prefix: &str) -> Result<CheckpointId, CheckpointError> {
        let wanted = prefix
            .strip_prefix("0x")
            .unwrap_or(prefix)
            .to_ascii_lowercase();
        let mut matching = self
            .ids()?
            .into_iter()
            .filter(|id| name(*id).starts_with(&wanted));
        match (matching.next(), matching.next()) {
            (Some(id), None) => Ok(id),
            (None, _) => Err(CheckpointError::Unknown {
                library: self.root.clone(),
                prefix: prefix.into(),
            }),
            (Some(_), Some(_)) => Err(CheckpointError::Ambiguous {
                library: self.root.clone(),
                prefix: prefix.into(),
            }),
        }
    }
}

/// Name of a checkpoint's directory: its id in hexadecimal.
fn name(id: CheckpointId) -> String {
    hex::encode(id.0)
}

fn id(name: &str) -> Option<CheckpointId> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(name, &mut bytes).ok()?;
    // Upper case would be another directory.
    let id = CheckpointId(H256(bytes));
    (self::name(id) == name).then_some(id)
}
