use crate::{mock::*, DisputePlace, Error, Event, HoldReason};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use noema_claims::Decision;
use noema_protocol::Verdict;

fn story(run: impl FnOnce()) {
    TestExt::new().validators(10..20).execute_with(run);
}

/// Ends the claim for another reason, and checks that the dispute is removed in its next turn.
fn falls() {
    let juror = dispute().jurors().next().map(|juror| key(juror.account));
    withhold(CLAIM, 0);
    assert!(is_open());
    if let Some(juror) = juror {
        assert_eq!(Jury::verdicts_due(juror), [], "its verdict is not needed");
    }
    assert_noop!(appeal(9), Error::<Test>::NotDisputed);
    for _ in 0..20 {
        block();
    }
    assert!(!is_open());
    assert_eq!(locked(), 0);
    assert!(slashes().is_empty());
    assert!(concluded().is_empty());
    assert_eq!(crate::Turns::<Test>::iter().count(), 0);
    assert_eq!(crate::Queue::<Test>::iter().count(), 0);
    let event = Event::Dropped {
        claim: CLAIM,
        leaf: LEAF,
    };
    assert_eq!(events().pop(), Some(event));
}

#[test]
fn a_dispute_that_waits_for_its_jury_is_dropped() {
    story(|| {
        open();
        falls();
    });
}

#[test]
fn a_dispute_whose_jury_commits_is_dropped() {
    story(|| {
        open_and_draw();
        assert_ok!(commit(jurors()[0], Verdict::True));
        falls();
    });
}

#[test]
fn a_dispute_whose_jury_reveals_is_dropped() {
    story(|| {
        open_and_draw();
        for juror in jurors() {
            assert_ok!(commit(juror, Verdict::True));
        }
        next_stage();
        assert_ok!(reveal(jurors()[0], Verdict::True));
        falls();
    });
}

#[test]
fn a_dispute_that_may_be_appealed_is_dropped() {
    story(|| {
        decide_first(Verdict::True);
        falls();
    });
}

#[test]
fn the_bond_of_an_appeal_comes_back() {
    story(|| {
        decide_first(Verdict::True);
        assert_ok!(appeal(8));
        falls();
        let reason = HoldReason::Appeal.into();
        assert_eq!(Balances::balance_on_hold(&reason, &8), 0);
        assert_eq!(Balances::free_balance(8), FUNDS);
    });
}

#[test]
fn a_second_jury_is_released() {
    story(|| {
        decide_first(Verdict::True);
        assert_ok!(appeal(8));
        next_stage();
        assert_eq!(locked(), 8 * STAKE);
        falls();
    });
}

#[test]
fn by_the_end_of_one_dispute_the_others_of_the_claim_are_dropped() {
    TestExt::new().validators(10..40).execute_with(|| {
        challenge(CLAIM, 0, CHALLENGER);
        open();
        challenge(CLAIM, 9, CHALLENGER);
        next_stage();
        hear(|_, _| Some(Verdict::False));
        next_stage();
        assert_eq!(concluded().len(), 1);
        assert_eq!(conclusion().map(|end| end.decision), Some(Decision::False));
        assert!(has_ended(CLAIM));
        assert_eq!(crate::OpenDisputes::<Test>::iter().count(), 2);
        for _ in 0..20 {
            block();
        }
        assert_eq!(concluded().len(), 1);
        assert_eq!(crate::OpenDisputes::<Test>::iter().count(), 0);
        let mut dropped: Vec<_> = events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Dropped { leaf, .. } => Some(leaf),
                _ => None,
            })
            .collect();
        dropped.sort_unstable();
        assert_eq!(dropped, [0, 9]);
        // Their jurors made no commitment, and lose nothing.
        assert_eq!((locked(), slashes().len()), (0, 0));
    });
}

#[test]
fn two_disputes_of_a_claim_may_be_due_in_one_block() {
    TestExt::new().validators(10..40).execute_with(|| {
        // Both end by silence, in the same block, in two juries each; the first to end drops the other.
        challenge(CLAIM, 0, CHALLENGER);
        challenge(CLAIM, 1, CHALLENGER);
        for _ in 0..40 {
            block();
        }
        assert_eq!(concluded().len(), 1);
        assert_eq!(
            conclusion().map(|end| end.decision),
            Some(Decision::Undecided)
        );
        assert_eq!(crate::OpenDisputes::<Test>::iter().count(), 0);
        assert_eq!(locked(), 0);
    });
}

#[test]
fn a_dispute_that_is_dropped_gives_way_to_the_next() {
    TestExt::new().validators(10..40).execute_with(|| {
        open();
        challenge(noema_protocol::ClaimId(2), 0, CHALLENGER);
        withhold(CLAIM, 0);
        let other = crate::OpenDisputes::<Test>::get(noema_protocol::ClaimId(2), 0);
        assert_eq!(other.map(|open| open.place), Some(DisputePlace::Queue(1)));
        for _ in 0..6 {
            block();
        }
        assert_eq!(crate::QueueSpan::<Test>::get(), (2, 2));
        assert!(!is_open());
        let other = Jury::dispute(noema_protocol::ClaimId(2), 0).expect("the dispute is open");
        assert_eq!(other.first.filled(), 3);
    });
}
