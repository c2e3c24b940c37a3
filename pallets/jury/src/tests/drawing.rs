use crate::{mock::*, DisputePlace, DisputeStage, Event, Instance};
use frame_support::assert_ok;
use noema_claims::Decision;
use noema_economics::Balance;
use noema_interfaces::Referee;
use noema_protocol::{ClaimId, Verdict};

#[test]
fn a_dispute_waits_for_randomness_that_was_not_known_when_it_was_opened() {
    TestExt::new().validators(10..16).execute_with(|| {
        // Two values are available, and both were known.
        block();
        block();
        let relay = <World as noema_interfaces::RelayRandomness>::relay_block();
        open();
        let unknown_since = relay;
        assert_eq!(dispute().stage, DisputeStage::Undrawn { unknown_since });
        // The older of two values has to be younger by the freshness.
        for _ in 0..FRESHNESS {
            block();
            assert_eq!(dispute().stage, DisputeStage::Undrawn { unknown_since });
        }
        block();
        let until = System::block_number() + COMMIT_WINDOW;
        assert_eq!(dispute().stage, DisputeStage::Committing { until });
        assert_eq!(
            events(),
            [
                Event::Opened {
                    claim: CLAIM,
                    leaf: LEAF,
                    checkpoint: CHECKPOINT,
                    appeal_bond: CLAIM_STAKE,
                },
                Event::JuryDrawn {
                    claim: CLAIM,
                    leaf: LEAF,
                    instance: Instance::First,
                    jurors: seats(),
                    until,
                },
            ]
        );
    });
}

#[test]
fn a_dispute_waits_as_long_as_there_is_no_randomness() {
    TestExt::new().validators(10..16).execute_with(|| {
        block();
        set_random(false);
        open();
        for _ in 0..200 {
            block();
        }
        assert!(matches!(dispute().stage, DisputeStage::Undrawn { .. }));
        set_random(true);
        block();
        assert!(matches!(dispute().stage, DisputeStage::Undrawn { .. }));
        block();
        assert!(matches!(dispute().stage, DisputeStage::Committing { .. }));
    });
}

/// The seats of each juror of the sitting jury.
fn seats() -> Vec<(AccountId, u32)> {
    let dispute = dispute();
    let jurors = dispute.sitting().jurors().iter();
    jurors.map(|juror| (juror.account, juror.seats)).collect()
}

#[test]
fn a_stake_is_locked_for_each_seat_and_the_bond_counts_nothing() {
    TestExt::new()
        .validator(10, 10_000)
        .validator(11, 2_000_000)
        .execute_with(|| {
            open();
            hit([10, 11, 10]);
            next_stage();
            assert_eq!(seats(), [(10, 2), (11, 1)]);
            assert_eq!(locked_behind(10), Some(2 * STAKE));
            assert_eq!(locked_behind(11), Some(STAKE));
            // Nor does a bond that grows when the jury is known.
            top_up(11, 90_000_000);
            hear(|_, juror| match juror {
                10 => Some(Verdict::True),
                _ => Some(Verdict::False),
            });
            assert_eq!(dispute().first.verdict(), Some(Verdict::True));
        });
}

#[test]
fn only_claimant_and_payer_do_not_sit() {
    let parties = [CLAIMANT, PAYER];
    TestExt::new()
        .validators(parties)
        .validators([CHALLENGER, 20, 10])
        .execute_with(|| {
            // A seat at the leaf, and another challenge.
            seat_at(CLAIM, LEAF, 20);
            open();
            challenge(CLAIM, LEAF, 10);
            hit([CLAIMANT, CHALLENGER, PAYER, 20, 10]);
            next_stage();
            assert_eq!(jurors(), [CHALLENGER, 20, 10]);
        });
    // With any randomness.
    for seed in 0..20 {
        TestExt::new()
            .seed(seed)
            .validators(parties)
            .validators([10])
            .execute_with(|| {
                open();
                next_stage();
                assert_eq!(seats(), [(10, 3)]);
            });
    }
}

#[test]
fn a_bond_without_room_fills_as_many_seats_as_it_can() {
    TestExt::new().validators(10..14).execute_with(|| {
        lock_elsewhere(10, BOND - STAKE + 1);
        lock_elsewhere(11, BOND - STAKE);
        open();
        hit([11, 11, 10]);
        next_stage();
        assert_eq!(seats(), [(11, 1)]);
        let dispute = dispute();
        assert_eq!((dispute.first.seats(), dispute.first.filled()), (3, 1));
        assert_eq!((locked_behind(10), locked_behind(11)), (None, Some(STAKE)));
    });
}

