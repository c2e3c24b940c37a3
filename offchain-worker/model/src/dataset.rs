//! Training text as shards: content-addressed files of token sequences under one Merkle root.
//!
//! ```text
//! DIR/manifest.json      source, licence, tokenizer, shards in order, root
//! DIR/shards/<hash>      sequences of token ids, see [`shard`]
//! ```
//! A dataset is identified by its root: the Merkle root over the BLAKE3 hashes of its shards, with
//! BLAKE2b-256 as over the tiles of a checkpoint. Each shard has the tokenizer and the length of its
//! sequences in its own header, so the root commits to them, too. The same text, tokenizer and options give
//! the same root on every machine. No part of it is reserved for evaluation: the shards for evaluation are
//! drawn from those that were not trained on.
//!
//! - [`prepare()`] makes a dataset from text;
//! - [`learn_tokenizer`] makes a tokenizer for a family that has none yet;
//! - [`OpenDataset`] opens one and reads its shards, each checked against its hash;
//! - [`Datasets`] finds those that are on this machine. A worker fetches the missing files.

mod error;
mod library;
mod manifest;
mod merkle;
mod prepare;
pub mod shard;
mod text;
mod vocabulary;

pub use error::DatasetError;
pub use library::Datasets;
pub use manifest::{DatasetManifest, ShardEntry, FORMAT, MAX_MANIFEST_BYTES, MAX_SHARDS};
pub(crate) use prepare::SEPARATOR;
pub use prepare::{input_bytes, prepare, PrepareOptions, Prepared};
pub use shard::Shard;
pub use vocabulary::{learn_tokenizer, FEWEST_TOKENS};

use noema_checkpoint::H256;
use noema_rounds::Dataset as Recorded;
use std::{
    fs::File,
    io::Read,
    iter,
    path::{Path, PathBuf},
};

/// File with the manifest.
pub const MANIFEST: &str = "manifest.json";
/// Folder with the shards, each under its hash in hexadecimal.
pub const SHARDS: &str = "shards";

/// A dataset whose manifest has been read and checked; shards are read when requested.
#[derive(Clone, Debug)]
pub struct OpenDataset {
    directory: PathBuf,
    manifest: DatasetManifest,
    manifest_hash: H256,
}

impl OpenDataset {
    /// Opens the dataset in `directory`.
    ///
    /// # Errors
    /// When the manifest cannot be read, or contradicts itself.
    pub fn open(directory: &Path) -> Result<Self, DatasetError> {
        let bytes = read(&directory.join(MANIFEST), MAX_MANIFEST_BYTES)?;
        Self::parse(directory, &bytes)
    }

    /// The dataset in `directory` whose manifest has these bytes.
    fn parse(directory: &Path, bytes: &[u8]) -> Result<Self, DatasetError> {
        Ok(Self {
            directory: directory.into(),
            manifest: DatasetManifest::parse(&directory.join(MANIFEST), bytes)?,
            manifest_hash: H256(blake3::hash(bytes).into()),
        })
    }

    /// Its folder.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The manifest of the dataset.
    pub fn manifest(&self) -> &DatasetManifest {
        &self.manifest
    }

    /// Its root.
    pub fn root(&self) -> H256 {
        self.manifest.root
    }

    /// The dataset as a programme records it on chain.
    pub fn recorded(&self) -> Recorded {
        let manifest = &self.manifest;
        let first = manifest.shards.first().map_or(0, |shard| shard.sequences);
        // Neither saturates: a parsed manifest bounds the number of shards and their bytes.
        Recorded {
            root: manifest.root,
            manifest: self.manifest_hash,
            shards: u32::try_from(manifest.shards.len()).unwrap_or(u32::MAX),
            // The first token of a sequence is only read, not predicted.
            shard_tokens: first.saturating_mul(manifest.sequence_length.saturating_sub(1)),
        }
    }

    /// Every file of the dataset with its BLAKE3 hash, the manifest first. Shards may be missing.
    pub fn files(&self) -> impl Iterator<Item = (H256, PathBuf)> + '_ {
        let manifest = (self.manifest_hash, self.directory.join(MANIFEST));
        let shards = self.manifest.hashes();
        iter::once(manifest).chain(shards.map(|hash| (hash, self.shard_file(hash))))
    }

    /// Number of shards.
    pub fn len(&self) -> usize {
        self.manifest.shards.len()
    }

    /// Whether it has no shards; no dataset that opens is empty.
    pub fn is_empty(&self) -> bool {
        self.manifest.shards.is_empty()
    }

    /// The path of shard `index`.
    ///
    /// # Errors
    /// [`DatasetError::NoSuchShard`].
    pub fn shard_path(&self, index: usize) -> Result<PathBuf, DatasetError> {
        Ok(self.shard_file(self.shard_hash(index)?))
    }

    /// The BLAKE3 hash of shard `index`.
    ///
    /// # Errors
    /// [`DatasetError::NoSuchShard`].
    pub fn shard_hash(&self, index: usize) -> Result<H256, DatasetError> {
        Ok(self.entry(index)?.hash)
    }

    /// Bytes of shard `index`.
    ///
    /// # Errors
    /// [`DatasetError::NoSuchShard`].
    pub fn shard_bytes(&self, index: usize) -> Result<u64, DatasetError> {
        let sequences = self.entry(index)?.sequences;
        Ok(shard::bytes(self.manifest.sequence_length, sequences))
    }

    /// Reads shard `index` and checks it against hash and manifest.
    ///
    /// # Errors
    /// When there is no such shard, it cannot be read, or it does not match the manifest.
    pub fn shard(&self, index: usize) -> Result<Shard, DatasetError> {
        let entry = self.entry(index)?;
        let path = self.shard_path(index)?;
        let bytes = read(&path, self.shard_bytes(index)?)?;
        let found = H256(blake3::hash(&bytes).into());
        if found != entry.hash {
            return Err(DatasetError::ShardHash {
                path,
                expected: entry.hash,
                found,
            });
        }
        let shard = Shard::decode(&path, &bytes)?;
        if shard.tokenizer_hash() != self.manifest.tokenizer_hash {
            return Err(DatasetError::ShardTokenizer {
                path,
                expected: self.manifest.tokenizer_hash,
                found: shard.tokenizer_hash(),
            });
        }
        let (length, count) = (shard.sequence_length(), shard.len());
        if (length, count) != (self.manifest.sequence_length, entry.sequences) {
            return Err(DatasetError::ShardShape {
                path,
                expected: (entry.sequences, self.manifest.sequence_length),
                found: (count, length),
            });
        }
        Ok(shard)
    }

    /// Reads and checks every shard. `progress` gets the bytes of each.
    ///
    /// # Errors
    /// The first shard that does not match the manifest.
    pub fn verify(&self, progress: &dyn Fn(u64)) -> Result<(), DatasetError> {
        for index in 0..self.len() {
            self.shard(index)?;
            progress(self.shard_bytes(index)?);
        }
        Ok(())
    }

    fn shard_file(&self, hash: H256) -> PathBuf {
        self.directory.join(SHARDS).join(hex::encode(hash))
    }

    fn entry(&self, index: usize) -> Result<&ShardEntry, DatasetError> {
        let shards = self.len();
        let entry = self.manifest.shards.get(index);
        entry.ok_or(DatasetError::NoSuchShard { index, shards })
    }
}

/// Reads a file of at most `limit` bytes.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, DatasetError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| DatasetError::read(path, error))?;
    if bytes.len() as u64 > limit {
        return Err(DatasetError::Oversized {
            path: path.into(),
            limit,
        });
    }
    Ok(bytes)
}
