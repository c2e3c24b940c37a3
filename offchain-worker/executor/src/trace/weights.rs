//! The tree over the tiles of a checkpoint's weights.

use super::{
    kept::KeptRows,
    tree::{climb, hash_all, Joiner, Node},
    TraceFailure, Wanted,
};
use crate::{cpu::CpuKernels, ModelSource};
use noema_numerics::tile::TILE_BYTES;
use noema_protocol::merkle::Place;
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, OnceLock},
};

/// Most nodes of the row that is kept.
const KEPT_NODES: u64 = 1 << 18;
/// Tiles that a thread hashes together: 2.1 MiB.
const TOGETHER: u64 = 1 << 12;

/// The tree over the tiles of a checkpoint, to prove some of them. The weights are hashed once, when the first proof is
/// asked for.
///
/// Memory: one row of at most 2^18 nodes and those above, 16 MiB.
pub struct WeightsTree {
    source: Arc<dyn ModelSource>,
    kernels: CpuKernels,
    kept: OnceLock<KeptRows>,
}

impl WeightsTree {
    /// Of the weights that `source` lends.
    pub fn new(source: Arc<dyn ModelSource>, kernels: CpuKernels) -> Self {
        Self {
            source,
            kernels,
            kept: OnceLock::new(),
        }
    }

    /// The root.
    ///
    /// # Errors
    /// When the weights do not fit the architecture.
    pub fn root(&self) -> Result<H256, TraceFailure> {
        Ok(self.kept(self.source.model()?.weights()).root())
    }

    /// The bytes of some tiles.
    pub(super) fn bytes(&self, tiles: &Range<u64>) -> Result<Vec<u8>, TraceFailure> {
        Ok(bytes(self.source.model()?.weights(), tiles).to_vec())
    }

    /// The nodes at some places.
    ///
    /// # Errors
    /// When the weights do not fit the architecture, or where there is no such node.
    pub fn nodes(&self, places: &[Place]) -> Result<Vec<H256>, TraceFailure> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let model = self.source.model()?;
        let weights = model.weights();
        let kept = self.kept(weights);
        let below = places.iter().copied();
        let below: BTreeSet<Place> = below.filter(|place| place.row < kept.row()).collect();
        let ranges = kept.below(&below);
        let found = hashed(weights, kept.leaves(), ranges, below);
        let nodes = places.iter().map(|place| {
            let node = kept.node(*place).or_else(|| found.get(place).copied());
            node.ok_or(TraceFailure::NoPlace("such node"))
        });
        nodes.collect()
    }

    fn kept(&self, weights: &[u8]) -> &KeptRows {
        self.kept.get_or_init(|| {
            let tiles = (weights.len() / TILE_BYTES) as u64;
            let mut kept = KeptRows::new(tiles, KEPT_NODES);
            // Parts that begin at even indices of every row below the kept one.
            let part = TOGETHER.max(1 << kept.row());
            let mut parts: Vec<Vec<(Place, Node)>> =
                vec![Vec::new(); tiles.div_ceil(part) as usize];
            let replaced = BTreeMap::new();
            let wanted = Wanted {
                row: Some(kept.row()),
                ..Wanted::new(&replaced)
            };
            self.kernels.for_each(&mut parts, |index, found| {
                let first = index as u64 * part;
                let range = first..(first + part).min(tiles);
                climb(
                    tiles,
                    &wanted,
                    leaf(first),
                    tile_hashes(weights, &range),
                    &mut Vec::new(),
                    found,
                );
            });
            parts.iter_mut().for_each(|found| kept.take(found));
            kept.finish();
            kept
        })
    }
}

const fn leaf(index: u64) -> Place {
    Place { row: 0, index }
}

fn bytes<'a>(weights: &'a [u8], tiles: &Range<u64>) -> &'a [u8] {
    &weights[tiles.start as usize * TILE_BYTES..tiles.end as usize * TILE_BYTES]
}

fn tile_hashes(weights: &[u8], tiles: &Range<u64>) -> Vec<Node> {
    hash_all(bytes(weights, tiles).chunks(TILE_BYTES))
}

/// The nodes at some places, from the tiles in `ranges`.
fn hashed(
    weights: &[u8],
    tiles: u64,
    ranges: Vec<Range<u64>>,
    places: BTreeSet<Place>,
) -> BTreeMap<Place, H256> {
    let replaced = BTreeMap::new();
    let wanted = Wanted {
        places,
        ..Wanted::new(&replaced)
    };
    let mut joiner = Joiner::new(tiles, &wanted);
    for range in ranges {
        let (mut edges, mut found) = (Vec::new(), Vec::new());
        let nodes = tile_hashes(weights, &range);
        climb(
            tiles,
            &wanted,
            leaf(range.start),
            nodes,
            &mut edges,
            &mut found,
        );
        joiner.found().nodes.append(&mut found);
        edges
            .into_iter()
            .for_each(|(place, node)| joiner.push(place, node));
    }
    let nodes = joiner.found().nodes.drain(..);
    nodes.map(|(place, node)| (place, H256(node))).collect()
}
