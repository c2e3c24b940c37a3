//! Events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A programme was started.
        ProgrammeStarted {
            /// The family it trains.
            family: FamilyId,
            /// The dataset.
            dataset: Dataset,
        },
        /// A programme was stopped.
        ProgrammeStopped {
            /// The family it trained.
            family: FamilyId,
        },
        /// A round opened.
        RoundOpened {
            /// The round.
            round: RoundId,
            /// The family.
            family: FamilyId,
            /// The checkpoint it starts from.
            parent: CheckpointId,
        },
        /// An operator joined.
        Joined {
            /// The round.
            round: RoundId,
            /// Its controller.
            operator: T::AccountId,
            /// Its role in the round.
            role: Role,
        },
        /// An operator lost its place in a full round to one with a larger bond. Its bond is no longer locked
        /// behind the round.
        Displaced {
            /// The round.
            round: RoundId,
            /// Its controller.
            operator: T::AccountId,
            /// The controller of the operator with the larger bond.
            by: T::AccountId,
        },
        /// The next phase began.
        PhaseBegan {
            /// The round.
            round: RoundId,
            /// The phase.
            phase: Phase<BlockNumberFor<T>>,
        },
        /// A trainer committed.
        ContributionCommitted {
            /// The round.
            round: RoundId,
            /// The trainer's controller.
            trainer: T::AccountId,
        },
        /// A trainer revealed its contribution.
        ContributionRevealed {
            /// The round.
            round: RoundId,
            /// The trainer's controller.
            trainer: T::AccountId,
            /// The update.
            contribution: Contribution,
        },
        /// A validator committed its scores.
        ScoresCommitted {
            /// The round.
            round: RoundId,
            /// The validator's controller.
            validator: T::AccountId,
        },
        /// A validator revealed its scores.
        ScoresRevealed {
            /// The round.
            round: RoundId,
            /// The validator's controller.
            validator: T::AccountId,
        },
        /// A validator claimed the next checkpoint.
        CheckpointClaimed {
            /// The round.
            round: RoundId,
            /// The validator's controller.
            validator: T::AccountId,
            /// Its claim.
            claim: CheckpointClaim,
        },
        /// A validator objected: from now on every validator of the round is heard.
        Objected {
            /// The round.
            round: RoundId,
            /// The validator's controller.
            validator: T::AccountId,
        },
        /// The next checkpoint is decided, and can be held.
        CheckpointAggregated {
            /// The round.
            round: RoundId,
            /// The claim that describes it.
            claim: CheckpointClaim,
        },
        /// The ruling on a contribution, at the end of a round.
        ContributionRuled {
            /// The round.
            round: RoundId,
            /// The trainer's controller.
            trainer: T::AccountId,
            /// Accepted with a weight, or refused with a reason.
            ruling: Ruling,
        },
        /// A round ended.
        RoundClosed {
            /// The round.
            round: RoundId,
            /// A new checkpoint, or the reason for ending without.
            outcome: RoundOutcome,
        },
    }
}
