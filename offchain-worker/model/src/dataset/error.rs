//! Why a dataset cannot be made or used.

use super::{shard, FEWEST_TOKENS, FORMAT, MAX_SHARDS};
use crate::import::ImportError;
use noema_checkpoint::H256;
use noema_rounds::Dataset as Recorded;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a dataset cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file could not be read.
    #[error("{path} could not be read: {source}.")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("{path} could not be written: {source}.")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's message.
        source: io::Error,
    },
    /// A file is larger than the limit.
    #[error("{path} has more than {limit} bytes.")]
    Oversized {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file has no text.
    #[error("{path} is empty; leave it out, or name another file.")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A text has another encoding than UTF-8.
    #[error(
        "{path} is text in {encoding}, not in UTF-8; convert it: iconv -f {encoding} -t UTF-8."
    )]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The IANA name of its encoding.
        encoding: &'static str,
    },
    /// A text is not UTF-8.
    #[error("{path} is not UTF-8 in line {line}; convert it, from Latin-1 with: iconv -f LATIN1 -t UTF-8.")]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// A line is too long for a line of text.
    #[error("{path} has more than {limit} bytes in line {line}; break it.")]
    LineTooLong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Most bytes of a line.
        limit: u64,
    },
    /// A line is not JSON.
    #[error("{path} has no JSON in line {line}: {problem}.")]
    NotJson {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The error.
        problem: String,
    },
    /// A line has one half of a character that UTF-16 writes in two.
    #[error("{path} has a lone surrogate in line {line}, such as \\ud83e without its second half; remove it, or write the line again from the original text.")]
    LoneSurrogate {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// A line has no text in the named field.
    #[error("{path} has no text in the field {field:?} of line {line}.")]
    NoText {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The name of the field.
        field: String,
    },
    /// The tokenizer cannot be used.
    #[error(transparent)]
    Tokenizer(#[from] ImportError),
    /// The tokenizer refuses a text.
    #[error("{path} cannot be split into tokens: {problem}.")]
    Encode {
        /// The file.
        path: PathBuf,
        /// The tokenizer's message.
        problem: String,
    },
    /// The tokenizer has no such token.
    #[error("The tokenizer has no token {token:?} to separate documents; name another.")]
    UnknownSeparator {
        /// The requested token.
        token: String,
    },
    /// A tokenizer has at least one token for each byte.
    #[error("A tokenizer of {tokens} tokens is too small; it needs {FEWEST_TOKENS} or more.")]
    VocabularyTooSmall {
        /// The requested number of tokens.
        tokens: u32,
    },
    /// No tokenizer can be learnt.
    #[error("No tokenizer can be learnt from the text: {problem}.")]
    Learn {
        /// The error.
        problem: String,
    },
    /// Sequences or shards would have an impossible size.
    #[error(
        "{sequences} sequences of {length} tokens do not make a shard: a sequence has {} to {} tokens, a shard at most {} bytes.",
        shard::LENGTHS.start(), shard::LENGTHS.end(), shard::MAX_BYTES
    )]
    ShardOptions {
        /// Sequences of a shard.
        sequences: u32,
        /// Tokens of a sequence.
        length: u32,
    },
    /// There are too few tokens for a single sequence.
    #[error("The text has {tokens} tokens, too few for a sequence of {length}.")]
    TooShort {
        /// Tokens of all texts.
        tokens: usize,
        /// Tokens of a sequence.
        length: u32,
    },
    /// There would be too many shards.
    #[error("The text gives more than {MAX_SHARDS} shards; put more sequences into each.")]
    TooManyShards,
    /// The destination of the dataset exists already.
    #[error("{path} exists already; choose another folder.")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// `manifest.json` is not a manifest.
    #[error("{path} is not the manifest of a dataset: {source}.")]
    NotAManifest {
        /// The file.
        path: PathBuf,
        /// The error, with line and column.
        source: serde_json::Error,
    },
    /// The manifest has another version.
    #[error("{path} has format {found} of a dataset; this program reads format {FORMAT}.")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The manifest states something impossible.
    #[error("{path} states {problem}.")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The impossible statement.
        problem: String,
    },
    /// The manifest's root is not that of its shards.
    #[error("{path} states the root {expected:?}; its shards have the root {found:?}.")]
    Root {
        /// The file.
        path: PathBuf,
        /// Root in the manifest.
        expected: H256,
        /// Root over the hashes in the manifest.
        found: H256,
    },
    /// The manifest that the chain names is not of the dataset that the chain describes.
    #[error(
        "{path} is the manifest that the chain names; it has {} shards of {} tokens with the root {:?}, and the chain records {} of {} with the root {:?}. Only another programme can correct that.",
        found.shards, found.shard_tokens, found.root,
        recorded.shards, recorded.shard_tokens, recorded.root
    )]
    OtherDataset {
        /// The file.
        path: PathBuf,
        /// The record on chain.
        recorded: Box<Recorded>,
        /// The properties of the manifest.
        found: Box<Recorded>,
    },
    /// The dataset has fewer shards.
    #[error("The dataset has {shards} shards, so none with index {index}.")]
    NoSuchShard {
        /// The requested index.
        index: usize,
        /// Number of shards.
        shards: usize,
    },
    /// A shard has other bytes than the manifest names.
    #[error("{path} has the hash {found:?}; the manifest states {expected:?}. Fetch it again.")]
    ShardHash {
        /// The file.
        path: PathBuf,
        /// Hash in the manifest.
        expected: H256,
        /// Hash of the file.
        found: H256,
    },
    /// Bytes are not a shard.
    #[error("{path} is not a shard: {problem}.")]
    NotAShard {
        /// The file.
        path: PathBuf,
        /// The error.
        problem: String,
    },
    /// A shard has another version.
    #[error(
        "{path} has format {found} of a shard; this program reads format {}.",
        shard::VERSION
    )]
    ShardVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A shard has another length than its header states.
    #[error("{path} has {found} bytes; its header states {expected}.")]
    ShardSize {
        /// The file.
        path: PathBuf,
        /// Bytes that follow from the header.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// A shard's tokens are those of another tokenizer.
    #[error("{path} was made with tokenizer {found:?}; the dataset is of {expected:?}.")]
    ShardTokenizer {
        /// The file.
        path: PathBuf,
        /// Hash of the dataset's tokenizer.
        expected: H256,
        /// Hash of the shard's.
        found: H256,
    },
    /// A shard has other sequences than the manifest states.
    #[error(
        "{path} has {} sequences of {} tokens; the manifest states {} of {}.",
        found.0, found.1, expected.0, expected.1
    )]
    ShardShape {
        /// The file.
        path: PathBuf,
        /// Number of sequences and tokens of each, in the manifest.
        expected: (u32, u32),
        /// The same in the shard.
        found: (u32, u32),
    },
}

impl DatasetError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.into(),
            source,
        }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.into(),
            source,
        }
    }
}
