//! Answers prompts and checks answers with one checkpoint.
//!
//! ```text
//! prompt ── frame, tokenizer ──> tokens ── transformer, sampler ──> tokens ──> text
//! ```
//! Every step is a pure function of the checkpoint, the prompt, the sampling parameters and the
//! seed: whoever repeats it gets the same tokens, the same text and the same hidden states. The
//! transformer is `noema_numerics`' integer one, on whatever [`Device`] was chosen; on the processor the weights stay mapped into memory and are never copied. Calls from several
//! threads share the executor's passes, see [`noema_executor::schedule`].
//!
//! ```no_run
//! use noema_executor::Device;
//! use noema_protocol::SamplingParameters;
//! use noema_worker::{checkpoint::OpenCheckpoint, engine::Engine};
//! use std::{ops::ControlFlow, path::Path, sync::Arc};
//!
//! let checkpoint = Arc::new(OpenCheckpoint::open(Path::new("checkpoint"))?);
//! let engine = Engine::open(checkpoint, &Device::cpu(None), None)?;
//! let (parameters, seed) = (SamplingParameters::greedy(64), [0; 32]);
//! let prompt = "Why is the sky blue?";
//! let answer = engine.answer(prompt, &parameters, seed, &mut |_| ControlFlow::Continue(()))?;
//! let check = engine.check(prompt, &parameters, seed, &answer.tokens, &answer.text)?;
//! assert_eq!(check.hidden, answer.hidden);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod bounds;
mod memory;
pub(crate) mod prompt;
#[cfg(test)]
mod sample;
mod template;
pub(crate) mod tokenizer;

use crate::checkpoint::OpenCheckpoint;
use noema_executor::{
    schedule::{Fallback, Observer},
    Cancel, Device, DeviceClass, Executor, ExecutorError, ScheduleError, ScheduleOptions,
    Scheduler,
};
use noema_numerics::{Flaw, Request, Sampling};
use noema_protocol::{text_bound, ParameterError, SamplingParameters};
use prompt::{PromptCodec, PromptError, Unsupported};
use sp_core::H256;
use std::{fmt, ops::ControlFlow, sync::Arc};

/// Why a prompt cannot be answered or an answer not be checked. Never something about the answer:
/// that is a [`CheckVerdict`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The checkpoint's `tokenizer.json` cannot be used.
    #[error("The checkpoint's tokenizer cannot be used: {0}.")]
    Tokenizer(String),
    /// The checkpoint's chat template does not compile.
    #[error("The checkpoint's chat template cannot be used: {0}.")]
    Template(minijinja::Error),
    /// Some prompt could not be answered, or it is not proven that each can.
    #[error("The checkpoint uses {what}, which is not supported; {hint}.")]
    Unsupported {
        /// What the checkpoint uses.
        what: String,
        /// What is supported.
        hint: String,
    },
    /// The chain would accept prompts that cannot be answered.
    #[error("The manifest states at most {stated_per_byte} tokens a byte and {stated} more for a prompt; {per_byte} and {proven} are proven. Import the checkpoint anew.")]
    Bounds {
        /// Most tokens that a byte becomes, as the manifest has it.
        stated_per_byte: u32,
        /// Most tokens beyond those, as the manifest has it.
        stated: u32,
        /// Most tokens that a byte becomes.
        per_byte: u32,
        /// Most tokens beyond those.
        proven: u32,
    },
    /// The tokenizer refuses the prompt.
    #[error("The prompt cannot be split into tokens: {0}.")]
    Encode(String),
    /// Tokens have no text.
    #[error("The tokens cannot be turned into text: {0}.")]
    Decode(String),
    /// The prompt leaves no room for an answer.
    #[error("The prompt has {tokens} tokens; prompt and answer together can have {context}.")]
    PromptTooLong {
        /// Tokens of the prompt, chat template included.
        tokens: usize,
        /// Tokens that the model's context holds.
        context: u32,
    },
    /// The sampling parameters are not defined.
    #[error("The sampling parameters are refused: {0}.")]
    Parameters(ParameterError),
    /// There is no executor to be had.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// The request was not executed.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Tokens of the prompt, chat template included.
    pub prompt_tokens: u32,
    /// The answer's tokens, a closing stop token included.
    pub tokens: Vec<u32>,
    /// Their text, special tokens left out, as far as [`text_bound`] allows.
    pub text: String,
    /// [Hashes](noema_numerics::hidden) of the hidden states that the tokens were sampled from, one
    /// for each token: what only executing the model yields.
    pub hidden: Vec<H256>,
}

/// The result of re-executing an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Whether the answer is what the checkpoint yields.
    pub verdict: CheckVerdict,
    /// Tokens of the prompt, chat template included.
    pub prompt_tokens: u32,
    /// [Hashes](noema_numerics::hidden) of the hidden states that the tokens should have been sampled
    /// from; those of the answer where the answer is right.
    pub hidden: Vec<H256>,
}

