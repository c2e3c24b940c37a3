use crate::{mock::*, AppealEnd, DisputeStage, Error, Event, HoldReason};
use frame_support::{
    assert_noop, assert_ok,
    traits::fungible::{Inspect, InspectHold, Mutate},
};
use noema_claims::Decision;
use noema_protocol::Verdict;

fn story(run: impl FnOnce()) {
    TestExt::new().validators(10..20).execute_with(run);
}

fn on_hold(who: AccountId) -> noema_economics::Balance {
    Balances::balance_on_hold(&HoldReason::Appeal.into(), &who)
}

fn total(who: AccountId) -> noema_economics::Balance {
    Balances::total_balance(&who)
}

/// The outcome of the appeal in the last event.
fn told() -> Option<AppealEnd> {
    match events().pop() {
        Some(Event::Concluded { appeal, .. }) => appeal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_appeal_puts_as_much_on_hold_as_the_claimant_has_at_stake() {
    story(|| {
        decide_first(Verdict::True);
        go_to_deadline();
        assert_ok!(appeal(8));
        assert_eq!(on_hold(8), CLAIM_STAKE);
        let event = Event::Appealed {
            claim: CLAIM,
            leaf: LEAF,
            by: 8,
            bond: CLAIM_STAKE,
        };
        assert_eq!(events().pop(), Some(event));
        assert!(matches!(dispute().stage, DisputeStage::Undrawn { .. }));
    });
}

#[test]
fn the_bond_is_a_challenge_bond_where_the_claimant_has_less_at_stake() {
    let mut claim = claim(CLAIM);
    claim.terms.stake = 1;
    assert_eq!(crate::DisputeTerms::of(&claim).appeal_bond, 2_000);
}

#[test]
fn any_account_appeals_the_claimant_too() {
    story(|| {
        Balances::set_balance(&CLAIMANT, FUNDS);
        decide_first(Verdict::False);
        assert_ok!(appeal(CLAIMANT));
        assert_eq!(on_hold(CLAIMANT), CLAIM_STAKE);
    });
}

#[test]
fn without_a_verdict_there_is_nothing_to_appeal_against() {
    story(|| {
        assert_noop!(appeal(8), Error::<Test>::NotDisputed);
        open();
        assert_noop!(appeal(8), Error::<Test>::NotAppealable);
        next_stage();
        assert_noop!(appeal(8), Error::<Test>::NotAppealable);
        hear(|_, _| None);
        // The first jury did not decide.
        assert_noop!(appeal(8), Error::<Test>::NotAppealable);
    });
}

#[test]
fn there_is_one_appeal() {
    story(|| {
        decide_first(Verdict::True);
        assert_ok!(appeal(8));
        assert_noop!(appeal(9), Error::<Test>::NotAppealable);
        next_stage();
        hear(|_, _| Some(Verdict::True));
        assert_noop!(appeal(9), Error::<Test>::NotDisputed);
    });
}

#[test]
fn an_appeal_after_the_last_block_is_too_late() {
    story(|| {
        decide_first(Verdict::True);
        go_to_deadline();
        let no_weight = frame_support::weights::Weight::zero();
        block_with(&mut frame_support::weights::WeightMeter::with_limit(
            no_weight,
        ));
        assert_noop!(appeal(8), Error::<Test>::TooLate);
        block();
        assert_noop!(appeal(8), Error::<Test>::NotDisputed);
        assert_eq!(conclusion().map(|end| end.decision), Some(Decision::True));
    });
}

#[test]
fn an_account_without_the_bond_cannot_appeal() {
    story(|| {
        decide_first(Verdict::True);
        Balances::set_balance(&8, CLAIM_STAKE - 1);
        assert_noop!(appeal(8), Error::<Test>::FundsTooLow);
        assert_noop!(appeal(50), Error::<Test>::FundsTooLow);
        assert!(matches!(dispute().stage, DisputeStage::Appealable { .. }));
    });
}

#[test]
fn an_unsigned_appeal_is_refused() {
    story(|| {
        assert_noop!(
            Jury::appeal(RuntimeOrigin::none(), CLAIM, LEAF),
            sp_runtime::DispatchError::BadOrigin
        );
    });
}

#[test]
fn the_bond_comes_back_where_the_second_jury_decides_otherwise() {
    for (first, second, decision) in [
        (Verdict::True, Verdict::False, Decision::False),
        (Verdict::False, Verdict::True, Decision::True),
    ] {
        story(|| {
            decide_first(first);
            assert_ok!(appeal(8));
            next_stage();
            hear(|_, _| Some(second));
            assert_eq!(conclusion().map(|end| end.decision), Some(decision));
            assert_eq!(told(), Some(AppealEnd::Won));
            assert_eq!((on_hold(8), total(8)), (0, FUNDS));
        });
    }
}

#[test]
fn the_bond_is_burned_where_the_second_jury_decides_the_same() {
    story(|| {
        let issuance = Balances::total_issuance();
        decide_first(Verdict::False);
        assert_ok!(appeal(8));
        next_stage();
        hear(|_, _| Some(Verdict::False));
        assert_eq!(conclusion().map(|end| end.decision), Some(Decision::False));
        assert_eq!(told(), Some(AppealEnd::Lost));
        assert_eq!((on_hold(8), total(8)), (0, FUNDS - CLAIM_STAKE));
        assert_eq!(Balances::total_issuance(), issuance - CLAIM_STAKE);
    });
}

#[test]
fn the_bond_is_burned_where_the_second_jury_does_not_decide() {
    story(|| {
        decide_first(Verdict::True);
        assert_ok!(appeal(8));
        next_stage();
        hear(|_, _| None);
        assert_eq!(
            conclusion().map(|end| end.decision),
            Some(Decision::Undecided)
        );
        assert_eq!(told(), Some(AppealEnd::Lost));
        assert_eq!((on_hold(8), total(8)), (0, FUNDS - CLAIM_STAKE));
    });
}

/// Locks the free bonds of validators, except for one stake of each of `left`.
fn spend_all_bonds_but_one_stake_of(left: &[AccountId]) {
    for validator in 10..20 {
        let stake = if left.contains(&validator) { STAKE } else { 0 };
        lock_elsewhere(validator, free_bond(validator) - stake);
    }
}

#[test]
fn the_bond_comes_back_where_no_second_jury_can_be_seated() {
    story(|| {
        let issuance = Balances::total_issuance();
        decide_first(Verdict::False);
        let first = jurors();
        assert_ok!(appeal(8));
        // Three seats are half of five, and as many as the first jury has: two are too few.
        spend_all_bonds_but_one_stake_of(&[13, 14]);
        hit([13, 14, 10, 15, 16]);
        next_stage();
        let conclusion = conclusion().expect("the dispute is concluded");
        assert_eq!(conclusion.decision, Decision::False);
        assert_eq!(conclusion.jurors, first);
        assert_eq!(told(), Some(AppealEnd::Unheard));
        assert_eq!((on_hold(8), total(8)), (0, FUNDS));
        assert_eq!(Balances::total_issuance(), issuance);
        assert!(slashes().is_empty());
        assert!((13..20).all(|validator| locked_behind(validator).is_none()));
    });
}

#[test]
fn a_second_jury_with_half_of_its_seats_filled_hears_an_appeal() {
    story(|| {
        decide_first(Verdict::True);
        assert_ok!(appeal(8));
        spend_all_bonds_but_one_stake_of(&[13, 14, 15]);
        hit(13..18);
        next_stage();
        assert_eq!(jurors(), [13, 14, 15]);
        hear(|_, _| Some(Verdict::False));
        assert_eq!(conclusion().map(|end| end.decision), Some(Decision::False));
        assert_eq!(told(), Some(AppealEnd::Won));
    });
}

#[test]
fn without_an_appeal_the_verdict_of_the_first_jury_stands() {
    story(|| {
        decide_first(Verdict::False);
        let jurors = jurors();
        next_stage();
        let conclusion = conclusion().expect("the dispute is concluded");
        assert_eq!(conclusion.decision, Decision::False);
        assert_eq!(conclusion.jurors, jurors);
        assert_eq!(told(), None);
    });
}

#[test]
fn an_account_may_have_several_appeals() {
    TestExt::new().validators(10..40).execute_with(|| {
        use noema_protocol::hashing::verdict_commitment;
        let leaves = [0, 1];
        for leaf in leaves {
            challenge(CLAIM, leaf, CHALLENGER);
        }
        for _ in 0..6 {
            block();
        }
        for leaf in leaves {
            let dispute = Jury::dispute(CLAIM, leaf).expect("the dispute is open");
            for juror in dispute.first.jurors() {
                let juror = juror.account;
                let hash = verdict_commitment(CLAIM, leaf, &juror, Verdict::True, salt(juror));
                let origin = RuntimeOrigin::signed(key(juror));
                assert_ok!(Jury::commit_verdict(origin, CLAIM, leaf, hash));
            }
        }
        block();
        for leaf in leaves {
            let dispute = Jury::dispute(CLAIM, leaf).expect("the dispute is open");
            for juror in dispute.first.jurors() {
                let juror = juror.account;
                let origin = RuntimeOrigin::signed(key(juror));
                let salt = salt(juror);
                let verdict = Verdict::True;
                assert_ok!(Jury::reveal_verdict(origin, CLAIM, leaf, verdict, salt));
            }
        }
        block();
        for leaf in leaves {
            assert_ok!(Jury::appeal(RuntimeOrigin::signed(8), CLAIM, leaf));
        }
        assert_eq!(on_hold(8), 2 * CLAIM_STAKE);
        assert_eq!(Jury::audit(), Ok(()));
    });
}
