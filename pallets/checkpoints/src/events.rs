//! Events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
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
}
