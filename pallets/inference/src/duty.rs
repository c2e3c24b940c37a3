//! Which calls are duties of hot keys, and until when.

use crate::{Call, Config, Error, Pallet, Requests, WeightInfo};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{Receipt, RequestId};
use pallet_duties::{AsDuty, Duty};
use sp_runtime::DispatchError;

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    fn as_duty(
        &self,
        key: &T::AccountId,
        _signed_at: BlockNumberFor<T>,
    ) -> Option<Result<Duty<BlockNumberFor<T>>, DispatchError>> {
        match self {
            Call::submit_answer {
                request,
                tokens,
                text,
                receipt,
            } => {
                let duty = Pallet::<T>::answer_duty(key, *request, tokens, text, receipt);
                let checking = T::WeightInfo::verify_answer(tokens.len() as u32, text.len() as u32);
                Some(
                    duty.map(|duty| duty.checked_in(checking))
                        .map_err(Into::into),
                )
            }
            _ => None,
        }
    }
}

impl<T: Config> Pallet<T> {
    fn answer_duty(
        key: &T::AccountId,
        id: RequestId,
        tokens: &[u32],
        text: &[u8],
        receipt: &Receipt,
    ) -> Result<Duty<BlockNumberFor<T>>, Error<T>> {
        let request = Requests::<T>::get(id).ok_or(Error::<T>::RequestUnknown)?;
        let assignment = Self::check_answer(key, id, &request, tokens, text, receipt)?;
        let subject = (id, &assignment.worker);
        Ok(Duty::new("inference/answer", subject, assignment.deadline))
    }
}
