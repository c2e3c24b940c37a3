//! Whether a duty may enter the pool and a block.

use crate::{AsDuty, Config, HotKeys, Pallet, WeightInfo, LIFETIME};
use alloc::vec;
use codec::Encode;
use frame_support::{
    dispatch::GetDispatchInfo, ensure, pallet_prelude::TransactionValidityWithRefund,
    weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::hashing;
use sp_core::H256;
use sp_runtime::{
    traits::{SaturatedConversion, Saturating, Verify},
    transaction_validity::{InvalidTransaction, TransactionPriority, ValidTransaction},
    DispatchError, ModuleError,
};

impl<T: Config> Pallet<T> {
    /// The payload that the hot key `key` signs to perform `duty`, bound to block `at`; `None` where the
    /// chain does not know the hash of that block (any longer).
    pub fn payload(
        key: &T::AccountId,
        duty: &<T as Config>::RuntimeCall,
        at: BlockNumberFor<T>,
    ) -> Option<H256> {
        let block = frame_system::BlockHash::<T>::get(at);
        (block != Default::default()).then(|| hashing::duty_payload(block, key, duty))
    }

    /// The weight of authorizing `duty` beyond the base weight of a transaction. That contains the verification of
    /// one signature, and the only one of this transaction is the hot key's.
    pub(crate) fn weight_of_authorizing(duty: &<T as Config>::RuntimeCall) -> Weight {
        let bytes = u32::try_from(duty.encoded_size()).unwrap_or(u32::MAX);
        T::WeightInfo::authorize_perform(bytes)
            .saturating_sub(T::WeightInfo::verify_signature())
            .saturating_add(duty.get_dispatch_info().call_weight)
    }

    /// Checks a duty, the cheapest first: the key, the signature, the duty itself.
    pub(crate) fn authorize_duty(
        key: &T::AccountId,
        duty: &<T as Config>::RuntimeCall,
        at: BlockNumberFor<T>,
        signature: &T::Signature,
    ) -> TransactionValidityWithRefund {
        let dies_at = Self::check_signature(key, duty, at, signature)?;
        let charged = duty.get_dispatch_info().call_weight;
        let duty = duty
            .as_duty(key, at)
            .ok_or(InvalidTransaction::Call)?
            .map_err(refusal)?;
        let unspent = duty
            .checking
            .map_or(Weight::zero(), |checking| charged.saturating_sub(checking));
        let now = frame_system::Pallet::<T>::block_number();
        let until = duty.until.min(dies_at);
        let blocks: u64 = until.saturating_sub(now).saturated_into();
        let validity = ValidTransaction {
            priority: TransactionPriority::MAX,
            requires: vec![],
            provides: vec![duty.tag],
            longevity: blocks.saturating_add(1),
            propagate: true,
        };
        Ok((validity, unspent))
    }

    /// Checks that a hot key signed `duty`, on top of a block that is young enough. Returns the last block in
    /// which the signature is good.
    pub(crate) fn check_signature(
        key: &T::AccountId,
        duty: &<T as Config>::RuntimeCall,
        at: BlockNumberFor<T>,
        signature: &T::Signature,
    ) -> Result<BlockNumberFor<T>, InvalidTransaction> {
        ensure!(T::HotKeys::is_hot_key(key), InvalidTransaction::BadSigner);
        let now = frame_system::Pallet::<T>::block_number();
        let dies_at = at.saturating_add(LIFETIME.into());
        ensure!(now <= dies_at, InvalidTransaction::AncientBirthBlock);
        let payload = Self::payload(key, duty, at).ok_or(InvalidTransaction::AncientBirthBlock)?;
        ensure!(
            signature.verify(payload.as_bytes(), key),
            InvalidTransaction::BadProof
        );
        Ok(dies_at)
    }
}

/// The custom reason of the pool's refusal: the number of the pallet's error, or that the call is not
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
