//! The beginning of the latest prompt, whose keys and values the next prompt reuses.
//!
//! Prompts often have the same beginning: the text that the frame puts before the request. Keys and
//! values depend only on the tokens up to their position, so copied ones equal computed ones.

use crate::{Executor, ExecutorError, Sequence};

/// A separate sequence that holds the beginning of a prompt.
#[derive(Debug)]
pub(super) struct Prefix {
    limit: usize,
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    sequence: Sequence,
    tokens: Vec<u32>,
}

impl Prefix {
    /// Keeps at most `limit` positions.
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, kept: None }
    }

    /// Positions of a prompt of `length` tokens that would be kept.
    pub(super) fn length(&self, length: usize) -> usize {
        self.limit.min(length)
    }

    /// Copies the kept part of `tokens` to `to`, which is to execute them; returns the number of positions,
    /// which leaves at least one token to execute.
    pub(super) fn reuse(
        &self,
        executor: &mut dyn Executor,
        tokens: &[u32],
        to: Sequence,
    ) -> Result<usize, ExecutorError> {
        let Some(kept) = &self.kept else {
            return Ok(0);
        };
        let pairs = kept.tokens.iter().zip(tokens);
        let common = pairs.take_while(|(kept, token)| kept == token).count();
        let positions = common.min(tokens.len().saturating_sub(1));
        if positions > 0 {
            executor.copy_prefix(kept.sequence, to, positions)?;
        }
        Ok(positions)
    }

    /// Keeps the beginning of `prompt`, of which `from` has cached [`length`](Self::length) positions, unless
    /// there is no room for it.
    pub(super) fn keep(
        &mut self,
        executor: &mut dyn Executor,
        prompt: &[u32],
        from: Sequence,
    ) -> Result<(), ExecutorError> {
        let tokens = &prompt[..self.length(prompt.len())];
        if tokens.is_empty() {
            return Ok(());
        }
        let kept = match &mut self.kept {
            Some(kept) if kept.tokens == tokens => return Ok(()),
            Some(kept) => kept,
            none => {
                let sequence = match executor.open(self.limit) {
                    Ok(sequence) => sequence,
                    Err(ExecutorError::OutOfMemory { .. }) => return Ok(()),
                    Err(error) => return Err(error),
                };
                none.insert(Kept {
                    sequence,
                    tokens: Vec::new(),
                })
            }
        };
        kept.tokens.clear();
        executor.copy_prefix(from, kept.sequence, tokens.len())?;
        kept.tokens.extend_from_slice(tokens);
        Ok(())
    }

    /// Frees the kept prefix; returns whether there was one.
    pub(super) fn release(&mut self, executor: &mut dyn Executor) -> bool {
        match self.kept.take() {
            Some(kept) => {
                executor.close(kept.sequence);
                true
            }
            None => false,
        }
    }

    /// Forgets the prefix on an executor that is gone.
    pub(super) fn forget(&mut self) {
        self.kept = None;
    }
}
