//! The tensors of a model, which an optimiser reads and changes one by one.

use crate::{model::is_turned, FloatModel};
use burn::{
    module::Param,
    tensor::{DataError, Device, Gradients, Tensor, TensorData},
};
use noema_numerics::layout::TensorRole;

/// One tensor of a [`FloatModel`] on a device with gradients. As a matrix it has the shape in which the model
/// keeps it, which is that of its gradient; [`read`](Self::read) and [`write`](Self::write) convert from and
/// to the order of the canonical list, one row per output.
#[derive(Debug)]
pub struct Parameter<'a> {
    /// Its role in the model.
    pub role: TensorRole,
    /// The layer it belongs to, if any.
    pub layer: Option<u32>,
    /// Gains are one row.
    param: &'a mut Param<Tensor<2>>,
    /// Whether it has one column per output.
    turned: bool,
}

impl Parameter<'_> {
    /// The value, detached from the gradient graph.
    pub fn value(&self) -> Tensor<2> {
        self.param.val().inner()
    }

    /// Its gradient, if it has one.
    pub fn gradient(&self, gradients: &Gradients) -> Option<Tensor<2>> {
        self.param.val().grad(gradients)
    }

    /// Replaces the value by another of the same shape, and sets whether it gets a gradient.
    pub fn replace(&mut self, value: Tensor<2>, trained: bool) {
        let value = Tensor::from_inner(value).set_require_grad(trained);
        *self.param = Param::initialized(self.param.id, value);
    }

    /// The value in canonical order.
    ///
    /// # Errors
    /// When the device does not return it.
    pub fn read(&self) -> Result<Vec<f32>, DataError> {
        let value = self.value();
        let value = if self.turned {
            value.transpose()
        } else {
            value
        };
        value.into_data().try_into_vec()
    }

    /// Replaces the value by `values`, in canonical order, which `device` (without gradients) keeps.
    pub fn write(&mut self, values: Vec<f32>, trained: bool, device: &Device) {
        let mut shape = self.value().dims();
        if self.turned {
            shape.reverse();
        }
        let value = Tensor::<2>::from_data(TensorData::new(values, shape), device);
        let value = if self.turned {
            value.transpose()
        } else {
            value
        };
        self.replace(value, trained);
    }
}

impl FloatModel {
    /// Its tensors, in the order of the canonical list.
    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let Self { tensors, network } = self;
        let named = network.tensors().iter().zip(tensors).enumerate();
        named
            .map(|(index, (spec, param))| Parameter {
                role: spec.role,
                layer: spec.layer,
                param,
                turned: is_turned(network, index),
            })
            .collect()
    }
}
