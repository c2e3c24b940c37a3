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

mod audit;
#[cfg(feature = "runtime-benchmarks")]
#[allow(clippy::arithmetic_side_effects)]
mod benchmarking;
mod claiming;
mod closing;
mod duty;
mod errors;
mod events;
mod interface;
mod opening;
mod poll;
mod types;
mod view;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

pub use audit::AuditFailure;
pub use opening::workable;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Sessions and the claims of them.
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::{boxed::Box, vec::Vec};
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::Mutate,
        weights::{Weight, WeightMeter},
    };
    use frame_system::pallet_prelude::*;
    use noema_claims::ClaimRules;
    use noema_economics::Balance;
    use noema_interfaces::{Checkpoints, Claims, Operators};
    use noema_protocol::{CheckpointId, ClaimId, SessionId};
    use noema_sessions::{Ended, SessionPrices, SessionRules, SessionTerms, Voucher};
    use sp_core::H256;
    use sp_runtime::traits::{IdentifyAccount, Verify};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The token that sessions are paid in. This pallet burns only the price of storage from it; holds go
        /// through [`Self::Claims`].
        type Currency: Mutate<Self::AccountId, Balance = Balance>;
        /// The signatures of voucher keys.
        type Signature: Parameter + Verify<Signer: IdentifyAccount<AccountId = Self::AccountId>>;
        /// Keeps the claims of sessions, and the money of their payers. Its pallet precedes this one in the
        /// runtime, so that it has recorded the randomness of a block when sessions get their seeds.
        type Claims: Claims<Self::AccountId, BlockNumberFor<Self>>;
        /// Knows the active checkpoints.
        type Checkpoints: Checkpoints;
        /// Knows workers and their prices, draws them, and locks their bonds.
        type Operators: Operators<Self::AccountId, Balance>;
        /// Weights of the calls and of the steps of a poll.
        type WeightInfo: WeightInfo;

        /// The rules of sessions. A session keeps the rules at its opening.
        type Rules: Get<SessionRules>;
        /// The rules of the claims of sessions. A session keeps the rules at its opening.
        type ClaimRules: Get<ClaimRules<BlockNumberFor<Self>>>;
        /// The highest weight of the poll of a block: seeds, closing, pruning. The rest is left to the next
        /// block.
        #[pallet::constant]
        type PollBudget: Get<Weight>;

        /// Creates voucher keys for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: pallet_duties::BenchmarkHelper<Self::AccountId, Self::Signature>;
    }

    /// The number of the next session.
    #[pallet::storage]
    pub type NextSession<T: Config> = StorageValue<_, SessionId, ValueQuery>;

    /// Every session that is not pruned.
    #[pallet::storage]
    pub type Sessions<T: Config> = StorageMap<_, Twox64Concat, SessionId, SessionOf<T>>;

    /// The first session that may wait for its seed. This and all later ones wait, in the order of their
    /// numbers.
    #[pallet::storage]
    pub type FirstUnseeded<T: Config> = StorageValue<_, SessionId, ValueQuery>;

    /// The claims of each session that have not ended, by their number in the session.
    #[pallet::storage]
    pub type OpenClaims<T: Config> =
        StorageDoubleMap<_, Twox64Concat, SessionId, Twox64Concat, u32, OpenClaim>;

    /// The turns of each block: of sessions, to close, to end, or to be pruned, and of claims that have ended, whose
    /// records are removed.
    #[pallet::storage]
    pub type Agenda<T: Config> =
        StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Twox64Concat, Turn, ()>;

    /// The first block that may have turns.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Gives seeds and takes due turns: after the inherents, which bring randomness, and before the
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
        /// Opens a session: the amount is put on hold for the answers of one worker, and terms and rules are
        /// fixed. Answers begin once the session has its seed, a block later or so. The storage is paid at once
        /// and burned.
        ///
        /// - `checkpoint`: the id of the checkpoint.
        /// - `worker`: the controller of the worker; without one, a worker is drawn by bond.
        /// - `voucher_key`: the account whose key signs vouchers. It needs no funds.
        /// - `leaf_tokens`: the most tokens of prompt and answer together; at most the context of the
        ///   checkpoint. Stakes, check fees and windows follow it.
        /// - `price_limit`: the highest prices that the payer accepts.
        /// - `amount`: the amount to put on hold, in the smallest unit: for answers and their checks.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::open_session())]
        pub fn open_session(
            origin: OriginFor<T>,
            checkpoint: CheckpointId,
            worker: Option<T::AccountId>,
            voucher_key: T::AccountId,
            leaf_tokens: u32,
            price_limit: SessionPrices,
            amount: Balance,
        ) -> DispatchResult {
            let payer = ensure_signed(origin)?;
            let opening = opening::Opening {
                checkpoint,
                worker,
                voucher_key,
                leaf_tokens,
                price_limit,
                amount,
            };
            Self::do_open(payer, opening)
        }

        /// Adds to the hold of an open session, and restarts its lifetime. Only its payer can.
        ///
        /// - `session`: the number of the session.
        /// - `amount`: the amount to add, in the smallest unit.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::top_up())]
        pub fn top_up(origin: OriginFor<T>, session: SessionId, amount: Balance) -> DispatchResult {
            let payer = ensure_signed(origin)?;
            Self::do_top_up(payer, session, amount)
        }

        /// Claims the answers of a bundle, signed by the hot key of the session's worker: the stake is locked,
        /// and the answers are the leaves of a claim from then on. A duty: free of charge through
        /// `duties.perform`.
        ///
        /// - `voucher`: the last voucher of the bundle that begins where the last claim ended.
        /// - `signature`: the signature of the voucher key over BLAKE2b-256 of `"noema/voucher"` and the encoded
        ///   voucher.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(
            origin: OriginFor<T>,
            voucher: Box<Voucher>,
            signature: T::Signature,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_claim(key, &voucher, &signature)
        }

        /// Closes a session. The worker then has a window for its last vouchers, after which the rest of the
        /// hold is released; before the session has a seed it is released at once. A duty for the hot key of the
        /// worker: free of charge through `duties.perform`.
        ///
        /// - `session`: the number of the session.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::close_session())]
        pub fn close_session(origin: OriginFor<T>, session: SessionId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_close(who, session)
        }

        /// Waives the rest of a worker's window for its last vouchers: the rest of the hold is released at once. A
        /// duty for the hot key of the worker: free of charge through `duties.perform`.
        ///
        /// - `session`: the number of the session.
        /// - `claimed`: how many of its answers are claimed.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::end_session())]
        pub fn end_session(
            origin: OriginFor<T>,
            session: SessionId,
            claimed: u32,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_end(who, session, claimed)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// All data on a session; `None` if no session has this number or it was pruned.
        pub fn session_info(session: SessionId) -> Option<SessionInfoOf<T>> {
            Self::info_of(session)
        }

        /// The terms of a session; `None` before it has a worker and a seed.
        pub fn session_terms(session: SessionId) -> Option<SessionTerms<T::AccountId>> {
            Self::terms_of(session)
        }

        /// The sessions of a payer that are not pruned. Reads every session.
        pub fn payer_sessions(payer: T::AccountId) -> Vec<SessionId> {
            Self::sessions_where(|session| session.payer == payer)
        }

        /// The sessions of a worker, named by its controller or its hot key, that have not ended. Reads every
        /// session.
        pub fn worker_sessions(operator: T::AccountId) -> Vec<SessionId> {
            Self::served_by(operator)
        }

        /// The claims of a session whose records are kept, by their number in the session: those that have not ended,
        /// and those that ended lately. Reads every claim.
        pub fn session_claims(session: SessionId) -> Vec<(u32, ClaimId)> {
            Self::claims_of(session)
        }

        /// The workers with which a session can be opened now, the cheapest first: their prices, and the
        /// largest claim for which their free bond suffices.
        pub fn quote(
            checkpoint: CheckpointId,
            leaf_tokens: u32,
        ) -> Vec<SessionOffer<T::AccountId>> {
            Self::offers(&checkpoint, leaf_tokens)
        }

        /// The rules for a session that is opened now.
        pub fn rules() -> SessionRules {
            T::Rules::get()
        }

        /// Checks that sessions, their claims, holds and turns agree with one another.
        pub fn audit() -> Result<(), AuditFailure<T::AccountId>> {
            Self::do_audit()
        }
    }
}
