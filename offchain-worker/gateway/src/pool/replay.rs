//! An answer that comes a second time, from its first token on.

/// Compares the tokens with those that were passed on the first time.
pub(super) struct Replay {
    /// What was passed on, so far.
    passed_on: Vec<u32>,
    /// How many of them came again.
    again: usize,
    /// Whether one came again as another.
    differs: bool,
}

impl Replay {
    /// An answer of which these tokens were passed on.
    pub(super) const fn new(passed_on: Vec<u32>) -> Self {
        Self {
            passed_on,
            again: 0,
            differs: false,
        }
    }

    /// Takes the next tokens. Returns those to pass on: none after one that differs.
    pub(super) fn push(&mut self, tokens: &[u32]) -> Vec<u32> {
        let mut further = Vec::new();
        for token in tokens {
            match self.passed_on.get(self.again) {
                _ if self.differs => break,
                Some(earlier) if earlier == token => {}
                Some(_) => {
                    self.differs = true;
                    break;
                }
                None => {
                    self.passed_on.push(*token);
                    further.push(*token);
                }
            }
            self.again = self.again.saturating_add(1);
        }
        further
    }

    /// Whether a token came as another than the first time.
    pub(super) const fn differs(&self) -> bool {
        self.differs
    }

    /// How many tokens at the beginning were the same both times, or came once only.
    pub(super) const fn same(&self) -> usize {
        self.again
    }

    /// The tokens that were passed on.
    pub(super) fn passed_on(self) -> Vec<u32> {
        self.passed_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_passed_on() {
        let mut replay = Replay::new(vec![1, 2, 3]);
        assert!(replay.push(&[1]).is_empty());
        assert_eq!(replay.push(&[2, 3, 4]), [4]);
        assert_eq!(replay.push(&[5]), [5]);
        assert_eq!((replay.same(), replay.differs()), (5, false));
        assert_eq!(replay.passed_on(), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn nothing_is_passed_on_after_a_token_that_differs() {
        let mut replay = Replay::new(vec![1, 2, 3]);
        assert!(replay.push(&[1, 9]).is_empty());
        assert!(replay.push(&[3, 4]).is_empty());
        assert_eq!((replay.same(), replay.differs()), (1, true));
        assert_eq!(replay.passed_on(), [1, 2, 3]);
    }
}
