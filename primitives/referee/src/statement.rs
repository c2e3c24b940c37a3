//! What a leaf of a session's claim states, and which computation that is.

use alloc::vec::Vec;
use codec::{Decode, DecodeAll, DecodeWithMemTracking};
use noema_checkpoint::{Manifest, FORMAT};
use noema_disputes::NoTrace;
use noema_numerics::{End, Sampling, NUMERICS_VERSION};
use noema_protocol::{apply, encoded, CheckpointId};
use noema_sessions::{AnswerEnd, SessionReceipt};
use noema_trace::{
    AnswerExecution, TokensOf, TraceError, TraceShape, TracedCheckpoint, TracedExecution,
};
use sp_core::H256;

/// What a leaf of a session's claim states.
#[apply(encoded)]
#[derive(DecodeWithMemTracking)]
pub struct SessionStatement {
    /// The receipt. Its hash is the leaf.
    pub receipt: SessionReceipt,
    /// The manifest of the checkpoint that answered, as it is encoded: at most [`Manifest::MAX_BYTES`]. Its hash is the
    /// checkpoint's id.
    pub manifest: Vec<u8>,
}

impl SessionStatement {
    /// The statement of a receipt about a checkpoint with this manifest.
    pub fn new(receipt: SessionReceipt, manifest: &Manifest) -> Self {
        Self {
            receipt,
            manifest: codec::Encode::encode(manifest),
        }
    }

    /// The leaf of the claim.
    pub fn leaf(&self) -> H256 {
        self.receipt.hash()
    }

    /// What was executed, by the receipt.
    pub const fn execution(&self) -> TracedExecution {
        let receipt = &self.receipt;
        let parameters = &receipt.parameters;
        TracedExecution::Answer(AnswerExecution {
            prompt: TokensOf {
                count: receipt.prompt_tokens,
                hash: receipt.prompt_hash,
            },
            answer: TokensOf {
                count: receipt.answer_tokens,
                hash: receipt.answer_hash,
            },
            end: match receipt.end {
                AnswerEnd::Stop => End::StopToken,
                AnswerEnd::Length => End::MaxTokens,
                AnswerEnd::ByPayer => End::Cancelled,
            },
            sampling: Sampling {
                temperature_milli: parameters.temperature_milli,
                top_k: parameters.top_k,
                top_p_milli: parameters.top_p_milli,
            },
            seed: receipt.seed.0,
            max_tokens: parameters.max_tokens as u32,
            hidden_root: receipt.hidden_root,
        })
    }
}

/// A checkpoint whose manifest was shown to be that of its id.
#[derive(Clone, Debug)]
pub struct ShownCheckpoint {
    manifest: Manifest,
}

impl ShownCheckpoint {
    /// The checkpoint with this id, by its encoded manifest.
    ///
    /// # Errors
    /// [`NoTrace::False`] where the manifest is that of another checkpoint, or of none; [`NoTrace::NoSteps`] where it is of
    /// a format, or for a version of the numerics, that this judge does not know.
    pub fn new(checkpoint: &CheckpointId, manifest: &[u8]) -> Result<Self, NoTrace> {
        if manifest.len() > Manifest::MAX_BYTES || Manifest::id_of(manifest) != *checkpoint {
            return Err(NoTrace::False);
        }
        // Both versions come first, in every format.
        let (format, numerics) =
            <(u32, u32)>::decode(&mut &*manifest).map_err(|_| NoTrace::False)?;
        if (format, numerics) != (FORMAT, NUMERICS_VERSION) {
            return Err(NoTrace::NoSteps);
        }
        let manifest = Manifest::decode_all(&mut &*manifest).map_err(|_| NoTrace::False)?;
        Ok(Self { manifest })
    }

    /// The steps of an execution by the checkpoint.
    ///
    /// # Errors
    /// [`NoTrace::False`] where no execution has these counts, or the manifest is not that of a network;
    /// [`NoTrace::NoSteps`] where another version of the steps would refuse it for another reason.
    pub fn shape(&self, execution: TracedExecution) -> Result<TraceShape<'_>, NoTrace> {
        let manifest = &self.manifest;
        let checkpoint = TracedCheckpoint {
            architecture: &manifest.architecture,
            exponents: &manifest.exponents,
            weights_root: manifest.weights_root,
            stops: &manifest.stops,
        };
        TraceShape::new(checkpoint, execution).map_err(|error| match error {
            TraceError::Architecture(_) | TraceError::Exponents { .. } | TraceError::Counts => {
                NoTrace::False
            }
            // What is not known to be false can be true.
            _ => NoTrace::NoSteps,
        })
    }
}
