//! A model on a device: every tensor uploaded, every dispatch of a layer bound to its buffers.

use super::{
    device::{Buffer, Gpu},
    kernels::{Bound, Kernels},
    scratch::Scratch,
    weights::{upload_gains, upload_rope, Matrix, Part},
};
use crate::ExecutorError;
use noema_numerics::{
    model::Gains,
    norm,
    swiglu::{GATE_FRACTION, PRODUCT_FRACTION},
    transformer::{ATTENTION_FRACTION, LOGIT_FRACTION, RESIDUAL_FRACTION},
    Architecture, Model, BLOCK,
};

/// A model without its caches.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) architecture: Architecture,
    pub(crate) hidden: u32,
    /// Of all layers.
    pub(crate) weight_bytes: u64,
    /// Unit of the final hidden vectors.
    pub(crate) hidden_fraction: i32,
    pub(crate) embedding: Vec<Bound>,
    pub(crate) layers: Vec<Layer>,
    /// Blocks of the attention's output; blocks of the gated product.
    pub(crate) mixed: Bound,
    pub(crate) swiglu: Bound,
    pub(crate) final_norm: Bound,
    pub(crate) head: Linear,
    pub(crate) rope: Vec<Part>,
    /// Kept so that its bytes are counted: the bindings hold the buffers.
    _weights: Vec<Buffer>,
}

/// The dispatches of a layer, except those that need a cache.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) attention_norm: Bound,
    pub(crate) projections: Linear,
    pub(crate) attention_output: Linear,
    pub(crate) feed_forward_norm: Bound,
    pub(crate) gate_up: Linear,
    pub(crate) down: Linear,
}

/// A matrix bound to its input and output: row groups and binding of each part.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) parts: Vec<(u32, Bound)>,
}

/// The parameters of binding.
struct Binder<'a> {
    gpu: &'a Gpu,
    kernels: &'a Kernels,
    scratch: &'a Scratch,
    epsilon_q32: u32,
    weights: Vec<Buffer>,
}

impl Network {
    /// Uploads `model` and binds it to the buffers of `scratch`.
    pub(crate) fn new(
        gpu: &Gpu,
        kernels: &Kernels,
        scratch: &Scratch,
        model: &Model<'_>,
    ) -> Result<Self, ExecutorError> {
        let a = *model.architecture();
        let s = scratch;
        let mut binder = Binder {
            gpu,
            kernels,
            scratch,
            epsilon_q32: a.norm_epsilon_q32,
            weights: Vec::new(),
        };

        let table = Matrix::upload(gpu, &[model.token_embedding()])?;
        let embedding = binder.embedding(&table)?;
        let final_norm = model.final_norm();
        let hidden_fraction = norm::fraction(&final_norm);
        let head_input = [&s.hidden_mantissas, &s.hidden_shifts];
        let head_unit = (hidden_fraction, LOGIT_FRACTION);
        let head = if a.tied_head {
            binder.linear(table, head_input, &s.logits, head_unit, false)?
        } else {
            binder
                .weights
                .extend(table.parts.into_iter().map(|part| part.buffer));
            let head = Matrix::upload(gpu, &[model.output_head()])?;
            binder.linear(head, head_input, &s.logits, head_unit, false)?
        };
        let layers = (0..a.layers as usize)
            .map(|index| binder.layer(&model.layer(index)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            architecture: a,
            hidden: a.hidden,
            weight_bytes: layer_bytes(model),
            hidden_fraction,
            embedding,
            layers,
            mixed: kernels.quantise.bind(
                gpu,
                &[blocks(a.attention_width())],
                &[&s.mantissas, &s.shifts, &s.narrow],
            )?,
            swiglu: kernels.swiglu.bind(
                gpu,
                &[blocks(a.feed_forward as usize)],
                &[&s.mantissas, &s.shifts, &s.wide, &s.narrow, &s.powers],
            )?,
            final_norm: binder.norm(&final_norm, [&s.hidden_mantissas, &s.hidden_shifts], true)?,
            head,
            rope: upload_rope(gpu, model)?,
            _weights: binder.weights,
        })
    }
}