/// Whether an answer is what its checkpoint yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckVerdict {
    /// Every token and every byte of the text is.
    Valid,
    /// Something is not: the first thing, in the order of the tokens, the text last.
    Invalid(Fault),
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The checkpoint yields another token.
    WrongToken {
        /// Index in the answer.
        index: usize,
        /// The token that the checkpoint yields.
        expected: u32,
        /// The token in the answer.
        found: u32,
    },
    /// The answer stops although nothing ends it there.
    EndsEarly {
        /// Tokens it has.
        length: usize,
    },
    /// The answer goes on after its end.
    RunsOn {
        /// Tokens it should have.
        length: usize,
    },
    /// The text is not that of the tokens.
    WrongText,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongToken {
                index,
                expected,
                found,
            } => write!(
                f,
                "token {index} of the answer is {found} and should be {expected}"
            ),
            Self::EndsEarly { length } => {
                write!(
                    f,
                    "the answer stops after {length} tokens although nothing ends it there"
                )
            }
            Self::RunsOn { length } => {
                write!(f, "the answer goes on after its end at {length} tokens")
            }
            Self::WrongText => f.write_str("the text of the answer is not that of its tokens"),
        }
    }
}

/// One checkpoint, ready to answer and to check. Any number of threads may ask at once.
pub struct Engine {
    checkpoint: Arc<OpenCheckpoint>,
    prompts: PromptCodec,
    device: Device,
    scheduler: Scheduler,
}

impl Engine {
    /// Prepares `checkpoint`, to be executed on `device`, and on the processor from the moment on at
    /// which another device is lost. `observer` is told of every pass.
    pub fn open(
        checkpoint: Arc<OpenCheckpoint>,
        device: &Device,
        observer: Option<Observer>,
    ) -> Result<Self, EngineError> {
        memory::prepare();
        let prompts = prompts(&checkpoint)?;
        let scheduler = Scheduler::start(
            device.executor(checkpoint.clone())?,
            fallback(&checkpoint, device),
            observer,
            ScheduleOptions::default(),
        )?;
        memory::give_back();
        Ok(Self {
            checkpoint,
            prompts,
            device: device.clone(),
            scheduler,
        })
    }

    /// The checkpoint that answers.
    pub fn checkpoint(&self) -> &OpenCheckpoint {
        &self.checkpoint
    }

    /// Tokens of `prompt`, said by a user and framed by the chat template. Special tokens written
    /// out in it are text.
    pub fn encode_prompt(&self, prompt: &str) -> Result<Vec<u32>, EngineError> {
        let tokens = self
            .prompts
            .encode(prompt)
            .map_err(|error| EngineError::Encode(error.to_string()))?;
        let context = self.checkpoint.architecture().context_length;
        if tokens.len() >= context as usize {
            return Err(EngineError::PromptTooLong {
                tokens: tokens.len(),
                context,
            });
        }
        Ok(tokens)
    }

    /// Tokens of a text as it stands, without chat template. Special tokens written out in it are text.
    pub(crate) fn encode(&self, text: &str, add_special: bool) -> Result<Vec<u32>, EngineError> {
        self.prompts
            .text()
            .encode(text, add_special)
            .map_err(|error| EngineError::Encode(error.to_string()))
    }

