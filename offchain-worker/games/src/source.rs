//! The trace of a party: what its moves are made of.

use noema_disputes::{Place, Tree};
use noema_protocol::merkle;
use noema_trace::StepEvidence;
use sp_core::H256;

/// Evidence of a step from an own trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnEvidence {
    /// What the step reads, with the nodes of the trees of tokens and of weights. `nodes` is empty: the nodes of the
    /// trace are those of the claimant's.
    pub evidence: StepEvidence,
    /// The places of the nodes of the trace that are missing in it, in the order of the proof.
    pub nodes: Vec<Place>,
}

/// A trace that a party computed itself, of the statement that a game is about.
///
/// It has the leaves that the steps yield, one after the other, whether or not the statement is true: for a false one,
/// the last leaf is not the result that is stated.
pub trait TraceSource {
    /// Why a part of the trace cannot be computed.
    type Error: std::error::Error;

    /// The number of steps, at least one.
    fn steps(&self) -> u64;

    /// The nodes at these places of the tree of the trace, in their order.
    ///
    /// # Errors
    /// Where the computation fails, or a place is none of the tree.
    fn nodes(&mut self, places: &[Place]) -> Result<Vec<H256>, Self::Error>;

    /// What a step reads.
    ///
    /// # Errors
    /// Where the computation fails, or there is no such step.
    fn evidence(&mut self, step: u64) -> Result<OwnEvidence, Self::Error>;
}

/// The place of the root of a tree over so many steps.
pub const fn top(steps: u64) -> Place {
    Place {
        row: merkle::height(steps),
        index: 0,
    }
}

/// The places of the siblings of a node, upwards.
pub(crate) fn siblings(tree: &Tree, mut node: Place) -> Vec<Place> {
    let mut places = Vec::new();
    while node.row < tree.height() {
        let sibling = Place {
            index: node.index ^ 1,
            ..node
        };
        // The last node of an odd row has none.
        if tree.has(&sibling) {
            places.push(sibling);
        }
        node = Place {
            row: node.row.saturating_add(1),
            index: node.index >> 1,
        };
    }
    places
}

/// The places of the row `bits` rows below a node.
pub(crate) fn row_below(tree: &Tree, node: Place, bits: u8) -> Vec<Place> {
    let Some((first, count)) = tree.row_below(&node, bits) else {
        return Vec::new();
    };
    let places = (first.index..).take(count as usize);
    places.map(|index| Place { index, ..first }).collect()
}
