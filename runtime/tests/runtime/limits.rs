//! The limits of a block, the weight of calls, and the sums of deadlines.

use crate::common::{account, chain};
use codec::Encode;
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::{Get, OnRuntimeUpgrade},
    weights::{Weight, WeightToFee},
};
use noema_protocol::{CheckpointId, SamplingParameters, SessionId};
use noema_runtime::{
    constants::{MICROUNIT, MILLIUNIT, UNIT},
    parameters::{
        self, ParametersRefusal, RoundSlashes, SlashesError, REQUEST_RULES, ROUND_SLASHES,
        SESSION_RULES,
    },
    AllPalletsWithSystem, Runtime, RuntimeCall, System, TransactionPayment, VERSION,
};
use noema_sessions::{SessionRulesError, Voucher};
use pallet_inference::Config as InferenceConfig;
use sp_core::{Pair, H256};
use sp_keyring::Sr25519Keyring::Alice;
use sp_runtime::Permill;

/// The value of a constant.
fn value<Constant: Get<u32>>() -> u32 {
    Constant::get()
}

fn longest_request() -> RuntimeCall {
    let bytes = value::<<Runtime as InferenceConfig>::MaxPromptBytes>() as usize;
    RuntimeCall::Inference(pallet_inference::Call::request_inference {
        checkpoint: CheckpointId::default(),
        prompt: vec![b'x'; bytes],
        parameters: SamplingParameters::greedy(64),
        price_limit: UNIT,
    })
}

#[test]
fn the_longest_request_fits_into_a_block_many_times() {
    let weight = longest_request().get_dispatch_info().call_weight;
    let limits: frame_system::limits::BlockWeights =
        <Runtime as frame_system::Config>::BlockWeights::get();
    let room = limits
        .get(DispatchClass::Normal)
        .max_extrinsic
        .expect("ordinary transactions have a limit");
    assert!(
        weight.saturating_mul(20).all_lte(room),
        "{weight:?} of {room:?}"
    );
}

#[test]
fn fees_of_a_request_are_small_beside_what_it_buys() {
    chain("development").execute_with(|| {
        let info = TransactionPayment::query_call_info(longest_request(), 8_400);
        assert!(info.partial_fee > 0);
        assert!(info.partial_fee < UNIT, "{}", info.partial_fee);
    });
}

#[test]
fn a_fee_charges_for_the_scarcer_of_time_and_proof() {
    type Fee = noema_runtime::fees::ScarcerOfTimeAndProof;
    assert_eq!(Fee::weight_to_fee(&Weight::zero()), 0);
    assert_eq!(
        Fee::weight_to_fee(&Weight::from_parts(0, 10_000)),
        MILLIUNIT / 10
    );
    let slow = Weight::from_parts(1_000_000_000_000, 0);
    assert!(Fee::weight_to_fee(&slow) > Fee::weight_to_fee(&Weight::from_parts(1, 1)));
    assert!(Fee::weight_to_fee(&Weight::MAX) > 0);
}

#[test]
fn the_rules_of_every_preset_work() {
    for finality in [0, 15, 30, parameters::LIVE_FINALITY] {
        let rules = parameters::claim_rules(finality, 1);
        assert_eq!(
            parameters::check(&rules, &REQUEST_RULES, &SESSION_RULES, &ROUND_SLASHES),
            Ok(()),
            "{finality}"
        );
    }
}

#[test]
fn rules_whose_stakes_do_not_pay_the_jurors_are_refused() {
    let live = parameters::claim_rules(parameters::LIVE_FINALITY, parameters::LIVE_FRESHNESS);
    let check = |claims, requests| {
        let mut sessions = SESSION_RULES;
        sessions.stake_per_token = UNIT;
        parameters::check(&claims, &requests, &sessions, &ROUND_SLASHES)
    };
    let mut claims = live;
    // Two fees of each of the 36 seats: half of a fallen stake goes to the challengers.
    claims.juror_fee_per_token = 13 * MICROUNIT;
    let mut requests = REQUEST_RULES;
    requests.stake_per_token = 72 * claims.juror_fee_per_token;
    assert_eq!(check(claims, requests), Ok(()));
    requests.stake_per_token -= 1;
    let refused = Err(ParametersRefusal::JurorsUnpaid);
    assert_eq!(check(claims, requests), refused);
    // 37 fees for each of 2,048 tokens are more than one NOEMA, and the lock of a seat follows them.
    claims.juror_fee_per_token = 14 * MICROUNIT;
    requests.stake_per_token = UNIT;
    assert_eq!(check(claims, requests), Ok(()));
    assert_eq!(claims.seat_stake(2_048), 37 * 2_048 * 14 * MICROUNIT);
}

