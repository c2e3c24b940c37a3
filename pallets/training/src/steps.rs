//! The steps of operators in a round.

use crate::{Config, Error, Event, Pallet, RoundOf, Rounds};
use frame_support::{ensure, pallet_prelude::DispatchResult, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::Operators;
use noema_protocol::{Role, RoundId};
use noema_rounds::{CheckpointClaim, Contribution, ScoreSheet};
use sp_core::H256;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_join(key: T::AccountId, id: RoundId, role: Role) -> DispatchResult {
        ensure!(role != Role::Worker, Error::<T>::NoPartForRole);
        let mut displaced = None;
        let operator = Self::step(key, id, |round, operator, now| {
            let bond = T::Operators::live_bond(role, operator).ok_or(Error::<T>::NotLive)?;
            displaced = round.make_room(role, bond, T::Operators::bond, now);
            match role {
                Role::Trainer => round.join_as_trainer(operator.clone(), now),
                Role::Validator | Role::Worker => {
                    round.join_as_validator(operator.clone(), bond, now)
                }
            }
            .map_err(Error::<T>::from)
        })?;
        if let Some(displaced) = displaced {
            T::Operators::release(&displaced, id.into());
            Self::deposit_event(Event::Displaced {
                round: id,
                operator: displaced,
                by: operator.clone(),
            });
        }
        let stake = T::FalsehoodSlash::get().mul_ceil(T::Operators::bond(&operator));
        T::Operators::lock(&operator, id.into(), stake).map_err(|_| Error::<T>::BondUnavailable)?;
        Self::deposit_event(Event::Joined {
            round: id,
            operator,
            role,
        });
        Ok(())
    }

    pub(crate) fn do_commit_contribution(
        key: T::AccountId,
        id: RoundId,
        commitment: H256,
    ) -> DispatchResult {
        let trainer = Self::step(key, id, |round, trainer, now| {
            Ok(round.commit(trainer, commitment, now)?)
        })?;
        Self::deposit_event(Event::ContributionCommitted { round: id, trainer });
        Ok(())
    }

    pub(crate) fn do_reveal_contribution(
        key: T::AccountId,
        id: RoundId,
        contribution: Contribution,
        salt: H256,
    ) -> DispatchResult {
        let trainer = Self::step(key, id, |round, trainer, now| {
            Ok(round.reveal(trainer, contribution, salt, now)?)
        })?;
        Self::deposit_event(Event::ContributionRevealed {
            round: id,
            trainer,
            contribution,
        });
        Ok(())
    }

    pub(crate) fn do_commit_scores(
        key: T::AccountId,
        id: RoundId,
        commitment: H256,
    ) -> DispatchResult {
        let validator = Self::step(key, id, |round, validator, now| {
            Ok(round.commit_scores(validator, commitment, now)?)
        })?;
        Self::deposit_event(Event::ScoresCommitted {
            round: id,
            validator,
        });
        Ok(())
    }

    pub(crate) fn do_reveal_scores(
        key: T::AccountId,
        id: RoundId,
        sheet: ScoreSheet,
        salt: H256,
    ) -> DispatchResult {
        let validator = Self::step(key, id, |round, validator, now| {
            Ok(round.reveal_scores(validator, sheet, salt, now)?)
        })?;
        Self::deposit_event(Event::ScoresRevealed {
            round: id,
            validator,
        });
        Ok(())
    }

    pub(crate) fn do_claim(
        key: T::AccountId,
        id: RoundId,
        claim: CheckpointClaim,
    ) -> DispatchResult {
        let validator = Self::step(key, id, |round, validator, now| {
            Ok(round.claim(validator, claim, now)?)
        })?;
        Self::deposit_event(Event::CheckpointClaimed {
            round: id,
            validator,
            claim,
        });
        Ok(())
    }

    pub(crate) fn do_object_to_scores(
        key: T::AccountId,
        id: RoundId,
        sheet: ScoreSheet,
    ) -> DispatchResult {
        let validator = Self::step(key, id, |round, validator, now| {
            Ok(round.object_to_scores(validator, sheet, now)?)
        })?;
        Self::report_objection(id, validator);
        Ok(())
    }

    pub(crate) fn do_object_to_claim(
        key: T::AccountId,
        id: RoundId,
        claim: CheckpointClaim,
    ) -> DispatchResult {
        let validator = Self::step(key, id, |round, validator, now| {
            Ok(round.object_to_claim(validator, claim, now)?)
        })?;
        Self::report_objection(id, validator);
        Ok(())
    }

    fn report_objection(round: RoundId, validator: T::AccountId) {
        Self::deposit_event(Event::Objected { round, validator });
        if let Some(record) = Rounds::<T>::get(round) {
            Self::deposit_event(Event::PhaseBegan {
                round,
                phase: record.phase,
            });
        }
    }

    /// One step of the operator behind a hot key. Nothing is stored where it fails.
    fn step(
        key: T::AccountId,
        id: RoundId,
        step: impl FnOnce(&mut RoundOf<T>, &T::AccountId, BlockNumberFor<T>) -> Result<(), Error<T>>,
    ) -> Result<T::AccountId, Error<T>> {
        let operator = T::Operators::controller_of(&key).ok_or(Error::<T>::NotAnOperator)?;
        let now = frame_system::Pallet::<T>::block_number();
        let mut round = Rounds::<T>::get(id).ok_or(Error::<T>::UnknownRound)?;
        step(&mut round, &operator, now)?;
        Rounds::<T>::insert(id, round);
        Ok(operator)
    }
}
