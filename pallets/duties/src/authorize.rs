//! Whether a duty may enter the pool and a block.

use crate::{AsDuty, Config, HotKeys, Pallet};
use alloc::vec;
use frame_support::{ensure, pallet_prelude::TransactionValidityWithRefund, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::hashing;
use sp_core::H256;
use sp_runtime::{
    traits::{SaturatedConversion, Saturating, Verify, Zero},
    transaction_validity::{InvalidTransaction, TransactionPriority, ValidTransaction},
    DispatchError, ModuleError,
};

impl<T: Config> Pallet<T> {
    /// What the hot key `key` signs to perform `duty`.
    pub fn payload(key: &T::AccountId, duty: &<T as Config>::RuntimeCall) -> H256 {
        let genesis = frame_system::BlockHash::<T>::get(BlockNumberFor::<T>::zero());
        hashing::duty_payload(genesis, key, duty)
    }

    /// Checks a duty, the cheapest first: the key, the signature, the duty itself.
    pub(crate) fn authorize_duty(
        key: &T::AccountId,
        duty: &<T as Config>::RuntimeCall,
        signature: &T::Signature,
    ) -> TransactionValidityWithRefund {
        ensure!(T::HotKeys::is_hot_key(key), InvalidTransaction::BadSigner);
        let payload = Self::payload(key, duty);
        ensure!(
            signature.verify(payload.as_bytes(), key),
            InvalidTransaction::BadProof
        );
        let duty = duty
            .as_duty(key)
            .ok_or(InvalidTransaction::Call)?
            .map_err(refusal)?;
        let now = frame_system::Pallet::<T>::block_number();
        let blocks: u64 = duty.until.saturating_sub(now).saturated_into();
        let validity = ValidTransaction {
            priority: TransactionPriority::MAX,
            requires: vec![],
            provides: vec![duty.tag],
            longevity: blocks.saturating_add(1),
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }
}

/// The reason that the pool gives: the number of the pallet's error, or that the call is not
/// expected.
fn refusal(error: DispatchError) -> InvalidTransaction {
    match error {
        DispatchError::Module(ModuleError {
            error: [number, ..],
            ..
        }) => InvalidTransaction::Custom(number),
        _ => InvalidTransaction::Call,
    }
}
