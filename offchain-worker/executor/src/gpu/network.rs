//! A model on a device: every tensor uploaded, every dispatch bound to its buffers.

use super::{
    cache::Around,
    device::{Buffer, Gpu},
    kernels::{over_two, Bound, Kernels},
    lower::{Activation, Experts, Lowered, Target, Unit, Vector, Work},
    scratch::Scratch,
    weights::{upload_gains, upload_rope, upload_vector, Matrix, Part},
};
use crate::ExecutorError;
use noema_numerics::{
    bias, head_norm, layout::TensorSpec, model::Gains, norm, Architecture, Model, BLOCK,
};
use std::collections::{btree_map::Entry, BTreeMap};

/// A model without its caches.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) architecture: Architecture,
    /// Of all layers, as a position reads them.
    pub(crate) weight_bytes: u64,
    /// Unit of the final hidden vectors.
    pub(crate) hidden_fraction: i32,
    pub(crate) hidden_vector: Vector,
    /// The dispatches of each layer; the first layer's begin with the embedding.
    pub(crate) layers: Vec<Vec<Dispatch>>,
    /// Those from the residual stream to the hidden vectors, and from there to the logits.
    pub(crate) hidden: Vec<Dispatch>,
    pub(crate) logits: Vec<Dispatch>,
    /// Of each cache, what its kernels are bound to.
    caches: Vec<Cached>,
    /// Tables of rotations, by tensor.
    ropes: BTreeMap<usize, Vec<Part>>,
    /// Kept so that its bytes are counted: the bindings hold the buffers.
    _weights: Vec<Buffer>,
}

/// What the kernels of one cache are bound to, beside the cache.
#[derive(Clone, Copy, Debug)]
struct Cached {
    /// None if the layer does not rotate.
    table: Option<usize>,
    projected: Vector,
    window: Option<u32>,
    mixed: Vector,
}

/// The dispatches of one kernel over the rows of a window.
#[derive(Debug)]
pub(crate) enum Dispatch {
    /// Workgroups of a row, and each part of the table.
    Embedding(u32, Vec<Bound>),
    Norm(Bound),
    Quantise(Bound),
    Gated(Activation, Bound),
    /// Workgroups of a row.
    Add(u32, Bound),
    Linear(Linear),
    /// Workgroups of a row.
    Bias(u32, Bound),
    /// Heads.
    HeadNorm(u32, Bound),
    Route(Bound),
    /// Workgroups of a row in two dimensions, and the binding of each part of the matrices.
    Experts((u32, u32), Vec<Bound>),
    /// Workgroups of a row.
    Mix(u32, Bound),
    /// The cache, the table, if the layer rotates, and the workgroups of a row. The bindings are the cache's.
    Rope(usize, Option<usize>, u32),
    /// The cache, and the workgroups of a row. The binding is the cache's.
    Attention(usize, u32),
}

/// A matrix bound to its input and output: row groups and binding of each part.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) parts: Vec<(u32, Bound)>,
}

/// The parameters of binding, and what is uploaded so far.
struct Binder<'a> {
    gpu: &'a Gpu,
    kernels: &'a Kernels,
    scratch: &'a Scratch,
    model: &'a Model<'a>,
    /// By the tensors that are stacked.
    matrices: BTreeMap<Vec<usize>, Matrix>,
    ropes: BTreeMap<usize, Vec<Part>>,
    gains: Vec<Buffer>,
    caches: BTreeMap<usize, Cached>,
}

