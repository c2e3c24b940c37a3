//! The differences between two executions of the same task.

use crate::Evidence;

/// Counts the tokens of an answer for which the token, or the hidden state, its hash or the logits
/// that it was sampled from differ, and once more if the flaws do. 0: every bit is the same.
pub fn differences(expected: &Evidence, found: &Evidence) -> usize {
    let length = expected.tokens.len().max(found.tokens.len());
    let differs = |index: &usize| {
        let at = *index;
        expected.tokens.get(at) != found.tokens.get(at)
            || expected.hidden.get(at) != found.hidden.get(at)
            || expected.record.hidden.get(at) != found.record.hidden.get(at)
            || expected.record.logits.get(at) != found.record.logits.get(at)
    };
    let tokens = (0..length).filter(differs).count();
    tokens + usize::from(expected.flaw != found.flaw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_numerics::testing::Record;

    fn evidence() -> Evidence {
        Evidence {
            tokens: vec![1, 2, 3],
            hidden: vec![[4; 32]; 3],
            record: Record {
                hidden: vec![[5; 32]; 3],
                logits: vec![[6; 32]; 3],
            },
            flaw: None,
        }
    }

    #[test]
    fn every_part_counts() {
        let expected = evidence();
        assert_eq!(differences(&expected, &expected), 0);
        let with = |change: fn(&mut Evidence)| {
            let mut found = evidence();
            change(&mut found);
            differences(&expected, &found)
        };
        assert_eq!(with(|e| e.tokens[1] = 9), 1);
        assert_eq!(with(|e| e.record.hidden[0][31] = 0), 1);
        assert_eq!(with(|e| e.record.logits[2][0] = 0), 1);
        assert_eq!(with(|e| e.hidden[1][0] = 0), 1);
        assert_eq!(with(|e| e.flaw = Some("wrong".into())), 1);
        assert_eq!(with(|e| e.tokens.truncate(1)), 2);
    }
}
