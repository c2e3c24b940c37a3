use crate::{mock::*, Event};
use frame_support::assert_ok;
use noema_claims::Decision;
use noema_protocol::{Offence, Verdict};

/// Two thirds of five, rounded up, are four.
const FOUR_OF_FIVE: [Option<Verdict>; 5] = [
    Some(Verdict::False),
    Some(Verdict::False),
    Some(Verdict::False),
    Some(Verdict::False),
    Some(Verdict::True),
];

#[test]
fn who_revealed_what_was_decided_is_free_and_named_to_the_keeper() {
    TestExt::new().validators(10..20).execute_with(|| {
        decide_first(Verdict::True);
        let jurors = jurors();
        next_stage();
        let conclusion = conclusion().expect("the dispute is concluded");
        assert_eq!(conclusion.decision, Decision::True);
        assert_eq!(conclusion.jurors, jurors);
        assert_eq!(
            conclusion.locked, 0,
            "their locks are released before they are paid"
        );
        assert!(slashes().is_empty());
        assert_eq!(locked(), 0);
        let event = Event::Concluded {
            claim: CLAIM,
            leaf: LEAF,
            decision: Decision::True,
            appeal: None,
        };
        assert_eq!(events().pop(), Some(event));
    });
}

#[test]
fn who_revealed_the_other_verdict_loses_all_that_is_locked() {
    TestExt::new().validators(10..20).execute_with(|| {
        open_and_draw();
        let first = jurors();
        hear(|index, _| Some([Verdict::True, Verdict::False, Verdict::True][index]));
        assert_ok!(appeal(8));
        draw_second();
        let second = jurors();
        hear(|index, _| FOUR_OF_FIVE[index]);
        let conclusion = conclusion().expect("the dispute is concluded");
        assert_eq!(conclusion.decision, Decision::False);
        // Of both juries, in their order.
        let right = [&first[1..2], &second[..4]].concat();
        assert_eq!(conclusion.jurors, right);
        for wrong in [first[0], first[2], second[4]] {
            assert_eq!(slashed(wrong), Some((Offence::FalseVerdict, STAKE)));
        }
        assert!(right.iter().all(|juror| slashed(*juror).is_none()));
        assert_eq!(locked(), 0);
    });
}

#[test]
fn silence_costs_as_much_as_falsehood() {
    TestExt::new().validators(10..20).execute_with(|| {
        open_and_draw();
        let first = jurors();
        hear(|index, _| (index > 0).then_some(Verdict::True));
        next_stage();
        let conclusion = conclusion().expect("the dispute is concluded");
        assert_eq!(conclusion.jurors, first[1..]);
        assert_eq!(slashed(first[0]), Some((Offence::MissedVerdict, STAKE)));
    });
}

#[test]
fn a_commitment_that_is_not_revealed_is_silence() {
    TestExt::new().validators(10..20).execute_with(|| {
        open_and_draw();
        let first = jurors();
        for juror in &first {
            assert_ok!(commit(*juror, Verdict::True));
        }
        next_stage();
        assert_ok!(reveal(first[0], Verdict::True));
        assert_ok!(reveal(first[1], Verdict::True));
        next_stage();
        next_stage();
        assert_eq!(slashed(first[2]), Some((Offence::MissedVerdict, STAKE)));
        assert_eq!(slashes().len(), 1);
    });
}

#[test]
fn where_nothing_is_decided_only_silence_costs_anything() {
    TestExt::new().validators(10..20).execute_with(|| {
        open_and_draw();
        let first = jurors();
        hear(|index, _| [Some(Verdict::True), Some(Verdict::False), None][index]);
        draw_second();
        let second = jurors();
        hear(|index, _| {
            [
                Some(Verdict::True),
                Some(Verdict::True),
                Some(Verdict::True),
                Some(Verdict::False),
                None,
            ][index]
        });
        let conclusion = conclusion().expect("the dispute is concluded");
        assert_eq!(conclusion.decision, Decision::Undecided);
        assert!(conclusion.jurors.is_empty());
        assert_eq!(slashes().len(), 2);
        for silent in [first[2], second[4]] {
            assert_eq!(slashed(silent), Some((Offence::MissedVerdict, STAKE)));
        }
        assert_eq!(locked(), 0);
    });
}

