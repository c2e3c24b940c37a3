//! Simulations of validators in collusion: the tables of the README.
//!
//! A leaf is true, and colluding validators vote that it is false; that is as likely to succeed as the
//! opposite. Each dispute goes to both juries: either side appeals a verdict against it.

use crate::{Juror, JurorState, Jury};
use noema_protocol::Verdict;

const DISPUTES: u64 = 2_000;
const FIRST: u32 = 9;
const SECOND: u32 = 27;
/// Parts of the bond that collude, in percent.
const SHARES: [u64; 7] = [10, 20, 30, 33, 40, 50, 67];
/// Operators of a roster, and how many of them collude.
const ROSTERS: [(u64, u64); 8] = [
    (3, 1),
    (5, 1),
    (5, 3),
    (11, 1),
    (11, 3),
    (1_000, 1),
    (1_000, 3),
    (1_000, 30),
];

/// The behaviour of jurors.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Honest,
    Asleep,
    Colluding,
}

/// The operators that can be drawn, each with the sum of the bonds up to its own.
struct Roster(Vec<(Kind, u64)>);

impl Roster {
    /// Colluding operators with a part of all bonds together, in percent, beside honest ones of equal bonds,
    /// a part of which, in percent, sleeps.
    fn new((operators, hands): (u64, u64), percent: u64, asleep: u64) -> Self {
        let honest = operators - hands;
        let sleepers = honest * asleep / 100;
        let mut sum = 0;
        let members = (0..operators).map(|index| {
            let (kind, bond) = match index {
                index if index < hands => (Kind::Colluding, percent * honest),
                index if index < hands + sleepers => (Kind::Asleep, (100 - percent) * hands),
                _ => (Kind::Honest, (100 - percent) * hands),
            };
            sum += bond;
            (kind, sum)
        });
        Self(members.collect())
    }

    /// Draws each seat by bond, with replacement, as the pallet does.
    fn jury(&self, chance: &mut Chance, seats: u32) -> Jury<usize> {
        let total = self.0.last().expect("the roster is not empty").1;
        let mut jurors: Vec<Juror<usize>> = Vec::new();
        for _ in 0..seats {
            let point = chance.below(total);
            let index = self.0.partition_point(|(_, sum)| *sum <= point);
            match jurors.iter_mut().find(|juror| juror.account == index) {
                Some(juror) => juror.seats += 1,
                None => jurors.push(Juror {
                    account: index,
                    seats: 1,
                    state: match self.0[index].0 {
                        Kind::Honest => JurorState::Revealed(Verdict::True),
                        Kind::Colluding => JurorState::Revealed(Verdict::False),
                        Kind::Asleep => JurorState::Seated,
                    },
                }),
            }
        }
        Jury::of(seats, jurors)
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * u128::from(n)) >> 64) as u64
    }
}

/// The frequencies of outcomes among all disputes, in percent.
#[derive(Default)]
struct Outcomes {
    first_wrong: f64,
    first_open: f64,
    last_wrong: f64,
    last_open: f64,
}

fn simulate(roster: (u64, u64), percent: u64, asleep: u64) -> Outcomes {
    let mut chance = Chance(roster.0 << 32 | roster.1 << 16 | percent << 8 | asleep);
    let roster = Roster::new(roster, percent, asleep);
    let mut outcomes = Outcomes::default();
    for _ in 0..DISPUTES {
        let first = roster.jury(&mut chance, FIRST).verdict();
        let last = roster.jury(&mut chance, SECOND).verdict();
        let wrong = Some(Verdict::False);
        outcomes.first_wrong += f64::from(first == wrong);
        outcomes.first_open += f64::from(first.is_none());
        outcomes.last_wrong += f64::from(last == wrong);
        outcomes.last_open += f64::from(last.is_none());
    }
    for sum in [
        &mut outcomes.first_wrong,
        &mut outcomes.first_open,
        &mut outcomes.last_wrong,
        &mut outcomes.last_open,
    ] {
        *sum *= 100.0 / DISPUTES as f64;
    }
    outcomes
}

/// The probability of each number of seats of colluders, from none to all, where each seat is a colluder's with
/// probability `share`.
fn chances(seats: u32, share: f64) -> Vec<f64> {
    let mut next = (1.0 - share).powi(seats as i32);
    (0..=seats)
        .map(|colluding| {
            let chance = next;
            next *= f64::from(seats - colluding) / f64::from(colluding + 1);
            next *= share / (1.0 - share);
            chance
        })
        .collect()
}

/// The verdict of a jury in which colluders state that the leaf is false, and all others that it is true.
fn verdict_of(seats: u32, colluding: u32) -> Option<Verdict> {
    let said = [
        (Verdict::False, colluding),
        (Verdict::True, seats - colluding),
    ];
    let jurors = said.map(|(verdict, seats)| Juror {
        account: verdict,
        seats,
        state: JurorState::Revealed(verdict),
    });
    Jury::of(seats, jurors.to_vec()).verdict()
}

/// What a coalition expects of a dispute that it opens.
#[derive(Default)]
struct Expectation {
    /// The probability that a true leaf is decided to be false.
    won: f64,
    /// The probability of no decision.
    undecided: f64,
    /// The gain of the coalition, in stakes of a seat.
    gain: f64,
}

