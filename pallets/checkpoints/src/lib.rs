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

/// Families, checkpoints, their lineage and their holders.
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{hold, Mutate},
    };
    use frame_system::pallet_prelude::*;
    use noema_protocol::{interfaces::Operators, CheckpointId, FamilyId};
    use sp_core::H256;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The native token, in which deposits are held.
        type Currency: Mutate<Self::AccountId>
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's reasons for holding tokens.
        type RuntimeHoldReason: From<HoldReason>;

        /// Knows the bonded operators: only those may announce that they hold weights.
        type Operators: Operators<Self::AccountId, BalanceOf<Self>>;

        /// Decides which checkpoint of a family is canonical.
        type CanonicalOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// May withdraw and remove a checkpoint that is not its own.
        type ForceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Held from the owner of a family as long as its record exists.
        #[pallet::constant]
        type FamilyDeposit: Get<BalanceOf<Self>>;

        /// Held from the publisher of a checkpoint as long as its record exists.
        #[pallet::constant]
        type CheckpointDeposit: Get<BalanceOf<Self>>;

        /// Most bytes of a family's name.
        #[pallet::constant]
        type MaxName: Get<u32>;

        /// Most bytes of a licence identifier.
        #[pallet::constant]
        type MaxLicence: Get<u32>;

        /// Most operators that are listed as holders of one checkpoint.
        #[pallet::constant]
        type MaxHolders: Get<u32>;

        /// Most ancestors that the `lineage` view function walks.
        #[pallet::constant]
        type MaxLineage: Get<u32>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The reasons for holding tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit for a family's record.
        FamilyDeposit,
        /// The deposit for a checkpoint's record.
        CheckpointDeposit,
    }

    /// The number of the next family.
    #[pallet::storage]
    pub type NextFamily<T: Config> = StorageValue<_, FamilyId, ValueQuery>;

    /// Families.
    #[pallet::storage]
    pub type Families<T: Config> = StorageMap<_, Twox64Concat, FamilyId, FamilyOf<T>, OptionQuery>;

    /// The family of each name.
    #[pallet::storage]
    pub type FamilyNames<T: Config> =
        StorageMap<_, Blake2_128Concat, BoundedVec<u8, T::MaxName>, FamilyId, OptionQuery>;

    /// Checkpoints, by the hash of their manifest.
    #[pallet::storage]
    pub type Checkpoints<T: Config> =
        StorageMap<_, Blake2_128Concat, CheckpointId, CheckpointOf<T>, OptionQuery>;

    /// The canonical checkpoint of each family.
    #[pallet::storage]
    pub type Canonical<T: Config> =
        StorageMap<_, Twox64Concat, FamilyId, CheckpointId, OptionQuery>;

    /// The operators that announced to have the weights of each checkpoint.
    #[pallet::storage]
    pub type Holders<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        CheckpointId,
        BoundedVec<HoldingOf<T>, T::MaxHolders>,
        ValueQuery,
    >;

    /// Events of the pallet.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A family was registered.
        FamilyRegistered {
            /// Its number.
            family: FamilyId,
            /// Its name.
            name: BoundedVec<u8, T::MaxName>,
            /// The account that paid the deposit.
            owner: T::AccountId,
        },
        /// A family without checkpoints was removed and its deposit released.
        FamilyRemoved {
            /// Its number, which is not reused.
            family: FamilyId,
        },
        /// A checkpoint was registered.
        CheckpointRegistered {
            /// The hash of its manifest.
            checkpoint: CheckpointId,
            /// Its family.
            family: FamilyId,
            /// The checkpoint it was made from.
            parent: Option<CheckpointId>,
            /// The account that paid the deposit; `None` for one that a round of training made.
            publisher: Option<T::AccountId>,
        },
        /// A checkpoint was withdrawn: requests may no longer name it.
        CheckpointWithdrawn {
            /// The checkpoint.
            checkpoint: CheckpointId,
            /// Whether an origin other than the publisher withdrew it.
            forced: bool,
        },
        /// The record of a withdrawn checkpoint was removed and its deposit released.
        CheckpointRemoved {
            /// The checkpoint.
            checkpoint: CheckpointId,
        },
        /// A family has a new canonical checkpoint.
        CanonicalSet {
            /// The family.
            family: FamilyId,
            /// The one that was canonical before.
            previous: Option<CheckpointId>,
            /// The one that is canonical now.
            checkpoint: CheckpointId,
        },
        /// An operator announced to have the weights of a checkpoint.
        HoldingAnnounced {
            /// The checkpoint.
            checkpoint: CheckpointId,
            /// The operator's controller.
            holder: T::AccountId,
            /// The hash under which it shares the files.
            blob: H256,
        },
        /// An operator no longer has the weights of a checkpoint.
        HoldingRetracted {
            /// The checkpoint.
            checkpoint: CheckpointId,
            /// The operator's controller.
            holder: T::AccountId,
        },
    }

    /// Errors of the pallet.
    #[pallet::error]
    pub enum Error<T> {
        /// The name is empty or not UTF-8.
        NameNotText,
        /// Another family has the name.
        NameTaken,
        /// No model has these dimensions.
        ArchitectureImpossible,
        /// There is no family of this number.
        UnknownFamily,
        /// The caller does not own the family.
        NotOwner,
        /// The family still has checkpoints.
        FamilyInUse,
        /// The checkpoint was never registered.
        UnknownCheckpoint,
        /// The checkpoint is already registered.
        AlreadyRegistered,
        /// The parent was never registered.
        UnknownParent,
        /// The parent belongs to another family.
        ParentOfOtherFamily,
        /// The parent was never canonical. Name one that is or was, or none.
        ParentNeverCanonical,
        /// The checkpoint belongs to another family.
        OfOtherFamily,
        /// A checkpoint has at least one byte of weights.
        NoWeights,
        /// A byte cannot become any token, or a prompt of one byte leaves no room for an answer.
        NoRoomForAnswer,
        /// The licence is empty or not UTF-8.
        LicenceNotText,
        /// The caller did not publish the checkpoint.
        NotPublisher,
        /// The checkpoint was withdrawn.
        Withdrawn,
        /// The checkpoint was not withdrawn.
        StillActive,
        /// The checkpoint is canonical.
        IsCanonical,
        /// Other checkpoints were made from the checkpoint.
        HasDescendants,
        /// The caller is no bonded operator.
        NotAnOperator,
        /// The operator already announced the checkpoint under this hash.
        AlreadyHolding,
        /// The operator did not announce the checkpoint.
        NotHolding,
        /// The list of holders of the checkpoint is full.
        HoldersFull,
        /// The counter of families or descendants is exhausted.
        CountOverflow,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_audit()
                .map(|_| ())
                .map_err(|failure| failure.as_str().into())
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers a family: the architecture, tokenizer and numerics version that its checkpoints share.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_family())]
        pub fn register_family(
            origin: OriginFor<T>,
            name: BoundedVec<u8, T::MaxName>,
            architecture: Architecture,
            tokenizer_hash: H256,
            numerics_version: u32,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_register_family(owner, name, architecture, tokenizer_hash, numerics_version)
        }

        /// Registers a checkpoint under the hash of its manifest.
        ///
        /// All arguments can be recomputed from the manifest and the files it names, except `parent`: the
        /// publisher's claim of the checkpoint that the weights were made from, which is or was canonical.
        /// With `tokens`, a request is accepted only where every prompt of its size leaves room for its
        /// answer. Where a round of training makes a checkpoint of this id, its record takes the place of
        /// this one, unless this one was canonical, and the deposit is released.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::register_checkpoint())]
        #[allow(clippy::too_many_arguments)]
        pub fn register_checkpoint(
            origin: OriginFor<T>,
            checkpoint: CheckpointId,
            family: FamilyId,
            parent: Option<CheckpointId>,
            weights: Weights,
            tokens: TokenBounds,
            licence: BoundedVec<u8, T::MaxLicence>,
            source_hash: H256,
        ) -> DispatchResult {
            let publisher = ensure_signed(origin)?;
            let provenance = Provenance::Imported { source_hash };
            Self::do_register_checkpoint(
                publisher, checkpoint, family, parent, weights, tokens, licence, provenance,
            )
        }

        /// Withdraws a checkpoint: requests may no longer name it. It stays in the lineage of its
        /// descendants.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::withdraw_checkpoint())]
        pub fn withdraw_checkpoint(
            origin: OriginFor<T>,
            checkpoint: CheckpointId,
        ) -> DispatchResult {
            let publisher = Self::publisher_or_force(origin)?;
            Self::do_withdraw_checkpoint(publisher, checkpoint)
        }

        /// Removes the record of a withdrawn checkpoint without descendants, and releases its deposit.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::remove_checkpoint())]
        pub fn remove_checkpoint(origin: OriginFor<T>, checkpoint: CheckpointId) -> DispatchResult {
            let publisher = Self::publisher_or_force(origin)?;
            Self::do_remove_checkpoint(publisher, checkpoint)
        }

        /// Removes a family without checkpoints and releases its deposit.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::remove_family())]
        pub fn remove_family(origin: OriginFor<T>, family: FamilyId) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_remove_family(owner, family)
        }

        /// Makes an active checkpoint the canonical one of its family; an ancestor of the present one may
        /// become canonical again.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_canonical())]
        pub fn set_canonical(
            origin: OriginFor<T>,
            family: FamilyId,
            checkpoint: CheckpointId,
        ) -> DispatchResult {
            T::CanonicalOrigin::ensure_origin(origin)?;
            Self::do_set_canonical(family, checkpoint)
        }

        /// Announces that the caller, or the operator whose hot key it is, has the weights of an active
        /// checkpoint and shares its files under the hash `blob`. May also replace the announced hash by
        /// another. A duty for a hot key whose operator is not listed yet, while the list has room: free of
        /// charge through `duties.perform`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::announce_holding())]
        pub fn announce_holding(
            origin: OriginFor<T>,
            checkpoint: CheckpointId,
            blob: H256,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_announce_holding(who, checkpoint, blob)
        }

        /// Retracts an announcement.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::retract_holding(T::MaxHolders::get()))]
        pub fn retract_holding(origin: OriginFor<T>, checkpoint: CheckpointId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_retract_holding(who, checkpoint)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The record of a family.
        pub fn family(family: FamilyId) -> Option<FamilyOf<T>> {
            Families::<T>::get(family)
        }

        /// The record of a checkpoint.
        pub fn checkpoint(checkpoint: CheckpointId) -> Option<CheckpointOf<T>> {
            Checkpoints::<T>::get(checkpoint)
        }

        /// The canonical checkpoint of a family.
        pub fn canonical(family: FamilyId) -> Option<CheckpointId> {
            Canonical::<T>::get(family)
        }

        /// A checkpoint and its ancestors, back to the one without a parent or up to `MaxLineage` of them;
        /// empty for an unknown checkpoint.
        pub fn lineage(checkpoint: CheckpointId) -> Vec<CheckpointId> {
            Self::walk_lineage(checkpoint)
        }

        /// The bonded operators that announced to have the weights of a checkpoint, and the hash under which
        /// each shares its files.
        pub fn holders(checkpoint: CheckpointId) -> Vec<HoldingOf<T>> {
            Self::bonded_holders(checkpoint)
        }

        /// Checks that records, lineage, lists and deposits agree with one another.
        pub fn audit() -> Result<AuditReport<BalanceOf<T>>, AuditFailure> {
            Self::do_audit()
        }
    }
}
