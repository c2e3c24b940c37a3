//! Matrices of a source that hold those of several roles, one after another.

use super::model_type::ModelType;
use noema_checkpoint::{layout::TensorRole, Architecture};

/// A matrix of several roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fused {
    /// The projections to queries, keys and values.
    Projections,
    /// The gate, then the up projection.
    Gated,
}

impl Fused {
    /// The matrix that has `role` in a model of this type.
    pub(super) const fn of(model_type: ModelType, role: TensorRole) -> Option<Self> {
        match role {
            _ if !model_type.has_fused_matrices() => None,
            TensorRole::Query | TensorRole::Key | TensorRole::Value => Some(Self::Projections),
            TensorRole::Gate | TensorRole::Up => Some(Self::Gated),
            _ => None,
        }
    }

    /// All rows of the matrix.
    pub(super) const fn rows(self, architecture: &Architecture) -> usize {
        match self {
            Self::Projections => architecture.attention_width() + 2 * architecture.kv_width(),
            Self::Gated => 2 * architecture.feed_forward as usize,
        }
    }
}

/// The first row of `role` in its matrix, which is fused or its own.
pub(super) const fn first_row(
    model_type: ModelType,
    role: TensorRole,
    architecture: &Architecture,
) -> usize {
    if Fused::of(model_type, role).is_none() {
        return 0;
    }
    match role {
        TensorRole::Key => architecture.attention_width(),
        TensorRole::Value => architecture.attention_width() + architecture.kv_width(),
        TensorRole::Up => architecture.feed_forward as usize,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_checkpoint::Variant;

    #[test]
    fn the_parts_of_a_fused_matrix_follow_each_other() {
        let architecture = Architecture {
            layers: 1,
            hidden: 96,
            heads: 3,
            kv_heads: 1,
            head_dim: 32,
            feed_forward: 64,
            vocabulary: 8,
            context_length: 8,
            norm_epsilon_q32: 1,
            tied_head: true,
            variant: Variant::LLAMA,
        };
        let first = |role| first_row(ModelType::Phi3, role, &architecture);
        let parts = [TensorRole::Query, TensorRole::Key, TensorRole::Value];
        assert_eq!(parts.map(first), [0, 96, 128]);
        assert_eq!(Fused::Projections.rows(&architecture), 160);
        assert_eq!([TensorRole::Gate, TensorRole::Up].map(first), [0, 64]);
        assert_eq!(Fused::Gated.rows(&architecture), 128);
        assert_eq!(Fused::of(ModelType::Phi3, TensorRole::Down), None);
        assert_eq!(Fused::of(ModelType::Llama, TensorRole::Key), None);
        assert_eq!(
            first_row(ModelType::Llama, TensorRole::Key, &architecture),
            0
        );
    }
}
