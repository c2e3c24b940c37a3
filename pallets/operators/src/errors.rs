//! Errors of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod errors {
    /// Errors of the pallet.
    #[pallet::error]
    pub enum Error<T> {
        /// The controller is already registered.
        AlreadyRegistered,
        /// The account is no registered operator.
        NotRegistered,
        /// The account is the hot key of no operator.
        NotAKey,
        /// An operator needs at least one role.
        NoRole,
        /// The operator is no worker.
        NotAWorker,
        /// The key already submits for an operator.
        KeyTaken,
        /// The key must not be the account that holds the bond.
        KeyIsController,
        /// The hot key did not sign that it submits for the caller.
        NotPossessed,
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
        /// The roster of the checkpoint has no free slot.
        RosterFull,
        /// The endpoint has no address, or one that cannot name a machine.
        AddressImpossible,
        /// The operator is leaving.
        Leaving,
        /// The operator is not leaving.
        NotLeaving,
        /// The unbonding delay has not passed.
        TooEarly,
        /// The operator is not absent.
        NotAbsent,
        /// A part of the bond is locked behind a job that is still open.
        Locked,
        /// A part of the bond is locked behind this job already.
        AlreadyLocked,
        /// Too little of the bond is not locked yet.
        BondExhausted,
        /// There is nothing to withdraw.
        NothingToWithdraw,
        /// The report is not new, or the last one is too recent.
        NothingNew,
        /// No index is left for another operator.
        IndicesExhausted,
    }
}
