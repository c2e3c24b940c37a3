//! Programmes: the families that are trained, their datasets and rules.

use crate::{
    Closed, Config, Error, Event, Families, NextRound, Pallet, Programme, Programmes, Rounds,
};
use alloc::vec::Vec;
use frame_support::traits::Get;
use frame_support::{ensure, pallet_prelude::DispatchResult, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::Lineage;
use noema_protocol::{FamilyId, RoundId};
use noema_rounds::{Dataset, Round, RoundRules, RoundRulesError};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_start_programme(
        family: FamilyId,
        dataset: Dataset,
        licence: BoundedVec<u8, T::MaxText>,
        source: BoundedVec<u8, T::MaxText>,
        rules: RoundRules<BlockNumberFor<T>>,
    ) -> DispatchResult {
        ensure!(
            !Programmes::<T>::contains_key(family),
            Error::<T>::ProgrammeExists
        );
        ensure!(
            T::Lineage::canonical(family).is_some(),
            Error::<T>::NoCanonicalCheckpoint
        );
        let is_text = |bytes: &[u8]| !bytes.is_empty() && core::str::from_utf8(bytes).is_ok();
        ensure!(is_text(&licence) && is_text(&source), Error::<T>::NotText);
        rules.check(&dataset).map_err(Self::unfit)?;
        Families::<T>::try_append(family).map_err(|()| Error::<T>::TooManyProgrammes)?;
        let mut programme = Programme {
            dataset,
            licence,
            source,
            rules,
            round: None,
            promoted: 0,
            rejected: 0,
        };
        Self::deposit_event(Event::ProgrammeStarted { family, dataset });
        programme.round = Self::open_next_round(family, dataset, rules);
        Programmes::<T>::insert(family, programme);
        Ok(())
    }

    pub(crate) fn do_stop_programme(family: FamilyId) -> DispatchResult {
        let programme = Programmes::<T>::take(family).ok_or(Error::<T>::UnknownProgramme)?;
        Families::<T>::mutate(|families| families.retain(|other| *other != family));
        if let Some((id, mut round)) = programme
            .round
            .and_then(|id| Some((id, Rounds::<T>::get(id)?)))
        {
            let effects = round.stop();
            Self::apply_effects(&mut round, effects);
            Rounds::<T>::remove(id);
        }
        for id in Closed::<T>::take(family) {
            Rounds::<T>::remove(id);
        }
        Self::deposit_event(Event::ProgrammeStopped { family });
        Ok(())
    }

    /// Opens a round of `family` from its canonical checkpoint, if it has one.
    pub(crate) fn open_next_round(
        family: FamilyId,
        dataset: Dataset,
        rules: RoundRules<BlockNumberFor<T>>,
    ) -> Option<RoundId> {
        let parent = T::Lineage::canonical(family)?;
        let id = NextRound::<T>::get();
        NextRound::<T>::put(RoundId(id.0.checked_add(1)?));
        let now = frame_system::Pallet::<T>::block_number();
        let rules = rules.granting(T::FinalityAllowance::get());
        Rounds::<T>::insert(id, Round::open(id, family, parent, dataset, rules, now));
        Self::deposit_event(Event::RoundOpened {
            round: id,
            family,
            parent,
        });
        Some(id)
    }

    /// Keeps a closed round readable, in place of the oldest one if the list is full.
    pub(crate) fn keep_closed(family: FamilyId, round: RoundId) {
        let forgotten: Vec<RoundId> = Closed::<T>::mutate(family, |closed| {
            let mut forgotten = Vec::new();
            while closed.is_full() && !closed.is_empty() {
                forgotten.push(closed.remove(0));
            }
            if closed.try_push(round).is_err() {
                forgotten.push(round);
            }
            forgotten
        });
        for id in forgotten {
            Rounds::<T>::remove(id);
        }
    }

    fn unfit(error: RoundRulesError) -> Error<T> {
        match error {
            RoundRulesError::EmptyWindow => Error::<T>::EmptyWindow,
            RoundRulesError::Contributions => Error::<T>::ContributionsOutOfRange,
            RoundRulesError::Validators => Error::<T>::ValidatorsOutOfRange,
            RoundRulesError::ShardCounts => Error::<T>::ShardCountOutOfRange,
            RoundRulesError::Dataset => Error::<T>::DatasetUnfit,
            RoundRulesError::UpdateSize => Error::<T>::UpdateSizeOutOfRange,
            RoundRulesError::Holders => Error::<T>::HoldersOutOfRange,
        }
    }
}
