use crate::{mock::*, Call, Error, Event};
use frame_support::{assert_noop, assert_ok, traits::fungible::Mutate as _};
use noema_protocol::{hashing, Offence, Role, RoundId};
use noema_rounds::{Contribution, Finding, Phase, Rejection, RoundOutcome, MAX_VALIDATORS};
use pallet_duties::AsDuty;
use sp_core::H256;

/// Whether a call is a duty that the hot key `by` may perform now.
fn is_duty(call: &Call<Test>, by: u64) -> bool {
    call.as_duty(&by, System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

#[test]
fn join_round_ties_the_bond() {
    test(|| {
        assert_ok!(start());
        let id = round().id;
        assert_ok!(Training::join_round(by(1), id, Role::Trainer));
        assert_eq!(locks(1), 1);
        System::assert_last_event(
            Event::Joined {
                round: id,
                operator: 1,
                role: Role::Trainer,
            }
            .into(),
        );
        assert_noop!(
            Training::join_round(by(1), id, Role::Trainer),
            Error::<Test>::AlreadyJoined
        );
    });
}

/// Sixteen accounts with the least bond join in the first block: the honest validator, which acts on
/// finalized blocks, comes later.
#[test]
fn join_round_gives_the_place_of_the_smallest_bond_to_a_larger_one() {
    test(|| {
        assert_ok!(start());
        let id = round().id;
        let early: Vec<_> = (500..500 + u64::from(MAX_VALIDATORS)).collect();
        for controller in early.iter().copied().chain([600, 601]) {
            Balances::set_balance(&controller, ENDOWMENT);
        }
        for controller in &early {
            operator(*controller, Role::Validator, BOND);
            assert_ok!(Training::join_round(by(*controller), id, Role::Validator));
        }
        operator(600, Role::Validator, BOND);
        assert_noop!(
            Training::join_round(by(600), id, Role::Validator),
            Error::<Test>::RoundFull
        );
        operator(601, Role::Validator, BOND + 1);
        assert_ok!(Training::join_round(by(601), id, Role::Validator));
        let lost = *early.last().expect("the list is not empty");
        System::assert_has_event(
            Event::Displaced {
                round: id,
                operator: lost,
                by: 601,
            }
            .into(),
        );
        assert_eq!((locks(lost), locks(601)), (0, 1));
        assert_noop!(
            Training::join_round(by(lost), id, Role::Validator),
            Error::<Test>::RoundFull
        );
        assert_noop!(
            Training::join_round(by(601), id, Role::Validator),
            Error::<Test>::AlreadyJoined
        );
        assert_eq!(round().validators.len(), MAX_VALIDATORS as usize);
    });
}

#[test]
fn join_round_refuses_who_has_no_part() {
    test(|| {
        assert_ok!(start());
        let id = round().id;
        let join = |key, role| Training::join_round(signed(key), id, role);
        assert_noop!(join(77, Role::Trainer), Error::<Test>::NotAnOperator);
        assert_noop!(join(1, Role::Trainer), Error::<Test>::NotAnOperator);
        assert_noop!(join(key_of(1), Role::Worker), Error::<Test>::NoPartForRole);
        assert_noop!(join(key_of(1), Role::Validator), Error::<Test>::NotLive);
        assert_noop!(join(key_of(11), Role::Trainer), Error::<Test>::NotLive);
        assert_noop!(
            Training::join_round(by(1), RoundId(9), Role::Trainer),
            Error::<Test>::UnknownRound
        );
        assert_ok!(Operators::start_unbonding(signed(1)));
        assert_noop!(join(key_of(1), Role::Trainer), Error::<Test>::NotLive);
    });
}

#[test]
fn a_bond_tied_to_too_much_does_not_join() {
    use noema_interfaces::Operators as _;
    test(|| {
        assert_ok!(start());
        let id = round().id;
        assert_ok!(Operators::lock(&1, RoundId(99).into(), BOND / 2 + 1));
        assert_noop!(
            Training::join_round(by(1), id, Role::Trainer),
            Error::<Test>::BondUnavailable
        );
    });
}

#[test]
fn steps_are_duties_where_they_are_accepted_and_only_there() {
    test(|| {
        assert_ok!(start());
        let id = round().id;
        let join = Call::<Test>::join_round {
            round: id,
            role: Role::Trainer,
        };
        assert!(is_duty(&join, key_of(1)));
        assert!(!is_duty(&join, key_of(11)));
        assert!(!is_duty(&join, 1));
        // The checks changed nothing.
        assert_eq!(locks(1), 0);
        assert!(round().trainers.is_empty());
        join_all();
        assert!(!is_duty(&join, key_of(1)));
        let commit = Call::<Test>::commit_contribution {
            round: id,
            commitment: commitment(id, 1),
        };
        assert!(!is_duty(&commit, key_of(1)));
        pass_window();
        assert!(is_duty(&commit, key_of(1)));
        assert_ok!(Training::commit_contribution(by(1), id, commitment(id, 1)));
        assert!(!is_duty(&commit, key_of(1)));
    });
}

#[test]
fn reveal_contribution_refuses_what_was_not_committed() {
    test(|| {
        assert_ok!(start());
        join_all();
        pass_window();
        let id = round().id;
        for trainer in TRAINERS {
            assert_ok!(Training::commit_contribution(
                by(trainer),
                id,
                commitment(id, trainer)
            ));
        }
        pass_window();
        let reveal =
            |contribution, salt| Training::reveal_contribution(by(1), id, contribution, salt);
        assert_noop!(
            reveal(contribution(2), salt(1)),
            Error::<Test>::CommitmentDiffers
        );
        assert_noop!(
            reveal(contribution(1), salt(2)),
            Error::<Test>::CommitmentDiffers
        );
        let large = Contribution {
            bytes: 1_001,
            ..contribution(1)
        };
        assert_noop!(reveal(large, salt(1)), Error::<Test>::UpdateSize);
        assert_ok!(reveal(contribution(1), salt(1)));
        assert_noop!(
            reveal(contribution(1), salt(1)),
            Error::<Test>::AlreadyRevealed
        );
    });
}

#[test]
fn silent_trainers_lose_a_little_and_the_round_its_checkpoint() {
    test(|| {
        assert_ok!(start());
        join_all();
        pass_window();
        let id = round().id;
        for trainer in [1, 2] {
            assert_ok!(Training::commit_contribution(
                by(trainer),
                id,
                commitment(id, trainer)
            ));
        }
        pass_window();
        assert_ok!(Training::reveal_contribution(
            by(1),
            id,
            contribution(1),
            salt(1)
        ));
        pass_window();
        let closed = Training::round(id).unwrap();
        assert_eq!(
            closed.outcome(),
            Some(RoundOutcome::Rejected(Rejection::TooFewContributions))
        );
        assert_eq!((bond(1), bond(2), bond(3)), (BOND, 990, 990));
        let ledger = Operators::earnings(2).unwrap();
        assert_eq!(ledger.slashed, 10);
        assert_eq!(offence(2), Some(Offence::MissedContribution));
        // The next round opened, and no bond is locked behind the last one.
        assert_eq!(round().id, RoundId(1));
        assert!(TRAINERS.iter().all(|trainer| locks(*trainer) == 0));
    });
}

#[test]
fn scores_are_revealed_as_committed() {
    test(|| {
        assert_ok!(start());
        play_to_scoring();
        let id = round().id;
        let drawn = seated()[0];
        assert_noop!(
            Training::commit_scores(by(unheard()), id, H256::zero()),
            Error::<Test>::NotDrawn
        );
        assert_noop!(
            Training::commit_scores(by(1), id, H256::zero()),
            Error::<Test>::NotAValidator
        );
        let commitment =
            hashing::score_commitment(id, &drawn, &sheet(&[helpful(); 3]), salt(drawn));
        assert_ok!(Training::commit_scores(by(drawn), id, commitment));
        assert_noop!(
            Training::commit_scores(by(drawn), id, commitment),
            Error::<Test>::AlreadyCommitted
        );
        pass_window();
        assert!(matches!(phase(), Phase::ScoreRevealing { .. }));
        let reveal = |findings: &[Finding]| {
            Training::reveal_scores(by(drawn), id, sheet(findings), salt(drawn))
        };
        assert_noop!(reveal(&[harmful(); 3]), Error::<Test>::CommitmentDiffers);
        assert_noop!(reveal(&[helpful(); 2]), Error::<Test>::SheetLength);
        assert_noop!(
            reveal(&[Finding::Copy { of: 0 }; 3]),
            Error::<Test>::NotEarlier
        );
        assert_ok!(reveal(&[helpful(); 3]));
    });
}
