//! The manifest of a dataset.

use super::{merkle, shard, DatasetError};
use noema_checkpoint::H256;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::Path};

/// The version of the dataset's format that this program writes and reads.
pub const FORMAT: u32 = 1;
/// Most shards of a dataset.
pub const MAX_SHARDS: usize = 1 << 18;

/// Largest manifest in bytes: a shard takes some 120 of them.
pub const MAX_MANIFEST_BYTES: u64 = 64 << 20;

/// The description of a dataset, in `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetManifest {
    /// Version of the format: [`FORMAT`].
    pub format: u32,
    /// The origin of the text, for human readers.
    pub source: String,
    /// Licence of the text.
    pub licence: String,
    /// BLAKE2b-256 of the `tokenizer.json` that made the tokens.
    pub tokenizer_hash: H256,
    /// Tokens of each sequence.
    pub sequence_length: u32,
    /// The shards, in order.
    pub shards: Vec<ShardEntry>,
    /// Merkle root over the hashes of the shards.
    pub root: H256,
}

/// A shard, as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardEntry {
    /// BLAKE3 of the shard's bytes.
    pub hash: H256,
    /// Number of its sequences.
    pub sequences: u32,
}

impl DatasetManifest {
    /// The hashes of the shards, in order.
    pub fn hashes(&self) -> impl Iterator<Item = H256> + '_ {
        self.shards.iter().map(|shard| shard.hash)
    }

    /// Number of shards with the same content as an earlier one. A round may train on such a shard and then be
    /// judged on it.
    pub fn repeated(&self) -> usize {
        let distinct: BTreeSet<H256> = self.hashes().collect();
        self.shards.len().saturating_sub(distinct.len())
    }

    /// Bytes of all shards.
    pub fn bytes(&self) -> u64 {
        let of = |entry: &ShardEntry| shard::bytes(self.sequence_length, entry.sequences);
        self.shards.iter().map(of).sum()
    }

    /// Reads and checks a manifest; errors name `path`.
    ///
    /// # Errors
    /// See [`DatasetError`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, DatasetError> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|source| DatasetError::NotAManifest {
                path: path.into(),
                source,
            })?;
        if manifest.format != FORMAT {
            return Err(DatasetError::Format {
                path: path.into(),
                found: manifest.format,
            });
        }
        let problem = if !shard::LENGTHS.contains(&manifest.sequence_length) {
            Some("an impossible length of sequences")
        } else if manifest.shards.is_empty() {
            Some("no shards")
        } else if manifest.shards.len() > MAX_SHARDS {
            Some("too many shards")
        } else if manifest.shards.iter().any(|entry| {
            entry.sequences == 0
                || shard::bytes(manifest.sequence_length, entry.sequences) > shard::MAX_BYTES
        }) {
            Some("a shard with no sequences, or with too many")
        } else if manifest
            .shards
            .iter()
            .any(|entry| entry.sequences > manifest.shards[0].sequences)
        {
            // The chain records the size of the first shard as that of all.
            Some("a shard that is larger than the first")
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(DatasetError::Manifest {
                path: path.into(),
                problem: problem.into(),
            });
        }
        let found = merkle::root(manifest.hashes());
        if found != manifest.root {
            return Err(DatasetError::Root {
                path: path.into(),
                expected: manifest.root,
                found,
            });
        }
        Ok(manifest)
    }
}
