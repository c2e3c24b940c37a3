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
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
mod benchmarking;
mod checking;
mod disputing;
mod duty;
mod errors;
mod events;
mod interface;
mod posting;
mod settling;
mod turns;
mod types;
mod view;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

pub use audit::AuditFailure;
#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::challenged;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Claims and their checks.
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::{boxed::Box, vec::Vec};
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{Mutate, MutateHold},
        weights::{Weight, WeightMeter},
    };
    use frame_system::pallet_prelude::*;
    use noema_claims::{Beacon, ClaimOutcome, Decision, HiddenProof, ValueHistory, Verification};
    use noema_economics::Balance;
    use noema_interfaces::{BlockRandomness, OnClaimEnded, Operators, Referee};
    use noema_protocol::{ClaimId, Job, Receipt};
    use noema_sessions::SessionReceipt;
    use sp_core::H256;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The token in which claims are paid.
        type Currency: Mutate<Self::AccountId, Balance = Balance>
            + MutateHold<Self::AccountId, Balance = Balance, Reason = Self::RuntimeHoldReason>;
        /// The runtime's reasons for holding tokens.
        type RuntimeHoldReason: From<HoldReason>;
        /// Claimants and validators, and their bonds. Records the answers and checks that were paid, by the burned
        /// part of the payment.
        type Operators: Operators<Self::AccountId, Balance>;
        /// Randomness of the relay chain.
        type Randomness: BlockRandomness;
        /// Decides disputes.
        type Referee: Referee<Self::AccountId, BlockNumberFor<Self>>;
        /// Is notified of the end of claims.
        type OnEnded: OnClaimEnded<Self::AccountId>;
        /// The highest weight of notifying [`Self::OnEnded`] of one claim.
        type EndedWeight: Get<Weight>;
        /// The weight of entering the work of an earlier epoch, where an operator is credited for the first work of
        /// another.
        type EnterWeight: Get<Weight>;
        /// The highest weight with which a referee takes a dispute, or a challenger of one, beside what the benchmarks of
        /// this pallet contain.
        type ChallengerWeight: Get<Weight>;
        /// Weights of the calls and turns.
        type WeightInfo: WeightInfo;

        /// The highest weight of draws and turns in a block. The rest is left to the next block.
        #[pallet::constant]
        type PollBudget: Get<Weight>;
        /// Most challengers of one leaf that are recorded:
        /// [`MAX_SEATED_CHALLENGERS`], and at least one other.
        #[pallet::constant]
        type MaxChallengers: Get<u32>;
    }

    /// The reasons for holding tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The most that the payer of a claim may have to pay.
        Payment,
        /// The bond of a challenge.
        Challenge,
    }

    /// The number of the next claim.
    #[pallet::storage]
    pub type NextClaim<T: Config> = StorageValue<_, ClaimId, ValueQuery>;

    /// Every claim that is not pruned.
    #[pallet::storage]
    pub type Claims<T: Config> = StorageMap<_, Twox64Concat, ClaimId, KeptOf<T>>;

    /// The latest values of the relay chain's randomness.
    #[pallet::storage]
    pub type LatestValues<T: Config> = StorageValue<_, Beacon, ValueQuery>;

    /// The claims that have a turn in each block.
    #[pallet::storage]
    pub type Agenda<T: Config> =
        StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Twox64Concat, ClaimId, ()>;

    /// The first block that may have turns.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    /// The first claim of one leaf that has not been drawn for since it was made. This and all later ones of one
    /// leaf wait for randomness, in the order of their numbers.
    #[pallet::storage]
    pub type FirstNew<T: Config> = StorageValue<_, ClaimId, ValueQuery>;

    /// Claims that are drawn for again and wait for randomness, in the order in which they began to wait.
    #[pallet::storage]
    pub type Undrawn<T: Config> = StorageMap<_, Twox64Concat, u64, ClaimId>;

    /// The first position of [`Undrawn`], and the one after the last.
    #[pallet::storage]
    pub type UndrawnSpan<T: Config> = StorageValue<_, (u64, u64), ValueQuery>;

    /// The challengers of each leaf in dispute.
    #[pallet::storage]
    pub type Disputes<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        ClaimId,
        Twox64Concat,
        u32,
        BoundedVec<Challenger<T::AccountId>, T::MaxChallengers>,
        ValueQuery,
    >;

    /// The values of the relay chain's randomness that draw the leaves of claims of many leaves.
    #[pallet::storage]
    pub type RecentValues<T: Config> = StorageValue<_, ValueHistory, ValueQuery>;

    /// The first claim of many leaves that has not been drawn for since it was made. This and all later ones of many
    /// leaves wait for randomness, in the order of their numbers.
    #[pallet::storage]
    pub type FirstOfMany<T: Config> = StorageValue<_, ClaimId, ValueQuery>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Takes the block's randomness and its turns: after the inherents, which bring the randomness, and
        /// before the transactions.
        fn on_poll(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
            Self::take_turns(now, meter);
        }

        fn integrity_test() {
            assert!(
                T::MaxChallengers::get() > MAX_SEATED_CHALLENGERS,
                "an account that was not drawn may challenge"
            );
            let step = Self::heaviest_step();
            let budget = T::PollBudget::get();
            assert!(
                step.all_lte(budget.saturating_div(2)),
                "half of the budget has room for a draw: {step:?} of {budget:?}"
            );
            assert!(
                budget.all_lte(T::BlockWeights::get().max_block.saturating_div(2)),
                "a block has room for others: {budget:?}"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_audit().map_err(|failure| failure.as_str().into())
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Commits to the finding on a leaf, signed by the hot key of a validator that was drawn for it. A
        /// duty: free of charge through `duties.perform`.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        /// - `commitment`: BLAKE2b-256 of `"noema/check"` and the encoded claim, leaf, controller, hash of
        ///   the hidden state at the validator's position, and 32 bytes of salt.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::commit_check())]
        pub fn commit_check(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            commitment: H256,
        ) -> DispatchResultWithPostInfo {
            let key = ensure_signed(origin)?;
            let weight = Self::do_commit(key, claim, leaf, commitment)?;
            Ok(Some(weight).into())
        }

        /// Reveals the committed hidden state, with its path to the root in the receipt. A duty: free of
        /// charge through `duties.perform`.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        /// - `receipt`: the receipt of the leaf.
        /// - `path`: the siblings of the receipt's hash, up to the claim's root.
        /// - `proof`: the hash of the hidden state at the validator's position, and its siblings.
        /// - `salt`: the salt of the commitment.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::reveal_check())]
        pub fn reveal_check(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            receipt: Box<Receipt>,
            path: Vec<H256>,
            proof: HiddenProof,
            salt: H256,
        ) -> DispatchResultWithPostInfo {
            let key = ensure_signed(origin)?;
            let weight = Self::do_reveal(key, claim, leaf, &receipt, &path, &proof, salt)?;
            Ok(Some(weight).into())
        }

        /// Challenges a leaf as not being what the checkpoint yields. The referee decides. A validator that
        /// was drawn for the leaf stakes the lock of its check, as a duty; any other account puts a bond on
        /// hold, which it loses where the leaf is true.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        #[pallet::call_index(2)]
        #[pallet::weight(
            T::WeightInfo::challenge()
                .max(T::WeightInfo::challenge_seated())
                .saturating_add(Pallet::<T>::referee_weight(1))
        )]
        pub fn challenge(origin: OriginFor<T>, claim: ClaimId, leaf: u32) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_challenge(who, claim, leaf)
        }

        /// Reveals the committed hidden state of a leaf that is a receipt of a session; see `reveal_check`. A
        /// duty: free of charge through `duties.perform`.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        /// - `receipt`: the receipt of the leaf.
        /// - `path`: the siblings of the receipt's hash, up to the claim's root.
        /// - `proof`: the hash of the hidden state at the validator's position, and its siblings.
        /// - `salt`: the salt of the commitment.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::reveal_check())]
        pub fn reveal_session_check(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            receipt: Box<SessionReceipt>,
            path: Vec<H256>,
            proof: HiddenProof,
            salt: H256,
        ) -> DispatchResultWithPostInfo {
            let key = ensure_signed(origin)?;
            let weight = Self::do_reveal_session(key, claim, leaf, &receipt, &path, &proof, salt)?;
            Ok(Some(weight).into())
        }

        /// Demands that the claimant posts a leaf on chain, signed by the hot key of a validator that was drawn
        /// for it and cannot read it. Its window to commit restarts when the leaf is due; it is not paid for
        /// this check. Where the leaf is demanded already, also where it was posted since, the demand is shared: a
        /// demand that no other validator of the leaf shares costs the least fee of a juror. The prompt becomes
        /// public. A duty: free of charge through `duties.perform`.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::demand_leaf())]
        pub fn demand_leaf(origin: OriginFor<T>, claim: ClaimId, leaf: u32) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_demand(key, claim, leaf)
        }

        /// Posts a leaf that was demanded, or that is in dispute, signed by the hot key of the claimant. The
        /// tokens are not stored: they are read from the block. A leaf of another checkpoint than the claim's, or of
        /// more tokens than it allows, cannot be posted. A duty: free of charge through `duties.perform`.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        /// - `receipt`: the receipt of the leaf.
        /// - `path`: the siblings of the receipt's hash, up to the claim's root.
        /// - `prompt`: the tokens of the prompt.
        /// - `answer`: the tokens of the answer.
        #[pallet::call_index(5)]
        #[pallet::weight(
            T::WeightInfo::post_leaf((prompt.len() as u32).saturating_add(answer.len() as u32))
                .saturating_add(Pallet::<T>::referee_weight(T::MaxChallengers::get()))
        )]
        pub fn post_leaf(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            receipt: Box<SessionReceipt>,
            path: Vec<H256>,
            prompt: Vec<u32>,
            answer: Vec<u32>,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_post(key, claim, leaf, &receipt, &path, &prompt, &answer)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// All data on a claim.
        pub fn claim_info(claim: ClaimId) -> Option<ClaimInfo<T::AccountId, BlockNumberFor<T>>> {
            Self::info_of(claim)
        }

        /// The checks in which an operator, named by its controller or its hot key, has an open step, the
        /// most urgent first.
        pub fn checks_due(operator: T::AccountId) -> Vec<CheckDue<BlockNumberFor<T>>> {
            Self::checks_of(operator)
        }

        /// The leaves that an operator, named by its controller or its hot key, has to post, the most urgent
        /// first. Reads every claim.
        pub fn demands_due(operator: T::AccountId) -> Vec<DemandDue<BlockNumberFor<T>>> {
            Self::demands_of(operator)
        }

        /// Checks that the records agree with one another, with the amounts on hold and with the locks.
        pub fn audit() -> Result<(), AuditFailure<T::AccountId>> {
            Self::do_audit()
        }
    }
}
