use crate::{mock::*, Call, Config, Error, WeightInfo};
use frame_support::{assert_noop, traits::UnfilteredDispatchable};
use pallet_duties::AsDuty;
use sp_core::H256;

/// A claim to which two validators have committed and may reveal.
fn committed() -> (noema_protocol::ClaimId, u64, u64) {
    let id = make(terms()).expect("the claim can be made");
    until_committing(id);
    let seats = seats(id);
    for (validator, leaf) in &seats {
        commit(id, *validator, *leaf);
    }
    until_revealing(id);
    (id, seats[0].0, seats[1].0)
}

fn changed(call: Call<Test>, change: impl Fn(&mut Call<Test>)) -> Call<Test> {
    let mut call = call;
    change(&mut call);
    call
}

#[test]
fn what_is_revealed_is_what_was_committed_and_what_the_receipt_binds() {
    test(|| {
        let (id, validator, _) = committed();
        let honest = || reveal_call(id, validator, 0);
        let refused = |change: &dyn Fn(&mut Call<Test>), error: Error<Test>| {
            let call = changed(honest(), change);
            assert_noop!(dispatch(call, key(validator)), error);
        };
        refused(
            &|call| {
                if let Call::reveal_check { salt, .. } = call {
                    *salt = H256::repeat_byte(9);
                }
            },
            Error::CommitmentDiffers,
        );
        refused(
            &|call| {
                if let Call::reveal_check { receipt, .. } = call {
                    receipt.hidden_root = H256::repeat_byte(9);
                }
            },
            Error::ReceiptNotInClaim,
        );
        refused(
            &|call| {
                if let Call::reveal_check { path, .. } = call {
                    path.push(H256::zero());
                }
            },
            Error::ReceiptNotInClaim,
        );
        refused(
            &|call| {
                if let Call::reveal_check { proof, .. } = call {
                    proof.siblings.pop();
                }
            },
            Error::HiddenStateNotInReceipt,
        );
        reveal(id, validator, 0);
        assert_noop!(dispatch(honest(), key(validator)), Error::<Test>::NotDrawn);
    });
}

#[test]
fn a_reveal_is_charged_for_what_follows_on_it() {
    type Weights = <Test as Config>::WeightInfo;
    test(|| {
        let (id, first, second) = committed();
        let charged = |validator| {
            let origin = RuntimeOrigin::signed(key(validator));
            let done = reveal_call(id, validator, 0).dispatch_bypass_filter(origin);
            done.expect("the validator committed").actual_weight
        };
        assert_eq!(charged(first), Some(Weights::reveal_early()));
        assert_eq!(charged(second), Some(Weights::reveal_last()));
    });
}

/// Another position was drawn for each validator, and a commitment names the validator.
#[test]
fn a_reveal_cannot_be_copied() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let seats = seats(id);
        let (first, second) = (seats[0].0, seats[1].0);
        let stolen = commitment(id, first, 0);
        commit(id, first, 0);
        let origin = RuntimeOrigin::signed(key(second));
        frame_support::assert_ok!(Claims::commit_check(origin, id, 0, stolen));
        until_revealing(id);
        reveal(id, first, 0);
        let copy = reveal_call(id, first, 0);
        assert_noop!(
            dispatch(copy, key(second)),
            Error::<Test>::CommitmentDiffers
        );
    });
}

#[test]
fn a_reveal_is_a_duty_of_one_that_committed() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let seats = seats(id);
        let (first, second) = (seats[0].0, seats[1].0);
        commit(id, first, 0);
        let early = reveal_call(id, first, 0).as_duty(&key(first), 1);
        assert_eq!(early, Some(Err(Error::<Test>::WrongStage.into())));
        until_revealing(id);
        let late = reveal_call(id, second, 0).as_duty(&key(second), 1);
        assert_eq!(late, Some(Err(Error::<Test>::NotDrawn.into())));
        let duty = reveal_call(id, first, 0)
            .as_duty(&key(first), 1)
            .expect("the call is a duty")
            .expect("the duty is open");
        assert_eq!(Claims::checks_due(key(first))[0].until, duty.until);
    });
}
