//! Making shards from text.

use super::{
    manifest::{DatasetManifest, ShardEntry, FORMAT, MAX_SHARDS},
    merkle, shard,
    text::{Layout, Piece, Pieces},
    DatasetError, OpenDataset, MANIFEST, SHARDS,
};
use crate::{
    engine::tokenizer::TextCodec,
    whole::{self, StagedFolder},
};
use noema_checkpoint::{blake2_256, H256};
use rayon::prelude::*;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// The default token between documents, if the tokenizer has it.
pub(crate) const SEPARATOR: &str = "<|endoftext|>";

/// Pieces that are split into tokens at the same time: affects only memory.
const TOGETHER: usize = 64;

/// The options of a new dataset.
#[derive(Clone, Debug)]
pub struct PrepareOptions {
    /// The origin of the text, to be recorded.
    pub source: String,
    /// Licence of the text, to be recorded.
    pub licence: String,
    /// Read JSON lines, each with a document in this field, instead of plain text.
    pub text_field: Option<String>,
    /// Tokens of a sequence.
    pub sequence_length: u32,
    /// Sequences of a shard; the last may have fewer.
    pub shard_sequences: u32,
    /// Token between documents. `None` stands for `<|endoftext|>`, or for no token if the tokenizer lacks it.
    pub separator: Option<String>,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            source: String::new(),
            licence: String::new(),
            text_field: None,
            sequence_length: 256,
            shard_sequences: 64,
            separator: None,
        }
    }
}

/// A new dataset.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The dataset.
    pub dataset: OpenDataset,
    /// Number of its tokens.
    pub tokens: u64,
    /// Tokens at the end of the text that did not fill a sequence.
    pub left_over: u64,
}

/// Bytes of all inputs: the total of [`prepare`]'s progress.
///
/// # Errors
/// When the metadata of one cannot be read.
pub fn input_bytes(inputs: &[PathBuf]) -> Result<u64, DatasetError> {
    let of = |path: &PathBuf| {
        let metadata = fs::metadata(path).map_err(|error| DatasetError::read(path, error))?;
        Ok(metadata.len())
    };
    inputs.iter().map(of).sum()
}

/// Makes the dataset `directory` of the documents in `inputs`, in their order, with the tokenizer in the file
/// `tokenizer`. `progress` gets the number of bytes just read.
///
/// The tokens of all documents are concatenated and cut into sequences; the last tokens, too few for a
/// sequence, are left out. The dataset appears as a whole or not at all.
///
/// # Errors
/// When an input is not text, the tokenizer cannot be used, there is too little text, or
/// `directory` holds something already.
pub fn prepare(
    inputs: &[PathBuf],
    tokenizer: &Path,
    directory: &Path,
    options: &PrepareOptions,
    progress: &dyn Fn(u64),
) -> Result<Prepared, DatasetError> {
    let (length, sequences) = (options.sequence_length, options.shard_sequences);
    if !shard::LENGTHS.contains(&length)
        || sequences == 0
        || shard::bytes(length, sequences) > shard::MAX_BYTES
    {
        return Err(DatasetError::ShardOptions { sequences, length });
    }
    let json = fs::read(tokenizer).map_err(|error| DatasetError::read(tokenizer, error))?;
    let codec = Codec::new(tokenizer, &json, options)?;

    let target = stage(directory)?;
    let shards = target.path().join(SHARDS);
    let mut writer = Writer {
        folder: shards.clone(),
        length,
        most: sequences as usize * length as usize,
        tokenizer_hash: blake2_256(&json),
        tokens: Vec::new(),
        shards: Vec::new(),
    };
    for input in inputs {
        let layout = match &options.text_field {
            Some(field) => Layout::JsonLines(field),
            None => Layout::Plain,
        };
        let mut pieces = Pieces::open(input, layout)?;
        loop {
            let batch = pieces.by_ref().take(TOGETHER);
            let batch = batch.collect::<Result<Vec<_>, _>>()?;
            if batch.is_empty() {
                break;
            }
            for tokens in codec.encode(input, &batch)? {
                writer.push(&tokens)?;
            }
            progress(batch.iter().map(|piece| piece.bytes).sum());
        }
    }
    let left_over = writer.finish()?;
    let manifest = DatasetManifest {
        format: FORMAT,
        source: options.source.clone(),
        licence: options.licence.clone(),
        tokenizer_hash: writer.tokenizer_hash,
        sequence_length: length,
        root: merkle::root(writer.shards.iter().map(|shard| shard.hash)),
        shards: writer.shards,
    };
    let path = target.path().join(MANIFEST);
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| DatasetError::write(&path, error.into()))?;
    text.push(b'\n');
    write(&path, &text)?;
    whole::sync(&shards)
        .and_then(|()| target.publish(directory))
        .map_err(|error| DatasetError::write(directory, error))?;
    let dataset = OpenDataset::open(directory)?;
    let count = |shard: &ShardEntry| u64::from(shard.sequences) * u64::from(length);
    Ok(Prepared {
        tokens: manifest.shards.iter().map(count).sum(),
        left_over,
        dataset,
    })
}

