//! Events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A session was opened: it waits for its seed, and the amount is on hold.
        Opened {
            /// The session.
            session: SessionId,
            /// The payer.
            payer: T::AccountId,
            /// The checkpoint that answers.
            checkpoint: CheckpointId,
            /// The controller of the worker; `None` where one will be drawn.
            worker: Option<T::AccountId>,
            /// The amount on hold.
            held: Balance,
            /// The amount burned for storage.
            storage_burned: Balance,
        },
        /// A session has its worker and its seed: answers can be asked for.
        Seeded {
            /// The session.
            session: SessionId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// The prices.
            prices: SessionPrices,
            /// The session's seed.
            seed: H256,
            /// The hash of its terms, which receipts and vouchers state.
            terms: H256,
            /// The last block before it begins to close by itself.
            until: BlockNumberFor<T>,
        },
        /// The payer added to the hold.
        ToppedUp {
            /// The session.
            session: SessionId,
            /// The amount added.
            amount: Balance,
            /// The amount put on hold so far.
            held: Balance,
            /// The last block before it begins to close by itself.
            until: BlockNumberFor<T>,
        },
        /// The worker claimed the answers of a bundle.
        Claimed {
            /// The session.
            session: SessionId,
            /// The number of the claim in the session.
            number: u32,
            /// The claim.
            claim: ClaimId,
            /// The number of the answer that is its first leaf.
            first: u32,
            /// The number of its leaves.
            leaves: u32,
            /// The price of its answers.
            payment: Balance,
            /// The amount set aside for checks.
            check_fee: Balance,
            /// The amount locked of the worker's bond.
            stake: Balance,
        },
        /// A claim of a session is over, and its money was divided.
        ClaimEnded {
            /// The session.
            session: SessionId,
            /// The number of the claim in the session.
            number: u32,
            /// The claim.
            claim: ClaimId,
            /// The amount paid to the worker.
            paid: Balance,
            /// The amount returned to the payer.
            refunded: Balance,
        },
        /// The session is closing: the worker can claim its last vouchers.
        ClosingBegan {
            /// The session.
            session: SessionId,
            /// The last block for claims.
            until: BlockNumberFor<T>,
        },
        /// The session is over, and the rest of its hold was released.
        Closed {
            /// The session.
            session: SessionId,
            /// The reason.
            why: Ended,
            /// The amount released to the payer.
            released: Balance,
        },
        /// The record of a session that is over was removed.
        Pruned {
            /// The session.
            session: SessionId,
        },
    }
}
