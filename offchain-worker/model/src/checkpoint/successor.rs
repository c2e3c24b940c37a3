//! The checkpoint that training derives from another.

use super::{
    parallel_root, read, CheckpointError, Library, OpenCheckpoint, Staging, CHAT_TEMPLATE,
    MANIFEST, TOKENIZER, WEIGHTS,
};
use noema_checkpoint::{Manifest, Source, SourceFormat, H256};
use noema_update::{from_weights, masters_root, Trainable};

/// File with the masters; absent if they follow from the weights.
pub const MASTERS: &str = "masters.bin";

/// The result of training a checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct Successor<'a> {
    /// The tiles, including the rotation table.
    pub weights: &'a [u8],
    /// The masters of the tiles.
    pub masters: &'a [u8],
}

impl Successor<'_> {
    /// The manifest of the checkpoint that follows `parent`: the parent's, with other weights, and with the
    /// root over the masters as its source. The same updates on the same parent give the same manifest, and
    /// so the same id.
    pub fn manifest(&self, parent: &Manifest) -> Manifest {
        Manifest {
            weights_root: parallel_root(self.weights, &|_| ()),
            weights_bytes: self.weights.len() as u64,
            source: Source {
                format: SourceFormat::Training,
                hash: masters_root(self.masters),
            },
            ..parent.clone()
        }
    }

    /// Writes the checkpoint that follows `parent` to `library`.
    ///
    /// # Errors
    /// When it cannot be written, or the weights are not those of such a checkpoint.
    pub fn write(
        &self,
        parent: &OpenCheckpoint,
        library: &Library,
    ) -> Result<OpenCheckpoint, CheckpointError> {
        let manifest = self.manifest(parent.manifest());
        manifest.check()?;
        let staging = Staging::create(library.root())?;
        staging.file(WEIGHTS, self.weights)?;
        staging.file(MASTERS, self.masters)?;
        staging.file(TOKENIZER, parent.tokenizer())?;
        if !parent.chat_template().is_empty() {
            staging.file(CHAT_TEMPLATE, parent.chat_template().as_bytes())?;
        }
        let path = staging.path().join(MANIFEST);
        let mut text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| CheckpointError::write(&path, error.into()))?;
        text.push(b'\n');
        staging.file(MANIFEST, &text)?;
        staging.publish(library, manifest.id())
    }
}

impl OpenCheckpoint {
    /// The masters: those in `masters.bin` if training made the checkpoint, otherwise those that follow from
    /// its weights.
    ///
    /// # Errors
    /// When the file cannot be read, or is not the one that the manifest names.
    pub fn masters(&self) -> Result<Vec<u8>, CheckpointError> {
        let path = self.directory().join(MASTERS);
        let trainable = Trainable::new(self.architecture())
            .map_err(noema_checkpoint::ManifestError::Architecture)?;
        let source = &self.manifest().source;
        if source.format != SourceFormat::Training {
            return from_weights(&trainable, self.weights()).map_err(|_| CheckpointError::Size {
                path: self.directory().join(WEIGHTS),
                expected: trainable.weights_bytes(),
                found: self.weights().len() as u64,
            });
        }
        let masters = read(&path, trainable.masters_bytes())?;
        let found = masters.len() as u64;
        if found != trainable.masters_bytes() {
            return Err(CheckpointError::Size {
                path,
                expected: trainable.masters_bytes(),
                found,
            });
        }
        let root: H256 = masters_root(&masters);
        super::same(path, source.hash, root)?;
        Ok(masters)
    }
}