#[test]
fn silence_in_the_first_jury_costs_even_where_the_second_decides() {
    TestExt::new().validators(10..20).execute_with(|| {
        open_and_draw();
        let first = jurors();
        hear(|_, _| None);
        next_stage();
        hear(|_, _| Some(Verdict::False));
        assert_eq!(conclusion().map(|end| end.decision), Some(Decision::False));
        for silent in first {
            assert_eq!(slashed(silent), Some((Offence::MissedVerdict, STAKE)));
        }
    });
}

#[test]
fn what_is_slashed_is_what_is_locked_and_no_more() {
    TestExt::new().validators(10..20).execute_with(|| {
        let before = bonds();
        open_and_draw();
        hear(|_, _| None);
        next_stage();
        hear(|_, _| None);
        assert_eq!(bonds(), before - 8 * STAKE);
    });
}

#[test]
fn a_juror_loses_or_is_paid_as_often_as_it_has_seats() {
    TestExt::new().validators(10..20).execute_with(|| {
        open();
        hit([10, 11, 11]);
        next_stage();
        assert_eq!(jurors(), [10, 11]);
        hear(|_, juror| match juror {
            10 => Some(Verdict::False),
            _ => Some(Verdict::True),
        });
        next_stage();
        let conclusion = conclusion().expect("the dispute is concluded");
        assert_eq!(conclusion.decision, Decision::True, "two votes of three");
        assert_eq!(conclusion.jurors, [11, 11]);
        assert_eq!(slashed(10), Some((Offence::FalseVerdict, STAKE)));
    });
}

/// A juror of the first jury sits in the second as well, where the four others decide.
fn in_both(first: Option<Verdict>, second: Option<Verdict>) -> Conclusion {
    open();
    hit([10, 11, 11]);
    next_stage();
    hear(|_, juror| match juror {
        10 => first,
        _ => Some(Verdict::True),
    });
    assert_ok!(appeal(8));
    hit([10, 12, 13, 13, 14]);
    next_stage();
    assert_eq!(locked_behind(10), Some(2 * STAKE), "a seat in each");
    hear(|_, juror| match juror {
        10 => second,
        _ => Some(Verdict::True),
    });
    conclusion().expect("the dispute is concluded")
}

#[test]
fn who_was_wrong_in_one_jury_and_right_in_the_other_loses_the_stake_of_the_one() {
    TestExt::new().validators(10..20).execute_with(|| {
        let before = bonds();
        let conclusion = in_both(Some(Verdict::False), Some(Verdict::True));
        assert_eq!(conclusion.decision, Decision::True);
        assert_eq!(conclusion.jurors, [11, 11, 10, 12, 13, 13, 14]);
        assert_eq!(slashed(10), Some((Offence::FalseVerdict, STAKE)));
        assert_eq!(slashes().len(), 1);
        assert_eq!((locked(), bonds()), (0, before - STAKE));
    });
}

#[test]
fn who_fails_in_both_juries_is_slashed_once() {
    for (first, second, offence) in [
        (None, None, Offence::MissedVerdict),
        (None, Some(Verdict::False), Offence::FalseVerdict),
        (Some(Verdict::False), None, Offence::FalseVerdict),
        (
            Some(Verdict::False),
            Some(Verdict::False),
            Offence::FalseVerdict,
        ),
    ] {
        TestExt::new().validators(10..20).execute_with(|| {
            let before = bonds();
            in_both(first, second);
            assert_eq!(slashed(10), Some((offence, 2 * STAKE)));
            assert_eq!(slashes().len(), 1);
            assert_eq!((locked(), bonds()), (0, before - 2 * STAKE));
        });
    }
}

#[test]
fn a_leaf_that_is_true_can_be_challenged_again() {
    TestExt::new().validators(10..20).execute_with(|| {
        decide_first(Verdict::True);
        next_stage();
        assert!(!is_open());
        decide_first(Verdict::True);
        next_stage();
        assert_eq!(concluded().len(), 2);
    });
}
