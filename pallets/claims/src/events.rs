//! What happens to claims.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An operator claimed to be paid for what it did.
        ClaimMade {
            /// The claim.
            claim: ClaimId,
            /// What it did.
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
        /// A validator committed to what it found.
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
        /// A validator showed the claim's own hidden state: it executed the leaf and found the same.
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
            /// What the checks showed.
            verification: Verification,
        },
        /// An account says that a leaf is false. The referee decides.
        Challenged {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The account.
            challenger: T::AccountId,
        },
        /// The referee has decided.
        DisputeConcluded {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// What it decided.
            decision: Decision,
        },
        /// The claim is over.
        Ended {
            /// The claim.
            claim: ClaimId,
            /// How.
            outcome: Outcome,
            /// Paid to the claimant.
            paid: Balance,
            /// Paid to each validator for a check.
            checks: Vec<(T::AccountId, Balance)>,
            /// Given back to the payer.
            refunded: Balance,
            /// Destroyed of what the payer paid.
            burned: Balance,
        },
        /// The record of a claim that is over was removed.
        Pruned {
            /// The claim.
            claim: ClaimId,
        },
    }
}
