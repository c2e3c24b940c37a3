//! The plan of a pass: its requests, and their positions.

use super::{active::Active, budget::Budget, job::Need, ScheduleOptions};
use crate::Segment;
use noema_numerics::StepBudget;

/// Positions that checks have in every pass, whatever its budget: the window of a check counts the checks of
/// the validator, not the answers that the same device computes.
const CHECKS: usize = 4;

/// The work of a pass.
pub(super) struct Plan<'a> {
    pub(super) segments: Vec<Segment<'a>>,
    /// The active request of each segment.
    indices: Vec<usize>,
    /// Whether an answer has its next token.
    pub(super) decodes: bool,
}

/// The part of a request in a pass.
pub(super) struct TookPart {
    pub(super) index: usize,
    /// Positions in its cache afterwards.
    pub(super) cached: usize,
    /// Its rows of the output.
    pub(super) rows: usize,
}

impl<'a> Plan<'a> {
    /// Plans a pass, over about the positions of `budget` where it includes answers. Requests of each kind
    /// are served in the order of `active`, that of their admission.
    pub(super) fn new(
        active: &'a [Active],
        options: &ScheduleOptions,
        budget: &Budget,
        vocabulary: u32,
    ) -> Self {
        let needs: Vec<_> = active.iter().map(Active::need).collect();
        let logits = vocabulary as usize * size_of::<i32>();
        let rows = (options.logits_bytes / logits).max(1);
        // The first pass of an answer measures the time of one position.
        let floor = if budget.is_measured() { CHECKS } else { 0 };
        let mut shares = Shares::new(&needs, options, budget.positions(), floor, rows);
        let mut plan = Self {
            segments: Vec::with_capacity(active.len()),
            indices: Vec::with_capacity(active.len()),
            decodes: false,
        };
        for (index, (active, need)) in active.iter().zip(needs).enumerate() {
            let share = shares.of(need);
            if share.positions == 0 {
                continue;
            }
            let Some(step) = active.job.step(active.cached, *share) else {
                continue;
            };
            share.positions -= step.tokens.len();
            share.rows -= step.wanted.len();
            plan.decodes |= need == Need::Token;
            plan.indices.push(index);
            plan.segments.push(Segment {
                sequence: active.sequence,
                start: step.start,
                tokens: step.tokens,
                wanted: step.wanted,
            });
        }
        plan
    }

    pub(super) fn positions(&self) -> usize {
        let lengths = self.segments.iter().map(|segment| segment.tokens.len());
        lengths.sum()
    }

    pub(super) fn took_part(&self) -> Vec<TookPart> {
        let parts = self.indices.iter().zip(&self.segments);
        parts
            .map(|(&index, segment)| TookPart {
                index,
                cached: segment.start + segment.tokens.len(),
                rows: segment.wanted.len(),
            })
            .collect()
    }
}

/// The positions of a pass by kind of request.
#[derive(Debug, PartialEq, Eq)]
struct Shares {
    answers: StepBudget,
    prompts: StepBudget,
    checks: StepBudget,
}

impl Shares {
    /// Shares of a pass over `budget` positions where it includes answers; checks have at least `floor` of
    /// their own then, and `rows` rows.
    fn new(
        needs: &[Need],
        options: &ScheduleOptions,
        budget: usize,
        floor: usize,
        rows: usize,
    ) -> Self {
        let count = |of| needs.iter().filter(|need| **need == of).count();
        let (tokens, prompts, checks) =
            (count(Need::Token), count(Need::Prompt), count(Need::Check));
        // Answers that keep coming do not hold up prompts and checks, and later answers do not hold up the
        // request that was admitted first while its prompt is read.
        let first = needs.iter().find(|need| **need != Need::Check);
        let is_first = first == Some(&Need::Prompt);
        let kept = match prompts + checks {
            0 => 0,
            _ if is_first => budget - budget / 8,
            _ => budget / 4,
        };
        let kept = kept.min(options.positions.max(1));
        let answers = tokens.min(budget.saturating_sub(kept).max(usize::from(!is_first)));
        let positions = match answers {
            0 => options.positions_alone.max(1),
            _ => options.positions.max(1).min(budget.saturating_sub(answers)),
        };
        let for_checks = match (prompts, checks) {
            (_, 0) => 0,
            (0, _) => positions.max(floor),
            _ => (positions / 2).max(floor),
        };
        Self {
            answers: StepBudget {
                positions: answers,
                rows: answers,
            },
            prompts: StepBudget {
                positions: positions.saturating_sub(for_checks),
                rows: prompts,
            },
            checks: StepBudget {
                positions: for_checks,
                rows,
            },
        }
    }

