use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use noema_claims::{ClaimFault, ClaimOutcome};

const FALSE: ClaimOutcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));

fn join(who: AccountId, claim: noema_protocol::ClaimId) -> sp_runtime::DispatchResult {
    Disputes::join(RuntimeOrigin::signed(who), claim, 0)
}

#[test]
fn any_account_joins_with_a_bond() {
    test(|| {
        let claim = challenged(&right());
        let bond = Disputes::game(claim, 0).expect("it is open").bond;
        assert_ok!(join(OUTSIDER, claim));
        assert_eq!(bonded(OUTSIDER), bond);
        let told = Event::Joined {
            claim,
            leaf: 0,
            challenger: OUTSIDER,
            bond,
        };
        assert_eq!(events().pop(), Some(told));
        assert_noop!(join(OUTSIDER, claim), Error::<Test>::AlreadyJoined);
        assert_noop!(join(CHALLENGER, claim), Error::<Test>::AlreadyJoined);
        assert_noop!(join(WORKER, claim), Error::<Test>::OwnClaim);
        assert_noop!(join(key(WORKER), claim), Error::<Test>::OwnClaim);
        assert_noop!(join(777, claim), Error::<Test>::FundsTooLow);
        assert_noop!(
            join(OUTSIDER, noema_protocol::ClaimId(99)),
            Error::<Test>::NotDisputed
        );
    });
}

/// The places of challengers are taken by sham ones. They lose at once, in the block in which the trace is shown.
#[test]
fn sham_challengers_keep_no_account_out() {
    test(|| {
        let claim = opened(&wrong());
        assert_ok!(challenge(OTHER, claim, 0));
        assert_noop!(
            challenge(OUTSIDER, claim, 0),
            pallet_claims::Error::<Test>::ChallengersFull
        );
        for sham in [CHALLENGER, OTHER] {
            assert_ok!(prove(sham, claim, &wrong(), 3));
        }
        assert_eq!(game(claim).lines, 0);
        go_to(game(claim).joins_until);
        let before = total(OUTSIDER);
        assert_ok!(join(OUTSIDER, claim));
        descend(OUTSIDER, claim, &wrong(), 20);
        assert_ok!(prove(OUTSIDER, claim, &wrong(), 20));
        assert_eq!(outcome(claim), Some(FALSE));
        assert_eq!(bonded(OUTSIDER), 0);
        assert!(total(OUTSIDER) > before, "it is paid");
    });
}

#[test]
fn an_account_joins_for_as_long_as_it_can_challenge() {
    test(|| {
        let claim = make(&[right()]);
        let until = until_challengeable(claim);
        assert_ok!(challenge(CHALLENGER, claim, 0));
        assert_ok!(open(claim, &right()));
        blocks(until - System::block_number());
        assert!(game(claim).joins_until < Disputes::now());
        assert_ok!(join(OTHER, claim));
        blocks(1);
        assert!(has_game(claim));
        assert_noop!(join(THIRD, claim), Error::<Test>::TooLate);
    });
}
