//! The terms of the issuance equal the documented ones.

use crate::common::{account, chain};
use frame_support::{
    assert_ok,
    traits::{fungible::Inspect, Hooks},
};
use noema_economics::Schedule;
use noema_interfaces::RecordWork;
use noema_protocol::Work;
use noema_runtime::{
    constants::{BLOCK_MILLIS, DAYS, EPOCHS_PER_ERA, SUBSIDY_POOL, UNIT},
    presets, Balances, BlockNumber, Issuance, RuntimeCall, RuntimeOrigin, System,
};
use pallet_duties::AsDuty;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};

/// Whether a call is a duty that the hot key `by` may perform now.
fn is_duty(call: &RuntimeCall, by: Sr25519Keyring) -> bool {
    call.as_duty(&account(by), System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

fn go_to(block: BlockNumber) {
    System::set_block_number(block);
    Issuance::on_initialize(block);
}

#[test]
fn the_cap_is_what_genesis_endows_and_the_pool() {
    for preset in ["development", "local_testnet"] {
        chain(preset).execute_with(|| {
            let supply = Issuance::supply().expect("the issuance starts at genesis");
            // The purse of the operators has the existential deposit.
            let endowed =
                presets::endowed().len() as u128 * presets::ENDOWMENT + Balances::minimum_balance();
            assert_eq!(supply.genesis, endowed);
            assert_eq!(supply.total, endowed);
            assert_eq!(supply.cap, endowed + 1_000_000_000 * UNIT);
            assert_ok!(Issuance::audit());
        });
    }
}

#[test]
fn an_epoch_is_a_day_and_on_a_development_chain_sixty_blocks() {
    assert_eq!(u64::from(DAYS) * BLOCK_MILLIS, 24 * 60 * 60 * 1_000);
    chain("local_testnet").execute_with(|| {
        let first = Issuance::schedule(0).expect("the issuance starts at genesis");
        assert_eq!(first.ends_at, DAYS - 1);
    });
    chain("development").execute_with(|| {
        let first = Issuance::schedule(0).expect("the issuance starts at genesis");
        assert_eq!(first.ends_at, 59);
    });
}

#[test]
fn the_schedule_is_the_documented_one() {
    let text = include_str!("../../../docs/issuance.md");
    let noema = |amount: u128| {
        let digits = format!("{:09}", amount / UNIT);
        let groups = [&digits[..3], &digits[3..6], &digits[6..]].join(",");
        let whole = groups.trim_start_matches(['0', ',']);
        format!("{whole}.{:012}", amount % UNIT)
    };
    let schedule = Schedule::within(SUBSIDY_POOL, EPOCHS_PER_ERA);
    chain("local_testnet").execute_with(|| {
        let first = Issuance::schedule(0).expect("the issuance starts at genesis");
        assert_eq!(first.subsidy, schedule.initial);
        for amount in [first.subsidy, schedule.of_era(0), schedule.total()] {
            assert!(text.contains(&format!("| {} |", noema(amount))), "{amount}");
        }
        let second = Issuance::schedule(EPOCHS_PER_ERA).expect("the issuance starts at genesis");
        assert_eq!(second.subsidy, first.subsidy / 2);
        let part = |amount: u128| amount * 100 / first.subsidy;
        let shares = first.shares;
        assert_eq!(
            [shares.inference, shares.check, shares.training].map(part),
            [39, 19, 29],
            "rounded down: forty, twenty and thirty percent"
        );
        assert!(first.treasury >= first.subsidy / 10);
    });
}

#[test]
fn work_is_rewarded_once_its_epoch_is_over_and_the_claim_is_a_duty() {
    chain("development").execute_with(|| {
        <Issuance as RecordWork<_>>::record(Work::Inference, &account(Alice), UNIT as u64);
        go_to(60);
        let before = Balances::total_balance(&account(Alice));
        let call = RuntimeCall::Issuance(pallet_issuance::Call::claim {
            account: account(Alice),
            epoch: 0,
        });
        assert!(is_duty(&call, Bob));
        assert_ok!(Issuance::claim(
            RuntimeOrigin::signed(account(Bob)),
            account(Alice),
            0
        ));
        assert_eq!(Balances::total_balance(&account(Alice)), before + UNIT);
        assert!(!is_duty(&call, Bob));
        assert_ok!(Issuance::audit());
    });
}

#[test]
fn the_treasury_is_an_account_without_a_key_that_fills() {
    chain("development").execute_with(|| {
        go_to(60);
        let scheduled = Issuance::schedule(0).expect("the issuance starts at genesis");
        let treasury = noema_runtime::treasury_account();
        assert_eq!(Balances::total_balance(&treasury), scheduled.treasury);
    });
}
