//! A small model, what it was given, and what it answered.

use noema_numerics::{
    generate,
    testing::{Random, TestModel},
    tile::TILE_BYTES,
    Architecture, Blocks, ForwardPass, GenerationParameters, Loss, Sampling, Scalar, Transformer,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf},
    merkle::{self, Place},
};
use noema_trace::{
    AnswerExecution, TextExecution, TokensOf, TraceShape, TracedCheckpoint, TracedExecution, Tracer,
};
use sp_core::H256;
use std::ops::ControlFlow;

const SEED: [u8; 32] = [7; 32];
/// All searches of sampling.
const SAMPLING: Sampling = Sampling {
    temperature_milli: 800,
    top_k: 40,
    top_p_milli: 950,
};

/// A model, and a statement about an execution of it.
#[derive(Clone, Debug)]
pub struct World {
    model: TestModel,
    weights_root: H256,
    /// All rows of the tree over the tiles.
    pub(super) tiles: Vec<Vec<H256>>,
    pub(super) given: Vec<u32>,
    pub(super) answer: Vec<u32>,
    execution: TracedExecution,
}

impl World {
    /// Worlds with each kind of step: answers by models of each variant whose layers have steps, and a text.
    pub fn all() -> Vec<Self> {
        let variants = TestModel::VARIANTS.iter();
        let mixtures = TestModel::MIXTURES.iter();
        let answers = [
            (TestModel::TINY, SAMPLING),
            (TestModel::EVERY_DIFFERENCE, Sampling::GREEDY),
            (TestModel::GEMMA, Sampling::GREEDY),
        ];
        let greedy = variants.chain(mixtures).map(|of| (*of, Sampling::GREEDY));
        let answers = answers.into_iter().chain(greedy);
        let answers = answers.map(|(of, sampling)| Self::answer(of, 4, 3, sampling));
        let all = answers.chain([Self::text(TestModel::TINY, 4)]);
        all.filter(|world| TraceShape::new(world.checkpoint(), world.execution).is_ok())
            .collect()
    }

    /// An answer to `prompt` tokens, of at most `most`, as the definition generates it.
    ///
    /// # Panics
    /// Where the model has no answer: never for those of the tests.
    pub fn answer(architecture: Architecture, prompt: u32, most: u32, sampling: Sampling) -> Self {
        let model = TestModel::seeded(architecture, 5);
        let given = tokens(prompt, architecture.vocabulary);
        let parameters = GenerationParameters {
            sampling,
            seed: SEED,
            max_tokens: most,
            stop_tokens: &[],
        };
        let mut transformer = Transformer::new(model.model(), Scalar, prompt + most);
        let generated = generate(&mut transformer, &given, &parameters, |_| {
            ControlFlow::Continue(())
        });
        let generated = generated.expect("an answer");
        let hidden = generated
            .hidden
            .iter()
            .map(|hash| merkle_leaf(&H256(*hash)));
        let execution = TracedExecution::Answer(AnswerExecution {
            prompt: TokensOf::new(&given),
            answer: TokensOf::new(&generated.tokens),
            end: generated.end,
            sampling,
            seed: SEED,
            max_tokens: most,
            hidden_root: merkle::root(hidden),
        });
        Self::new(model, given, generated.tokens, execution)
    }

    /// The loss of a text of so many tokens.
    ///
    /// # Panics
    /// Where the model has no loss: never for those of the tests.
    pub fn text(architecture: Architecture, count: u32) -> Self {
        let model = TestModel::seeded(architecture, 5);
        let given = tokens(count, architecture.vocabulary);
        let mut transformer = Transformer::new(model.model(), Scalar, count);
        let read = given.len() - 1;
        let (mut hidden, mut logits) = (Blocks::default(), Vec::new());
        let pass = transformer.forward(0, &given[..read], 0..read, &mut hidden);
        pass.expect("a pass");
        transformer.logits(hidden.view(), &mut logits);
        let mut loss = Loss::default();
        loss.add(&given[1..], &logits).expect("a loss");
        let execution = TracedExecution::Text(TextExecution {
            tokens: TokensOf::new(&given),
            loss: loss.sum,
        });
        Self::new(model, given, Vec::new(), execution)
    }

    fn new(
        model: TestModel,
        given: Vec<u32>,
        answer: Vec<u32>,
        execution: TracedExecution,
    ) -> Self {
        let tiles = rows(model.weights.chunks(TILE_BYTES).map(blake2_256).collect());
        Self {
            weights_root: tiles[tiles.len() - 1][0],
            model,
            tiles,
            given,
            answer,
            execution,
        }
    }

    /// The same execution with a false statement about it: another token, another hidden state, or another loss.
    #[must_use]
    pub fn falsified(&self, random: &mut Random) -> Self {
        let mut other = self.clone();
        match &mut other.execution {
            TracedExecution::Text(text) => text.loss ^= 1 << random.below(20),
            TracedExecution::Answer(answer) if random.below(2) == 0 => {
                answer.hidden_root = H256::from_low_u64_be(random.bits());
            }
            TracedExecution::Answer(answer) => {
                let place = random.below(other.answer.len() as u64) as usize;
                let vocabulary = self.model.architecture.vocabulary;
                let more = 1 + random.below(u64::from(vocabulary) - 1) as u32;
                other.answer[place] = (other.answer[place] + more) % vocabulary;
                answer.answer = TokensOf::new(&other.answer);
            }
        }
        other
    }

    /// The steps.
    ///
    /// # Panics
    /// Never: the statements have as many tokens as were executed.
    pub fn shape(&self) -> TraceShape<'_> {
        TraceShape::new(self.checkpoint(), self.execution).expect("a shape")
    }

    /// The leaf of a claim that states this.
    pub fn statement_hash(&self) -> H256 {
        blake2_256(format!("{:?}", self.execution).as_bytes())
    }

    fn checkpoint(&self) -> TracedCheckpoint<'_> {
        TracedCheckpoint {
            architecture: &self.model.architecture,
            exponents: &self.model.exponents,
            weights_root: self.weights_root,
            stops: &[],
        }
    }

    /// Computes the steps from the first on.
    pub(super) fn tracer<'a>(&'a self, shape: &'a TraceShape<'a>) -> Tracer<'a> {
        Tracer::new(shape, &self.model.weights, &self.given, &self.answer)
    }
}

/// All rows of the tree over these nodes of leaves, the lowest first.
pub(super) fn rows(nodes: Vec<H256>) -> Vec<Vec<H256>> {
    let mut rows = vec![nodes];
    while let Some(row) = rows.last().filter(|row| row.len() > 1) {
        let above = merkle::row_above(row);
        rows.push(above);
    }
    rows
}

/// The nodes at some places of a tree; `None` where it has no such place.
pub(super) fn nodes(rows: &[Vec<H256>], places: &[Place]) -> Option<Vec<H256>> {
    let node = |place: &Place| {
        let row = rows.get(usize::try_from(place.row).ok()?)?;
        row.get(usize::try_from(place.index).ok()?).copied()
    };
    places.iter().map(node).collect()
}

/// Tokens that differ from each other.
fn tokens(count: u32, vocabulary: u32) -> Vec<u32> {
    (0..count).map(|n| (n * 37 + 11) % vocabulary).collect()
}
