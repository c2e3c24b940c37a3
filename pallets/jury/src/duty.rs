//! Which calls are duties of hot keys, and until when.

use crate::{Call, Config, DisputeStage, Error, OpenDisputeOf, Pallet};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_duties::{AsDuty, Duty};
use sp_runtime::DispatchError;

type DutyOf<T> = Duty<BlockNumberFor<T>>;

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    fn as_duty(
        &self,
        key: &T::AccountId,
        _signed_at: BlockNumberFor<T>,
    ) -> Option<Result<DutyOf<T>, DispatchError>> {
        let (name, tried) = match self {
            Call::commit_verdict {
                claim,
                leaf,
                commitment,
            } => (
                "jury/commit",
                Pallet::<T>::committed(key, *claim, *leaf, *commitment),
            ),
            Call::reveal_verdict {
                claim,
                leaf,
                verdict,
                salt,
            } => (
                "jury/reveal",
                Pallet::<T>::revealed(key, *claim, *leaf, *verdict, *salt),
            ),
            _ => return None,
        };
        Some(
            tried
                .and_then(|(juror, open)| duty::<T>(name, juror, open))
                .map_err(DispatchError::from),
        )
    }
}

fn duty<T: Config>(
    name: &'static str,
    juror: T::AccountId,
    open: OpenDisputeOf<T>,
) -> Result<DutyOf<T>, Error<T>> {
    let dispute = open.dispute;
    match dispute.stage {
        DisputeStage::Committing { until } | DisputeStage::Revealing { until } => {
            let subject = (dispute.claim, dispute.leaf, dispute.instance, juror);
            Ok(Duty::new(name, subject, until))
        }
        _ => Err(Error::<T>::TooLate),
    }
}
