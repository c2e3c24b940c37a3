//! The differences between the network of an architecture and that of Llama 2.

/// How a network differs from that of Llama 2, which is the [default](Self::LLAMA).
///
/// Its SCALE encoding is the list of the differences that it has, in the order of the fields. Architectures that
/// later versions add extend the list, and leave the encoding of the others as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Variant {
    /// Whether the projections to queries, keys and values have biases: Qwen 2.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "core::ops::Not::not"))]
    pub projection_biases: bool,
    /// Whether each head of the queries and of the keys is normed before its rotation: Qwen 3.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "core::ops::Not::not"))]
    pub head_norms: bool,
}

impl Variant {
    /// Llama 2 and 3.
    pub const LLAMA: Self = Self {
        projection_biases: false,
        head_norms: false,
    };

    /// Whether the network is that of Llama 2.
    pub fn is_llama(&self) -> bool {
        *self == Self::LLAMA
    }
}
