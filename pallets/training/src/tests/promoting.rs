use crate::{mock::*, Event};
use frame_support::{assert_noop, assert_ok};
use noema_interfaces::Trained;
use noema_protocol::{CheckpointId, Offence, RoundId, Work};
use noema_rounds::{CheckpointClaim, Phase, Rejection, RoundOutcome, Ruling};
use pallet_checkpoints::{Provenance, Status};
use sp_core::H256;

#[test]
fn a_round_that_helps_moves_the_canonical_checkpoint_and_is_paid() {
    test(|| {
        assert_ok!(start());
        play_to_holding(claim());
        let id = round().id;
        let drawn = seated();
        assert_eq!(Checkpoints::canonical(FAMILY), Some(GENESIS));
        let record = Checkpoints::checkpoint(CHILD).unwrap();
        assert_eq!(record.parent, Some(GENESIS));
        assert_eq!((record.publisher, record.deposit), (None, 0));
        assert_eq!(record.status, Status::Active);
        assert_eq!(
            record.provenance,
            Provenance::Trained(Trained {
                round: id,
                dataset: dataset().root,
                masters_root: claim().masters_root,
                contributions: 3,
                parent_loss: 1_000,
                loss: 930,
                tokens: 3_000,
            })
        );
        hold(TRAINERS[0], CHILD);
        end_block();
        assert_eq!(Checkpoints::canonical(FAMILY), Some(GENESIS));
        hold(VALIDATORS[0], CHILD);
        end_block();
        assert_eq!(Checkpoints::canonical(FAMILY), Some(CHILD));
        assert_eq!(Checkpoints::lineage(CHILD), [CHILD, GENESIS]);
        System::assert_has_event(
            Event::RoundClosed {
                round: id,
                outcome: RoundOutcome::Promoted(CHILD),
            }
            .into(),
        );
        let mut expected: Vec<_> = TRAINERS
            .into_iter()
            .map(|trainer| (Work::Training, trainer, 32_768))
            .collect();
        // A quarter of all weights, in two parts.
        let mut scorers = drawn.clone();
        scorers.sort_unstable();
        expected.extend(
            scorers
                .into_iter()
                .map(|validator| (Work::Training, validator, 12_288)),
        );
        assert_eq!(work(), expected);
        for operator in TRAINERS.into_iter().chain(VALIDATORS) {
            assert_eq!((bond(operator), locks(operator)), (BOND, 0));
        }
        // The next round starts from the new checkpoint.
        assert_eq!((round().id, round().parent), (RoundId(1), CHILD));
        let programme = Training::programme(FAMILY).unwrap();
        assert_eq!((programme.promoted, programme.rejected), (1, 0));
    });
}

#[test]
fn without_holders_the_checkpoint_is_forgotten_and_no_operator_paid() {
    test(|| {
        assert_ok!(start());
        play_to_holding(claim());
        let id = round().id;
        hold(TRAINERS[0], CHILD);
        pass_window();
        assert_eq!(Checkpoints::canonical(FAMILY), Some(GENESIS));
        assert_eq!(Checkpoints::checkpoint(CHILD), None);
        assert!(Checkpoints::holders(CHILD).is_empty());
        assert_eq!(work(), []);
        assert_eq!(
            Training::round(id).unwrap().outcome(),
            Some(RoundOutcome::Rejected(Rejection::TooFewHolders))
        );
        assert_eq!((round().id, round().parent), (RoundId(1), GENESIS));
        // Another round can make the same checkpoint.
        play_to_holding(claim());
        assert!(Checkpoints::checkpoint(CHILD).is_some());
    });
}

#[test]
fn what_harms_changes_and_earns_nothing() {
    test(|| {
        assert_ok!(start());
        play_to_scoring();
        let id = round().id;
        let sheets: Vec<_> = seated()
            .into_iter()
            .map(|validator| (validator, [helpful(), harmful(), helpful()]))
            .collect();
        score(&sheets);
        for validator in seated() {
            assert_ok!(Training::claim_checkpoint(by(validator), id, claim()));
        }
        pass_window();
        pass_window();
        hold(TRAINERS[0], CHILD);
        hold(VALIDATORS[0], CHILD);
        end_block();
        assert_eq!(Checkpoints::canonical(FAMILY), Some(CHILD));
        let paid: Vec<_> = work()
            .into_iter()
            .map(|(_, account, _)| account)
            .filter(|account| TRAINERS.contains(account))
            .collect();
        assert_eq!(paid, [TRAINERS[0], TRAINERS[2]]);
        let refused = Training::round(id).unwrap().rulings()[1];
        assert!(matches!(refused, Ruling::Refused(_)));
        System::assert_has_event(
            Event::ContributionRuled {
                round: id,
                trainer: TRAINERS[1],
                ruling: refused,
            }
            .into(),
        );
        // A contribution that does not help is no offence.
        assert_eq!(bond(TRAINERS[1]), BOND);
    });
}