/// Converts pieces of text to tokens.
struct Codec {
    text: TextCodec,
    separator: Option<u32>,
}

impl Codec {
    fn new(path: &Path, json: &[u8], options: &PrepareOptions) -> Result<Self, DatasetError> {
        let tokenizer = crate::import::tokenizer(path, json)?;
        let text = TextCodec::new(tokenizer).map_err(|error| DatasetError::Encode {
            path: path.into(),
            problem: error.to_string(),
        })?;
        let separator = match &options.separator {
            Some(token) => Some(
                text.id(token)
                    .ok_or_else(|| DatasetError::UnknownSeparator {
                        token: token.clone(),
                    })?,
            ),
            None => text.id(SEPARATOR),
        };
        Ok(Self { text, separator })
    }

    fn encode(&self, path: &Path, pieces: &[Piece]) -> Result<Vec<Vec<u32>>, DatasetError> {
        let encode = |piece: &Piece| {
            let encoded = self.text.encode(&piece.text, false);
            let mut tokens = encoded.map_err(|error| DatasetError::Encode {
                path: path.into(),
                problem: error.to_string(),
            })?;
            tokens.extend(self.separator.filter(|_| piece.ends_document));
            Ok(tokens)
        };
        pieces.par_iter().map(encode).collect()
    }
}

/// Cuts tokens into shards.
struct Writer {
    folder: PathBuf,
    length: u32,
    /// Tokens of a full shard.
    most: usize,
    tokenizer_hash: H256,
    /// Not yet written: fewer than a shard's.
    tokens: Vec<u32>,
    shards: Vec<ShardEntry>,
}

impl Writer {
    fn push(&mut self, tokens: &[u32]) -> Result<(), DatasetError> {
        self.tokens.extend(tokens);
        let full = self.tokens.len() / self.most * self.most;
        let rest = self.tokens.split_off(full);
        let full = std::mem::replace(&mut self.tokens, rest);
        full.chunks(self.most)
            .try_for_each(|tokens| self.write(tokens))
    }

    /// Writes the last shard; returns the number of tokens left over.
    fn finish(&mut self) -> Result<u64, DatasetError> {
        let length = self.length as usize;
        let whole = self.tokens.len() / length * length;
        if whole > 0 {
            let tokens = std::mem::take(&mut self.tokens);
            self.write(&tokens[..whole])?;
            return Ok((tokens.len() - whole) as u64);
        }
        if self.shards.is_empty() {
            return Err(DatasetError::TooShort {
                tokens: self.tokens.len(),
                length: self.length,
            });
        }
        Ok(self.tokens.len() as u64)
    }

    fn write(&mut self, tokens: &[u32]) -> Result<(), DatasetError> {
        if self.shards.len() == MAX_SHARDS {
            return Err(DatasetError::TooManyShards);
        }
        let bytes = shard::encode(self.length, self.tokenizer_hash, tokens);
        let hash = H256(blake3::hash(&bytes).into());
        write(&self.folder.join(hex::encode(hash)), &bytes)?;
        self.shards.push(ShardEntry {
            hash,
            sequences: (tokens.len() / self.length as usize) as u32,
        });
        Ok(())
    }
}

/// Writes a file and syncs it to disk. Shards with the same content are the same file.
fn write(path: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
    File::create(path)
        .and_then(|file| whole::fill(file, bytes))
        .map_err(|error| DatasetError::write(path, error))
}

/// A new folder beside `directory`, in which the dataset is written.
fn stage(directory: &Path) -> Result<StagedFolder, DatasetError> {
    let taken = match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    };
    if taken {
        return Err(DatasetError::Exists {
            path: directory.into(),
        });
    }
    let mut prefix = directory.file_name().unwrap_or_default().to_os_string();
    prefix.push(".part-");
    let failed = |error| DatasetError::write(directory, error);
    let target = StagedFolder::create(whole::parent(directory), &prefix).map_err(failed)?;
    fs::create_dir(target.path().join(SHARDS)).map_err(failed)?;
    Ok(target)
}
