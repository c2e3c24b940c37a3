//! Keys and values of the open sequences: slabs of pages of 32 positions, in the layout that
//! `wgsl/cache.wgsl` describes.
//!
//! A sequence is a run of pages in one slab, the same in every layer; a slab is one buffer for each layer.
//! Slabs are added when sequences do not fit, each as large as all before it, so that few are needed: a
//! layer's attention takes one dispatch for each slab in use.

use super::{
    device::{Buffer, Gpu},
    kernels::{Bound, Kernels},
    pages::{Pages, Place},
    weights::Part,
};
use crate::ExecutorError;
use noema_numerics::{attention::score_scale, Architecture, BLOCK};

/// Name of the memory in errors.
const WHAT: &str = "the keys and values of a sequence";
/// Bytes of pages that are copied at a time within a slab.
const COPY_BYTES: u64 = 1 << 20;

/// Buffers of a pass to which the kernels that use the cache of a layer are bound.
pub(crate) struct Around<'a> {
    pub(crate) kernels: &'a Kernels,
    /// The parts of the rotation table; none if the layer does not rotate.
    pub(crate) rope: &'a [Part],
    pub(crate) projected: &'a Buffer,
    /// The last positions that a position sees; none for all.
    pub(crate) window: Option<u32>,
    pub(crate) powers: &'a Buffer,
    pub(crate) scores: &'a Buffer,
    pub(crate) mixed: &'a Buffer,
}

/// All slabs. A slab keeps its index; the place of a freed slab is used again.
#[derive(Debug)]
pub(crate) struct Caches {
    architecture: Architecture,
    slabs: Vec<Option<Slab>>,
    copying: Option<Buffer>,
}

#[derive(Debug)]
pub(crate) struct Slab {
    pages: Pages,
    pub(crate) layers: Vec<LayerSlab>,
}

/// Pages of one layer.
#[derive(Debug)]
pub(crate) struct LayerSlab {
    pages: Buffer,
    /// For each part of the rotation table; one if there is no table.
    pub(crate) rope: Vec<Bound>,
    pub(crate) attention: Bound,
}

impl Caches {
    /// No slabs.
    pub(crate) fn new(architecture: &Architecture) -> Self {
        Self {
            architecture: *architecture,
            slabs: Vec::new(),
            copying: None,
        }
    }

    /// Slabs by index.
    pub(crate) fn slab(&self, index: u32) -> Option<&Slab> {
        self.slabs.get(index as usize)?.as_ref()
    }

