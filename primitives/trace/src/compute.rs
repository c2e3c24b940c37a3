//! What a step computes, with the functions that the operators are made of.

use crate::{
    bytes,
    execution::TokenList,
    needs::Read,
    shape::{StepPlace, Threshold, TraceShape},
    StepKind, TracedExecution,
};
use alloc::{vec, vec::Vec};
use core::ops::Range;
use noema_numerics::{
    attention::{self, Query, Reciprocal, WeightScale},
    bias, blocks, cache, embedding, head_norm, hidden, linear, loss,
    model::Gains,
    network::{Form, NetworkOperator, Value},
    norm::{self, Normaliser},
    rope,
    sampling::{
        self,
        search::{Goal, Histogram, Mass, Search, VALUES},
    },
    swiglu,
    tile::{Tile, TILE_ROWS},
    End, BLOCK,
};
use noema_protocol::hashing::{merkle_leaf, merkle_node};
use sp_core::H256;

/// Where a step finds what it reads.
pub trait StepSource {
    /// The output of a step, by its number.
    fn output(&self, step: u64) -> Option<&[u8]>;
    /// The bytes of some tiles, by index in the weights.
    fn tiles(&self, tiles: Range<u64>) -> Option<&[u8]>;
    /// A token of a prompt, a text or an answer.
    fn token(&self, list: TokenList, index: u32) -> Option<u32>;
}

/// Why a step cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComputeError {
    /// The source does not have what the step reads.
    Missing,
    /// An input is not one that its own step can have written: that step is false.
    Impossible,
}

/// Largest scale of a stored key or value.
const MAX_SCALE: u32 = 1 << 21;
/// Largest weight of a position.
const MAX_WEIGHT: u64 = 1 << 52;
/// Largest sum of a mixed value.
const MAX_SUM: u64 = 1 << 50;
/// Range of a sum of weights.
const SUMS: core::ops::RangeInclusive<u64> = 1 << 30..=1 << 48;

/// The output of a step.
pub(crate) fn compute(
    shape: &TraceShape<'_>,
    place: &StepPlace,
    source: &impl StepSource,
) -> Result<Vec<u8>, ComputeError> {
    let step = Computation {
        shape,
        place,
        source,
    };
    step.run()
}

struct Computation<'a, S> {
    shape: &'a TraceShape<'a>,
    place: &'a StepPlace,
    source: &'a S,
}

/// Quants and scales of a stored key or value.
type Stored = (Vec<i8>, Vec<u32>);

/// The inputs of a step, taken one after another.
struct Inputs(alloc::vec::IntoIter<Vec<u8>>);

impl Inputs {
    fn next(&mut self) -> Result<Vec<u8>, ComputeError> {
        self.0.next().ok_or(ComputeError::Missing)
    }

    fn integers(&mut self) -> Result<Vec<i32>, ComputeError> {
        Ok(bytes::to_i32(&self.next()?))
    }

    fn u32(&mut self) -> Result<u32, ComputeError> {
        bytes::one_u32(&self.next()?).ok_or(ComputeError::Missing)
    }

    fn u64(&mut self) -> Result<u64, ComputeError> {
        bytes::one_u64(&self.next()?).ok_or(ComputeError::Missing)
    }
}

