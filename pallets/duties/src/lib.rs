#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

extern crate alloc;

mod authorizing;
#[cfg(feature = "runtime-benchmarks")]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
mod benchmarking;
mod interface;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use interface::{try_out, AsDuty, Duty, HotKeys, LIFETIME, STANDING};
pub use pallet::*;
pub use weights::WeightInfo;

/// Duties of hot keys.
// The macro spells out the type of the function that authorizes the call.
#[allow(clippy::type_complexity)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::boxed::Box;
    use frame_support::{
        dispatch::{DispatchResultWithPostInfo, GetDispatchInfo, PostDispatchInfo},
        pallet_prelude::*,
    };
    use frame_system::{ensure_authorized, pallet_prelude::*, RawOrigin};
    use sp_runtime::traits::{Dispatchable, IdentifyAccount, Verify};

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The calls of the runtime, some of which are duties.
        type RuntimeCall: Parameter
            + Dispatchable<RuntimeOrigin = Self::RuntimeOrigin, PostInfo = PostDispatchInfo>
            + GetDispatchInfo
            + AsDuty<Self::AccountId, BlockNumberFor<Self>>;

        /// The signatures of hot keys.
        type Signature: Parameter + Verify<Signer: IdentifyAccount<AccountId = Self::AccountId>>;

        /// Knows which accounts are hot keys. This is checked first, so that any other account costs one
        /// read.
        type HotKeys: HotKeys<Self::AccountId>;

        /// Weights of the call.
        type WeightInfo: WeightInfo;

        /// Creates hot keys for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId, Self::Signature>;
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Performs a duty: executes it as if the hot key `key` had signed it. Free of charge.
        ///
        /// - `key`: the hot key.
        /// - `duty`: the call that the chain expects of it.
        /// - `at`: the number of a recent block, which the signature is bound to.
        /// - `signature`: the key's signature over BLAKE2b-256 of `"noema/duty"` and the encoded
        ///   hash of block `at`, key and call.
        #[pallet::call_index(0)]
        // The transaction of a duty has no signer, so no account pays for it. A call that is declared free would be free
        // in a signed transaction, too, which any account can make: it is refused only when it is executed.
        #[pallet::weight({
            let info = duty.get_dispatch_info();
            (
                T::WeightInfo::perform().saturating_add(info.call_weight),
                DispatchClass::Operational,
            )
        })]
        #[pallet::weight_of_authorize(Pallet::<T>::weight_of_authorizing(duty))]
        #[pallet::authorize(|_source, key, duty, at, signature| {
            Pallet::<T>::authorize_duty(key, duty, *at, signature)
        })]
        pub fn perform(
            origin: OriginFor<T>,
            key: T::AccountId,
            duty: Box<<T as Config>::RuntimeCall>,
            at: BlockNumberFor<T>,
            signature: T::Signature,
        ) -> DispatchResultWithPostInfo {
            ensure_authorized(origin)?;
            // Checked when the transaction was authorized.
            let _ = (at, signature);
            let done = duty.dispatch(RawOrigin::Signed(key).into())?;
            let around = T::WeightInfo::perform();
            Ok(PostDispatchInfo {
                actual_weight: done
                    .actual_weight
                    .map(|weight| weight.saturating_add(around)),
                ..done
            })
        }
    }
}
