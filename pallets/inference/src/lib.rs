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
mod duty;
mod errors;
mod events;
pub mod panel;
pub mod parameters;
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

use frame_support::pallet_macros::import_section;

pub use audit::AuditError;
pub use dispute::{Committee, Dispute, DisputeResolver};
pub use pallet::*;
pub use parameters::{Largest, Rates, Unworkable, Windows};
pub use types::*;
pub use view::{Deterrent, Offer, PendingJob, PriceList, RequestState, Task};
pub use weights::WeightInfo;

#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{pallet_prelude::*, traits::fungible::MutateHold};
    use frame_system::pallet_prelude::*;
    use noema_economics::Permill;
    use noema_protocol::{
        interfaces::{BlockRandomness, Checkpoints, Operators, RecordWork},
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
        /// Where answers and checks that were paid for are noted, by what was burned of the payment.
        type Work: RecordWork<Self::AccountId>;
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

        /// How long everything may take. Read when a request is made, which keeps them.
        type Windows: Get<Windows>;
        /// What checks cost and what is lost. Read when a request is made, which keeps them.
        type Rates: Get<Rates>;
        /// Most workers that may try a request.
        #[pallet::constant]
        type MaxAttempts: Get<u32>;

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
            Self::do_audit().map_err(|error| error.summary().into())
        }
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
        #[pallet::weight(T::WeightInfo::request_inference(prompt.len() as u32))]
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

        /// Answer a request, signed by the hot key of the worker that was drawn. A duty: free of
        /// charge through `duties.perform`.
        ///
        /// - `request`: the number of the request.
        /// - `tokens`: the answer as token ids, a closing stop token included.
        /// - `text`: the answer as UTF-8 text.
        /// - `receipt`: what you state about the answer; every field is compared with the record.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::submit_result(tokens.len() as u32, text.len() as u32))]
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

        /// Commit to a verdict, signed by the hot key of a validator that was drawn. A duty: free of
        /// charge through `duties.perform`.
        ///
        /// - `request`: the number of the request.
        /// - `commitment`: BLAKE2b-256 of `"noema/verdict"` and the encoded request number,
        ///   controller, verdict, digest and salt.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::commit_verdict())]
        pub fn commit_verdict(
            origin: OriginFor<T>,
            request: RequestId,
            commitment: H256,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_commit(key, request, commitment)
        }

        /// Reveal the verdict you committed to, once all validators have committed or the time for it
        /// is over. A duty: free of charge through `duties.perform`.
        ///
        /// - `request`: the number of the request.
        /// - `verdict`: whether the answer and every count in its receipt are what the checkpoint
        ///   yields.
        /// - `digest`: the digest of your own execution of prompt and answer.
        /// - `salt`: the random bytes in your commitment.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::reveal_verdict())]
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
        /// controller of any live validator of the checkpoint. It opens a dispute; the side that loses
        /// it loses part of the bond. A duty: free of charge through `duties.perform`.
        ///
        /// - `request`: the number of the request.
        /// - `digest`: the digest of your own execution of prompt and answer.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::object())]
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

        /// How long everything may take, for a request that is made now.
        pub fn windows() -> Windows {
            T::Windows::get()
        }

        /// What checks cost and what is lost, for a request that is made now.
        pub fn rates() -> Rates {
            T::Rates::get()
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
