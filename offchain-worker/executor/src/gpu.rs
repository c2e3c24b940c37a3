//! A graphics device of any vendor, through wgpu: the whole transformer in the project's own kernels, bit for
//! bit as [`noema_numerics`] defines it.
//!
//! WGSL lets an implementation reassociate and fuse floating point, but its 32-bit integers are exact, so the
//! kernels use nothing else: no floats, no optional feature, and 64-bit arithmetic out of 32-bit halves
//! (`gpu/wgsl/int64.wgsl`). The only instruction beyond plain WGSL 1.0 is the four-way byte product
//! `dot4I8Packed`, which every implementation either has or emulates with the same bits. For it, 16-bit
//! mantissas are split into two signed bytes each.
//!
//! Weights, caches and every vector of a pass stay on the device. A pass uploads its rows (token, position,
//! place of the cache), records every layer, is submitted as a whole, and reads back the requested hidden
//! vectors and logits. Long prompts are executed in chunks of rows, one submission each, so that memory stays
//! bounded and no submission runs long enough for a driver to reset the device.

mod adapter;
mod cache;
mod device;
mod kernels;
mod lower;
mod network;
mod pages;
mod plan;
mod record;
mod scratch;
#[cfg(test)]
mod tests;
mod weights;

pub use adapter::{adapter, adapters, Adapter, AdapterChoice, AdapterKind};

use crate::{validate_prefix, Executor, ExecutorError, Output, Segment, Sequence};
use cache::Caches;
use device::{Buffer, Gpu};
use kernels::Kernels;
use lower::lower;
use network::Network;
use noema_numerics::{Architecture, Model, BLOCK};
use pages::Place;
use plan::{chunks, Chunk, Row, Windows};
use record::{Recorder, Rows};
use scratch::Scratch;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Bytes that are read back at a time, if one row needs less.
const READ_BACK_BYTES: u64 = 64 << 20;
/// Products of a weight and an activation in one submission, if a layer needs less. A driver may reset a
/// device that is busy with one submission for two seconds; this is half a second on a slow integrated one.
const SUBMISSION_PRODUCTS: u64 = 1 << 37;

/// How a [`GpuExecutor`] uses its device.
#[derive(Clone, Copy, Debug, Default)]
pub struct GpuOptions {
    /// Most bytes for weights, caches and scratch together; if none, all memory of the device.
    pub memory: Option<u64>,
    /// Rows that go through the layers together; if none, a default. Affects only speed and memory.
    pub rows: Option<usize>,
}

/// A fault to inject, to test the callers of an executor.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InjectedFault {
    /// The device is lost in the middle of the next pass.
    Lost,
    /// The next pass that reads anything back reads one wrong bit in its last logit.
    WrongNumbers,
}

/// An opened graphics device with its kernels compiled. Clones are the same device, and any number
/// of executors can share one.
#[derive(Clone, Debug)]
pub struct GpuDevice {
    gpu: Gpu,
    kernels: Arc<Kernels>,
}

impl GpuDevice {
    /// Opens `adapter` and compiles the kernels for it, which can take seconds.
    ///
    /// # Errors
    /// [`ExecutorError::NoDevice`] if the adapter lacks something, [`ExecutorError::DeviceLost`] if its
    /// driver fails.
    pub fn open(adapter: &Adapter) -> Result<Self, ExecutorError> {
        let gpu = Gpu::open(adapter)?;
        let kernels = gpu.guarded(|| Kernels::new(&gpu))?;
        Ok(Self {
            gpu,
            kernels: Arc::new(kernels),
        })
    }

    /// Name of the device.
    pub fn name(&self) -> &str {
        self.gpu.name()
    }

    /// Makes the next pass of any executor on the device fail.
    #[cfg(test)]
    pub fn inject(&self, fault: InjectedFault) {
        self.gpu.inject(fault);
    }

    /// Bytes a second that the device copies within its memory, counting reads and writes: the reference for
    /// the speed of decoding.
    pub fn copy_bandwidth(&self) -> Result<f64, ExecutorError> {
        self.gpu.guarded(|| self.gpu.copy_bandwidth())
    }
}

/// One model on one graphics device.
#[derive(Debug)]
pub struct GpuExecutor {
    // Fields are dropped in order: the device last.
    sequences: BTreeMap<Sequence, Cached>,
    next_sequence: u64,
    caches: Caches,
    network: Network,
    read_back: Option<Buffer>,
    scratch: Scratch,
    kernels: Arc<Kernels>,
    gpu: Gpu,
}

