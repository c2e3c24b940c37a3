//! What the pallet tells.

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
            /// The text.
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
            /// What it does in the round.
            role: Role,
        },
        /// An operator has lost its place in a round that is full to one with a larger bond. Nothing of its
        /// bond is locked behind the round any more.
        Displaced {
            /// The round.
            round: RoundId,
            /// Its controller.
            operator: T::AccountId,
            /// The controller of the other.
            by: T::AccountId,
        },
        /// Another phase began.
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
        /// A trainer revealed what it committed.
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
        /// A validator claimed what the next checkpoint is.
        CheckpointClaimed {
            /// The round.
            round: RoundId,
            /// The validator's controller.
            validator: T::AccountId,
            /// What it claims.
            claim: Claim,
        },
        /// A validator objected, and every validator of the round is heard.
        Objected {
            /// The round.
            round: RoundId,
            /// The validator's controller.
            validator: T::AccountId,
        },
        /// The next checkpoint is known, and can be held.
        CheckpointAggregated {
            /// The round.
            round: RoundId,
            /// What it is.
            claim: Claim,
        },
        /// What was decided of a contribution, told when the round ends.
        ContributionRuled {
            /// The round.
            round: RoundId,
            /// The trainer's controller.
            trainer: T::AccountId,
            /// Accepted, with which weight, or refused, and why.
            ruling: Ruling,
        },
        /// A round ended.
        RoundClosed {
            /// The round.
            round: RoundId,
            /// With a new checkpoint, or why without.
            outcome: Outcome,
        },
    }
}
