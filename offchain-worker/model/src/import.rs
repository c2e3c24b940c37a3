//! Turns a GGUF file or a Hugging Face folder of a Llama, or a model like it, into a checkpoint, or makes one with
//! random weights.
//!
//! The same source gives the same checkpoint on every machine: weights are quantised with basic IEEE
//! operations, the rotation table comes from the `libm` crate instead of the system's, and no result depends
//! on the order in which threads finish.
//!
//! The chain accepts a prompt by its bytes, so an import runs the chat template to find the frame that it puts
//! around a message, proves from tokenizer and frame how many tokens a prompt can become, and states both in
//! the manifest. A source with another kind of template, or for which that cannot be proven, is refused.
//!
//! A source is untrusted. Every count and offset is checked against the size of the file before it is used,
//! unknown features are refused by name, and the checkpoint appears in the library by one rename after
//! everything is on disk.

mod error;
mod files;
mod fused;
mod gains;
mod gguf;
mod huggingface;
mod initial;
mod model;
mod model_type;
mod quantise;
mod rope;
mod source;
mod tokenizer;
mod write;

pub use crate::chat_template::process::run as run_chat_template;
pub use error::ImportError;
pub use initial::{initialise, InitialOptions};
pub use source::FloatSource;

use crate::checkpoint::OpenCheckpoint;
use noema_checkpoint::Architecture;
use std::path::{Path, PathBuf};
use tokenizers::Tokenizer;

/// Positions of a checkpoint unless [`ImportOptions::context`] is set. The rotation table is part of the
/// weights, so a longer context makes a larger checkpoint.
pub const DEFAULT_CONTEXT: u32 = 8_192;

/// The name of a checkpoint whose source states none. The name of a file or folder is never recorded: the same
/// model has the same id wherever it is.
pub const UNNAMED: &str = "unnamed";

/// The options of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Number of positions; at most the context that the model was trained for. Default: that number or
    /// [`DEFAULT_CONTEXT`], whichever is smaller; for a model with two lists of rotary factors (longrope), at most
    /// the positions of the short ones.
    pub context: Option<u32>,
    /// Name to record instead of the one that the source states, or [`UNNAMED`].
    pub name: Option<String>,
    /// Licence to record instead of the source's own.
    pub licence: Option<String>,
    /// The program that runs the chat template in a process of its own. It has to begin with
    /// [`run_chat_template`]. Default: the running program; the import fails if that did not call it.
    pub program: Option<PathBuf>,
}

/// A part of the work whose progress can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportStage {
    /// Hashing the source, in bytes.
    Hash,
    /// Quantising weights, in bytes written.
    Quantise,
    /// Computing the Merkle root, in bytes hashed.
    Root,
}

impl ImportStage {
    /// Description of the stage, for progress displays.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Hash => "Hashing the source",
            Self::Quantise => "Quantising the weights",
            Self::Root => "Computing the Merkle root",
        }
    }
}

/// Receives the progress of an import. Calls may come from several threads.
pub trait ImportProgress: Sync {
    /// `stage` begins and has `total` units.
    fn begin(&self, stage: ImportStage, total: u64);
    /// `units` more of the current stage are done.
    fn advance(&self, units: u64);
}

/// Ignores the progress.
impl ImportProgress for () {
    fn begin(&self, _: ImportStage, _: u64) {}
    fn advance(&self, _: u64) {}
}

/// Loads the `tokenizer.json` in `json`, which was read from `path`.
pub(crate) fn tokenizer(path: &Path, json: &[u8]) -> Result<Tokenizer, ImportError> {
    tokenizer::check(path, json, Architecture::MAX_VOCABULARY)
}

/// The `tokenizer.json` of a byte-level BPE tokenizer, from its `model` and with one special token.
pub(crate) fn byte_level_tokenizer(
    model: &serde_json::Value,
    special: &str,
) -> Result<Vec<u8>, ImportError> {
    tokenizer::byte_level_from_model(model, special)
}

/// Imports `source`, a GGUF file or a Hugging Face folder, into the library under `home`.
///
/// Importing a checkpoint that exists already returns it. An import that is killed leaves a temporary
/// directory behind, which the next one removes.
pub fn import(
    source: &Path,
    home: &Path,
    options: &ImportOptions,
    progress: &dyn ImportProgress,
) -> Result<OpenCheckpoint, ImportError> {
    let kind = std::fs::metadata(source).map_err(|e| ImportError::read(source, e))?;
    if kind.is_dir() {
        let folder = huggingface::Folder::open(source, progress)?;
        let model = folder.model()?;
        write::write(model, &folder, home, options, progress)
    } else {
        let file = gguf::File::open(source, progress)?;
        let model = file.model()?;
        write::write(model, &file, home, options, progress)
    }
}
