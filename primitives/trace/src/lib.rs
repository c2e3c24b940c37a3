#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

extern crate alloc;

mod bytes;
mod compute;
mod cut;
mod evidence;
mod execution;
mod experts;
mod kind;
mod needs;
mod reads;
mod shape;
mod tracer;
mod words;

pub use compute::StepSource;
pub use evidence::{leaf, EvidenceRefusal, StepEvidence, StepJudgement, MAX_EVIDENCE_BYTES};
pub use execution::{
    AnswerExecution, TextExecution, TokenList, TokensOf, TracedCheckpoint, TracedExecution,
};
pub use kind::StepKind;
pub use needs::{Needs, TokenRun};
pub use shape::{
    LinearCut, Operation, StepPlace, Threshold, TraceError, TraceShape, PART, PART_TILES,
};
pub use tracer::Tracer;
