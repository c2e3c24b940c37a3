//! The fee factor of messages to the relay chain, with the interface of the crate `polkadot-runtime-parachains`.
//!
//! That crate is the runtime of the relay chain. `cumulus-pallet-parachain-system` depends on it for the traits
//! below alone, and brings the pallets for staking, coretime and the exchange of assets with it: minutes of
//! compilation, for the node and again for Wasm. This crate has only these traits, with the rates of version
//! 30.0.0; a use of anything else fails to compile, and another version takes the real crate again.

#![no_std]

use core::marker::PhantomData;
use sp_runtime::{traits::Get, FixedPointNumber, FixedU128, Saturating};

/// A thousandth: the unit in which the factor grows.
const THOUSAND: u128 = 1_000;
/// What each message adds, in thousandths.
const PER_MESSAGE: u128 = 50;

/// The factor that the fees of messages are multiplied by. It grows with each message while the relay chain lags,
/// by 5 % and by 0.1 % for each kilobyte, and shrinks by 5 % in each block in which it does not.
pub trait FeeTracker {
    /// The destinations, each with its own factor.
    type Id: Copy;

    /// The lowest factor.
    const MIN_FEE_FACTOR: FixedU128 = FixedU128::from_u32(1);

    /// The present factor.
    fn get_fee_factor(id: Self::Id) -> FixedU128;

    /// Stores another factor.
    fn set_fee_factor(id: Self::Id, val: FixedU128);

    /// Raises the factor for a message of `message_size` bytes.
    fn increase_fee_factor(id: Self::Id, message_size: u128) {
        let thousandths = THOUSAND
            .saturating_add(PER_MESSAGE)
            .saturating_add(message_size / 1_024);
        let growth = FixedU128::saturating_from_rational(thousandths, THOUSAND);
        Self::set_fee_factor(id, Self::get_fee_factor(id).saturating_mul(growth));
    }

    /// Lowers the factor, at most to the lowest. Returns whether it changed.
    fn decrease_fee_factor(id: Self::Id) -> bool {
        let before = Self::get_fee_factor(id);
        let growth = FixedU128::from_rational(THOUSAND + PER_MESSAGE, THOUSAND);
        let lowered = before.const_checked_div(growth).unwrap_or(before);
        let after = lowered.max(Self::MIN_FEE_FACTOR);
        Self::set_fee_factor(id, after);
        after != before
    }
}

/// The lowest factor of a [`FeeTracker`].
pub struct GetMinFeeFactor<T>(PhantomData<T>);

impl<T: FeeTracker> Get<FixedU128> for GetMinFeeFactor<T> {
    fn get() -> FixedU128 {
        T::MIN_FEE_FACTOR
    }
}

/// What a benchmark prepares for a parachain, such as channels to it.
#[cfg(feature = "runtime-benchmarks")]
pub trait EnsureForParachain {
    /// Prepares it for this parachain.
    fn ensure(para_id: polkadot_parachain_primitives::primitives::Id);
}
