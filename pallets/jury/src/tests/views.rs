use crate::{
    mock::*, AuditFailure, DisputePlace, DisputeStage, JurorState, OpenDisputes, VerdictDue,
    VerdictStep,
};
use frame_support::{
    assert_ok,
    traits::{fungible::MutateHold, tokens::Precision},
};
use noema_interfaces::Operators;
use noema_protocol::{ClaimId, Job, Role, Verdict};

fn story(run: impl FnOnce()) {
    TestExt::new().validators(10..13).execute_with(run);
}

/// Runs a test that corrupts the state: only its assertions count.
fn broken(run: impl FnOnce()) {
    TestExt::new().validators(10..20).execute_with(|| {
        run();
        // Removes all disputes for the audit at the end.
        let _ = OpenDisputes::<Test>::clear(u32::MAX, None);
        let _ = crate::Turns::<Test>::clear(u32::MAX, None);
        let _ = crate::Queue::<Test>::clear(u32::MAX, None);
        let _ = crate::Backlogs::<Test>::clear(u32::MAX, None);
    });
}

#[test]
fn a_dispute_is_told_while_it_is_open() {
    story(|| {
        assert_eq!(Jury::dispute(CLAIM, LEAF), None);
        open_and_draw();
        let dispute = Jury::dispute(CLAIM, LEAF).expect("the dispute is open");
        assert_eq!(dispute.terms.checkpoint, CHECKPOINT);
        assert_eq!(dispute.terms.appeal_bond, CLAIM_STAKE);
        assert_eq!(dispute.first.jurors().len(), 3);
        hear(|_, _| Some(Verdict::True));
        next_stage();
        assert_eq!(Jury::dispute(CLAIM, LEAF), None);
    });
}

#[test]
fn a_juror_is_told_what_it_has_to_do_and_until_when() {
    story(|| {
        open_and_draw();
        let juror = jurors()[0];
        let due = |step| VerdictDue {
            claim: CLAIM,
            leaf: LEAF,
            checkpoint: CHECKPOINT,
            step,
            until: until(),
        };
        let told = |who| Jury::verdicts_due(who);
        assert_eq!(told(juror), [due(VerdictStep::Commit)]);
        assert_eq!(told(key(juror)), [due(VerdictStep::Commit)]);
        assert_ok!(commit(juror, Verdict::True));
        assert!(told(juror).is_empty());
        next_stage();
        assert_eq!(told(juror), [due(VerdictStep::Reveal)]);
        assert!(told(jurors()[1]).is_empty(), "the juror did not commit");
        assert_ok!(reveal(juror, Verdict::True));
        assert!(told(juror).is_empty());
        assert!(told(50).is_empty(), "the account is no operator");
    });
}

#[test]
fn the_most_urgent_is_told_first() {
    TestExt::new().validators([10]).execute_with(|| {
        challenge(ClaimId(2), 3, CHALLENGER);
        block();
        challenge(CLAIM, 1, CHALLENGER);
        challenge(CLAIM, 0, CHALLENGER);
        for _ in 0..6 {
            block();
        }
        let told: Vec<_> = Jury::verdicts_due(10)
            .into_iter()
            .map(|due| (due.claim, due.leaf))
            .collect();
        // Drawn last, it has the time for the others.
        assert_eq!(told, [(ClaimId(2), 3), (CLAIM, 1), (CLAIM, 0)]);
    });
}

#[test]
fn what_is_too_late_is_not_told() {
    story(|| {
        open_and_draw();
        let juror = jurors()[0];
        go_to_deadline();
        assert_eq!(Jury::verdicts_due(juror).len(), 1);
        System::set_block_number(System::block_number() + 1);
        assert!(Jury::verdicts_due(juror).is_empty());
        System::set_block_number(System::block_number() - 1);
    });
}

