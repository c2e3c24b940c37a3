//! The shard: sequences of token ids, all of one length.
//!
//! Numbers are little-endian.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 4 | `NSHD` |
//! | 4 | 4 | version: 1 |
//! | 8 | 4 | `L`: tokens of a sequence, 2 to 131,072 |
//! | 12 | 4 | `n`: sequences, at least 1 |
//! | 16 | 32 | BLAKE2b-256 of the tokenizer's `tokenizer.json` |
//! | 48 | 4 L n | the sequences, one after the other, a u32 for each token |
//!
//! The shard's file name is its BLAKE3 hash. Of a sequence, the first token is read and the others are
//! predicted.

use super::DatasetError;
use noema_checkpoint::{Architecture, H256};
use std::path::Path;

/// The first bytes of a shard.
pub const MAGIC: [u8; 4] = *b"NSHD";
/// The version of the format that this program writes and reads.
pub const VERSION: u32 = 1;
/// Bytes before the sequences.
pub const HEADER_BYTES: usize = 48;
/// Largest shard, in bytes.
pub const MAX_BYTES: u64 = 256 << 20;
/// Most sequences of a shard, with sequences of the least length.
pub const MOST_SEQUENCES: u32 = (MAX_BYTES / 8) as u32;
/// Valid lengths of a sequence, in tokens.
pub const LENGTHS: std::ops::RangeInclusive<u32> = 2..=Architecture::MAX_CONTEXT;

/// Sequences of token ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    length: u32,
    tokenizer_hash: H256,
    tokens: Vec<u32>,
}

impl Shard {
    /// Tokens of a sequence.
    pub fn sequence_length(&self) -> u32 {
        self.length
    }

    /// Number of sequences.
    pub fn len(&self) -> u32 {
        (self.tokens.len() / self.length as usize) as u32
    }

    /// Whether it has no sequences; no shard that was read is empty.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// BLAKE2b-256 of the tokenizer of the tokens.
    pub fn tokenizer_hash(&self) -> H256 {
        self.tokenizer_hash
    }

    /// The sequences, in order.
    pub fn sequences(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.tokens.chunks_exact(self.length as usize)
    }

    /// Reads the shard in `bytes`; errors name `path`.
    ///
    /// # Errors
    /// When the bytes are not a shard of this version, or have another length than they state.
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Self, DatasetError> {
        let not_a_shard = |problem: &str| DatasetError::NotAShard {
            path: path.into(),
            problem: problem.into(),
        };
        let Some((header, body)) = bytes.split_at_checked(HEADER_BYTES) else {
            return Err(not_a_shard("it ends within its header"));
        };
        let word = |at: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&header[at..at + 4]);
            u32::from_le_bytes(word)
        };
        if header[..4] != MAGIC {
            return Err(not_a_shard("it does not begin with NSHD"));
        }
        if word(4) != VERSION {
            return Err(DatasetError::ShardVersion {
                path: path.into(),
                found: word(4),
            });
        }
        let (length, count) = (word(8), word(12));
        if !LENGTHS.contains(&length) {
            return Err(not_a_shard("its sequences have an impossible length"));
        }
        if count == 0 {
            return Err(not_a_shard("it has no sequences"));
        }
        let (expected, found) = (self::bytes(length, count), bytes.len() as u64);
        if expected != found {
            return Err(DatasetError::ShardSize {
                path: path.into(),
                expected,
                found,
            });
        }
        let words = body.as_chunks::<4>().0;
        Ok(Self {
            length,
            tokenizer_hash: H256::from_slice(&header[16..]),
            tokens: words.iter().map(|&word| u32::from_le_bytes(word)).collect(),
        })
    }
}

/// Bytes of a shard of `sequences` sequences of `length` tokens.
pub fn bytes(length: u32, sequences: u32) -> u64 {
    (HEADER_BYTES as u64).saturating_add(
        u64::from(length)
            .saturating_mul(u64::from(sequences))
            .saturating_mul(4),
    )
}

/// A shard's bytes. `tokens` are whole sequences of `length` tokens.
pub(super) fn encode(length: u32, tokenizer_hash: H256, tokens: &[u32]) -> Vec<u8> {
    let count = (tokens.len() / length as usize) as u32;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + tokens.len() * 4);
    bytes.extend(MAGIC);
    for word in [VERSION, length, count] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(tokenizer_hash.0);
    bytes.extend(tokens.iter().flat_map(|token| token.to_le_bytes()));
    bytes
}
