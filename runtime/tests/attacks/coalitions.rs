//! What validators in collusion win, and at which cost: exact expectations by the rules of a live chain. Each seat
//! of a jury is a colluder's with the probability of its part of the bonds, and either side appeals.

use crate::world::*;
use frame_support::traits::Get;
use noema_claims::{leaves_to_draw, Sample};
use noema_protocol::Verdict;
use noema_runtime::{
    parameters::{claim_rules, LIVE_FRESHNESS},
    Runtime,
};
use pallet_jury::{Juror, JurorState, Jury};

/// The parts of the bonds that collude, and their names.
const COALITIONS: [(&str, f64); 7] = [
    ("a quarter", 0.25),
    ("a third", 1.0 / 3.0),
    ("40 %", 0.4),
    ("half", 0.5),
    ("60 %", 0.6),
    ("two thirds", 2.0 / 3.0),
    ("three quarters", 0.75),
];

/// The value of a constant.
fn value<Constant: Get<u32>>() -> u32 {
    Constant::get()
}

/// A jury: the seats of colluders, which state the opposite of the others, its verdict, and its probability. The
/// leaf is true.
type Drawn = (u32, Option<Verdict>, f64);

fn juries(seats: u32, share: f64) -> Vec<Drawn> {
    let mut chance = (1.0 - share).powi(seats as i32);
    let mut juries = Vec::new();
    for colluding in 0..=seats {
        let said = [
            (Verdict::False, colluding),
            (Verdict::True, seats - colluding),
        ];
        let jurors = said.map(|(verdict, seats)| Juror {
            account: verdict,
            seats,
            state: JurorState::Revealed(verdict),
        });
        let verdict = Jury::of(seats, jurors.to_vec()).verdict();
        juries.push((colluding, verdict, chance));
        chance *= f64::from(seats - colluding) / f64::from(colluding + 1);
        chance *= share / (1.0 - share);
    }
    juries
}

/// The expected end of a dispute for a coalition.
#[derive(Default)]
struct Dispute {
    won: f64,
    undecided: f64,
    lost: f64,
    /// The stakes that jurors of the coalition lose, in seats.
    own: f64,
    /// The stakes that all other jurors lose.
    others: f64,
}

fn dispute(share: f64) -> Dispute {
    let first_seats = value::<<Runtime as pallet_jury::Config>::FirstJury>();
    let second_seats = value::<<Runtime as pallet_jury::Config>::SecondJury>();
    let all = f64::from(first_seats + second_seats);
    let second_juries = juries(second_seats, share);
    let mut sum = Dispute::default();
    for (first, verdict, chance) in juries(first_seats, share) {
        for (second, last, other) in &second_juries {
            let chance = chance * other;
            let colluding = f64::from(first + second);
            // The verdict of the first jury stands where the second does not decide.
            match last.or(verdict) {
                Some(Verdict::False) => {
                    sum.won += chance;
                    sum.others += chance * (all - colluding);
                }
                Some(Verdict::True) => {
                    sum.lost += chance;
                    sum.own += chance * colluding;
                }
                None => sum.undecided += chance,
            }
        }
    }
    sum
}

/// Checks that the document contains a row.
fn stated(row: &str) {
    println!("{row}");
    let document = include_str!("../../../docs/attacks.md");
    assert!(document.contains(row), "docs/attacks.md lacks {row}");
}

#[test]
fn a_coalition_decides_as_many_disputes_as_stated() {
    for (name, share) in COALITIONS {
        let Dispute {
            won,
            undecided,
            lost,
            own,
            others,
        } = dispute(share);
        assert!((won + undecided + lost - 1.0).abs() < 1e-9);
        let [won, undecided, lost] = [won, undecided, lost].map(|part| 100.0 * part);
        stated(&format!(
            "| {name} | {won:.1} | {undecided:.1} | {lost:.1} | {own:.2} | {others:.2} |"
        ));
    }
}

/// The best case for the coalition: it pays no fees and for no appeal, and the claimant belongs to it.
#[test]
fn a_coalition_loses_with_less_than_two_thirds() {
    let (payment, stake, seat) = (0.9 * noema(ANSWER), noema(STAKE), noema(SEAT));
    let rules = claim_rules(0, LIVE_FRESHNESS);
    let Some(Sample::Chance(rate)) = leaves_to_draw(&rules, ANSWER, STAKE, 1) else {
        panic!("not every answer is checked");
    };
    let rate = f64::from(rate.deconstruct()) / 1e6;
    for (name, share) in COALITIONS {
        let Dispute { won, lost, own, .. } = dispute(share);
        let false_answer = |disputed: f64| {
            let gain = won * payment - (1.0 - won) * stake - own * seat;
            (1.0 - disputed) * payment + disputed * gain
        };
        // A drawn validator that is honest challenges, or any account challenges every false answer.
        let drawn = false_answer(rate * (1.0 - share * share));
        let watched = false_answer(1.0);
        // A true answer is challenged, with a bond as high as its stake, of which half is to be won.
        let denial = won * stake / 2.0 - (1.0 - won) * stake - own * seat;
        let denied = -(1.0 - lost) * stake;
        stated(&format!(
            "| {name} | {drawn:+.4} | {watched:+.4} | {denial:+.4} | {denied:+.4} |"
        ));
        if share < 0.65 {
            assert!(drawn < 0.0 && watched < 0.0 && denial < 0.0, "{name}");
        }
    }
}
