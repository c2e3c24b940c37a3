//! Why training fails.

use super::Differences;
use burn::tensor::DataError;
use noema_executor::ExecutorError;
use noema_float::FloatError;
use noema_model::{checkpoint::CheckpointError, dataset::DatasetError};
use noema_numerics::ModelError;
use noema_update::{ApplyError, EncodeError};
use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
};

/// Why training fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The parent cannot be read, or its successor cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A shard cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The float model does not run.
    #[error(transparent)]
    Float(#[from] FloatError),
    /// The float model's results cannot be read.
    #[error("The float model's results cannot be read: {0}.")]
    Data(DataError),
    /// The integer transformer does not execute.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// The weights are not those of the architecture.
    #[error("The parent cannot be trained: {0}.")]
    Model(#[from] ModelError),
    /// The changes cannot be written as an update.
    #[error("The changes cannot be written as an update: {0}.")]
    Encode(#[from] EncodeError),
    /// Updates cannot be applied.
    #[error("The updates cannot be applied: {0}.")]
    Apply(#[from] ApplyError),
    /// An option is invalid.
    #[error("{option} must {rule}; it is {value}.")]
    Option {
        /// The flag of `noema-worker` that sets it.
        option: &'static str,
        /// Its value.
        value: String,
        /// The valid values.
        rule: String,
    },
    /// Sequences of a round have different lengths.
    #[error("A round has sequences of {first} and of {other} tokens; all of a round have the same length.")]
    SequenceLengths {
        /// Tokens of the first.
        first: usize,
        /// Tokens of another.
        other: usize,
    },
    /// A pattern matches no tensor.
    #[error("No tensor has a name like {pattern:?}; examples of names are layers.3.query, final_norm and token_embedding, and * matches any text.")]
    NoSuchTensor {
        /// The pattern.
        pattern: String,
    },
    /// There are no sequences to train on.
    #[error("There are no sequences to train on.")]
    NoSequences,
    /// Sequences do not fit the model.
    #[error(
        "A sequence of {length} tokens cannot be trained on: it must have from 2 to {context}."
    )]
    SequenceLength {
        /// Tokens of the sequence.
        length: usize,
        /// Positions that the model has.
        context: u32,
    },
    /// A token is not one of the model's.
    #[error("The data has token {token}; the model has {vocabulary} tokens. Prepare the dataset with the model's tokenizer.")]
    TokenBeyondVocabulary {
        /// The token.
        token: u32,
        /// Tokens that the model has.
        vocabulary: u32,
    },
    /// The data was prepared with another tokenizer.
    #[error("The dataset was prepared with another tokenizer than the checkpoint's.")]
    OtherTokenizer,
    /// There are too few shards.
    #[error("The dataset has {found} shards; {needed} are needed, of which {evaluation} are for evaluation. Lower --trainers, --shards or --evaluation-shards, or prepare the dataset with fewer sequences a shard.")]
    TooFewShards {
        /// Shards of the dataset.
        found: usize,
        /// Shards that are needed.
        needed: usize,
        /// The evaluation shards among them.
        evaluation: usize,
    },
    /// The loss is no longer finite.
    #[error("The loss is not finite after step {step}: training diverged. Lower --learning-rate or --clip, or raise --warmup; the saved state does not prevent a run with other options.")]
    Diverged {
        /// The step, from 0.
        step: u32,
    },
    /// The next parent is of another family.
    #[error("The next parent has another shape, or other exponents, than the one before.")]
    OtherFamily,
    /// Training was stopped; its progress is kept if there is a state file.
    #[error("Training was stopped after {step} steps.")]
    Stopped {
        /// Steps that were made.
        step: u32,
    },
    /// The state cannot be read.
    #[error("{path} could not be read: {source}.")]
    ReadState {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: io::Error,
    },
    /// The state cannot be written.
    #[error("{path} could not be written: {source}.")]
    WriteState {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: io::Error,
    },
    /// The state is damaged.
    #[error("{path} is damaged; remove it to start over.")]
    DamagedState {
        /// The file.
        path: PathBuf,
    },
    /// The state was written by another version of the program.
    #[error("{path} holds a trainer's state of version {found}, and this program reads version {supported}. Finish the round with the program that wrote it, or remove {path} to start over.")]
    StateVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that this program reads and writes.
        supported: u32,
    },
    /// The state was made with other options.
    #[error("{path} holds the state of a training with other options: {differing}. Give those it was saved with to continue it, or remove {path} to start over.")]
    OtherState {
        /// The file, or the folder.
        path: PathBuf,
        /// The differing options.
        differing: Differences,
    },
    /// The state was made on other data.
    #[error("{path} holds the state of a round on other data. Give the same data to continue it, or remove {path} to start over.")]
    OtherData {
        /// The file.
        path: PathBuf,
    },
}

impl From<DataError> for TrainingError {
    fn from(error: DataError) -> Self {
        Self::Data(error)
    }
}

impl TrainingError {
    pub(super) fn option(
        option: &'static str,
        value: impl Display,
        rule: impl Into<String>,
    ) -> Self {
        Self::Option {
            option,
            value: value.to_string(),
            rule: rule.into(),
        }
    }

    pub(super) fn read_state(path: &Path, source: io::Error) -> Self {
        Self::ReadState {
            path: path.into(),
            source,
        }
    }

    pub(super) fn write_state(path: &Path, source: io::Error) -> Self {
        Self::WriteState {
            path: path.into(),
            source,
        }
    }
}
