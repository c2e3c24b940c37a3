//! Events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    /// Events of disputes. The losses of a juror are events of the operators pallet; the payments of
    /// claimant, challengers and jurors are events of the claims pallet.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A leaf was challenged, and a jury will be drawn.
        Opened {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The checkpoint that the claim names.
            checkpoint: CheckpointId,
            /// The amount that an appeal puts on hold, in the smallest unit.
            appeal_bond: Balance,
        },
        /// A jury was drawn, and has to commit.
        JuryDrawn {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The first or the second jury.
            instance: Instance,
            /// The controllers of the jurors, each with the number of its seats.
            jurors: Vec<(T::AccountId, u32)>,
            /// The last block in which a commitment is accepted.
            until: BlockNumberFor<T>,
        },
        /// A juror committed to a verdict.
        VerdictCommitted {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The controller of the juror.
            juror: T::AccountId,
        },
        /// Jurors that committed have to reveal.
        RevealOpened {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The last block in which a reveal is accepted.
            until: BlockNumberFor<T>,
        },
        /// A juror revealed its verdict.
        VerdictRevealed {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The controller of the juror.
            juror: T::AccountId,
            /// Its verdict on the leaf.
            verdict: Verdict,
        },
        /// The first jury decided; its verdict stands unless an account appeals.
        AppealOpened {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The verdict.
            verdict: Verdict,
            /// The last block in which an appeal is accepted.
            until: BlockNumberFor<T>,
        },
        /// An account appealed, and a second jury will be drawn.
        Appealed {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The account that appealed.
            by: T::AccountId,
            /// The amount that it has on hold for that, in the smallest unit.
            bond: Balance,
        },
        /// The first jury did not decide, or had no juror, and a second one will be drawn.
        SecondJuryOpened {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
        },
        /// A dispute is over.
        Concluded {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The decision.
            decision: Decision,
            /// The outcome for the bond of an appeal; `None` where there was none.
            appeal: Option<AppealEnd>,
        },
        /// A dispute was dropped, as its claim has ended for another reason. All locks and holds are
        /// released.
        Dropped {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
        },
    }
}
