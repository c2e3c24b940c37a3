//! The self-test of a device: small models whose results are known.
//!
//! Every operator runs on seeded weights: a prompt at once and a second sequence token by token in the same
//! passes, heads of several widths, a tied and an untied head. The output must have the hash that the
//! definition yields. This does not find a driver that is wrong at other shapes only; comparing a forward
//! pass of the served checkpoint with another device does.

use crate::{Executor, ExecutorError, Output, Segment};
use blake2::{digest::consts::U32, Blake2b, Digest};
use hex_literal::hex;
use noema_numerics::{seeded::TestModel, Architecture};

/// Tokens of the sequence that is executed in a few large steps.
const PROMPT: usize = 75;
/// Passes; the second sequence gains one token in each.
const PASSES: usize = 5;

/// A model of the self-test.
#[derive(Clone, Copy, Debug)]
pub struct Golden {
    /// The special case that it covers.
    pub name: &'static str,
    architecture: Architecture,
    seed: u64,
    expected: [u8; 32],
}

impl Golden {
    /// The models of this version of the numerics.
    pub const ALL: [Self; 6] = [
        Self {
            name: "tied head",
            architecture: TestModel::TINY,
            seed: 1,
            expected: hex!("b6033e745a6aa7532b4bf892345b766db07c07e133a3051e7f2e615863f34642"),
        },
        Self {
            name: "untied head, heads of 64",
            architecture: Architecture {
                heads: 4,
                kv_heads: 2,
                head_dim: 64,
                vocabulary: 121,
                tied_head: false,
                ..TestModel::TINY
            },
            seed: 2,
            expected: hex!("f53ef0a96fc68bc154bc8fe120a9393b0805feffc8479523dd3339116b0539c6"),
        },
        Self {
            name: "wide, heads of 96",
            architecture: Architecture {
                layers: 1,
                hidden: 288,
                heads: 3,
                kv_heads: 1,
                head_dim: 96,
                feed_forward: 544,
                vocabulary: 200,
                ..TestModel::TINY
            },
            seed: 3,
            expected: hex!("2b740ff03f980a6df6b8edec577b3df22a5617e18645eea666cfda85ad5d99a3"),
        },
        Self {
            name: "biases, norms of heads, a window, a layer without rotation",
            architecture: TestModel::EVERY_DIFFERENCE,
            seed: 4,
            expected: hex!("19ec61b40821756738bdcf088292ea3a6871495bf7b5edbfcf915c31f0c44940"),
        },
        Self {
            name: "norms of what is added, GELU, two tables of rotations",
            architecture: TestModel::GEMMA,
            seed: 5,
            expected: hex!("012a96645d9b5e65913f3177c064bc9a6e36384f22b1b64d46c8596c2fc6f303"),
        },
        Self {
            name: "a layer with experts",
            architecture: TestModel::SOME_EXPERTS,
            seed: 5,
            expected: hex!("aeef36df6d7cf03b2991f84b73816e996b36a644f9ffd577b8346a2f3e1ac812"),
        },
    ];

    /// Its weights.
    pub fn model(&self) -> TestModel {
        TestModel::seeded(self.architecture, self.seed)
    }

    /// Runs `executor`, which holds this model, and compares the output.
    ///
    /// # Errors
    /// [`ExecutorError::WrongNumbers`] when the results differ from the defined ones; any error that prevents
    /// the executor from running.
    pub fn test(&self, device: &str, executor: &mut dyn Executor) -> Result<(), ExecutorError> {
        if self.run(executor)? == self.expected {
            return Ok(());
        }
        Err(ExecutorError::WrongNumbers {
            device: device.to_owned(),
            what: format!("self-test with {}", self.name),
        })
    }

