//! The number of positions of a pass.

use std::time::Duration;

/// The positions of a pass that answers wait for: as many as the executor computes in the time that such
/// a pass may take.
///
/// The chain grants a worker the time for the answers that it was drawn for earlier and for this one, at
/// a least speed. Executed all at once, the first would end with the last, after its deadline: a pass over
/// sixteen positions takes a slow processor several times as long as a pass over one. A bounded pass
/// gives the first its tokens at the least speed, and the others as many as fit.
#[derive(Debug)]
pub(super) struct Budget {
    positions: usize,
    most: usize,
    seconds: f64,
}

impl Budget {
    /// As many positions as there may be at most, until a pass takes longer than `pass`.
    pub(super) fn new(most: usize, pass: Duration) -> Self {
        let most = most.max(1);
        Self {
            positions: most,
            most,
            seconds: pass.as_secs_f64(),
        }
    }

    /// Positions of the next pass, at least 1.
    pub(super) const fn positions(&self) -> usize {
        self.positions
    }

    /// Adapts to a pass over so many positions that took so many seconds: fewer at once where it took
    /// too long, an eighth more where it used all of them.
    pub(super) fn adapt(&mut self, positions: usize, seconds: f64) {
        if seconds > self.seconds {
            let fit = positions as f64 * self.seconds / seconds;
            self.positions = (fit as usize).clamp(1, self.most);
        } else if positions >= self.positions {
            let more = self.positions + self.positions / 8 + 1;
            self.positions = more.min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A budget after `passes` that use all of it, each of which takes `seconds` of its positions.
    fn after(passes: usize, seconds: impl Fn(usize) -> f64) -> usize {
        let mut budget = Budget::new(80, Duration::from_millis(100));
        for _ in 0..passes {
            let positions = budget.positions();
            budget.adapt(positions, seconds(positions));
        }
        budget.positions()
    }

    #[test]
    fn a_fast_executor_has_all_positions() {
        assert_eq!(after(50, |positions| positions as f64 / 1_000.0), 80);
    }

    #[test]
    fn a_slow_executor_has_as_many_as_fit() {
        // 10 ms of each pass, and 10 ms of each position.
        for passes in [10, 11, 12, 13, 50] {
            let positions = after(passes, |positions| (positions + 1) as f64 / 100.0);
            assert!(
                (7..=11).contains(&positions),
                "{positions} after {passes} passes"
            );
        }
    }

    #[test]
    fn the_slowest_executor_has_one_and_recovers() {
        assert_eq!(after(3, |_| 1e9), 1);
        let mut budget = Budget::new(80, Duration::from_millis(100));
        budget.adapt(80, 1e9);
        for _ in 0..40 {
            budget.adapt(budget.positions(), 0.001);
        }
        assert_eq!(budget.positions(), 80);
    }

    #[test]
    fn a_pass_that_used_few_says_nothing_of_more() {
        let mut budget = Budget::new(80, Duration::from_millis(100));
        budget.adapt(80, 0.2);
        budget.adapt(1, 0.01);
        assert_eq!(budget.positions(), 40);
    }
}
