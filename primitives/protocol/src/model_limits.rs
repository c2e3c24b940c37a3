//! The bounds a checkpoint puts on a request.

use crate::{apply, sent};
use serde::{Deserialize, Serialize};

/// The bounds a checkpoint puts on a request.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
pub struct ModelLimits {
    /// Longest prompt and answer together, in tokens.
    pub context_length: u32,
    /// Number of token ids.
    pub vocabulary: u32,
    /// Most tokens that one byte of a prompt's text can become.
    pub tokens_per_byte: u32,
    /// Most tokens that the frame adds to those of the prompt's text.
    pub template_tokens: u32,
}

impl ModelLimits {
    /// The most tokens of a prompt of `prompt_bytes` bytes, its frame included:
    /// `prompt_bytes * tokens_per_byte + template_tokens`.
    pub const fn prompt_tokens(&self, prompt_bytes: u32) -> u64 {
        // The sum of the largest values fits into 64 bits.
        (prompt_bytes as u64)
            .saturating_mul(self.tokens_per_byte as u64)
            .saturating_add(self.template_tokens as u64)
    }

    /// Whether any prompt of `prompt_bytes` bytes leaves room for `max_tokens` tokens of an answer:
    /// `prompt_bytes * tokens_per_byte + template_tokens + max_tokens <= context_length`.
    pub const fn fits(&self, prompt_bytes: u32, max_tokens: u32) -> bool {
        self.prompt_tokens(prompt_bytes)
            .saturating_add(max_tokens as u64)
            <= self.context_length as u64
    }

    /// Whether any request is possible within these limits: `tokens_per_byte` is at least 1, and a prompt of
    /// one byte fits with an answer of one token.
    pub const fn leave_room(&self) -> bool {
        self.tokens_per_byte > 0 && self.fits(1, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ModelLimits = ModelLimits {
        context_length: 2_048,
        vocabulary: 49_152,
        tokens_per_byte: 1,
        template_tokens: 35,
    };

    #[test]
    fn a_request_fits_up_to_the_last_token_of_the_context() {
        assert!(LIMITS.fits(1_013, 1_000));
        assert!(!LIMITS.fits(1_014, 1_000));
        assert!(!LIMITS.fits(1_013, 1_001));
        assert!(LIMITS.fits(0, 2_013));
    }

    #[test]
    fn a_prompt_has_the_tokens_of_its_bytes_and_of_its_frame() {
        assert_eq!(LIMITS.prompt_tokens(100), 135);
        let two = ModelLimits {
            tokens_per_byte: 2,
            ..LIMITS
        };
        assert_eq!(two.prompt_tokens(100), 235);
        let most = ModelLimits {
            tokens_per_byte: u32::MAX,
            template_tokens: u32::MAX,
            ..LIMITS
        };
        let bound = u64::from(u32::MAX);
        assert_eq!(most.prompt_tokens(u32::MAX), bound * bound + bound);
    }

    #[test]
    fn no_value_overflows() {
        let edges = [0, 1, 2, 3, 255, 256, 65_535, 65_536, u32::MAX - 1, u32::MAX];
        let all = || edges.into_iter();
        for (context_length, tokens_per_byte) in all().flat_map(|a| all().map(move |b| (a, b))) {
            for (template_tokens, bytes) in all().flat_map(|a| all().map(move |b| (a, b))) {
                let limits = ModelLimits {
                    context_length,
                    tokens_per_byte,
                    template_tokens,
                    ..LIMITS
                };
                for answer in edges {
                    let needed = u128::from(bytes) * u128::from(tokens_per_byte)
                        + u128::from(template_tokens)
                        + u128::from(answer);
                    let fits = needed <= u128::from(context_length);
                    assert_eq!(
                        limits.fits(bytes, answer),
                        fits,
                        "{limits:?} {bytes} {answer}"
                    );
                }
            }
        }
    }

    #[test]
    fn limits_without_room_for_an_answer_are_not_those_of_a_model() {
        assert!(LIMITS.leave_room());
        let with = |tokens_per_byte, template_tokens| ModelLimits {
            tokens_per_byte,
            template_tokens,
            ..LIMITS
        };
        assert!(!with(0, 35).leave_room());
        assert!(with(1, 2_046).leave_room());
        assert!(!with(1, 2_047).leave_room());
        assert!(!with(u32::MAX, 0).leave_room());
    }
}
