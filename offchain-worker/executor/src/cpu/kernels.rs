//! The operators of the transformer on all cores of a processor.
//!
//! Each gives the same bits as `noema_numerics`. Work is split over the threads of a [`Team`]: linear layers
//! by row groups, everything else by positions, or by heads if there is only one position.

use super::{
    attend::{self, Scratch},
    dot::{Input, Layer},
    experts::ExpertsOutput,
    level::Level,
    rows,
    team::Team,
};
use noema_numerics::{
    attention,
    cache::{KvCache, LayerCache},
    experts::Experts,
    mix,
    model::{Gains, Linear, RopeTable},
    norm,
    rope::{PROJECTION_LIMIT, ROTATED_LIMIT},
    route, swiglu,
    tile::{TILE_BYTES, TILE_ROWS},
    Blocks, BlocksRef, Kernels, BLOCK,
};
use std::{cell::RefCell, fmt, io, ops::Range, sync::Arc};

/// Tasks of a linear layer for each thread: enough that an interrupted thread does not delay the others.
const TASKS_PER_THREAD: usize = 4;
/// Fewest bytes of weights for a task of its own.
const FEWEST_BYTES: usize = 24 * 1024;

/// Elements of a task of an addition.
const ADDED_TOGETHER: usize = 4_096;

/// Executes on the processor, with its widest instructions.
///
/// Clones share their threads and use them in turn: a clone that finds them busy works alone.
#[derive(Clone)]
pub struct CpuKernels {
    pub(super) level: Level,
    team: Arc<Team>,
}

/// A linear layer to be computed with others: see [`CpuKernels::linears`].
#[derive(Debug)]
pub struct LinearOutput<'a> {
    /// The weights.
    pub weights: Linear<'a>,
    /// Fraction bits of the outputs.
    pub fraction: i32,
    /// Outputs `[batch][rows]`.
    pub output: &'a mut [i32],
}

impl fmt::Debug for CpuKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} on {} threads", self.level, self.team.threads())
    }
}

/// Uses as many threads as the rayon pool of the caller has.
impl Default for CpuKernels {
    fn default() -> Self {
        // One thread always exists: the caller's.
        Self::with_threads(rayon::current_num_threads())
            .or_else(|_| Self::with_threads(1))
            .unwrap_or_else(|error| unreachable!("nothing is started for one thread: {error}"))
    }
}

impl CpuKernels {
    /// Uses `threads` threads, at least one: the caller's and others that sleep between passes.
    ///
    /// # Errors
    /// When the system does not start a thread.
    pub fn with_threads(threads: usize) -> io::Result<Self> {
        Ok(Self {
            level: Level::best(),
            team: Arc::new(Team::new(threads)?),
        })
    }