#[test]
fn what_is_added_to_a_bond_once_the_draw_is_known_fills_no_seat() {
    TestExt::new().validators(10..14).execute_with(|| {
        lock_elsewhere(10, BOND - STAKE);
        open();
        hit([10, 10, 11]);
        top_up(10, 5 * STAKE);
        next_stage();
        assert_eq!(seats(), [(10, 1), (11, 1)]);
    });
}

#[test]
fn a_jury_that_is_not_half_filled_does_not_convict() {
    for (said, verdict) in [(Verdict::True, Some(Verdict::True)), (Verdict::False, None)] {
        TestExt::new().validators(10..14).execute_with(|| {
            lock_elsewhere(10, BOND);
            open();
            hit([10, 10, 11]);
            next_stage();
            hear(|_, _| Some(said));
            assert_eq!(dispute().first.verdict(), verdict);
        });
    }
}

#[test]
fn one_validator_may_have_all_seats_of_both_juries() {
    TestExt::new().validators([10]).execute_with(|| {
        open();
        next_stage();
        assert_eq!(seats(), [(10, 3)]);
        hear(|_, _| Some(Verdict::True));
        assert_ok!(appeal(8));
        next_stage();
        assert_eq!(seats(), [(10, 5)]);
        assert_eq!(locked_behind(10), Some(8 * STAKE));
        hear(|_, _| Some(Verdict::True));
        assert_eq!(locked(), 0);
        assert_eq!(conclusion().map(|end| end.jurors), Some(vec![10; 8]));
    });
}

#[test]
fn the_stake_of_the_first_jury_stays_locked_where_the_second_finds_no_room() {
    TestExt::new().validators(10..20).execute_with(|| {
        open_and_draw();
        hear(|_, _| None);
        lock_elsewhere(10, free_bond(10));
        hit([10, 10, 13, 14, 15]);
        next_stage();
        assert_eq!(jurors(), [13, 14, 15]);
        assert_eq!(locked_behind(10), Some(STAKE));
        hear(|_, _| Some(Verdict::False));
        assert_eq!(conclusion().map(|end| end.decision), Some(Decision::False));
        assert_eq!(slashed(10).map(|(_, taken)| taken), Some(STAKE));
    });
}

/// The reason for not excluding validators that confirmed or challenged the leaf: few would be left.
#[test]
fn a_small_roster_decides_as_its_majority_of_two_thirds_does() {
    // Both have a seat at the leaf, and both are honest.
    TestExt::new().validators([10, 11]).execute_with(|| {
        seat_at(CLAIM, LEAF, 10);
        seat_at(CLAIM, LEAF, 11);
        decide_first(Verdict::True);
        next_stage();
        assert_eq!(conclusion().map(|end| end.decision), Some(Decision::True));
    });
    // Two honest ones have a seat at the leaf, the third colludes with the challenger: it has no more than
    // its own part of the seats.
    let mut convicted = 0;
    for seed in 0..100 {
        TestExt::new()
            .seed(seed)
            .validators(10..13)
            .execute_with(|| {
                seat_at(CLAIM, LEAF, 10);
                seat_at(CLAIM, LEAF, 11);
                open();
                next_stage();
                hear(|_, juror| match juror {
                    12 => Some(Verdict::False),
                    _ => Some(Verdict::True),
                });
                convicted += u32::from(dispute().first.verdict() == Some(Verdict::False));
            });
    }
    // The probability is 7 of 27 with three seats.
    assert!(convicted < 45, "{convicted}");
}

#[test]
fn seats_are_drawn_in_proportion_to_bonds_in_however_many_hands() {
    // A fifth of the bond, held by one colluder or by four, measured in 60 juries of 32 seats.
    for hands in [1u64, 4] {
        let mut seats_of_colluders = 0;
        for seed in 0..60 {
            let ext = (0..hands).fold(TestExt::new().seed(seed), |ext, index| {
                ext.validator(30 + index, Balance::from(240 / hands) * 1_000)
            });
            let honest = (0..4).fold(ext, |ext, index| ext.validator(10 + index, 240_000));
            honest.execute_with(|| {
                FirstJury::set(31);
                SecondJury::set(32);
                open();
                next_stage();
                assert_eq!(dispute().first.filled(), 31);
                seats_of_colluders += seats()
                    .iter()
                    .filter(|(juror, _)| *juror >= 30)
                    .map(|(_, seats)| seats)
                    .sum::<u32>();
            });
        }
        // 372 of 1860 are expected, with a deviation of 17.
        assert!(
            (300..445).contains(&seats_of_colluders),
            "{seats_of_colluders}"
        );
    }
}

#[test]
fn without_a_validator_nothing_can_be_decided() {
    TestExt::new().execute_with(|| {
        open();
        next_stage();
        assert_eq!(dispute().instance, Instance::Second);
        next_stage();
        assert!(!is_open());
        let conclusion = conclusion().expect("the dispute is concluded");
        assert_eq!(conclusion.decision, Decision::Undecided);
        assert!(conclusion.jurors.is_empty());
    });
}

