//! The fees of a transaction.

use crate::{
    constants::{MICROUNIT, MILLIUNIT},
    Balance, Balances, Runtime, RuntimeCall, RuntimeOrigin,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    dispatch::{DispatchInfo, DispatchResult, PostDispatchInfo},
    pallet_prelude::{TransactionPriority, TransactionSource, TransactionValidityError},
    parameter_types,
    traits::tokens::imbalance::ResolveTo,
    weights::{constants::ExtrinsicBaseWeight, ConstantMultiplier, Weight, WeightToFee},
};
use pallet_collator_selection::StakingPotAccountId;
use pallet_transaction_payment::{Multiplier, TargetedFeeAdjustment};
use scale_info::{StaticTypeInfo, Type, TypeInfo};
use sp_runtime::{
    traits::{Implication, TransactionExtension, TransactionExtensionMetadata, ValidateResult},
    FixedPointNumber, Perquintill,
};

/// The fee for an empty transaction, and for each equally scarce share of a block.
const BASE_FEE: Balance = MILLIUNIT / 10;
/// This many bytes of proof cost [`BASE_FEE`].
const PROOF_BYTES_PER_BASE_FEE: Balance = 10_000;

/// Charges for the scarcer resource: time, or bytes of proof.
pub struct ScarcerOfTimeAndProof;

impl WeightToFee for ScarcerOfTimeAndProof {
    type Balance = Balance;

    fn weight_to_fee(weight: &Weight) -> Balance {
        let base = Balance::from(ExtrinsicBaseWeight::get().ref_time()).max(1);
        let time = Balance::from(weight.ref_time()).saturating_mul(BASE_FEE) / base;
        let proof =
            Balance::from(weight.proof_size()).saturating_mul(BASE_FEE) / PROOF_BYTES_PER_BASE_FEE;
        time.max(proof)
    }
}

parameter_types! {
    /// The fee for a byte of a transaction.
    pub const ByteFee: Balance = MICROUNIT;
    /// The target fullness of blocks; fees rise above it and fall below it.
    pub const TargetFullness: Perquintill = Perquintill::from_percent(25);
    /// The speed of the adjustment: about 23 % in a day of full blocks every two seconds.
    pub AdjustmentSpeed: Multiplier = Multiplier::saturating_from_rational(1, 100_000);
    /// Fees never fall below this part of the base fee.
    pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10);
    /// Fees never rise above this multiple of the base fee.
    pub MaximumMultiplier: Multiplier = Multiplier::saturating_from_integer(1_000);
}

/// The fee for the bytes of a transaction.
pub type LengthToFee = ConstantMultiplier<Balance, ByteFee>;
/// The adjustment of fees to demand.
pub type FeeAdjustment = TargetedFeeAdjustment<
    Runtime,
    TargetFullness,
    AdjustmentSpeed,
    MinimumMultiplier,
    MaximumMultiplier,
>;
/// Fees and tips go to the pot that pays block authors.
pub type ToCollators = ResolveTo<StakingPotAccountId<Runtime>, Balances>;

/// The weight of charging a fee. The account that pays is read and written by [`frame_system::CheckNonce`] of
/// the same transaction, which is charged for it.
pub struct FeeWeight;

impl pallet_transaction_payment::WeightInfo for FeeWeight {
    fn charge_transaction_payment() -> Weight {
        let account = <Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1);
        pallet_transaction_payment::weights::SubstrateWeight::<Runtime>::charge_transaction_payment(
        )
        .saturating_sub(account)
    }
}

/// The highest priority that a fee can buy: below that of the duties of hot keys.
pub const HIGHEST_PAID: TransactionPriority = TransactionPriority::MAX - 1;

/// Charges as `S` does, and keeps the priority below that of the duties of hot keys, however high the tip:
/// the priority of `S` grows with the tip up to the maximum.
///
/// Its name, type and encoding are those of `S`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct BehindDuties<S>(pub S);

impl<S: StaticTypeInfo> TypeInfo for BehindDuties<S> {
    type Identity = S;

    fn type_info() -> Type {
        S::type_info()
    }
}

impl<S: TransactionExtension<RuntimeCall>> TransactionExtension<RuntimeCall> for BehindDuties<S> {
    const IDENTIFIER: &'static str = S::IDENTIFIER;
    type Implicit = S::Implicit;
    type Val = S::Val;
    type Pre = S::Pre;

    fn metadata() -> Vec<TransactionExtensionMetadata> {
        S::metadata()
    }

    fn implicit(&self) -> Result<Self::Implicit, TransactionValidityError> {
        self.0.implicit()
    }

    fn weight(&self, call: &RuntimeCall) -> Weight {
        self.0.weight(call)
    }

    fn validate(
        &self,
        origin: RuntimeOrigin,
        call: &RuntimeCall,
        info: &DispatchInfo,
        len: usize,
        implicit: S::Implicit,
        inherited: &impl Implication,
        source: TransactionSource,
    ) -> ValidateResult<Self::Val, RuntimeCall> {
        let (mut validity, val, origin) = self
            .0
            .validate(origin, call, info, len, implicit, inherited, source)?;
        validity.priority = validity.priority.min(HIGHEST_PAID);
        Ok((validity, val, origin))
    }

    fn prepare(
        self,
        val: Self::Val,
        origin: &RuntimeOrigin,
        call: &RuntimeCall,
        info: &DispatchInfo,
        len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        self.0.prepare(val, origin, call, info, len)
    }

    fn post_dispatch_details(
        pre: Self::Pre,
        info: &DispatchInfo,
        post_info: &PostDispatchInfo,
        len: usize,
        result: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        S::post_dispatch_details(pre, info, post_info, len, result)
    }
}
