//! The number of positions of a pass.

use std::time::Duration;

/// Most full passes between two attempts to grow.
const LONGEST_PAUSE: u32 = 64;
/// How much longer a pass may take than the shortest, where that takes longer than a pass should. Where one
/// position takes nearly as long as many, as on a device that waits for its memory, a pass over fewer
/// positions gains nothing. An answer of 1,024 tokens, the most that a request may ask for, still ends within
/// the window of a worker with the least speed.
const TOLERANCE: f64 = 1.25;

/// The positions of a pass that includes answers: as many as the executor computes in the time that such a
/// pass may take.
///
/// The chain grants a worker time for the requests that it was drawn for one after the other, at a least
/// speed. Executed all at once, the first would end with the last, after its deadline: a pass over sixteen
/// positions takes a slow processor several times as long as a pass over one. A bounded pass gives the first
/// request its tokens at the least speed, and the others as many as fit.
#[derive(Debug)]
pub(super) struct Budget {
    positions: usize,
    most: usize,
    seconds: f64,
    /// Seconds of the shortest pass since the last one over one position; 0 until there was one.
    least: f64,
    /// Full passes until it grows again.
    wait: u32,
    /// The value of `wait` after a growth that went too far.
    pause: u32,
    /// Whether it has grown since the last full pass.
    grew: bool,
}

impl Budget {
    /// One position, which measures the shortest pass, and more while passes take no longer than `pass`.
    pub(super) fn new(most: usize, pass: Duration) -> Self {
        let most = most.max(1);
        Self {
            positions: 1,
            most,
            seconds: pass.as_secs_f64(),
            least: 0.0,
            wait: 0,
            pause: 0,
            grew: false,
        }
    }

    /// Positions of the next pass, at least 1.
    pub(super) const fn positions(&self) -> usize {
        self.positions
    }

    /// Whether the time of a pass over one position is known.
    pub(super) const fn is_measured(&self) -> bool {
        self.least > 0.0
    }

    /// Adapts to the positions and seconds of a pass. One that took too long is followed by one over as many
    /// positions as would have fit, a full one in time by one over an eighth more. Growth that repeatedly
    /// goes too far is tried less and less often.
    pub(super) fn adapt(&mut self, positions: usize, seconds: f64) {
        self.least = match positions {
            1 => seconds,
            _ => self.least.min(seconds),
        };
        let limit = self.seconds.max(TOLERANCE * self.least);
        let is_full = positions >= self.positions;
        if self.grew && is_full {
            self.grew = false;
            self.pause = match seconds > limit {
                true => self.pause.saturating_mul(2).clamp(1, LONGEST_PAUSE),
                false => self.pause / 2,
            };
        }
        if seconds > limit {
            let fit = positions as f64 * limit / seconds;
            self.positions = (fit as usize).clamp(1, self.most);
            self.wait = self.pause;
        } else if is_full && self.wait > 0 {
            self.wait -= 1;
        } else if is_full {
            let more = self.positions + self.positions / 8 + 1;
            self.positions = more.min(self.most);
            self.grew = true;
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
        assert_eq!(after(3, |positions| positions as f64 * 1e9), 1);
        let mut budget = Budget::new(80, Duration::from_millis(100));
        budget.adapt(80, 1e9);
        for _ in 0..40 {
            budget.adapt(budget.positions(), 0.001);
        }
        assert_eq!(budget.positions(), 80);
    }

    #[test]
    fn an_executor_that_gains_nothing_from_fewer_has_all() {
        assert_eq!(
            after(100, |positions| 0.13 + positions as f64 / 10_000.0),
            80
        );
    }

    #[test]
    fn an_executor_at_the_least_speed_seldom_tries_more() {
        let mut budget = Budget::new(80, Duration::from_millis(100));
        for _ in 0..300 {
            let positions = budget.positions();
            budget.adapt(positions, positions as f64 * 0.095);
        }
        let (mut tokens, mut time) = (0, 0.0);
        for _ in 0..1_000 {
            let positions = budget.positions();
            let seconds = positions as f64 * 0.095;
            budget.adapt(positions, seconds);
            (tokens, time) = (tokens + 1, time + seconds);
        }
        assert!(tokens as f64 / time > 10.0, "{tokens} in {time} s");
    }

    #[test]
    fn a_pass_that_used_few_says_nothing_of_more() {
        let mut budget = Budget::new(80, Duration::from_millis(100));
        budget.adapt(80, 0.2);
        budget.adapt(1, 0.01);
        assert_eq!(budget.positions(), 40);
    }
}
