//! The genesis of each preset.

use crate::common::{account, chain};
use frame_support::traits::{fungible::Inspect, BuildGenesisConfig, Get};
use noema_runtime::{
    constants::{EXISTENTIAL_DEPOSIT, PARA_ID, SS58_PREFIX, UNIT},
    parameters::{self, ProtocolClaimRules, RuntimeParameters},
    presets, Balances, CollatorSelection, ParachainInfo, Parameters, Runtime, Session, Sudo,
};
use sp_keyring::Sr25519Keyring::*;

#[test]
fn development_endows_the_well_known_accounts_and_gives_alice_the_sudo_key() {
    chain("development").execute_with(|| {
        for key in [Alice, Bob, Charlie, Dave, Eve, Ferdie] {
            assert_eq!(Balances::total_balance(&account(key)), 1_000_000 * UNIT);
        }
        assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(account(Alice)));
        assert_eq!(u32::from(ParachainInfo::parachain_id()), PARA_ID);
    });
}

#[test]
fn local_testnet_has_no_sudo_key() {
    chain("local_testnet").execute_with(|| {
        assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
        let call = frame_system::Call::remark { remark: vec![] };
        assert!(
            Sudo::sudo(Some(account(Alice)).into_origin(), Box::new(call.into())).is_err(),
            "there is no root"
        );
    });
}

#[test]
fn collators_are_stashes_so_that_other_accounts_do_not_change_by_themselves() {
    chain("development").execute_with(|| {
        assert_eq!(Session::validators(), vec![account(AliceStash)]);
        let mut invulnerables = pallet_collator_selection::Invulnerables::<Runtime>::get();
        assert_eq!(invulnerables.pop(), Some(account(AliceStash)));
        assert_eq!(Balances::total_balance(&CollatorSelection::account_id()), 0);
    });
    chain("local_testnet").execute_with(|| {
        assert_eq!(
            Session::validators(),
            vec![account(AliceStash), account(BobStash)]
        );
    });
}

#[test]
fn every_named_preset_exists_and_no_other() {
    for name in presets::preset_names() {
        assert!(presets::get_preset(&name).is_some(), "{name}");
    }
    assert_eq!(presets::preset_names().len(), 2);
    assert!(presets::get_preset(&"live".into()).is_none());
}

#[test]
fn a_live_chain_waits_for_finality_and_a_development_chain_has_none_to_wait_for() {
    let allowance = |preset: &str| chain(preset).execute_with(parameters::FinalityAllowance::get);
    assert_eq!(allowance("local_testnet"), parameters::LIVE_FINALITY);
    assert_eq!(allowance("development"), 0);
}

#[test]
fn only_root_sets_rules() {
    chain("development").execute_with(|| {
        let rules = parameters::claim_rules(7, 2);
        let set = |origin| {
            Parameters::set_parameter(
                origin,
                RuntimeParameters::Protocol((ProtocolClaimRules, rules).into()),
            )
        };
        assert!(set(Some(account(Alice)).into_origin()).is_err());
        assert!(set(frame_system::RawOrigin::Root.into()).is_ok());
        assert_eq!(ProtocolClaimRules::get(), rules);
    });
}

#[test]
#[should_panic(expected = "EmptyWindow")]
fn genesis_refuses_what_cannot_work_by_name() {
    let mut rules = parameters::claim_rules(0, 1);
    rules.windows.commit = 0;
    let mut genesis = crate::common::genesis("development");
    genesis.parameter_presets.claim_rules = Some(rules);
    sp_io::TestExternalities::new_empty().execute_with(|| genesis.build());
}

#[test]
fn the_token_has_twelve_decimals_and_a_small_existential_deposit() {
    assert_eq!(UNIT, 10u128.pow(12));
    assert_eq!(EXISTENTIAL_DEPOSIT, UNIT / 1_000);
    assert_eq!(SS58_PREFIX, 42);
}

/// The origin of a transaction that the account signed.
trait IntoOrigin {
    fn into_origin(self) -> noema_runtime::RuntimeOrigin;
}

impl IntoOrigin for Option<noema_runtime::AccountId> {
    fn into_origin(self) -> noema_runtime::RuntimeOrigin {
        frame_system::RawOrigin::from(self).into()
    }
}