impl Network {
    /// Uploads `model`, of which `lowered` is the network, and binds it to the buffers of `scratch`.
    pub(crate) fn new(
        gpu: &Gpu,
        kernels: &Kernels,
        scratch: &Scratch,
        lowered: &Lowered,
        model: &Model<'_>,
    ) -> Result<Self, ExecutorError> {
        let mut binder = Binder {
            gpu,
            kernels,
            scratch,
            model,
            matrices: BTreeMap::new(),
            ropes: BTreeMap::new(),
            gains: Vec::new(),
            caches: BTreeMap::new(),
        };
        let layers = lowered.layers.iter();
        let layers = layers.map(|works| binder.bind_all(works));
        let layers = layers.collect::<Result<_, _>>()?;
        let hidden = binder.bind_all(&lowered.hidden)?;
        let logits = binder.bind_all(&lowered.logits)?;
        let hidden_fraction = lowered.logits.iter().find_map(|work| match work {
            Work::Linear { unit, .. } => Some(binder.fraction(*unit)),
            _ => None,
        });
        let matrices = binder.matrices.into_values();
        let parts = matrices.flat_map(|matrix| matrix.parts);
        let mut weights: Vec<Buffer> = parts.map(|part| part.buffer).collect();
        weights.extend(binder.gains);
        Ok(Self {
            architecture: *model.architecture(),
            weight_bytes: layer_bytes(model),
            hidden_fraction: hidden_fraction.unwrap_or_default(),
            hidden_vector: lowered.hidden_vector,
            layers,
            hidden,
            logits,
            caches: binder.caches.into_values().collect(),
            ropes: binder.ropes,
            _weights: weights,
        })
    }

    /// What the kernels of each cache are bound to.
    pub(crate) fn around<'a>(&'a self, kernels: &'a Kernels, s: &'a Scratch) -> Vec<Around<'a>> {
        let caches = self.caches.iter();
        caches
            .map(|cached| Around {
                kernels,
                rope: self.rope(cached.table),
                projected: s.integers(cached.projected),
                window: cached.window,
                powers: &s.powers,
                scores: &s.scores,
                mixed: s.integers(cached.mixed),
            })
            .collect()
    }

    /// The parts of a table of rotations, if there is one.
    pub(crate) fn rope(&self, table: Option<usize>) -> &[Part] {
        let parts = table.and_then(|table| self.ropes.get(&table));
        parts.map_or(&[], Vec::as_slice)
    }
}