    /// Name of the instruction set that these kernels use.
    pub fn instructions(&self) -> &'static str {
        self.level.name()
    }

    /// Name of the widest instruction set that this machine has.
    pub fn best_instructions() -> &'static str {
        Level::best().name()
    }

    /// One executor for each instruction set that this machine has, slowest first.
    pub fn variants() -> Vec<Self> {
        let base = Self::default();
        Level::available()
            .into_iter()
            .map(|level| Self {
                level,
                ..base.clone()
            })
            .collect()
    }

    /// Runs `work` with each of `items` and its index, on all threads.
    ///
    /// # Panics
    /// When `work` panics.
    pub fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        self.team
            .run_pieces(items, 1, &|index, item| work(index, &mut item[0]));
    }

    /// Threads that work on an operator.
    pub fn threads(&self) -> usize {
        self.team.threads()
    }

    /// Computes linear layers with the same input, as [`Kernels::linear`] does for each: the threads
    /// synchronise once instead of once for each layer.
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub fn linears(&self, layers: &mut [LinearOutput<'_>], input: BlocksRef<'_>) {
        if input.rows() == 0 {
            return;
        }
        let prepared = Input::new(self.level, &self.team, input);
        let layers: Vec<Layer<'_>> = layers
            .iter_mut()
            .map(|layer| {
                let weights = &layer.weights;
                assert_eq!(input.columns(), weights.columns(), "inputs of the layer");
                assert_eq!(
                    layer.output.len(),
                    input.rows() * weights.rows(),
                    "outputs of the layer"
                );
                let units = (input.fraction(), layer.fraction);
                Layer::new(weights, &prepared, units, layer.output)
            })
            .collect();
        let groups: usize = layers.iter().map(|layer| layer.weights.groups()).sum();
        let fewest = FEWEST_BYTES.div_ceil(input.columns() / BLOCK * TILE_BYTES);
        let share = groups
            .div_ceil(TASKS_PER_THREAD * self.team.threads())
            .max(fewest);
        self.team.run(groups.div_ceil(share), &|task| {
            // The task's part of all row groups, layer by layer.
            let (mut from, mut to) = (task * share, (task + 1) * share);
            for layer in &layers {
                let groups = layer.weights.groups();
                if from < groups {
                    // SAFETY: the level is available on this machine, and tasks have disjoint groups.
                    unsafe { layer.compute(self.level, from..to.min(groups)) };
                }
                from = from.saturating_sub(groups);
                to = to.saturating_sub(groups);
                if to == 0 {
                    break;
                }
            }
        });
        drop(layers);
        prepared.release();
    }

    /// The exact sums of a linear layer over some blocks of its reduction, `[batch][rows]` with rows padded to whole groups,
    /// each over the base of its part of the vector: see [`noema_numerics::linear::base_shift`].
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub(crate) fn part_sums(
        &self,
        weights: &Linear<'_>,
        blocks: Range<usize>,
        input: BlocksRef<'_>,
        sums: &mut [i64],
    ) {
        let columns = blocks.len() * BLOCK;
        let mut part = Blocks::default();
        for row in 0..input.rows() {
            part.append(input.part(row, blocks.start * BLOCK..blocks.end * BLOCK));
        }
        assert_eq!(columns, part.view().columns(), "inputs of the part");
        let rows = weights.groups() * TILE_ROWS;
        assert_eq!(sums.len(), input.rows() * rows, "sums of the part");
        let prepared = Input::new(self.level, &self.team, part.view());
        let layer = Layer::part(weights, blocks, &prepared, sums);
        let share = weights.groups().div_ceil(TASKS_PER_THREAD * self.threads());
        self.team.run(weights.groups().div_ceil(share), &|task| {
            let groups = task * share..weights.groups().min((task + 1) * share);
            // SAFETY: the level is available on this machine, and tasks have disjoint groups.
            unsafe { layer.compute(self.level, groups) };
        });
        prepared.release();
    }

    /// Gates each row of `up` by the same row of `gate`, by SiLU or by GELU.
    fn gated<const GELU: bool>(
        &self,
        gate: &[i32],
        up: &[i32],
        columns: usize,
        output: &mut Blocks,
    ) {
        output.reset(gate.len() / columns, columns, swiglu::PRODUCT_FRACTION);
        self.fill_rows(output, columns, |row, buffer, mantissas, shifts| {
            self.level.run(rows::Gated::<GELU> {
                gate: &gate[row * columns..][..columns],
                up: &up[row * columns..][..columns],
                buffer,
                mantissas,
                shifts,
            });
        });
    }

    /// Fills each row of `output`, which has been reset, on all threads. `fill` gets a buffer as long as a
    /// row, with unspecified values.
    fn fill_rows(
        &self,
        output: &mut Blocks,
        columns: usize,
        fill: impl Fn(usize, &mut [i32], &mut [i16], &mut [u8]) + Sync,
    ) {
        let (mantissas, shifts) = output.parts_mut();
        self.team.run_pairs(
            (mantissas, columns),
            (shifts, columns / BLOCK),
            &|row, mantissas, shifts| {
                with_buffer(columns, |buffer| fill(row, buffer, mantissas, shifts));
            },
        );
    }
}

/// Calls `work` with a buffer of this thread of `length` elements, with unspecified values.
fn with_buffer<R>(length: usize, work: impl FnOnce(&mut [i32]) -> R) -> R {
    thread_local!(static BUFFER: RefCell<Vec<i32>> = const { RefCell::new(Vec::new()) });
    BUFFER.with_borrow_mut(|buffer| {
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        work(&mut buffer[..length])
    })
}

impl Kernels for CpuKernels {
    fn linear(
        &self,
        weights: &Linear<'_>,
        input: BlocksRef<'_>,
        fraction: i32,
        output: &mut [i32],
    ) {
        let layer = LinearOutput {
            weights: *weights,
            fraction,
            output,
        };
        self.linears(&mut [layer], input);
    }

    fn norm(&self, gains: &Gains<'_>, epsilon_q32: u32, input: &[i32], output: &mut Blocks) {
        let n = gains.values().len();
        output.reset(input.len() / n, n, norm::fraction(gains));
        self.fill_rows(output, n, |row, buffer, mantissas, shifts| {
            self.level.run(rows::Norm {
                gains: *gains,
                epsilon_q32,
                input: &input[row * n..][..n],
                buffer,
                mantissas,
                shifts,
            });
        });
    }

