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

mod agenda;
mod answering;
mod audit;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod case;
mod checking;
mod dispute;
mod free;
pub mod panel;
mod requesting;
pub mod schedule;
mod settling;
pub mod types;
mod view;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use dispute::{Committee, Dispute, DisputeResolver};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{pallet_prelude::*, traits::fungible::MutateHold};
    use frame_system::pallet_prelude::*;
    use noema_economics::Permill;
    use noema_protocol::{
        interfaces::{BlockRandomness, Checkpoints, Operators},
        CheckpointId, Receipt, RequestId, SamplingParameters, Verdict,
    };
    use sp_core::H256;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The world outside, and the constants of the protocol.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The token that requests are paid in.
        type Currency: MutateHold<
            Self::AccountId,
            Balance = Balance,
            Reason = Self::RuntimeHoldReason,
        >;
        /// The runtime's reasons for a hold.
        type RuntimeHoldReason: From<HoldReason>;
        /// Which checkpoints may be asked.
        type Checkpoints: Checkpoints;
        /// Who answers and checks, and the bonds behind them.
        type Operators: Operators<Self::AccountId, Balance>;
        /// Randomness of the current block. Read when the block is finalized, so what an inherent
        /// brings counts.
        type Randomness: BlockRandomness;
        /// Who decides when an answer is contradicted.
        type DisputeResolver: DisputeResolver<Self::AccountId, BlockNumberFor<Self>>;
        /// The weights of the calls and of the agenda's turns.
        type WeightInfo: WeightInfo;

        /// Longest prompt, in bytes.
        #[pallet::constant]
        type MaxPromptBytes: Get<u32>;
        /// Longest answer, in tokens.
        #[pallet::constant]
        type MaxOutputTokens: Get<u32>;
        /// Longest answer, in bytes of text.
        #[pallet::constant]
        type MaxTextBytes: Get<u32>;
        /// Most requests that are not final: with it every deadline finds room in the agenda.
        #[pallet::constant]
        type MaxLiveRequests: Get<u32>;
        /// Most requests looked at in a block: bounds the weight of the hooks.
        #[pallet::constant]
        type MaxDuePerBlock: Get<u32>;

        /// Blocks a worker has, however short the answer.
        #[pallet::constant]
        type AnswerWindow: Get<BlockNumberFor<Self>>;
        /// Tokens per block that workers and validators must keep up with; windows grow by it.
        #[pallet::constant]
        type TokensPerBlock: Get<u32>;
        /// Most workers that may try a request.
        #[pallet::constant]
        type MaxAttempts: Get<u32>;
        /// Blocks after which a request without a worker is refunded.
        #[pallet::constant]
        type RequestExpiry: Get<BlockNumberFor<Self>>;
        /// Blocks between two searches for a worker or a validator that was not there.
        #[pallet::constant]
        type RetryInterval: Get<BlockNumberFor<Self>>;
        /// Blocks to commit a verdict, however short the answer.
        #[pallet::constant]
        type CommitWindow: Get<BlockNumberFor<Self>>;
        /// Blocks to reveal a verdict.
        #[pallet::constant]
        type RevealWindow: Get<BlockNumberFor<Self>>;
        /// Blocks in which validators may object before an answer is settled.
        #[pallet::constant]
        type ObjectionWindow: Get<BlockNumberFor<Self>>;
        /// Blocks after which an undecided dispute is closed as inconclusive.
        #[pallet::constant]
        type DisputeWindow: Get<BlockNumberFor<Self>>;
        /// Blocks that a final request stays readable.
        #[pallet::constant]
        type Retention: Get<BlockNumberFor<Self>>;

        /// Validators drawn for a spot check.
        #[pallet::constant]
        type CheckersPerAnswer: Get<u32>;
        /// How often validators are drawn for a spot check until enough have given a verdict.
        #[pallet::constant]
        type MaxDraws: Get<u32>;
        /// Validators drawn for the committee that decides a dispute.
        #[pallet::constant]
        type CommitteeSize: Get<u32>;
        /// Most validators that ever have a say in one request.
        #[pallet::constant]
        type MaxSeats: Get<u32>;
        /// What a check costs, as a part of the highest price of the answer.
        #[pallet::constant]
        type CheckFee: Get<Permill>;
        /// How much more than it could win a cheat is expected to lose, in percent.
        #[pallet::constant]
        type MarginPercent: Get<u32>;
        /// The least part of the answers that is checked.
        #[pallet::constant]
        type MinCheckRate: Get<Permill>;

        /// The part of the bond that a lost dispute costs.
        #[pallet::constant]
        type FalsehoodSlash: Get<Permill>;
        /// The part of the bond that a verdict given without executing costs.
        #[pallet::constant]
        type UnexecutedSlash: Get<Permill>;
        /// The part of the bond that a missed deadline costs.
        #[pallet::constant]
        type SilenceSlash: Get<Permill>;
        /// The most that a missed deadline costs.
        #[pallet::constant]
        type SilenceCap: Get<Balance>;
        /// The part of a lost bond that goes to those who were right; the rest burns.
        #[pallet::constant]
        type WinnersShare: Get<Permill>;
    }

    /// Why the pallet holds tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The price limit of a request that is not final.
        Escrow,
    }

    /// The id of the next request.
    #[pallet::storage]
    pub type NextRequestId<T: Config> = StorageValue<_, RequestId, ValueQuery>;

    /// Every request that is not pruned.
    #[pallet::storage]
    pub type Requests<T: Config> = StorageMap<_, Twox64Concat, RequestId, Request<T>>;

    /// The prompt of each request, UTF-8.
    #[pallet::storage]
    pub type Prompts<T: Config> =
        StorageMap<_, Twox64Concat, RequestId, BoundedVec<u8, T::MaxPromptBytes>>;

    /// The answer to each request that has one.
    #[pallet::storage]
    pub type Answers<T: Config> = StorageMap<_, Twox64Concat, RequestId, Answer<T>>;

    /// The validators' part in each request that has an answer.
    #[pallet::storage]
    pub type Checks<T: Config> = StorageMap<_, Twox64Concat, RequestId, Check<T>>;

    /// Which requests are looked at when a block is finalized. Every request that is not final has
    /// exactly one turn.
    #[pallet::storage]
    pub type Agenda<T: Config> = StorageMap<
        _,
        Twox64Concat,
        BlockNumberFor<T>,
        BoundedVec<RequestId, T::MaxDuePerBlock>,
        ValueQuery,
    >;

    /// How many requests are not final.
    #[pallet::storage]
    pub type LiveRequests<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// Which operator, by its controller, has a part in which request.
    #[pallet::storage]
    pub type Engagements<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, RequestId, ()>;

    /// The prices of all requests that a worker has and that are not settled: what it could win by
    /// cheating.
    #[pallet::storage]
    pub type Exposure<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Balance, ValueQuery>;

    /// Final requests in the order in which they became final, until they are pruned.
    #[pallet::storage]
    pub type FinishedQueue<T: Config> =
        StorageMap<_, Twox64Concat, u64, Finished<BlockNumberFor<T>>>;

    /// The first position of [`FinishedQueue`], and the one after the last.
    #[pallet::storage]
    pub type FinishedSpan<T: Config> = StorageValue<_, (u64, u64), ValueQuery>;

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

    #[pallet::error]
    pub enum Error<T> {
        /// The prompt is empty. Ask something.
        PromptEmpty,
        /// The prompt is longer than `MaxPromptBytes`. Shorten it.
        PromptTooLong,
        /// The prompt is not UTF-8. Send text, not binary data.
        PromptNotUtf8,
        /// `max_tokens` is 0. Ask for at least one token.
        NoTokensRequested,
        /// `max_tokens` exceeds `MaxOutputTokens` or leaves no room for the prompt in the
        /// checkpoint's context. Ask for fewer tokens.
        TooManyTokensRequested,
        /// The temperature is above 10000 thousandths. Lower it.
        TemperatureTooHigh,
        /// `top_p_milli` is not within 1 and 1000. Use 1000 to leave every token in.
        TopPOutOfRange,
        /// No checkpoint has this id. Pick one of `checkpoints.checkpoints`.
        CheckpointUnknown,
        /// The checkpoint was withdrawn. Pick an active one.
        CheckpointInactive,
        /// Every worker charges more for this request. The view function `quote` lists the limits.
        PriceLimitTooLow,
        /// The account cannot put the price limit on hold. Add funds or lower the limit.
        FundsTooLow,
        /// As many requests are open as the chain takes. Try again in a few blocks.
        TooBusy,
        /// No request has this number, or it was pruned. Check the number.
        RequestUnknown,
        /// Only the account that made the request may do this.
        NotRequester,
        /// A worker has the request, or had it: it can no longer be cancelled.
        AlreadyAssigned,
        /// The account is not the hot key of an operator. Sign with the key set in `operators`.
        NotAnOperator,
        /// The operator is not the one drawn for this. Only the worker or validator drawn may do it.
        NotAssigned,
        /// The request has an answer. The first one counts.
        AlreadyAnswered,
        /// The deadline has passed, or the request is final.
        TooLate,
        /// The time for it has not come. Reveals are accepted once `RevealOpened` was emitted, and
        /// objections once `CheckWaived` or `CheckPassed` was.
        TooEarly,
        /// The receipt names another request. Use the number given here.
        ReceiptWrongRequest,
        /// The receipt names another checkpoint. Answer from the one that was asked.
        ReceiptWrongCheckpoint,
        /// The receipt has another prompt hash. Hash the prompt as recorded.
        ReceiptWrongPrompt,
        /// The receipt has other parameters. Use those of the request.
        ReceiptWrongParameters,
        /// The receipt has another seed. Use the one in `Assigned`.
        ReceiptWrongSeed,
        /// The receipt's output hash is not that of these tokens and this text.
        ReceiptWrongOutput,
        /// The receipt's number of output tokens is not that of the tokens given.
        ReceiptWrongTokenCount,
        /// The answer has no token. An answer has at least the stop token.
        AnswerEmpty,
        /// The answer has more tokens than were asked for.
        AnswerTooLong,
        /// The answer's text is longer than `MaxTextBytes`.
        TextTooLong,
        /// The answer's text is not UTF-8.
        TextNotUtf8,
        /// A token is not in the checkpoint's vocabulary.
        TokenOutOfRange,
        /// Prompt and answer together exceed the checkpoint's context.
        ContextExceeded,
        /// The validator has committed. The first commitment counts.
        AlreadyCommitted,
        /// The validator has revealed. The first reveal counts.
        AlreadyRevealed,
        /// The validator committed to nothing, so it has nothing to reveal.
        NotCommitted,
        /// Verdict, digest and salt are not those committed. Reveal exactly what was hashed.
        CommitmentDiffers,
        /// The operator is no live validator of the request's checkpoint. Bond, serve the
        /// checkpoint and send heartbeats.
        NotAValidator,
        /// The operator has a part in this request: worker, requester or validator with a verdict.
        IsParty,
        /// The operator's bond cannot be tied to another request.
        BondUnavailable,
        /// The request is not in dispute.
        NotDisputed,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Reserves the weight of the turns taken in `on_finalize`.
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            Self::agenda_weight(now)
        }

        /// Takes the turns of this block: after the inherents, so that the block's randomness is
        /// there, and after the extrinsics, so that a deadline's own block still counts.
        fn on_finalize(now: BlockNumberFor<T>) {
            Self::take_turns(now);
        }

        /// Prunes final requests with what weight is left.
        fn on_idle(now: BlockNumberFor<T>, limit: Weight) -> Weight {
            Self::prune(now, limit)
        }

        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_audit().map_err(|error| {
                log_audit_error::<T>(&error);
                sp_runtime::TryRuntimeError::Other("inference: the audit found a difference")
            })
        }
    }

    #[cfg(feature = "try-runtime")]
    fn log_audit_error<T: Config>(error: &AuditError<T::AccountId>) {
        frame_support::__private::log::error!(target: "runtime::inference", "{error:?}");
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Ask a checkpoint. Your price limit is put on hold; what is not spent comes back when the
        /// request ends, and all of it if no valid answer arrives.
        ///
        /// - `checkpoint`: which model, by the id of its checkpoint.
        /// - `prompt`: what you ask, as UTF-8 text.
        /// - `parameters`: most tokens of the answer, and how they are sampled; temperature 0
        ///   always takes the most likely token, top-k 0 and top-p 1000 leave all in.
        /// - `price_limit`: the most you pay, in the smallest unit; see the view function `quote`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::request_inference(prompt.len() as u32, T::Operators::max_candidates()))]
        pub fn request_inference(
            origin: OriginFor<T>,
            checkpoint: CheckpointId,
            prompt: Vec<u8>,
            parameters: SamplingParameters,
            price_limit: Balance,
        ) -> DispatchResult {
            let requester = ensure_signed(origin)?;
            Self::do_request(requester, checkpoint, prompt, parameters, price_limit)
        }

        /// Take a request back while no worker has it. The escrow is released at once.
        ///
        /// - `request`: the number of your request.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::cancel_request())]
        pub fn cancel_request(origin: OriginFor<T>, request: RequestId) -> DispatchResult {
            let requester = ensure_signed(origin)?;
            Self::do_cancel(requester, request)
        }

        /// Answer a request, signed by the hot key of the worker that was drawn. Free of charge
        /// for an answer that is accepted.
        ///
        /// - `request`: the number of the request.
        /// - `tokens`: the answer as token ids, a closing stop token included.
        /// - `text`: the answer as UTF-8 text.
        /// - `receipt`: what you state about the answer; every field is compared with the record.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::submit_result(tokens.len() as u32, text.len() as u32))]
        #[pallet::feeless_if(|origin: &OriginFor<T>, request: &RequestId, tokens: &Vec<u32>, text: &Vec<u8>, receipt: &Receipt| -> bool {
            Pallet::<T>::is_free_result(origin, *request, tokens, text, receipt)
        })]
        pub fn submit_result(
            origin: OriginFor<T>,
            request: RequestId,
            tokens: Vec<u32>,
            text: Vec<u8>,
            receipt: Receipt,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_submit(key, request, tokens, text, receipt)
        }

        /// Commit to a verdict, signed by the hot key of a validator that was drawn. Free of
        /// charge where it is accepted.
        ///
        /// - `request`: the number of the request.
        /// - `commitment`: BLAKE2b-256 of `"noema/verdict"` and the encoded request number,
        ///   controller, verdict, digest and salt.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::commit_verdict())]
        #[pallet::feeless_if(|origin: &OriginFor<T>, request: &RequestId, commitment: &H256| -> bool {
            Pallet::<T>::is_free_commit(origin, *request, *commitment)
        })]
        pub fn commit_verdict(
            origin: OriginFor<T>,
            request: RequestId,
            commitment: H256,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_commit(key, request, commitment)
        }

        /// Reveal the verdict you committed to, once everybody has committed or the time for it is
        /// over. Free of charge where it is accepted.
        ///
        /// - `request`: the number of the request.
        /// - `verdict`: whether the answer and every count in its receipt are what the checkpoint
        ///   yields.
        /// - `digest`: the digest of your own execution of prompt and answer.
        /// - `salt`: the random bytes in your commitment.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::reveal_verdict())]
        #[pallet::feeless_if(|origin: &OriginFor<T>, request: &RequestId, verdict: &Verdict, digest: &H256, salt: &H256| -> bool {
            Pallet::<T>::is_free_reveal(origin, *request, *verdict, *digest, *salt)
        })]
        pub fn reveal_verdict(
            origin: OriginFor<T>,
            request: RequestId,
            verdict: Verdict,
            digest: H256,
            salt: H256,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_reveal(key, request, verdict, digest, salt)
        }

        /// Contradict an answer that is about to be settled, signed by the hot key or the
        /// controller of any live validator of the checkpoint. It opens a dispute; whoever loses
        /// it loses part of the bond. Free of charge where it is accepted.
        ///
        /// - `request`: the number of the request.
        /// - `digest`: the digest of your own execution of prompt and answer.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::object(T::Operators::max_candidates()))]
        #[pallet::feeless_if(|origin: &OriginFor<T>, request: &RequestId, _digest: &H256| -> bool {
            Pallet::<T>::is_free_objection(origin, *request)
        })]
        pub fn object(origin: OriginFor<T>, request: RequestId, digest: H256) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_object(key, request, digest)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// What a request would cost now, by worker; `None` for a checkpoint that cannot be asked.
        pub fn quote(
            checkpoint: CheckpointId,
            prompt_bytes: u32,
            parameters: SamplingParameters,
        ) -> Option<PriceList<T::AccountId>> {
            Self::price_list(&checkpoint, prompt_bytes, &parameters)
        }

        /// Everything known of a request; `None` if there is none of this number or it was pruned.
        pub fn request_state(
            request: RequestId,
        ) -> Option<RequestState<T::AccountId, BlockNumberFor<T>>> {
            Self::state_of(request)
        }

        /// What cheating on a request would cost its worker; `None` before it has one.
        pub fn cost_to_cheat(request: RequestId) -> Option<Deterrent> {
            Self::deterrent_of(request)
        }

        /// What an operator, named by its controller or its hot key, has to do now.
        pub fn pending_jobs(operator: T::AccountId) -> Vec<PendingJob<BlockNumberFor<T>>> {
            Self::jobs_of(operator)
        }

        /// Compares the books with each other: holds with escrows, the agenda with the requests,
        /// engagements with both.
        pub fn audit() -> Result<(), AuditError<T::AccountId>> {
            Self::do_audit()
        }
    }

    impl<T: Config> Pallet<T> {
        /// Ends the dispute about `request`. For the [`DisputeResolver`].
        pub fn conclude(request: RequestId, outcome: Outcome) -> DispatchResult {
            Self::do_conclude(request, outcome)
        }
    }
}