#[test]
fn the_audit_finds_a_lock_that_is_missing() {
    broken(|| {
        open_and_draw();
        let juror = jurors()[1];
        World::release(&juror, Job::Dispute(CLAIM, LEAF));
        assert_eq!(
            Jury::audit(),
            Err(AuditFailure::NotLocked {
                claim: CLAIM,
                leaf: LEAF,
                juror
            })
        );
    });
}

#[test]
fn the_audit_finds_a_bond_that_is_not_on_hold() {
    broken(|| {
        decide_first(Verdict::True);
        assert_ok!(appeal(8));
        let reason = crate::HoldReason::Appeal.into();
        let (account, held) = (8, CLAIM_STAKE - 1);
        assert_ok!(Balances::release(&reason, &account, 1, Precision::Exact));
        assert_eq!(
            Jury::audit(),
            Err(AuditFailure::HoldDiffers {
                account,
                bonds: CLAIM_STAKE,
                held
            })
        );
    });
}

#[test]
fn the_audit_finds_a_dispute_that_does_not_wait_where_it_says() {
    broken(|| {
        open_and_draw();
        let found = Err(AuditFailure::NotWaiting {
            claim: CLAIM,
            leaf: LEAF,
        });
        let before = OpenDisputes::<Test>::get(CLAIM, LEAF).expect("the dispute is open");
        for place in [DisputePlace::Queue(0), DisputePlace::Agenda(until())] {
            OpenDisputes::<Test>::mutate(CLAIM, LEAF, |open| {
                open.as_mut().expect("the dispute is open").place = place;
            });
            assert_eq!(Jury::audit(), found);
        }
        OpenDisputes::<Test>::insert(CLAIM, LEAF, before);
        assert_eq!(Jury::audit(), Ok(()));
        crate::Turns::<Test>::remove(until() + 1, (CLAIM, LEAF));
        assert_eq!(Jury::audit(), found);
    });
}

#[test]
fn the_audit_finds_entries_that_belong_to_no_dispute() {
    broken(|| {
        let stray = Err(AuditFailure::StrayEntry {
            claim: CLAIM,
            leaf: 3,
        });
        crate::Queue::<Test>::insert(7, (CLAIM, 3));
        assert_eq!(Jury::audit(), stray);
        crate::Queue::<Test>::remove(7);
        crate::Turns::<Test>::insert(7, (CLAIM, 3), ());
        assert_eq!(Jury::audit(), stray);
    });
}

#[test]
fn the_audit_finds_a_dispute_that_the_keeper_does_not_know() {
    broken(|| {
        open();
        let open = OpenDisputes::<Test>::take(CLAIM, LEAF).expect("the dispute is open");
        let (claim, leaf) = (CLAIM, LEAF + 1);
        OpenDisputes::<Test>::insert(claim, leaf, open.clone());
        assert_eq!(Jury::audit(), Err(AuditFailure::Misplaced { claim, leaf }));
        OpenDisputes::<Test>::remove(claim, leaf);
        let mut other = open;
        other.dispute.leaf = leaf;
        OpenDisputes::<Test>::insert(claim, leaf, other);
        assert_eq!(
            Jury::audit(),
            Err(AuditFailure::NotChallenged { claim, leaf })
        );
    });
}

#[test]
fn every_finding_is_told_in_a_sentence() {
    let failure = AuditFailure::<u64>::StrayEntry {
        claim: CLAIM,
        leaf: 0,
    };
    assert!(failure.as_str().contains("belongs to no dispute"));
}

#[test]
fn what_a_juror_did_is_told() {
    story(|| {
        open_and_draw();
        let juror = jurors()[0];
        assert_ok!(commit(juror, Verdict::False));
        let told = dispute().first.juror(&juror).map(|juror| juror.state);
        let expected = JurorState::Committed(commitment(juror, Verdict::False));
        assert_eq!(told, Some(expected));
        assert!(matches!(dispute().stage, DisputeStage::Committing { .. }));
        assert_eq!(World::roster(Role::Validator, &CHECKPOINT).len(), 3);
    });
}