    /// Reserves pages for `positions`; `around` is that of each layer.
    pub(crate) fn reserve(
        &mut self,
        gpu: &Gpu,
        around: &[Around<'_>],
        positions: usize,
    ) -> Result<Place, ExecutorError> {
        let pages = positions.div_ceil(BLOCK).max(1) as u32;
        for (index, slab) in self.slabs.iter_mut().enumerate() {
            if let Some(page) = slab.as_mut().and_then(|slab| slab.pages.take(pages)) {
                return Ok(Place {
                    slab: index as u32,
                    page,
                    pages,
                });
            }
        }
        // Free slabs that are too small for this sequence are of no use now.
        for slab in &mut self.slabs {
            if slab.as_ref().is_some_and(|slab| slab.pages.is_free()) {
                *slab = None;
            }
        }
        let index = match self.slabs.iter().position(Option::is_none) {
            Some(index) => index,
            None => {
                self.slabs.push(None);
                self.slabs.len() - 1
            }
        };
        let largest = gpu.largest_binding() / self.page_bytes();
        let wanted = u64::from(self.pages().max(pages)).min(largest) as u32;
        let made = match self.slab_of(gpu, around, index as u32, wanted.max(pages)) {
            Err(ExecutorError::OutOfMemory { .. }) if wanted > pages => {
                self.slab_of(gpu, around, index as u32, pages)
            }
            made => made,
        };
        let slab = self.slabs[index].insert(made?);
        let page = slab
            .pages
            .take(pages)
            .expect("a new slab has as many free pages; qed");
        Ok(Place {
            slab: index as u32,
            page,
            pages,
        })
    }

    /// Frees pages.
    pub(crate) fn release(&mut self, place: Place) {
        let others = self.slabs.iter().flatten().count() > 1;
        let Some(slot) = self.slabs.get_mut(place.slab as usize) else {
            return;
        };
        if let Some(slab) = slot {
            slab.pages.give(place.page..place.page + place.pages);
            if others && slab.pages.is_free() {
                *slot = None;
            }
        }
    }

    /// Copies the pages that hold the first `positions` positions.
    pub(crate) fn copy(
        &mut self,
        gpu: &Gpu,
        from: Place,
        to: Place,
        positions: usize,
    ) -> Result<(), ExecutorError> {
        let page = self.page_bytes();
        let bytes = positions.div_ceil(BLOCK) as u64 * page;
        let (source, target) = (u64::from(from.page) * page, u64::from(to.page) * page);
        let within = from.slab == to.slab;
        if within && self.copying.is_none() {
            let size = COPY_BYTES.max(page);
            self.copying = Some(gpu.storage("copying a cache", size)?);
        }
        let slabs = (self.slab(from.slab), self.slab(to.slab));
        let (Some(from), Some(to)) = slabs else {
            return Ok(());
        };
        let mut encoder = gpu.encoder();
        for (from, to) in from.layers.iter().zip(&to.layers) {
            let (from, to) = (from.pages.raw(), to.pages.raw());
            match &self.copying {
                // A buffer cannot be copied to itself.
                Some(between) if within => {
                    let step = between.bytes() / page * page;
                    for at in (0..bytes).step_by(step as usize) {
                        let size = step.min(bytes - at);
                        let between = between.raw();
                        encoder.copy_buffer_to_buffer(from, source + at, between, 0, size);
                        encoder.copy_buffer_to_buffer(between, 0, to, target + at, size);
                    }
                }
                _ => encoder.copy_buffer_to_buffer(from, source, to, target, bytes),
            }
        }
        gpu.submit(encoder);
        Ok(())
    }

    /// Bytes of a page of one layer.
    fn page_bytes(&self) -> u64 {
        u64::from(self.architecture.kv_heads) * u64::from(self.architecture.head_dim) * 18 * 4
    }

    fn pages(&self) -> u32 {
        self.slabs
            .iter()
            .flatten()
            .map(|slab| slab.pages.count())
            .sum()
    }

    fn slab_of(
        &self,
        gpu: &Gpu,
        around: &[Around<'_>],
        index: u32,
        pages: u32,
    ) -> Result<Slab, ExecutorError> {
        let a = &self.architecture;
        let bytes = self.page_bytes() * u64::from(pages);
        gpu.room_for(WHAT, bytes * u64::from(a.layers))?;
        let layers = around
            .iter()
            .map(|around| LayerSlab::new(gpu, a, around, index, gpu.storage(WHAT, bytes)?))
            .collect::<Result<_, _>>()?;
        Ok(Slab {
            pages: Pages::new(pages),
            layers,
        })
    }
}

impl LayerSlab {
    fn new(
        gpu: &Gpu,
        a: &Architecture,
        around: &Around<'_>,
        slab: u32,
        pages: Buffer,
    ) -> Result<Self, ExecutorError> {
        let bind = |table: &Buffer, first: u32, count: u32, rotates: bool| {
            let parameters = [
                a.heads,
                a.kv_heads,
                a.head_dim,
                first,
                count,
                slab,
                u32::from(rotates),
            ];
            let buffers = [around.projected, table, &pages];
            around.kernels.rope.bind(gpu, &parameters, &buffers)
        };
        let rope = match around.rope {
            // Any buffer stands for the table, which is not read.
            [] => vec![bind(around.powers, 0, u32::MAX, false)?],
            parts => parts
                .iter()
                .map(|part| bind(&part.buffer, part.first, part.count, true))
                .collect::<Result<_, _>>()?,
        };
        // Below 2^30 for every width of head.
        let scale = score_scale(a.head_dim as usize) as u32;
        let attention = around.kernels.attention.bind(
            gpu,
            &[
                a.heads,
                a.kv_heads,
                a.head_dim,
                scale,
                slab,
                around.window.unwrap_or(u32::MAX),
            ],
            &[
                around.projected,
                &pages,
                around.powers,
                around.scores,
                around.mixed,
            ],
        )?;
        Ok(Self {
            pages,
            rope,
            attention,
        })
    }
}
