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
mod duty;
mod errors;
mod events;
mod families;
mod holding;
mod interface;
mod registering;
mod types;
mod view;
pub mod weights;
mod withdrawing;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

pub use audit::{AuditFailure, AuditReport};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Families, checkpoints, their lineage and their holders.
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
    use noema_interfaces::Operators;
    use noema_protocol::{CheckpointId, FamilyId};
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
        /// Registers a family: the architecture, the tokenizer, and the versions of the numerics and of the
        /// text layer that its checkpoints share.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_family())]
        pub fn register_family(
            origin: OriginFor<T>,
            name: BoundedVec<u8, T::MaxName>,
            architecture: Architecture,
            tokenizer_hash: H256,
            numerics_version: u32,
            text_layer: u32,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_register_family(
                owner,
                name,
                architecture,
                tokenizer_hash,
                numerics_version,
                text_layer,
            )
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
