use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{CheckpointId, Offence};
use noema_rounds::{CheckpointClaim, Phase};
use sp_core::H256;

fn false_claim() -> CheckpointClaim {
    CheckpointClaim {
        checkpoint: CheckpointId(H256::repeat_byte(6)),
        weights_root: H256::repeat_byte(7),
        ..claim()
    }
}

#[test]
fn a_validator_that_scores_falsely_loses_half_its_bond() {
    test(|| {
        assert_ok!(start());
        play_to_scoring();
        let [honest, liar] = seated()[..] else {
            panic!("two are drawn");
        };
        let other = unheard();
        score(&[(honest, [helpful(); 3]), (liar, [harmful(); 3])]);
        assert!(round().widened);
        score(&[(other, [helpful(); 3])]);
        let id = round().id;
        for validator in [honest, other] {
            assert_ok!(Training::claim_checkpoint(by(validator), id, claim()));
        }
        pass_window();
        assert_eq!(bond(liar), BOND);
        end_block();
        assert!(matches!(phase(), Phase::Holding { .. }));
        assert_eq!(
            (bond(honest), bond(liar), bond(other)),
            (BOND, BOND / 2, BOND)
        );
        assert_eq!(offence(liar), Some(Offence::FalseScore));
    });
}

#[test]
fn a_validator_that_claims_a_wrong_root_loses_half_its_bond() {
    test(|| {
        assert_ok!(start());
        play_to_claiming();
        let [honest, liar] = seated()[..] else {
            panic!("two are drawn");
        };
        let other = unheard();
        let id = round().id;
        assert_noop!(
            Training::claim_checkpoint(by(other), id, claim()),
            Error::<Test>::NotDrawn
        );
        assert_ok!(Training::claim_checkpoint(by(honest), id, claim()));
        assert_noop!(
            Training::claim_checkpoint(by(honest), id, claim()),
            Error::<Test>::AlreadyClaimed
        );
        assert_ok!(Training::claim_checkpoint(by(liar), id, false_claim()));
        pass_window();
        assert_ok!(Training::claim_checkpoint(by(other), id, claim()));
        pass_window();
        pass_window();
        assert!(matches!(phase(), Phase::Holding { .. }));
        assert_eq!(round().claim, Some(claim()));
        assert_eq!(
            (bond(honest), bond(liar), bond(other)),
            (BOND, BOND / 2, BOND)
        );
        assert_eq!(offence(liar), Some(Offence::FalseClaim));
        assert!(Checkpoints::checkpoint(false_claim().checkpoint).is_none());
    });
}

#[test]
fn an_objection_has_every_validator_heard() {
    test(|| {
        assert_ok!(start());
        play_to_claiming();
        let id = round().id;
        let objector = unheard();
        assert_noop!(
            Training::object_to_scores(by(objector), id, sheet(&[helpful(); 3])),
            Error::<Test>::NothingToObject
        );
        assert_ok!(Training::object_to_scores(
            by(objector),
            id,
            sheet(&[harmful(); 3])
        ));
        System::assert_has_event(
            Event::Objected {
                round: id,
                validator: objector,
            }
            .into(),
        );
        assert!(matches!(phase(), Phase::Scoring { .. }));
        assert_noop!(
            Training::object_to_scores(by(objector), id, sheet(&[harmful(); 3])),
            Error::<Test>::TooEarly
        );
    });
}

#[test]
fn a_needless_objection_to_a_claim_costs_the_objector() {
    test(|| {
        assert_ok!(start());
        play_to_claiming();
        let id = round().id;
        let objector = unheard();
        for validator in seated() {
            assert_ok!(Training::claim_checkpoint(by(validator), id, claim()));
        }
        pass_window();
        assert_noop!(
            Training::object_to_claim(by(objector), id, claim()),
            Error::<Test>::NothingToObject
        );
        assert_ok!(Training::object_to_claim(by(objector), id, false_claim()));
        pass_window();
        pass_window();
        assert!(matches!(phase(), Phase::Holding { .. }));
        assert_eq!(bond(objector), BOND / 2);
        assert_eq!(offence(objector), Some(Offence::FalseClaim));
    });
}
