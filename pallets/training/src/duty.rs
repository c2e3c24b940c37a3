//! Which calls are duties of hot keys, and until when.

use crate::{Call, Config, Error, Pallet, Rounds};
use frame_support::dispatch::DispatchResult;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::Operators;
use noema_protocol::RoundId;
use pallet_duties::{try_out, AsDuty, Duty};
use sp_runtime::DispatchError;

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    fn as_duty(
        &self,
        key: &T::AccountId,
        _signed_at: BlockNumberFor<T>,
    ) -> Option<Result<Duty<BlockNumberFor<T>>, DispatchError>> {
        let duty = |name, round: &RoundId, step: &dyn Fn(T::AccountId) -> DispatchResult| {
            Pallet::<T>::step_duty(key, name, *round, step)
        };
        Some(match self {
            Call::join_round { round, role } => duty("training/join", round, &|key| {
                Pallet::<T>::do_join(key, *round, *role)
            }),
            Call::commit_contribution { round, commitment } => {
                duty("training/commit-contribution", round, &|key| {
                    Pallet::<T>::do_commit_contribution(key, *round, *commitment)
                })
            }
            Call::reveal_contribution {
                round,
                contribution,
                salt,
            } => duty("training/reveal-contribution", round, &|key| {
                Pallet::<T>::do_reveal_contribution(key, *round, *contribution, *salt)
            }),
            Call::commit_scores { round, commitment } => {
                duty("training/commit-scores", round, &|key| {
                    Pallet::<T>::do_commit_scores(key, *round, *commitment)
                })
            }
            Call::reveal_scores { round, sheet, salt } => {
                duty("training/reveal-scores", round, &|key| {
                    Pallet::<T>::do_reveal_scores(key, *round, sheet.clone(), *salt)
                })
            }
            Call::claim_checkpoint { round, claim } => duty("training/claim", round, &|key| {
                Pallet::<T>::do_claim(key, *round, *claim)
            }),
            Call::object_to_scores { round, sheet } => {
                duty("training/object-to-scores", round, &|key| {
                    Pallet::<T>::do_object_to_scores(key, *round, sheet.clone())
                })
            }
            Call::object_to_claim { round, claim } => {
                duty("training/object-to-claim", round, &|key| {
                    Pallet::<T>::do_object_to_claim(key, *round, *claim)
                })
            }
            _ => return None,
        })
    }
}

impl<T: Config> Pallet<T> {
    /// The duty that `step` performs: open for the phase of the round, where it would succeed.
    fn step_duty(
        key: &T::AccountId,
        name: &'static str,
        id: RoundId,
        step: &dyn Fn(T::AccountId) -> DispatchResult,
    ) -> Result<Duty<BlockNumberFor<T>>, DispatchError> {
        let operator = T::Operators::controller_of(key).ok_or(Error::<T>::NotAnOperator)?;
        let round = Rounds::<T>::get(id).ok_or(Error::<T>::UnknownRound)?;
        try_out(|| step(key.clone()))?;
        let now = frame_system::Pallet::<T>::block_number();
        let until = round.phase.until().unwrap_or(now);
        Ok(Duty::new(name, (id, operator), until))
    }
}
