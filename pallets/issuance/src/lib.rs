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

mod audit;
#[cfg(feature = "runtime-benchmarks")]
#[allow(clippy::arithmetic_side_effects)]
mod benchmarking;
mod claiming;
mod duty;
mod epochs;
mod errors;
mod events;
mod interface;
mod types;
mod view;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

pub use audit::{AuditFailure, AuditReport};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// The subsidy, and the rewards of accounts from it.
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{pallet_prelude::*, traits::fungible::Mutate, DefaultNoBound};
    use frame_system::pallet_prelude::*;
    use noema_economics::{Balance, Permill};
    use noema_interfaces::KeepWork;
    use noema_protocol::PerWork;
    use sp_runtime::traits::Zero;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The native token, which is minted.
        type Currency: Mutate<Self::AccountId, Balance = Balance>;

        /// The most that is ever minted in addition to the genesis supply.
        #[pallet::constant]
        type Pool: Get<Balance>;

        /// Epochs after which the subsidy halves.
        #[pallet::constant]
        type EpochsPerEra: Get<u32>;

        /// Blocks in an epoch, where genesis does not set them.
        #[pallet::constant]
        type EpochLength: Get<BlockNumberFor<Self>>;

        /// The part of each kind of work in the subsidy; the rest is the treasury's.
        #[pallet::constant]
        type Shares: Get<PerWork<Permill>>;

        /// Epochs after its own during which a reward can be claimed. Bounds the state. An upgrade may shorten it,
        /// not extend it: records of epochs that were settled under the shorter window are never removed.
        #[pallet::constant]
        type ClaimWindow: Get<u32>;

        /// The treasury's account. Its controller can spend the funds; this pallet only mints to it.
        #[pallet::constant]
        type TreasuryAccount: Get<Self::AccountId>;

        /// Keeps the work of accounts in the latest epoch that has any, so that most work writes no entry here.
        type Recent: KeepWork<Self::AccountId>;

        /// Weights of the call and of the hooks.
        type WeightInfo: WeightInfo;
    }

    /// The terms of the issuance, written once, at genesis.
    #[pallet::storage]
    pub type Terms<T: Config> = StorageValue<_, IssuanceTerms<BlockNumberFor<T>>, OptionQuery>;

    /// The use of all subsidies so far.
    #[pallet::storage]
    pub type Books<T: Config> = StorageValue<_, IssuanceBooks, ValueQuery>;

    /// The running epoch.
    #[pallet::storage]
    pub type CurrentEpoch<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// All work of the running epoch.
    #[pallet::storage]
    pub type RunningWork<T: Config> = StorageValue<_, PerWork<u128>, ValueQuery>;

    /// The first epoch that has not expired, or whose records are not all removed.
    #[pallet::storage]
    pub type OldestEpoch<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The epochs that ended and had work, until they expire.
    #[pallet::storage]
    pub type Epochs<T: Config> = StorageMap<_, Twox64Concat, u32, ClosedEpoch, OptionQuery>;

    /// The work of each account in each epoch, until it is paid or the epoch expires, beside that which
    /// [`Config::Recent`] keeps.
    #[pallet::storage]
    pub type WorkDone<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        u32,
        Blake2_128Concat,
        T::AccountId,
        PerWork<u64>,
        OptionQuery,
    >;

    /// The pallet's part of genesis.
    #[pallet::genesis_config]
    #[derive(DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Blocks in an epoch; `EpochLength` by default.
        pub epoch_length: Option<BlockNumberFor<T>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let epoch_length = self.epoch_length.unwrap_or_else(T::EpochLength::get);
            assert!(!epoch_length.is_zero(), "an epoch has at least one block");
            Pallet::<T>::start(epoch_length);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Closes the running epoch once its blocks are over.
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            Self::close_if_over(now)
        }

        /// Removes the records of expired epochs with the remaining weight.
        fn on_idle(_: BlockNumberFor<T>, limit: Weight) -> Weight {
            Self::expire(limit)
        }

        fn integrity_test() {
            assert!(
                !T::EpochLength::get().is_zero(),
                "an epoch has at least one block"
            );
            assert!(T::EpochsPerEra::get() > 0, "an era has at least one epoch");
            assert!(T::ClaimWindow::get() > 0, "there is time to claim");
            let shares = T::Shares::get();
            let parts = [shares.inference, shares.check, shares.training]
                .iter()
                .fold(0u32, |sum, share| sum.saturating_add(share.deconstruct()));
            assert!(
                parts <= Permill::one().deconstruct(),
                "the shares are parts of one subsidy"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_audit()
                .map(|_| ())
                .map_err(|failure| failure.as_str().into())
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Mints the reward of an account for its verified work in an epoch that has ended. Any account may
        /// call it for any other: the account is paid, not the caller. A duty where the reward is not zero:
        /// free of charge for a hot key through `duties.perform`.
        ///
        /// - `account`: the account that did the work; for an operator, its controller.
        /// - `epoch`: the number of the epoch; see the view function `pending_reward`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(origin: OriginFor<T>, account: T::AccountId, epoch: u32) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_claim(account, epoch)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The rewards of an account: those it can claim, by epoch, and its work in the running epoch.
        pub fn pending_reward(account: T::AccountId) -> PendingReward<BlockNumberFor<T>> {
            Self::reward_of(&account)
        }

        /// The subsidy of an epoch, and the most that each kind of work can get of it; `None` where the
        /// issuance never started.
        pub fn schedule(epoch: u32) -> Option<ScheduledEpoch<BlockNumberFor<T>>> {
            Self::scheduled(epoch)
        }

        /// The running epoch, and the work done in it so far; `None` where the issuance never started.
        pub fn epoch() -> Option<RunningEpoch<BlockNumberFor<T>>> {
            Self::running()
        }

        /// The cap, and the use of all subsidies so far; `None` where the issuance never started.
        pub fn supply() -> Option<Supply> {
            Self::supply_now()
        }

        /// Checks that totals, schedule, records and total issuance agree.
        pub fn audit() -> Result<AuditReport, AuditFailure> {
            Self::do_audit()
        }
    }
}
