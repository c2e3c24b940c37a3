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
mod duty;
mod errors;
mod events;
mod programmes;
mod rounds;
mod steps;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

pub use audit::{AuditFailure, AuditReport};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use noema_claims::RelayBlock;
    use noema_economics::{Balance, Permill};
    use noema_interfaces::{Lineage, Operators, RecordWork, RelayRandomness};
    use noema_protocol::{CheckpointId, FamilyId, Role, RoundId};
    use noema_rounds::{
        CheckpointClaim, Contribution, Dataset, Phase, RoundOutcome, RoundRules, Ruling, ScoreSheet,
    };
    use sp_core::H256;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The trainers and validators, and their bonds.
        type Operators: Operators<Self::AccountId, Balance>;
        /// The checkpoints that rounds start from and add to.
        type Lineage: Lineage<Self::AccountId>;
        /// The randomness of draws. Read when the block is finalized, after the inherents.
        type Randomness: RelayRandomness;
        /// Relay chain blocks by which the randomness has to be younger than the event that it draws for.
        type Freshness: Get<RelayBlock>;
        /// Records accepted contributions and confirmed scores, for the subsidy.
        type Work: RecordWork<Self::AccountId>;
        /// The origin that starts and stops programmes.
        type ProgrammeOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Weights of the calls and hooks.
        type WeightInfo: WeightInfo;

        /// Most programmes at a time. Bounds the weight of the hooks.
        #[pallet::constant]
        type MaxProgrammes: Get<u32>;
        /// Most bytes of a dataset's licence and of its source.
        #[pallet::constant]
        type MaxText: Get<u32>;
        /// How many closed rounds of a programme stay readable.
        #[pallet::constant]
        type Retention: Get<u32>;
        /// The share of all validators of a round together, as a part of the weights of all accepted
        /// contributions.
        #[pallet::constant]
        type ScorersShare: Get<Permill>;
        /// Blocks until a block is final: each window of a round is longer than its programme states by this
        /// number. Read when a round opens, which keeps it.
        type FinalityAllowance: Get<BlockNumberFor<Self>>;
        /// The part of the bond that false scores or a false claim cost.
        type FalsehoodSlash: Get<Permill>;
        /// The part of the bond that silence costs.
        type SilenceSlash: Get<Permill>;
        /// The most that silence costs.
        type SilenceCap: Get<Balance>;
    }

    /// The running programmes, one for each family.
    #[pallet::storage]
    pub type Programmes<T: Config> =
        StorageMap<_, Twox64Concat, FamilyId, ProgrammeOf<T>, OptionQuery>;

    /// The families that have a programme.
    #[pallet::storage]
    pub type Families<T: Config> =
        StorageValue<_, BoundedVec<FamilyId, T::MaxProgrammes>, ValueQuery>;

    /// The number of the next round.
    #[pallet::storage]
    pub type NextRound<T: Config> = StorageValue<_, RoundId, ValueQuery>;

    /// Open rounds, and the latest closed ones.
    #[pallet::storage]
    pub type Rounds<T: Config> = StorageMap<_, Twox64Concat, RoundId, RoundOf<T>, OptionQuery>;

    /// The closed rounds of each family that are still readable, oldest first.
    #[pallet::storage]
    pub type Closed<T: Config> =
        StorageMap<_, Twox64Concat, FamilyId, BoundedVec<RoundId, T::Retention>, ValueQuery>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Reserves the weight of the rounds in `on_finalize`.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::rounds_weight()
        }

        /// Advances every round: after the inherents, which bring the block's randomness, and after the
        /// extrinsics, so that the last block of a phase still counts.
        fn on_finalize(now: BlockNumberFor<T>) {
            Self::advance_rounds(now);
        }

        fn integrity_test() {
            assert!(T::MaxProgrammes::get() > 0, "programmes can be started");
            assert!(T::Retention::get() > 0, "a closed round can be read");
            let most = Self::step_weight().saturating_mul(T::MaxProgrammes::get().into());
            let block = T::BlockWeights::get().max_block;
            assert!(
                most.all_lte(block.saturating_div(4)),
                "rounds leave most of a block to others: {most:?} of {block:?}"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_audit()
                .map(|_| ())
                .map_err(|failure| failure.as_str().into())
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Starts training a family, round after round, from its canonical checkpoint on.
        ///
        /// - `family`: the family; it has a canonical checkpoint.
        /// - `dataset`: the text, by the Merkle root over its shards.
        /// - `licence`: the licence of the text, as an SPDX identifier or name.
        /// - `source`: the origin of the text, in words; nothing is fetched from there.
        /// - `rules`: the rules of every round of the programme.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::start_programme())]
        pub fn start_programme(
            origin: OriginFor<T>,
            family: FamilyId,
            dataset: Dataset,
            licence: BoundedVec<u8, T::MaxText>,
            source: BoundedVec<u8, T::MaxText>,
            rules: RoundRules<BlockNumberFor<T>>,
        ) -> DispatchResult {
            T::ProgrammeOrigin::ensure_origin(origin)?;
            Self::do_start_programme(family, dataset, licence, source, rules)
        }

        /// Stops training a family. Its round ends at once, without a new checkpoint, and every bond is
        /// released.
        ///
        /// - `family`: the family.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::stop_programme())]
        pub fn stop_programme(origin: OriginFor<T>, family: FamilyId) -> DispatchResult {
            T::ProgrammeOrigin::ensure_origin(origin)?;
            Self::do_stop_programme(family)
        }

        /// Joins a round, signed by the operator's hot key. A part of the bond is locked until the round
        /// ends; an operator that joins and stays silent loses a little of it. Where the round is full, an
        /// operator takes the place of the smallest bond in its role if its own is larger. A duty: free of
        /// charge through `duties.perform`.
        ///
        /// - `round`: the number of the round.
        /// - `role`: `Trainer` or `Validator`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::join_round())]
        pub fn join_round(origin: OriginFor<T>, round: RoundId, role: Role) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_join(key, round, role)
        }

        /// Commits to a contribution, signed by the hot key of a trainer. A duty: free of charge through
        /// `duties.perform`.
        ///
        /// - `round`: the number of the round.
        /// - `commitment`: BLAKE2b-256 of `"noema/contribution"` and the encoded round number,
        ///   controller, BLAKE3 hash of the update, its size in bytes (u32), and salt.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::commit_contribution())]
        pub fn commit_contribution(
            origin: OriginFor<T>,
            round: RoundId,
            commitment: H256,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_commit_contribution(key, round, commitment)
        }

        /// Reveals the committed contribution, whose bytes the trainer serves from now on. A duty: free of
        /// charge through `duties.perform`.
        ///
        /// - `round`: the number of the round.
        /// - `contribution`: hash and size of the update.
        /// - `salt`: the random bytes of the commitment.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::reveal_contribution())]
        pub fn reveal_contribution(
            origin: OriginFor<T>,
            round: RoundId,
            contribution: Contribution,
            salt: H256,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_reveal_contribution(key, round, contribution, salt)
        }

        /// Commits to the scores of all contributions, signed by the hot key of a validator that is heard:
        /// one that was drawn, or after an objection any of the round. A duty: free of charge through
        /// `duties.perform`.
        ///
        /// - `round`: the number of the round.
        /// - `commitment`: BLAKE2b-256 of `"noema/scores"` and the encoded round number, controller,
        ///   sheet and salt.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::commit_scores())]
        pub fn commit_scores(
            origin: OriginFor<T>,
            round: RoundId,
            commitment: H256,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_commit_scores(key, round, commitment)
        }

        /// Reveals the committed scores. A duty: free of charge through `duties.perform`.
        ///
        /// - `round`: the number of the round.
        /// - `sheet`: the parent's loss on the evaluation shards, and one finding for each
        ///   contribution in the order of their commitments.
        /// - `salt`: the random bytes of the commitment.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::reveal_scores())]
        pub fn reveal_scores(
            origin: OriginFor<T>,
            round: RoundId,
            sheet: ScoreSheet,
            salt: H256,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_reveal_scores(key, round, sheet, salt)
        }

        /// Claims the next checkpoint, computed from the accepted contributions; signed by the hot key of a
        /// validator that is heard. A duty: free of charge through `duties.perform`.
        ///
        /// - `round`: the number of the round.
        /// - `claim`: the checkpoint, its roots, and its loss on the evaluation shards.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::claim_checkpoint())]
        pub fn claim_checkpoint(
            origin: OriginFor<T>,
            round: RoundId,
            claim: CheckpointClaim,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_claim(key, round, claim)
        }

        /// Objects to the rulings on the contributions, with the caller's own scores, as a validator of the
        /// round that was not heard. Every validator is heard then, and those in the minority lose a part of
        /// the bond. A duty: free of charge through `duties.perform`.
        ///
        /// - `round`: the number of the round.
        /// - `sheet`: the caller's scores.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::object_to_scores())]
        pub fn object_to_scores(
            origin: OriginFor<T>,
            round: RoundId,
            sheet: ScoreSheet,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_object_to_scores(key, round, sheet)
        }

        /// Objects to the decision on the next checkpoint, with the caller's own claim, as a validator of the
        /// round that was not heard. Every validator is heard then, and those in the minority lose a part of
        /// the bond. A duty: free of charge through `duties.perform`.
        ///
        /// - `round`: the number of the round.
        /// - `claim`: the checkpoint that the caller computed.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::object_to_claim())]
        pub fn object_to_claim(
            origin: OriginFor<T>,
            round: RoundId,
            claim: CheckpointClaim,
        ) -> DispatchResult {
            let key = ensure_signed(origin)?;
            Self::do_object_to_claim(key, round, claim)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The programme of a family.
        pub fn programme(family: FamilyId) -> Option<ProgrammeOf<T>> {
            Programmes::<T>::get(family)
        }

        /// The open round of a family.
        pub fn open_round(family: FamilyId) -> Option<RoundOf<T>> {
            Rounds::<T>::get(Programmes::<T>::get(family)?.round?)
        }

        /// The record of a round, as long as it is readable.
        pub fn round(round: RoundId) -> Option<RoundOf<T>> {
            Rounds::<T>::get(round)
        }

        /// The closed rounds of a family that are still readable, oldest first.
        pub fn closed_rounds(family: FamilyId) -> Vec<RoundId> {
            Closed::<T>::get(family).into_inner()
        }

        /// Checks that programmes and rounds agree with one another.
        pub fn audit() -> Result<AuditReport, AuditFailure> {
            Self::do_audit()
        }
    }
}