impl Binder<'_> {
    fn bind_all(&mut self, works: &[Work]) -> Result<Vec<Dispatch>, ExecutorError> {
        works.iter().map(|work| self.bind(work)).collect()
    }

    fn bind(&mut self, work: &Work) -> Result<Dispatch, ExecutorError> {
        let (gpu, kernels, s) = (self.gpu, self.kernels, self.scratch);
        Ok(match *work {
            Work::Embedding {
                table,
                fraction,
                output,
                width,
            } => {
                let table = self.matrix(&[table])?;
                let bind = |part: &Part| {
                    let parameters = table.embedding_parameters(part, fraction);
                    let buffers = [s.integers(output), &part.buffer];
                    kernels.embedding.bind(gpu, &parameters, &buffers)
                };
                let bound = table.parts.iter().map(bind);
                let groups = (width / 4).div_ceil(64) as u32;
                Dispatch::Embedding(groups, bound.collect::<Result<_, _>>()?)
            }
            Work::Norm {
                gains,
                epsilon_q32,
                input,
                scratch,
                output,
                gather,
            } => {
                let gains = self.model.gains(gains);
                let length = gains.values().len();
                let gains = upload_gains(gpu, &gains)?;
                let [mantissas, shifts] = s.blocks(output);
                let (input, scratch) = (s.integers(input), s.integers(scratch));
                let bound = kernels.norm.bind(
                    gpu,
                    &norm_parameters(length, epsilon_q32, gather),
                    &[mantissas, shifts, input, scratch, &gains],
                )?;
                self.gains.push(gains);
                Dispatch::Norm(bound)
            }
            Work::Linear {
                ref matrices,
                input,
                unit,
                output,
            } => {
                let (tensors, outputs): (Vec<usize>, Vec<i32>) = matrices.iter().copied().unzip();
                let unit = self.fraction(unit);
                let matrix = self.matrix(&tensors)?;
                let (target, add) = match output {
                    Target::Replace(vector) => (s.integers(vector), false),
                    Target::Add(vector) => (s.integers(vector), true),
                    Target::Logits => (&s.logits, false),
                };
                let [mantissas, shifts] = s.blocks(input);
                let mut parts = Vec::with_capacity(matrix.parts.len());
                for part in &matrix.parts {
                    let bound = kernels.linear().bind(
                        gpu,
                        &matrix.parameters(part, unit, &outputs, add),
                        &[mantissas, shifts, &part.buffer, target],
                    )?;
                    parts.push((part.count, bound));
                }
                Dispatch::Linear(Linear { parts })
            }
            Work::Bias {
                ref parts,
                vectors,
                width,
            } => {
                let mut biases = Vec::with_capacity(width);
                for part in parts {
                    match part.biases {
                        Some((tensor, fraction)) => {
                            biases.extend(bias::in_units(&self.model.gains(tensor), fraction));
                        }
                        None => biases.resize(biases.len() + part.width, 0),
                    }
                }
                let biases = upload_vector(gpu, biases.into_iter())?;
                let words = (width / 4) as u32;
                let buffers = [s.integers(vectors), &biases];
                let bound = kernels.bias.bind(gpu, &[words], &buffers)?;
                self.gains.push(biases);
                Dispatch::Bias(words.div_ceil(64), bound)
            }
            Work::HeadNorm {
                gains,
                epsilon_q32,
                vectors,
                width,
                first,
                length,
                fraction,
            } => {
                let gains = self.model.gains(gains);
                let dim = gains.values().len();
                let parameters =
                    head_norm_parameters([width, first, dim], epsilon_q32, fraction, &gains);
                let gains = upload_gains(gpu, &gains)?;
                let buffers = [s.integers(vectors), &gains];
                let bound = kernels.head_norm.bind(gpu, &parameters, &buffers)?;
                self.gains.push(gains);
                Dispatch::HeadNorm((length / dim) as u32, bound)
            }
            Work::Rope {
                cache,
                table,
                heads,
                kv_heads,
                ..
            } => {
                if let Some(table) = table {
                    self.upload_table(table)?;
                }
                let cached = Cached {
                    table,
                    projected: 0,
                    window: None,
                    mixed: 0,
                };
                self.caches.insert(cache, cached);
                Dispatch::Rope(cache, table, heads + 2 * kv_heads)
            }
            Work::Attention {
                cache,
                heads,
                window,
                projected,
                output,
            } => {
                if let Some(cached) = self.caches.get_mut(&cache) {
                    (cached.projected, cached.mixed) = (projected, output);
                    cached.window = window;
                }
                Dispatch::Attention(cache, heads)
            }
            Work::Quantise {
                input,
                output,
                width,
            } => {
                let [mantissas, shifts] = s.blocks(output);
                let buffers = [mantissas, shifts, s.integers(input)];
                Dispatch::Quantise(kernels.quantise.bind(gpu, &[blocks(width)], &buffers)?)
            }
            Work::Route {
                input,
                output,
                count,
                chosen,
                renormalised,
            } => {
                let parameters = [count as u32, chosen as u32, u32::from(renormalised)];
                let buffers = [s.integers(output), s.integers(input), &s.powers];
                Dispatch::Route(kernels.route.bind(gpu, &parameters, &buffers)?)
            }
            Work::Experts(ref experts) => self.bind_experts(experts)?,
            Work::Mix {
                routes,
                input,
                output,
                add,
                width,
                chosen,
            } => {
                let words = (width / 4) as u32;
                let parameters = [words, chosen as u32, u32::from(add)];
                let buffers = [output, input, routes].map(|vector| s.integers(vector));
                let bound = kernels.mix.bind(gpu, &parameters, &buffers)?;
                Dispatch::Mix(words.div_ceil(64), bound)
            }
            Work::Gated {
                activation,
                input,
                scratch,
                output,
                width,
            } => {
                let [mantissas, shifts] = s.blocks(output);
                let (input, scratch) = (s.integers(input), s.integers(scratch));
                let buffers = [mantissas, shifts, input, scratch, &s.powers];
                let kernel = kernels.gated(activation);
                Dispatch::Gated(activation, kernel.bind(gpu, &[blocks(width)], &buffers)?)
            }
            Work::Add {
                delta,
                vectors,
                width,
            } => {
                let words = (width / 4) as u32;
                let buffers = [s.integers(vectors), s.integers(delta)];
                let bound = kernels.add.bind(gpu, &[words], &buffers)?;
                Dispatch::Add(words.div_ceil(64), bound)
            }
        })
    }

    fn bind_experts(&mut self, experts: &Experts) -> Result<Dispatch, ExecutorError> {
        let (gpu, kernels, s) = (self.gpu, self.kernels, self.scratch);
        let (tensors, outputs): (Vec<usize>, Vec<i32>) = experts.stacks.iter().copied().unzip();
        let unit = self.fraction(experts.unit);
        let numbers = [experts.count, experts.chosen];
        let matrix = self.matrix(&tensors)?;
        let [mantissas, shifts] = s.blocks(experts.input);
        let (routes, output) = (s.integers(experts.routes), s.integers(experts.output));
        let bind = |part: &Part| {
            let parameters =
                matrix.expert_parameters(part, numbers, experts.own_inputs, unit, &outputs);
            let buffers = [mantissas, shifts, &part.buffer, routes, output];
            kernels.experts.bind(gpu, &parameters, &buffers)
        };
        let bound = matrix.parts.iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Dispatch::Experts(
            over_two(matrix.chosen_groups(numbers)),
            bound,
        ))
    }

    /// Uploads a table of rotations once.
    fn upload_table(&mut self, table: usize) -> Result<(), ExecutorError> {
        if let Entry::Vacant(entry) = self.ropes.entry(table) {
            let positions = self.model.architecture().context_length as usize;
            entry.insert(upload_rope(self.gpu, &self.model.rope(table), positions)?);
        }
        Ok(())
    }

    /// The stacked matrices of these tensors, uploaded once.
    fn matrix(&mut self, tensors: &[usize]) -> Result<&Matrix, ExecutorError> {
        if !self.matrices.contains_key(tensors) {
            let stacked: Vec<_> = tensors.iter().map(|&at| self.model.linear(at)).collect();
            let matrix = Matrix::upload(self.gpu, &stacked)?;
            self.matrices.insert(tensors.to_vec(), matrix);
        }
        Ok(&self.matrices[tensors])
    }

    /// Fraction bits of a unit.
    fn fraction(&self, unit: Unit) -> i32 {
        match unit {
            Unit::Fraction(fraction) => fraction,
            Unit::Gains(gains) => norm::fraction(&self.model.gains(gains)),
        }
    }
}

