//! The tensors of a model, which an optimiser reads and changes one by one.

use crate::{
    llama::{Attention, Block, FeedForward},
    Llama,
};
use burn::{
    module::Param,
    tensor::{DataError, Device, Gradients, Tensor, TensorData},
};
use noema_numerics::layout::TensorRole;

/// One tensor of a [`Llama`] on a device with gradients. As a matrix it has the shape in which burn keeps it,
/// which is that of its gradient; [`read`](Self::read) and [`write`](Self::write) convert from and to the
/// order of the canonical list, one row per output.
#[derive(Debug)]
pub struct Parameter<'a> {
    /// Its role in the model.
    pub role: TensorRole,
    /// The layer it belongs to, if any.
    pub layer: Option<u32>,
    place: Place<'a>,
}

#[derive(Debug)]
enum Place<'a> {
    /// One row per output.
    Rows(&'a mut Param<Tensor<2>>),
    /// One column per output.
    Columns(&'a mut Param<Tensor<2>>),
    Gains(&'a mut Param<Tensor<1>>),
}

impl Parameter<'_> {
    /// The value, detached from the gradient graph.
    pub fn value(&self) -> Tensor<2> {
        match &self.place {
            Place::Rows(param) | Place::Columns(param) => param.val().inner(),
            Place::Gains(param) => param.val().inner().unsqueeze(),
        }
    }

    /// Its gradient, if it has one.
    pub fn gradient(&self, gradients: &Gradients) -> Option<Tensor<2>> {
        match &self.place {
            Place::Rows(param) | Place::Columns(param) => param.val().grad(gradients),
            Place::Gains(param) => param.val().grad(gradients).map(Tensor::unsqueeze),
        }
    }

    /// Replaces the value by another of the same shape, and sets whether it gets a gradient.
    pub fn replace(&mut self, value: Tensor<2>, trained: bool) {
        match &mut self.place {
            Place::Rows(param) | Place::Columns(param) => {
                let value = Tensor::from_inner(value).set_require_grad(trained);
                **param = Param::initialized(param.id, value);
            }
            Place::Gains(param) => {
                let value = Tensor::from_inner(value.squeeze_dim(0)).set_require_grad(trained);
                **param = Param::initialized(param.id, value);
            }
        }
    }

    /// The value in canonical order.
    ///
    /// # Errors
    /// When the device does not return it.
    pub fn read(&self) -> Result<Vec<f32>, DataError> {
        let value = match self.place {
            Place::Columns(_) => self.value().transpose(),
            _ => self.value(),
        };
        value.into_data().try_into_vec()
    }

    /// Replaces the value by `values`, in canonical order, which `device` (without gradients) keeps.
    pub fn write(&mut self, values: Vec<f32>, trained: bool, device: &Device) {
        let mut shape = self.value().dims();
        let turned = matches!(self.place, Place::Columns(_));
        if turned {
            shape.reverse();
        }
        let value = Tensor::<2>::from_data(TensorData::new(values, shape), device);
        self.replace(if turned { value.transpose() } else { value }, trained);
    }
}

impl Llama {
    /// Its tensors, in the order of the canonical list.
    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let mut found = vec![parameter(
            TensorRole::TokenEmbedding,
            None,
            Place::Rows(&mut self.embedding.weight),
        )];
        for (layer, block) in (0..).zip(&mut self.blocks) {
            found.extend(block_parameters(layer, block));
        }
        found.push(parameter(
            TensorRole::FinalNorm,
            None,
            Place::Gains(&mut self.final_norm.gamma),
        ));
        if let Some(head) = &mut self.head {
            let place = Place::Columns(&mut head.weight);
            found.push(parameter(TensorRole::OutputHead, None, place));
        }
        found
    }
}

fn parameter(role: TensorRole, layer: Option<u32>, place: Place<'_>) -> Parameter<'_> {
    Parameter { role, layer, place }
}

/// The tensors of a layer, in the order of [`TensorRole::LAYER`].
fn block_parameters(layer: u32, block: &mut Block) -> impl Iterator<Item = Parameter<'_>> {
    let Attention {
        query,
        key,
        value,
        output,
        ..
    } = &mut block.attention;
    let FeedForward { gate, up, down } = &mut block.feed_forward;
    let places = [
        Place::Gains(&mut block.attention_norm.gamma),
        Place::Columns(&mut query.weight),
        Place::Columns(&mut key.weight),
        Place::Columns(&mut value.weight),
        Place::Columns(&mut output.weight),
        Place::Gains(&mut block.feed_forward_norm.gamma),
        Place::Columns(&mut gate.weight),
        Place::Columns(&mut up.weight),
        Place::Columns(&mut down.weight),
    ];
    let named = TensorRole::LAYER.into_iter().zip(places);
    named.map(move |(role, place)| parameter(role, Some(layer), place))
}
