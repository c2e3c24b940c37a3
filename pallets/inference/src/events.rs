//! What the pallet tells.

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
            /// Who asked.
            requester: T::AccountId,
            /// The checkpoint that is asked.
            checkpoint: CheckpointId,
            /// Hash of the prompt.
            prompt_hash: H256,
            /// What is on hold.
            price_limit: Balance,
            /// What was burned for storage.
            storage_burned: Balance,
            /// The first block in which it may be refunded because no worker is there.
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
            /// What is locked of the worker's bond.
            stake: Balance,
            /// The last block in which the answer is accepted.
            deadline: BlockNumberFor<T>,
        },
        /// A worker let its deadline pass. Unless a refund follows, the request waits again, at the
        /// place that it had.
        DeadlineMissed {
            /// The request.
            request: RequestId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// What it lost of its stake; the rest is released.
            slashed: Balance,
            /// How many workers have missed the deadline of this request.
            attempts: u32,
        },
        /// An answer was recorded, and is a claim now. Read it in `inference.answers`.
        Answered {
            /// The request.
            request: RequestId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// The claim.
            claim: ClaimId,
            /// Hash of the tokens and the text.
            output_hash: H256,
            /// Tokens of the answer.
            output_tokens: u32,
            /// What the requester has back already: what the answer and its checks cannot cost.
            released: Balance,
        },
        /// The answer is final, and everything is paid. The amounts add up to the price limit.
        Settled {
            /// The request.
            request: RequestId,
            /// Who asked.
            requester: T::AccountId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// What the checks showed.
            verification: Verification,
            /// What the worker was paid.
            worker_paid: Balance,
            /// What each validator was paid, once for each check.
            validators_paid: Vec<Payment<T::AccountId>>,
            /// What was burned of the payments.
            burned: Balance,
            /// What the requester has back.
            refunded: Balance,
        },
        /// The request is over, and the requester has the price limit back.
        Refunded {
            /// The request.
            request: RequestId,
            /// Who asked.
            requester: T::AccountId,
            /// What the requester has back.
            amount: Balance,
            /// Why.
            reason: RefundReason,
        },
        /// The record of a request that is over was removed.
        Pruned {
            /// The request.
            request: RequestId,
        },
    }
}
