//! Which calls are duties of hot keys, and until when.

use crate::{playing::Moved, Call, Config, Error, Pallet};
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_disputes::GameStage;
use noema_interfaces::Operators;
use noema_protocol::ClaimId;
use pallet_duties::{AsDuty, Duty};
use sp_runtime::{traits::Saturating, DispatchError};

type DutyOf<T> = Duty<BlockNumberFor<T>>;

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    fn as_duty(
        &self,
        key: &T::AccountId,
        _signed_at: BlockNumberFor<T>,
    ) -> Option<Result<DutyOf<T>, DispatchError>> {
        let duty = match self {
            Call::open_trace {
                claim,
                leaf,
                statement,
                path,
                root,
                siblings,
            } => Pallet::<T>::opened(key, *claim, *leaf, statement, path, *root, siblings)
                .and_then(|_| Pallet::<T>::opening_duty(*claim, *leaf)),
            Call::point {
                claim,
                leaf,
                node,
                hash,
                siblings,
            } => Pallet::<T>::pointed(key, *claim, *leaf, (*node, *hash), siblings)
                .and_then(|moved| Pallet::<T>::move_duty(key, *claim, *leaf, &moved)),
            Call::show {
                claim,
                leaf,
                challengers,
                row,
            } => Pallet::<T>::shown(key, *claim, *leaf, challengers, row)
                .and_then(|moved| Pallet::<T>::row_duty(*claim, *leaf, &moved)),
            Call::prove {
                claim, leaf, proof, ..
            } => Pallet::<T>::proving(key, *claim, *leaf, proof)
                .and_then(|moved| Pallet::<T>::move_duty(key, *claim, *leaf, &moved)),
            _ => return None,
        };
        Some(duty.map_err(DispatchError::from))
    }
}

impl<T: Config> Pallet<T> {
    fn opening_duty(claim: ClaimId, leaf: u32) -> Result<DutyOf<T>, Error<T>> {
        let open = Self::load(claim, leaf)?;
        match open.game.stage {
            GameStage::Opening { until } => {
                let until = Self::block_of(until);
                Ok(Duty::new("disputes/open", (claim, leaf), until))
            }
            _ => Err(Error::<T>::AlreadyOpen),
        }
    }

    /// A challenger's move: it points or proves, once in its turn. Only an operator has duties.
    fn move_duty(
        key: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
        moved: &Moved<T>,
    ) -> Result<DutyOf<T>, Error<T>> {
        ensure!(
            T::Operators::controller_of(key).is_some(),
            Error::<T>::NotAnOperator
        );
        // The line as it is before the move.
        let line =
            crate::Lines::<T>::get((claim, leaf), &moved.player).ok_or(Error::<T>::NoLine)?;
        let until = moved
            .open
            .game
            .until(&line.line)
            .ok_or(Error::<T>::NotOpen)?;
        let place = line.line.node.map(|(node, _)| node);
        let subject = (claim, leaf, &moved.player, place);
        let until = Self::block_of(until);
        Ok(Duty::new("disputes/move", subject, until))
    }

    /// The claimant's row, for the first of the challengers that it answers.
    fn row_duty(claim: ClaimId, leaf: u32, moved: &Moved<T>) -> Result<DutyOf<T>, Error<T>> {
        let (challenger, _) = moved.lines.first().ok_or(Error::<T>::OtherNode)?;
        let line = crate::Lines::<T>::get((claim, leaf), challenger).ok_or(Error::<T>::NoLine)?;
        let until = moved
            .open
            .game
            .until(&line.line)
            .ok_or(Error::<T>::NotOpen)?;
        let place = line.line.node.map(|(node, _)| node);
        let subject = (claim, leaf, challenger, place);
        let until = Self::block_of(until);
        Ok(Duty::new("disputes/row", subject, until))
    }

    /// The first block in which a game time can be reached: the last one in which a duty is surely accepted.
    fn block_of(time: BlockNumberFor<T>) -> BlockNumberFor<T> {
        let left = time.saturating_sub(Self::now());
        frame_system::Pallet::<T>::block_number().saturating_add(left)
    }
}
