//! Hashes of a transformer's output, to compare runs of a real model whose logits would fill memory.

use crate::{Architecture, Blocks, BlocksRef, ForwardError, ForwardPass};
use alloc::vec::Vec;
use blake2::{digest::consts::U32, Blake2b, Digest};
use core::ops::Range;

/// BLAKE2b-256 of every final hidden vector and of every row of logits, in the order in which they
/// were returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "codec", derive(codec::Encode, codec::Decode))]
pub struct Record {
    /// Of the mantissas (i16 LE), the shifts and the fraction (i32 LE) of each hidden vector.
    pub hidden: Vec<[u8; 32]>,
    /// Of the logits (i32 LE) of each row.
    pub logits: Vec<[u8; 32]>,
}

impl Record {
    /// Adds hidden vectors.
    pub fn add_hidden(&mut self, hidden: BlocksRef<'_>) {
        for row in 0..hidden.rows() {
            let (mantissas, shifts) = hidden.row(row);
            let bytes: Vec<u8> = mantissas.iter().flat_map(|a| a.to_le_bytes()).collect();
            let hash = Blake2b::<U32>::new()
                .chain_update(&bytes)
                .chain_update(shifts)
                .chain_update(hidden.fraction().to_le_bytes());
            self.hidden.push(hash.finalize().into());
        }
    }

    /// Adds rows of logits of `vocabulary` tokens each.
    pub fn add_logits(&mut self, logits: &[i32], vocabulary: usize) {
        let mut bytes = Vec::with_capacity(vocabulary * 4);
        for row in logits.chunks_exact(vocabulary) {
            bytes.clear();
            bytes.extend(row.iter().flat_map(|l| l.to_le_bytes()));
            self.logits.push(Blake2b::<U32>::digest(&bytes).into());
        }
    }
}

/// A transformer that records its output, and can split passes to prove that splits do not change it.
#[derive(Debug)]
pub struct Recorder<E> {
    transformer: E,
    splits: Vec<usize>,
    record: Record,
}

impl<E: ForwardPass> Recorder<E> {
    /// Records `transformer`. Each pass is split into calls of these lengths, repeated; without lengths it
    /// stays whole.
    ///
    /// # Panics
    /// When a length is zero.
    pub fn new(transformer: E, splits: &[usize]) -> Self {
        assert!(!splits.contains(&0), "a call has positions");
        Self {
            transformer,
            splits: splits.to_vec(),
            record: Record::default(),
        }
    }

    /// The record.
    pub fn into_record(self) -> Record {
        self.record
    }
}

impl<E: ForwardPass> ForwardPass for Recorder<E> {
    fn architecture(&self) -> &Architecture {
        self.transformer.architecture()
    }

    fn cached(&self) -> usize {
        self.transformer.cached()
    }

    fn capacity(&self) -> usize {
        self.transformer.capacity()
    }

    fn forward(
        &mut self,
        start: usize,
        tokens: &[u32],
        wanted: Range<usize>,
        hidden: &mut Blocks,
    ) -> Result<(), ForwardError> {
        let before = hidden.rows();
        let mut lengths = self.splits.iter().copied().cycle();
        let mut first = 0;
        while first < tokens.len() {
            let rest = tokens.len() - first;
            let length = lengths.next().unwrap_or(rest).min(rest);
            let within = |index: usize| index.clamp(first, first + length) - first;
            self.transformer.forward(
                start + first,
                &tokens[first..first + length],
                within(wanted.start)..within(wanted.end),
                hidden,
            )?;
            first += length;
        }
        if hidden.rows() > before {
            self.record
                .add_hidden(hidden.view().slice(before..hidden.rows()));
        }
        Ok(())
    }

    fn logits(&mut self, hidden: BlocksRef<'_>, logits: &mut Vec<i32>) {
        self.transformer.logits(hidden, logits);
        let vocabulary = self.transformer.architecture().vocabulary as usize;
        self.record.add_logits(logits, vocabulary);
    }
}