/// A drawn validator of a coalition with a part `share` of the bond challenges a true leaf. The coalition knows the
/// seats of each jury before it commits: it lies only where that prevents the quorum for the truth. It does not
/// appeal; the others do. `fee` is the most that a juror gets for a seat.
fn challenged(share: f64, fee: f64) -> Expectation {
    // The most that challengers share.
    const PRIZE: f64 = 10.0;
    // The stake of the challenge, 1, pays the claimant and these seats.
    let paid = |seats: u32| fee.min((1.0 - fee) / f64::from(seats));
    let mut sum = Expectation::default();
    for (first, before) in (0..).zip(chances(FIRST, share)) {
        if verdict_of(FIRST, first) == Some(Verdict::True) {
            sum.gain += before * (f64::from(first) * paid(FIRST) - 1.0);
            continue;
        }
        for (second, after) in (0..).zip(chances(SECOND, share)) {
            let chance = before * after;
            match verdict_of(SECOND, second) {
                Some(Verdict::False) => {
                    sum.won += chance;
                    sum.gain += chance * (PRIZE + f64::from(first + second) * fee);
                }
                Some(Verdict::True) => {
                    let fees = f64::from(second) * paid(FIRST - first + SECOND);
                    sum.gain += chance * (fees - 1.0 - f64::from(first));
                }
                None => {
                    sum.undecided += chance;
                    sum.gain -= chance;
                }
            }
        }
    }
    sum
}

/// The exact frequencies where each seat is a colluder's with probability `share`, in percent.
fn exact(share: f64) -> Outcomes {
    let sum = |seats: u32, wanted: Option<Verdict>| {
        let mut sum = 0.0;
        for (colluding, chance) in (0..).zip(chances(seats, share)) {
            if verdict_of(seats, colluding) == wanted {
                sum += 100.0 * chance;
            }
        }
        sum
    };
    Outcomes {
        first_wrong: sum(FIRST, Some(Verdict::False)),
        first_open: sum(FIRST, None),
        last_wrong: sum(SECOND, Some(Verdict::False)),
        last_open: sum(SECOND, None),
    }
}

/// Checks that the README contains each of these rows.
fn stated(rows: &[String]) {
    rows.iter().for_each(|row| println!("{row}"));
    let readme = include_str!("../../README.md");
    for row in rows {
        assert!(readme.contains(row.as_str()), "the README lacks {row}");
    }
}

fn row(head: &str, cells: impl Iterator<Item = f64>) -> String {
    cells.fold(format!("| {head} |"), |row, cell| {
        row + &format!(" {cell:.1} |")
    })
}

#[test]
fn colluding_operators_prevail_as_often_as_stated() {
    let mut tables = [const { Vec::new() }; 3];
    for roster in ROSTERS {
        let outcomes = SHARES.map(|percent| simulate(roster, percent, 0));
        for (outcomes, percent) in outcomes.iter().zip(SHARES) {
            // Rosters and hands make no difference: more than five deviations do not occur by chance.
            let exact = exact(percent as f64 / 100.0);
            for (seen, exact) in [
                (outcomes.first_wrong, exact.first_wrong),
                (outcomes.first_open, exact.first_open),
                (outcomes.last_wrong, exact.last_wrong),
                (outcomes.last_open, exact.last_open),
            ] {
                let deviation = (exact * (100.0 - exact) / DISPUTES as f64).sqrt();
                assert!(
                    (seen - exact).abs() < 5.0 * deviation + 0.2,
                    "{seen} {exact}"
                );
            }
        }
        let head = match roster {
            (operators, 1) => format!("{operators}, 1 hand"),
            (operators, hands) => format!("{operators}, {hands} hands"),
        };
        let cells: [fn(&Outcomes) -> f64; 3] = [
            |outcomes| outcomes.first_wrong,
            |outcomes| outcomes.last_wrong,
            |outcomes| outcomes.last_open,
        ];
        for (table, cell) in tables.iter_mut().zip(cells) {
            table.push(row(&head, outcomes.iter().map(cell)));
        }
    }
    stated(&tables.concat());
}

#[test]
fn colluding_operators_prevail_as_often_as_stated_while_others_sleep() {
    let rows: Vec<_> = [0, 10, 20, 30]
        .into_iter()
        .map(|percent| {
            let outcomes = simulate((1_000, 30), percent, 10);
            let cells = [
                outcomes.first_wrong,
                outcomes.first_open,
                outcomes.last_wrong,
                outcomes.last_open,
            ];
            row(&format!("{percent} %"), cells.into_iter())
        })
        .collect();
    stated(&rows);
}

#[test]
fn a_false_challenge_loses_where_less_than_half_collude() {
    const FEE: f64 = 0.18;
    let rows: Vec<_> = [10, 20, 30, 33, 40, 50, 54, 60, 67]
        .into_iter()
        .map(|percent: u32| {
            let share = f64::from(percent) / 100.0;
            let Expectation {
                won,
                undecided,
                gain,
            } = challenged(share, 0.0);
            let with_fees = challenged(share, FEE).gain;
            assert!(percent > 50 || with_fees < 0.0, "{percent} %");
            let [won, undecided] = [won, undecided].map(|part| 100.0 * part);
            format!("| {percent} % | {won:.1} | {undecided:.1} | {gain:+.2} | {with_fees:+.2} |")
        })
        .collect();
    stated(&rows);
    assert!(challenged(0.53, 0.0).gain < 0.0 && challenged(0.54, 0.0).gain > 0.0);
    assert!(challenged(0.515, FEE).gain < 0.0 && challenged(0.525, FEE).gain > 0.0);
}

/// The numbers that the README gives for less than a third.
#[test]
fn with_more_than_two_thirds_honest_a_wrong_verdict_is_as_rare_as_stated() {
    for share in 0..333 {
        let outcomes = exact(f64::from(share) / 1_000.0);
        assert!(outcomes.first_wrong < 4.3, "{share}");
        assert!(outcomes.last_wrong < 0.05, "{share}");
        assert!(outcomes.last_open < 41.0, "{share}");
    }
    let readme = include_str!("../../README.md");
    for number in ["4.3 %", "0.05 %", "41 %"] {
        assert!(readme.contains(number), "the README lacks {number}");
    }
}
