//! The view functions that are more than a read of the storage.

use crate::{CheckDue, CheckStep, ClaimInfo, Claims, Config, DemandDue, Disputes, Pallet};
use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{ClaimStage, SeatState};
use noema_interfaces::Operators;
use noema_protocol::{ClaimId, Job};

impl<T: Config> Pallet<T> {
    pub(crate) fn info_of(id: ClaimId) -> Option<ClaimInfo<T::AccountId, BlockNumberFor<T>>> {
        let kept = Claims::<T>::get(id)?;
        let disputes = Disputes::<T>::iter_prefix(id)
            .map(|(leaf, challengers)| {
                let accounts = challengers.into_iter().map(|other| other.account);
                (leaf, accounts.collect())
            })
            .collect();
        Some(ClaimInfo {
            claim: kept.claim,
            job: kept.job,
            disputes,
        })
    }

    pub(crate) fn checks_of(operator: T::AccountId) -> Vec<CheckDue<BlockNumberFor<T>>> {
        let controller = T::Operators::controller_of(&operator).unwrap_or(operator);
        let mut due: Vec<_> = T::Operators::jobs(&controller)
            .into_iter()
            .filter_map(|job| match job {
                Job::Check(claim, leaf) => Self::check_of(&controller, claim, leaf),
                _ => None,
            })
            .collect();
        due.sort_by_key(|check| (check.until, check.claim, check.leaf));
        due
    }

    pub(crate) fn demands_of(operator: T::AccountId) -> Vec<DemandDue<BlockNumberFor<T>>> {
        let controller = T::Operators::controller_of(&operator).unwrap_or(operator);
        let mut due = Vec::new();
        for (claim, kept) in Claims::<T>::iter() {
            if kept.claim.terms.claimant != controller || kept.claim.outcome().is_some() {
                continue;
            }
            let open = kept.claim.demands.iter().filter(|demand| !demand.is_posted);
            due.extend(open.map(|demand| DemandDue {
                claim,
                leaf: demand.leaf,
                job: kept.job,
                until: demand.until,
            }));
        }
        due.sort_by_key(|demand| (demand.until, demand.claim, demand.leaf));
        due
    }

    fn check_of(
        controller: &T::AccountId,
        id: ClaimId,
        leaf: u32,
    ) -> Option<CheckDue<BlockNumberFor<T>>> {
        let kept = Claims::<T>::get(id)?;
        let claim = kept.claim;
        let seat = claim
            .seats
            .iter()
            .find(|seat| seat.leaf == leaf && seat.validator == *controller)?;
        let (step, until) = match (claim.stage, seat.state) {
            (ClaimStage::Committing { until }, SeatState::Seated) => (CheckStep::Commit, until),
            (ClaimStage::Revealing { until }, SeatState::Committed(_)) => {
                (CheckStep::Reveal, until)
            }
            _ => return None,
        };
        Some(CheckDue {
            claim: id,
            leaf,
            job: kept.job,
            checkpoint: claim.terms.checkpoint,
            step,
            until,
            point: seat.point,
        })
    }
}
