//! The inputs of a target: its seeds, those of the kept corpus, and what was found on the way.

use crate::{mutate::mutate, Target};
use noema_numerics::testing::Random;
use std::{collections::BTreeMap, fs, io, path::PathBuf};

/// The folder of a target's kept inputs.
pub fn corpus(target: &Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name)
}

/// The inputs from which others are made.
///
/// What a target returns says how far it read. An input with a new outcome is added, so that later ones go on from there:
/// without instruments in the compiled code that is what tells a good input.
pub struct InputPool {
    target: &'static Target,
    inputs: Vec<Vec<u8>>,
    /// The shortest input of each outcome.
    outcomes: BTreeMap<String, Vec<u8>>,
    random: Random,
}

impl InputPool {
    /// Runs the seeds and the kept inputs of a target.
    ///
    /// # Errors
    /// Where the corpus cannot be read.
    ///
    /// # Panics
    /// Where a property of the target does not hold.
    pub fn new(target: &'static Target, seed: u64) -> io::Result<Self> {
        let mut pool = Self {
            target,
            inputs: vec![Vec::new()],
            outcomes: BTreeMap::new(),
            random: Random::new(seed),
        };
        for input in (target.seeds)() {
            pool.run(&input);
            pool.inputs.push(input);
        }
        let folder = corpus(target);
        let mut files: Vec<PathBuf> = match folder.is_dir() {
            true => fs::read_dir(folder)?
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<_>>()?,
            false => Vec::new(),
        };
        files.sort();
        for file in files {
            let input = fs::read(file)?;
            pool.run(&input);
            pool.inputs.push(input);
        }
        Ok(pool)
    }

    /// The next changed input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut choose = || self.random.below(self.inputs.len() as u64) as usize;
        let (one, other) = (choose(), choose());
        mutate(&self.inputs[one], &self.inputs[other], &mut self.random)
    }

    /// Runs an input, and keeps it where its outcome is new.
    ///
    /// # Panics
    /// Where a property of the target does not hold.
    pub fn run(&mut self, input: &[u8]) {
        let outcome = (self.target.run)(input);
        match self.outcomes.get_mut(&outcome) {
            Some(shortest) if shortest.len() <= input.len() => {}
            Some(shortest) => *shortest = input.to_vec(),
            None => {
                self.outcomes.insert(outcome, input.to_vec());
                self.inputs.push(input.to_vec());
            }
        }
    }

    /// The shortest input of each outcome so far.
    pub const fn outcomes(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.outcomes
    }
}
