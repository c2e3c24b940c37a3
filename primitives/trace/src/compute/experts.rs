//! A mixture of experts: routes, products, and their mean.

use super::{Computation, ComputeError, Inputs, StepSource};
use crate::{bytes, shape::PART};
use alloc::{vec, vec::Vec};
use noema_numerics::{mix, network::NetworkOperator, route, BLOCK};

impl<S: StepSource> Computation<'_, S> {
    pub(super) fn route(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let NetworkOperator::Route {
            renormalised,
            output,
            ..
        } = self.operator()?
        else {
            return Err(ComputeError::Missing);
        };
        let mut routes = vec![0; self.shape.network.width(output)];
        route::route_row(&inputs.integers()?, renormalised, &mut routes);
        Ok(bytes::of_i32(&routes))
    }

    pub(super) fn experts(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let piece = self.shape.expert_piece(self.place);
        let piece = piece.ok_or(ComputeError::Missing)?;
        // The routes: the tiles follow from them.
        inputs.next()?;
        let leaves = piece.elements.start / PART..piece.elements.end.div_ceil(PART);
        let skip = piece.elements.start - leaves.start * PART;
        let (mut mantissas, mut shifts) = (Vec::new(), Vec::new());
        for _ in leaves {
            let leaf = inputs.next()?;
            let (leaf, leaf_shifts) = bytes::to_blocks(&leaf);
            mantissas.extend(leaf);
            shifts.extend_from_slice(leaf_shifts);
        }
        let elements = skip..skip + piece.elements.len();
        let blocks = elements.start / BLOCK..elements.end / BLOCK;
        let mantissas = mantissas.get(elements).ok_or(ComputeError::Missing)?;
        let shifts = shifts.get(blocks).ok_or(ComputeError::Missing)?;
        self.products(inputs, piece.input, piece.cut, mantissas, shifts)
    }

    pub(super) fn mix_experts(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let elements = self.shape.piece_elements(self.place);
        let routes = inputs.integers()?;
        let returned: Vec<i32> = inputs.0.flat_map(|part| bytes::to_i32(&part)).collect();
        let mut mixed = vec![0; elements.ok_or(ComputeError::Missing)?.len()];
        mix::mix_row(&routes, &returned, &mut mixed);
        Ok(bytes::of_i32(&mixed))
    }
}
