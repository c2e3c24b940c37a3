//! The recording of one chunk's dispatches, in the order of the network.

use super::{
    cache::{Caches, Slab},
    kernels::{Bound, Kernel, Kernels},
    network::{Dispatch, Linear, Network},
    plan::{Chunk, Window, Windows},
    scratch::Scratch,
    weights::Part,
};
use std::{collections::BTreeSet, ops::RangeInclusive};

/// Records into one compute pass.
pub(crate) struct Recorder<'a> {
    pub(crate) pass: wgpu::ComputePass<'a>,
    pub(crate) kernels: &'a Kernels,
    pub(crate) scratch: &'a Scratch,
    pub(crate) network: &'a Network,
}

/// A chunk, with the slabs of caches that its rows need.
pub(crate) struct Rows<'a> {
    pub(crate) windows: &'a Windows,
    slabs: Vec<&'a Slab>,
    positions: RangeInclusive<u32>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(caches: &'a Caches, chunk: &Chunk, windows: &'a Windows) -> Self {
        let slabs: BTreeSet<u32> = chunk.rows.iter().map(|row| row.place.slab).collect();
        let positions = || chunk.rows.iter().map(|row| row.position);
        Self {
            windows,
            slabs: slabs.into_iter().filter_map(|i| caches.slab(i)).collect(),
            positions: positions().min().unwrap_or(0)..=positions().max().unwrap_or(0),
        }
    }

    /// Whether a part of a table of rotations has positions of the rows.
    fn need(&self, part: &Part) -> bool {
        part.first <= *self.positions.end() && *self.positions.start() < part.first + part.count
    }
}

impl Recorder<'_> {
    /// Layer `index` over all rows; the residual stream is left in the scratch.
    pub(crate) fn layer(&mut self, index: usize, rows: &Rows<'_>) {
        for dispatch in &self.network.layers[index] {
            match dispatch {
                Dispatch::Rope(cache, table, units) => self.rope(*cache, *table, *units, rows),
                Dispatch::Attention(cache, heads) => self.attention(*cache, *heads, rows),
                _ => self.by_row(dispatch, rows.windows.all),
            }
        }
    }

    /// The hidden vectors of the requested rows of the window.
    pub(crate) fn hidden(&mut self, wanted: Window) {
        for dispatch in &self.network.hidden {
            self.by_row(dispatch, wanted);
        }
    }

    /// Logits of the hidden vectors of the window.
    pub(crate) fn logits(&mut self, window: Window) {
        for dispatch in &self.network.logits {
            self.by_row(dispatch, window);
        }
    }

    fn by_row(&mut self, dispatch: &Dispatch, window: Window) {
        let kernels = self.kernels;
        match dispatch {
            Dispatch::Embedding(groups, parts) => {
                for bound in parts {
                    let groups = [*groups, window.count, 1];
                    self.dispatch(&kernels.embedding, bound, window, groups);
                }
            }
            Dispatch::Norm(bound) => self.rows(&kernels.norm, bound, window),
            Dispatch::Quantise(bound) => self.rows(&kernels.quantise, bound, window),
            Dispatch::Gated(activation, bound) => {
                self.rows(kernels.gated(*activation), bound, window);
            }
            Dispatch::Linear(linear) => self.linear(linear, window),
            Dispatch::HeadNorm(heads, bound) => {
                let groups = [*heads, window.count, 1];
                self.dispatch(&kernels.head_norm, bound, window, groups);
            }
            Dispatch::Add(groups, bound) => {
                let groups = [*groups, window.count, 1];
                self.dispatch(&kernels.add, bound, window, groups);
            }
            Dispatch::Route(bound) => self.rows(&kernels.route, bound, window),
            Dispatch::Experts((x, z), parts) => {
                for bound in parts {
                    self.dispatch(&kernels.experts, bound, window, [*x, window.count, *z]);
                }
            }
            Dispatch::Mix(groups, bound) => {
                let groups = [*groups, window.count, 1];
                self.dispatch(&kernels.mix, bound, window, groups);
            }
            Dispatch::Bias(groups, bound) => {
                let groups = [*groups, window.count, 1];
                self.dispatch(&kernels.bias, bound, window, groups);
            }
            // A network has these in its layers only.
            Dispatch::Rope(..) | Dispatch::Attention(..) => {}
        }
    }

    fn rope(&mut self, cache: usize, table: Option<usize>, units: u32, rows: &Rows<'_>) {
        let (kernels, all) = (self.kernels, rows.windows.all);
        let parts = self.network.rope(table);
        for slab in &rows.slabs {
            for (index, bound) in slab.layers[cache].rope.iter().enumerate() {
                // Without a rotation, the one binding there is no part of a table.
                if parts.get(index).is_none_or(|part| rows.need(part)) {
                    self.dispatch(&kernels.rope, bound, all, [units, all.count, 1]);
                }
            }
        }
    }

    fn attention(&mut self, cache: usize, heads: u32, rows: &Rows<'_>) {
        let kernels = self.kernels;
        for &window in &rows.windows.scores {
            for slab in &rows.slabs {
                let bound = &slab.layers[cache].attention;
                self.dispatch(&kernels.attention, bound, window, [heads, window.count, 1]);
            }
        }
    }

    fn linear(&mut self, linear: &Linear, window: Window) {
        for (groups, bound) in &linear.parts {
            let (kernel, groups) = self.kernels.linear_for(window.count, *groups);
            self.dispatch(kernel, bound, window, groups);
        }
    }

    fn rows(&mut self, kernel: &Kernel, bound: &Bound, window: Window) {
        self.dispatch(kernel, bound, window, [window.count, 1, 1]);
    }

    fn dispatch(&mut self, kernel: &Kernel, bound: &Bound, window: Window, groups: [u32; 3]) {
        let [x, y, z] = groups;
        self.pass.set_pipeline(kernel.pipeline());
        self.pass
            .set_bind_group(0, &self.scratch.window_group, &[window.offset]);
        self.pass.set_bind_group(1, &bound.group, &[]);
        self.pass.dispatch_workgroups(x, y, z);
    }
}
