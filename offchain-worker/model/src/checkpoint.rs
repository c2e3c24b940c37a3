//! Checkpoints on disk: the library that holds them, and opening one.

mod library;
mod staging;
mod successor;

pub use library::Library;
pub(crate) use staging::Staging;
pub use successor::{Successor, MASTERS};

use crate::chat_template;
use noema_checkpoint::{
    blake2_256, join_roots, tile::TILE_BYTES, tiles_root, Architecture, CheckpointId, Manifest,
    ManifestError, CHUNK_TILES, FORMAT, H256,
};
use noema_executor::{cpu::CpuWeights, ModelSource};
use noema_numerics::{Model, ModelError};
use rayon::prelude::*;
use serde::Deserialize;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// File with the manifest in its human form.
pub const MANIFEST: &str = "manifest.json";
/// File with the weights.
pub const WEIGHTS: &str = "weights.bin";
/// File with the tokenizer.
pub const TOKENIZER: &str = "tokenizer.json";
/// File with the chat template; absent if the model has none.
pub const CHAT_TEMPLATE: &str = "chat_template.jinja";

const MAX_MANIFEST_BYTES: u64 = 16 << 20;
const MAX_TEXT_BYTES: u64 = 512 << 20;

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file could not be read.
    #[error("{path} could not be read: {source}.")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's message.
        source: io::Error,
    },
    /// The checkpoint could not be written.
    #[error("{path} could not be written: {source}.")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's message.
        source: io::Error,
    },
    /// A file is larger than any valid file of its kind.
    #[error("{path} has more than {limit} bytes.")]
    Oversized {
        /// The file.
        path: PathBuf,
        /// The largest size that is read.
        limit: u64,
    },
    /// `manifest.json` is not a manifest.
    #[error("{path} is not a manifest of format {FORMAT}: {source}. If an earlier program wrote it, import the model again.")]
    NotAManifest {
        /// The file.
        path: PathBuf,
        /// The error, with line and column.
        source: serde_json::Error,
    },
    /// The manifest is of another format.
    #[error(
        "{path} has format {found}; this program reads format {FORMAT}; import the model again."
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The manifest contradicts itself or is of another version.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The weights have another size than the manifest states.
    #[error("{path} has {found} bytes; its manifest states {expected}.")]
    Size {
        /// The file.
        path: PathBuf,
        /// Size in the manifest.
        expected: u64,
        /// Size of the file.
        found: u64,
    },
    /// A file is not the one that the manifest names.
    #[error("{path} has the hash {found:?}; its manifest states {expected:?}.")]
    Hash {
        /// The file.
        path: PathBuf,
        /// Hash in the manifest.
        expected: H256,
        /// Hash of the file; for the weights, their Merkle root.
        found: H256,
    },
    /// A checkpoint is stored under the id of another.
    #[error("{path} holds checkpoint {found}.")]
    WrongPlace {
        /// The directory.
        path: PathBuf,
        /// Id of the checkpoint in it.
        found: CheckpointId,
    },
    /// No checkpoint has an id with this prefix.
    #[error("No checkpoint in {library} has an id that begins with {prefix:?}.")]
    Unknown {
        /// The library.
        library: PathBuf,
        /// The prefix.
        prefix: String,
    },
    /// Several checkpoints have an id with this prefix.
    #[error("Several checkpoints in {library} have an id that begins with {prefix:?}.")]
    Ambiguous {
        /// The library.
        library: PathBuf,
        /// The prefix.
        prefix: String,
    },
    /// No directory for a library is known.
    #[error("Neither NOEMA_HOME nor HOME is set: no directory for checkpoints is known.")]
    NoHome,
}

impl CheckpointError {
    /// Whether another release of this program may run the checkpoint: its format, or its version of the
    /// numerics or of the text layer, is not that of this release.
    pub fn is_of_other_release(&self) -> bool {
        matches!(
            self,
            Self::Format { .. }
                | Self::Manifest(
                    ManifestError::Format(_)
                        | ManifestError::Numerics(_)
                        | ManifestError::TextLayer(_)
                )
        )
    }

    fn read_error(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.into(),
            source,
        }
    }

    fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.into(),
            source,
        }
    }
}

/// A checkpoint whose small files have been read and whose weights are mapped into memory.
#[derive(Debug)]
pub struct OpenCheckpoint {
    directory: PathBuf,
    manifest: Manifest,
    id: CheckpointId,
    weights: CpuWeights,
    tokenizer: Vec<u8>,
    chat_template: String,
}

