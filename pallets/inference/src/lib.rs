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

mod answering;
mod assigning;
mod audit;
#[cfg(feature = "runtime-benchmarks")]
#[allow(clippy::arithmetic_side_effects)]
mod benchmarking;
mod duty;
mod ending;
mod errors;
mod events;
mod interface;
mod poll;
mod pruning;
mod queue;
mod requesting;
mod rules;
mod types;
mod view;
pub mod weights;
mod workers;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

pub use assigning::{LOOK_AHEAD, MOST_EXPIRIES, MOST_PASSES, MOST_UNSTAKED_PASSES, MOST_VISITS};
pub use audit::AuditFailure;
pub use noema_economics::Balance;
pub use noema_interfaces::Load;
pub use pallet::*;
pub use poll::MOST_QUEUES;
pub use rules::{
    AssignmentTerms, RequestRules, Unworkable, MAX_ATTEMPTS, MAX_RETENTION, RECORD_BYTES,
};
pub use types::*;
pub use weights::WeightInfo;
pub use workers::MOST_WORKERS;

/// Public requests, their queues and their answers.
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::requesting::{Made, Question};
    use alloc::vec::Vec;
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::Mutate,
        weights::{Weight, WeightMeter},
    };
    use frame_system::pallet_prelude::*;
    use noema_claims::{ClaimRules, Verification};
    use noema_interfaces::{Checkpoints, Claims, Operators, MAX_TRIES};
    use noema_protocol::{CheckpointId, ClaimId, Receipt, RequestId, SamplingParameters};
    use sp_core::H256;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The token that requests are paid in. This pallet burns only the price of storage from it; prices
        /// go through [`Self::Claims`].
        type Currency: Mutate<Self::AccountId, Balance = Balance>;
        /// Keeps the claims of answers, and the money of their payers. Its pallet precedes this one in the
        /// runtime, so that it has recorded the randomness of a block when workers are drawn; otherwise each
        /// draw is a block later.
        type Claims: Claims<Self::AccountId, BlockNumberFor<Self>>;
        /// Knows the active checkpoints.
        type Checkpoints: Checkpoints;
        /// Draws workers, and locks and slashes their bonds.
        type Operators: Operators<Self::AccountId, Balance>;
        /// Weights of the calls and of the steps of a poll.
        type WeightInfo: WeightInfo;

        /// The rules of requests. A request keeps the rules at its creation; only `room` is read at each draw
        /// of workers.
        type Rules: Get<RequestRules>;
        /// The rules of the claims of answers. A request keeps the rules at its creation.
        type ClaimRules: Get<ClaimRules<BlockNumberFor<Self>>>;
        /// Longest prompt, in bytes.
        #[pallet::constant]
        type MaxPromptBytes: Get<u32>;
        /// Longest answer, in tokens; its text has at most 8 bytes for each.
        #[pallet::constant]
        type MaxAnswerTokens: Get<u32>;
        /// The highest weight of the poll of a block: deadlines, draws, pruning. The rest is left to the next
        /// block.
        #[pallet::constant]
        type PollBudget: Get<Weight>;
    }

    /// The number of the next request.
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

    /// The requests that wait for a worker, except for [`Unqueued`], by checkpoint, in the order of their places.
    // The second key is not hashed, so that the order of the keys is that of the queue. It consists of
    // numbers that the chain counts, so that no account can choose keys that make the trie deep.
    #[pallet::storage]
    pub type Queue<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, CheckpointId, Identity, QueueKey, ()>;

    /// A request that waits without a place in a queue: the first one that was made since the last such request was
    /// served. Most requests are the only new ones when workers are drawn, and need no place.
    #[pallet::storage]
    pub type Unqueued<T: Config> = StorageValue<_, RequestId>;

    /// How far the queue of a checkpoint was searched, and how many draws in a row met no worker. Absent where
    /// the next search begins with the first request, and the last draw met a worker.
    #[pallet::storage]
    pub type Searches<T: Config> =
        StorageMap<_, Blake2_128Concat, CheckpointId, QueueSearch, ValueQuery>;

    /// The queue after which the next block begins: the last one visited, or the first one where all were
    /// visited.
    #[pallet::storage]
    pub type LastVisited<T: Config> = StorageValue<_, CheckpointId>;

    /// The requests whose deadline is missed unless they are answered before this block.
    #[pallet::storage]
    pub type Deadlines<T: Config> =
        StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Twox64Concat, RequestId, ()>;

    /// The first block that may have deadlines.
    #[pallet::storage]
    pub type NextDeadlines<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    /// How far requests are pruned.
    #[pallet::storage]
    pub type PruningState<T: Config> = StorageValue<_, Pruning, ValueQuery>;

    /// The requests that were open for longer than prompts and answers stay, with the part that is removed next.
    #[pallet::storage]
    pub type LateRequests<T: Config> = StorageMap<_, Twox64Concat, RequestId, RequestPart>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Takes due turns and serves the queues: after the inherents, which bring randomness, and before the
        /// transactions of the block.
        fn on_poll(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
            Self::poll(now, meter);
        }

        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_audit().map_err(|failure| failure.as_str().into())
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Requests an answer from a checkpoint. The price limit is put on hold; the unspent part is released
        /// when the answer is settled, and all of it if no valid answer arrives. The storage of prompt and
        /// answer is paid at once and burned.
        ///
        /// - `checkpoint`: the id of the checkpoint.
        /// - `prompt`: the prompt, as UTF-8 text. It is public.
        /// - `parameters`: most tokens of the answer, and how they are sampled; temperature 0 always takes
        ///   the most likely token, top-k 0 and top-p 1000 keep all tokens.
        /// - `price_limit`: the most that the requester pays, in the smallest unit; see the view function
        ///   `quote`.
        #[pallet::call_index(0)]
        #[pallet::weight(
            T::WeightInfo::request_inference(prompt.len() as u32, MAX_TRIES)
                .saturating_add(T::WeightInfo::enqueue())
        )]
        pub fn request_inference(
            origin: OriginFor<T>,
            checkpoint: CheckpointId,
            prompt: Vec<u8>,
            parameters: SamplingParameters,
            price_limit: Balance,
        ) -> DispatchResultWithPostInfo {
            let requester = ensure_signed(origin)?;
            let prompt_bytes = prompt.len() as u32;
            let question = Question {
                checkpoint,
                prompt,
                parameters,
                price_limit,
            };
            let Made { tries, is_queued } = Self::do_request(requester, question)?;
            let mut weight = T::WeightInfo::request_inference(prompt_bytes, tries);
            if is_queued {
                weight = weight.saturating_add(T::WeightInfo::enqueue());
            }
            Ok(Some(weight).into())
        }

        /// Cancels a request while it waits for a worker. The price limit is released at once; the price of
        /// its storage is not refunded.
        ///
        /// - `request`: the number of the request.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::cancel_request())]
        pub fn cancel_request(origin: OriginFor<T>, request: RequestId) -> DispatchResult {
            let requester = ensure_signed(origin)?;
            Self::do_cancel(requester, request)
        }

        /// Answers a request, signed by the hot key of the worker that was drawn. The answer is a claim from
        /// then on. A duty: free of charge through `duties.perform`.
        ///
        /// - `request`: the number of the request.
        /// - `tokens`: the answer as token ids, a closing stop token included.
        /// - `text`: the answer as UTF-8 text.
        /// - `receipt`: the worker's statement on the answer; every field that the chain knows is compared.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::submit_answer(tokens.len() as u32, text.len() as u32))]
        pub fn submit_answer(
            origin: OriginFor<T>,
            request: RequestId,
            tokens: Vec<u32>,
            text: Vec<u8>,
            receipt: Receipt,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_submit(key, request, tokens, text, receipt)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The present cost of a request, by worker; `None` for a checkpoint that is not active, or where its
        /// storage has no representable price.
        pub fn quote(
            checkpoint: CheckpointId,
            prompt_bytes: u32,
            parameters: SamplingParameters,
        ) -> Option<PriceList<T::AccountId>> {
            Self::price_list(&checkpoint, prompt_bytes, &parameters)
        }

        /// All data on a request; `None` if no request has this number or it was pruned.
        pub fn request_state(
            request: RequestId,
        ) -> Option<RequestState<T::AccountId, BlockNumberFor<T>>> {
            Self::state_of(request)
        }

        /// The cost of cheating on a request for its worker; `None` before it has one.
        pub fn cost_to_cheat(request: RequestId) -> Option<Deterrent> {
            Self::deterrent_of(request)
        }

        /// The requests that wait for a checkpoint.
        pub fn queue(checkpoint: CheckpointId) -> QueueState<BlockNumberFor<T>> {
            Self::queue_of(&checkpoint)
        }

        /// The requests that an operator, named by its controller or its hot key, has to answer, the
        /// earliest deadline first.
        pub fn assignments(operator: T::AccountId) -> Vec<OpenAnswer<BlockNumberFor<T>>> {
            Self::open_answers_of(operator)
        }

        /// The rules for a request that is made now.
        pub fn rules() -> RequestRules {
            T::Rules::get()
        }

        /// Checks that requests, queues, deadlines, loads, locks and claims agree with one another, and that
        /// requests were pruned in order.
        pub fn audit() -> Result<(), AuditFailure<T::AccountId>> {
            Self::do_audit()
        }
    }

    impl<T: Config> Pallet<T> {
        /// The amount that the unanswered requests of `payer` have on hold with [`Config::Claims`]: for
        /// audits, not for blocks. Together with [`Claims::held`] it is the amount of all its requests.
        pub fn held(payer: &T::AccountId) -> Balance {
            Self::held_by(payer)
        }
    }
}
