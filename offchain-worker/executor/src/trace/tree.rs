//! Parts of a tree from the outputs of some steps, hashed several at a time.

use blake2b_simd::{
    many::{hash_many, HashManyJob},
    Hash, Params,
};
use noema_protocol::merkle::{height, row_width, Place};
use noema_trace::TraceShape;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// A node, or a leaf.
pub(crate) type Node = [u8; 32];

/// Bytes of outputs that are hashed together.
const BYTES_TOGETHER: usize = 32 * 1024;
/// Outputs that are hashed together at most.
const STEPS_TOGETHER: usize = 1_024;

fn parameters() -> Params {
    let mut parameters = Params::new();
    parameters.hash_length(size_of::<Node>());
    parameters
}

fn node_of(hash: &Hash) -> Node {
    let bytes = hash.as_bytes().first_chunk();
    *bytes.expect("as long as the parameters say; qed")
}

/// The hash of each input, as [`noema_protocol::hashing::blake2_256`].
pub(crate) fn hash_all<'a>(inputs: impl Iterator<Item = &'a [u8]>) -> Vec<Node> {
    let parameters = parameters();
    let mut jobs: Vec<HashManyJob<'_>> = inputs
        .map(|input| HashManyJob::new(&parameters, input))
        .collect();
    hash_many(&mut jobs);
    jobs.iter().map(|job| node_of(&job.to_hash())).collect()
}

/// The row above a row that begins at an even index, as [`noema_protocol::merkle::row_above`].
pub(crate) fn row_above(row: &[Node]) -> Vec<Node> {
    let (pairs, alone) = row.as_chunks::<2>();
    let mut above = hash_all(pairs.iter().map(|pair| pair.as_flattened()));
    above.extend(alone);
    above
}

fn join(left: &Node, right: &Node) -> Node {
    node_of(&parameters().hash([*left, *right].as_flattened()))
}

/// What of a trace is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    /// The steps whose leaves are hashed: ranges in order, apart from each other.
    pub(crate) ranges: Vec<Range<u64>>,
    /// A row of which all nodes are wanted.
    pub(crate) row: Option<u32>,
    /// Nodes.
    pub(crate) places: BTreeSet<Place>,
    /// Steps whose outputs are wanted.
    pub(crate) outputs: BTreeSet<u64>,
    /// Outputs that are replaced.
    pub(crate) replaced: &'a BTreeMap<u64, Vec<u8>>,
}

impl<'a> Wanted<'a> {
    /// Nothing, of a trace in which some outputs are replaced.
    pub(crate) const fn new(replaced: &'a BTreeMap<u64, Vec<u8>>) -> Self {
        Self {
            ranges: Vec::new(),
            row: None,
            places: BTreeSet::new(),
            outputs: BTreeSet::new(),
            replaced,
        }
    }

    /// Every node of a row.
    pub(crate) fn all(replaced: &'a BTreeMap<u64, Vec<u8>>, steps: u64, row: u32) -> Self {
        Self {
            ranges: std::iter::once(0..steps).collect(),
            row: Some(row),
            ..Self::new(replaced)
        }
    }

    /// The ranges that end after `step`.
    fn ending_after(&self, step: u64) -> &[Range<u64>] {
        &self.ranges[self.ranges.partition_point(|range| range.end <= step)..]
    }

    /// Whether the leaf of a step is hashed.
    fn hashes(&self, step: u64) -> bool {
        let range = self.ending_after(step).first();
        range.is_some_and(|range| range.start <= step)
    }

    /// Whether anything of some steps is wanted.
    pub(crate) fn touches(&self, steps: Range<u64>) -> bool {
        let range = self.ending_after(steps.start).first();
        range.is_some_and(|range| range.start < steps.end)
            || (!steps.is_empty() && self.outputs.range(steps).next().is_some())
    }

    /// The positions that have something that is wanted: runs in order.
    pub(crate) fn positions(&self, shape: &TraceShape<'_>) -> Vec<Range<u32>> {
        let mut runs: Vec<Range<u32>> = Vec::new();
        let outputs = self.outputs.iter().map(|step| *step..*step + 1);
        let mut parts: Vec<Range<u64>> = self.ranges.iter().cloned().chain(outputs).collect();
        parts.sort_unstable_by_key(|steps| steps.start);
        for steps in parts {
            let at = |step| {
                shape
                    .place(step)
                    .map_or(shape.positions(), |place| place.position)
            };
            let (first, end) = (at(steps.start), at(steps.end.saturating_sub(1)) + 1);
            match runs.last_mut() {
                Some(last) if first <= last.end => last.end = last.end.max(end),
                _ => runs.push(first..end),
            }
        }
        runs
    }