    fn head_norm(&self, gains: &Gains<'_>, epsilon_q32: u32, fraction: i32, rows: &mut [i32]) {
        let width = gains.values().len();
        self.team.run_pieces(rows, width, &|_, head| {
            with_buffer(width, |buffer| {
                self.level.run(rows::HeadNorm {
                    gains: *gains,
                    epsilon_q32,
                    fraction,
                    head,
                    buffer,
                });
            });
        });
    }

    fn rope(&self, table: &RopeTable<'_>, start: usize, width: usize, rows: &mut [i32]) {
        self.team.run_pieces(rows, width, &|row, values| {
            self.level.run(rows::Rope {
                table: *table,
                position: start + row,
                row: values,
            });
        });
    }

    fn store(&self, cache: &mut KvCache, layer: usize, start: usize, keys: &[i32], values: &[i32]) {
        cache.store_by(
            layer,
            start,
            keys,
            values,
            |vector, quants, scales| {
                self.level.run(rows::Cache::<ROTATED_LIMIT> {
                    vector,
                    quants,
                    scales,
                });
            },
            |vector, quants, scales| {
                self.level.run(rows::Cache::<PROJECTION_LIMIT> {
                    vector,
                    quants,
                    scales,
                });
            },
        );
    }

    fn attention(
        &self,
        cache: LayerCache<'_>,
        heads: usize,
        window: Option<u32>,
        start: usize,
        queries: &[i32],
        output: &mut [i32],
    ) {
        let head_dim = cache.head_dim();
        if !attend::supports(head_dim) {
            let width = heads * head_dim;
            return self.team.run_pieces(output, width, &|row, output| {
                let queries = &queries[row * width..][..width];
                attention::attention(cache, heads, window, start + row, queries, output);
            });
        }
        thread_local!(static SCRATCH: RefCell<Scratch> = RefCell::default());
        let heads_per_kv = heads / cache.heads();
        self.team.run_pieces(output, head_dim, &|unit, output| {
            let (row, kv) = (unit / heads, unit % heads / heads_per_kv);
            let query = &queries[unit * head_dim..][..head_dim];
            let seen = attention::seen(window, start + row);
            // Whole blocks of positions, from the first that is seen.
            let first = seen.start / BLOCK * BLOCK;
            let keys = cache.keys(kv).after(first, head_dim);
            let values = cache.values(kv).after(first, head_dim);
            let seen = seen.start - first..seen.end - first;
            SCRATCH.with_borrow_mut(|scratch| {
                attend::head(self.level, scratch, query, keys, values, seen, output);
            });
        });
    }

    fn swiglu(&self, gate: &[i32], up: &[i32], columns: usize, output: &mut Blocks) {
        self.gated::<false>(gate, up, columns, output);
    }

    fn geglu(&self, gate: &[i32], up: &[i32], columns: usize, output: &mut Blocks) {
        self.gated::<true>(gate, up, columns, output);
    }

    fn quantise(&self, values: &[i32], columns: usize, fraction: i32, output: &mut Blocks) {
        output.reset(values.len() / columns, columns, fraction);
        self.fill_rows(output, columns, |row, _, mantissas, shifts| {
            self.level.run(rows::Quantise {
                values: &values[row * columns..][..columns],
                mantissas,
                shifts,
            });
        });
    }

    fn route(
        &self,
        scores: &[i32],
        count: usize,
        chosen: usize,
        renormalised: bool,
        output: &mut [i32],
    ) {
        self.team.run_pieces(output, 2 * chosen, &|row, output| {
            route::route_row(&scores[row * count..][..count], renormalised, output);
        });
    }

    fn experts(
        &self,
        weights: &Experts<'_>,
        chosen: usize,
        routes: &[i32],
        input: BlocksRef<'_>,
        fraction: i32,
        output: &mut [i32],
    ) {
        let layer = ExpertsOutput {
            weights: *weights,
            fraction,
            output,
        };
        self.expert_layers(&mut [layer], chosen, routes, input);
    }

    fn mix(
        &self,
        chosen: usize,
        routes: &[i32],
        input: &[i32],
        columns: usize,
        output: &mut [i32],
    ) {
        let width = chosen * columns;
        self.team.run_pieces(output, columns, &|row, output| {
            let routes = &routes[row * 2 * chosen..][..2 * chosen];
            mix::mix_row(routes, &input[row * width..][..width], output);
        });
    }

    fn add(&self, delta: &[i32], values: &mut [i32]) {
        self.team
            .run_pieces(values, ADDED_TOGETHER, &|piece, values| {
                let delta = &delta[piece * ADDED_TOGETHER..][..values.len()];
                self.level.run(rows::Add { delta, values });
            });
    }
}