#[test]
fn validators_that_join_while_the_first_draw_finds_none_are_drawn_for_the_second() {
    TestExt::new().execute_with(|| {
        open();
        next_stage();
        for validator in 10..18 {
            add_validator(validator, BOND);
        }
        next_stage();
        assert_eq!(dispute().instance, Instance::Second);
        assert_eq!(dispute().second.filled(), 5);
    });
}

#[test]
fn the_second_jury_is_larger_and_the_same_validators_may_sit_in_it() {
    TestExt::new().validators(10..20).execute_with(|| {
        open_and_draw();
        let first = jurors();
        assert_eq!(first.len(), 3);
        hear(|index, _| {
            let verdicts = [Verdict::True, Verdict::False, Verdict::False];
            verdicts.get(index).copied().filter(|_| index < 2)
        });
        // One juror for each verdict, and a silent one.
        assert_eq!(
            events().pop(),
            Some(Event::SecondJuryOpened {
                claim: CLAIM,
                leaf: LEAF
            })
        );
        hit([12, 13, 13, 14, 15]);
        next_stage();
        assert_eq!(seats(), [(12, 1), (13, 2), (14, 1), (15, 1)]);
        assert_eq!(locked(), 8 * STAKE);
        let Some(Event::JuryDrawn { jurors, .. }) = events().pop() else {
            panic!("a jury was drawn");
        };
        assert_eq!(jurors, seats());
    });
}

#[test]
fn disputes_over_two_leaves_have_juries_of_their_own() {
    TestExt::new().validators(10..40).execute_with(|| {
        challenge(CLAIM, 0, CHALLENGER);
        challenge(CLAIM, 1, CHALLENGER);
        challenge(ClaimId(2), 0, CHALLENGER);
        for _ in 0..10 {
            block();
        }
        let jury = |claim, leaf| {
            let dispute = Jury::dispute(claim, leaf).expect("the dispute is open");
            let jurors = dispute.first.jurors().iter();
            jurors.map(|juror| juror.account).collect::<Vec<_>>()
        };
        assert_ne!(jury(CLAIM, 0), jury(CLAIM, 1));
        assert_ne!(jury(CLAIM, 0), jury(ClaimId(2), 0));
    });
}

#[test]
fn a_dispute_is_opened_once() {
    TestExt::new().execute_with(|| {
        open();
        let place = crate::OpenDisputes::<Test>::get(CLAIM, LEAF).map(|open| open.place);
        assert_eq!(place, Some(DisputePlace::Queue(0)));
        let again = std::panic::catch_unwind(|| Jury::open(&claim(CLAIM), LEAF));
        assert!(again.is_err(), "a defensive check");
        assert_eq!(crate::Queue::<Test>::iter().count(), 1);
    });
}

/// Two validators that sit in every jury.
#[test]
fn a_jury_has_the_time_for_what_its_jurors_have_to_execute_besides() {
    TestExt::new().validators(10..12).execute_with(|| {
        let tokens = claim(CLAIM).terms.leaf_tokens;
        let windows = claim(CLAIM).terms.rules.windows;
        set_backlog(10, 3 * tokens);
        MaxDrawsPerBlock::set(1);
        for id in [1, 2] {
            challenge(ClaimId(id), 0, CHALLENGER);
        }
        let stage = |id| {
            crate::OpenDisputes::<Test>::get(ClaimId(id), 0)
                .expect("open")
                .dispute
                .stage
        };
        let drawn = |id| matches!(stage(id), DisputeStage::Committing { .. });
        for (id, leaves) in [(1, 4), (2, 5)] {
            while !drawn(id) {
                block();
            }
            let until = System::block_number() + windows.commit_window(leaves * tokens);
            assert_eq!(
                stage(id),
                DisputeStage::Committing { until },
                "{leaves} leaves"
            );
        }
        assert_eq!(<Jury as Referee<_, _>>::backlog(&10), 2 * tokens);
    });
}

#[test]
fn a_juror_that_commits_has_executed_its_leaf() {
    TestExt::new().validators(10..12).execute_with(|| {
        open_and_draw();
        let tokens = claim(CLAIM).terms.leaf_tokens;
        let backlog = |juror| <Jury as Referee<_, _>>::backlog(&juror);
        assert_ok!(commit(10, Verdict::True));
        assert_eq!([10, 11].map(backlog), [0, tokens]);
        go_to_deadline();
        block();
        assert_eq!(
            [10, 11].map(backlog),
            [0, 0],
            "no leaf is left to commit to"
        );
    });
}