    /// Notes those of consecutive nodes of a row that are wanted.
    fn note(&self, first: Place, nodes: &[Node], found: &mut Vec<(Place, Node)>) {
        let Place { row, index } = first;
        let end = index + nodes.len() as u64;
        if self.row == Some(row) {
            let places = (index..end).map(|index| Place { row, index });
            found.extend(places.zip(nodes.iter().copied()));
        }
        if !self.places.is_empty() && index < end {
            let wanted = self.places.range(first..Place { row, index: end });
            found.extend(wanted.map(|place| (*place, nodes[(place.index - index) as usize])));
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Nodes; some more than once.
    pub(crate) nodes: Vec<(Place, Node)>,
    /// Outputs by the numbers of their steps.
    pub(crate) outputs: Vec<(u64, Vec<u8>)>,
}

/// Hashes the outputs of steps that follow each other, and the part of the tree above them.
pub(crate) struct Part<'a> {
    wanted: &'a Wanted<'a>,
    leaves: u64,
    /// The step of the next output.
    next: u64,
    /// The step of the first output that waits.
    first: u64,
    /// The outputs that wait, and where they are among the bytes.
    bytes: Vec<u8>,
    waiting: Vec<Range<usize>>,
    found: Found,
    /// The nodes at the edges of complete parts: those that lack a sibling.
    edges: Vec<(Place, Node)>,
}

impl<'a> Part<'a> {
    /// Of a trace with so many steps.
    pub(crate) const fn new(wanted: &'a Wanted<'a>, leaves: u64) -> Self {
        Self {
            wanted,
            leaves,
            next: 0,
            first: 0,
            bytes: Vec::new(),
            waiting: Vec::new(),
            found: Found {
                nodes: Vec::new(),
                outputs: Vec::new(),
            },
            edges: Vec::new(),
        }
    }

    /// The next output is that of the first of `steps`. Returns whether anything of them is wanted.
    pub(crate) fn begin(&mut self, steps: Range<u64>) -> bool {
        self.next = steps.start;
        self.wanted.touches(steps)
    }

    /// Whether anything of some steps is wanted.
    pub(crate) fn is_wanted(&self, steps: Range<u64>) -> bool {
        self.wanted.touches(steps)
    }

    /// The step of the next output.
    pub(crate) const fn next_step(&self) -> u64 {
        self.next
    }

    /// Leaves out steps that have been recorded.
    pub(crate) const fn skip(&mut self, steps: u64) {
        self.next += steps;
    }

    /// Takes the output of the next step, which `write` appends.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let step = self.next;
        self.next += 1;
        let (is_hashed, is_kept) = (
            self.wanted.hashes(step),
            self.wanted.outputs.contains(&step),
        );
        if !is_hashed && !is_kept {
            return;
        }
        if self.first + self.waiting.len() as u64 != step
            || self.bytes.len() >= BYTES_TOGETHER
            || self.waiting.len() >= STEPS_TOGETHER
        {
            self.flush();
        }
        let start = self.bytes.len();
        write(&mut self.bytes);
        if let Some(output) = self.wanted.replaced.get(&step) {
            self.bytes.truncate(start);
            self.bytes.extend_from_slice(output);
        }
        if is_kept {
            self.found
                .outputs
                .push((step, self.bytes[start..].to_vec()));
        }
        match is_hashed {
            true => {
                if self.waiting.is_empty() {
                    self.first = step;
                }
                self.waiting.push(start..self.bytes.len());
            }
            false => self.bytes.truncate(start),
        }
    }

    /// Takes an output that is the same as the one before.
    pub(crate) fn push_same(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let is_plain = self.wanted.hashes(self.next)
            && !self.wanted.outputs.contains(&self.next)
            && self.wanted.replaced.is_empty();
        match self.waiting.last().cloned() {
            Some(last)
                if is_plain
                    && self.first + self.waiting.len() as u64 == self.next
                    && self.waiting.len() < STEPS_TOGETHER =>
            {
                self.next += 1;
                self.waiting.push(last);
            }
            _ => self.push(write),
        }
    }

