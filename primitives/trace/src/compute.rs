//! What a step computes, with the functions that the operators are made of.

mod attention;
mod experts;
mod sampling;

use crate::{
    bytes,
    execution::TokenList,
    shape::{LinearCut, StepPlace, TraceShape},
    StepKind, TracedExecution,
};
use alloc::{vec, vec::Vec};
use core::ops::Range;
use noema_numerics::{
    bias, blocks, cache, embedding, geglu, head_norm, hidden, linear, loss,
    model::{Gains, RopeTable},
    network::{Form, NetworkOperator, Value},
    norm::{self, Normaliser},
    rope,
    sampling::greedy,
    swiglu,
    tile::{Tile, TILE_ROWS},
    BLOCK,
};
use noema_protocol::{hashing::merkle_leaf, merkle};
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

impl TraceShape<'_> {
    /// The output of the step at a place; `None` where there is no such step, or the source does not have what it reads.
    pub fn output(&self, place: &StepPlace, source: &impl StepSource) -> Option<Vec<u8>> {
        compute(self, place, source).ok()
    }
}

struct Computation<'a, S> {
    shape: &'a TraceShape<'a>,
    place: &'a StepPlace,
    source: &'a S,
}

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
            K::Geglu => {
                let (gate, up) = (inputs.integers()?, inputs.integers()?);
                let gated = gate.iter().zip(&up).map(|(g, u)| geglu::gated(*g, *u));
                Ok(bytes::of_i32(&gated.collect::<Vec<_>>()))
            }
            K::Route => self.route(inputs),
            K::Experts => self.experts(inputs),
            K::MixExperts => self.mix_experts(inputs),
            K::Add => {
                let (value, delta) = (inputs.integers()?, inputs.integers()?);
                let sum = value.iter().zip(&delta).map(|(x, d)| x.saturating_add(*d));
                Ok(bytes::of_i32(&sum.collect::<Vec<_>>()))
            }
            K::State => self.state(inputs),
            K::Largest => {
                let logits = inputs.integers()?;
                let best = greedy(&logits);
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
        let inputs = reads
            .iter()
            .map(|read| self.shape.collect(read, self.source));
        let inputs: Option<Vec<Vec<u8>>> = inputs.collect();
        Ok(Inputs(inputs.ok_or(ComputeError::Missing)?.into_iter()))
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

    /// The bytes of the step's tiles, and how many of them to skip.
    fn tiles(&self) -> Result<(&[u8], usize), ComputeError> {
        let selected = self.shape.selected(self.place, self.source);
        let run = self.shape.tile_run(self.place, selected);
        let (tiles, skip) = run.ok_or(ComputeError::Missing)?;
        let bytes = self.source.tiles(tiles).ok_or(ComputeError::Missing)?;
        Ok((bytes, skip))
    }

    /// Gains or biases, or a row of a table, of so many bytes.
    fn table(&self, length: usize) -> Result<&[u8], ComputeError> {
        let (bytes, skip) = self.tiles()?;
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
            let (bytes, _) = self.tiles()?;
            let tiles: &[Tile] = bytes.as_chunks().0;
            let row = token as usize % TILE_ROWS;
            embedding::embed_blocks(tiles, row, self.exponent()?.into(), &mut output);
        }
        Ok(bytes::of_i32(&output))
    }

    fn norm_scale(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let operator = self.operator()?;
        let (NetworkOperator::Norm {
            epsilon_q32, input, ..
        }
        | NetworkOperator::HeadNorm {
            epsilon_q32,
            value: input,
            ..
        }) = operator
        else {
            return Err(ComputeError::Missing);
        };
        let (mut values, range, squares) = (inputs.integers()?, inputs.u32()?, inputs.u64()?);
        let network = &self.shape.network;
        let (width, fraction) = (network.width(input), network.fraction(input));
        let drop = head_norm::epsilon_drop(fraction);
        let normaliser = Normaliser::of_sums(width, range, squares, epsilon_q32, drop);
        let gains = Gains::new(self.exponent()?, self.table(values.len() * 4)?);
        let exponent = head_norm::output_exponent(&gains, fraction);
        for (x, g) in values.iter_mut().zip(gains.values()) {
            *x = match operator {
                NetworkOperator::HeadNorm { .. } => head_norm::scale(&normaliser, *x, g, exponent),
                _ => norm::scale(&normaliser, *x, g),
            };
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
            // No blocks.
            Form::Routes => Err(ComputeError::Missing),
        }
    }

    fn linear(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let found = self.shape.linear(self.place);
        let (input, _, cut) = found.ok_or(ComputeError::Missing)?;
        let vector = inputs.next()?;
        let (mantissas, shifts) = bytes::to_blocks(&vector);
        self.products(inputs, input, cut, &mantissas, shifts)
    }

    /// The sums of the rows of a piece of `cut`, over those so far, which come next in `inputs`; at the last part of the
    /// reduction what is written of them. `mantissas` and `shifts` are the part of `input`.
    fn products(
        &self,
        mut inputs: Inputs,
        input: Value,
        cut: LinearCut,
        mantissas: &[i16],
        shifts: &[u8],
    ) -> Result<Vec<u8>, ComputeError> {
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
        let (bytes, _) = self.tiles()?;
        let tiles: &[Tile] = bytes.as_chunks().0;
        for (tiles, sums) in tiles.chunks(shifts.len().max(1)).zip(&mut sums) {
            linear::add_products(tiles, mantissas, shifts, sums);
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
        let NetworkOperator::HeadNorm {
            epsilon_q32, value, ..
        } = self.operator()?
        else {
            return Err(ComputeError::Missing);
        };
        let mut heads = inputs.integers()?;
        let head_dim = self.shape.checkpoint.architecture.head_dim as usize;
        let gains = Gains::new(self.exponent()?, self.table(head_dim * 4)?);
        let fraction = self.shape.network.fraction(value);
        head_norm::head_norm(&gains, epsilon_q32, fraction, &mut heads);
        Ok(bytes::of_i32(&heads))
    }

    fn rope(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let mut heads = inputs.integers()?;
        let head_dim = self.shape.checkpoint.architecture.head_dim as usize;
        let table = self.table(head_dim * 4)?;
        let table = RopeTable::new(head_dim / 2, table);
        rope::rope(&table, 0, heads.len(), &mut heads);
        Ok(bytes::of_i32(&heads))
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
        let added = merkle_leaf(&H256(hidden::hash(&mantissas, &shifts)));
        let added = merkle::add_to_peaks(&mut peaks, earlier.into(), added);
        added.ok_or(ComputeError::Missing)?;
        Ok(peaks.iter().flat_map(|peak| peak.0).collect())
    }

    fn outcome(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let holds = match &self.shape.execution {
            TracedExecution::Answer(answer) => {
                let answered = inputs.next()? == [1];
                let peaks = inputs.next()?;
                let peaks = peaks.as_chunks().0.iter().map(|bytes| H256(*bytes));
                let root = merkle::root_of_peaks(&peaks.collect::<Vec<_>>());
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