/// An open sequence.
#[derive(Clone, Copy, Debug)]
struct Cached {
    place: Place,
    capacity: usize,
    length: usize,
}

/// A chunk's results in the read-back buffer: rows, and where they begin.
#[derive(Clone, Copy, Debug)]
struct Left {
    offset: u64,
    rows: usize,
}

impl GpuExecutor {
    /// Uploads `model` to `device`; `model` is not needed afterwards.
    ///
    /// # Errors
    /// [`ExecutorError::OutOfMemory`] or [`ExecutorError::DeviceLost`].
    pub fn new(
        device: &GpuDevice,
        model: &Model<'_>,
        options: GpuOptions,
    ) -> Result<Self, ExecutorError> {
        let gpu = device.gpu.capped(options.memory);
        let kernels = device.kernels.clone();
        let lowered = lower(model.network()).map_err(|operator| ExecutorError::NoKernel {
            device: gpu.name().into(),
            operator,
        })?;
        let built = gpu.guarded(|| {
            gpu.room_for("weights", weight_bytes(model))?;
            let scratch =
                Scratch::new(&gpu, &kernels, model.architecture(), &lowered, options.rows)?;
            let network = Network::new(&gpu, &kernels, &scratch, &lowered, model)?;
            gpu.flush()?;
            Ok((scratch, network))
        });
        let (scratch, network) = built?;
        Ok(Self {
            sequences: BTreeMap::new(),
            next_sequence: 0,
            caches: Caches::new(model.architecture()),
            network,
            read_back: None,
            scratch,
            kernels,
            gpu,
        })
    }

    /// Name of the device.
    pub fn device(&self) -> &str {
        self.gpu.name()
    }

    /// Bytes of all buffers on the device.
    pub fn memory(&self) -> u64 {
        self.gpu.used()
    }

    fn cached(&self, sequence: Sequence) -> Result<Cached, ExecutorError> {
        self.sequences
            .get(&sequence)
            .copied()
            .ok_or(ExecutorError::Sequence)
    }

    /// Refuses what `noema_numerics::Transformer` refuses, in the same order.
    fn validate(&self, segments: &[Segment<'_>]) -> Result<(), ExecutorError> {
        let mut named = BTreeSet::new();
        for segment in segments {
            let cached = self.cached(segment.sequence)?;
            if !named.insert(segment.sequence) {
                return Err(ExecutorError::Sequence);
            }
            let vocabulary = self.network.architecture.vocabulary;
            segment.validate(vocabulary, (cached.length, cached.capacity))?;
        }
        Ok(())
    }

    /// Bytes of a row of the read-back buffer: mantissas, shifts, logits.
    fn read_back_row(&self) -> [u64; 3] {
        let a = &self.network.architecture;
        let hidden = u64::from(a.hidden);
        let blocks = hidden / BLOCK as u64;
        [hidden * 2, (blocks + 1) * 4, u64::from(a.vocabulary) * 4]
    }

    /// Ensures that `rows` rows can be read back at a time, or as many as fit; returns how many.
    fn prepare_read_back(&mut self, rows: usize) -> Result<usize, ExecutorError> {
        use wgpu::BufferUsages as U;
        let row: u64 = self.read_back_row().iter().sum();
        let mut rows = (rows as u64).min((READ_BACK_BYTES / row).max(1));
        let has = self.read_back.as_ref().map_or(0, Buffer::bytes) / row;
        if rows <= has {
            return Ok(has as usize);
        }
        self.read_back = None;
        loop {
            let made = self
                .gpu
                .buffer("results", rows * row, U::MAP_READ | U::COPY_DST);
            match made {
                Ok(buffer) => {
                    self.read_back = Some(buffer);
                    return Ok(rows as usize);
                }
                Err(ExecutorError::OutOfMemory { .. }) if rows > 1 => rows /= 2,
                Err(error) => return Err(error),
            }
        }
    }

    /// Runs all chunks and appends the requested results to `output`.
    fn execute(&mut self, chunks: &[Chunk], output: &mut Output) -> Result<(), ExecutorError> {
        let row: u64 = self.read_back_row().iter().sum();
        let size = self.read_back.as_ref().map_or(0, Buffer::bytes);
        let (mut left, mut offset) = (Vec::new(), 0);
        let mut done = 0;
        for chunk in chunks {
            let rows = chunk.wanted().count();
            if offset + rows as u64 * row > size {
                self.collect(&left, offset, done, output)?;
                done += left.iter().map(|left: &Left| left.rows).sum::<usize>();
                left.clear();
                offset = 0;
            }
            self.submit(chunk, offset);
            #[cfg(test)]
            if self.gpu.take_fault(InjectedFault::Lost) {
                self.gpu.raw().destroy();
            }
            if rows > 0 {
                left.push(Left { offset, rows });
                offset += rows as u64 * row;
            }
        }
        if left.is_empty() {
            // There is nothing to read, but a failure must be known now.
            return self.gpu.wait();
        }
        self.collect(&left, offset, done, output)
    }

    /// Layers that one submission takes for `rows` rows.
    fn layers_at_a_time(&self, rows: usize) -> usize {
        let layers = self.network.layers.len() as u64;
        let layer = (self.network.weight_bytes / layers).max(1);
        (SUBMISSION_PRODUCTS / layer / rows as u64).clamp(1, layers) as usize
    }

    /// Starts a compute pass.
    fn recorder<'a>(&'a self, encoder: &'a mut wgpu::CommandEncoder) -> Recorder<'a> {
        Recorder {
            pass: encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()),
            kernels: &self.kernels,
            scratch: &self.scratch,
            network: &self.network,
        }
    }

