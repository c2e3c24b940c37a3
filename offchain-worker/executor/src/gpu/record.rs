//! The recording of one chunk's dispatches: `noema_numerics::transformer`, line by line.

use super::{
    cache::{Caches, Slab},
    kernels::{Bound, Kernel, Kernels},
    network::{Linear, Network},
    plan::{Chunk, Window, Windows},
    scratch::Scratch,
};
use std::collections::BTreeSet;

/// Records into one compute pass.
pub(crate) struct Recorder<'a> {
    pub(crate) pass: wgpu::ComputePass<'a>,
    pub(crate) kernels: &'a Kernels,
    pub(crate) scratch: &'a Scratch,
    pub(crate) network: &'a Network,
}

/// A chunk, with the slabs of caches and the parts of the rotation table that its rows need.
pub(crate) struct Rows<'a> {
    pub(crate) windows: &'a Windows,
    slabs: Vec<&'a Slab>,
    /// Indices of the parts.
    rope: Vec<usize>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        network: &Network,
        caches: &'a Caches,
        chunk: &Chunk,
        windows: &'a Windows,
    ) -> Self {
        let slabs: BTreeSet<u32> = chunk.rows.iter().map(|row| row.place.slab).collect();
        let positions = || chunk.rows.iter().map(|row| row.position);
        let first = positions().min().unwrap_or(0);
        let last = positions().max().unwrap_or(0);
        let parts = network.rope.iter().enumerate();
        Self {
            windows,
            slabs: slabs.into_iter().filter_map(|i| caches.slab(i)).collect(),
            rope: parts
                .filter(|(_, part)| part.first <= last && first < part.first + part.count)
                .map(|(index, _)| index)
                .collect(),
        }
    }
}

impl Recorder<'_> {
    /// The embeddings of all rows.
    pub(crate) fn embedding(&mut self, rows: &Rows<'_>) {
        let all = rows.windows.all;
        let groups = [(self.network.hidden / 4).div_ceil(64), all.count, 1];
        for bound in &self.network.embedding {
            self.dispatch(&self.kernels.embedding, bound, all, groups);
        }
    }

    /// Layer `index` over all rows; the residual stream is left in the scratch.
    pub(crate) fn layer(&mut self, index: usize, rows: &Rows<'_>) {
        let (kernels, network) = (self.kernels, self.network);
        let (a, layer) = (&network.architecture, &network.layers[index]);
        let all = rows.windows.all;
        self.rows(&kernels.norm, &layer.attention_norm, all);
        self.linear(&layer.projections, all);
        for slab in &rows.slabs {
            for &part in &rows.rope {
                let bound = &slab.layers[index].rope[part];
                let groups = [a.heads + 2 * a.kv_heads, all.count, 1];
                self.dispatch(&kernels.rope, bound, all, groups);
            }
        }
        for &window in &rows.windows.scores {
            for slab in &rows.slabs {
                let bound = &slab.layers[index].attention;
                let groups = [a.heads, window.count, 1];
                self.dispatch(&kernels.attention, bound, window, groups);
            }
        }
        self.rows(&kernels.quantise, &network.mixed, all);
        self.linear(&layer.attention_output, all);
        self.rows(&kernels.norm, &layer.feed_forward_norm, all);
        self.linear(&layer.gate_up, all);
        self.rows(&kernels.swiglu, &network.swiglu, all);
        self.linear(&layer.down, all);
    }

    /// The final norm over the requested rows of the window.
    pub(crate) fn hidden(&mut self, wanted: Window) {
        self.rows(&self.kernels.norm, &self.network.final_norm, wanted);
    }

    /// Logits of the hidden vectors of the window.
    pub(crate) fn logits(&mut self, window: Window) {
        self.linear(&self.network.head, window);
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
