//! Properties of the rules of commit and reveal, for any sequence of moves.

use crate::{
    panel::{self, PanelError, Progress},
    Opinion, Part, Seat, Stage, Standing,
};
use noema_protocol::{hashing, RequestId, Verdict, VerdictReveal};
use proptest::prelude::*;
use sp_core::H256;

const REQUEST: RequestId = RequestId(3);
const DIGEST: H256 = H256::repeat_byte(1);

fn seats(part: Part, bonds: &[u128]) -> Vec<Seat<u64>> {
    (0u64..)
        .zip(bonds)
        .map(|(validator, bond)| Seat {
            validator,
            bond: *bond,
            part,
            commitment: None,
            opinion: None,
            standing: Standing::Sitting,
        })
        .collect()
}

fn opening(choice: u8) -> VerdictReveal {
    VerdictReveal {
        verdict: if choice & 1 == 0 {
            Verdict::Valid
        } else {
            Verdict::Invalid
        },
        digest: if choice & 2 == 0 {
            DIGEST
        } else {
            H256::repeat_byte(2)
        },
        salt: H256::repeat_byte(choice),
    }
}

/// A panel in which seat `i` reveals `choices[i]`, or nothing.
fn heard(part: Part, choices: &[(u128, Option<u8>)]) -> Vec<Seat<u64>> {
    let bonds: Vec<_> = choices.iter().map(|(bond, _)| *bond).collect();
    let mut seats = seats(part, &bonds);
    for (seat, (_, choice)) in seats.iter_mut().zip(choices) {
        seat.opinion = choice.map(|choice| {
            let opening = opening(choice);
            Opinion {
                verdict: opening.verdict,
                digest: opening.digest,
            }
        });
    }
    panel::close(
        &mut seats,
        REQUEST,
        hashing::trace_commitment(REQUEST, DIGEST),
    );
    seats
}

#[test]
fn the_last_to_commit_completes_the_stage() {
    let mut seats = seats(Part::Check, &[1, 1]);
    let stage = Stage::Committing { deadline: 5u32 };
    let mut commit = |validator| panel::commit(&stage, &mut seats, &validator, DIGEST, 5);
    assert_eq!(commit(0), Ok(Progress::Partial));
    assert_eq!(commit(2), Err(PanelError::NotSeated));
    assert_eq!(commit(1), Ok(Progress::Complete));
}

#[test]
fn half_of_the_bond_is_no_majority() {
    let seats = heard(Part::Committee, &[(5, Some(0)), (5, Some(1))]);
    assert_eq!(panel::decide(&seats), None);
    let seats = heard(Part::Committee, &[(6, Some(0)), (5, Some(1))]);
    assert_eq!(
        panel::decide(&seats).map(|opinion| opinion.verdict),
        Some(Verdict::Valid)
    );
}

#[test]
fn checkers_and_accusers_have_no_vote_in_the_committee() {
    let mut seats = heard(Part::Committee, &[(1, Some(0))]);
    seats.extend(heard(Part::Check, &[(100, Some(1))]));
    seats.extend(heard(Part::Objection, &[(100, Some(1))]));
    assert_eq!(
        panel::decide(&seats).map(|opinion| opinion.verdict),
        Some(Verdict::Valid)
    );
}

proptest! {
    /// Nothing once written changes before the sitting is closed, whatever is tried.
    #[test]
    fn the_first_write_wins(
        moves in prop::collection::vec((any::<bool>(), 0u64..4, 0u8..4, any::<bool>(), 0u32..8), 0..60)
    ) {
        let mut seats = seats(Part::Check, &[1, 2, 3]);
        for (commits, validator, choice, reveals, now) in moves {
            let stage = if reveals {
                Stage::Revealing { deadline: 5u32 }
            } else {
                Stage::Committing { deadline: 5u32 }
            };
            let before = seats.clone();
            let opening = opening(choice);
            let accepted = if commits {
                let commitment = hashing::verdict_commitment(REQUEST, &validator, &opening);
                panel::commit(&stage, &mut seats, &validator, commitment, now).is_ok()
            } else {
                panel::reveal(&stage, &mut seats, REQUEST, &validator, &opening, now).is_ok()
            };
            prop_assert!(!accepted || now <= 5);
            for (old, new) in before.iter().zip(&seats) {
                if old != new {
                    prop_assert!(accepted && new.validator == validator);
                }
                prop_assert!(old.commitment.is_none() || old.commitment == new.commitment);
                prop_assert!(old.opinion.is_none() || old.opinion == new.opinion);
                prop_assert!(new.opinion.is_none() || new.commitment.is_some());
            }
        }
        panel::close(&mut seats, REQUEST, hashing::trace_commitment(REQUEST, DIGEST));
        for seat in &seats {
            prop_assert!(seat.standing != Standing::Sitting);
            prop_assert_eq!(seat.opinion.is_none(), seat.standing == Standing::Silent);
        }
    }

    /// Whatever is decided, exactly those who said it win, and exactly those who said otherwise
    /// lose.
    #[test]
    fn judging_parts_those_who_were_right_from_those_who_were_not(
        committee in prop::collection::vec((1u128..100, prop::option::of(0u8..4)), 1..6),
        checkers in prop::collection::vec((1u128..100, prop::option::of(0u8..4)), 0..4),
    ) {
        let mut seats = heard(Part::Committee, &committee);
        seats.extend(heard(Part::Check, &checkers));
        let Some(decided) = panel::decide(&seats) else { return Ok(()) };
        let before = seats.clone();
        panel::judge(&mut seats, decided);
        for (old, new) in before.iter().zip(&seats) {
            let is_right = new.opinion == Some(decided);
            match new.standing {
                Standing::Won => prop_assert!(is_right),
                Standing::Lost => prop_assert!(!is_right),
                Standing::Upholds => {
                    prop_assert!(is_right && new.part == Part::Check);
                    prop_assert_eq!(decided.verdict, Verdict::Valid);
                }
                Standing::Silent | Standing::Unexecuted => {
                    prop_assert_eq!(old.standing, new.standing);
                }
                Standing::Sitting | Standing::Accuses => prop_assert!(false, "{:?}", new),
            }
        }
        // A valid outcome carries the digest the worker committed to.
        prop_assert!(decided.verdict == Verdict::Invalid || decided.digest == DIGEST);
    }
}
