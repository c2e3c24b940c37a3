//! A step in words, for people.

use crate::{shape::Operation, StepPlace, TraceShape};
use alloc::{format, string::String};

impl TraceShape<'_> {
    /// What a step computes, where: its kind, its operator with the tensor that it reads, its layer, its position and its
    /// piece. `None` where there is no such step.
    pub fn describe(&self, place: &StepPlace) -> Option<String> {
        let kind = self.kind(place)?;
        let part = match self.operation(place.operation)? {
            Operation::Network(step) => {
                let step = self.network.steps().get(step)?;
                let tensor = step.operator.tensor();
                let tensor = tensor.and_then(|tensor| self.network.tensors().get(tensor));
                let operator = match tensor {
                    Some(tensor) => format!("{} {}", step.operator.name(), tensor.role.name()),
                    None => step.operator.name().into(),
                };
                match step.layer {
                    Some(layer) => format!("{operator} of layer {layer}"),
                    None => operator,
                }
            }
            Operation::State => "the tree of hidden states".into(),
            Operation::Largest => "the largest logit".into(),
            Operation::Search(_) => "sampling".into(),
            Operation::Answered => "the answer".into(),
            Operation::LossWeights | Operation::Loss => "the loss".into(),
            Operation::Tokens => "the given tokens".into(),
            Operation::Outcome => "the statement".into(),
        };
        Some(format!(
            "{kind} in {part}, at position {}, piece {}",
            place.position, place.piece
        ))
    }
}
