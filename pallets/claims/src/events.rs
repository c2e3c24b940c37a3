//! Events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An operator made a claim.
        ClaimMade {
            /// The claim.
            claim: ClaimId,
            /// The job claimed to be done.
            job: Job,
            /// The operator.
            claimant: T::AccountId,
            /// The Merkle root over the hashes of its receipts.
            root: H256,
        },
        /// No leaf of the claim was drawn for a check.
        CheckWaived {
            /// The claim.
            claim: ClaimId,
        },
        /// Validators were drawn for the check of leaves, and have to commit.
        CheckDrawn {
            /// The claim.
            claim: ClaimId,
            /// Each validator, with the leaf that it checks.
            seats: Vec<(T::AccountId, u32)>,
        },
        /// A validator committed to its finding.
        CheckCommitted {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The validator.
            validator: T::AccountId,
        },
        /// Validators that committed have to reveal.
        RevealOpened {
            /// The claim.
            claim: ClaimId,
        },
        /// A validator revealed the claim's own hidden state: it executed the leaf with the same result.
        CheckRevealed {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The validator.
            validator: T::AccountId,
        },
        /// The checks are over. The claim becomes final unless it is challenged.
        ChallengeOpened {
            /// The claim.
            claim: ClaimId,
            /// The result of the checks.
            verification: Verification,
        },
        /// An account challenged a leaf. The referee decides.
        Challenged {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The account.
            challenger: T::AccountId,
        },
        /// The referee decided a dispute.
        DisputeConcluded {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The decision.
            decision: Decision,
        },
        /// The claim is over.
        Ended {
            /// The claim.
            claim: ClaimId,
            /// The outcome.
            outcome: ClaimOutcome,
            /// The amount paid to the claimant.
            paid: Balance,
            /// The amount paid to each validator for a check.
            checks: Vec<(T::AccountId, Balance)>,
            /// The amount refunded to the payer.
            refunded: Balance,
            /// The part of the payments that was burned.
            burned: Balance,
        },
        /// The record of a finished claim was removed.
        Pruned {
            /// The claim.
            claim: ClaimId,
        },
        /// A validator demanded a leaf that it cannot read: the claimant has to post it.
        LeafDemanded {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The validator.
            by: T::AccountId,
            /// The last block in which the claimant may post it.
            until: BlockNumberFor<T>,
        },
        /// The claimant posted a leaf. Its tokens are in the call.
        LeafPosted {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
        },
    }
}
