//! Sampling by searches over parts of the vocabulary, and the end of an answer.

use super::{largest, Computation, ComputeError, Inputs, StepSource};
use crate::{bytes, shape::Threshold, TracedExecution};
use alloc::{vec, vec::Vec};
use noema_numerics::{
    sampling::{
        self,
        search::{Goal, Histogram, Mass, Search, VALUES},
    },
    End,
};

impl<S: StepSource> Computation<'_, S> {
    pub(super) fn count(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let TracedExecution::Answer(answer) = &self.shape.execution else {
            return Err(ComputeError::Missing);
        };
        let (logits, largest) = (inputs.integers()?, largest(&inputs.integers()?)?);
        let search = match self.place.stage {
            0 => Search::default(),
            _ => searched(&inputs.next()?)?.0,
        };
        let mut histogram = match self.before(&mut inputs, Inputs::next)? {
            Some(before) => histogram(&before),
            None => Histogram::default(),
        };
        let temperature = answer.sampling.temperature_milli;
        histogram.add(&search, largest, temperature, self.first_token(), &logits);
        let masses = histogram.0.iter();
        Ok(bytes::of_u64(
            masses.flat_map(|mass| [mass.count, mass.weight]),
        ))
    }

    pub(super) fn select(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let TracedExecution::Answer(answer) = &self.shape.execution else {
            return Err(ComputeError::Missing);
        };
        let threshold = self.shape.threshold(self.place.operation);
        let threshold = threshold.ok_or(ComputeError::Missing)?;
        let histogram = histogram(&inputs.next()?);
        let (search, goal) = if self.place.stage > 1 {
            let (search, goal) = searched(&inputs.next()?)?;
            let goal = match threshold {
                Threshold::TopK => Goal::Count(goal),
                Threshold::TopP => Goal::Share(goal),
                Threshold::Draw => Goal::Draw(goal),
            };
            (search, goal)
        } else {
            let kept = match self.shape.search_before(self.place.operation) {
                Some(_) => searched(&inputs.next()?)?.0.through,
                None => histogram.total(),
            };
            let sampling = &answer.sampling;
            let goal = match threshold {
                Threshold::TopK => Goal::top_k(sampling.top_k, kept),
                Threshold::TopP => Goal::top_p(sampling.top_p_milli, kept),
                Threshold::Draw => {
                    // That of the drawn token.
                    let position = self.place.position.wrapping_add(1);
                    Goal::draw(sampling::draw(&answer.seed, position), kept)
                }
            };
            (Search::default(), goal)
        };
        let next = search.next(goal, &histogram);
        let (Goal::Count(goal) | Goal::Share(goal) | Goal::Draw(goal)) = goal;
        let mut output = next.digits.to_le_bytes().to_vec();
        let Mass { count, weight } = next.before;
        output.extend(bytes::of_u64([
            next.key,
            count,
            weight,
            next.through.count,
            next.through.weight,
            goal,
        ]));
        Ok(output)
    }

    pub(super) fn answered(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let TracedExecution::Answer(answer) = &self.shape.execution else {
            return Err(ComputeError::Missing);
        };
        let drawn = match self.shape.search_before(self.place.operation) {
            Some(_) => searched(&inputs.next()?)?.0.token(),
            None => match inputs.integers()?.as_slice() {
                [_, token] => token.cast_unsigned(),
                _ => return Err(ComputeError::Missing),
            },
        };
        let index = self.place.position.checked_sub(self.shape.first_wanted);
        let index = index.ok_or(ComputeError::Missing)?;
        let before = match index {
            0 => true,
            _ => inputs.next()? == [1],
        };
        let token = self.token()?;
        let stops = self.shape.checkpoint.stops.contains(&token);
        let length = index.saturating_add(1);
        let ends = if length < answer.answer.count {
            !stops
        } else {
            let context = self.shape.checkpoint.architecture.context_length;
            let room = context.saturating_sub(answer.prompt.count);
            let is_full = length == room.min(answer.max_tokens);
            match answer.end {
                End::StopToken => stops,
                End::MaxTokens | End::ContextFull => !stops && is_full,
                End::Cancelled => !stops && !is_full,
                _ => false,
            }
        };
        Ok(vec![(before && token == drawn && ends).into()])
    }
}

fn histogram(bytes: &[u8]) -> Histogram {
    let mut histogram = Histogram::default();
    let numbers = bytes::to_u64(bytes);
    let masses = numbers.as_chunks::<2>().0.iter().take(VALUES);
    for (mass, &[count, weight]) in histogram.0.iter_mut().zip(masses) {
        *mass = Mass { count, weight };
    }
    histogram
}

/// A search, and its goal.
fn searched(bytes: &[u8]) -> Result<(Search, u64), ComputeError> {
    let (digits, numbers) = bytes.split_at(4.min(bytes.len()));
    let digits = bytes::one_u32(digits).ok_or(ComputeError::Missing)?;
    let numbers = bytes::to_u64(numbers);
    let &[key, count, weight, through_count, through_weight, goal] = numbers.as_slice() else {
        return Err(ComputeError::Missing);
    };
    let search = Search {
        digits,
        key,
        before: Mass { count, weight },
        through: Mass {
            count: through_count,
            weight: through_weight,
        },
    };
    Ok((search, goal))
}
