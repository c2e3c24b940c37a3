//! The challenger: it finds the first step whose leaf differs from its own, and proves what that has to be.

use crate::{
    source::{row_below, siblings, top},
    OwnEvidence, PlayError, TraceSource,
};
use noema_disputes::{Game, GameStage, Line, Place, Side, StepProof, Tree};
use noema_protocol::merkle;
use noema_trace::StepEvidence;
use sp_core::H256;
use std::collections::BTreeMap;

/// A move of a challenger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChallengerMove {
    /// Point to the first node that differs.
    Point {
        /// The node.
        node: Place,
        /// Its hash in the claimant's trace.
        hash: H256,
        /// Its siblings up to the root.
        siblings: Vec<H256>,
    },
    /// Prove that the first step that differs yields another leaf.
    Prove(Box<StepProof<StepEvidence>>),
}

/// The move of a challenger in its line. Among `rows` are those that the claimant showed in it, in any order: each shows
/// by its hashes where it is, and others do no harm. `None` where it has no move: before the trace is open, in the turn of the claimant, and where the
/// claimant's trace is the own one, so that the claim is right and the challenge was not.
///
/// # Errors
/// Where rows are missing, the line was played from another trace, or the own trace cannot be computed.
pub fn challenger_move<AccountId, BlockNumber, S: TraceSource>(
    own: &mut S,
    game: &Game<AccountId, BlockNumber>,
    line: &Line<BlockNumber>,
    rows: &[Vec<H256>],
) -> Result<Option<ChallengerMove>, PlayError<S::Error>> {
    let (GameStage::Open { tree, .. }, Side::Challenger) = (&game.stage, line.turn.side) else {
        return Ok(None);
    };
    let (own_steps, claimed) = (own.steps(), tree.steps());
    if own_steps != claimed {
        return Err(PlayError::OtherSteps {
            own: own_steps,
            claimed,
        });
    }
    if own.nodes(&[top(own_steps)])?.first() == Some(&tree.root()) {
        return Ok(None);
    }
    let mut descent = Descent::new(*tree);
    if let Some((pointed, _)) = line.node {
        let bits = game.terms.rules.row_bits;
        descent.follow(own, rows, pointed, bits)?;
    }
    Ok(Some(match descent.at.row {
        0 => ChallengerMove::Prove(Box::new(descent.prove(own)?)),
        _ => ChallengerMove::Point {
            node: descent.at,
            hash: descent.hash,
            siblings: descent.known(own, &siblings(tree, descent.at))?,
        },
    }))
}

/// A way down the claimant's trace, to the first node that differs in each row that was shown.
struct Descent {
    tree: Tree,
    /// The first node that differs, with its hash in the claimant's trace.
    at: Place,
    hash: H256,
    /// What is known of the claimant's trace at that node and after it.
    shown: BTreeMap<Place, H256>,
}

impl Descent {
    fn new(tree: Tree) -> Self {
        Self {
            tree,
            at: tree.top(),
            hash: tree.root(),
            shown: BTreeMap::from([(tree.top(), tree.root())]),
        }
    }

    /// Goes down the rows that were shown, up to the one below the node that was pointed to last.
    fn follow<S: TraceSource>(
        &mut self,
        own: &mut S,
        rows: &[Vec<H256>],
        pointed: Place,
        bits: u8,
    ) -> Result<(), PlayError<S::Error>> {
        loop {
            let node = self.at;
            if node.row == 0 || !pointed.is_within(&node) {
                return Err(PlayError::OtherWay(pointed));
            }
            let is_below = |row: &&Vec<H256>| self.tree.verify_row(&node, self.hash, bits, row);
            let row = rows.iter().find(is_below);
            self.read(own, row.ok_or(PlayError::RowUnread(node))?, bits)?;
            if node == pointed {
                return Ok(());
            }
        }
    }

    /// Reads the row below the node, and goes to the first node of it that differs.
    fn read<S: TraceSource>(
        &mut self,
        own: &mut S,
        row: &[H256],
        bits: u8,
    ) -> Result<(), PlayError<S::Error>> {
        let node = self.at;
        let places = row_below(&self.tree, node, bits);
        let own_row = own.nodes(&places)?;
        let mut nodes = places.iter().zip(row).zip(own_row);
        let differs = nodes.find(|((_, hash), own)| *hash != own);
        let ((at, hash), _) = differs.ok_or(PlayError::TraceChanged(node))?;
        self.at = *at;
        self.hash = *hash;
        // All rows between follow from this one.
        let (mut left, mut nodes) = (places.first().copied(), row.to_vec());
        while let Some(first) = left.filter(|left| left.row < node.row) {
            let places = (first.index..).map(|index| Place { index, ..first });
            self.shown.extend(places.zip(nodes.iter().copied()));
            nodes = merkle::row_above(&nodes);
            left = Some(Place {
                row: first.row.saturating_add(1),
                index: first.index >> 1,
            });
        }
        Ok(())
    }

    /// Nodes of the claimant's trace: those that were shown, and those before the first difference, which are the own.
    fn known<S: TraceSource>(
        &self,
        own: &mut S,
        places: &[Place],
    ) -> Result<Vec<H256>, PlayError<S::Error>> {
        let is_own = |place: &&Place| !self.shown.contains_key(place);
        let missing: Vec<Place> = places.iter().filter(is_own).copied().collect();
        let first_step = u128::from(self.at.index) << self.at.row.min(64);
        let end = |place: &Place| (u128::from(place.index) + 1) << place.row.min(64);
        if missing.iter().any(|place| end(place) > first_step) {
            return Err(PlayError::OtherWay(self.at));
        }
        let mut found = own.nodes(&missing)?.into_iter();
        let nodes = places.iter().map(|place| match self.shown.get(place) {
            Some(hash) => Some(*hash),
            None => found.next(),
        });
        let nodes: Option<Vec<H256>> = nodes.collect();
        nodes.ok_or(PlayError::TraceChanged(self.at))
    }

    /// The proof about the step whose leaf differs first.
    fn prove<S: TraceSource>(
        &self,
        own: &mut S,
    ) -> Result<StepProof<StepEvidence>, PlayError<S::Error>> {
        let step = self.at.index;
        let OwnEvidence { evidence, nodes } = own.evidence(step)?;
        Ok(StepProof {
            step,
            node: self.hash,
            siblings: self.known(own, &siblings(&self.tree, self.at))?,
            evidence: StepEvidence {
                nodes: self.known(own, &nodes)?,
                ..evidence
            },
        })
    }
}
