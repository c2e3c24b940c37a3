//! Whatever is called in whatever order, the books balance.

use crate::{mock::*, Roles};
use noema_protocol::{
    interfaces::{Earning, Offence, Operators as _, Role},
    CheckpointId, Job, RequestId,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Register(AccountId, bool, bool, AccountId, Balance),
    Serve(AccountId, bool),
    StopServing(AccountId, bool),
    FollowCanonical(AccountId, bool),
    BondExtra(AccountId, Balance),
    StartUnbonding(AccountId),
    CancelUnbonding(AccountId),
    WithdrawBond(AccountId),
    RotateKey(AccountId, AccountId),
    Heartbeat(AccountId),
    ReportDevice(AccountId),
    SetEndpoint(AccountId, bool),
    Engage(AccountId),
    Slash(AccountId, Balance, Vec<(AccountId, Balance)>),
    Earn(AccountId, Balance),
    Pass(u64),
}

fn who() -> impl Strategy<Value = AccountId> {
    1..=6u64
}

fn key() -> impl Strategy<Value = AccountId> {
    101..=108u64
}

fn step() -> impl Strategy<Value = Step> {
    let shares = proptest::collection::vec((1..=12u64, 0..200u64), 0..3);
    prop_oneof![
        3 => (who(), any::<bool>(), any::<bool>(), key(), 50..400u64)
            .prop_map(|(c, w, v, k, b)| Step::Register(c, w, v, k, b)),
        3 => (who(), any::<bool>()).prop_map(|(c, first)| Step::Serve(c, first)),
        1 => (who(), any::<bool>()).prop_map(|(c, first)| Step::StopServing(c, first)),
        2 => (key(), any::<bool>()).prop_map(|(k, first)| Step::FollowCanonical(k, first)),
        1 => (who(), 0..6_000u64).prop_map(|(c, b)| Step::BondExtra(c, b)),
        2 => who().prop_map(Step::StartUnbonding),
        1 => who().prop_map(Step::CancelUnbonding),
        2 => who().prop_map(Step::WithdrawBond),
        1 => (who(), key()).prop_map(|(c, k)| Step::RotateKey(c, k)),
        1 => key().prop_map(Step::Heartbeat),
        1 => key().prop_map(Step::ReportDevice),
        1 => (key(), any::<bool>()).prop_map(|(k, some)| Step::SetEndpoint(k, some)),
        2 => who().prop_map(Step::Engage),
        2 => (who(), 0..500u64, shares).prop_map(|(c, a, s)| Step::Slash(c, a, s)),
        1 => (who(), 0..500u64).prop_map(|(c, a)| Step::Earn(c, a)),
        2 => (1..60u64).prop_map(Step::Pass),
    ]
}

fn checkpoint(first: bool) -> CheckpointId {
    if first {
        LLAMA
    } else {
        OTHER
    }
}

/// What is still open, to be released once and no more.
#[derive(Default)]
struct Jobs(Vec<AccountId>);

fn run(step: Step, jobs: &mut Jobs, burned: &mut Balance) {
    let job = Job::Request(RequestId(1));
    // A refused call changes nothing: the dispatch layer rolls it back.
    let call = |call: crate::Call<Test>, who: AccountId| {
        use frame_support::traits::UnfilteredDispatchable;
        let _ = frame_support::storage::with_storage_layer(|| {
            call.dispatch_bypass_filter(signed(who))
                .map_err(|failure| failure.error)
        });
    };
    match step {
        Step::Register(who, worker, validator, key, bond) => {
            let roles = Roles {
                worker,
                validator,
                trainer: false,
            };
            call(
                crate::Call::register {
                    roles,
                    key,
                    prices: PRICES,
                    bond,
                },
                who,
            );
        }
        Step::Serve(who, first) => {
            call(
                crate::Call::serve {
                    checkpoint: checkpoint(first),
                },
                who,
            );
        }
        Step::StopServing(who, first) => {
            call(
                crate::Call::stop_serving {
                    checkpoint: checkpoint(first),
                },
                who,
            );
        }
        Step::FollowCanonical(key, first) => {
            ActiveCheckpoints::make_canonical(checkpoint(!first));
            call(
                crate::Call::follow_canonical {
                    checkpoint: checkpoint(first),
                },
                key,
            );
        }
        Step::BondExtra(who, amount) => call(crate::Call::bond_extra { amount }, who),
        Step::StartUnbonding(who) => call(crate::Call::start_unbonding {}, who),
        Step::CancelUnbonding(who) => call(crate::Call::cancel_unbonding {}, who),
        Step::WithdrawBond(who) => call(crate::Call::withdraw_bond {}, who),
        Step::RotateKey(who, key) => call(crate::Call::rotate_key { key }, who),
        Step::Heartbeat(key) => call(crate::Call::heartbeat {}, key),
        Step::ReportDevice(key) => call(crate::Call::report_device { device: gpu() }, key),
        Step::SetEndpoint(key, some) => {
            let endpoint = some.then(endpoint);
            call(crate::Call::set_endpoint { endpoint }, key);
        }
        Step::Engage(who) => {
            if Operators::engage(&who).is_ok() {
                jobs.0.push(who);
            }
        }
        Step::Slash(who, amount, shares) => {
            let before: Vec<Balance> = (1..=12).map(total).collect();
            let taken = Operators::slash(&who, job, Offence::FalseAnswer, amount, &shares);
            let after = (1..=12).map(total);
            let won: Balance = after
                .zip(before)
                .map(|(after, before)| after.saturating_sub(before))
                .sum();
            assert!(taken <= amount);
            *burned += taken - won;
        }
        Step::Earn(who, amount) => Operators::note_earning(&who, job, Earning::Check, amount),
        Step::Pass(blocks) => {
            advance_to(System::block_number() + blocks);
            if let Some(who) = jobs.0.pop() {
                Operators::release(&who);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn the_books_should_balance_after_any_sequence(
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        new_test_ext().execute_with(|| {
            let minted = Balances::total_issuance();
            let (mut jobs, mut burned) = (Jobs::default(), 0);
            for step in steps {
                let told = format!("{step:?}");
                run(step, &mut jobs, &mut burned);
                let report = Operators::audit().unwrap_or_else(|failure| panic!("{failure:?} after {told}"));
                assert_eq!(Balances::total_issuance(), minted - burned, "after {told}");
                let held: Balance = (1..=6).map(held).sum();
                assert_eq!(report.bonded, held);
                for role in [Role::Worker, Role::Validator] {
                    for candidate in Operators::candidates(role, &LLAMA) {
                        assert!(candidate.bond >= MIN_BOND);
                    }
                }
            }
        });
    }
}
