//! Own traces that are kept from one move of a game to the next.

use super::OwnTrace;
use sp_core::H256;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Traces that are kept at a time. Those of further games are executed again for each move.
const MOST_KEPT: usize = 8;

/// The trace of one receipt; `None` before it is executed. Held while a move is made of it.
pub type TraceSlot = Arc<Mutex<Option<OwnTrace>>>;

/// The traces that were used last.
#[derive(Default)]
pub struct KeptTraces(Mutex<VecDeque<(H256, TraceSlot)>>);

impl KeptTraces {
    /// The place for the trace of the receipt with this hash.
    pub fn slot(&self, receipt: H256) -> TraceSlot {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(other, _)| *other == receipt);
        let found = found.and_then(|found| kept.remove(found));
        let (_, slot) = found.unwrap_or_default();
        kept.push_back((receipt, slot.clone()));
        if kept.len() > MOST_KEPT {
            kept.pop_front();
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_traces_that_were_used_last_are_kept() {
        let kept = KeptTraces::default();
        let receipt = H256::from_low_u64_be;
        let first = kept.slot(receipt(0));
        for other in 1..MOST_KEPT as u64 {
            kept.slot(receipt(other));
        }
        assert!(Arc::ptr_eq(&first, &kept.slot(receipt(0))));
        let second = kept.slot(receipt(1));
        kept.slot(receipt(99));
        assert!(Arc::ptr_eq(&second, &kept.slot(receipt(1))));
        for other in 100..100 + MOST_KEPT as u64 {
            kept.slot(receipt(other));
        }
        assert!(!Arc::ptr_eq(&first, &kept.slot(receipt(0))));
    }
}
