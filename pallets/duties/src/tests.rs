use crate::{mock::*, Call, Duty, Pallet, LIFETIME};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchClass, GetDispatchInfo, Pays},
    traits::Authorize,
};
use frame_system::RawOrigin;
use sp_runtime::{
    testing::TestSignature,
    transaction_validity::{
        InvalidTransaction, TransactionPriority, TransactionSource, TransactionValidityError,
        ValidTransaction,
    },
    DispatchError,
};

fn tell(number: u32) -> RuntimeCall {
    RuntimeCall::Expecting(pallet_expecting::Call::tell { number })
}

/// The call that performs `duty`, signed by `signer` for the key `key`.
fn perform(key: u64, duty: RuntimeCall, signer: u64) -> Call<Test> {
    let payload = Pallet::<Test>::payload(&key, &duty, AT).expect("the block is known");
    Call::perform {
        key,
        duty: Box::new(duty),
        at: AT,
        signature: TestSignature(signer, payload.as_bytes().to_vec()),
    }
}

fn authorize(call: &Call<Test>) -> Result<ValidTransaction, TransactionValidityError> {
    call.authorize(TransactionSource::External)
        .expect("the call is authorized")
        .map(|(validity, _)| validity)
}

fn refused(call: &Call<Test>) -> InvalidTransaction {
    match authorize(call) {
        Err(TransactionValidityError::Invalid(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_duty_is_ahead_of_everything_until_its_last_block() {
    test(|| {
        let validity = authorize(&perform(KEY, tell(5), KEY)).expect("the duty is open");
        assert_eq!(validity.priority, TransactionPriority::MAX);
        assert_eq!(validity.longevity, UNTIL);
        assert_eq!(validity.requires, Vec::<Vec<u8>>::new());
        let tag = Duty::new("expecting/tell", (5u32, KEY), UNTIL).tag;
        assert_eq!(validity.provides, vec![tag]);

        System::set_block_number(UNTIL);
        let validity = authorize(&perform(KEY, tell(5), KEY)).expect("the duty is open");
        assert_eq!(validity.longevity, 1);
        System::set_block_number(UNTIL + 1);
        assert_eq!(
            refused(&perform(KEY, tell(5), KEY)),
            InvalidTransaction::Custom(1),
            "the number of the pallet's error"
        );
    });
}

#[test]
fn what_is_due_once_has_one_tag_and_other_duties_have_others() {
    test(|| {
        let tag = |number| {
            let validity = authorize(&perform(KEY, tell(number), KEY)).expect("the duty is open");
            validity.provides
        };
        assert_eq!(tag(5), tag(5));
        assert_ne!(tag(5), tag(6));
    });
}

#[test]
fn only_the_hot_key_that_signed_performs_a_duty_and_only_this_one() {
    test(|| {
        assert_eq!(
            refused(&perform(KEY + 1, tell(5), KEY + 1)),
            InvalidTransaction::BadSigner
        );
        assert_eq!(
            refused(&perform(KEY, tell(5), KEY + 1)),
            InvalidTransaction::BadProof
        );
        let Call::perform { key, signature, .. } = perform(KEY, tell(5), KEY);
        let other = Call::perform {
            key,
            duty: Box::new(tell(6)),
            at: AT,
            signature: signature.clone(),
        };
        assert_eq!(refused(&other), InvalidTransaction::BadProof);
        // The same on a chain where this block has another hash.
        frame_system::BlockHash::<Test>::insert(AT, sp_core::H256::repeat_byte(2));
        let other = Call::perform {
            key,
            duty: Box::new(tell(5)),
            at: AT,
            signature,
        };
        assert_eq!(refused(&other), InvalidTransaction::BadProof);
    });
}

#[test]
fn a_signature_dies_with_its_block() {
    test(|| {
        let call = perform(KEY, tell(5), KEY);
        System::set_block_number(AT + u64::from(LIFETIME) + 1);
        assert_eq!(refused(&call), InvalidTransaction::AncientBirthBlock);
        System::set_block_number(UNTIL);
        frame_system::BlockHash::<Test>::remove(AT);
        assert_eq!(
            refused(&call),
            InvalidTransaction::AncientBirthBlock,
            "the chain does not know the block"
        );
    });
}

#[test]
fn a_call_that_is_no_duty_is_refused() {
    test(|| {
        let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
        assert_eq!(
            refused(&perform(KEY, remark, KEY)),
            InvalidTransaction::Call
        );
        let nested = RuntimeCall::Duties(perform(KEY, tell(5), KEY));
        assert_eq!(
            refused(&perform(KEY, nested, KEY)),
            InvalidTransaction::Call
        );
    });
}

#[test]
fn performing_executes_the_duty_as_the_hot_key_and_only_when_authorized() {
    test(|| {
        let call = |number| {
            let Call::perform {
                key,
                duty,
                at,
                signature,
            } = perform(KEY, tell(number), KEY);
            (key, duty, at, signature)
        };
        let (key, duty, at, signature) = call(5);
        assert_noop!(
            Duties::perform(RawOrigin::Signed(KEY).into(), key, duty, at, signature),
            DispatchError::BadOrigin
        );
        let (key, duty, at, signature) = call(5);
        assert_ok!(Duties::perform(
            RawOrigin::Authorized.into(),
            key,
            duty,
            at,
            signature
        ));
        assert_eq!(pallet_expecting::Told::<Test>::get(5), Some(KEY));
        assert_eq!(
            refused(&perform(KEY, tell(5), KEY)),
            InvalidTransaction::Custom(1),
            "a second one is refused before it is executed"
        );
    });
}

#[test]
fn checking_is_charged_and_a_signer_would_pay_for_performing() {
    test(|| {
        let call = perform(KEY, tell(5), KEY);
        let info = call.get_dispatch_info();
        assert_eq!(info.class, DispatchClass::Operational);
        assert_eq!(info.pays_fee, Pays::Yes);
        let inner = tell(5).get_dispatch_info().call_weight;
        assert!(info.call_weight.all_gte(inner));
        assert!(call.weight_of_authorize().all_gt(inner));
    });
}
