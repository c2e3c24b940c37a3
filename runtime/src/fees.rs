//! What a transaction costs besides what it buys.

use crate::{
    constants::{MICROUNIT, MILLIUNIT},
    Balance, Balances, Runtime,
};
use frame_support::{
    parameter_types,
    traits::tokens::imbalance::ResolveTo,
    weights::{constants::ExtrinsicBaseWeight, ConstantMultiplier, Weight, WeightToFee},
};
use pallet_collator_selection::StakingPotAccountId;
use pallet_transaction_payment::{Multiplier, TargetedFeeAdjustment};
use sp_runtime::{FixedPointNumber, Perquintill};

/// The fee for an empty transaction, and for each share of a block that is as scarce.
const BASE_FEE: Balance = MILLIUNIT / 10;
/// As many bytes of proof cost [`BASE_FEE`].
const PROOF_BYTES_PER_BASE_FEE: Balance = 10_000;

/// Charges for the scarcer of the two: time, or bytes of proof.
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
    /// How full blocks should be; fees rise above it and fall below it.
    pub const TargetFullness: Perquintill = Perquintill::from_percent(25);
    /// How fast they do: about 23 % in a day of full blocks every two seconds.
    pub AdjustmentSpeed: Multiplier = Multiplier::saturating_from_rational(1, 100_000);
    /// They never fall below this part of the base fee.
    pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10);
    /// They never rise above this multiple of the base fee.
    pub MaximumMultiplier: Multiplier = Multiplier::saturating_from_integer(1_000);
}

/// The fee for the bytes of a transaction.
pub type LengthToFee = ConstantMultiplier<Balance, ByteFee>;
/// How fees follow the demand.
pub type FeeAdjustment = TargetedFeeAdjustment<
    Runtime,
    TargetFullness,
    AdjustmentSpeed,
    MinimumMultiplier,
    MaximumMultiplier,
>;
/// Fees and tips go to the pot that pays block authors.
pub type ToCollators = ResolveTo<StakingPotAccountId<Runtime>, Balances>;