    /// Records and submits a chunk; its requested results are left in the read-back buffer at `offset`.
    fn submit(&mut self, chunk: &Chunk, offset: u64) {
        let windows = Windows::new(chunk, self.scratch.room);
        self.gpu.write(&self.scratch.windows, 0, &windows.bytes());
        let rows = Rows::new(&self.caches, chunk, &windows);
        let mut encoder = self.gpu.encoder();
        let layers = self.network.layers.len();
        let step = self.layers_at_a_time(chunk.rows.len());
        for first in (0..layers).step_by(step) {
            if first > 0 {
                self.gpu
                    .submit(std::mem::replace(&mut encoder, self.gpu.encoder()));
            }
            let mut recorder = self.recorder(&mut encoder);
            for layer in first..layers.min(first + step) {
                recorder.layer(layer, &rows);
            }
            if first + step >= layers && windows.wanted.count > 0 {
                recorder.hidden(windows.wanted);
            }
        }

        let target = self.read_back.as_ref().map(Buffer::raw);
        if let Some(target) = target.filter(|_| windows.wanted.count > 0) {
            let count = u64::from(windows.wanted.count);
            let [mantissas, shifts, logits] = self.read_back_row();
            let s = &self.scratch;
            let mut at = offset;
            let hidden = s.blocks(self.network.hidden_vector).into_iter();
            for (source, bytes) in hidden.zip([mantissas, shifts]) {
                encoder.copy_buffer_to_buffer(source.raw(), 0, target, at, count * bytes);
                at += count * bytes;
            }
            for &window in &windows.heads {
                self.recorder(&mut encoder).logits(window);
                let bytes = u64::from(window.count) * logits;
                encoder.copy_buffer_to_buffer(s.logits.raw(), 0, target, at, bytes);
                at += bytes;
            }
        }
        self.gpu.submit(encoder);
    }

    /// Reads `bytes` back and writes the rows of `left` to those of `output` from `first` on.
    fn collect(
        &mut self,
        left: &[Left],
        bytes: u64,
        first: usize,
        output: &mut Output,
    ) -> Result<(), ExecutorError> {
        let sizes = self.read_back_row().map(|bytes| bytes as usize);
        let Some(buffer) = self.read_back.as_ref().filter(|_| !left.is_empty()) else {
            return Ok(());
        };
        self.gpu.read(buffer, bytes, |bytes| {
            let mut row = first;
            for left in left {
                let bytes = &bytes[left.offset as usize..];
                take_rows(bytes, left.rows, sizes, row, output);
                row += left.rows;
            }
        })?;
        #[cfg(test)]
        if self.gpu.take_fault(InjectedFault::WrongNumbers)
            && let Some(logit) = output.logits.last_mut()
        {
            *logit ^= 1;
        }
        Ok(())
    }
}

impl Executor for GpuExecutor {
    fn architecture(&self) -> &Architecture {
        &self.network.architecture
    }

    fn open(&mut self, positions: usize) -> Result<Sequence, ExecutorError> {
        let capacity = positions.min(self.network.architecture.context_length as usize);
        let around = self.network.around(&self.kernels, &self.scratch);
        let place = self
            .gpu
            .guarded(|| self.caches.reserve(&self.gpu, &around, capacity))?;
        let sequence = Sequence(self.next_sequence);
        self.next_sequence += 1;
        let cached = Cached {
            place,
            capacity,
            length: 0,
        };
        self.sequences.insert(sequence, cached);
        Ok(sequence)
    }

