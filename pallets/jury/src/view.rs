//! The view functions that are more than a read of the storage.

use crate::{Config, DisputeStage, JurorState, OpenDisputes, Pallet, VerdictDue, VerdictStep};
use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::Operators;
use noema_protocol::{ClaimId, Job};

impl<T: Config> Pallet<T> {
    pub(crate) fn dues_of(operator: T::AccountId) -> Vec<VerdictDue<BlockNumberFor<T>>> {
        let controller = T::Operators::controller_of(&operator).unwrap_or(operator);
        let mut dues: Vec<_> = T::Operators::jobs(&controller)
            .into_iter()
            .filter_map(|job| match job {
                Job::Dispute(claim, leaf) => Self::due_in(&controller, claim, leaf),
                _ => None,
            })
            .collect();
        dues.sort_by_key(|due| (due.until, due.claim, due.leaf));
        dues
    }

    fn due_in(
        juror: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
    ) -> Option<VerdictDue<BlockNumberFor<T>>> {
        let dispute = OpenDisputes::<T>::get(claim, leaf)?.dispute;
        if Self::has_ended(claim) {
            return None;
        }
        let state = dispute.sitting().juror(juror)?.state;
        let (step, until) = match (dispute.stage, state) {
            (DisputeStage::Committing { until }, JurorState::Seated) => {
                (VerdictStep::Commit, until)
            }
            (DisputeStage::Revealing { until }, JurorState::Committed(_)) => {
                (VerdictStep::Reveal, until)
            }
            _ => return None,
        };
        (Self::now() <= until).then_some(VerdictDue {
            claim,
            leaf,
            checkpoint: dispute.terms.checkpoint,
            step,
            until,
        })
    }
}
