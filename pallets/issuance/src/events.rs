//! Events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    /// Events of the pallet.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An epoch ended and its subsidy was divided: the pools, the treasury's part and the unminted part
        /// add up to it.
        EpochClosed {
            /// The epoch.
            epoch: u32,
            /// Its subsidy.
            subsidy: Balance,
            /// The work done in it.
            work: PerWork<u128>,
            /// The pools from which its rewards can be claimed.
            pools: PerWork<Balance>,
            /// The amount that the treasury got.
            treasury: Balance,
            /// The amount that is never minted.
            unminted: Balance,
        },
        /// An account was paid for its work in an epoch.
        Claimed {
            /// The account.
            account: T::AccountId,
            /// The epoch.
            epoch: u32,
            /// The amount minted for it.
            amount: Balance,
        },
        /// The claim window of an epoch is over and its records are removed.
        EpochExpired {
            /// The epoch.
            epoch: u32,
            /// The amount minted for claims.
            claimed: Balance,
            /// The rounding remainder of the pools, which the treasury got.
            treasury: Balance,
            /// The unclaimed amount, which is never minted.
            unminted: Balance,
        },
    }
}