impl Binder<'_> {
    fn layer(&mut self, layer: &noema_numerics::model::Layer<'_>) -> Result<Layer, ExecutorError> {
        let s = self.scratch;
        let blocks = [&s.mantissas, &s.shifts];
        let matrix = |matrices: &[_]| Matrix::upload(self.gpu, matrices);
        let projections = matrix(&[layer.query, layer.key, layer.value])?;
        let attention_output = matrix(&[layer.attention_output])?;
        let gate_up = matrix(&[layer.gate, layer.up])?;
        let down = matrix(&[layer.down])?;
        let attention = norm::fraction(&layer.attention_norm);
        let feed_forward = norm::fraction(&layer.feed_forward_norm);
        Ok(Layer {
            attention_norm: self.norm(&layer.attention_norm, blocks, false)?,
            projections: self.linear(
                projections,
                blocks,
                &s.wide,
                (attention, ATTENTION_FRACTION),
                false,
            )?,
            attention_output: self.linear(
                attention_output,
                blocks,
                &s.residual,
                (ATTENTION_FRACTION, RESIDUAL_FRACTION),
                true,
            )?,
            feed_forward_norm: self.norm(&layer.feed_forward_norm, blocks, false)?,
            gate_up: self.linear(
                gate_up,
                blocks,
                &s.wide,
                (feed_forward, GATE_FRACTION),
                false,
            )?,
            down: self.linear(
                down,
                blocks,
                &s.residual,
                (PRODUCT_FRACTION, RESIDUAL_FRACTION),
                true,
            )?,
        })
    }

    fn embedding(&self, table: &Matrix) -> Result<Vec<Bound>, ExecutorError> {
        let bind = |part: &Part| {
            self.kernels.embedding.bind(
                self.gpu,
                &table.embedding_parameters(part, RESIDUAL_FRACTION),
                &[&self.scratch.residual, &part.buffer],
            )
        };
        table.parts.iter().map(bind).collect()
    }

    /// `units` are the fraction bits of input and output; `add` adds to the output instead of
    /// replacing it.
    fn linear(
        &mut self,
        matrix: Matrix,
        [mantissas, shifts]: [&Buffer; 2],
        output: &Buffer,
        (from, to): (i32, i32),
        add: bool,
    ) -> Result<Linear, ExecutorError> {
        let mut parts = Vec::with_capacity(matrix.parts.len());
        for part in &matrix.parts {
            let bound = self.kernels.linear().bind(
                self.gpu,
                &matrix.parameters(part, from, to, add),
                &[mantissas, shifts, &part.buffer, output],
            )?;
            parts.push((part.count, bound));
        }
        self.weights
            .extend(matrix.parts.into_iter().map(|part| part.buffer));
        Ok(Linear { parts })
    }

    /// A norm of the residual stream; `gather` takes only the rows that the window lists.
    fn norm(
        &mut self,
        gains: &Gains<'_>,
        [mantissas, shifts]: [&Buffer; 2],
        gather: bool,
    ) -> Result<Bound, ExecutorError> {
        let s = self.scratch;
        let length = gains.values().len();
        let gains = upload_gains(self.gpu, gains)?;
        let bound = self.kernels.norm.bind(
            self.gpu,
            &norm_parameters(length, self.epsilon_q32, gather),
            &[mantissas, shifts, &s.residual, &s.narrow, &gains],
        )?;
        self.weights.push(gains);
        Ok(bound)
    }
}

/// Bytes of the weights of all layers.
fn layer_bytes(model: &Model<'_>) -> u64 {
    let tensors = model.tensors().iter();
    tensors
        .filter(|tensor| tensor.layer.is_some())
        .map(|tensor| tensor.kind.content_bytes())
        .sum()
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

/// Blocks of a vector.
fn blocks(length: usize) -> u32 {
    (length / BLOCK) as u32
}
