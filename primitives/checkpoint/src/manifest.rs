//! The manifest: all data that determine the answers of a checkpoint, in one hashable record.

use crate::Frame;
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use core::fmt;
use noema_numerics::{layout, Architecture, ArchitectureError};
use noema_protocol::{hashing::blake2_256, CheckpointId, ModelLimits};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// The version of the checkpoint format that this crate reads and writes: the files of a checkpoint, and how
/// they turn a prompt into tokens. Since format 3, special tokens written out in a prompt are text; since
/// format 4, the manifest names the token that a chat template writes at the end of a turn, records the frame
/// of a prompt, has a version of the text layer, and states how the network differs from that of Llama 2.
pub const FORMAT: u32 = 4;

/// The version of the text layer that this release has: the rules by which a prompt becomes tokens and tokens
/// become text. They are those of the [`Frame`], those of the tokenizer library, and the tables of Unicode in
/// both. A release that gives other tokens or another text has another version.
pub const TEXT_LAYER_VERSION: u32 = 1;

/// Longest name and longest licence, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// Most stop tokens a checkpoint may have.
pub const MAX_STOPS: usize = 32;

/// The kind of source of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceFormat {
    /// One GGUF file.
    #[codec(index = 0)]
    Gguf,
    /// A Hugging Face folder with safetensors.
    #[codec(index = 1)]
    HuggingFace,
    /// Random weights.
    #[codec(index = 2)]
    Random,
    /// Another checkpoint, and updates to its masters.
    #[codec(index = 3)]
    Training,
}

impl fmt::Display for SourceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gguf => "GGUF",
            Self::HuggingFace => "Hugging Face folder",
            Self::Random => "random initialisation",
            Self::Training => "training round",
        })
    }
}

/// The source of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Source {
    /// The kind of source.
    pub format: SourceFormat,
    /// BLAKE2b-256 of the GGUF file; for a folder, of the names and BLAKE2b-256 hashes of the files read from
    /// it, in order of name; for random weights, of the parameters that determine them; for training, the
    /// Merkle root over the masters.
    pub hash: H256,
}

/// Describes a checkpoint completely: two checkpoints with equal manifests answer every prompt
/// with the same bytes.
///
/// `manifest.json` is this record as JSON. The hash is over the SCALE encoding, so white space and field
/// order of the file do not matter.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the checkpoint format: [`FORMAT`].
    pub format: u32,
    /// Version of the numerics that give the weights their meaning.
    pub numerics: u32,
    /// Version of the text layer that turns a prompt into tokens: [`TEXT_LAYER_VERSION`].
    pub text_layer: u32,
    /// Name of the model, as its author gave it.
    pub name: String,
    /// Licence of the weights, as the source states it; empty if it states none.
    pub licence: String,
    /// Shape of the transformer.
    pub architecture: Architecture,
    /// Power-of-two exponent of each tensor, in canonical order.
    pub exponents: Vec<i8>,
    /// Merkle root of `weights.bin`.
    pub weights_root: H256,
    /// Size of `weights.bin` in bytes.
    pub weights_bytes: u64,
    /// BLAKE2b-256 of `tokenizer.json`.
    pub tokenizer_hash: H256,
    /// BLAKE2b-256 of `chat_template.jinja`; of no bytes at all if the model has no template. The template
    /// is kept as the source of the frame; no worker runs it.
    pub chat_template_hash: H256,
    /// The text around a prompt, as the chat template writes it. Without one, the tokenizer puts the tokens
    /// around a prompt that begin and end a text.
    pub frame: Option<Frame>,
    /// Most tokens that one byte of a prompt's text can become, at least 1. It follows from the
    /// tokenizer: 1 for byte-level BPE that changes no text before it cuts it.
    pub tokens_per_byte: u32,
    /// Most tokens that the frame and the tokenizer add to those of the prompt's text: a prompt of `n` bytes
    /// has at most `n * tokens_per_byte + template_tokens` tokens.
    pub template_tokens: u32,
    /// The token that starts a text, if the model has one.
    pub bos: Option<u32>,
    /// The token that a chat template writes as `eos_token`, if the source declares one.
    pub eos: Option<u32>,
    /// Tokens that end an answer, ascending.
    pub stops: Vec<u32>,
    /// The source of the checkpoint.
    pub source: Source,
}

