//! `noema-numerics` behind a flat interface, compiled to Wasm exactly as the runtime is: with the same
//! builder, for the same target, without SIMD. The host runs it in the runtime's engine and compares the
//! bytes.
//!
//! # Interface
//! Every function takes a SCALE-encoded argument and returns a SCALE-encoded result, through the
//! calling convention of a runtime: `fn(pointer: i32, length: i32) -> i64`, the result's pointer in
//! the low and its length in the high half.
//!
//! | export | argument | result |
//! |---|---|---|
//! | `golden` | nothing | `Vec<(String, String)>`: name and hash of each golden vector |
//! | `operator` | [`Case`] | `Vec<u8>`: the result of [`Case::run`] |
//! | `execute` | `(Architecture, Vec<i8>, Task)`: shape and exponents of the model, and the task | `Result<Evidence, String>` |
//!
//! A real model does not fit through the interface: an executor of runtimes allocates at most
//! 32 MiB at once. `execute` therefore fetches the weights from the host, into memory of its own:
//!
//! | import | does |
//! |---|---|
//! | `ext_equality_read_weights_version_1(to: i32, length: i32)` | writes the weights, `length` bytes of them, to `to`; traps if the host's have another length |
//! | `ext_panic_handler_abort_on_panic_version_1(message: i64)` | names the reason of a panic, as for a runtime |
//!
//! Both sides execute the code of this crate: a [`Task`] also runs natively, on any executor.

#![no_std]

extern crate alloc;

#[cfg(target_family = "wasm")]
mod wasm;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use codec::{Decode, Encode};
use core::ops::ControlFlow;
use noema_numerics::{
    check, generate, positions_needed, testing::Recorder, ForwardPass, GenerationParameters,
    Sampling,
};

pub use noema_numerics::testing::{Case, Record};

/// One answer to generate or to check.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Task {
    /// Tokens of the prompt.
    pub prompt: Vec<u32>,
    /// Tokens of the answer to check; `None` generates one.
    pub answer: Option<Vec<u32>>,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Tokens that end it.
    pub stop_tokens: Vec<u32>,
    /// See [`Sampling`].
    pub temperature_milli: u16,
    /// See [`Sampling`].
    pub top_k: u16,
    /// See [`Sampling`].
    pub top_p_milli: u16,
    /// Seed of the draws.
    pub seed: [u8; 32],
    /// Lengths of the calls into which each pass is split, repeated; without lengths it stays whole.
    pub splits: Vec<u32>,
}

/// The results of an execution, all of which must be equal between two executions.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Evidence {
    /// The answer.
    pub tokens: Vec<u32>,
    /// Hashes of the hidden states that its tokens were sampled from, as a receipt commits to them.
    pub hidden: Vec<[u8; 32]>,
    /// Hashes of the hidden vectors and of the logits that its tokens were sampled from.
    pub record: Record,
    /// The flaw of the answer that was checked.
    pub flaw: Option<String>,
}

impl Task {
    /// Positions of the cache that the task needs.
    pub fn positions(&self) -> usize {
        positions_needed(self.prompt.len(), self.max_tokens)
    }

    /// The parameters of the answer.
    pub fn request(&self) -> GenerationParameters<'_> {
        GenerationParameters {
            sampling: Sampling {
                temperature_milli: self.temperature_milli,
                top_k: self.top_k,
                top_p_milli: self.top_p_milli,
            },
            seed: self.seed,
            max_tokens: self.max_tokens,
            stop_tokens: &self.stop_tokens,
        }
    }

    /// Generates or checks the answer on `executor`.
    ///
    /// # Errors
    /// The executor's reason where it refuses the prompt.
    pub fn run(&self, executor: impl ForwardPass) -> Result<Evidence, String> {
        let splits: Vec<usize> = self.splits.iter().map(|&length| length as usize).collect();
        let mut recorder = Recorder::new(executor, &splits);
        let request = self.request();
        let (tokens, hidden, flaw) = match &self.answer {
            Some(answer) => check(&mut recorder, &self.prompt, answer, &request)
                .map(|checked| (answer.clone(), checked.hidden, checked.flaw)),
            None => generate(&mut recorder, &self.prompt, &request, |_| {
                ControlFlow::Continue(())
            })
            .map(|answer| (answer.tokens, answer.hidden, None)),
        }
        .map_err(|error| error.to_string())?;
        Ok(Evidence {
            tokens,
            hidden,
            record: recorder.into_record(),
            flaw: flaw.map(|flaw| flaw.to_string()),
        })
    }
}
