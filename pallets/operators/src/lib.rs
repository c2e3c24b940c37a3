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
mod bonding;
mod deserted;
mod duty;
mod errors;
mod events;
mod interface;
mod ledgers;
mod registering;
mod reporting;
mod rosters;
mod serving;
mod slashing;
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
#[cfg(feature = "runtime-benchmarks")]
pub use pallet_duties::BenchmarkHelper;
pub use types::*;
pub use weights::WeightInfo;

/// Operators, their bonds, keys and earnings.
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{hold, Mutate},
    };
    use frame_system::pallet_prelude::*;
    use noema_interfaces::{Checkpoints, Earning, RecordWork};
    use noema_protocol::{CheckpointId, Job, Offence, Prices, Role};
    use noema_terms::{Page, Roster, TermIndex};
    use sp_runtime::traits::{IdentifyAccount, Verify, Zero};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The native token, in which operators are bonded.
        type Currency: Mutate<Self::AccountId>
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's reasons for holding tokens.
        type RuntimeHoldReason: From<HoldReason>;

        /// Knows which checkpoints may be served.
        type Checkpoints: Checkpoints;

        /// The signatures of hot keys.
        type Signature: Parameter + Verify<Signer: IdentifyAccount<AccountId = Self::AccountId>>;

        /// The least bond with which an operator is drawn; below it a slash would be too small to deter.
        #[pallet::constant]
        type MinBond: Get<BalanceOf<Self>>;

        /// The bond that has weight one in a draw; the weight of a bond is how many times it contains this
        /// unit.
        #[pallet::constant]
        type BondUnit: Get<BalanceOf<Self>>;

        /// Blocks between two device reports that are duties of a hot key, and so free of charge. A quarter
        /// of it separates two endpoint reports.
        #[pallet::constant]
        type ReportPeriod: Get<BlockNumberFor<Self>>;

        /// Blocks between leaving and withdrawing the bond: longer than any job can stay open, so that the
        /// bond can be slashed for every offence.
        #[pallet::constant]
        type UnbondingDelay: Get<BlockNumberFor<Self>>;

        /// Most checkpoints that one operator serves.
        #[pallet::constant]
        type MaxServed: Get<u32>;

        /// Records the verified work for which operators are credited.
        type Work: RecordWork<Self::AccountId>;

        /// Makes hot keys for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId, Self::Signature>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The reasons for holding tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The bond of an operator: slashable, and released when the operator has left.
        Bond,
    }

    /// Blocks in a term.
    #[pallet::storage]
    pub type TermLength<T: Config> =
        StorageValue<_, BlockNumberFor<T>, ValueQuery, DefaultTermLength<T>>;

    /// Blocks in a term where genesis does not set them.
    #[pallet::type_value]
    pub fn DefaultTermLength<T: Config>() -> BlockNumberFor<T> {
        TERM_LENGTH.into()
    }

    /// Operators, by controller.
    #[pallet::storage]
    pub type Operators<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, OperatorOf<T>, OptionQuery>;

    /// The index that the next operator gets. Indices are never reused.
    #[pallet::storage]
    pub type NextIndex<T: Config> = StorageValue<_, OperatorIndex, ValueQuery>;

    /// The controller of each operator, by index.
    #[pallet::storage]
    pub type Controllers<T: Config> =
        StorageMap<_, Twox64Concat, OperatorIndex, T::AccountId, OptionQuery>;

    /// The controller behind each hot key.
    #[pallet::storage]
    pub type Keys<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId, OptionQuery>;

    /// The checkpoints that each operator serves, and its slots in their rosters.
    #[pallet::storage]
    pub type Served<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        BoundedVec<Serving, T::MaxServed>,
        ValueQuery,
    >;

    /// The index of the pages of each roster, by checkpoint and role.
    #[pallet::storage]
    pub type Rosters<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, CheckpointId, Twox64Concat, Role, Roster, ValueQuery>;

    /// The pages of each roster.
    #[pallet::storage]
    pub type RosterPages<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, CheckpointId>,
            NMapKey<Twox64Concat, Role>,
            NMapKey<Twox64Concat, u16>,
        ),
        Page,
        ValueQuery,
    >;

    /// Rosters that every operator has left, in that order, each with the first term that no longer reads it.
    #[pallet::storage]
    pub type Deserted<T: Config> =
        StorageMap<_, Twox64Concat, u64, (CheckpointId, Role, TermIndex), OptionQuery>;

    /// The numbers of the first of those rosters and of the next one to be entered.
    #[pallet::storage]
    pub type DesertedSpan<T: Config> = StorageValue<_, (u64, u64), ValueQuery>;

    /// The part of its bond that each operator has locked behind each job.
    #[pallet::storage]
    pub type Locks<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Twox64Concat,
        Job,
        BalanceOf<T>,
        OptionQuery,
    >;

    /// The device that each operator reported.
    #[pallet::storage]
    pub type Devices<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, DeviceReportOf<T>, OptionQuery>;

    /// Where each operator shares artefacts.
    #[pallet::storage]
    pub type Endpoints<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, EndpointReportOf<T>, OptionQuery>;

    /// The pallet's part of genesis.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Blocks in a term.
        pub term_length: BlockNumberFor<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                term_length: TERM_LENGTH.into(),
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(!self.term_length.is_zero(), "a term has at least one block");
            TermLength::<T>::put(self.term_length);
            Pallet::<T>::open_purse().expect("the purse can be given the existential deposit");
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::BondUnit::get() <= T::MinBond::get(),
                "a least bond would have no weight"
            );
            assert!(
                T::ReportPeriod::get() >= 4u32.into(),
                "ReportPeriod leaves no room between free reports"
            );
        }

        fn on_idle(_: BlockNumberFor<T>, limit: Weight) -> Weight {
            Self::forget_deserted(limit)
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
        /// Registers the caller as an operator, holds `bond` and lets `key` submit for it.
        ///
        /// The key signs without owning anything and can move no funds.
        /// `possession` is the key's signature over BLAKE2b-256 of `"noema/possession"` and the encoded
        /// genesis hash and controller. `prices` are those of a worker; a validator's are ignored.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(
            origin: OriginFor<T>,
            roles: Roles,
            key: T::AccountId,
            possession: T::Signature,
            prices: Prices<BalanceOf<T>>,
            bond: BalanceOf<T>,
        ) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::check_possession(&controller, &key, &possession)?;
            Self::do_register(controller, roles, key, prices, bond)
        }

        /// Changes the prices for requests assigned from the term after next on.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_prices())]
        pub fn set_prices(origin: OriginFor<T>, prices: Prices<BalanceOf<T>>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_set_prices(controller, prices)
        }

        /// Serves `checkpoint` in every role of the caller from the term after next on.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::serve())]
        pub fn serve(origin: OriginFor<T>, checkpoint: CheckpointId) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_serve(controller, checkpoint)
        }

        /// Stops serving `checkpoint` from the term after next on; jobs drawn until then remain to be done.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::stop_serving())]
        pub fn stop_serving(origin: OriginFor<T>, checkpoint: CheckpointId) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_stop_serving(controller, checkpoint)
        }

        /// Ends an absence; called by the hot key. A duty: free of charge through `duties.perform`. The
        /// operator can be drawn again from the term after next on, with the bond it has now.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::resume(T::MaxServed::get()))]
        pub fn resume(origin: OriginFor<T>) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_resume(key)
        }

        /// Adds `amount` to the bond of the caller; it counts in draws from the term after next on.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::bond_extra(T::MaxServed::get()))]
        pub fn bond_extra(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_bond_extra(controller, amount)
        }

        /// Starts to leave: the caller stops serving all checkpoints.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::start_unbonding(T::MaxServed::get()))]
        pub fn start_unbonding(origin: OriginFor<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_start_unbonding(controller)
        }

        /// Cancels the unbonding: the caller may serve checkpoints again.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::cancel_unbonding())]
        pub fn cancel_unbonding(origin: OriginFor<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_cancel_unbonding(controller)
        }

        /// Completes the unbonding: releases the bond, pays out the credit and deletes the record of the
        /// caller, once the unbonding delay has passed and nothing is locked.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::withdraw_bond())]
        pub fn withdraw_bond(origin: OriginFor<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_withdraw_bond(controller)
        }

        /// Lets `key` submit for the caller instead of the old one, which stops at once.
        ///
        /// `possession` is the new key's signature, as for `register`.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::rotate_key())]
        pub fn rotate_key(
            origin: OriginFor<T>,
            key: T::AccountId,
            possession: T::Signature,
        ) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::check_possession(&controller, &key, &possession)?;
            Self::do_rotate_key(controller, key)
        }

        /// Records the device that the operator runs on; called by the hot key. A duty once a report period
        /// has passed since the last report: free of charge through `duties.perform`.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::report_device())]
        pub fn report_device(origin: OriginFor<T>, device: Device) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_report_device(key, device)
        }

        /// Publishes where the operator shares artefacts, or with `None` that it no longer does; called by
        /// the hot key. A duty for another endpoint than the published one, once a quarter of the report
        /// period has passed since the last: free of charge through `duties.perform`.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::set_endpoint())]
        pub fn set_endpoint(origin: OriginFor<T>, endpoint: Option<Endpoint>) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_set_endpoint(key, endpoint)
        }

        /// Serves the canonical checkpoint of the family of `checkpoint` in its place from the term after
        /// next on; called by the hot key. A duty: free of charge through `duties.perform`. Jobs drawn until
        /// then remain to be done with `checkpoint`.
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::follow_canonical())]
        pub fn follow_canonical(origin: OriginFor<T>, checkpoint: CheckpointId) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_follow_canonical(key, checkpoint)
        }

        /// Withdraws the credit of the caller.
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_withdraw(controller)
        }

        /// Keeps `amount` of the bond of the caller from draws, from the term after next on: requests, checks and
        /// juries that it is drawn for leave that part unlocked for jobs that it chooses, such as claims of
        /// sessions. Its weight in draws stays that of the whole bond, and a draw whose stake the rest does not cover
        /// passes it over.
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::set_reserve())]
        pub fn set_reserve(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_set_reserve(controller, amount)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The record of the operator with this controller.
        pub fn operator(controller: T::AccountId) -> Option<OperatorInfoOf<T>> {
            Self::info(controller)
        }

        /// The controller that a hot key submits for.
        pub fn controller_of_key(key: T::AccountId) -> Option<T::AccountId> {
            Keys::<T>::get(key)
        }

        /// Where an operator shares artefacts; `None` if it shares none.
        pub fn endpoint(controller: T::AccountId) -> Option<Endpoint> {
            Endpoints::<T>::get(controller)?.endpoint
        }

        /// The checkpoints for which an operator has a weight in a roster of the present term or of a later
        /// one: those that it serves, and for some terms those that it served before. Reads every roster.
        pub fn drawn_for(controller: T::AccountId) -> Vec<CheckpointId> {
            Self::in_rosters(&controller)
        }

        /// The earnings, withdrawable amount and losses of an operator since it registered.
        pub fn earnings(controller: T::AccountId) -> Option<LedgerOf<T>> {
            Operators::<T>::get(controller).map(|operator| operator.ledger)
        }

        /// The present term and when the next one begins.
        pub fn present_term() -> PresentTerm<BlockNumberFor<T>> {
            Self::term_info()
        }

        /// The operators that can be drawn in `role` for `checkpoint` in the present term, with their weights
        /// and prices.
        pub fn drawable(role: Role, checkpoint: CheckpointId) -> Vec<DrawableOf<T>> {
            Self::drawables(role, &checkpoint)
        }

        /// Checks that bonds, locks, ledgers, keys and rosters agree with one another and with the
        /// balances.
        pub fn audit() -> Result<AuditReport<BalanceOf<T>>, AuditFailure> {
            Self::do_audit()
        }
    }
}