    /// Text of an answer's tokens, special ones left out.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, EngineError> {
        self.prompts
            .text()
            .decode(tokens)
            .map_err(|error| EngineError::Decode(error.to_string()))
    }

    /// The text of an answer with these tokens: what there is of it within [`text_bound`] of the most
    /// tokens that were asked for, in whole characters.
    fn text(&self, tokens: &[u32], parameters: &SamplingParameters) -> Result<String, EngineError> {
        let mut text = self.decode(tokens)?;
        let bound = text_bound(u32::from(parameters.max_tokens));
        text.truncate(text.floor_char_boundary(bound as usize));
        Ok(text)
    }

    /// Answers `prompt`. `on_token` is told each token and can cancel: the answer is then what
    /// there is so far, which no check will find valid.
    pub fn answer(
        &self,
        prompt: &str,
        parameters: &SamplingParameters,
        seed: [u8; 32],
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<Answer, EngineError> {
        self.answer_unless(&Cancel::default(), prompt, parameters, seed, on_token)
    }

    /// As [`answer`](Self::answer); `cancel` cancels, too, even before the first token.
    pub fn answer_unless(
        &self,
        cancel: &Cancel,
        prompt: &str,
        parameters: &SamplingParameters,
        seed: [u8; 32],
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<Answer, EngineError> {
        let request = self.request(parameters, seed)?;
        let prompt = self.encode_prompt(prompt)?;
        let generated = self.scheduler.answer(&prompt, &request, cancel, on_token);
        memory::give_back();
        let generated = generated?;
        Ok(Answer {
            prompt_tokens: count(&prompt),
            text: self.text(&generated.tokens, parameters)?,
            tokens: generated.tokens,
            hidden: generated.hidden.into_iter().map(H256).collect(),
        })
    }

    /// Re-executes an answer, all of its positions in parallel. Whatever is wrong with `tokens` or
    /// `text` is a verdict; an error concerns the prompt, the parameters or the execution.
    pub fn check(
        &self,
        prompt: &str,
        parameters: &SamplingParameters,
        seed: [u8; 32],
        tokens: &[u32],
        text: &str,
    ) -> Result<Check, EngineError> {
        self.check_unless(&Cancel::default(), prompt, parameters, seed, tokens, text)
    }

    /// As [`check`](Self::check), until `cancel` makes it an error.
    pub fn check_unless(
        &self,
        cancel: &Cancel,
        prompt: &str,
        parameters: &SamplingParameters,
        seed: [u8; 32],
        tokens: &[u32],
        text: &str,
    ) -> Result<Check, EngineError> {
        let request = self.request(parameters, seed)?;
        let prompt = self.encode_prompt(prompt)?;
        let checked = self.scheduler.check(&prompt, tokens, &request, cancel);
        memory::give_back();
        let checked = checked?;
        let verdict = match checked.flaw {
            Some(flaw) => CheckVerdict::Invalid(fault(flaw, tokens)),
            None if self.text(tokens, parameters)? != text => {
                CheckVerdict::Invalid(Fault::WrongText)
            }
            None => CheckVerdict::Valid,
        };
        Ok(Check {
            verdict,
            prompt_tokens: count(&prompt),
            hidden: checked.hidden.into_iter().map(H256).collect(),
        })
    }

    /// Another executor of the checkpoint on the same device.
    pub(crate) fn executor(&self) -> Result<Box<dyn Executor>, ExecutorError> {
        self.device.executor(self.checkpoint.clone())
    }

    fn request(
        &self,
        parameters: &SamplingParameters,
        seed: [u8; 32],
    ) -> Result<Request<'_>, EngineError> {
        parameters.validate().map_err(EngineError::Parameters)?;
        Ok(Request {
            sampling: Sampling {
                temperature_milli: parameters.temperature_milli,
                top_k: parameters.top_k,
                top_p_milli: parameters.top_p_milli,
            },
            seed,
            max_tokens: u32::from(parameters.max_tokens),
            stop_tokens: &self.checkpoint.manifest().stops,
        })
    }
}

/// The way from prompts to tokens, if the manifest states how many these can be.
fn prompts(checkpoint: &OpenCheckpoint) -> Result<PromptCodec, EngineError> {
    let manifest = checkpoint.manifest();
    let prompts = PromptCodec::new(
        checkpoint.tokenizer(),
        checkpoint.chat_template(),
        manifest.bos,
        &manifest.stops,
        &manifest.architecture,
    )
    .map_err(|error| match error {
        PromptError::Tokenizer(error) => EngineError::Tokenizer(error),
        PromptError::Template(error) => EngineError::Template(error),
        PromptError::Unsupported(Unsupported { what, hint }) => {
            EngineError::Unsupported { what, hint }
        }
    })?;
    let proven = prompts.bounds();
    if manifest.tokens_per_byte < proven.tokens_per_byte
        || manifest.template_tokens < proven.template_tokens
    {
        return Err(EngineError::Bounds {
            stated_per_byte: manifest.tokens_per_byte,
            stated: manifest.template_tokens,
            per_byte: proven.tokens_per_byte,
            proven: proven.template_tokens,
        });
    }
    Ok(prompts)
}

/// What goes on where a device other than the processor is lost.
fn fallback(checkpoint: &Arc<OpenCheckpoint>, device: &Device) -> Option<Fallback> {
    match device.class() {
        DeviceClass::Cpu => None,
        DeviceClass::Gpu => {
            let (checkpoint, processor) = (checkpoint.clone(), device.processor());
            Some(Box::new(move || processor.executor(checkpoint)))
        }
    }
}

fn count(tokens: &[u32]) -> u32 {
    u32::try_from(tokens.len()).unwrap_or(u32::MAX)
}

fn fault(flaw: Flaw, tokens: &[u32]) -> Fault {
    match flaw {
        Flaw::WrongToken { index, expected } => Fault::WrongToken {
            index,
            expected,
            found: tokens[index],
        },
        Flaw::EndsEarly { length } => Fault::EndsEarly { length },
        Flaw::RunsOn { length } => Fault::RunsOn { length },
        flaw => unreachable!("every flaw of this version of the numerics is known, not {flaw}"),
    }
}
