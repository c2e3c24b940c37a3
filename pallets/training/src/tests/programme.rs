use crate::{mock::*, Error, Event, Rounds};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{FamilyId, RoundId};
use noema_rounds::{Dataset, Phase, Rejection, RoundOutcome, RoundRules};
use sp_runtime::DispatchError::BadOrigin;

#[test]
fn a_round_grants_the_time_until_a_block_is_final_and_keeps_what_it_opened_with() {
    test(|| {
        FinalityAllowance::set(15);
        assert_ok!(start());
        FinalityAllowance::set(0);
        assert_eq!(
            round().phase,
            Phase::Registering {
                until: 1 + WINDOW + 15
            }
        );
        assert_eq!(round().rules.windows.scoring, WINDOW + 15);
    });
}

#[test]
fn start_programme_opens_a_round_from_the_canonical_checkpoint() {
    test(|| {
        assert_ok!(start());
        let round = round();
        assert_eq!((round.id, round.parent), (RoundId(0), GENESIS));
        assert_eq!(round.phase, Phase::Registering { until: 1 + WINDOW });
        System::assert_has_event(
            Event::ProgrammeStarted {
                family: FAMILY,
                dataset: dataset(),
            }
            .into(),
        );
        System::assert_last_event(
            Event::RoundOpened {
                round: RoundId(0),
                family: FAMILY,
                parent: GENESIS,
            }
            .into(),
        );
        let report = Training::audit().unwrap();
        assert_eq!((report.programmes, report.open, report.closed), (1, 1, 0));
    });
}

#[test]
fn start_programme_is_for_governance() {
    test(|| {
        let call = Training::start_programme(
            signed(OWNER),
            FAMILY,
            dataset(),
            text("MIT"),
            text("x"),
            rules(),
        );
        assert_noop!(call, BadOrigin);
        assert_noop!(Training::stop_programme(signed(OWNER), FAMILY), BadOrigin);
    });
}

#[test]
fn start_programme_refuses_what_cannot_run() {
    test(|| {
        let start = |family, dataset, licence, source, rules| {
            Training::start_programme(root(), family, dataset, text(licence), text(source), rules)
        };
        assert_noop!(
            start(FamilyId(9), dataset(), "MIT", "x", rules()),
            Error::<Test>::NoCanonicalCheckpoint
        );
        for (licence, source) in [("", "x"), ("MIT", "")] {
            assert_noop!(
                start(FAMILY, dataset(), licence, source, rules()),
                Error::<Test>::NotText
            );
        }
        let few = Dataset {
            shards: 4,
            ..dataset()
        };
        assert_noop!(
            start(FAMILY, few, "MIT", "x", rules()),
            Error::<Test>::DatasetUnfit
        );
        let lonely = RoundRules {
            min_contributions: 1,
            ..rules()
        };
        assert_noop!(
            start(FAMILY, dataset(), "MIT", "x", lonely),
            Error::<Test>::ContributionsOutOfRange
        );
        assert_ok!(start(FAMILY, dataset(), "MIT", "x", rules()));
        assert_noop!(
            start(FAMILY, dataset(), "MIT", "x", rules()),
            Error::<Test>::ProgrammeExists
        );
    });
}

#[test]
fn stop_programme_frees_every_bond() {
    test(|| {
        assert_ok!(start());
        play_to_scoring();
        assert_eq!(locks(TRAINERS[0]), 1);
        let id = round().id;
        assert_ok!(Training::stop_programme(root(), FAMILY));
        for operator in TRAINERS.into_iter().chain(VALIDATORS) {
            assert_eq!(locks(operator), 0);
            assert_eq!(bond(operator), BOND);
        }
        System::assert_has_event(
            Event::RoundClosed {
                round: id,
                outcome: RoundOutcome::Rejected(Rejection::Stopped),
            }
            .into(),
        );
        assert_eq!(Rounds::<Test>::iter().count(), 0);
        assert_noop!(
            Training::stop_programme(root(), FAMILY),
            Error::<Test>::UnknownProgramme
        );
        // It can be restarted, and round numbers are not reused.
        assert_ok!(start());
        assert_eq!(round().id, RoundId(1));
    });
}

#[test]
fn rounds_follow_one_another_and_old_ones_are_forgotten() {
    test(|| {
        assert_ok!(start());
        for id in 0..5 {
            assert_eq!(round().id, RoundId(id));
            // No operator joins.
            pass_window();
        }
        assert_eq!(Training::closed_rounds(FAMILY), [RoundId(3), RoundId(4)]);
        assert!(Training::round(RoundId(2)).is_none());
        let closed = Training::round(RoundId(4)).unwrap();
        assert_eq!(
            closed.outcome(),
            Some(RoundOutcome::Rejected(Rejection::TooFewTrainers))
        );
        let programme = Training::programme(FAMILY).unwrap();
        assert_eq!((programme.promoted, programme.rejected), (0, 5));
    });
}

#[test]
fn a_canonical_ancestor_set_by_governance_ends_the_round() {
    test(|| {
        let other = noema_protocol::CheckpointId(sp_core::H256::repeat_byte(9));
        publish(other, Some(GENESIS));
        assert_ok!(start());
        join_all();
        assert_ok!(Checkpoints::set_canonical(root(), FAMILY, other));
        end_block();
        assert_eq!((round().id, round().parent), (RoundId(1), other));
        assert_eq!(locks(TRAINERS[0]), 0);
        let closed = Training::round(RoundId(0)).unwrap();
        assert_eq!(
            closed.outcome(),
            Some(RoundOutcome::Rejected(Rejection::ParentReplaced))
        );
    });
}
