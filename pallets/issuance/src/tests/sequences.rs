//! After any sequence of actions, nothing is minted above the cap and nothing is lost.

use crate::{mock::*, Epochs, WorkDone};
use frame_support::{
    traits::{
        fungible::Mutate,
        tokens::{Fortitude, Precision, Preservation},
        Hooks,
    },
    weights::Weight,
};
use noema_economics::Balance;
use noema_interfaces::RecordWork;
use noema_protocol::Work;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Record(Work, AccountId, u64),
    /// Records work in the record of the account.
    Credit(Work, AccountId, u64),
    /// Removes the record of an account.
    Leave(AccountId),
    Claim(AccountId, u32),
    ClaimAll(AccountId),
    Burn(AccountId, Balance),
    Pass(u32),
    /// Passes blocks that have little weight left for removing records.
    PassBusy(u64),
}

fn who() -> impl Strategy<Value = AccountId> {
    // Some of the addresses have no account.
    prop_oneof![4 => 1..=9u64, 1 => 50..=53u64]
}

fn step() -> impl Strategy<Value = Step> {
    let work = prop_oneof![
        Just(Work::Inference),
        Just(Work::Check),
        Just(Work::Training)
    ];
    let amount = prop_oneof![0..20u64, 0..2_000u64, any::<u64>()];
    prop_oneof![
        4 => (work.clone(), who(), amount)
            .prop_map(|(work, who, amount)| Step::Record(work, who, amount)),
        // An account that leaves again and again within an epoch could have more than is counted.
        5 => (work, who(), 0..u64::from(u32::MAX))
            .prop_map(|(work, who, amount)| Step::Credit(work, who, amount)),
        1 => who().prop_map(Step::Leave),
        2 => (who(), 0..40u32).prop_map(|(who, back)| Step::Claim(who, back)),
        3 => who().prop_map(Step::ClaimAll),
        1 => (1..=9u64, 0..3_000u128).prop_map(|(who, amount)| Step::Burn(who, amount)),
        4 => (1..40u32).prop_map(Step::Pass),
        2 => (0..600u64).prop_map(Step::PassBusy),
    ]
}

/// Claims as the dispatch layer does: a refused call changes nothing. Returns the minted amount.
fn claim(who: AccountId, epoch: u32) -> Balance {
    let before = balance(who);
    let _ =
        frame_support::storage::with_storage_layer(|| Issuance::claim(signed(ALICE), who, epoch));
    balance(who) - before
}

fn run(step: Step, burned: &mut Balance) {
    let current = crate::CurrentEpoch::<Test>::get();
    match step {
        Step::Record(work, who, amount) => {
            <Issuance as RecordWork<AccountId>>::record(work, &who, amount);
        }
        Step::Credit(work, who, amount) => {
            credits(work, who, amount);
        }
        Step::Leave(who) => leaves(who),
        Step::Claim(who, back) => {
            claim(who, current.saturating_sub(back));
        }
        Step::ClaimAll(who) => {
            let existed = balance(who) >= EXISTENTIAL_DEPOSIT;
            let pending = Issuance::pending_reward(who);
            let paid: Balance = pending
                .epochs
                .iter()
                .map(|claimable| claim(who, claimable.epoch))
                .sum();
            assert!(paid <= pending.total);
            assert!(paid == pending.total || !existed);
        }
        Step::Burn(who, amount) => {
            *burned += Balances::burn_from(
                &who,
                amount,
                Preservation::Preserve,
                Precision::BestEffort,
                Fortitude::Polite,
            )
            .unwrap_or(0);
        }
        Step::Pass(blocks) => {
            for _ in 0..blocks {
                next_block();
            }
        }
        Step::PassBusy(part) => {
            let now = System::block_number();
            Issuance::on_idle(now, Weight::from_parts(part * 1_000_000, part * 50));
            System::set_block_number(now + 1);
            Issuance::on_initialize(now + 1);
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_minted_above_the_cap_and_nothing_lost(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        new_test_ext().execute_with(|| {
            let mut burned = 0;
            for step in steps {
                let told = format!("{step:?}");
                run(step, &mut burned);
                let audit = Issuance::audit();
                assert!(audit.is_ok(), "after {told}: {audit:?}");
                let supply = Issuance::supply().expect("the issuance started");
                assert_eq!(supply.total + burned, GENESIS + supply.minted, "after {told}");
                assert!(supply.total <= supply.cap);
                assert_eq!(
                    supply.minted + supply.pending + supply.unminted,
                    supply.scheduled
                );
            }
            // Once everything has expired, nothing is pending and nothing is stored.
            for _ in 0..u64::from(WINDOW + 3) * EPOCH {
                next_block();
            }
            let supply = Issuance::supply().expect("the issuance started");
            assert_eq!(supply.minted + supply.unminted, supply.scheduled);
            assert_eq!(WorkDone::<Test>::iter().count(), 0);
            assert_eq!(Epochs::<Test>::iter().count(), 0);
        });
    }
}
