//! Events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    /// Events of the pallet.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An operator registered and its bond is held.
        Registered {
            /// The account that holds the bond.
            controller: T::AccountId,
            /// The hot key that submits for it.
            key: T::AccountId,
            /// Its roles.
            roles: Roles,
            /// The bond.
            bond: BalanceOf<T>,
        },
        /// A worker changed its prices.
        PricesSet {
            /// The worker.
            controller: T::AccountId,
            /// Its prices.
            prices: Prices<BalanceOf<T>>,
            /// The first term in which they hold.
            from: TermIndex,
        },
        /// An operator serves a checkpoint.
        ServingStarted {
            /// The operator.
            controller: T::AccountId,
            /// The checkpoint.
            checkpoint: CheckpointId,
            /// The first term in which it can be drawn for it.
            from: TermIndex,
        },
        /// An operator no longer serves a checkpoint.
        ServingStopped {
            /// The operator.
            controller: T::AccountId,
            /// The checkpoint.
            checkpoint: CheckpointId,
            /// The first term in which it is no longer drawn for it.
            from: TermIndex,
        },
        /// An operator missed a duty or did it falsely: it is not drawn until it resumes.
        MarkedAbsent {
            /// The operator.
            controller: T::AccountId,
        },
        /// An operator ended its absence.
        Resumed {
            /// The operator.
            controller: T::AccountId,
            /// The first term in which it can be drawn again.
            from: TermIndex,
        },
        /// An operator reported the device it runs on.
        DeviceReported {
            /// The operator.
            controller: T::AccountId,
            /// The device.
            device: Device,
        },
        /// An operator published its endpoint, or that it no longer shares artefacts.
        EndpointSet {
            /// The operator.
            controller: T::AccountId,
            /// The endpoint.
            endpoint: Option<Endpoint>,
        },
        /// An operator added to its bond.
        BondIncreased {
            /// The operator.
            controller: T::AccountId,
            /// The amount added.
            amount: BalanceOf<T>,
            /// The whole bond.
            bond: BalanceOf<T>,
        },
        /// An operator is leaving: it serves no checkpoint any longer, and its bond stays slashable.
        UnbondingStarted {
            /// The operator.
            controller: T::AccountId,
            /// The block from which the bond can be withdrawn.
            withdrawable_at: BlockNumberFor<T>,
        },
        /// An operator cancelled its unbonding and may serve again.
        UnbondingCancelled {
            /// The operator.
            controller: T::AccountId,
        },
        /// An operator left and its bond was released.
        BondWithdrawn {
            /// The former operator.
            controller: T::AccountId,
            /// The amount released.
            amount: BalanceOf<T>,
        },
        /// An operator changed its hot key.
        KeyRotated {
            /// The operator.
            controller: T::AccountId,
            /// The key that no longer submits.
            old: T::AccountId,
            /// The key that submits from now on.
            new: T::AccountId,
        },
        /// An operator lost part of its bond.
        Slashed {
            /// The operator.
            controller: T::AccountId,
            /// The job in which it offended.
            job: Job,
            /// The offence.
            offence: Offence,
            /// The amount paid to beneficiaries.
            paid: BalanceOf<T>,
            /// The amount burned.
            burned: BalanceOf<T>,
            /// The remaining bond.
            bond: BalanceOf<T>,
        },
        /// An operator's bond fell below the least bond: it cannot resume before it adds to it.
        Suspended {
            /// The operator.
            controller: T::AccountId,
            /// The remaining bond.
            bond: BalanceOf<T>,
        },
        /// A payment was credited to an operator, which can withdraw it.
        Earned {
            /// The operator.
            controller: T::AccountId,
            /// The job that was paid.
            job: Job,
            /// The kind of work that was paid.
            kind: Earning,
            /// The amount.
            amount: BalanceOf<T>,
        },
        /// An operator withdrew its credit.
        Withdrawn {
            /// The operator.
            controller: T::AccountId,
            /// The amount.
            amount: BalanceOf<T>,
        },
        /// A part of an operator's bond was burned, as the price of what it asked for.
        Spent {
            /// The operator.
            controller: T::AccountId,
            /// The job for which it asked.
            job: Job,
            /// The amount burned.
            amount: BalanceOf<T>,
            /// The remaining bond.
            bond: BalanceOf<T>,
        },
        /// An operator changed the part of its bond that draws leave unlocked.
        ReserveSet {
            /// The operator.
            controller: T::AccountId,
            /// The part.
            amount: BalanceOf<T>,
            /// The first term in which it holds.
            from: TermIndex,
        },
    }
}