    /// Hashes what waits.
    pub(crate) fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        // Outputs that are the same are hashed once.
        let runs = || self.waiting.chunk_by(|a, b| a == b);
        let leaves = hash_all(runs().map(|run| &self.bytes[run[0].clone()]));
        let mut nodes = Vec::with_capacity(self.waiting.len());
        for (run, node) in runs().zip(hash_all(leaves.iter().map(<[u8; 32]>::as_slice))) {
            nodes.extend(std::iter::repeat_n(node, run.len()));
        }
        let first = Place {
            row: 0,
            index: self.first,
        };
        climb(
            self.leaves,
            self.wanted,
            first,
            nodes,
            &mut self.edges,
            &mut self.found.nodes,
        );
        self.waiting.clear();
        self.bytes.clear();
    }

    /// Gives what was found and the edges, in order, to `joiner`.
    pub(crate) fn finish(mut self, joiner: &mut Joiner<'_>) {
        self.flush();
        joiner.found.nodes.append(&mut self.found.nodes);
        joiner.found.outputs.append(&mut self.found.outputs);
        for (place, node) in self.edges {
            joiner.push(place, node);
        }
    }
}

/// Computes the rows above consecutive nodes as far as both children are among them; appends the nodes that lack a
/// sibling to `edges` in order, and notes what is wanted.
pub(crate) fn climb(
    leaves: u64,
    wanted: &Wanted<'_>,
    first: Place,
    mut nodes: Vec<Node>,
    edges: &mut Vec<(Place, Node)>,
    found: &mut Vec<(Place, Node)>,
) {
    let Place { mut row, mut index } = first;
    let mut right = Vec::new();
    loop {
        wanted.note(Place { row, index }, &nodes, found);
        if row == height(leaves) {
            edges.extend(nodes.first().map(|root| (Place { row, index }, *root)));
            break;
        }
        let mut inner = nodes.as_slice();
        if index & 1 == 1
            && let Some((left, rest)) = inner.split_first()
        {
            edges.push((Place { row, index }, *left));
            index += 1;
            inner = rest;
        }
        let end = index + inner.len() as u64;
        if end & 1 == 1
            && end != row_width(leaves, row)
            && let Some((last, rest)) = inner.split_last()
        {
            right.push((
                Place {
                    row,
                    index: end - 1,
                },
                *last,
            ));
            inner = rest;
        }
        if inner.is_empty() {
            break;
        }
        nodes = row_above(inner);
        row += 1;
        index >>= 1;
    }
    edges.extend(right.into_iter().rev());
}

/// Joins parts of a tree that follow each other, in memory for one node of each row.
pub(crate) struct Joiner<'a> {
    wanted: &'a Wanted<'a>,
    leaves: u64,
    /// Left children that wait for their siblings, the highest first.
    waiting: Vec<(Place, Node)>,
    found: Found,
}

impl<'a> Joiner<'a> {
    /// Of a tree of so many leaves.
    pub(crate) fn new(leaves: u64, wanted: &'a Wanted<'a>) -> Self {
        Self {
            wanted,
            leaves,
            waiting: Vec::new(),
            found: Found::default(),
        }
    }

    /// What is wanted.
    pub(crate) const fn wanted(&self) -> &'a Wanted<'a> {
        self.wanted
    }

    /// What was found so far.
    pub(crate) const fn found(&mut self) -> &mut Found {
        &mut self.found
    }

