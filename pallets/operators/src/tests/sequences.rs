//! After any sequence of calls, the audit succeeds.

use crate::{mock::*, Roles};
use frame_support::{traits::Hooks, weights::Weight};
use noema_interfaces::Operators as _;
use noema_protocol::{CheckpointId, Offence, Role};
use proptest::prelude::*;
use sp_core::H256;

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
    Resume(AccountId),
    Withdraw(AccountId),
    ReportDevice(AccountId),
    SetEndpoint(AccountId, bool),
    Lock(AccountId, u64, Balance),
    Release(AccountId, u64),
    Slash(AccountId, u64, Balance, Vec<(AccountId, Balance)>),
    Pay(AccountId, Balance),
    Draw(u8),
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
        2 => key().prop_map(Step::Resume),
        1 => who().prop_map(Step::Withdraw),
        1 => key().prop_map(Step::ReportDevice),
        1 => (key(), any::<bool>()).prop_map(|(k, some)| Step::SetEndpoint(k, some)),
        3 => (who(), 0..3u64, 0..200u64).prop_map(|(c, j, a)| Step::Lock(c, j, a)),
        2 => (who(), 0..3u64).prop_map(|(c, j)| Step::Release(c, j)),
        2 => (who(), 0..3u64, 0..500u64, shares).prop_map(|(c, j, a, s)| Step::Slash(c, j, a, s)),
        1 => (who(), 0..50u64).prop_map(|(c, a)| Step::Pay(c, a)),
        2 => any::<u8>().prop_map(Step::Draw),
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

fn run(step: Step, burned: &mut Balance) {
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
                    possession: possession(who, key),
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
        Step::RotateKey(who, key) => {
            let possession = possession(who, key);
            call(crate::Call::rotate_key { key, possession }, who);
        }
        Step::Resume(key) => call(crate::Call::resume {}, key),
        Step::Withdraw(who) => call(crate::Call::withdraw {}, who),
        Step::ReportDevice(key) => call(crate::Call::report_device { device: gpu() }, key),
        Step::SetEndpoint(key, some) => {
            let endpoint = some.then(endpoint);
            call(crate::Call::set_endpoint { endpoint }, key);
        }
        Step::Lock(who, request, amount) => {
            let _ = Operators::lock(&who, job(request), amount);
        }
        Step::Release(who, request) => Operators::release(&who, job(request)),
        Step::Slash(who, request, amount, shares) => {
            let issued = Balances::total_issuance();
            let locked = Operators::locked(&who, job(request)).unwrap_or(0);
            let taken = Operators::slash(&who, job(request), Offence::FalseAnswer, amount, &shares);
            assert!(taken <= amount.min(locked));
            *burned += issued - Balances::total_issuance();
        }
        Step::Pay(who, amount) => {
            if Operators::operator(who).is_some() && Balances::free_balance(9) > amount {
                pay(9, who, amount);
            }
        }
        Step::Draw(random) => {
            let term = Operators::present_term().index;
            let before = drawable(Role::Validator, LLAMA);
            let drawn = draw(Role::Validator, random, 3);
            assert!(drawn
                .iter()
                .all(|who| before.iter().any(|(other, _)| other == who)));
            assert_eq!(drawable(Role::Validator, LLAMA), before, "in {term:?}");
            let randomness = H256::repeat_byte(random);
            Operators::draw(Role::Worker, &LLAMA, randomness, 1, |candidate| {
                let info = Operators::operator(candidate.controller).expect("registered");
                assert!(!info.operator.is_absent());
                true
            });
        }
        Step::Pass(blocks) => {
            advance_to(System::block_number() + blocks);
            Operators::on_idle(System::block_number(), Weight::MAX);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn the_books_balance_after_any_sequence(
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        new_test_ext().execute_with(|| {
            let minted = Balances::total_issuance();
            let mut burned = 0;
            for step in steps {
                let told = format!("{step:?}");
                run(step, &mut burned);
                let report = Operators::audit().unwrap_or_else(|failure| panic!("{failure:?} after {told}"));
                assert_eq!(Balances::total_issuance(), minted - burned, "after {told}");
                let held: Balance = (1..=6).map(held).sum();
                assert_eq!(report.bonded, held);
            }
        });
    }
}
