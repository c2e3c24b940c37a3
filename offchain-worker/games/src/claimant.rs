//! The claimant: it shows the root of its trace, and the rows that challengers point to.

use crate::{
    source::{row_below, siblings, top},
    PlayError, TraceSource,
};
use noema_disputes::{Game, GameStage, Line, Place, Side, Tree};
use noema_protocol::hashing::merkle_leaf;
use noema_trace::TraceShape;
use sp_core::H256;

/// What opens a trace: the arguments of `open_trace` that come from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceOpening {
    /// The root.
    pub root: H256,
    /// The siblings of the last leaf.
    pub siblings: Vec<H256>,
}

/// A move of a claimant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimantMove<AccountId> {
    /// Show the root of the trace.
    Open(TraceOpening),
    /// Show the row below a node.
    Show {
        /// The node.
        node: Place,
        /// The challengers that pointed to it.
        challengers: Vec<AccountId>,
        /// The row.
        row: Vec<H256>,
    },
}

/// All moves that a claimant owes in a game, whose open lines are `lines`. A row answers at most `most` challengers.
///
/// # Errors
/// As [`open`] and [`show`].
pub fn claimant_moves<AccountId: Clone, BlockNumber, S: TraceSource>(
    own: &mut S,
    game: &Game<AccountId, BlockNumber>,
    lines: &[(AccountId, Line<BlockNumber>)],
    most: usize,
) -> Result<Vec<ClaimantMove<AccountId>>, PlayError<S::Error>> {
    let tree = match &game.stage {
        GameStage::Opening { .. } => return Ok(vec![ClaimantMove::Open(open(own)?)]),
        GameStage::Open { tree, .. } => *tree,
        GameStage::Ended(_) => return Ok(Vec::new()),
    };
    let mut asked: Vec<((Place, H256), Vec<AccountId>)> = Vec::new();
    for (challenger, line) in lines {
        let (Side::Claimant, Some(node)) = (line.turn.side, line.node) else {
            continue;
        };
        let together = asked.iter_mut();
        let mut together =
            together.filter(|(other, challengers)| *other == node && challengers.len() < most);
        match together.next() {
            Some((_, challengers)) => challengers.push(challenger.clone()),
            None => asked.push((node, vec![challenger.clone()])),
        }
    }
    let bits = game.terms.rules.row_bits;
    let moves = asked.into_iter().map(|(node, challengers)| {
        Ok(ClaimantMove::Show {
            node: node.0,
            challengers,
            row: show(own, &tree, node, bits)?,
        })
    });
    moves.collect()
}

/// Opens a trace.
///
/// # Errors
/// [`PlayError::OwnClaimFalse`] where the trace does not end as a true statement does; or where it cannot be computed.
pub fn open<S: TraceSource>(own: &mut S) -> Result<TraceOpening, PlayError<S::Error>> {
    let steps = own.steps();
    let last = Place::of_leaf(steps.saturating_sub(1));
    // Its shape is that of the tree, whatever the root.
    let shape = Tree::new(H256::zero(), steps);
    let path = shape
        .map(|shape| siblings(&shape, last))
        .unwrap_or_default();
    let places: Vec<Place> = [top(steps), last].into_iter().chain(path).collect();
    let nodes = own.nodes(&places)?;
    match nodes.as_slice() {
        [root, result, siblings @ ..] if *result == merkle_leaf(&TraceShape::outcome()) => {
            Ok(TraceOpening {
                root: *root,
                siblings: siblings.to_vec(),
            })
        }
        _ => Err(PlayError::OwnClaimFalse),
    }
}

/// The row `bits` rows below a node of the own trace, whose hash on chain is `hash`.
///
/// # Errors
/// [`PlayError::OtherSteps`] or [`PlayError::OtherNode`] where the trace on chain is another one; or where the own one
/// cannot be computed.
pub fn show<S: TraceSource>(
    own: &mut S,
    tree: &Tree,
    (node, hash): (Place, H256),
    bits: u8,
) -> Result<Vec<H256>, PlayError<S::Error>> {
    let (own_steps, claimed) = (own.steps(), tree.steps());
    if own_steps != claimed {
        return Err(PlayError::OtherSteps {
            own: own_steps,
            claimed,
        });
    }
    let row = own.nodes(&row_below(tree, node, bits))?;
    match tree.verify_row(&node, hash, bits, &row) {
        true => Ok(row),
        false => Err(PlayError::OtherNode(node)),
    }
}
