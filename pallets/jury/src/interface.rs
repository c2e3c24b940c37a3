//! The interface to other pallets: the pallet is the referee of claims.

use crate::{Backlogs, Config, Dispute, DisputeTerms, Event, OpenDispute, OpenDisputes, Pallet};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::Claim;
use noema_interfaces::{Referee, RelayRandomness as _};

impl<T: Config> Referee<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn open(claim: &Claim<T::AccountId, BlockNumberFor<T>>, leaf: u32) {
        let id = claim.id;
        if OpenDisputes::<T>::contains_key(id, leaf) {
            frame_support::defensive!("equal challenges share a dispute");
            return;
        }
        let terms = DisputeTerms::of(claim);
        let dispute = Dispute::new(id, leaf, terms, T::Claims::relay_block());
        let place = Self::enter(&dispute, Self::now());
        OpenDisputes::<T>::insert(id, leaf, OpenDispute { dispute, place });
        Self::deposit_event(Event::Opened {
            claim: id,
            leaf,
            checkpoint: terms.checkpoint,
            appeal_bond: terms.appeal_bond,
        });
    }

    fn backlog(validator: &T::AccountId) -> u64 {
        Backlogs::<T>::get(validator)
    }
}
