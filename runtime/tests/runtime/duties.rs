//! Duties of hot keys: free, without a nonce, with priority over all paid transactions, and nothing else.

use crate::common::{account, chain, extension, signed, tipped};
use codec::Encode;
use frame_support::{
    assert_ok, dispatch::DispatchClass, storage::with_transaction, traits::fungible::Inspect,
    BoundedVec,
};
use frame_system::limits::BlockWeights;
use noema_protocol::{hashing, Prices};
use noema_runtime::{
    constants::UNIT, presets::ENDOWMENT, Balances, Duties, Executive, Operators, Runtime,
    RuntimeCall, RuntimeOrigin, System, UncheckedExtrinsic,
};
use pallet_operators::{Device, DeviceClass, Roles};
use sp_core::{Pair, H256};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Dave, One, Two};
use sp_runtime::{
    transaction_validity::{
        InvalidTransaction, TransactionPriority, TransactionSource, TransactionValidity,
        TransactionValidityError,
    },
    DispatchError, MultiSignature, TransactionOutcome,
};
use std::time::Instant;

/// The block that signatures are bound to.
const AT: u32 = 99;
/// The number of the error `NothingNew` of pallet operators.
const NOTHING_NEW: u8 = 24;

/// A chain on which //Alice is a worker with the hot key //One, which owns nothing, and has not
/// reported its device.
fn serving() -> sp_io::TestExternalities {
    let mut chain = chain("development");
    chain.execute_with(|| {
        let genesis = System::block_hash(0);
        let possession = hashing::possession_payload(genesis, &account(Alice));
        assert_ok!(Operators::register(
            RuntimeOrigin::signed(account(Alice)),
            Roles {
                worker: true,
                validator: false,
                trainer: false,
            },
            account(One),
            MultiSignature::from(One.pair().sign(possession.as_bytes())),
            Prices::default(),
            1_000 * UNIT,
        ));
        assert_eq!(Balances::total_balance(&account(One)), 0);
        System::set_block_number(100);
        frame_system::BlockHash::<Runtime>::insert(AT, H256::repeat_byte(6));
    });
    chain
}

fn report() -> RuntimeCall {
    let device = Device {
        class: DeviceClass::Cpu,
        name: BoundedVec::truncate_from(b"a processor".to_vec()),
        self_test: H256::repeat_byte(1),
    };
    RuntimeCall::Operators(pallet_operators::Call::report_device { device })
}

/// The block of the last report of //Alice.
fn reported_at() -> Option<u32> {
    let info = Operators::operator(account(Alice)).expect("it is registered");
    info.device.map(|report| report.at)
}

/// The call in which `key` performs `duty`, signed by `signer`.
fn performing(signer: Sr25519Keyring, key: Sr25519Keyring, duty: RuntimeCall) -> RuntimeCall {
    let payload = Duties::payload(&account(key), &duty, AT).expect("the block is known");
    RuntimeCall::Duties(pallet_duties::Call::perform {
        key: account(key),
        duty: Box::new(duty),
        at: AT,
        signature: MultiSignature::from(signer.pair().sign(payload.as_bytes())),
    })
}

/// A general transaction in which `key` performs `duty`, signed by `signer`.
fn perform_signed_by(
    signer: Sr25519Keyring,
    key: Sr25519Keyring,
    duty: RuntimeCall,
) -> UncheckedExtrinsic {
    let call = performing(signer, key, duty);
    UncheckedExtrinsic::new_transaction(call, extension(0, 0))
}

fn perform(key: Sr25519Keyring, duty: RuntimeCall) -> UncheckedExtrinsic {
    perform_signed_by(key, key, duty)
}

/// The pool's validation; its state changes are dropped.
fn validate(transaction: UncheckedExtrinsic) -> TransactionValidity {
    with_transaction(|| {
        let validity = Executive::validate_transaction(
            TransactionSource::External,
            transaction,
            System::block_hash(0),
        );
        TransactionOutcome::Rollback(Ok::<_, DispatchError>(validity))
    })
    .expect("nothing else fails")
}