impl<S: StepSource> Computation<'_, S> {
    fn run(&self) -> Result<Vec<u8>, ComputeError> {
        use StepKind as K;
        let kind = self.shape.kind(self.place);
        let kind = kind.ok_or(ComputeError::Missing)?;
        let mut inputs = self.inputs()?;
        match kind {
            K::Embedding => self.embedding(),
            K::NormRange | K::BlocksRange => {
                let range = blocks::range(&inputs.integers()?);
                let before = self.before(&mut inputs, Inputs::u32)?.unwrap_or(0);
                Ok(range.max(before).to_le_bytes().into())
            }
            K::NormSquares => {
                let (values, range) = (inputs.integers()?, inputs.u32()?);
                let before = self.before(&mut inputs, Inputs::u64)?.unwrap_or(0);
                let sum = norm::squares(&values, range).wrapping_add(before);
                Ok(sum.to_le_bytes().into())
            }
            K::NormScale => self.norm_scale(inputs),
            K::BlocksWrite => {
                let (values, range) = (inputs.integers()?, inputs.u32()?);
                let (mut mantissas, mut shifts) =
                    (vec![0; values.len()], vec![0; values.len() / BLOCK]);
                blocks::quantise_part(&values, range, &mut mantissas, &mut shifts);
                let mut output: Vec<u8> = mantissas
                    .iter()
                    .flat_map(|mantissa: &i16| mantissa.to_le_bytes())
                    .collect();
                output.extend(shifts);
                Ok(output)
            }
            K::Linear => self.linear(inputs),
            K::Bias => self.bias(inputs),
            K::HeadNorm => self.head_norm(inputs),
            K::Rope => self.rope(inputs),
            K::StoreKey => store(&inputs.integers()?, cache::quantise_key),
            K::StoreValue => store(&inputs.integers()?, cache::quantise_value),
            K::Scores => self.scores(inputs),
            K::Sums => self.sums(inputs),
            K::Mix => self.mix(inputs),
            K::Swiglu => {
                let (gate, up) = (inputs.integers()?, inputs.integers()?);
                let gated = gate.iter().zip(&up).map(|(g, u)| swiglu::gated(*g, *u));
                Ok(bytes::of_i32(&gated.collect::<Vec<_>>()))
            }
            K::Add => {
                let (value, delta) = (inputs.integers()?, inputs.integers()?);
                let sum = value.iter().zip(&delta).map(|(x, d)| x.saturating_add(*d));
                Ok(bytes::of_i32(&sum.collect::<Vec<_>>()))
            }
            K::State => self.state(inputs),
            K::Largest => {
                let logits = inputs.integers()?;
                let best = sampling::greedy(&logits);
                let largest = logits.get(best as usize).copied().unwrap_or(i32::MIN);
                let first = self.first_token();
                let before = self.before(&mut inputs, Inputs::integers)?;
                Ok(bytes::of_i32(&match before.as_deref() {
                    Some(&[before, token]) if before >= largest => [before, token],
                    _ => [largest, first.wrapping_add(best).cast_signed()],
                }))
            }
            K::Count => self.count(inputs),
            K::Select => self.select(inputs),
            K::Answered => self.answered(inputs),
            K::LossWeights => {
                let (logits, largest) = (inputs.integers()?, largest(&inputs.integers()?)?);
                let before = self.before(&mut inputs, Inputs::next)?;
                let (mut sum, mut octaves) = match before.map(|bytes| bytes::to_u64(&bytes)) {
                    Some(before) => match before.as_slice() {
                        [sum, octaves] => (*sum, *octaves),
                        _ => return Err(ComputeError::Missing),
                    },
                    None => (0, 0),
                };
                sum = loss::weights(largest, &logits).wrapping_add(sum);
                let target = self.token()?.checked_sub(self.first_token());
                if let Some(own) = target.and_then(|target| logits.get(target as usize)) {
                    octaves = loss::octaves_below(largest, *own);
                }
                Ok(bytes::of_u64([sum, octaves]))
            }
            K::Loss => {
                let own = match bytes::to_u64(&inputs.next()?).as_slice() {
                    [sum, octaves] => loss::of_sum(*octaves, *sum),
                    _ => return Err(ComputeError::Missing),
                };
                let before = match self.place.position > self.shape.first_wanted {
                    true => inputs.u64()?,
                    false => 0,
                };
                Ok(own.saturating_add(before).to_le_bytes().into())
            }
            K::Tokens => {
                let run = self.shape.token_run(self.place);
                let run = run.ok_or(ComputeError::Missing)?;
                let mut known = self
                    .before(&mut inputs, Inputs::next)?
                    .is_none_or(|before| before == [1]);
                for index in run.tokens {
                    let token = self.source.token(run.list, index);
                    known &= self.is_known(token.ok_or(ComputeError::Missing)?);
                }
                Ok(vec![known.into()])
            }
            K::Outcome => self.outcome(inputs),
        }
    }

    /// Everything that the step reads of earlier ones.
    fn inputs(&self) -> Result<Inputs, ComputeError> {
        let reads = self.shape.reads(self.place);
        let reads = reads.ok_or(ComputeError::Missing)?;
        let inputs = reads.iter().map(|read| self.read(read));
        let inputs: Option<Vec<Vec<u8>>> = inputs.collect();
        Ok(Inputs(inputs.ok_or(ComputeError::Missing)?.into_iter()))
    }

    fn read(&self, read: &Read) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        for place in read.places() {
            found.extend_from_slice(self.source.output(self.shape.number(&place)?)?);
        }
        match &read.bytes {
            Some(bytes) => found.get(bytes.clone()).map(<[u8]>::to_vec),
            None => Some(found),
        }
    }

    /// The output of the piece before, where there is one.
    fn before<T>(
        &self,
        inputs: &mut Inputs,
        take: impl FnOnce(&mut Inputs) -> Result<T, ComputeError>,
    ) -> Result<Option<T>, ComputeError> {
        match self.place.piece {
            0 => Ok(None),
            _ => take(inputs).map(Some),
        }
    }

    /// The token that matters for the step.
    fn token(&self) -> Result<u32, ComputeError> {
        let run = self.shape.token_run(self.place);
        let found = run.and_then(|run| self.source.token(run.list, run.one?));
        found.ok_or(ComputeError::Missing)
    }

    fn is_known(&self, token: u32) -> bool {
        token < self.shape.checkpoint.architecture.vocabulary
    }

    /// The first token of a part of the vocabulary.
    fn first_token(&self) -> u32 {
        (self.place.piece as usize * crate::shape::PART) as u32
    }

    /// The bytes of the step's tiles.
    fn tiles(&self, token: Option<u32>) -> Result<(&[u8], usize), ComputeError> {
        let run = self.shape.tile_run(self.place, token);
        let (tiles, skip) = run.ok_or(ComputeError::Missing)?;
        let bytes = self.source.tiles(tiles).ok_or(ComputeError::Missing)?;
        Ok((bytes, skip))
    }

    /// Gains or biases, or a row of a table, of so many bytes.
    fn table(&self, length: usize) -> Result<&[u8], ComputeError> {
        let (bytes, skip) = self.tiles(None)?;
        let found = bytes.get(skip..skip.saturating_add(length));
        found.ok_or(ComputeError::Missing)
    }

    fn operator(&self) -> Result<NetworkOperator, ComputeError> {
        let operator = self.shape.operator(self.place.operation);
        operator.copied().ok_or(ComputeError::Missing)
    }

    /// The exponent of the tensor that the step's operator reads.
    fn exponent(&self) -> Result<i8, ComputeError> {
        let tensor = self.operator()?.tensor();
        let found = tensor.and_then(|index| self.shape.checkpoint.exponents.get(index));
        found.copied().ok_or(ComputeError::Missing)
    }

    fn embedding(&self) -> Result<Vec<u8>, ComputeError> {
        let elements = self.shape.piece_elements(self.place);
        let mut output = vec![0; elements.ok_or(ComputeError::Missing)?.len()];
        let token = self.token()?;
        // A token that does not exist has no embedding, and makes the outcome false.
        if self.is_known(token) {
            let (bytes, _) = self.tiles(Some(token))?;
            let tiles: &[Tile] = bytes.as_chunks().0;
            let row = token as usize % TILE_ROWS;
            embedding::embed_blocks(tiles, row, self.exponent()?.into(), &mut output);
        }
        Ok(bytes::of_i32(&output))
    }

    fn norm_scale(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let NetworkOperator::Norm {
            epsilon_q32, input, ..
        } = self.operator()?
        else {
            return Err(ComputeError::Missing);
        };
        let (mut values, range, squares) = (inputs.integers()?, inputs.u32()?, inputs.u64()?);
        let width = self.shape.network.width(input);
        let normaliser = Normaliser::of_residual(width, range, squares, epsilon_q32);
        let gains = Gains::new(self.exponent()?, self.table(values.len() * 4)?);
        for (x, g) in values.iter_mut().zip(gains.values()) {
            *x = norm::scale(&normaliser, *x, g);
        }
        Ok(bytes::of_i32(&values))
    }

    /// Fraction bits of the blocks that an operation reads.
    fn fraction(&self, value: Value) -> Result<i32, ComputeError> {
        match self.shape.network.value(value).form {
            Form::Integers { fraction } | Form::Blocks { fraction } => Ok(fraction),
            Form::Normed => {
                let writer = self.shape.before(self.place.operation, |index, _| {
                    let operator = self.shape.operator(index);
                    operator.and_then(NetworkOperator::output) == Some(value)
                });
                let tensor = writer.and_then(|writer| self.shape.operator(writer)?.tensor());
                let exponent = tensor.and_then(|index| self.shape.checkpoint.exponents.get(index));
                let exponent = exponent.ok_or(ComputeError::Missing)?;
                Ok(norm::fraction(&Gains::new(*exponent, &[])))
            }
        }
    }

    fn linear(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let found = self.shape.linear(self.place);
        let (input, _, cut) = found.ok_or(ComputeError::Missing)?;
        let vector = inputs.next()?;
        let (mantissas, shifts) = bytes::to_blocks(&vector);
        let (chunk, is_first) = (
            self.place.piece / cut.row_parts,
            self.place.piece < cut.row_parts,
        );
        let mut sums = vec![[0i128; TILE_ROWS]; cut.groups];
        if !is_first {
            let before = inputs.next()?;
            let before = before.as_chunks::<16>().0.iter();
            for (sum, bytes) in sums.as_flattened_mut().iter_mut().zip(before) {
                *sum = i128::from_le_bytes(*bytes);
            }
        }
        let (bytes, _) = self.tiles(None)?;
        let tiles: &[Tile] = bytes.as_chunks().0;
        for (tiles, sums) in tiles.chunks(shifts.len().max(1)).zip(&mut sums) {
            linear::add_products(tiles, &mantissas, shifts, sums);
        }
        let sums = sums.as_flattened();
        if chunk + 1 < cut.chunks {
            return Ok(sums.iter().flat_map(|sum| sum.to_le_bytes()).collect());
        }
        let rows = self.shape.linear_rows(self.place);
        let rows = rows.ok_or(ComputeError::Missing)?.len();
        let output = self.operator()?.output().ok_or(ComputeError::Missing)?;
        let exponent = i32::from(self.exponent()?) - self.fraction(input)?
            + self.shape.network.fraction(output);
        let sums = sums.iter().take(rows);
        let outputs = sums.map(|sum| linear::round_sum(*sum, exponent));
        Ok(bytes::of_i32(&outputs.collect::<Vec<_>>()))
    }

    fn bias(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let NetworkOperator::Bias { value, .. } = self.operator()? else {
            return Err(ComputeError::Missing);
        };
        let mut values = inputs.integers()?;
        let biases = Gains::new(self.exponent()?, self.table(values.len() * 4)?);
        bias::bias(&biases, self.shape.network.fraction(value), &mut values);
        Ok(bytes::of_i32(&values))
    }

    fn head_norm(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let NetworkOperator::HeadNorm { epsilon_q32, .. } = self.operator()? else {
            return Err(ComputeError::Missing);
        };
        let mut heads = inputs.integers()?;
        let head_dim = self.shape.checkpoint.architecture.head_dim as usize;
        let gains = Gains::new(self.exponent()?, self.table(head_dim * 4)?);
        head_norm::head_norm(&gains, epsilon_q32, &mut heads);
        Ok(bytes::of_i32(&heads))
    }

    fn rope(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let mut heads = inputs.integers()?;
        let head_dim = self.shape.checkpoint.architecture.head_dim as usize;
        let table = self.table(head_dim * 4)?;
        let table = noema_numerics::model::RopeTable::new(head_dim / 2, table);
        rope::rope(&table, 0, heads.len(), &mut heads);
        Ok(bytes::of_i32(&heads))
    }

    fn scores(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let attended = self.shape.attended(self.place);
        let attended = attended.ok_or(ComputeError::Missing)?;
        let queries = inputs.integers()?;
        let head_dim = queries.len() / attended.heads.max(1);
        let keys = self.stored(&mut inputs, attended.positions.len())?;
        let before = match attended.is_first {
            true => None,
            false => Some(inputs.integers()?),
        };
        let (mut logits, mut largest) = (Vec::new(), Vec::new());
        for (head, query) in queries.chunks_exact(head_dim.max(1)).enumerate() {
            let query = Query::new(query);
            let mut scores = [0; BLOCK];
            let seen = scores.iter_mut().skip(attended.offset).zip(&keys);
            for (score, (quants, scales)) in seen {
                *score = query.logit(quants, scales);
            }
            let seen = scores.iter().skip(attended.offset).take(keys.len());
            let own = seen.copied().max().unwrap_or(i32::MIN);
            let earlier = before
                .as_ref()
                .map(|before| before.get(attended.heads * BLOCK + head).copied());
            largest.push(match earlier {
                Some(earlier) => own.max(earlier.ok_or(ComputeError::Missing)?),
                None => own,
            });
            logits.extend(scores);
        }
        logits.extend(largest);
        Ok(bytes::of_i32(&logits))
    }

    /// Keys or values of some positions.
    fn stored(&self, inputs: &mut Inputs, positions: usize) -> Result<Vec<Stored>, ComputeError> {
        let mut stored = Vec::with_capacity(positions);
        for _ in 0..positions {
            let (quants, scales) = bytes::to_stored(&inputs.next()?);
            if scales.iter().any(|scale| *scale > MAX_SCALE) {
                return Err(ComputeError::Impossible);
            }
            stored.push((quants, scales));
        }
        Ok(stored)
    }

    /// `e_t` of each head for the positions of the block, zero where they are not seen.
    fn powers(
        &self,
        inputs: &mut Inputs,
        heads: usize,
        seen: Range<usize>,
    ) -> Result<Vec<[u32; BLOCK]>, ComputeError> {
        let (scores, last) = (inputs.integers()?, inputs.integers()?);
        let largest = last.get(heads * BLOCK..).ok_or(ComputeError::Missing)?;
        let scores = scores.as_chunks::<BLOCK>().0.iter().zip(largest);
        let powers = scores.map(|(scores, largest)| {
            let mut powers = [0; BLOCK];
            let places = powers.iter_mut().zip(scores);
            for (power, score) in places.skip(seen.start).take(seen.len()) {
                *power = attention::power(*score, *largest);
            }
            powers
        });
        Ok(powers.collect())
    }

    fn sums(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let attended = self.shape.attended(self.place);
        let attended = attended.ok_or(ComputeError::Missing)?;
        let count = attended.positions.len();
        let seen = attended.offset..attended.offset + count;
        let powers = self.powers(&mut inputs, attended.heads, seen)?;
        let values = self.stored(&mut inputs, count)?;
        let blocks = values.first().map_or(0, |(_, scales)| scales.len());
        let mut output = match attended.is_first {
            true => vec![0; attended.heads * (1 + blocks)],
            false => bytes::to_u64(&inputs.next()?),
        };
        let at = attended.heads.min(output.len());
        let (sums, largest) = output.split_at_mut(at);
        let heads = powers
            .iter()
            .zip(sums)
            .zip(largest.chunks_mut(blocks.max(1)));
        for ((powers, sum), largest) in heads {
            for (power, (_, scales)) in powers.iter().skip(attended.offset).zip(&values) {
                *sum = sum.wrapping_add((*power).into());
                for (largest, scale) in largest.iter_mut().zip(scales) {
                    *largest = (*largest).max(u64::from(*power) * u64::from(*scale));
                }
            }
        }
        Ok(bytes::of_u64(output))
    }

    fn mix(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let attended = self.shape.attended(self.place);
        let attended = attended.ok_or(ComputeError::Missing)?;
        let count = attended.positions.len();
        let seen = attended.offset..attended.offset + count;
        let powers = self.powers(&mut inputs, attended.heads, seen)?;
        let sums = bytes::to_u64(&inputs.next()?);
        let values = self.stored(&mut inputs, count)?;
        let blocks = values.first().map_or(0, |(_, scales)| scales.len());
        let (divisors, largest) = sums.split_at(attended.heads.min(sums.len()));
        let mut mixed: Vec<[i64; BLOCK]> = match attended.is_first {
            true => vec![[0; BLOCK]; attended.heads * blocks],
            false => {
                let before = bytes::to_u64(&inputs.next()?);
                let before = before.as_chunks::<BLOCK>().0.iter();
                before.map(|block| block.map(u64::cast_signed)).collect()
            }
        };
        let heads = powers
            .iter()
            .zip(mixed.chunks_mut(blocks.max(1)))
            .zip(largest.chunks(blocks.max(1)));
        for ((powers, mixed), largest) in heads {
            for (block, (sums, largest)) in mixed.iter_mut().zip(largest).enumerate() {
                let scale = weight_scale(*largest)?;
                let mut weights = [0; BLOCK];
                let places = weights.iter_mut().zip(powers).skip(attended.offset);
                for ((weight, power), (_, scales)) in places.zip(&values) {
                    let s = scales.get(block).copied().unwrap_or(0);
                    *weight = scale.scale(u64::from(*power) * u64::from(s));
                }
                let nothing = [0; BLOCK];
                let hidden = core::iter::repeat_n(&nothing, attended.offset);
                let rows = values.iter().map(|(quants, _)| {
                    let rows = quants.as_chunks::<BLOCK>().0;
                    rows.get(block).unwrap_or(&nothing)
                });
                attention::mix(&weights, scale, hidden.chain(rows), sums);
            }
        }
        if !attended.is_last {
            let mixed = mixed.as_flattened().iter().map(|sum| sum.cast_unsigned());
            return Ok(bytes::of_u64(mixed));
        }
        let mut output = Vec::with_capacity(mixed.len() * BLOCK);
        let heads = mixed
            .chunks(blocks.max(1))
            .zip(largest.chunks(blocks.max(1)))
            .zip(divisors);
        for ((mixed, largest), divisor) in heads {
            if !SUMS.contains(divisor) {
                return Err(ComputeError::Impossible);
            }
            let divisor = Reciprocal::new(*divisor);
            for (sums, largest) in mixed.iter().zip(largest) {
                let exponent = weight_scale(*largest)?.sum_exponent();
                for sum in sums {
                    if sum.unsigned_abs() > MAX_SUM {
                        return Err(ComputeError::Impossible);
                    }
                    output.push(attention::ratio(*sum, exponent, divisor));
                }
            }
        }
        Ok(bytes::of_i32(&output))
    }

    /// The roots of the complete subtrees over the hashes of the hidden states so far, the largest first.
    fn state(&self, inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let states = self.place.position.checked_sub(self.shape.first_wanted);
        let earlier = states.ok_or(ComputeError::Missing)?;
        let mut inputs: Vec<Vec<u8>> = inputs.0.collect();
        let mut peaks: Vec<H256> = match earlier {
            0 => Vec::new(),
            _ => {
                let before = inputs.pop().ok_or(ComputeError::Missing)?;
                let before = before.as_chunks().0.iter();
                before.map(|bytes| H256(*bytes)).collect()
            }
        };
        let (mut mantissas, mut shifts) = (Vec::new(), Vec::new());
        for part in &inputs {
            let (first, second) = part.split_at(part.len() / 65 * 64);
            mantissas.extend_from_slice(first);
            shifts.extend_from_slice(second);
        }
        let mut added = merkle_leaf(&H256(hidden::hash(&mantissas, &shifts)));
        for _ in 0..earlier.trailing_ones() {
            let left = peaks.pop().ok_or(ComputeError::Missing)?;
            added = merkle_node(&left, &added);
        }
        peaks.push(added);
        Ok(peaks.iter().flat_map(|peak| peak.0).collect())
    }

    fn count(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
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

    fn select(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
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

    fn answered(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
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

    fn outcome(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let holds = match &self.shape.execution {
            TracedExecution::Answer(answer) => {
                let answered = inputs.next()? == [1];
                let peaks = inputs.next()?;
                let peaks = peaks.as_chunks().0.iter().map(|bytes| H256(*bytes)).rev();
                let root = peaks.reduce(|right, left| merkle_node(&left, &right));
                answered && root == Some(answer.hidden_root)
            }
            TracedExecution::Text(text) => inputs.u64()? == text.loss,
        };
        let known = inputs.next()? == [1];
        Ok(vec![(holds && known).into()])
    }
}

/// The largest logit.
fn largest(largest: &[i32]) -> Result<i32, ComputeError> {
    largest.first().copied().ok_or(ComputeError::Missing)
}

fn store(
    vector: &[i32],
    quantise: impl Fn(&[i32], &mut [i8], &mut [u32]),
) -> Result<Vec<u8>, ComputeError> {
    let (mut quants, mut scales) = (vec![0; vector.len()], vec![0; vector.len() / BLOCK]);
    quantise(vector, &mut quants, &mut scales);
    let quants = quants.iter().map(|quant: &i8| quant.cast_unsigned());
    let scales = scales.iter().flat_map(|scale: &u32| scale.to_le_bytes());
    Ok(quants.chain(scales).collect())
}

fn weight_scale(largest: u64) -> Result<WeightScale, ComputeError> {
    match largest {
        0..=MAX_WEIGHT => Ok(WeightScale::new(largest)),
        _ => Err(ComputeError::Impossible),
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
