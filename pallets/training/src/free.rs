//! Which calls are free of charge: those that a hot key without funds has to make, and only where the
//! call itself would succeed. Whatever is refused pays its fee.

use crate::{Config, Pallet};
use frame_support::{pallet_prelude::DispatchResult, storage::with_transaction};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use sp_runtime::TransactionOutcome;

impl<T: Config> Pallet<T> {
    /// Whether `call` would succeed: known by trying, and undoing it.
    pub(crate) fn is_free(
        origin: &OriginFor<T>,
        call: impl FnOnce(T::AccountId) -> DispatchResult,
    ) -> bool {
        let Ok(key) = ensure_signed(origin.clone()) else {
            return false;
        };
        with_transaction(|| TransactionOutcome::Rollback(call(key))).is_ok()
    }
}
