//! Properties of the quorum: two thirds of the filled seats, and half of all seats filled to convict.

use crate::{Juror, JurorState, Jury};
use noema_protocol::Verdict;
use proptest::prelude::*;
use sp_core::H256;

/// A jury of `seats` seats; each juror has some of them, and revealed a verdict or none.
fn jury(seats: u32, said: &[(u32, Option<Verdict>)]) -> Jury<u32> {
    let jurors = (0u32..).zip(said).map(|(account, (seats, verdict))| Juror {
        account,
        seats: *seats,
        state: verdict.map_or(JurorState::Committed(H256::zero()), JurorState::Revealed),
    });
    Jury::of(seats, jurors.collect())
}

const TRUE: Option<Verdict> = Some(Verdict::True);
const FALSE: Option<Verdict> = Some(Verdict::False);

#[test]
fn two_thirds_decide_and_less_does_not() {
    let verdict = |said: &[_]| jury(9, said).verdict();
    assert_eq!(verdict(&[(3, TRUE), (3, TRUE), (3, FALSE)]), TRUE);
    assert_eq!(verdict(&[(6, FALSE), (3, TRUE)]), FALSE);
    assert_eq!(verdict(&[(5, FALSE), (4, TRUE)]), None);
    assert_eq!(verdict(&[(6, FALSE), (3, None)]), FALSE);
    assert_eq!(verdict(&[(9, None)]), None);
    assert_eq!(verdict(&[]), None);
}

#[test]
fn the_silent_count() {
    assert_eq!(jury(9, &[(6, TRUE), (3, None)]).verdict(), TRUE);
    assert_eq!(jury(9, &[(5, TRUE), (4, None)]).verdict(), None);
}

#[test]
fn empty_seats_do_not_count_but_half_must_be_filled_to_convict() {
    assert_eq!(jury(9, &[(2, TRUE), (1, FALSE)]).verdict(), TRUE);
    assert_eq!(jury(9, &[(4, FALSE)]).verdict(), None);
    assert_eq!(jury(9, &[(5, FALSE)]).verdict(), FALSE);
    assert_eq!(jury(9, &[(4, FALSE), (1, TRUE)]).verdict(), FALSE);
    assert_eq!(jury(27, &[(13, FALSE)]).verdict(), None);
    assert_eq!(jury(27, &[(14, FALSE)]).verdict(), FALSE);
    assert_eq!(jury(0, &[]).verdict(), None);
}

fn said() -> impl Strategy<Value = Vec<(u32, Option<Verdict>)>> {
    let verdict = prop_oneof![Just(TRUE), Just(FALSE), Just(None)];
    prop::collection::vec((1u32..4, verdict), 1..12)
}

fn seats_of(said: &[(u32, Option<Verdict>)]) -> u32 {
    said.iter().map(|(seats, _)| seats).sum()
}

proptest! {
    #[test]
    fn the_quorum_is_exact(said in said(), empty in 0u32..40) {
        let filled = seats_of(&said);
        let of = |verdict| -> u32 {
            said.iter().filter(|(_, said)| *said == verdict).map(|(seats, _)| seats).sum()
        };
        let expected = if 3 * of(TRUE) >= 2 * filled {
            TRUE
        } else if 3 * of(FALSE) >= 2 * filled && filled >= empty {
            FALSE
        } else {
            None
        };
        prop_assert_eq!(jury(filled + empty, &said).verdict(), expected);
    }

    #[test]
    fn honest_two_thirds_win_whatever_the_others_do(
        said in said(),
        honest in prop::collection::vec(prop::bool::weighted(0.9), 12),
    ) {
        let mut honest_seats = 0;
        let mut heard = Vec::new();
        for ((seats, said), honest) in said.iter().zip(honest) {
            honest_seats += if honest { *seats } else { 0 };
            heard.push((*seats, if honest { FALSE } else { *said }));
        }
        prop_assume!(3 * honest_seats >= 2 * seats_of(&said));
        prop_assert_eq!(jury(seats_of(&said), &heard).verdict(), FALSE);
    }

    /// More than a third prevents every decision.
    #[test]
    fn less_than_two_thirds_decide_nothing(said in said()) {
        let filled = seats_of(&said);
        if let Some(verdict) = jury(filled, &said).verdict() {
            let others: u32 = said
                .iter()
                .filter(|(_, said)| *said != Some(verdict))
                .map(|(seats, _)| seats)
                .sum();
            prop_assert!(3 * others <= filled);
        }
    }

    /// The distribution of seats over validators does not change the verdict.
    #[test]
    fn hands_make_no_difference(said in said()) {
        let single: Vec<_> = said
            .iter()
            .flat_map(|(seats, said)| (0..*seats).map(|_| (1, *said)))
            .take(crate::MAX_JURORS as usize)
            .collect();
        prop_assume!(seats_of(&single) == seats_of(&said));
        let filled = seats_of(&said);
        prop_assert_eq!(jury(filled, &said).verdict(), jury(filled, &single).verdict());
    }
}