    fn copy_prefix(
        &mut self,
        from: Sequence,
        to: Sequence,
        positions: usize,
    ) -> Result<(), ExecutorError> {
        let (source, target) = (self.cached(from)?, self.cached(to)?);
        validate_prefix(positions, source.length, target.capacity)?;
        if from != to && positions > 0 {
            self.gpu.guarded(|| {
                self.caches
                    .copy(&self.gpu, source.place, target.place, positions)
            })?;
        }
        if let Some(target) = self.sequences.get_mut(&to) {
            target.length = positions;
        }
        Ok(())
    }

    fn close(&mut self, sequence: Sequence) {
        if let Some(cached) = self.sequences.remove(&sequence) {
            self.caches.release(cached.place);
        }
    }

    fn run(&mut self, segments: &[Segment<'_>], output: &mut Output) -> Result<(), ExecutorError> {
        self.validate(segments)?;
        let wanted: usize = segments.iter().map(|segment| segment.wanted.len()).sum();
        let a = self.network.architecture;
        let hidden = a.hidden as usize;
        output
            .hidden
            .reset(wanted, hidden, self.network.hidden_fraction);
        output.logits.clear();
        output.logits.resize(wanted * a.vocabulary as usize, 0);

        let mut rows = Vec::new();
        for segment in segments {
            let place = self.cached(segment.sequence)?.place;
            let positions = segment.start..;
            for ((index, &token), position) in segment.tokens.iter().enumerate().zip(positions) {
                rows.push(Row {
                    token,
                    position: position as u32,
                    place,
                    wanted: segment.wanted.contains(&index),
                });
            }
        }
        // A clone, as the closure borrows the whole executor.
        let gpu = self.gpu.clone();
        gpu.guarded(|| {
            let most_wanted = match wanted {
                0 => usize::MAX,
                wanted => self.prepare_read_back(wanted)?,
            };
            let chunks = chunks(rows.into_iter(), self.scratch.rows, most_wanted);
            self.execute(&chunks, output)
        })?;
        for segment in segments {
            if let Some(cached) = self.sequences.get_mut(&segment.sequence) {
                cached.length = segment.start + segment.tokens.len();
            }
        }
        Ok(())
    }
}

/// Bytes of the weights on the device.
fn weight_bytes(model: &Model<'_>) -> u64 {
    let tensors = model.tensors().iter();
    tensors.map(|tensor| tensor.kind.content_bytes()).sum()
}

/// Writes `rows` rows, in the device's layout, to those of `output` from `first` on. `sizes` are the bytes of
/// a row's mantissas, shifts and logits.
fn take_rows(bytes: &[u8], rows: usize, sizes: [usize; 3], first: usize, output: &mut Output) {
    let [mantissas, shifts, logits] = sizes;
    let (mantissa_bytes, bytes) = bytes.split_at(rows * mantissas);
    let (shift_bytes, bytes) = bytes.split_at(rows * shifts);
    let from = mantissa_bytes.chunks_exact(mantissas);
    for (index, (from, shifts)) in from.zip(shift_bytes.chunks_exact(shifts)).enumerate() {
        let (to, to_shifts) = output.hidden.row_mut(first + index);
        unpack_mantissas(from, to);
        unpack_shifts(shifts, to_shifts);
    }
    let (logit_bytes, _) = bytes.split_at(rows * logits);
    let to = output.logits[first * (logits / 4)..].iter_mut();
    for (to, &from) in to.zip(logit_bytes.as_chunks().0) {
        *to = i32::from_le_bytes(from);
    }
}

/// Four high bytes, then four low ones: `a = 256 * high + low`.
fn unpack_mantissas(bytes: &[u8], mantissas: &mut [i16]) {
    let pairs = bytes.as_chunks::<8>().0;
    for (pair, four) in pairs.iter().zip(mantissas.as_chunks_mut::<4>().0) {
        for (i, a) in four.iter_mut().enumerate() {
            let (high, low) = (pair[i].cast_signed(), pair[4 + i].cast_signed());
            *a = i16::from(high) * 256 + i16::from(low);
        }
    }
}

/// One word for each block, less the base, which is the last word. A shift is at most 18.
fn unpack_shifts(bytes: &[u8], shifts: &mut [u8]) {
    let words = bytes.as_chunks::<4>().0;
    let base = words.last().map_or(0, |word| word[0]);
    for (word, shift) in words.iter().zip(shifts) {
        *shift = word[0].wrapping_add(base);
    }
}
