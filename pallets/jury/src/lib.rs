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
mod concluding;
mod dispute;
mod drawing;
mod duty;
mod errors;
mod events;
mod interface;
mod judgement;
mod jury;
mod turns;
mod types;
mod view;
mod voting;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

pub use audit::AuditFailure;
#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use dispute::{
    Appeal, Dispute, DisputeError, DisputeProgress, DisputeStage, DisputeTerms, Instance,
};
pub use judgement::{AppealEnd, Judgement, JurorLoss};
pub use jury::{Juror, JurorState, Jury, MAX_JURORS};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Disputes, and the juries that decide them.
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::MutateHold,
        weights::{Weight, WeightMeter},
    };
    use frame_system::pallet_prelude::*;
    use noema_claims::{Decision, RelayBlock};
    use noema_economics::Balance;
    use noema_interfaces::{Claims, Disputes, Operators, RelayRandomness};
    use noema_protocol::{CheckpointId, ClaimId, Verdict};
    use sp_core::H256;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The token of the bonds of appeals.
        type Currency: MutateHold<
            Self::AccountId,
            Balance = Balance,
            Reason = Self::RuntimeHoldReason,
        >;
        /// The runtime's reasons for holding tokens.
        type RuntimeHoldReason: From<HoldReason>;
        /// Keeps the disputed claims, and the randomness that draws juries. Its pallet precedes this one in
        /// the runtime, so that it has recorded the value of a block when this one takes its turns; it
        /// records none before the inherents.
        type Claims: Claims<Self::AccountId, BlockNumberFor<Self>>;
        /// Knows the challengers, and carries out decisions.
        type Disputes: Disputes<Self::AccountId>;
        /// Draws jurors, and locks and slashes their bonds.
        type Operators: Operators<Self::AccountId, Balance>;
        /// The highest weight of the end of a claim beside its settlement, in the pallet that made it and for the
        /// bonds of its other disputes: a claim ends with a dispute that finds its leaf false.
        type EndedWeight: Get<Weight>;
        /// Weights of calls and turns.
        type WeightInfo: WeightInfo;

        /// Seats of the first jury.
        #[pallet::constant]
        type FirstJury: Get<u32>;
        /// Seats of the second jury; more than the first has, and at most [`MAX_JURORS`].
        #[pallet::constant]
        type SecondJury: Get<u32>;
        /// Most disputes of the agenda visited in a block, and as many of the queue. Bounds the weight of the
        /// hook.
        #[pallet::constant]
        type MaxTurnsPerBlock: Get<u32>;
        /// Most juries drawn in a block: a draw reads more of the state than any other turn.
        #[pallet::constant]
        type MaxDrawsPerBlock: Get<u32>;

        /// Creates claims with disputes for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper;
    }

    /// The reasons for holding tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The bond of an appeal.
        Appeal,
    }

    /// Every dispute that is not concluded, by claim and leaf.
    #[pallet::storage]
    pub type OpenDisputes<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ClaimId, Twox64Concat, u32, OpenDisputeOf<T>>;

    /// Tokens of the leaves that each validator has to execute as a juror and has not committed to.
    #[pallet::storage]
    pub type Backlogs<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u64, ValueQuery>;

    /// The disputes that have a turn in each block.
    #[pallet::storage]
    pub type Turns<T: Config> =
        StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Twox64Concat, LeafId, ()>;

    /// The first block that may have turns.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    /// Disputes that wait for randomness, in the order in which they began to.
    #[pallet::storage]
    pub type Queue<T: Config> = StorageMap<_, Twox64Concat, u64, LeafId>;

    /// The first position of [`Queue`], and the one after the last.
    #[pallet::storage]
    pub type QueueSpan<T: Config> = StorageValue<_, (u64, u64), ValueQuery>;

    /// The relay chain block of the latest randomness that was known before the present block. A jury is
    /// drawn only in a block that brings a younger value.
    #[pallet::storage]
    pub type KnownValue<T: Config> = StorageValue<_, RelayBlock>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Records which randomness is known before the block brings its own.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::note_known(T::Claims::beacon().latest());
            T::WeightInfo::note_known()
        }

        /// Takes the turns of this block: after the inherents, which bring the block's randomness, and before
        /// the transactions, so that a stage that ended in the block before is over for all of them.
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
        /// Commits to a verdict on a disputed leaf, signed by the hot key of a juror. A duty: free of charge
        /// through `duties.perform`.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf in it.
        /// - `commitment`: BLAKE2b-256 of `"noema/verdict"` and the encoded claim, leaf, controller, verdict
        ///   and salt.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::commit_verdict())]
        pub fn commit_verdict(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            commitment: H256,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_commit(key, claim, leaf, commitment)
        }

        /// Reveals the committed verdict, once all jurors have committed or the window to commit is over. A
        /// duty: free of charge through `duties.perform`.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf in it.
        /// - `verdict`: whether the leaf is what the checkpoint yields.
        /// - `salt`: the random bytes of the commitment.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::reveal_verdict())]
        pub fn reveal_verdict(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            verdict: Verdict,
            salt: H256,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_reveal(key, claim, leaf, verdict, salt)
        }

        /// Appeals the verdict of a first jury to a second, larger one. A bond of the caller is put on hold:
        /// it is burned unless the second jury decides otherwise or cannot be seated, or the claim ends for
        /// another reason.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf in it.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::appeal())]
        pub fn appeal(origin: OriginFor<T>, claim: ClaimId, leaf: u32) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_appeal(who, claim, leaf)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// An open dispute: its stage and deadline, its juries and the state of each juror, the bond of an
        /// appeal; `None` where no dispute over the leaf is open.
        pub fn dispute(claim: ClaimId, leaf: u32) -> Option<DisputeOf<T>> {
            OpenDisputes::<T>::get(claim, leaf).map(|open| open.dispute)
        }

        /// The pending steps of an operator, named by its controller or its hot key, as a juror, the most
        /// urgent first.
        pub fn verdicts_due(operator: T::AccountId) -> Vec<VerdictDue<BlockNumberFor<T>>> {
            Self::dues_of(operator)
        }

        /// Checks that disputes, claims, locks, holds, agenda and queue agree with one another.
        pub fn audit() -> Result<(), AuditFailure<T::AccountId>> {
            Self::do_audit()
        }
    }
}
