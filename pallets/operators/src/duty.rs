//! Which calls are duties of hot keys, and until when.

use crate::{Call, Config, Devices, Endpoint, Endpoints, Error, Keys, Pallet, Presence};
use frame_support::{ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::CheckpointId;
use pallet_duties::{try_out, AsDuty, Duty, HotKeys, STANDING};
use sp_runtime::{
    traits::{CheckedDiv, Saturating},
    DispatchError,
};

type DutyOf<T> = Duty<BlockNumberFor<T>>;

impl<T: Config> HotKeys<T::AccountId> for Pallet<T> {
    fn is_hot_key(key: &T::AccountId) -> bool {
        Keys::<T>::contains_key(key)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn insert(key: &T::AccountId) {
        Keys::<T>::insert(key, key);
        // A duty that is authorized is performed, and charged for reading this again.
        let entry = Keys::<T>::hashed_key_for(key);
        frame_benchmarking::benchmarking::add_to_whitelist(entry.into());
    }
}

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    fn as_duty(
        &self,
        key: &T::AccountId,
        signed_at: BlockNumberFor<T>,
    ) -> Option<Result<DutyOf<T>, DispatchError>> {
        Some(match self {
            Call::resume {} => Pallet::<T>::resume_duty(key, signed_at),
            Call::report_device { .. } => Pallet::<T>::device_duty(key, signed_at),
            Call::set_endpoint { endpoint } => Pallet::<T>::endpoint_duty(key, endpoint, signed_at),
            Call::follow_canonical { checkpoint } => Pallet::<T>::follow_duty(key, *checkpoint),
            _ => return None,
        })
    }
}

impl<T: Config> Pallet<T> {
    fn resume_duty(
        key: &T::AccountId,
        signed_at: BlockNumberFor<T>,
    ) -> Result<DutyOf<T>, DispatchError> {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        let operator = Self::registered(&controller)?;
        Self::check_return(&operator)?;
        // A signature from before the absence was for an earlier absence.
        let is_news =
            matches!(operator.presence, Presence::AbsentSince(block) if signed_at >= block);
        ensure!(is_news, Error::<T>::NothingNew);
        // Refused only where a roster that the operator left is full meanwhile.
        try_out(|| Self::do_resume(key.clone()))?;
        Ok(Self::standing_duty("operators/resume", controller))
    }

    fn device_duty(
        key: &T::AccountId,
        signed_at: BlockNumberFor<T>,
    ) -> Result<DutyOf<T>, DispatchError> {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        let is_due = Devices::<T>::get(&controller).is_none_or(|report| {
            let age = Self::now().saturating_sub(report.at);
            age >= T::ReportPeriod::get() && signed_at > report.at
        });
        ensure!(is_due, Error::<T>::NothingNew);
        Ok(Self::standing_duty("operators/device", controller))
    }

    fn endpoint_duty(
        key: &T::AccountId,
        endpoint: &Option<Endpoint>,
        signed_at: BlockNumberFor<T>,
    ) -> Result<DutyOf<T>, DispatchError> {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        let is_news = match Endpoints::<T>::get(&controller) {
            Some(report) => {
                let is_other = report.endpoint != *endpoint;
                is_other && Self::is_quarter_past(report.at) && signed_at > report.at
            }
            None => endpoint.is_some(),
        };
        ensure!(is_news, Error::<T>::NothingNew);
        Self::check_endpoint(endpoint)?;
        Ok(Self::standing_duty("operators/endpoint", controller))
    }

    fn follow_duty(
        key: &T::AccountId,
        checkpoint: CheckpointId,
    ) -> Result<DutyOf<T>, DispatchError> {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        try_out(|| Self::do_follow_canonical(key.clone(), checkpoint))?;
        Ok(Self::standing_duty(
            "operators/follow",
            (controller, checkpoint),
        ))
    }

    fn standing_duty(name: &'static str, subject: impl codec::Encode) -> DutyOf<T> {
        Duty::new(name, subject, Self::now().saturating_add(STANDING.into()))
    }

    fn is_quarter_past(at: BlockNumberFor<T>) -> bool {
        let quarter = T::ReportPeriod::get()
            .checked_div(&4u32.into())
            .unwrap_or_default();
        Self::now().saturating_sub(at) >= quarter
    }
}
