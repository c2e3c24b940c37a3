//! The view functions that are more than a read of the storage.

use crate::{
    Config, Devices, Drawable, DrawableOf, OperatorInfo, OperatorInfoOf, Operators, Pallet,
    PresentTerm, RosterPages, Served, TermLength,
};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{CheckpointId, Role};
use noema_terms::RosterEntry;

impl<T: Config> Pallet<T> {
    pub(crate) fn info(controller: T::AccountId) -> Option<OperatorInfoOf<T>> {
        let operator = Operators::<T>::get(&controller)?;
        let served = Served::<T>::get(&controller);
        Some(OperatorInfo {
            idle: Self::idle(&operator),
            operator,
            serves: served.iter().map(|serving| serving.checkpoint).collect(),
            device: Devices::<T>::get(&controller),
        })
    }

    /// The checkpoints in whose rosters an operator has a weight in the present term or in a later one.
    pub(crate) fn in_rosters(controller: &T::AccountId) -> Vec<CheckpointId> {
        let Some(operator) = Operators::<T>::get(controller) else {
            return Vec::new();
        };
        let now = Self::term();
        let stands = |entry: &RosterEntry| {
            let mut terms = now.to_notice().into_iter();
            entry.operator == operator.index && terms.any(|term| *entry.weight.at(term) > 0)
        };
        let found: BTreeSet<_> = RosterPages::<T>::iter()
            .filter(|(_, page)| page.entries().iter().any(stands))
            .map(|((checkpoint, _, _), _)| checkpoint)
            .collect();
        found.into_iter().collect()
    }

    pub(crate) fn term_info() -> PresentTerm<BlockNumberFor<T>> {
        let index = Self::term();
        PresentTerm {
            index,
            length: TermLength::<T>::get(),
            next_at: Self::first_block_of(index.after(1)),
        }
    }

    pub(crate) fn drawables(role: Role, checkpoint: &CheckpointId) -> Vec<DrawableOf<T>> {
        Self::present(role, checkpoint)
            .into_iter()
            .map(|(candidate, weight)| Drawable {
                controller: candidate.controller,
                weight,
                prices: candidate.prices,
            })
            .collect()
    }
}
