//! Errors of an import.

use super::InitialOptions;
use crate::checkpoint::CheckpointError;
use noema_checkpoint::ManifestError;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a source could not be imported. Nothing is left in the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file of the source could not be read.
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
    /// The source has no known format.
    #[error("{path} is neither a GGUF file nor a folder with a Hugging Face model: {problem}.")]
    Foreign {
        /// The file or folder.
        path: PathBuf,
        /// The missing part.
        problem: String,
    },
    /// Something else is in the place of a file.
    #[error("{path} is {what} and not the file itself; {hint}.")]
    StandIn {
        /// The file.
        path: PathBuf,
        /// What is in its place.
        what: String,
        /// How to get the file.
        hint: String,
    },
    /// A file is sound, but its content is not what it has to be.
    #[error("{path} cannot be used: {problem}; {hint}.")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: String,
        /// The way out.
        hint: String,
    },
    /// A file is larger than any valid file of its kind.
    #[error("{path} has {size} bytes; at most {limit} are read.")]
    Oversized {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
        /// The largest size that is read.
        limit: u64,
    },
    /// A file violates its format.
    #[error("{path} is damaged at byte {offset}: {problem}.")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where reading stopped.
        offset: u64,
        /// The error at that byte.
        problem: String,
    },
    /// A required part is missing.
    #[error("{path} does not contain {what}.")]
    Missing {
        /// The file.
        path: PathBuf,
        /// The missing part.
        what: String,
    },
    /// A value is invalid.
    #[error("{path} states {key}, {problem}.")]
    Value {
        /// The file.
        path: PathBuf,
        /// Name of the value.
        key: String,
        /// Why it is invalid.
        problem: String,
    },
    /// The model has a feature that the numerics do not define.
    #[error("{path} uses {what}, which is not supported; {hint}.")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The feature.
        what: String,
        /// The supported alternatives.
        hint: String,
    },
    /// A tensor does not fit the model.
    #[error("Tensor {tensor} of {path}, at byte {offset}, {problem}.")]
    Tensor {
        /// The file.
        path: PathBuf,
        /// Name of the tensor in the source.
        tensor: String,
        /// Where its data starts.
        offset: u64,
        /// Why it does not fit.
        problem: String,
    },
    /// The tokenizer cannot be used.
    #[error("The tokenizer of {path} cannot be used: {problem}.")]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// This program has other tables of Unicode than the text layer that the manifest would state.
    #[error("{0}")]
    OtherTables(String),
    /// The program that runs the chat template in a process of its own does not do so.
    #[error("{program} could not run the chat template of {path}: {source}.")]
    Program {
        /// The program.
        program: PathBuf,
        /// The file or folder with the template.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The model does not have the requested context.
    #[error("A context of {asked} positions was asked for; the model has 1 to {limit}.")]
    Context {
        /// The requested context.
        asked: u32,
        /// The largest possible context.
        limit: u32,
    },
    /// No rotation table exists for this base.
    #[error("A RoPE base of {asked} was requested; it must be from {least} to {most}.", least = InitialOptions::ROPE_BASES.start(), most = InitialOptions::ROPE_BASES.end())]
    RopeBase {
        /// The requested base.
        asked: f64,
    },
    /// The model is outside the limits of the numerics.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The checkpoint could not be opened after it was written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl ImportError {
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

    pub(super) fn missing(path: &Path, what: impl Into<String>) -> Self {
        Self::Missing {
            path: path.into(),
            what: what.into(),
        }
    }

    pub(super) fn unusable(
        path: &Path,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Unusable {
            path: path.into(),
            problem: sentence(problem.into()),
            hint: hint.into(),
        }
    }

    pub(super) fn malformed(path: &Path, offset: u64, problem: impl Into<String>) -> Self {
        Self::Malformed {
            path: path.into(),
            offset,
            problem: sentence(problem.into()),
        }
    }

    pub(super) fn value(path: &Path, key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Value {
            path: path.into(),
            key: key.into(),
            problem: problem.into(),
        }
    }

    pub(super) fn unsupported(
        path: &Path,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Unsupported {
            path: path.into(),
            what: what.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn tokenizer(path: &Path, problem: impl Into<String>) -> Self {
        Self::Tokenizer {
            path: path.into(),
            problem: sentence(problem.into()),
        }
    }
}

/// First line of a library's message, without the full stop, which the sentence around it adds, and cut to a
/// readable length.
fn sentence(mut text: String) -> String {
    if let Some(end) = text.find('\n') {
        text.truncate(end);
    }
    if let Some((end, _)) = text.char_indices().nth(300) {
        text.truncate(end);
        text.push('…');
    }
    text.truncate(text.trim_end_matches('.').len());
    text
}
