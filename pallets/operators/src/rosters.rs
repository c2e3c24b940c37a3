//! Terms, and the rosters of the operators that can be drawn in them.

use crate::{
    BalanceOf, CandidateOf, Config, Controllers, Error, OperatorIndex, OperatorOf, Operators,
    Pallet, RosterPages, Rosters, Served, Serving, TermLength,
};
use alloc::vec::Vec;
use core::marker::PhantomData;
use frame_support::{pallet_prelude::DispatchResult, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::{Candidate, Selection, MAX_TRIES};
use noema_protocol::{CheckpointId, Role};
use noema_terms::{bond_of, weight_of, Page, Pages, Slot, TermIndex};
use sp_core::H256;
use sp_runtime::{
    traits::{CheckedDiv, Saturating, UniqueSaturatedInto},
    SaturatedConversion,
};

/// The pages of one roster in storage.
struct Stored<T> {
    checkpoint: CheckpointId,
    role: Role,
    runtime: PhantomData<T>,
}

impl<T: Config> Pages for Stored<T> {
    fn page(&self, number: u16) -> Page {
        RosterPages::<T>::get((self.checkpoint, self.role, number))
    }

    fn put(&mut self, number: u16, page: Page) {
        RosterPages::<T>::insert((self.checkpoint, self.role, number), page);
    }
}

fn stored<T: Config>(checkpoint: CheckpointId, role: Role) -> Stored<T> {
    Stored {
        checkpoint,
        role,
        runtime: PhantomData,
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// The present term.
    pub(crate) fn term() -> TermIndex {
        let length = TermLength::<T>::get();
        let index = Self::now().checked_div(&length).unwrap_or_default();
        TermIndex(index.unique_saturated_into())
    }

    /// The first block of `term`.
    pub(crate) fn first_block_of(term: TermIndex) -> BlockNumberFor<T> {
        TermLength::<T>::get().saturating_mul(term.0.into())
    }

    /// Puts the next operators that serve a checkpoint on a new page.
    #[cfg(feature = "runtime-benchmarks")]
    pub(crate) fn pad_rosters(checkpoint: CheckpointId, roles: crate::Roles) {
        for role in roles.serving() {
            Rosters::<T>::mutate(checkpoint, role, |roster| {
                roster.pad(&mut stored::<T>(checkpoint, role));
            });
        }
    }

    /// Puts an operator into the rosters of `serving` in each of its roles, or changes its weight in
    /// them, from the term after next on.
    pub(crate) fn enrol(operator: &OperatorOf<T>, serving: &mut Serving) -> DispatchResult {
        let weight = weight_of(
            operator.bond.saturated_into(),
            T::BondUnit::get().saturated_into(),
        );
        for role in operator.roles.serving() {
            let checkpoint = serving.checkpoint;
            let slot = Rosters::<T>::mutate(checkpoint, role, |roster| {
                roster.set(
                    &mut stored::<T>(checkpoint, role),
                    Self::term(),
                    operator.index,
                    serving.slot(role),
                    weight,
                )
            })
            .map_err(|_| Error::<T>::RosterFull)?;
            serving.place(role, slot);
        }
        Ok(())
    }

    /// Removes an operator from the rosters of `serving` from the term after next on.
    pub(crate) fn dismiss(operator: &OperatorOf<T>, serving: &Serving) {
        for role in operator.roles.serving() {
            let Some(slot) = serving.slot(role) else {
                continue;
            };
            Self::leave(serving.checkpoint, role, [(operator.index, slot)]);
        }
    }

    /// Frees the slots of operators in a roster from the term after next on.
    fn leave(
        checkpoint: CheckpointId,
        role: Role,
        places: impl IntoIterator<Item = (OperatorIndex, Slot)>,
    ) {
        Rosters::<T>::mutate(checkpoint, role, |roster| {
            let pages = &mut stored::<T>(checkpoint, role);
            let mut is_left = false;
            for (operator, slot) in places {
                is_left |= roster.leave(pages, Self::term(), operator, slot);
            }
            if is_left {
                Self::note_if_deserted(checkpoint, role, roster);
            }
        });
    }

    /// Sets the weight of an operator in every roster to its present bond, from the term after next on.
    pub(crate) fn reweigh(controller: &T::AccountId, operator: &OperatorOf<T>) -> DispatchResult {
        Served::<T>::try_mutate_exists(controller, |slot| {
            let Some(served) = slot else { return Ok(()) };
            served
                .iter_mut()
                .try_for_each(|serving| Self::enrol(operator, serving))
        })
    }

    /// Draws from the roster of the present term, see [`noema_interfaces::Operators::draw`].
    ///
    /// An absent operator that is hit leaves the roster from the term after next on, so that the
    /// tries of later draws are not spent on it.
    pub(crate) fn draw_present(
        role: Role,
        checkpoint: CheckpointId,
        randomness: H256,
        wanted: u32,
        mut suits: impl FnMut(&CandidateOf<T>) -> bool,
    ) -> Selection<T::AccountId, BalanceOf<T>> {
        let term = Self::term();
        let roster = Rosters::<T>::get(checkpoint, role);
        let pages = stored::<T>(checkpoint, role);
        let mut absent = Vec::new();
        let mut candidates = Vec::new();
        let tries = roster.draw_several(&pages, term, randomness, wanted, MAX_TRIES, |drawn| {
            let Some((controller, operator)) = Self::numbered(drawn.operator) else {
                return false;
            };
            if operator.is_absent() {
                absent.push((drawn.operator, drawn.slot));
            }
            if !operator.is_present(term) {
                return false;
            }
            let candidate = Self::candidate(role, term, drawn.weight, controller, &operator);
            let suitable = suits(&candidate);
            if suitable {
                candidates.push(candidate);
            }
            suitable
        });
        let count = u32::try_from(absent.len()).unwrap_or(u32::MAX);
        if !absent.is_empty() {
            Self::leave(checkpoint, role, absent);
        }
        Selection {
            candidates,
            tries,
            absent: count,
        }
    }

    /// The operators that can be drawn in the present term, in the order of their slots, each with its
    /// weight.
    pub(crate) fn present(role: Role, checkpoint: &CheckpointId) -> Vec<(CandidateOf<T>, u64)> {
        let term = Self::term();
        let pages = stored::<T>(*checkpoint, role);
        let count = Rosters::<T>::get(checkpoint, role).pages().len();
        let entries = (0..u16::try_from(count).unwrap_or(u16::MAX))
            .flat_map(|number| pages.page(number).entries().to_vec());
        entries
            .filter_map(|entry| {
                let weight = *entry.weight.at(term);
                let (controller, operator) = Self::numbered(entry.operator)?;
                let can_be_drawn = weight > 0 && operator.is_present(term);
                let candidate = Self::candidate(role, term, weight, controller, &operator);
                can_be_drawn.then_some((candidate, weight))
            })
            .collect()
    }

    /// The candidate that an operator is in a roster of the present term: it reads one page.
    pub(crate) fn present_in(
        role: Role,
        checkpoint: CheckpointId,
        controller: &T::AccountId,
    ) -> Option<CandidateOf<T>> {
        let operator = Operators::<T>::get(controller)?;
        let term = Self::term();
        let served = Served::<T>::get(controller);
        let serving = served.get(Serving::position(&served, &checkpoint)?)?;
        let slot = serving.slot(role)?;
        let page = stored::<T>(checkpoint, role).page(slot.page);
        let entry = page.entries().get(usize::from(slot.entry))?;
        let weight = *entry.weight.at(term);
        let can_be_drawn =
            entry.operator == operator.index && weight > 0 && operator.is_present(term);
        can_be_drawn.then(|| Self::candidate(role, term, weight, controller.clone(), &operator))
    }

    fn numbered(index: OperatorIndex) -> Option<(T::AccountId, OperatorOf<T>)> {
        let controller = Controllers::<T>::get(index)?;
        let operator = Operators::<T>::get(&controller)?;
        Some((controller, operator))
    }

    fn candidate(
        role: Role,
        term: TermIndex,
        weight: u64,
        controller: T::AccountId,
        operator: &OperatorOf<T>,
    ) -> CandidateOf<T> {
        let in_roster = bond_of(weight, T::BondUnit::get().saturated_into());
        let bond = operator.bond.min(in_roster.saturated_into());
        let reserved = *operator.reserved.at(term);
        let bond = bond.saturating_sub(reserved.saturating_sub(operator.chosen));
        Candidate {
            controller,
            bond,
            free: bond.saturating_sub(operator.locked),
            prices: match role {
                Role::Worker => *operator.prices.at(term),
                Role::Validator | Role::Trainer => Default::default(),
            },
            load: operator.load,
        }
    }
}
