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
mod bonding;
mod concluding;
mod duty;
mod errors;
mod events;
mod interface;
mod playing;
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
pub use benchmarking::{BenchmarkHelper, WrongTrace};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Disputes, and the games that decide them.
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::{boxed::Box, vec::Vec};
    use frame_support::{
        dispatch::DispatchResultWithPostInfo,
        pallet_prelude::*,
        traits::fungible::{Mutate, MutateHold},
        weights::{Weight, WeightMeter},
    };
    use frame_system::pallet_prelude::*;
    use noema_disputes::{GameEnd, LineEnd, Place, StepJudge, StepProof, Tree, MAX_ROW};
    use noema_economics::Balance;
    use noema_interfaces::{Claims, Disputes, Operators, Referee};
    use noema_protocol::{CheckpointId, ClaimId};
    use sp_core::H256;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The token of the bonds of accounts that join a game.
        type Currency: Mutate<Self::AccountId, Balance = Balance>
            + MutateHold<Self::AccountId, Balance = Balance, Reason = Self::RuntimeHoldReason>;
        /// The runtime's reasons for holding tokens.
        type RuntimeHoldReason: From<HoldReason>;
        /// Keeps the disputed claims.
        type Claims: Claims<Self::AccountId, BlockNumberFor<Self>>;
        /// Knows the challengers, and carries out decisions.
        type Disputes: Disputes<Self::AccountId>;
        /// Knows the hot keys, and credits claimants.
        type Operators: Operators<Self::AccountId, Balance>;
        /// Executes one step of a computation. Every leaf that a claim can have has a statement, and what is right has
        /// a shape or no steps: a claimant that cannot open its trace loses.
        type Judge: StepJudge<Statement: Parameter, Evidence: Parameter>;
        /// Decides disputes over computations for which the judge has no steps, as their claimants show.
        type Fallback: Referee<Self::AccountId, BlockNumberFor<Self>>;
        /// The weights of steps.
        type StepWeight: StepWeight<EvidenceOf<Self>>;
        /// The highest weight of the end of a claim beside its settlement, in the pallet that made it and for the
        /// bonds of its other disputes: a claim ends with a dispute that finds its leaf false.
        type EndedWeight: Get<Weight>;
        /// Weights of calls and turns.
        type WeightInfo: WeightInfo;

        /// How many rows below a node the row is that a claimant shows: 1 to
        /// [`noema_disputes::MAX_ROW_BITS`].
        #[pallet::constant]
        type RowBits: Get<u8>;
        /// Most lines that one row answers.
        #[pallet::constant]
        type MaxAnswered: Get<u32>;
        /// The price of a move, in bonds and in what the loser owes the winner.
        #[pallet::constant]
        type MovePrice: Get<Balance>;
        /// The price of delaying the end of a claim by a block.
        #[pallet::constant]
        type BlockPrice: Get<Balance>;
        /// Most turns taken in a block. Bounds the weight of the hook.
        #[pallet::constant]
        type MaxTurnsPerBlock: Get<u32>;

        /// Creates claims with disputes for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId, StatementOf<Self>, EvidenceOf<Self>>;
    }

    /// The reasons for holding tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The bond of an account that joined a game.
        Line,
    }

    /// Every game that is not over, by claim and leaf.
    #[pallet::storage]
    pub type Games<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ClaimId, Twox64Concat, u32, OpenGameOf<T>>;

    /// Every line that is not over, by the leaf of its game and its challenger. A line may outlast its game until its
    /// turn.
    #[pallet::storage]
    pub type Lines<T: Config> =
        StorageDoubleMap<_, Twox64Concat, GameId, Blake2_128Concat, T::AccountId, OpenLineOf<T>>;

    /// Tokens of the traces that each account has to build for the moves that it owes.
    #[pallet::storage]
    pub type Backlogs<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u64, ValueQuery>;

    /// The time of all games: the number of blocks that had room for a move.
    #[pallet::storage]
    pub type GameTime<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    /// The games and lines that have a turn, by game time.
    #[pallet::storage]
    pub type Turns<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        BlockNumberFor<T>,
        Twox64Concat,
        GameTurn<T::AccountId>,
        (),
    >;

    /// The first game time that may have turns.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Takes the turns that are due: after the inherents, and before the transactions.
        fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
            Self::poll(meter);
        }

        /// Counts the block where it had room for a further move. A block that has none is not taken from any clock.
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::tick(remaining)
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
        /// Shows the root of the trace of a disputed leaf, signed by the hot key of the claimant. A duty: free of
        /// charge through `duties.perform`. Where the statement shows that the chain has no steps for the computation,
        /// `root` and `siblings` do not matter, and another referee decides.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        /// - `statement`: what the leaf states.
        /// - `path`: the siblings of the leaf, up to the claim's root.
        /// - `root`: the root of the trace.
        /// - `siblings`: the siblings of the last leaf of the trace, which follows from the statement.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::open_trace())]
        pub fn open_trace(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            statement: Box<StatementOf<T>>,
            path: Vec<H256>,
            root: H256,
            siblings: Vec<H256>,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_open(key, claim, leaf, &statement, &path, root, &siblings)
        }

        /// Joins a game as a challenger, with a bond on hold: for an account that is not among the challengers of the
        /// leaf, as these are full. The bond comes back where the claim falls, or ends for another reason.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::join())]
        pub fn join(origin: OriginFor<T>, claim: ClaimId, leaf: u32) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_join(who, claim, leaf)
        }

        /// Points to a node of the trace that the challenger disagrees with: the claimant has to show the row below
        /// it. Signed by the challenger, or by the hot key of an operator that challenged: a duty then, free of charge
        /// through `duties.perform`. Costs no fee.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        /// - `node`: the place of the node: above the leaves; and within the node pointed to before, in the row that
        ///   was shown or below it.
        /// - `hash`: its hash.
        /// - `siblings`: its siblings, up to the root of the trace.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::point())]
        pub fn point(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            node: Place,
            hash: H256,
            siblings: Vec<H256>,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_point(who, claim, leaf, (node, hash), &siblings)?;
            Ok(Pays::No.into())
        }

        /// Shows the row below a node, to all challengers in a list that pointed to it, signed by the hot key of the
        /// claimant. A duty: free of charge through `duties.perform`.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        /// - `challengers`: the challengers whose lines are at this node; each once.
        /// - `row`: the nodes `RowBits` rows below the node, or the leaves' where these are nearer.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::show(challengers.len() as u32))]
        pub fn show(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            challengers: BoundedVec<T::AccountId, T::MaxAnswered>,
            row: BoundedVec<H256, ConstU32<MAX_ROW>>,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_show(key, claim, leaf, &challengers, &row)
        }

        /// Proves that a step of the trace is wrong: the chain executes it, and the claim falls. Any account can. It
        /// costs no fee where the claim falls. A challenger whose turn it is loses its line otherwise: it has one
        /// proof. For the hot key of such an operator it is a duty, free of charge through `duties.perform`.
        ///
        /// - `claim`: the number of the claim.
        /// - `leaf`: the number of the leaf.
        /// - `statement`: what the leaf states.
        /// - `proof`: the step, its place in the trace, and what it is computed from.
        #[pallet::call_index(4)]
        #[pallet::weight(Pallet::<T>::weight_of_proof(&proof.evidence))]
        pub fn prove(
            origin: OriginFor<T>,
            claim: ClaimId,
            leaf: u32,
            statement: Box<StatementOf<T>>,
            proof: Box<StepProof<EvidenceOf<T>>>,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let pays = Self::do_prove(who, claim, leaf, &statement, &proof)?;
            Ok(pays.into())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// An open game: its stage, its lines and the bond of an account that joins it; `None` where there is none.
        pub fn game(claim: ClaimId, leaf: u32) -> Option<GameInfoOf<T>> {
            Self::info_of(claim, leaf)
        }

        /// The moves that an account owes, named by itself, its controller or its hot key, the most urgent first.
        /// Reads every game.
        pub fn moves_due(account: T::AccountId) -> Vec<MoveDue<T::AccountId, BlockNumberFor<T>>> {
            Self::moves_of(account)
        }

        /// Checks that games, lines, claims, bonds, backlogs and agenda agree with one another.
        pub fn audit() -> Result<(), AuditFailure<T::AccountId>> {
            Self::do_audit()
        }
    }
}
