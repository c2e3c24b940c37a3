//! A mock of the claims pallet, in which a test decides when and how each claim ends.

use super::{world::world, AccountId, Balances, Inference, Reason, System, World};
use crate::Balance;
use frame_support::{
    pallet_prelude::{OptionQuery, ValueQuery},
    storage_alias,
    traits::{
        fungible::{Inspect, MutateHold},
        tokens::{Fortitude, Precision, Restriction},
    },
    Twox64Concat,
};
use noema_claims::{
    Beacon, Claim, ClaimFault, ClaimOutcome, ClaimStage, ClaimTerms, RelayBlock, Seat, SeatState,
    Verification,
};
use noema_interfaces::{Claims, OnClaimEnded, Operators, RelayRandomness};
use noema_protocol::{ClaimId, Job, Offence};

/// The outcome of a claim that validators confirmed.
pub(crate) const TRUE: ClaimOutcome = ClaimOutcome::Final(Verification::Confirmed);
/// The outcome of a claim that is false.
pub(crate) const FALSE: ClaimOutcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));

#[storage_alias]
type Kept = StorageMap<World, Twox64Concat, ClaimId, Claim<AccountId, u32>, OptionQuery>;

#[storage_alias]
type Jobs = StorageMap<World, Twox64Concat, ClaimId, Job, OptionQuery>;

/// The part of the hold that each claim cannot cost.
#[storage_alias]
type Surpluses = StorageMap<World, Twox64Concat, ClaimId, Balance, ValueQuery>;

#[storage_alias]
type NextClaim = StorageValue<World, u64, ValueQuery>;

impl RelayRandomness for World {
    fn relay_block() -> RelayBlock {
        world(|world| world.relay)
    }

    fn beacon() -> Beacon {
        world(|world| world.beacon)
    }
}

impl Claims<AccountId, u32> for World {
    type Error = ();

    fn hold(payer: &AccountId, amount: Balance) -> Result<(), ()> {
        Balances::hold(&Reason::Claims, payer, amount).map_err(drop)
    }

    fn release(payer: &AccountId, amount: Balance) -> Balance {
        Balances::release(&Reason::Claims, payer, amount, Precision::BestEffort)
            .expect("a best effort")
    }

    fn make(job: Job, terms: ClaimTerms<AccountId, u32>, surplus: Balance) -> Result<ClaimId, ()> {
        if world(|world| world.refuses_claims) {
            return Err(());
        }
        assert_eq!(Self::locked(&terms.claimant, job), Some(terms.stake));
        let id = ClaimId(NextClaim::mutate(|next| {
            *next += 1;
            *next
        }));
        let claim = Claim::new(id, terms, System::block_number(), Self::relay_block());
        Kept::insert(id, claim.map_err(drop)?);
        Jobs::insert(id, job);
        Surpluses::insert(id, surplus);
        Ok(id)
    }

    fn prune(id: ClaimId) {
        assert!(Kept::take(id).is_some(), "a claim is pruned once");
        Jobs::remove(id);
        Surpluses::remove(id);
    }

    fn claim(id: ClaimId) -> Option<Claim<AccountId, u32>> {
        Kept::get(id)
    }

    fn kept() -> Vec<(ClaimId, Job)> {
        Jobs::iter().collect()
    }

    fn owed() -> Vec<(AccountId, Balance)> {
        let open = Kept::iter().filter(|(_, claim)| claim.outcome().is_none());
        let mut payers: Vec<_> = open.map(|(_, claim)| claim.terms.payer).collect();
        payers.sort_unstable();
        payers.dedup();
        let owed = payers.into_iter().map(|payer| (payer, Self::held(&payer)));
        owed.collect()
    }

    fn held(payer: &AccountId) -> Balance {
        Kept::iter()
            .filter(|(_, claim)| claim.terms.payer == *payer && claim.outcome().is_none())
            .map(|(id, claim)| claim.terms.payment + claim.terms.check_fee + Surpluses::get(id))
            .sum()
    }
}

/// Ends a claim that `validators` confirmed, and settles it.
pub(crate) fn end_claim_with(id: ClaimId, outcome: ClaimOutcome, validators: &[AccountId]) {
    let mut claim = Kept::get(id).expect("the claim was made");
    let job = Jobs::get(id).expect("the claim was made for a job");
    if outcome != ClaimOutcome::Final(Verification::NotDrawn) {
        // It has one leaf.
        claim.drawn.try_push(0).expect("no leaf was drawn");
    }
    for validator in validators {
        let seat = Seat {
            validator: *validator,
            leaf: 0,
            point: 0,
            state: SeatState::Confirmed,
        };
        claim.seats.try_push(seat).expect("a seat is free");
    }
    let settlement = claim.settle(outcome);
    let payer = claim.terms.payer;
    let paid = [(claim.terms.claimant, settlement.claimant)];
    for (to, amount) in paid.iter().chain(&settlement.validators) {
        pay(&payer, to, amount.paid);
        Balances::burn_held(
            &Reason::Claims,
            &payer,
            amount.burned,
            Precision::Exact,
            Fortitude::Force,
        )
        .expect("the amount is on hold");
    }
    <World as Claims<_, _>>::release(&payer, settlement.payer + Surpluses::get(id));
    if settlement.slash.is_some() {
        let claimant = &claim.terms.claimant;
        World::slash(claimant, job, Offence::FalseAnswer, claim.terms.stake, &[]);
    }
    <World as Operators<_, _>>::release(&claim.terms.claimant, job);
    claim.stage = ClaimStage::Ended(outcome);
    Kept::insert(id, claim);
    Inference::ended(job, id, outcome, &settlement);
}

/// Ends a claim that no validator was drawn for.
pub(crate) fn end_claim(id: ClaimId, outcome: ClaimOutcome) {
    end_claim_with(id, outcome, &[]);
}

fn pay(payer: &AccountId, to: &AccountId, amount: Balance) {
    if amount == 0 {
        return;
    }
    assert!(Balances::total_balance(to) > 0, "{to} exists");
    Balances::transfer_on_hold(
        &Reason::Claims,
        payer,
        to,
        amount,
        Precision::Exact,
        Restriction::Free,
        Fortitude::Force,
    )
    .expect("the amount is on hold");
}

/// The claims that have not ended.
pub(crate) fn open_claims() -> Vec<ClaimId> {
    let mut open: Vec<_> = Kept::iter()
        .filter(|(_, claim)| claim.outcome().is_none())
        .map(|(id, _)| id)
        .collect();
    open.sort_unstable();
    open
}

/// The terms that were fixed when a claim was made.
pub(crate) fn claim_terms(id: ClaimId) -> ClaimTerms<AccountId, u32> {
    Kept::get(id).expect("the claim was made").terms
}
