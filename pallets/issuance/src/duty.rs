//! Which calls are duties of hot keys, and until when.

use crate::{Call, Config, Pallet};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_duties::{AsDuty, Duty, STANDING};
use sp_runtime::{traits::Saturating, DispatchError};

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    /// A claim of a reward that is not zero is a duty of any hot key: the claim names the paid account.
    fn as_duty(
        &self,
        _key: &T::AccountId,
        _signed_at: BlockNumberFor<T>,
    ) -> Option<Result<Duty<BlockNumberFor<T>>, DispatchError>> {
        let Call::claim { account, epoch } = self else {
            return None;
        };
        let until = frame_system::Pallet::<T>::block_number().saturating_add(STANDING.into());
        let claimable = Pallet::<T>::claimable(account, *epoch);
        Some(match claimable {
            Ok(_) => Ok(Duty::new("issuance/claim", (epoch, account), until)),
            Err(error) => Err(error.into()),
        })
    }
}
