//! Removes rosters that every operator has left.
//!
//! Training makes new checkpoints all the time, and operators move on to them: otherwise, the rosters of all
//! checkpoints ever served would stay in the state.

use crate::{Config, Deserted, DesertedSpan, Pallet, RosterPages, Rosters, WeightInfo};
use frame_support::{traits::Get, weights::Weight};
use noema_protocol::{CheckpointId, Role};
use noema_terms::Roster;

impl<T: Config> Pallet<T> {
    /// Schedules the removal of a roster in which no operator has a weight from the term after next on. It is
    /// removed once that term has begun, unless an operator joins it before.
    pub(crate) fn note_if_deserted(checkpoint: CheckpointId, role: Role, roster: &Roster) {
        if roster.total(Self::term().notice()) > 0 {
            return;
        }
        DesertedSpan::<T>::mutate(|(_, end)| {
            Deserted::<T>::insert(*end, (checkpoint, role, Self::term().notice()));
            *end = end.saturating_add(1);
        });
    }

    /// Removes one page of the roster that was left first, within `limit`. Returns the weight consumed.
    pub(crate) fn forget_deserted(limit: Weight) -> Weight {
        let weight = T::WeightInfo::forget_deserted();
        if weight.any_gt(limit) {
            return Weight::zero();
        }
        let (begin, end) = DesertedSpan::<T>::get();
        if begin >= end {
            return T::DbWeight::get().reads(1);
        }
        let now = Self::term();
        let Some((checkpoint, role, from)) = Deserted::<T>::get(begin) else {
            DesertedSpan::<T>::put((begin.saturating_add(1), end));
            return weight;
        };
        if now < from {
            return weight;
        }
        let mut roster = Rosters::<T>::get(checkpoint, role);
        let mut terms = now.to_notice().into_iter();
        let is_read = terms.any(|term| roster.total(term) > 0);
        match roster.pop().filter(|_| !is_read) {
            Some(page) => {
                RosterPages::<T>::remove((checkpoint, role, page));
                Rosters::<T>::insert(checkpoint, role, roster);
            }
            None => {
                if !is_read {
                    Rosters::<T>::remove(checkpoint, role);
                }
                Deserted::<T>::remove(begin);
                DesertedSpan::<T>::put((begin.saturating_add(1), end));
            }
        }
        weight
    }
}
