//! The fee factor of messages to the relay chain, with the interface of the crate `polkadot-runtime-parachains`.
//!
//! That crate is the runtime of the relay chain. `cumulus-pallet-parachain-system` depends on it for the traits
//! below alone, and brings the pallets for staking, coretime and the exchange of assets with it: minutes of
//! compilation, for the node and again for Wasm. This crate has only these traits, with the arithmetic of version
//! 30.0.0; a use of anything else fails to compile, and another version takes the real crate again.

// Copyright (C) Parity Technologies (UK) Ltd.
// SPDX-License-Identifier: GPL-3.0-only

#![no_std]

use core::marker::PhantomData;
use sp_runtime::{traits::Get, FixedU128, Saturating};

/// The factor that the fees of messages are multiplied by.
pub trait FeeTracker {
    /// The destinations, each with its own factor.
    type Id: Copy;

    /// The lowest factor.
    const MIN_FEE_FACTOR: FixedU128 = FixedU128::from_u32(1);
    /// What each message multiplies the factor by while the relay chain lags.
    const EXPONENTIAL_FEE_BASE: FixedU128 = FixedU128::from_rational(105, 100);
    /// What each kilobyte of a message adds to that base.
    const MESSAGE_SIZE_FEE_BASE: FixedU128 = FixedU128::from_rational(1, 1000);

    /// The present factor.
    fn get_fee_factor(id: Self::Id) -> FixedU128;

    /// Stores another factor.
    fn set_fee_factor(id: Self::Id, val: FixedU128);

    /// Raises a factor for a message of `message_size` bytes.
    fn do_increase_fee_factor(fee_factor: &mut FixedU128, message_size: u128) {
        let by_size = FixedU128::from(message_size.saturating_div(1024))
            .saturating_mul(Self::MESSAGE_SIZE_FEE_BASE);
        *fee_factor = fee_factor.saturating_mul(Self::EXPONENTIAL_FEE_BASE.saturating_add(by_size));
    }

    /// Raises the factor for a message of `message_size` bytes.
    fn increase_fee_factor(id: Self::Id, message_size: u128) {
        let mut fee_factor = Self::get_fee_factor(id);
        Self::do_increase_fee_factor(&mut fee_factor, message_size);
        Self::set_fee_factor(id, fee_factor);
    }

    /// Lowers a factor, at most to the lowest. Returns whether it changed.
    fn do_decrease_fee_factor(fee_factor: &mut FixedU128) -> bool {
        const {
            assert!(Self::EXPONENTIAL_FEE_BASE.into_inner() >= FixedU128::from_u32(1).into_inner());
        }
        if *fee_factor == Self::MIN_FEE_FACTOR {
            return false;
        }
        // The base is at least one, as asserted above.
        *fee_factor = Self::MIN_FEE_FACTOR.max(*fee_factor / Self::EXPONENTIAL_FEE_BASE);
        true
    }

    /// Lowers the factor, at most to the lowest. Returns whether it changed.
    fn decrease_fee_factor(id: Self::Id) -> bool {
        let mut fee_factor = Self::get_fee_factor(id);
        let changed = Self::do_decrease_fee_factor(&mut fee_factor);
        Self::set_fee_factor(id, fee_factor);
        changed
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
