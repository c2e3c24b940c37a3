//! The steps after the logits of a position that are many: the largest logit, searches, and the weights of a loss.

use super::{write_u64, Row, Source};
use noema_numerics::{
    loss,
    sampling::{
        greedy,
        search::{key, DIGITS, VALUES},
        weight,
    },
};
use noema_trace::{Operation, StepPlace, StepSource, TokenList, TraceShape, TracedExecution, PART};

/// A token that can be drawn.
struct Candidate {
    key: u64,
    weight: u32,
}

/// The tokens that can be drawn, by parts of the vocabulary.
type Candidates = Vec<Vec<Candidate>>;

/// Records the steps of a position from its logits, but for those that depend on the position before.
pub(super) fn sample(
    shape: &TraceShape<'_>,
    row: &mut Row<'_>,
    logits: &[i32],
    source: &Source<'_>,
) {
    let mut largest = i32::MIN;
    let mut candidates: Option<Candidates> = None;
    for (operation, kind) in shape.operations().iter().enumerate() {
        match kind {
            Operation::Largest => largest = self::largest(shape, row, operation, logits),
            Operation::Search(_) => {
                let TracedExecution::Answer(answer) = shape.execution() else {
                    continue;
                };
                let temperature = answer.sampling.temperature_milli.max(1);
                let end = shape.steps_at(row.position).end;
                let first = shape.first_step(operation, row.position);
                // Later searches go on from this one.
                if row.part.is_wanted(first..end) {
                    let candidates = candidates
                        .get_or_insert_with(|| self::candidates(logits, largest, temperature));
                    search(shape, row, operation, candidates, source);
                }
            }
            Operation::LossWeights => {
                loss_weights(shape, row, (operation, largest), logits, source);
            }
            _ => {}
        }
    }
}

fn largest(shape: &TraceShape<'_>, row: &mut Row<'_>, operation: usize, logits: &[i32]) -> i32 {
    row.begin(shape, operation);
    let (mut largest, mut token) = (i32::MIN, 0);
    let mut output = Vec::new();
    for (part, logits) in logits.chunks(PART).enumerate() {
        let best = greedy(logits);
        let own = logits[best as usize];
        if part == 0 || own > largest {
            (largest, token) = (own, (part * PART) as u32 + best);
        }
        output = [largest.to_le_bytes(), token.to_le_bytes()].concat();
        row.part.push(|bytes| bytes.extend_from_slice(&output));
    }
    let last = shape.first_step(operation + 1, row.position) - 1;
    row.recent.insert(last, output);
    largest
}

fn candidates(logits: &[i32], largest: i32, temperature: u16) -> Candidates {
    let parts = logits.chunks(PART).enumerate().map(|(part, logits)| {
        let tokens = (part * PART) as u32..;
        let weighed = tokens.zip(logits).map(|(token, &logit)| Candidate {
            key: key(token, logit),
            weight: weight(largest, logit, temperature),
        });
        weighed.filter(|candidate| candidate.weight > 0).collect()
    });
    parts.collect()
}

fn search(
    shape: &TraceShape<'_>,
    row: &mut Row<'_>,
    operation: usize,
    candidates: &Candidates,
    source: &Source<'_>,
) {
    row.begin(shape, operation);
    let mut step = shape.first_step(operation, row.position);
    let parts = candidates.len() as u64;
    // The candidates whose keys begin with the digits so far, by part.
    let all = candidates.iter().map(|part| part.iter().collect());
    let mut known: Vec<Vec<&Candidate>> = all.collect();
    for digit in 0..DIGITS {
        let rest = 8 * (DIGITS - 1 - digit);
        let mut histogram = [0u8; VALUES * 16];
        for (part, own) in known.iter().enumerate() {
            own.iter()
                .for_each(|candidate| count(&mut histogram, candidate, rest));
            match own.is_empty() && part > 0 {
                true => row
                    .part
                    .push_same(|bytes| bytes.extend_from_slice(&histogram)),
                false => row.part.push(|bytes| bytes.extend_from_slice(&histogram)),
            }
        }
        row.recent.insert(step + parts - 1, histogram.to_vec());
        step += parts;
        let place = StepPlace {
            position: row.position,
            operation,
            stage: 2 * digit + 1,
            piece: 0,
        };
        let source = Source {
            recent: &row.recent,
            carried: source.carried,
            tokens: source.tokens,
        };
        let found = shape.output(&place, &source);
        let found = found.expect("the histogram is recorded; qed");
        row.part.push(|bytes| bytes.extend_from_slice(&found));
        // After the number of digits.
        let key = u64::from_le_bytes(*found[4..].first_chunk().expect("a key; qed"));
        row.recent.insert(step, found);
        step += 1;
        let begins = |candidate: &&Candidate| candidate.key >> rest == key;
        known.iter_mut().for_each(|part| part.retain(begins));
    }
}

/// Adds a candidate to the histogram of its digit.
fn count(histogram: &mut [u8; VALUES * 16], candidate: &Candidate, rest: u32) {
    let digit = usize::from((candidate.key >> rest) as u8);
    let mass = &mut histogram.as_chunks_mut::<8>().0[2 * digit..][..2];
    mass[0] = u64::from_le_bytes(mass[0]).wrapping_add(1).to_le_bytes();
    let weight = u64::from_le_bytes(mass[1]).wrapping_add(candidate.weight.into());
    mass[1] = weight.to_le_bytes();
}

fn loss_weights(
    shape: &TraceShape<'_>,
    row: &mut Row<'_>,
    (operation, largest): (usize, i32),
    logits: &[i32],
    source: &Source<'_>,
) {
    row.begin(shape, operation);
    let target = source.token(TokenList::Given, row.position + 1);
    let (mut sum, mut octaves) = (0u64, 0);
    let mut output = Vec::new();
    for (part, logits) in logits.chunks(PART).enumerate() {
        sum = sum.wrapping_add(loss::weights(largest, logits));
        let at = target.and_then(|target| (target as usize).checked_sub(part * PART));
        if let Some(own) = at.and_then(|at| logits.get(at)) {
            octaves = loss::octaves_below(largest, *own);
        }
        output.clear();
        write_u64(&mut output, [sum, octaves]);
        row.part.push(|bytes| bytes.extend_from_slice(&output));
    }
    let last = shape.first_step(operation + 1, row.position) - 1;
    row.recent.insert(last, output);
}