    const fn of(&mut self, need: Need) -> &mut StepBudget {
        match need {
            Need::Token => &mut self.answers,
            Need::Prompt => &mut self.prompts,
            Need::Check => &mut self.checks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Need::{Check, Prompt, Token};

    /// The positions of answers, prompts and checks.
    fn positions(needs: &[Need], budget: usize) -> [usize; 3] {
        let shares = Shares::new(needs, &ScheduleOptions::default(), budget, CHECKS, 40);
        [shares.answers, shares.prompts, shares.checks].map(|share| share.positions)
    }

    #[test]
    fn every_answer_has_its_token_while_the_budget_allows() {
        assert_eq!(positions(&[Token; 16], 96), [16, 64, 0]);
        assert_eq!(positions(&[Token; 16], 8), [8, 0, 0]);
        assert_eq!(positions(&[Token; 16], 1), [1, 0, 0]);
    }

    #[test]
    fn a_quarter_is_kept_for_prompts() {
        let needs = [[Token; 16].as_slice(), &[Prompt]].concat();
        assert_eq!(positions(&needs, 96), [16, 64, 0]);
        assert_eq!(positions(&needs, 16), [12, 4, 0]);
        assert_eq!(positions(&needs, 1), [1, 0, 0]);
    }

    #[test]
    fn the_prompt_that_was_admitted_first_goes_first() {
        let needs = [[Prompt].as_slice(), &[Token; 16]].concat();
        assert_eq!(positions(&needs, 96), [16, 64, 0]);
        assert_eq!(positions(&needs, 16), [2, 14, 0]);
        // A pass without answers.
        assert_eq!(positions(&needs, 1), [0, 256, 0]);
        // Checks were admitted before.
        let needs = [[Check, Prompt].as_slice(), &[Token; 16]].concat();
        assert_eq!(positions(&needs, 16), [2, 7, 7]);
        assert_eq!(positions(&needs, 4), [0, 128, 128]);
    }

    #[test]
    fn checks_have_positions_in_every_pass() {
        let needs = [[Token; 16].as_slice(), &[Check]].concat();
        assert_eq!(positions(&needs, 96), [16, 0, 64]);
        assert_eq!(positions(&needs, 16), [12, 0, 4]);
        assert_eq!(positions(&needs, 1), [1, 0, 4]);
        let needs = [[Token; 8].as_slice(), &[Prompt; 4], &[Check; 4]].concat();
        assert_eq!(positions(&needs, 96), [8, 32, 32]);
        assert_eq!(positions(&needs, 1), [1, 0, 4]);
    }

    #[test]
    fn the_first_pass_of_an_answer_has_one_position() {
        let needs = [[Token; 16].as_slice(), &[Check]].concat();
        let shares = Shares::new(&needs, &ScheduleOptions::default(), 1, 0, 40);
        assert_eq!([shares.answers.positions, shares.checks.positions], [1, 0]);
    }

    #[test]
    fn where_no_answer_waits_prompts_and_checks_have_all() {
        assert_eq!(positions(&[Prompt; 4], 1), [0, 256, 0]);
        assert_eq!(positions(&[Check; 4], 1), [0, 0, 256]);
        assert_eq!(positions(&[Prompt, Check], 1), [0, 128, 128]);
    }

    #[test]
    fn prompts_end_whatever_checks_wait() {
        let needs = [Check, Prompt, Prompt];
        let shares = Shares::new(&needs, &ScheduleOptions::default(), 96, CHECKS, 1);
        assert_eq!([shares.prompts.rows, shares.checks.rows], [2, 1]);
    }
}