    /// The hash of the model's whole output on `executor`.
    fn run(&self, executor: &mut dyn Executor) -> Result<[u8; 32], ExecutorError> {
        let vocabulary = self.architecture.vocabulary;
        let tokens: Vec<u32> = (0..PROMPT as u32).map(|i| i * 37 % vocabulary).collect();
        let long = executor.open(PROMPT)?;
        let short = executor.open(PASSES)?;
        let mut hash = Blake2b::<U32>::new();
        let mut output = Output::default();
        for (pass, chunk) in tokens.chunks(PROMPT / PASSES).enumerate() {
            let segments = [
                Segment {
                    sequence: short,
                    start: pass,
                    tokens: &tokens[pass * 3..][..1],
                    wanted: 0..1,
                },
                Segment {
                    sequence: long,
                    start: pass * (PROMPT / PASSES),
                    tokens: chunk,
                    wanted: 0..chunk.len(),
                },
            ];
            executor.run(&segments, &mut output)?;
            let hidden = output.hidden.view();
            for mantissa in hidden.mantissas() {
                hash.update(mantissa.to_le_bytes());
            }
            hash.update(hidden.shifts());
            for logit in &output.logits {
                hash.update(logit.to_le_bytes());
            }
        }
        executor.close(long);
        executor.close(short);
        Ok(hash.finalize().into())
    }
}

/// The hash of all hashes: identifies the self-test that a device passed.
pub fn golden_hash() -> [u8; 32] {
    let mut hash = Blake2b::<U32>::new();
    for golden in Golden::ALL {
        hash.update(golden.expected);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_numerics::{Blocks, Scalar, Transformer};
    use std::ops::Range;

    /// The definition, as an executor of one sequence at a time.
    struct Definition<'a> {
        golden: &'a TestModel,
        sequences: Vec<Transformer<'a, Scalar>>,
    }

    impl Executor for Definition<'_> {
        fn architecture(&self) -> &Architecture {
            &self.golden.architecture
        }

        fn open(&mut self, positions: usize) -> Result<crate::Sequence, ExecutorError> {
            let sequence = Transformer::new(self.golden.model(), Scalar, positions as u32);
            self.sequences.push(sequence);
            Ok(crate::Sequence(self.sequences.len() as u64 - 1))
        }

        fn copy_prefix(
            &mut self,
            _: crate::Sequence,
            _: crate::Sequence,
            _: usize,
        ) -> Result<(), ExecutorError> {
            Err(ExecutorError::Sequence)
        }

        fn close(&mut self, _: crate::Sequence) {}

        fn run(
            &mut self,
            segments: &[Segment<'_>],
            output: &mut Output,
        ) -> Result<(), ExecutorError> {
            use noema_numerics::ForwardPass as _;
            *output = Output::default();
            for segment in segments {
                let sequence = &mut self.sequences[segment.sequence.0 as usize];
                let wanted: Range<usize> = segment.wanted.clone();
                let (mut hidden, mut logits) = (Blocks::default(), Vec::new());
                sequence.forward(segment.start, segment.tokens, wanted, &mut hidden)?;
                sequence.logits(hidden.view(), &mut logits);
                output.hidden.append(hidden.view());
                output.logits.extend(logits);
            }
            Ok(())
        }
    }

    #[test]
    fn what_is_expected_is_what_the_definition_yields() {
        let digits = |hash: [u8; 32]| hash.map(|byte| format!("{byte:02x}")).concat();
        let found = Golden::ALL.map(|golden| {
            let model = golden.model();
            let mut definition = Definition {
                golden: &model,
                sequences: Vec::new(),
            };
            digits(golden.run(&mut definition).expect("runs"))
        });
        assert_eq!(found, Golden::ALL.map(|golden| digits(golden.expected)));
    }

    #[test]
    fn another_bit_is_noticed() {
        let golden = Golden {
            seed: 9,
            ..Golden::ALL[0]
        };
        let model = golden.model();
        let mut definition = Definition {
            golden: &model,
            sequences: Vec::new(),
        };
        assert!(matches!(
            golden.test("a device", &mut definition),
            Err(ExecutorError::WrongNumbers { .. })
        ));
    }
}
