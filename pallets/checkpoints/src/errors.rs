//! Errors of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod errors {
    /// Errors of the pallet.
    #[pallet::error]
    pub enum Error<T> {
        /// The name is empty or not UTF-8.
        NameNotText,
        /// Another family has the name.
        NameTaken,
        /// No model has these dimensions, or the variant does not apply to the layers.
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
}
