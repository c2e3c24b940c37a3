//! Events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    /// Events of games. The payments and losses of claimant and challengers are events of the claims pallet and of the
    /// operators pallet.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A leaf was challenged, and its claimant has to show a trace.
        Began {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The checkpoint that the claim names.
            checkpoint: CheckpointId,
            /// The last game time in which the claimant may show it, and any account may join.
            until: BlockNumberFor<T>,
        },
        /// A challenger has a line in a game.
        Joined {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The challenger.
            challenger: T::AccountId,
            /// The amount that it has on hold for that, in the smallest unit; zero for a challenger of the claims
            /// pallet.
            bond: Balance,
        },
        /// The claimant showed the root of its trace.
        Opened {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The trace.
            trace: Tree,
        },
        /// The claimant showed that the chain has no steps for the computation. Another referee decides, as soon as the
        /// time to open a trace is over and the lines have ended, without loss.
        NoSteps {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
        },
        /// A challenger pointed to a node: the claimant has to show the row below it.
        Pointed {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The challenger.
            challenger: T::AccountId,
            /// The node.
            node: Place,
            /// The last game time in which the row may be shown.
            until: BlockNumberFor<T>,
        },
        /// The claimant showed a row. It is in the call.
        Shown {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The node above the row.
            node: Place,
            /// The challengers that have to move now.
            challengers: Vec<T::AccountId>,
        },
        /// The line of a challenger is over: it showed nothing.
        LineEnded {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// The challenger.
            challenger: T::AccountId,
            /// Why.
            end: LineEnd,
        },
        /// A game is over.
        Concluded {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
            /// How it ended.
            end: GameEnd,
            /// The account that showed the fault; `None` where there is none, or the claimant showed no trace in time.
            by: Option<T::AccountId>,
        },
        /// A game was dropped, as its claim has ended for another reason.
        Dropped {
            /// The claim.
            claim: ClaimId,
            /// The leaf.
            leaf: u32,
        },
    }
}