impl Manifest {
    /// Most bytes of an encoded manifest: a claimant shows it to the chain in a dispute.
    pub const MAX_BYTES: usize = 1 << 14;

    /// The checkpoint's id: BLAKE2b-256 of `"noema/checkpoint" ++ SCALE(manifest)`.
    pub fn id(&self) -> CheckpointId {
        Self::id_of(&self.encode())
    }

    /// The id of the checkpoint whose manifest is encoded as `bytes`, whatever they are.
    pub fn id_of(bytes: &[u8]) -> CheckpointId {
        CheckpointId(blake2_256(&[b"noema/checkpoint", bytes].concat()))
    }

    /// The bounds that the checkpoint puts on a request.
    pub const fn limits(&self) -> ModelLimits {
        ModelLimits {
            context_length: self.architecture.context_length,
            vocabulary: self.architecture.vocabulary,
            tokens_per_byte: self.tokens_per_byte,
            template_tokens: self.template_tokens,
        }
    }

    /// Checks that the fields agree with each other and with this version of format and numerics.
    pub fn check(&self) -> Result<(), ManifestError> {
        if self.format != FORMAT {
            return Err(ManifestError::Format(self.format));
        }
        if self.numerics != noema_numerics::NUMERICS_VERSION {
            return Err(ManifestError::Numerics(self.numerics));
        }
        if self.text_layer != TEXT_LAYER_VERSION {
            return Err(ManifestError::TextLayer(self.text_layer));
        }
        if self.name.len() > MAX_NAME_BYTES || self.licence.len() > MAX_NAME_BYTES {
            return Err(ManifestError::NameTooLong);
        }
        let framing = self.frame.as_ref().map_or(0, Frame::bytes);
        if framing > Frame::MAX_BYTES {
            return Err(ManifestError::FrameTooLong(framing));
        }
        let bytes = self.encoded_size();
        if bytes > Self::MAX_BYTES {
            return Err(ManifestError::TooLong(bytes));
        }
        let expected =
            layout::weights_bytes(&self.architecture).map_err(ManifestError::Architecture)?;
        if self.weights_bytes != expected {
            return Err(ManifestError::WeightsBytes {
                expected,
                found: self.weights_bytes,
            });
        }
        let expected =
            layout::tensor_count(&self.architecture).map_err(ManifestError::Architecture)?;
        if self.exponents.len() != expected {
            return Err(ManifestError::Exponents {
                expected,
                found: self.exponents.len(),
            });
        }
        if self.tokens_per_byte == 0 {
            return Err(ManifestError::NoTokensPerByte);
        }
        if !self.limits().leave_room() {
            return Err(ManifestError::NoRoom {
                tokens_per_byte: self.tokens_per_byte,
                template_tokens: self.template_tokens,
                context_length: self.architecture.context_length,
            });
        }
        if self.stops.len() > MAX_STOPS {
            return Err(ManifestError::TooManyStops(self.stops.len()));
        }
        if !self.stops.is_sorted_by(|a, b| a < b) {
            return Err(ManifestError::StopsNotAscending);
        }
        let beyond = |token: &&u32| **token >= self.architecture.vocabulary;
        match self
            .stops
            .iter()
            .chain(&self.bos)
            .chain(&self.eos)
            .find(beyond)
        {
            Some(token) => Err(ManifestError::TokenBeyondVocabulary(*token)),
            None => Ok(()),
        }
    }
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestError {
    /// This program does not read this format version.
    Format(u32),
    /// This program does not compute this numerics version.
    Numerics(u32),
    /// This program does not have this version of the text layer.
    TextLayer(u32),
    /// Name or licence is too long.
    NameTooLong,
    /// The frame has this number of bytes, more than [`Frame::MAX_BYTES`].
    FrameTooLong(usize),
    /// Encoded, it has this number of bytes, more than [`Manifest::MAX_BYTES`].
    TooLong(usize),
    /// The architecture is not one that the numerics can run.
    Architecture(ArchitectureError),
    /// The number of exponents is not the number of tensors.
    Exponents {
        /// Number of tensors of the architecture.
        expected: usize,
        /// Number of exponents in the manifest.
        found: usize,
    },
    /// The size of the weights is not that of the architecture.
    WeightsBytes {
        /// Size that the architecture needs.
        expected: u64,
        /// Size in the manifest.
        found: u64,
    },
    /// A byte of text can become no token.
    NoTokensPerByte,
    /// A prompt of one byte leaves no room for an answer of one token.
    NoRoom {
        /// Most tokens that the byte can become.
        tokens_per_byte: u32,
        /// Most tokens that are added to it.
        template_tokens: u32,
        /// Tokens that the context holds.
        context_length: u32,
    },
    /// There are more stop tokens than [`MAX_STOPS`].
    TooManyStops(usize),
    /// The stop tokens are not strictly ascending.
    StopsNotAscending,
    /// A token id is not in the vocabulary.
    TokenBeyondVocabulary(u32),
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(version) => write!(
                f,
                "The manifest has checkpoint format {version}; this program reads format {FORMAT}."
            ),
            Self::Numerics(version) => write!(
                f,
                "The manifest asks for numerics version {version}; this program computes version {}.",
                noema_numerics::NUMERICS_VERSION
            ),
            Self::TextLayer(version) => write!(
                f,
                "The manifest asks for version {version} of the text layer; this program has version \
                 {TEXT_LAYER_VERSION}. Use a release that has version {version}, or import the model again \
                 with this one, which gives another checkpoint."
            ),
            Self::NameTooLong => write!(
                f,
                "The manifest's name or licence is longer than {MAX_NAME_BYTES} bytes."
            ),
            Self::FrameTooLong(bytes) => write!(
                f,
                "The manifest's frame has {bytes} bytes; at most {} are allowed.",
                Frame::MAX_BYTES
            ),
            Self::TooLong(bytes) => write!(
                f,
                "The manifest has {bytes} bytes when encoded; at most {} are allowed. A shorter frame makes it shorter.",
                Manifest::MAX_BYTES
            ),
            Self::Architecture(error) => {
                write!(f, "The manifest's architecture cannot be run: {error}.")
            }
            Self::Exponents { expected, found } => write!(
                f,
                "The manifest has {found} exponents; its architecture has {expected} tensors."
            ),
            Self::WeightsBytes { expected, found } => write!(
                f,
                "The manifest states {found} bytes of weights; its architecture needs {expected}."
            ),
            Self::NoTokensPerByte => {
                f.write_str("The manifest states that a byte of text becomes no token.")
            }
            Self::NoRoom {
                tokens_per_byte,
                template_tokens,
                context_length,
            } => write!(
                f,
                "A prompt of one byte can have {tokens_per_byte} + {template_tokens} tokens, \
                 which leaves no room for an answer in a context of {context_length}."
            ),
            Self::TooManyStops(count) => write!(
                f,
                "The manifest has {count} stop tokens; at most {MAX_STOPS} are allowed."
            ),
            Self::StopsNotAscending => {
                f.write_str("The manifest's stop tokens are not in ascending order.")
            }
            Self::TokenBeyondVocabulary(token) => write!(
                f,
                "The manifest names token {token}, which is not in the vocabulary."
            ),
        }
    }
}

impl core::error::Error for ManifestError {}
