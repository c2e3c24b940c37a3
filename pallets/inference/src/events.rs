//! Events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A request was made: it waits in the queue of its checkpoint, its price limit is on hold, and
        /// its storage is paid for.
        Requested {
            /// The request.
            request: RequestId,
            /// The requester.
            requester: T::AccountId,
            /// The requested checkpoint.
            checkpoint: CheckpointId,
            /// Hash of the prompt.
            prompt_hash: H256,
            /// The amount on hold.
            price_limit: Balance,
            /// The amount burned for storage.
            storage_burned: Balance,
            /// The first block in which it may be refunded because no worker is available.
            expires_at: BlockNumberFor<T>,
        },
        /// A worker was drawn, and its stake locked.
        Assigned {
            /// The request.
            request: RequestId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// The sampling seed to answer with.
            seed: H256,
            /// The amount locked of the worker's bond.
            stake: Balance,
            /// The last block in which the answer is accepted.
            deadline: BlockNumberFor<T>,
        },
        /// A worker missed its deadline. Unless a refund follows, the request waits again, at its former
        /// place.
        DeadlineMissed {
            /// The request.
            request: RequestId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// The part of its stake that was slashed; the rest is released.
            slashed: Balance,
            /// How many workers have missed the deadline of this request.
            attempts: u32,
        },
        /// An answer was recorded and is a claim from now on. It is in `inference.answers`.
        Answered {
            /// The request.
            request: RequestId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// The claim.
            claim: ClaimId,
            /// Hash of the tokens and the text.
            answer_hash: H256,
            /// Tokens of the answer.
            answer_tokens: u32,
        },
        /// The answer is final and all payments are made. The amounts add up to the price limit.
        Settled {
            /// The request.
            request: RequestId,
            /// The requester.
            requester: T::AccountId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// The result of the checks.
            verification: Verification,
            /// The amount paid to the worker.
            worker_paid: Balance,
            /// The amount paid to each validator, once for each check.
            validators_paid: Vec<Payment<T::AccountId>>,
            /// The amount burned of the payments.
            burned: Balance,
            /// The amount refunded to the requester.
            refunded: Balance,
        },
        /// The request is over, and the price limit was refunded to the requester.
        Refunded {
            /// The request.
            request: RequestId,
            /// The requester.
            requester: T::AccountId,
            /// The amount refunded.
            amount: Balance,
            /// The reason.
            reason: RefundReason,
        },
        /// The record of a request that is over was removed.
        Pruned {
            /// The request.
            request: RequestId,
        },
    }
}
