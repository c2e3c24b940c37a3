//! The load of a worker.

use noema_protocol::{apply, sent};

/// The load of a worker: the sum of its unanswered requests.
#[apply(sent)]
#[derive(Copy, Default)]
pub struct Load {
    /// The number of requests.
    pub open: u32,
    /// The most tokens that their answers may have.
    pub tokens: u32,
    /// Bytes of their prompts.
    pub prompt_bytes: u32,
}

impl Load {
    /// The load with one more request.
    pub const fn with(&self, tokens: u32, prompt_bytes: u32) -> Self {
        Self {
            open: self.open.saturating_add(1),
            tokens: self.tokens.saturating_add(tokens),
            prompt_bytes: self.prompt_bytes.saturating_add(prompt_bytes),
        }
    }

    /// The load with one request less.
    pub const fn without(&self, tokens: u32, prompt_bytes: u32) -> Self {
        Self {
            open: self.open.saturating_sub(1),
            tokens: self.tokens.saturating_sub(tokens),
            prompt_bytes: self.prompt_bytes.saturating_sub(prompt_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_what_was_added_to_it() {
        let load = Load::default().with(16, 100).with(8, 3);
        assert_eq!((load.open, load.tokens, load.prompt_bytes), (2, 24, 103));
        assert_eq!(load.without(16, 100).without(8, 3), Load::default());
    }
}
