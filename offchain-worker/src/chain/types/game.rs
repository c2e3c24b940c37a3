//! Games of the referee: what the chain tells of them, and the arguments of their moves.

use crate::store::AccountBytes;
use codec::{Decode, Encode};
use noema_disputes::{Game, Line, Place, StepProof};
use noema_protocol::{CheckpointId, ClaimId};
use noema_referee::{DeclaredEvidence, SessionStatement};
use noema_sessions::SessionReceipt;
use noema_trace::{StepEvidence, StepKind};
use scale_info::TypeInfo;
use sp_core::H256;
use subxt::ext::scale_encode::{
    Composite, EncodeAsType, Error as EncodeError, TypeResolver, Variant,
};

/// The information on a game, decoded by position.
#[derive(Clone, Debug, PartialEq, Eq, Decode, TypeInfo)]
pub struct GameInfo {
    /// The game.
    pub game: Game<AccountBytes, u32>,
    /// Its challengers, each with its line and the last game time in which the side that has to move may; `None` before
    /// the trace is open.
    pub lines: Vec<(AccountBytes, Line<u32>, Option<u32>)>,
    /// The present game time.
    pub time: u32,
    /// The bond of an account that joins now.
    pub bond: u128,
}

/// The next move of an account, decoded by position.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum MoveStep {
    /// Show the root of the trace.
    Open,
    /// Show the row below this node to this challenger.
    Show(Place, AccountBytes),
    /// Point further down, or prove; the last node pointed to, where there is one.
    PointOrProve(Option<Place>),
}

/// A game in which an account owes a move, decoded by position.
#[derive(Clone, Debug, PartialEq, Eq, Decode, TypeInfo)]
pub struct MoveDue {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// The move.
    pub step: MoveStep,
    /// The number of further blocks, if each has room for a move, in which it is accepted.
    pub blocks: u32,
}

/// A place in the tree of a trace.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct WirePlace {
    /// The row, counted from that of the leaves.
    pub row: u32,
    /// Its place in the row.
    pub index: u64,
}

impl From<Place> for WirePlace {
    fn from(place: Place) -> Self {
        Self {
            row: place.row,
            index: place.index,
        }
    }
}

/// What a leaf of a session's claim states.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct WireStatement {
    /// The receipt.
    pub receipt: SessionReceipt,
    /// The encoded manifest.
    pub manifest: Vec<u8>,
}

impl From<SessionStatement> for WireStatement {
    fn from(statement: SessionStatement) -> Self {
        Self {
            receipt: statement.receipt,
            manifest: statement.manifest,
        }
    }
}

/// A kind of step, encoded by its name.
#[derive(Clone, Copy, Debug)]
pub struct WireKind(pub StepKind);

impl EncodeAsType for WireKind {
    fn encode_as_type_to<R: TypeResolver>(
        &self,
        type_id: R::TypeId,
        types: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let name = format!("{:?}", self.0);
        let variant = Variant {
            name: &name,
            fields: Composite::new(std::iter::empty()),
        };
        variant.encode_variant_as_type_to(type_id, types, out)
    }
}

/// What a step is computed from.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct WireInputs {
    /// The outputs that it reads.
    pub outputs: Vec<u8>,
    /// The nodes that prove them.
    pub nodes: Vec<H256>,
    /// The tokens that it reads.
    pub tokens: Vec<u32>,
    /// The nodes that prove them.
    pub token_nodes: Vec<H256>,
    /// The tiles that it reads.
    pub tiles: Vec<u8>,
    /// The nodes that prove them.
    pub tile_nodes: Vec<H256>,
}

impl From<StepEvidence> for WireInputs {
    fn from(evidence: StepEvidence) -> Self {
        let StepEvidence {
            outputs,
            nodes,
            tokens,
            token_nodes,
            tiles,
            tile_nodes,
        } = evidence;
        Self {
            outputs,
            nodes,
            tokens,
            token_nodes,
            tiles,
            tile_nodes,
        }
    }
}

/// Evidence of a step, with its kind.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct WireEvidence {
    /// The kind.
    pub kind: WireKind,
    /// What it is computed from.
    pub inputs: WireInputs,
}

/// A proof that a step is wrong.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct WireProof {
    /// The step.
    pub step: u64,
    /// The node above its leaf.
    pub node: H256,
    /// The siblings of that node.
    pub siblings: Vec<H256>,
    /// What the step is computed from.
    pub evidence: WireEvidence,
}

impl From<StepProof<DeclaredEvidence>> for WireProof {
    fn from(proof: StepProof<DeclaredEvidence>) -> Self {
        let StepProof {
            step,
            node,
            siblings,
            evidence,
        } = proof;
        Self {
            step,
            node,
            siblings,
            evidence: WireEvidence {
                kind: WireKind(evidence.kind),
                inputs: evidence.inputs.into(),
            },
        }
    }
}
