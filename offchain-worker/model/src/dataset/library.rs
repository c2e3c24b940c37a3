//! The datasets of a machine.

use super::{read, DatasetError, OpenDataset, MANIFEST, MAX_MANIFEST_BYTES};
use noema_checkpoint::H256;
use noema_rounds::Dataset as Recorded;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Datasets in folders named by the operator, and those under `<home>/datasets`, each in a folder named by
/// its root.
#[derive(Clone, Debug)]
pub struct Datasets {
    named: Vec<OpenDataset>,
    folder: PathBuf,
}

impl Datasets {
    /// The datasets `named`, and those under `home`, which need not exist yet.
    pub fn new(home: &Path, named: Vec<OpenDataset>) -> Self {
        Self {
            named,
            folder: home.join("datasets"),
        }
    }

    /// The datasets whose folders were named.
    pub fn named(&self) -> impl Iterator<Item = &OpenDataset> {
        self.named.iter()
    }

    /// The folder for a fetched dataset with this root.
    pub fn path(&self, root: H256) -> PathBuf {
        self.folder.join(hex::encode(root))
    }

    /// The dataset that a programme records, if its manifest is on this machine. Any of its shards may be
    /// missing.
    ///
    /// A named folder is identified by its root. Under `home`, a file that is not the manifest that the chain
    /// names counts as missing.
    ///
    /// # Errors
    /// When a file cannot be read, or the manifest that the chain names is not of that dataset.
    pub fn open(&self, recorded: &Recorded) -> Result<Option<OpenDataset>, DatasetError> {
        let mut named = self.named.iter();
        if let Some(dataset) = named.find(|dataset| dataset.root() == recorded.root) {
            return Ok(Some(dataset.clone()));
        }
        let folder = self.path(recorded.root);
        let bytes = match read(&folder.join(MANIFEST), MAX_MANIFEST_BYTES) {
            Ok(bytes) => bytes,
            Err(DatasetError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(None)
            }
            Err(DatasetError::Oversized { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if blake3::hash(&bytes).as_bytes() != recorded.manifest.as_fixed_bytes() {
            return Ok(None);
        }
        let dataset = OpenDataset::parse(&folder, &bytes)?;
        let found = dataset.recorded();
        if found != *recorded {
            return Err(DatasetError::OtherDataset {
                path: folder.join(MANIFEST),
                recorded: Box::new(*recorded),
                found: Box::new(found),
            });
        }
        Ok(Some(dataset))
    }
}