    /// Takes the next node.
    pub(crate) fn push(&mut self, mut place: Place, mut node: Node) {
        while place.row < height(self.leaves) {
            let Place { row, index } = place;
            if index & 1 == 1 {
                let sibling = Place {
                    row,
                    index: index - 1,
                };
                // Without a left sibling, what is hashed began between the two.
                let Some((_, left)) = self.waiting.pop_if(|(place, _)| *place == sibling) else {
                    return;
                };
                node = join(&left, &node);
            } else if index + 1 < row_width(self.leaves, row) {
                self.waiting.push((place, node));
                return;
            }
            place = Place {
                row: row + 1,
                index: index >> 1,
            };
            self.wanted.note(place, &[node], &mut self.found.nodes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_protocol::{
        hashing::{blake2_256, merkle_leaf},
        merkle::{self, Collector},
    };
    use sp_core::H256;

    fn output(step: u64) -> Vec<u8> {
        vec![step as u8 / 3; 1 + (step as usize % 5) * 40]
    }

    /// All nodes of a tree, by place.
    fn tree(leaves: u64) -> BTreeMap<Place, H256> {
        let places: Vec<Place> = (0..=height(leaves))
            .flat_map(|row| (0..row_width(leaves, row)).map(move |index| Place { row, index }))
            .collect();
        let mut collector = Collector::new(leaves, 0, &places);
        (0..leaves).for_each(|step| collector.push(merkle_leaf(&blake2_256(&output(step)))));
        let nodes = collector.finish().expect("all leaves passed by");
        places.into_iter().zip(nodes).collect()
    }

    /// Pushes the wanted steps in parts that begin at `cuts`.
    fn found(leaves: u64, wanted: &Wanted<'_>, cuts: &[u64]) -> BTreeMap<Place, H256> {
        let mut joiner = Joiner::new(leaves, wanted);
        let ends = cuts.iter().copied().skip(1).chain([leaves]);
        for (start, end) in cuts.iter().copied().zip(ends) {
            let mut part = Part::new(wanted, leaves);
            part.begin(start..end);
            for step in start..end {
                match step > start && output(step) == output(step - 1) {
                    true => part.push_same(|bytes| bytes.extend(output(step))),
                    false => part.push(|bytes| bytes.extend(output(step))),
                }
            }
            part.finish(&mut joiner);
        }
        let nodes = joiner.found.nodes.into_iter();
        nodes.map(|(place, node)| (place, H256(node))).collect()
    }

    #[test]
    fn hashes_are_those_of_the_definition() {
        let inputs: Vec<Vec<u8>> = (0..300).map(|n| vec![n as u8; n * 7 % 500]).collect();
        let hashes = hash_all(inputs.iter().map(Vec::as_slice));
        for (input, hash) in inputs.iter().zip(hashes) {
            assert_eq!(H256(hash), blake2_256(input));
        }
    }

    #[test]
    fn every_row_is_that_of_the_whole_tree() {
        let replaced = BTreeMap::new();
        for leaves in [1, 2, 3, 7, 64, 100, 1_025, 3_000] {
            let tree = tree(leaves);
            for cuts in [vec![0], vec![0, leaves / 3, leaves / 3 + leaves / 2]] {
                for row in 0..=merkle::height(leaves) {
                    let wanted = Wanted::all(&replaced, leaves, row);
                    let found = found(leaves, &wanted, &cuts);
                    let expected = tree.iter().filter(|(place, _)| place.row == row);
                    let expected: BTreeMap<Place, H256> =
                        expected.map(|(place, node)| (*place, *node)).collect();
                    assert_eq!(found, expected, "row {row} of {leaves}");
                }
            }
        }
    }

    #[test]
    fn nodes_follow_from_the_leaves_below_them() {
        let (leaves, replaced) = (1_003, BTreeMap::new());
        let tree = tree(leaves);
        for (place, node) in tree.iter().step_by(7) {
            let end = ((place.index + 1) << place.row).min(leaves);
            let wanted = Wanted {
                ranges: std::iter::once(place.index << place.row..end).collect(),
                places: BTreeSet::from([*place]),
                ..Wanted::new(&replaced)
            };
            let found = found(leaves, &wanted, &[0, 200, 201, 600]);
            assert_eq!(found, BTreeMap::from([(*place, *node)]));
        }
    }

    #[test]
    fn outputs_are_kept_or_replaced() {
        let replaced = BTreeMap::from([(5, vec![1, 2, 3])]);
        let wanted = Wanted {
            ranges: std::iter::once(4..6).collect(),
            row: Some(0),
            outputs: BTreeSet::from([2, 5]),
            ..Wanted::new(&replaced)
        };
        let mut joiner = Joiner::new(8, &wanted);
        let mut part = Part::new(&wanted, 8);
        assert!(part.begin(0..8));
        (0..8).for_each(|step| part.push(|bytes| bytes.extend(output(step))));
        part.finish(&mut joiner);
        assert_eq!(joiner.found.outputs, [(2, output(2)), (5, vec![1, 2, 3])]);
        let nodes = [(4, output(4)), (5, vec![1, 2, 3])];
        let nodes = nodes.map(|(index, output)| {
            let node = merkle_leaf(&blake2_256(&output));
            (Place { row: 0, index }, node.0)
        });
        assert_eq!(joiner.found.nodes, nodes);
        assert!(wanted.touches(0..3) && !wanted.touches(0..2) && !wanted.touches(6..8));
    }
}
