//! Units of the vectors that the operators of a layer pass to each other.

/// Fraction bits of the residual stream: a range of ±131,072, as trained models carry single
/// elements beyond 22,000 (SmolLM2-135M does) while embeddings are near 0.05.
pub const RESIDUAL_FRACTION: i32 = 14;
/// Fraction bits of queries, keys, values and of the output of attention.
pub const ATTENTION_FRACTION: i32 = 16;
/// Fraction bits of logits.
pub const LOGIT_FRACTION: i32 = 16;