/// Bytes of the weights that a position reads in all layers: of experts, its own.
fn layer_bytes(model: &Model<'_>) -> u64 {
    let variant = model.architecture().variant;
    let read = |tensor: &TensorSpec| {
        let bytes = tensor.kind.content_bytes();
        match variant.experts {
            Some(experts) if tensor.role.is_stacked() => {
                bytes / u64::from(experts.count) * u64::from(experts.chosen)
            }
            _ => bytes,
        }
    };
    let tensors = model.tensors().iter();
    let layers = tensors.filter(|tensor| tensor.layer.is_some());
    layers.map(read).sum()
}

/// Parameters of the norm kernel: see `wgsl/norm.wgsl`.
pub(crate) fn norm_parameters(length: usize, epsilon_q32: u32, gather: bool) -> [u32; 6] {
    let n = length as u64;
    let epsilon = n * u64::from(epsilon_q32);
    let exponent = n.leading_zeros() / 2;
    let root = (n << (2 * exponent)).isqrt();
    [
        blocks(length),
        u32::from(gather),
        epsilon as u32,
        (epsilon >> 32) as u32,
        root as u32,
        exponent,
    ]
}

/// Parameters of the kernel that norms heads: see `wgsl/head_norm.wgsl`. `shape` is the width of a row, the elements
/// before the first head, and the elements of a head.
pub(crate) fn head_norm_parameters(
    shape: [usize; 3],
    epsilon_q32: u32,
    fraction: i32,
    gains: &Gains<'_>,
) -> [u32; 9] {
    let [width, first, dim] = shape.map(|elements| (elements / 4) as u32);
    let [_, _, low, high, root, exponent] = norm_parameters(shape[2], epsilon_q32, false);
    let output = head_norm::output_exponent(gains, fraction).cast_unsigned();
    let drop = head_norm::epsilon_drop(fraction);
    [width, first, dim, low, high, root, exponent, output, drop]
}

/// Blocks of a vector.
fn blocks(length: usize) -> u32 {
    (length / BLOCK) as u32
}
