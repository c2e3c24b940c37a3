//! The majority of votes that are weighted by bonds.

use crate::Balance;

/// The outcome with more than half of the total weight of `votes`; `None` where there is none.
///
/// The weight is exact: halves are compared without rounding, and sums that exceed
/// [`Balance::MAX`] decide nothing.
pub fn majority<Outcome: PartialEq>(votes: &[(Outcome, Balance)]) -> Option<&Outcome> {
    let total = sum(votes.iter().map(|(_, weight)| *weight))?;
    votes.iter().map(|(outcome, _)| outcome).find(|outcome| {
        let of_outcome = votes.iter().filter(|(other, _)| other == *outcome);
        sum(of_outcome.map(|(_, weight)| *weight))
            .and_then(|weight| total.checked_sub(weight).map(|others| weight > others))
            .unwrap_or(false)
    })
}

fn sum(mut weights: impl Iterator<Item = Balance>) -> Option<Balance> {
    weights.try_fold(0 as Balance, |sum, weight| sum.checked_add(weight))
}