fn refused(transaction: UncheckedExtrinsic) -> InvalidTransaction {
    match validate(transaction) {
        Err(TransactionValidityError::Invalid(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hot_key_that_owns_nothing_performs_its_duty() {
    serving().execute_with(|| {
        assert!(validate(perform(One, report())).is_ok());
        assert_ok!(
            Executive::apply_extrinsic(perform(One, report())).map(|result| {
                result.expect("the duty is done");
            })
        );
        assert_eq!(reported_at(), Some(100));
        assert_eq!(System::account_nonce(account(One)), 0);
    });
}

#[test]
fn the_same_duty_is_refused_a_second_time_in_a_block() {
    serving().execute_with(|| {
        let first = Executive::apply_extrinsic(perform(One, report()));
        assert!(matches!(first, Ok(Ok(()))), "{first:?}");
        let second = Executive::apply_extrinsic(perform(One, report()));
        assert_eq!(
            second,
            Err(InvalidTransaction::Custom(NOTHING_NEW).into()),
            "it is not executed"
        );
        assert_eq!(
            validate(perform(One, report())),
            Err(InvalidTransaction::Custom(NOTHING_NEW).into())
        );
    });
}

#[test]
fn two_transactions_for_one_duty_have_the_same_tag() {
    serving().execute_with(|| {
        let one = validate(perform(One, report())).expect("it is open");
        let other = validate(perform(One, report())).expect("it is open");
        assert_eq!(one.provides, other.provides);
        assert_eq!(one.provides.len(), 1);
        assert!(one.requires.is_empty());
    });
}

#[test]
fn nothing_that_is_paid_for_goes_ahead_of_a_duty() {
    serving().execute_with(|| {
        let duty = validate(perform(One, report())).expect("it is open");
        assert_eq!(duty.priority, TransactionPriority::MAX);
        let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
        // The whole balance of a rich account.
        let paid = validate(tipped(remark, Bob, 0, ENDOWMENT - UNIT)).expect("it is paid for");
        assert!(paid.priority < duty.priority);
    });
}

#[test]
fn a_block_full_of_paid_transactions_has_room_for_duties() {
    serving().execute_with(|| {
        let limits: BlockWeights = <Runtime as frame_system::Config>::BlockWeights::get();
        let normal = limits.get(DispatchClass::Normal);
        let most = normal.max_total.expect("ordinary transactions are limited");
        let reserved = limits.max_block - most;
        assert!(
            reserved.all_gte(limits.max_block / 4),
            "a quarter is reserved: {reserved:?}"
        );
        System::register_extra_weight_unchecked(most, DispatchClass::Normal);
        let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
        let paid = tipped(remark, Bob, 0, UNIT);
        assert_eq!(
            Executive::apply_extrinsic(paid),
            Err(InvalidTransaction::ExhaustsResources.into())
        );
        let done = Executive::apply_extrinsic(perform(One, report()));
        assert!(matches!(done, Ok(Ok(()))), "{done:?}");
    });
}

#[test]
fn a_duty_in_a_signed_transaction_is_not_done_and_is_paid_for() {
    serving().execute_with(|| {
        let before = Balances::total_balance(&account(Bob));
        let transaction = signed(performing(One, One, report()), Bob, 0);
        let refused = Executive::apply_extrinsic(transaction);
        assert_eq!(refused, Ok(Err(DispatchError::BadOrigin)));
        assert_eq!(reported_at(), None);
        assert!(Balances::total_balance(&account(Bob)) < before);
        let done = Executive::apply_extrinsic(perform(One, report()));
        assert!(matches!(done, Ok(Ok(()))), "{done:?}");
    });
}

#[test]
fn a_stranger_performs_no_duty() {
    serving().execute_with(|| {
        assert_eq!(
            refused(perform_signed_by(Two, One, report())),
            InvalidTransaction::BadProof
        );
        assert_eq!(
            refused(perform(Two, report())),
            InvalidTransaction::BadSigner
        );
        assert_eq!(
            refused(perform(Alice, report())),
            InvalidTransaction::BadSigner,
            "a controller pays for what it signs"
        );
    });
}

#[test]
fn a_signature_is_good_for_one_chain_and_one_call() {
    serving().execute_with(|| {
        let transaction = perform(One, report());
        frame_system::BlockHash::<Runtime>::insert(AT, H256::repeat_byte(7));
        assert_eq!(refused(transaction), InvalidTransaction::BadProof);
    });
    serving().execute_with(|| {
        let payload = Duties::payload(&account(One), &report(), AT).expect("the block is known");
        let call = RuntimeCall::Duties(pallet_duties::Call::perform {
            key: account(One),
            duty: Box::new(RuntimeCall::Operators(
                pallet_operators::Call::set_endpoint { endpoint: None },
            )),
            at: AT,
            signature: MultiSignature::from(One.pair().sign(payload.as_bytes())),
        });
        let transaction = UncheckedExtrinsic::new_transaction(call, extension(0, 0));
        assert_eq!(refused(transaction), InvalidTransaction::BadProof);
    });
}

#[test]
fn a_hot_key_can_move_no_funds() {
    serving().execute_with(|| {
        let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_allow_death {
            dest: account(Dave).into(),
            value: 1,
        });
        assert_eq!(refused(perform(One, transfer)), InvalidTransaction::Call);
        let nested = RuntimeCall::Utility(pallet_utility::Call::batch {
            calls: vec![report()],
        });
        assert_eq!(refused(perform(One, nested)), InvalidTransaction::Call);
    });
}

/// The cost of refusing a flood of invalid duties: the time is printed, not asserted.
#[test]
fn ten_thousand_invalid_duties_change_nothing() {
    const FLOOD: u32 = 10_000;
    serving().execute_with(|| {
        let done = Executive::apply_extrinsic(perform(One, report()));
        assert!(matches!(done, Ok(Ok(()))), "{done:?}");
        // From an unknown key, with a wrong signature, and from the hot key itself, for a duty already done.
        for (what, flood) in [
            ("of no hot key", perform(Two, report())),
            (
                "with a wrong signature",
                perform_signed_by(Two, One, report()),
            ),
            ("that is done already", perform(One, report())),
        ] {
            let each = with_transaction(|| {
                let begun = Instant::now();
                for _ in 0..FLOOD {
                    // Each validation begins another block.
                    System::set_block_number(100);
                    let validity = Executive::validate_transaction(
                        TransactionSource::External,
                        flood.clone(),
                        System::block_hash(0),
                    );
                    assert!(validity.is_err());
                }
                TransactionOutcome::Rollback(Ok::<_, DispatchError>(begun.elapsed() / FLOOD))
            })
            .expect("nothing else fails");
            println!(
                "a duty {what} is refused in {each:?}, {} bytes",
                flood.encoded_size()
            );
        }
        assert_eq!(reported_at(), Some(100));
    });
}
