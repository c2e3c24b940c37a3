//! The answers that every executor generates: varied prompts, lengths, seeds and sampling.

use crate::Task;
use anyhow::Result;
use noema_model::{checkpoint::OpenCheckpoint, engine::Engine};
use noema_numerics::testing::Random;

/// Questions, which are put in the frame of the checkpoint.
const QUESTIONS: [&str; 14] = [
    "What is a ledger?",
    "Write a long story about a sailor and the sea.",
    "fn main() { println!(\"{}\", 6 * 7); } // What does this program print, and why?",
    "¿Cuál es la capital de Perú, y qué idiomas se hablan allí?",
    "naïve café — 東京 🙂 1234567890",
    "List the first ten prime numbers.",
    "x",
    "Translate to French: The same bytes come from every machine.",
    "  \n\n\t What   about   spaces,\n newlines and\ttabs?  ",
    "Explain to a child why the sky is blue and the sunset red.",
    "SELECT name, SUM(bond) FROM operators GROUP BY name HAVING COUNT(*) > 3;",
    "Write a poem in which every line begins with the same letter.",
    "0.1 + 0.2 = 0.30000000000000004. Who is to blame?",
    "Was wiegt ein Pfund Federn? Antworte ausführlich.",
];

/// (temperature, top_k, top_p) of the samplings, in turn.
const SAMPLINGS: [(u16, u16, u16); 7] = [
    (0, 0, 1_000),
    (700, 40, 950),
    (1_000, 0, 1_000),
    (300, 0, 900),
    (1_500, 200, 1_000),
    (1, 0, 1_000),
    (3_000, 0, 600),
];

/// Lengths of calls into which passes are split, in turn.
const SPLITS: [&[u32]; 6] = [&[], &[1], &[7, 32, 5], &[33], &[2, 1, 128], &[16]];

/// Splits that differ from executor to executor and from task to task.
pub fn splits(executor: usize, task: usize) -> Vec<u32> {
    SPLITS[(executor + task) % SPLITS.len()].to_vec()
}

/// An unlimited sequence of answers to generate with a checkpoint.
pub struct Plan<'e> {
    engine: &'e Engine,
    random: Random,
    longest: u32,
    made: usize,
}

impl<'e> Plan<'e> {
    /// The plan of `seed` for `tokens` tokens, which are split over several answers.
    pub fn new(engine: &'e Engine, seed: u64, tokens: usize) -> Self {
        Self {
            engine,
            random: Random::new(seed),
            longest: u32::try_from(tokens.div_ceil((tokens / 8).clamp(3, 8))).unwrap_or(u32::MAX),
            made: 0,
        }
    }

    /// The next answer, of at most `room` tokens.
    pub fn next(&mut self, room: u32) -> Result<Task> {
        let checkpoint = self.engine.checkpoint();
        let index = self.made;
        self.made += 1;
        let (temperature_milli, top_k, top_p_milli) = SAMPLINGS[index % SAMPLINGS.len()];
        let longest = [96, 17, 64, 40, 80, 1, 56][index % 7];
        Ok(Task {
            prompt: self.prompt(index, checkpoint)?,
            answer: None,
            max_tokens: room.min(longest).min(self.longest).max(1),
            // Every third answer continues after its stop tokens.
            stop_tokens: match index % 3 {
                0 => Vec::new(),
                _ => checkpoint.manifest().stops.clone(),
            },
            temperature_milli,
            top_k,
            top_p_milli,
            seed: std::array::from_fn(|_| self.random.bits() as u8),
            splits: splits(0, index),
        })
    }

    /// Mostly a question; sometimes a long text, random tokens, or a single token.
    fn prompt(&mut self, index: usize, checkpoint: &OpenCheckpoint) -> Result<Vec<u32>> {
        let vocabulary = u64::from(checkpoint.architecture().vocabulary);
        let mut any = |count| -> Vec<u32> {
            (0..count)
                .map(|_| self.random.below(vocabulary) as u32)
                .collect()
        };
        Ok(match index % 9 {
            3 => any(50),
            5 => any(1),
            7 => self.engine.encode_prompt(&QUESTIONS.join("\n"))?,
            _ => self
                .engine
                .encode_prompt(QUESTIONS[index % QUESTIONS.len()])?,
        })
    }
}
