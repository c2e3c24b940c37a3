//! Which calls are duties of hot keys, and until when.

use crate::{Call, Config, Error, Pallet, WeightInfo};
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::Operators;
use noema_protocol::SessionId;
use noema_sessions::Voucher;
use pallet_duties::{try_out, AsDuty, Duty, STANDING};
use sp_runtime::{traits::Saturating, DispatchError};

type DutyOf<T> = Duty<BlockNumberFor<T>>;

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    fn as_duty(
        &self,
        key: &T::AccountId,
        _signed_at: BlockNumberFor<T>,
    ) -> Option<Result<DutyOf<T>, DispatchError>> {
        Some(match self {
            Call::claim { voucher, signature } => Pallet::<T>::claim_duty(key, voucher, signature),
            Call::close_session { session } => Pallet::<T>::close_duty(key, *session),
            Call::end_session { session, claimed } => {
                Pallet::<T>::end_duty(key, *session, *claimed)
            }
            _ => return None,
        })
    }
}

impl<T: Config> Pallet<T> {
    fn claim_duty(
        key: &T::AccountId,
        voucher: &Voucher,
        signature: &T::Signature,
    ) -> Result<DutyOf<T>, DispatchError> {
        // Executing the call and rolling it back shows whether the bond covers the stake.
        try_out(|| Self::do_claim(key.clone(), voucher, signature))?;
        let until = Self::stage_end(&Self::load(voucher.session)?);
        // One transaction for each bundle: the pool keeps the first of two vouchers of one.
        let subject = (voucher.session, voucher.first);
        // Nothing of what is rolled back is written to the database.
        Ok(Duty::new("sessions/claim", subject, until).checked_in(T::WeightInfo::verify_claim()))
    }

    /// Only the hot key of the worker closes as a duty: a payer pays for its calls.
    fn close_duty(key: &T::AccountId, id: SessionId) -> Result<DutyOf<T>, DispatchError> {
        let worker = T::Operators::controller_of(key).ok_or(Error::<T>::NotAnOperator)?;
        let session = Self::load(id)?;
        ensure!(session.worker == Some(worker), Error::<T>::NotWorker);
        ensure!(session.payer != *key, Error::<T>::NotWorker);
        try_out(|| Self::do_close(key.clone(), id))?;
        let until = Self::now().saturating_add(STANDING.into());
        Ok(Duty::new("sessions/close", id, until))
    }

    fn end_duty(
        key: &T::AccountId,
        id: SessionId,
        claimed: u32,
    ) -> Result<DutyOf<T>, DispatchError> {
        ensure!(
            T::Operators::controller_of(key).is_some(),
            Error::<T>::NotAnOperator
        );
        try_out(|| Self::do_end(key.clone(), id, claimed))?;
        let until = Self::now().saturating_add(STANDING.into());
        Ok(Duty::new("sessions/end", id, until))
    }
}
