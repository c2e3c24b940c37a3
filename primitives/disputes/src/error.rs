//! Why a move is refused.

use core::fmt;
use noema_protocol::{apply, sent};

/// Why evidence does not show what a step is computed from.
#[apply(sent)]
#[derive(Copy)]
#[non_exhaustive]
pub enum EvidenceError {
    /// It is not encoded as the step's kind is, or has too few or too many inputs.
    Malformed,
    /// An input is not the leaf of its step in the trace.
    NotInTrace,
    /// An input is not a token of the statement.
    NotInStatement,
    /// A weight, or the manifest, is not the checkpoint's.
    NotInCheckpoint,
    /// An input cannot be the output of its own step: that one is false, and is to be shown instead.
    ImpossibleInput,
}

impl fmt::Display for EvidenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the evidence does not have the inputs of this kind of step",
            Self::NotInTrace => "an input is not the leaf of its step in the trace",
            Self::NotInStatement => "an input is not a token of the statement",
            Self::NotInCheckpoint => "a weight, or the manifest, is not the checkpoint's",
            Self::ImpossibleInput => {
                "an input cannot come from its own step: prove that one to be wrong"
            }
        })
    }
}

impl core::error::Error for EvidenceError {}

/// Why a move of a game is refused. A refused move changes nothing.
#[apply(sent)]
#[derive(Copy)]
#[non_exhaustive]
pub enum GameError {
    /// The claimant has shown the root of its trace already.
    AlreadyOpen,
    /// The claimant has not shown the root of its trace yet.
    NotOpen,
    /// The game is over.
    Ended,
    /// The time of this side is over.
    TooLate,
    /// The other side has to move.
    OtherSide,
    /// The statement has no trace: the chain knows that it is false.
    NoShape,
    /// The judge has no steps for the computation: no game decides whether the statement is true.
    NoSteps,
    /// The last leaf of the trace is not what the statement states.
    OtherResult,
    /// The statement is not the one of the leaf.
    OtherStatement,
    /// The node is not in the tree, is a leaf, or is not below the row that was shown last.
    WrongNode,
    /// The hash is not the one at this place of the trace.
    NotInTrace,
    /// The row is not the one below the node.
    WrongRow,
    /// The step yields the leaf that the trace has.
    StepIsRight,
    /// The evidence does not show what the step is computed from.
    Evidence(EvidenceError),
}

impl fmt::Display for GameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyOpen => "the claimant has shown the root of its trace already",
            Self::NotOpen => "the claimant has not shown the root of its trace yet: wait for it",
            Self::Ended => "the game is over",
            Self::TooLate => "the time of this side is over",
            Self::OtherSide => "the other side has to move",
            Self::NoShape => "the statement contradicts what the chain knows: it has no trace",
            Self::NoSteps => {
                "the judge has no steps for this computation: another referee has to decide"
            }
            Self::OtherResult => "the last leaf of the trace is not what the statement states",
            Self::OtherStatement => "the statement is not the one of the leaf",
            Self::WrongNode => "point to a node above the leaves, in or below the row shown last",
            Self::NotInTrace => "the hash is not the one at this place of the trace",
            Self::WrongRow => "the row is not the one below the node",
            Self::StepIsRight => "the step yields the leaf that the trace has",
            Self::Evidence(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for GameError {}
