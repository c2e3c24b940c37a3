//! The keys and values that owners left behind, which their next prompts reuse.
//!
//! A conversation is asked again and again with a longer prompt, whose beginning was computed before. What one owner
//! left is never compared with the prompt of another: its speed would tell what the other had asked.

use super::Owner;
use crate::{Executor, Sequence};

/// Most sequences that are kept for one owner.
const PER_OWNER: usize = 4;

/// The sequences that are kept while there is room.
#[derive(Debug, Default)]
pub(super) struct Kept {
    sequences: Vec<KeptSequence>,
    /// Counts the sequences that were ever kept.
    clock: u64,
}

/// A sequence without a request.
#[derive(Debug)]
pub(super) struct KeptSequence {
    pub(super) owner: Owner,
    pub(super) sequence: Sequence,
    /// Positions that the cache has room for.
    pub(super) capacity: usize,
    /// The tokens whose keys and values it holds.
    pub(super) tokens: Vec<u32>,
    kept_at: u64,
}

impl KeptSequence {
    pub(super) const fn new(
        owner: Owner,
        sequence: Sequence,
        capacity: usize,
        tokens: Vec<u32>,
    ) -> Self {
        Self {
            owner,
            sequence,
            capacity,
            tokens,
            kept_at: 0,
        }
    }

    /// Positions at the beginning of `tokens` that it holds, which leave at least one token to execute.
    pub(super) fn common(&self, tokens: &[u32]) -> usize {
        let pairs = self.tokens.iter().zip(tokens);
        let common = pairs.take_while(|(kept, token)| kept == token).count();
        common.min(tokens.len().saturating_sub(1))
    }

    /// Whether a prompt that shares `common` positions continues this sequence, instead of a beginning that it has in
    /// common with it.
    pub(super) const fn is_continued(&self, common: usize) -> bool {
        2 * common >= self.tokens.len()
    }
}

impl Kept {
    /// Takes the sequence of `owner` that holds most of the beginning of `tokens`, if any holds a part of it.
    pub(super) fn take(&mut self, owner: Owner, tokens: &[u32]) -> Option<KeptSequence> {
        let (index, _) = self
            .sequences
            .iter()
            .enumerate()
            .filter(|(_, kept)| kept.owner == owner)
            .map(|(index, kept)| (index, kept.common(tokens)))
            .filter(|(_, common)| *common > 0)
            .max_by_key(|(_, common)| *common)?;
        Some(self.sequences.remove(index))
    }

    /// Keeps a sequence, in place of the oldest one of its owner if that has as many as it may have.
    pub(super) fn put(&mut self, executor: &mut dyn Executor, mut kept: KeptSequence) {
        let own = |other: &&KeptSequence| other.owner == kept.owner;
        if self.sequences.iter().filter(own).count() >= PER_OWNER {
            let oldest = self.sequences.iter().position(|other| own(&other));
            if let Some(oldest) = oldest {
                executor.close(self.sequences.remove(oldest).sequence);
            }
        }
        self.clock += 1;
        kept.kept_at = self.clock;
        self.sequences.push(kept);
    }

    /// Frees the oldest sequence of the owner that has most positions; returns whether there was one. So an owner
    /// that fills the memory loses its own sequences first.
    pub(super) fn release(&mut self, executor: &mut dyn Executor) -> bool {
        let positions = |owner: Owner| -> usize {
            let own = self.sequences.iter().filter(|kept| kept.owner == owner);
            own.map(|kept| kept.capacity).sum()
        };
        let largest = self.sequences.iter().max_by_key(|kept| {
            let age = u64::MAX - kept.kept_at;
            (positions(kept.owner), age)
        });
        let Some(sequence) = largest.map(|kept| kept.sequence) else {
            return false;
        };
        executor.close(sequence);
        self.sequences.retain(|kept| kept.sequence != sequence);
        true
    }

    /// Forgets the sequences on an executor that is gone.
    pub(super) fn forget(&mut self) {
        self.sequences.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CpuExecutor, CpuOptions};
    use noema_numerics::testing::TestModel;
    use std::sync::Arc;

    fn executor() -> CpuExecutor {
        let options = CpuOptions {
            threads: Some(1),
            ..CpuOptions::default()
        };
        CpuExecutor::new(Arc::new(TestModel::tiny(1)), options).expect("the executor starts")
    }

    fn keep(kept: &mut Kept, executor: &mut CpuExecutor, owner: u64, tokens: &[u32]) -> Sequence {
        let sequence = executor.open(tokens.len()).expect("there is room");
        let owned = KeptSequence::new(Owner(owner), sequence, tokens.len(), tokens.to_vec());
        kept.put(executor, owned);
        sequence
    }

    #[test]
    fn an_owner_reuses_the_longest_beginning_and_none_of_another() {
        let (mut kept, mut executor) = (Kept::default(), executor());
        keep(&mut kept, &mut executor, 1, &[1, 2]);
        let longer = keep(&mut kept, &mut executor, 1, &[1, 2, 3, 4]);
        assert!(kept.take(Owner(2), &[1, 2, 3, 4, 5]).is_none());
        assert!(kept.take(Owner(1), &[9, 2, 3]).is_none());
        let taken = kept.take(Owner(1), &[1, 2, 3, 4, 5]).expect("it has one");
        assert_eq!((taken.sequence, taken.common(&[1, 2, 3, 4])), (longer, 3));
        assert!(taken.is_continued(2) && !taken.is_continued(1));
    }

    #[test]
    fn an_owner_keeps_a_few_sequences_and_loses_its_own_first() {
        let (mut kept, mut executor) = (Kept::default(), executor());
        let small = keep(&mut kept, &mut executor, 2, &[7]);
        let first = keep(&mut kept, &mut executor, 1, &[0, 1]);
        for token in 1..=PER_OWNER as u32 {
            keep(&mut kept, &mut executor, 1, &[token, 1]);
        }
        assert!(kept.sequences.iter().all(|other| other.sequence != first));
        assert_eq!(kept.sequences.len(), PER_OWNER + 1);
        while kept.sequences.len() > 1 {
            assert!(kept.release(&mut executor));
        }
        assert_eq!(kept.sequences[0].sequence, small);
        assert!(kept.release(&mut executor) && !kept.release(&mut executor));
    }
}
