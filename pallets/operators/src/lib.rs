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
mod dispatchable_impls;
mod duty;
mod interface_impl;
mod types;
mod utility_impls;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Operators, their bonds, keys and earnings.
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{hold, Mutate},
    };
    use frame_system::pallet_prelude::*;
    use noema_protocol::{
        interfaces::{Checkpoints, Earning, Offence, Prices, Role},
        CheckpointId, Job,
    };

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the pallet needs from the runtime.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The native token, in which operators are bonded.
        type Currency: Mutate<Self::AccountId>
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's reasons for holding tokens.
        type RuntimeHoldReason: From<HoldReason>;

        /// Tells which checkpoints may be served.
        type Checkpoints: Checkpoints;

        /// The least bond with which an operator is drawn; below it a conviction would cost too
        /// little to deter.
        #[pallet::constant]
        type MinBond: Get<BalanceOf<Self>>;

        /// Blocks after which an operator that gave no sign of life is no longer drawn.
        #[pallet::constant]
        type HeartbeatPeriod: Get<BlockNumberFor<Self>>;

        /// Blocks between leaving and taking the bond back: longer than any job can stay open, so
        /// that an offence is still paid for.
        #[pallet::constant]
        type UnbondingDelay: Get<BlockNumberFor<Self>>;

        /// Most checkpoints that one operator serves.
        #[pallet::constant]
        type MaxServed: Get<u32>;

        /// Most operators in one role that serve one checkpoint: what a draw has to read.
        #[pallet::constant]
        type MaxServers: Get<u32>;

        /// Most jobs that one operator is tied to at a time, so that its bond is not spread too
        /// thin.
        #[pallet::constant]
        type MaxEngagements: Get<u32>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why tokens are held.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The bond of an operator: slashable, and released when the operator has left.
        Bond,
    }

    /// Operators, by controller.
    #[pallet::storage]
    pub type Operators<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, OperatorOf<T>, OptionQuery>;

    /// The controller behind each hot key.
    #[pallet::storage]
    pub type Keys<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId, OptionQuery>;

    /// The checkpoints that each operator serves.
    #[pallet::storage]
    pub type Served<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        BoundedVec<CheckpointId, T::MaxServed>,
        ValueQuery,
    >;

    /// The operators that serve each checkpoint in each role.
    #[pallet::storage]
    pub type Servers<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        CheckpointId,
        Twox64Concat,
        Role,
        BoundedVec<T::AccountId, T::MaxServers>,
        ValueQuery,
    >;

    /// The device that each operator reported.
    #[pallet::storage]
    pub type Devices<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, DeviceReportOf<T>, OptionQuery>;

    /// Where each operator shares artefacts.
    #[pallet::storage]
    pub type Endpoints<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, EndpointReportOf<T>, OptionQuery>;

    /// What each operator earned and lost since it registered.
    #[pallet::storage]
    pub type Ledgers<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, LedgerOf<T>, ValueQuery>;

    /// What happened to operators.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An operator registered and its bond is held.
        Registered {
            /// The account that holds the bond.
            controller: T::AccountId,
            /// The hot key that submits for it.
            key: T::AccountId,
            /// What it does.
            roles: Roles,
            /// The bond.
            bond: BalanceOf<T>,
        },
        /// A worker changed what it charges.
        PricesSet {
            /// The worker.
            controller: T::AccountId,
            /// What it charges from now on.
            prices: Prices<BalanceOf<T>>,
        },
        /// An operator serves a checkpoint.
        ServingStarted {
            /// The operator.
            controller: T::AccountId,
            /// The checkpoint.
            checkpoint: CheckpointId,
        },
        /// An operator no longer serves a checkpoint.
        ServingStopped {
            /// The operator.
            controller: T::AccountId,
            /// The checkpoint.
            checkpoint: CheckpointId,
        },
        /// An operator lost its place in a full list, because it was not live or its bond smaller.
        Displaced {
            /// The operator that lost its place.
            controller: T::AccountId,
            /// The checkpoint that it no longer serves.
            checkpoint: CheckpointId,
            /// The operator that took its place.
            by: T::AccountId,
        },
        /// An operator gave a sign of life.
        HeartbeatReceived {
            /// The operator.
            controller: T::AccountId,
        },
        /// An operator reported the device it runs on.
        DeviceReported {
            /// The operator.
            controller: T::AccountId,
            /// The device.
            device: Device,
        },
        /// An operator published where it shares artefacts, or that it shares none any more.
        EndpointSet {
            /// The operator.
            controller: T::AccountId,
            /// The endpoint.
            endpoint: Option<Endpoint>,
        },
        /// An operator added to its bond.
        BondIncreased {
            /// The operator.
            controller: T::AccountId,
            /// What was added.
            amount: BalanceOf<T>,
            /// The whole bond.
            bond: BalanceOf<T>,
        },
        /// An operator is leaving: it is no longer drawn, and its bond stays slashable.
        UnbondingStarted {
            /// The operator.
            controller: T::AccountId,
            /// The block from which the bond can be withdrawn.
            withdrawable_at: BlockNumberFor<T>,
        },
        /// An operator that was leaving stays.
        UnbondingCancelled {
            /// The operator.
            controller: T::AccountId,
        },
        /// An operator left and took its bond back.
        BondWithdrawn {
            /// The former operator.
            controller: T::AccountId,
            /// What was released.
            amount: BalanceOf<T>,
        },
        /// An operator changed its hot key.
        KeyRotated {
            /// The operator.
            controller: T::AccountId,
            /// The key that no longer submits.
            old: T::AccountId,
            /// The key that submits from now on.
            new: T::AccountId,
        },
        /// An operator lost part of its bond.
        Slashed {
            /// The operator.
            controller: T::AccountId,
            /// The job in which it offended.
            job: Job,
            /// What it did.
            offence: Offence,
            /// What was paid to others.
            paid: BalanceOf<T>,
            /// What was destroyed.
            burned: BalanceOf<T>,
            /// What is left of the bond.
            bond: BalanceOf<T>,
        },
        /// An operator's bond fell below the least bond: it is not drawn until it adds to it.
        Suspended {
            /// The operator.
            controller: T::AccountId,
            /// What is left of the bond.
            bond: BalanceOf<T>,
        },
        /// An operator was paid.
        Earned {
            /// The operator.
            controller: T::AccountId,
            /// What it was paid for.
            job: Job,
            /// Why it was paid.
            kind: Earning,
            /// What it was paid.
            amount: BalanceOf<T>,
        },
    }

    /// Why an operator's call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The controller is already registered.
        AlreadyRegistered,
        /// The account is no registered operator.
        NotRegistered,
        /// The account is nobody's hot key.
        NotAKey,
        /// An operator needs at least one role.
        NoRole,
        /// The operator is no worker.
        NotAWorker,
        /// The key already submits for an operator.
        KeyTaken,
        /// The key must not be the account that holds the bond.
        KeyIsController,
        /// The bond is below the least bond.
        BondTooSmall,
        /// The checkpoint is unknown or withdrawn.
        CheckpointNotActive,
        /// The operator already serves the checkpoint.
        AlreadyServing,
        /// The operator does not serve the checkpoint.
        NotServing,
        /// The checkpoint is the canonical one of its family, or the family has none.
        NoSuccessor,
        /// The operator serves as many checkpoints as it may.
        TooManyServed,
        /// The checkpoint has as many operators as it may, all live and none with a smaller bond.
        ServersFull,
        /// An endpoint has no address, or one that can name no machine.
        AddressImpossible,
        /// The operator is leaving.
        Leaving,
        /// The operator is not leaving.
        NotLeaving,
        /// The unbonding delay has not passed.
        TooEarly,
        /// The operator is tied to a job that is still open.
        Engaged,
        /// The operator is tied to as many jobs as it may be.
        FullyEngaged,
        /// What the hot key reports is not new, or its last report is too recent.
        NothingNew,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::HeartbeatPeriod::get() >= 4u32.into(),
                "HeartbeatPeriod leaves no room for a free heartbeat"
            );
            assert!(T::MaxServers::get() > 0, "no operator could serve");
            assert!(T::MaxEngagements::get() > 0, "no operator could be drawn");
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
        /// The key signs without owning anything and can move no funds. Registering counts as a
        /// heartbeat. `prices` are what a worker charges; a validator's are ignored.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(
            origin: OriginFor<T>,
            roles: Roles,
            key: T::AccountId,
            prices: Prices<BalanceOf<T>>,
            bond: BalanceOf<T>,
        ) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_register(controller, roles, key, prices, bond)
        }

        /// Changes what a worker charges for requests assigned from now on.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_prices())]
        pub fn set_prices(origin: OriginFor<T>, prices: Prices<BalanceOf<T>>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_set_prices(controller, prices)
        }

        /// Serves `checkpoint` in every role of the caller.
        ///
        /// Where a list is full, one that is silent, suspended or leaving loses its place, or else
        /// the one with the smallest bond if the caller's is larger.
        #[pallet::call_index(2)]
        // What is measured displaces somebody on one list; with both roles it may be two.
        #[pallet::weight(T::WeightInfo::serve().saturating_mul(2))]
        pub fn serve(origin: OriginFor<T>, checkpoint: CheckpointId) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_serve(controller, checkpoint)
        }

        /// Stops serving `checkpoint`; jobs already assigned remain to be done.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::stop_serving(T::MaxServers::get()))]
        pub fn stop_serving(origin: OriginFor<T>, checkpoint: CheckpointId) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_stop_serving(controller, checkpoint)
        }

        /// Gives a sign of life; called by the hot key. A duty once a quarter of the heartbeat period
        /// has passed since the last: free of charge through `duties.perform`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::heartbeat())]
        pub fn heartbeat(origin: OriginFor<T>) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_heartbeat(key)
        }

        /// Adds `amount` to the bond of the caller.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::bond_extra())]
        pub fn bond_extra(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_bond_extra(controller, amount)
        }

        /// Begins to leave: the caller is no longer drawn.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::start_unbonding())]
        pub fn start_unbonding(origin: OriginFor<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_start_unbonding(controller)
        }

        /// Stays after all: the caller may be drawn again.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::cancel_unbonding())]
        pub fn cancel_unbonding(origin: OriginFor<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_cancel_unbonding(controller)
        }

        /// Leaves: releases the bond and forgets the caller, once the unbonding delay has passed
        /// and no job is open.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::withdraw_bond(T::MaxServed::get(), T::MaxServers::get()))]
        pub fn withdraw_bond(origin: OriginFor<T>) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_withdraw_bond(controller)
        }

        /// Lets `key` submit for the caller instead of the old one, which stops at once.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::rotate_key())]
        pub fn rotate_key(origin: OriginFor<T>, key: T::AccountId) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_rotate_key(controller, key)
        }

        /// Records the device that the operator runs on; called by the hot key. A duty once a
        /// heartbeat period has passed since the last report: free of charge through
        /// `duties.perform`.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::report_device())]
        pub fn report_device(origin: OriginFor<T>, device: Device) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_report_device(key, device)
        }

        /// Publishes where the operator shares artefacts, or with `None` that it shares none any
        /// more; called by the hot key. A duty for other than what is published, once a quarter of the
        /// heartbeat period has passed since the last: free of charge through `duties.perform`.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::set_endpoint())]
        pub fn set_endpoint(origin: OriginFor<T>, endpoint: Option<Endpoint>) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_set_endpoint(key, endpoint)
        }

        /// Serves the canonical checkpoint of the family of `checkpoint` in its place; called by the
        /// hot key. A duty: free of charge through `duties.perform`. Jobs already assigned remain to be
        /// done with `checkpoint`.
        #[pallet::call_index(12)]
        // What is measured displaces somebody on one list; with both roles it may be two.
        #[pallet::weight(T::WeightInfo::follow_canonical().saturating_mul(2))]
        pub fn follow_canonical(origin: OriginFor<T>, checkpoint: CheckpointId) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_follow_canonical(key, checkpoint)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// What is recorded of the operator with this controller.
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

        /// What an operator earned and lost since it registered, and why.
        pub fn earnings(controller: T::AccountId) -> Option<LedgerOf<T>> {
            Operators::<T>::contains_key(&controller).then(|| Ledgers::<T>::get(controller))
        }

        /// The operators that would be drawn from now in `role` for `checkpoint`: their
        /// controllers, the weights of the draw and what they charge.
        pub fn drawable(role: Role, checkpoint: CheckpointId) -> Vec<DrawableOf<T>> {
            Self::live(role, &checkpoint)
                .into_iter()
                .map(|candidate| Drawable {
                    controller: candidate.controller,
                    weight: candidate.bond,
                    prices: candidate.prices,
                })
                .collect()
        }

        /// Checks that bonds, keys and lists agree with one another and with the balances.
        pub fn audit() -> Result<AuditReport<BalanceOf<T>>, AuditFailure> {
            Self::do_audit()
        }
    }
}
