//! The gains of norms that a checkpoint has otherwise than its source.
//!
//! Gemma multiplies its embedding by the square root of its width d. A checkpoint keeps the residual stream divided by
//! √d instead, so that the embedding, which is the output head, too, stays as it is: the gains of what is added to the
//! stream are divided by √d. This is the exact factor, as in llama.cpp; Transformers rounds it to the type of the
//! weights, so that a model in BF16 is computed there with √d to eight bits.
//!
//! Gemma may also divide scores by the root of another number than the width of a head, which multiplies the gains of
//! the queries' norm: a rotation keeps factors.

use noema_checkpoint::{layout::TensorRole, Architecture};

/// The changes of a model's gains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct GainChanges {
    /// What is added to each gain first.
    offset: f64,
    /// What those of the queries' norm are multiplied by.
    query: f64,
    /// What those of norms of additions to the residual stream are multiplied by.
    added: f64,
}

impl GainChanges {
    /// Of a model that divides scores by the root of `score_divisor`; its width of a head, if there is none. `has_offset`
    /// where the source has each gain less one.
    pub(super) fn new(
        architecture: &Architecture,
        score_divisor: Option<f64>,
        has_offset: bool,
    ) -> Self {
        let head_dim = f64::from(architecture.head_dim);
        let root = libm::sqrt(f64::from(architecture.hidden));
        Self {
            offset: f64::from(u8::from(has_offset)),
            query: score_divisor.map_or(1.0, |divisor| libm::sqrt(head_dim / divisor)),
            added: match architecture.variant.scaled_embedding {
                true => 1.0 / root,
                false => 1.0,
            },
        }
    }

    /// Changes `values` if they are gains.
    pub(super) fn apply(&self, role: TensorRole, values: &mut [f32]) {
        let factor = match role {
            TensorRole::QueryNorm => self.query,
            TensorRole::AttentionPostNorm | TensorRole::FeedForwardPostNorm => self.added,
            TensorRole::AttentionNorm
            | TensorRole::FeedForwardNorm
            | TensorRole::FinalNorm
            | TensorRole::KeyNorm => 1.0,
            _ => return,
        };
        for value in values {
            // A file whose converter added the offset has the sum in f32.
            let gain = (f64::from(*value) + self.offset) as f32;
            *value = (f64::from(gain) * factor) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_checkpoint::Variant;

    #[test]
    fn gains_are_multiplied_by_what_the_network_leaves_out() {
        let mut architecture = Architecture {
            layers: 1,
            hidden: 64,
            heads: 2,
            kv_heads: 1,
            head_dim: 32,
            feed_forward: 64,
            vocabulary: 8,
            context_length: 8,
            norm_epsilon_q32: 1,
            tied_head: true,
            variant: Variant::LLAMA,
        };
        let change = |changes: &GainChanges, role| {
            let mut values = [0.5];
            changes.apply(role, &mut values);
            values[0]
        };
        let none = GainChanges::new(&architecture, None, false);
        for role in [
            TensorRole::QueryNorm,
            TensorRole::FinalNorm,
            TensorRole::Query,
        ] {
            assert_eq!(change(&none, role), 0.5);
        }
        architecture.variant.scaled_embedding = true;
        let gemma = GainChanges::new(&architecture, Some(8.0), true);
        assert_eq!(change(&gemma, TensorRole::QueryNorm), 3.0);
        assert_eq!(change(&gemma, TensorRole::KeyNorm), 1.5);
        assert_eq!(change(&gemma, TensorRole::AttentionPostNorm), 0.1875);
        assert_eq!(change(&gemma, TensorRole::Query), 0.5);
    }
}
