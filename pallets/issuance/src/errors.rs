//! Errors of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod errors {
    /// Errors of the pallet.
    #[pallet::error]
    pub enum Error<T> {
        /// The epoch has not ended. Claim after its end.
        EpochNotClosed,
        /// The claim window of the epoch is over.
        EpochExpired,
        /// The account did no work in the epoch that is worth a unit, or was already paid for it.
        NothingToClaim,
        /// The account does not exist and the reward is too small to create it. Fund the account, then claim.
        CannotReceive,
    }
}