#[test]
fn rules_of_sessions_that_cannot_work_are_refused() {
    let claims = parameters::claim_rules(parameters::LIVE_FINALITY, parameters::LIVE_FRESHNESS);
    let check = |sessions| parameters::check(&claims, &REQUEST_RULES, &sessions, &ROUND_SLASHES);
    assert_eq!(check(SESSION_RULES), Ok(()));
    let mut sessions = SESSION_RULES;
    sessions.close = 0;
    let refused = SessionRulesError::NoTimeToClaim;
    assert_eq!(check(sessions), Err(ParametersRefusal::Sessions(refused)));
    // Eight times 56 % are less than the margin of 450 %.
    let mut sessions = SESSION_RULES;
    sessions.stake_percent = 56;
    assert_eq!(check(sessions), Err(ParametersRefusal::SessionStakes));
    let mut sessions = SESSION_RULES;
    sessions.stake_per_token = claims.stake_for_jurors(1) - 1;
    assert_eq!(check(sessions), Err(ParametersRefusal::JurorsUnpaid));
}

#[test]
fn a_claim_of_a_session_is_small_whatever_it_covers() {
    let voucher = Voucher {
        genesis: H256::repeat_byte(1),
        session: SessionId(u64::MAX),
        terms: H256::repeat_byte(2),
        first: 0,
        count: u32::MAX,
        amount: u128::MAX,
        dearest: u128::MAX,
        root: H256::repeat_byte(3),
    };
    let call = RuntimeCall::Sessions(pallet_sessions::Call::claim {
        voucher: Box::new(voucher),
        signature: Alice.pair().sign(voucher.payload().as_bytes()).into(),
    });
    let weight = call.get_dispatch_info().call_weight;
    assert!(weight.ref_time() <= 1_000_000_000, "{weight:?}");
    let duty = RuntimeCall::Duties(pallet_duties::Call::perform {
        key: account(Alice),
        duty: Box::new(call),
        at: 0,
        signature: Alice.pair().sign(&[]).into(),
    });
    assert!(duty.encoded_size() <= 512, "{}", duty.encoded_size());
}

#[test]
fn slashes_of_rounds_that_cannot_work_are_refused() {
    let refused = |change: fn(&mut RoundSlashes)| {
        let mut slashes = ROUND_SLASHES;
        change(&mut slashes);
        slashes.check().expect_err("they cannot work")
    };
    assert_eq!(
        refused(|slashes| slashes.falsehood = Permill::zero()),
        SlashesError::NothingLocked
    );
    assert_eq!(
        refused(|slashes| slashes.silence = Permill::zero()),
        SlashesError::SilenceIsFree
    );
    assert_eq!(
        refused(|slashes| slashes.silence_cap = 0),
        SlashesError::SilenceIsFree
    );
    assert_eq!(
        refused(|slashes| slashes.silence = Permill::from_percent(7)),
        SlashesError::SilenceAboveLock
    );
}

#[test]
fn an_upgrade_to_this_version_changes_nothing() {
    chain("development").execute_with(|| {
        System::finalize();
        let before = sp_io::storage::root(VERSION.state_version());
        AllPalletsWithSystem::on_runtime_upgrade();
        <Runtime as frame_system::Config>::SingleBlockMigrations::on_runtime_upgrade();
        assert_eq!(before, sp_io::storage::root(VERSION.state_version()));
    });
}

#[test]
fn the_well_known_accounts_can_pay_for_the_longest_request() {
    chain("development").execute_with(|| {
        let info = TransactionPayment::query_call_info(longest_request(), 8_400);
        assert!(noema_runtime::Balances::free_balance(account(Alice)) > info.partial_fee);
    });
}
