//! Which calls are free of charge: those that a hot key without funds has to make, and only where
//! the call itself would succeed. Whatever is refused pays its fee.

use crate::{case::Case, panel, Config, Pallet};
use frame_support::storage::with_transaction;
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use noema_protocol::{interfaces::Operators, Receipt, RequestId, Verdict, VerdictReveal};
use sp_core::H256;
use sp_runtime::{DispatchError, TransactionOutcome};

impl<T: Config> Pallet<T> {
    pub(crate) fn is_free_result(
        origin: &OriginFor<T>,
        request: RequestId,
        tokens: &[u32],
        text: &[u8],
        receipt: &Receipt,
    ) -> bool {
        let (Ok(key), Ok(case)) = (ensure_signed(origin.clone()), Case::<T>::load(request)) else {
            return false;
        };
        Self::check_answer(&key, &case, tokens, text, receipt).is_ok()
    }

    pub(crate) fn is_free_commit(
        origin: &OriginFor<T>,
        request: RequestId,
        commitment: H256,
    ) -> bool {
        let Some((validator, mut case)) = Self::validator_and_case(origin, request) else {
            return false;
        };
        let now = frame_system::Pallet::<T>::block_number();
        let check = &mut case.check;
        panel::commit(
            &check.stage,
            check.seats.as_mut(),
            &validator,
            commitment,
            now,
        )
        .is_ok()
    }

    pub(crate) fn is_free_reveal(
        origin: &OriginFor<T>,
        request: RequestId,
        verdict: Verdict,
        digest: H256,
        salt: H256,
    ) -> bool {
        let Some((validator, mut case)) = Self::validator_and_case(origin, request) else {
            return false;
        };
        let now = frame_system::Pallet::<T>::block_number();
        let check = &mut case.check;
        let reveal = VerdictReveal {
            verdict,
            digest,
            salt,
        };
        let seats = check.seats.as_mut();
        panel::reveal(&check.stage, seats, request, &validator, &reveal, now).is_ok()
    }

    pub(crate) fn is_free_objection(origin: &OriginFor<T>, request: RequestId) -> bool {
        let (Ok(key), Ok(case)) = (ensure_signed(origin.clone()), Case::<T>::load(request)) else {
            return false;
        };
        let now = frame_system::Pallet::<T>::block_number();
        let Ok((validator, _)) = Self::check_objection(&key, &case, now) else {
            return false;
        };
        // Whether the bond can be tied is known by trying.
        with_transaction(|| {
            TransactionOutcome::Rollback(Ok::<_, DispatchError>(case.engage(&validator)))
        })
        .unwrap_or(false)
    }

    fn validator_and_case(
        origin: &OriginFor<T>,
        request: RequestId,
    ) -> Option<(T::AccountId, Case<T>)> {
        let key = ensure_signed(origin.clone()).ok()?;
        let validator = T::Operators::controller_of(&key)?;
        Some((validator, Case::<T>::load(request).ok()?))
    }
}
