//! The acceptance of contributions, and their weights.

use crate::Finding;
use alloc::vec::Vec;
use noema_protocol::{apply, sent};

/// The ruling on a contribution.
#[apply(sent)]
#[derive(Copy)]
pub enum Ruling {
    /// It is part of the next checkpoint.
    Accepted {
        /// Its weight in the mean, and in the reward; 1 to 65,535.
        weight: u32,
    },
    /// It changes nothing and earns nothing.
    Refused(Refusal),
}

/// Why a contribution is refused.
#[apply(sent)]
#[derive(Copy)]
pub enum Refusal {
    /// The validators did not agree on it.
    Undecided,
    /// The validators could not fetch the update in time.
    Unavailable,
    /// The bytes are not an update of the parent within the rules.
    Malformed,
    /// It shares too much with an earlier one.
    Copy,
    /// The loss on the evaluation shards is not lower with it.
    DoesNotHelp,
    /// The loss on its own shards is not lower with it, or fell by less than on the evaluation
    /// shards: it was not trained on them.
    NotOnAssigned,
}

/// Rules on each contribution by the findings on it, given the parent's loss on the evaluation shards.
///
/// With `g` the fall of the loss on the evaluation shards and `a` that on the trainer's own, each
/// as a part of the parent's loss there, a contribution is accepted where `g > 0`, `a > 0` and
/// `a >= g`: training on a text lowers the loss on it by more than on any other. The weight is `g`, at most
/// twice the median of the accepted ones, so that no single contribution dominates the mean; scaled to 65,535
/// for twice the median and rounded up.
pub fn accept(parent_loss: u64, findings: &[Option<Finding>]) -> Vec<Ruling> {
    let gains: Vec<Result<u64, Refusal>> = findings
        .iter()
        .map(|finding| gain(parent_loss, finding.as_ref()))
        .collect();
    let most = twice_the_median(gains.iter().filter_map(|gain| gain.ok()).collect());
    gains
        .into_iter()
        .map(|gain| match gain {
            Ok(gain) => Ruling::Accepted {
                weight: weight(gain, most),
            },
            Err(refusal) => Ruling::Refused(refusal),
        })
        .collect()
}

/// By how much a contribution lowers the loss on the evaluation shards; above zero.
fn gain(parent_loss: u64, finding: Option<&Finding>) -> Result<u64, Refusal> {
    let (assigned, evaluation) = match finding {
        None => return Err(Refusal::Undecided),
        Some(Finding::Unavailable) => return Err(Refusal::Unavailable),
        Some(Finding::Malformed) => return Err(Refusal::Malformed),
        Some(Finding::Copy { .. }) => return Err(Refusal::Copy),
        Some(Finding::Scored {
            assigned,
            evaluation,
        }) => (assigned, evaluation),
    };
    let gain = match parent_loss.checked_sub(*evaluation) {
        Some(gain) if gain > 0 => gain,
        _ => return Err(Refusal::DoesNotHelp),
    };
    let on_assigned = assigned.before.saturating_sub(assigned.after);
    // a / before >= g / parent, without a division; products of two u64 fit.
    let own = u128::from(on_assigned).saturating_mul(u128::from(parent_loss));
    let elsewhere = u128::from(gain).saturating_mul(u128::from(assigned.before));
    if on_assigned == 0 || own < elsewhere {
        return Err(Refusal::NotOnAssigned);
    }
    Ok(gain)
}

/// Twice the median of `gains`, the lower of two middle ones; zero for none.
fn twice_the_median(mut gains: Vec<u64>) -> u64 {
    gains.sort_unstable();
    let middle = gains.len().saturating_sub(1) >> 1;
    gains.get(middle).copied().unwrap_or(0).saturating_mul(2)
}

fn weight(gain: u64, most: u64) -> u32 {
    let scaled = u128::from(gain.min(most))
        .saturating_mul(65_535)
        .div_ceil(u128::from(most.max(1)));
    u32::try_from(scaled).unwrap_or(65_535).clamp(1, 65_535)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Losses;
    use proptest::prelude::*;

    fn scored(before: u64, after: u64, evaluation: u64) -> Option<Finding> {
        Some(Finding::Scored {
            assigned: Losses { before, after },
            evaluation,
        })
    }

    #[test]
    fn what_helps_is_accepted_and_weighed_by_how_much() {
        let rulings = accept(
            1_000,
            &[
                scored(1_000, 900, 980),
                scored(1_000, 900, 960),
                scored(1_000, 900, 900),
            ],
        );
        let weights: Vec<_> = rulings
            .iter()
            .map(|ruling| match ruling {
                Ruling::Accepted { weight } => *weight,
                Ruling::Refused(refusal) => panic!("{refusal:?}"),
            })
            .collect();
        // The median gain is 40, so gains count up to 80.
        assert_eq!(weights, [16_384, 32_768, 65_535]);
    }

    #[test]
    fn what_does_not_help_is_refused_with_its_reason() {
        let rulings = accept(
            1_000,
            &[
                None,
                Some(Finding::Unavailable),
                Some(Finding::Malformed),
                Some(Finding::Copy { of: 0 }),
                scored(1_000, 900, 1_000),
                scored(1_000, 900, 1_001),
                scored(1_000, 1_000, 990),
                scored(1_000, 1_100, 990),
                scored(1_000, 991, 990),
                scored(2_000, 1_981, 990),
            ],
        );
        use Refusal::*;
        let expected = [
            Undecided,
            Unavailable,
            Malformed,
            Copy,
            DoesNotHelp,
            DoesNotHelp,
            NotOnAssigned,
            NotOnAssigned,
            NotOnAssigned,
            NotOnAssigned,
        ];
        assert_eq!(rulings, expected.map(Ruling::Refused));
    }

    #[test]
    fn as_much_on_its_own_shards_as_elsewhere_is_enough() {
        let rulings = accept(1_000, &[scored(2_000, 1_980, 990)]);
        assert_eq!(rulings, [Ruling::Accepted { weight: 32_768 }]);
    }

    proptest! {
        #[test]
        fn no_number_panics_and_weights_are_in_range(
            parent in any::<u64>(),
            numbers in prop::collection::vec(any::<(u64, u64, u64)>(), 0..40),
        ) {
            let findings: Vec<_> = numbers.iter().map(|(a, b, c)| scored(*a, *b, *c)).collect();
            let rulings = accept(parent, &findings);
            prop_assert_eq!(rulings.len(), findings.len());
            for (ruling, (before, after, evaluation)) in rulings.iter().zip(&numbers) {
                if let Ruling::Accepted { weight } = ruling {
                    prop_assert!((1..=65_535).contains(weight));
                    prop_assert!(*evaluation < parent && after < before);
                }
            }
        }

        #[test]
        fn refused_contributions_do_not_move_the_weights_of_others(
            gains in prop::collection::vec(1u64..500, 1..10),
            harm in 0u64..1_000,
        ) {
            let mut findings: Vec<_> =
                gains.iter().map(|gain| scored(1_000, 500, 1_000 - gain)).collect();
            let alone = accept(1_000, &findings);
            findings.push(scored(1_000, 500, 1_000 + harm));
            let with_a_poisoner = accept(1_000, &findings);
            prop_assert_eq!(&alone[..], &with_a_poisoner[..alone.len()]);
        }
    }
}
