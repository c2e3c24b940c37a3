//! The names of tensors.

/// What a tensor is for: its name, from which an importer finds it in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TensorRole {
    /// Vocabulary × hidden; also the output head where that is tied.
    TokenEmbedding,
    /// Gains of the norm before attention.
    AttentionNorm,
    /// Attention width × hidden.
    Query,
    /// Key/value width × hidden.
    Key,
    /// Key/value width × hidden.
    Value,
    /// Hidden × attention width.
    AttentionOutput,
    /// Gains of the norm before the feed-forward layer.
    FeedForwardNorm,
    /// Feed-forward × hidden, through SiLU.
    Gate,
    /// Feed-forward × hidden.
    Up,
    /// Hidden × feed-forward.
    Down,
    /// Gains of the norm before the output head.
    FinalNorm,
    /// Vocabulary × hidden, where the head is not tied.
    OutputHead,
    /// Cosines and sines of the rotary position embedding.
    Rope,
    /// Biases of the queries.
    QueryBias,
    /// Biases of the keys.
    KeyBias,
    /// Biases of the values.
    ValueBias,
    /// Gains of the norm of each head of the queries.
    QueryNorm,
    /// Gains of the norm of each head of the keys.
    KeyNorm,
    /// Gains of the norm of what attention adds to the residual stream.
    AttentionPostNorm,
    /// Gains of the norm of what the feed-forward layer adds to the residual stream.
    FeedForwardPostNorm,
    /// Cosines and sines of the layers with a window, where these have their own.
    WindowedRope,
    /// Experts × hidden: scores of the experts.
    Router,
    /// Of each expert, width × hidden, through SiLU.
    ExpertGates,
    /// Of each expert, width × hidden.
    ExpertUps,
    /// Of each expert, hidden × width.
    ExpertDowns,
}

impl TensorRole {
    /// Name of the role in snake case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TokenEmbedding => "token_embedding",
            Self::AttentionNorm => "attention_norm",
            Self::Query => "query",
            Self::Key => "key",
            Self::Value => "value",
            Self::AttentionOutput => "attention_output",
            Self::FeedForwardNorm => "feed_forward_norm",
            Self::Gate => "gate",
            Self::Up => "up",
            Self::Down => "down",
            Self::FinalNorm => "final_norm",
            Self::OutputHead => "output_head",
            Self::Rope => "rope",
            Self::QueryBias => "query_bias",
            Self::KeyBias => "key_bias",
            Self::ValueBias => "value_bias",
            Self::QueryNorm => "query_norm",
            Self::KeyNorm => "key_norm",
            Self::AttentionPostNorm => "attention_post_norm",
            Self::FeedForwardPostNorm => "feed_forward_post_norm",
            Self::WindowedRope => "windowed_rope",
            Self::Router => "router",
            Self::ExpertGates => "expert_gates",
            Self::ExpertUps => "expert_ups",
            Self::ExpertDowns => "expert_downs",
        }
    }

    /// Whether the tensor is the matrices of all experts of a layer, one below the other.
    pub const fn is_stacked(self) -> bool {
        matches!(
            self,
            Self::ExpertGates | Self::ExpertUps | Self::ExpertDowns
        )
    }

    /// Whether the tensor is added to a value: biases, which are stored as gains are.
    pub const fn is_bias(self) -> bool {
        matches!(self, Self::QueryBias | Self::KeyBias | Self::ValueBias)
    }
}
