//! What the pallet tells.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A request was made and its price limit put on hold.
        Requested {
            /// The request.
            request: RequestId,
            /// Who asked.
            requester: T::AccountId,
            /// The checkpoint asked for.
            checkpoint: CheckpointId,
            /// Hash of the prompt.
            prompt_hash: H256,
            /// What is on hold.
            price_limit: Balance,
            /// The block in which it is refunded if no worker has it by then.
            expires_at: BlockNumberFor<T>,
        },
        /// A worker was drawn.
        Assigned {
            /// The request.
            request: RequestId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// The sampling seed to answer with.
            seed: H256,
            /// The last block in which the answer is accepted.
            deadline: BlockNumberFor<T>,
        },
        /// An answer was recorded. Read it in `inference.answers`.
        Answered {
            /// The request.
            request: RequestId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// Hash of the tokens and the text.
            output_hash: H256,
            /// Tokens of the answer.
            output_tokens: u32,
        },
        /// The answer was not drawn for a check; it is settled unless somebody objects.
        CheckWaived {
            /// The request.
            request: RequestId,
            /// The probability with which it would have been drawn.
            rate: Permill,
            /// The last block in which an objection is accepted.
            objection_deadline: BlockNumberFor<T>,
        },
        /// Validators were drawn to check the answer.
        CheckDrawn {
            /// The request.
            request: RequestId,
            /// The probability with which it was drawn.
            rate: Permill,
            /// The controllers of the validators.
            validators: Vec<T::AccountId>,
            /// The last block in which a commitment is accepted.
            commit_deadline: BlockNumberFor<T>,
        },
        /// A validator committed to a verdict.
        VerdictCommitted {
            /// The request.
            request: RequestId,
            /// The controller of the validator.
            validator: T::AccountId,
        },
        /// Verdicts may be revealed.
        RevealOpened {
            /// The request.
            request: RequestId,
            /// The last block in which a reveal is accepted.
            deadline: BlockNumberFor<T>,
        },
        /// A validator revealed its verdict.
        VerdictRevealed {
            /// The request.
            request: RequestId,
            /// The controller of the validator.
            validator: T::AccountId,
            /// The verdict.
            verdict: Verdict,
            /// The digest that its re-execution yielded.
            digest: H256,
        },
        /// The check found the answer valid; it is settled unless somebody objects.
        CheckPassed {
            /// The request.
            request: RequestId,
            /// The last block in which an objection is accepted.
            objection_deadline: BlockNumberFor<T>,
        },
        /// A validator objected to the answer on its own account.
        Objected {
            /// The request.
            request: RequestId,
            /// The controller of the validator.
            validator: T::AccountId,
            /// The digest that its re-execution yielded.
            digest: H256,
        },
        /// The answer was contradicted, and the dispute resolver took over.
        Disputed {
            /// The request.
            request: RequestId,
            /// The controllers of those who contradict.
            accusers: Vec<T::AccountId>,
            /// The block in which an undecided dispute is closed as inconclusive.
            deadline: BlockNumberFor<T>,
        },
        /// Validators were drawn to decide a dispute.
        CommitteeDrawn {
            /// The request.
            request: RequestId,
            /// The controllers of the validators.
            validators: Vec<T::AccountId>,
            /// The last block in which a commitment is accepted.
            commit_deadline: BlockNumberFor<T>,
        },
        /// A dispute ended.
        DisputeConcluded {
            /// The request.
            request: RequestId,
            /// What it came to.
            outcome: Outcome,
        },
        /// Final: the answer stands and everybody was paid. The amounts add up to the escrow.
        Settled {
            /// The request.
            request: RequestId,
            /// Who asked.
            requester: T::AccountId,
            /// The controller of the worker.
            worker: T::AccountId,
            /// What the worker was paid.
            worker_paid: Balance,
            /// What each validator was paid for the check.
            checks_paid: Vec<Payment<T::AccountId>>,
            /// What the requester got back.
            refunded: Balance,
            /// What was burned of the payments.
            burned: Balance,
        },
        /// Final: the requester got the whole escrow back.
        Refunded {
            /// The request.
            request: RequestId,
            /// Who asked.
            requester: T::AccountId,
            /// What the requester got back.
            amount: Balance,
            /// Why.
            reason: RefundReason,
        },
        /// A final request was removed from the state.
        Pruned {
            /// The request.
            request: RequestId,
        },
    }
}