/// The fields that every version of a manifest has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl OpenCheckpoint {
    /// Opens the checkpoint in `directory`.
    ///
    /// Checks everything except the weights, of which it checks only the size; see
    /// [`OpenCheckpoint::verify`].
    pub fn open(directory: &Path) -> Result<Self, CheckpointError> {
        let path = directory.join(MANIFEST);
        let bytes = read(&path, MAX_MANIFEST_BYTES)?;
        let not_a_manifest = |source| CheckpointError::NotAManifest {
            path: path.clone(),
            source,
        };
        // Another format may have other fields, so it is reported first.
        let version: Version = serde_json::from_slice(&bytes).map_err(not_a_manifest)?;
        if version.format != FORMAT {
            return Err(CheckpointError::Format {
                path,
                found: version.format,
            });
        }
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(not_a_manifest)?;
        manifest.check()?;

        let path = directory.join(TOKENIZER);
        let tokenizer = read(&path, MAX_TEXT_BYTES)?;
        same(path, manifest.tokenizer_hash, blake2_256(&tokenizer))?;

        let path = directory.join(CHAT_TEMPLATE);
        let template = if path.exists() {
            read(&path, chat_template::LONGEST as u64)?
        } else {
            Vec::new()
        };
        same(
            path.clone(),
            manifest.chat_template_hash,
            blake2_256(&template),
        )?;
        let chat_template = String::from_utf8(template).map_err(|e| CheckpointError::Read {
            path,
            source: io::Error::new(io::ErrorKind::InvalidData, e),
        })?;

        let path = directory.join(WEIGHTS);
        let failed = |source| CheckpointError::Read {
            path: path.clone(),
            source,
        };
        let file = File::open(&path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?.len();
        if found != manifest.weights_bytes {
            return Err(CheckpointError::Size {
                expected: manifest.weights_bytes,
                path,
                found,
            });
        }
        // SAFETY: the mapping is read-only, and the library never changes a file of a checkpoint once it is
        // in place. If another program shortens the file, this process ends with a signal.
        let weights = unsafe { CpuWeights::map(&file) }.map_err(failed)?;
        Ok(Self {
            directory: directory.into(),
            id: manifest.id(),
            manifest,
            weights,
            tokenizer,
            chat_template,
        })
    }

    /// Recomputes the Merkle root of the weights and compares it with the manifest. `progress` is called from
    /// several threads with the number of bytes just hashed.
    pub fn verify(&self, progress: &(dyn Fn(u64) + Sync)) -> Result<(), CheckpointError> {
        let found = parallel_root(&self.weights, progress);
        self.weights.unload();
        same(
            self.directory.join(WEIGHTS),
            self.manifest.weights_root,
            found,
        )
    }

    /// Replaces the mapped weights by a copy in large pages, which is faster to read but private to the
    /// process.
    pub fn copy_to_large_pages(&mut self) -> Result<(), CheckpointError> {
        let path = self.directory.join(WEIGHTS);
        let copied = File::open(&path).and_then(|file| CpuWeights::copy(&file));
        let copied = copied.map_err(|source| CheckpointError::Read {
            path: path.clone(),
            source,
        })?;
        if copied.len() != self.weights.len() {
            return Err(CheckpointError::Size {
                path,
                expected: self.weights.len() as u64,
                found: copied.len() as u64,
            });
        }
        self.weights = copied;
        Ok(())
    }

    /// Its id on chain.
    pub fn id(&self) -> CheckpointId {
        self.id
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The shape of the transformer.
    pub fn architecture(&self) -> &Architecture {
        &self.manifest.architecture
    }

    /// One power-of-two exponent per tensor, in canonical order.
    pub fn exponents(&self) -> &[i8] {
        &self.manifest.exponents
    }

    /// The weights, mapped into memory.
    pub fn weights(&self) -> &[u8] {
        &self.weights
    }

    /// `tokenizer.json`, as bytes whose hash the manifest states.
    pub fn tokenizer(&self) -> &[u8] {
        &self.tokenizer
    }

    /// The chat template, the source of the frame in the manifest; empty if the model has none. No worker
    /// runs it.
    pub fn chat_template(&self) -> &str {
        &self.chat_template
    }

    /// The directory it was opened from.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl ModelSource for OpenCheckpoint {
    fn model(&self) -> Result<Model<'_>, ModelError> {
        Model::new(self.architecture(), self.exponents(), self.weights())
    }
}

/// Merkle root of a weights file, on all threads of the calling pool.
pub(crate) fn parallel_root(weights: &[u8], progress: &(dyn Fn(u64) + Sync)) -> H256 {
    let roots: Vec<H256> = weights
        .par_chunks(CHUNK_TILES * TILE_BYTES)
        .map(|run| {
            let root = tiles_root(run);
            progress(run.len() as u64);
            root
        })
        .collect();
    join_roots(roots)
}

/// The id by the manifest in `directory`, also of a checkpoint that this release cannot run; `None` if it has
/// no manifest with the fields of this format.
pub fn recorded_id(directory: &Path) -> Option<CheckpointId> {
    let bytes = read(&directory.join(MANIFEST), MAX_MANIFEST_BYTES).ok()?;
    let manifest: Manifest = serde_json::from_slice(&bytes).ok()?;
    Some(manifest.id())
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, CheckpointError> {
    let failed = |source| CheckpointError::Read {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(CheckpointError::Oversized {
            path: path.into(),
            limit,
        });
    }
    Ok(bytes)
}

fn same(path: PathBuf, expected: H256, found: H256) -> Result<(), CheckpointError> {
    if expected == found {
        Ok(())
    } else {
        Err(CheckpointError::Hash {
            path,
            expected,
            found,
        })
    }
}