#[test]
fn a_loss_that_did_not_fall_leaves_the_parent() {
    test(|| {
        assert_ok!(start());
        play_to_claiming();
        let id = round().id;
        let worse = CheckpointClaim {
            loss: 1_000,
            ..claim()
        };
        for validator in seated() {
            assert_ok!(Training::claim_checkpoint(by(validator), id, worse));
        }
        pass_window();
        pass_window();
        assert_eq!(
            Training::round(id).unwrap().outcome(),
            Some(RoundOutcome::Rejected(Rejection::LossNotLower))
        );
        assert_eq!(Checkpoints::checkpoint(CHILD), None);
        assert_eq!(Checkpoints::canonical(FAMILY), Some(GENESIS));
    });
}

/// Runs a round whose validators claim `claim`, up to the decision on it.
fn play_to_the_claim(claim: CheckpointClaim) {
    play_to_claiming();
    let id = round().id;
    for validator in seated() {
        assert_ok!(Training::claim_checkpoint(by(validator), id, claim));
    }
    pass_window();
    pass_window();
}

#[test]
fn an_id_that_an_account_registered_before_does_not_veto_the_round() {
    test(|| {
        assert_ok!(start());
        let (id, owned) = (round().id, Balances::free_balance(OWNER));
        publish(CHILD, None);
        assert_noop!(
            try_publish(CheckpointId(H256::repeat_byte(9)), FAMILY, Some(CHILD)),
            pallet_checkpoints::Error::<Test>::ParentNeverCanonical
        );
        assert_ok!(Checkpoints::withdraw_checkpoint(signed(OWNER), CHILD));
        assert_eq!(Balances::free_balance(OWNER), owned - 10);
        play_to_the_claim(claim());
        assert!(matches!(phase(), Phase::Holding { .. }));
        // The deposit is released, and the record is removed.
        assert_eq!(Balances::free_balance(OWNER), owned);
        let record = Checkpoints::checkpoint(CHILD).unwrap();
        assert!(matches!(record.provenance, Provenance::Trained(trained) if trained.round == id));
        assert_eq!(record.weights.root, claim().weights_root);
        assert_eq!((record.parent, record.publisher), (Some(GENESIS), None));
        assert_eq!(record.status, Status::Active);
        hold(TRAINERS[0], CHILD);
        hold(VALIDATORS[0], CHILD);
        end_block();
        assert_eq!(
            Training::round(id).unwrap().outcome(),
            Some(RoundOutcome::Promoted(CHILD))
        );
    });
}

#[test]
fn an_id_that_was_registered_in_another_family_does_not_veto_the_round() {
    test(|| {
        let other = another_family();
        assert_ok!(start());
        assert_ok!(try_publish(CHILD, other, None));
        play_to_the_claim(claim());
        assert!(matches!(phase(), Phase::Holding { .. }));
        assert_eq!(Checkpoints::checkpoint(CHILD).unwrap().family, FAMILY);
        assert_eq!(Checkpoints::family(other).unwrap().checkpoints, 0);
    });
}

#[test]
fn what_was_canonical_before_is_not_claimed_again() {
    test(|| {
        assert_ok!(start());
        play_to_holding(claim());
        for holder in [TRAINERS[0], VALIDATORS[0]] {
            hold(holder, CHILD);
        }
        end_block();
        let (id, before) = (round().id, Checkpoints::checkpoint(GENESIS));
        let ancestor = CheckpointClaim {
            checkpoint: GENESIS,
            ..claim()
        };
        play_to_the_claim(ancestor);
        assert_eq!(
            Training::round(id).unwrap().outcome(),
            Some(RoundOutcome::Rejected(Rejection::NoClaim))
        );
        assert_eq!(Checkpoints::checkpoint(GENESIS), before);
        assert_eq!(Checkpoints::lineage(CHILD), [CHILD, GENESIS]);
        assert!(TRAINERS.iter().all(|trainer| locks(*trainer) == 0));
    });
}

#[test]
fn only_governance_withdraws_a_trained_checkpoint() {
    test(|| {
        assert_ok!(start());
        play_to_holding(claim());
        for holder in [TRAINERS[0], VALIDATORS[0]] {
            hold(holder, CHILD);
        }
        end_block();
        assert_noop!(
            Checkpoints::withdraw_checkpoint(signed(OWNER), CHILD),
            pallet_checkpoints::Error::<Test>::NotPublisher
        );
        // Governance makes the parent canonical again first, which ends the open round.
        assert_ok!(Checkpoints::set_canonical(root(), FAMILY, GENESIS));
        assert_ok!(Checkpoints::withdraw_checkpoint(root(), CHILD));
        end_block();
        assert_eq!(round().parent, GENESIS);
    });
}

#[test]
fn silent_validators_lose_a_little() {
    test(|| {
        assert_ok!(start());
        play_to_scoring();
        let id = round().id;
        let drawn = seated();
        pass_window();
        pass_window();
        assert_eq!(
            Training::round(id).unwrap().outcome(),
            Some(RoundOutcome::Rejected(Rejection::NoScores))
        );
        for validator in drawn {
            assert_eq!(bond(validator), 990);
            assert_eq!(offence(validator), Some(Offence::MissedScore));
        }
    });
}
