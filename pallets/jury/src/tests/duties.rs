use crate::{mock::*, Call, Error};
use frame_support::{assert_ok, assert_storage_noop};
use noema_protocol::{ClaimId, Verdict};
use pallet_duties::{AsDuty, Duty};
use sp_core::H256;
use sp_runtime::DispatchError;

fn commit_call(juror: AccountId) -> Call<Test> {
    Call::commit_verdict {
        claim: CLAIM,
        leaf: LEAF,
        commitment: commitment(juror, Verdict::True),
    }
}

fn reveal_call(juror: AccountId, verdict: Verdict) -> Call<Test> {
    Call::reveal_verdict {
        claim: CLAIM,
        leaf: LEAF,
        verdict,
        salt: salt(juror),
    }
}

/// The duty that the call is for the hot key of a juror. The state must not change.
fn duty(call: &Call<Test>, juror: AccountId) -> Result<Duty<u32>, DispatchError> {
    let ask = || call.as_duty(&key(juror), 0).expect("the call is a duty");
    assert_storage_noop!(drop(ask()));
    ask()
}

fn refused(error: Error<Test>) -> Result<Duty<u32>, DispatchError> {
    Err(error.into())
}

#[test]
fn to_commit_and_to_reveal_are_duties_until_their_last_block() {
    TestExt::new().validators(10..13).execute_with(|| {
        open_and_draw();
        let jurors = jurors();
        let opened = duty(&commit_call(jurors[0]), jurors[0]).expect("the duty is open");
        assert_eq!(opened.until, until());
        let other = duty(&commit_call(jurors[1]), jurors[1]).expect("the duty is open");
        assert_ne!(opened.tag, other.tag, "each juror has its own");
        // With any commitment, it is the same duty.
        let another = Call::commit_verdict {
            claim: CLAIM,
            leaf: LEAF,
            commitment: H256::zero(),
        };
        assert_eq!(
            duty(&another, jurors[0]).map(|duty| duty.tag),
            Ok(opened.tag.clone())
        );
        for juror in &jurors {
            assert_ok!(commit(*juror, Verdict::True));
        }
        assert_eq!(
            duty(&commit_call(jurors[0]), jurors[0]),
            refused(Error::AlreadyCommitted)
        );
        next_stage();
        let call = reveal_call(jurors[0], Verdict::True);
        let opened_later = duty(&call, jurors[0]).expect("the duty is open");
        assert_eq!(opened_later.until, until());
        assert_ne!(opened_later.tag, opened.tag);
        assert_eq!(
            duty(&reveal_call(jurors[0], Verdict::False), jurors[0]),
            refused(Error::CommitmentDiffers)
        );
    });
}

#[test]
fn who_has_no_duty_is_refused_before_execution() {
    TestExt::new().validators(10..13).execute_with(|| {
        assert_eq!(duty(&commit_call(10), 10), refused(Error::NotDisputed));
        assert_eq!(duty(&commit_call(10), 50), refused(Error::NotAnOperator));
        open();
        assert_eq!(duty(&commit_call(10), 10), refused(Error::NotAJuror));
        next_stage();
        let juror = jurors()[0];
        assert_eq!(
            duty(&reveal_call(juror, Verdict::True), juror),
            refused(Error::TooEarly)
        );
    });
}

#[test]
fn an_appeal_is_no_duty() {
    let call = Call::<Test>::appeal {
        claim: ClaimId(1),
        leaf: 0,
    };
    assert_eq!(call.as_duty(&key(10), 0), None);
}

#[test]
fn what_is_a_duty_succeeds() {
    TestExt::new().validators(10..13).execute_with(|| {
        open_and_draw();
        for juror in jurors() {
            assert!(duty(&commit_call(juror), juror).is_ok());
            assert_ok!(commit(juror, Verdict::True));
        }
        next_stage();
        for juror in jurors() {
            assert!(duty(&reveal_call(juror, Verdict::True), juror).is_ok());
            assert_ok!(reveal(juror, Verdict::True));
        }
    });
}
