//! Answers prompts and checks answers with one checkpoint.
//!
//! ```text
//! prompt ── frame, tokenizer ──> tokens ── transformer, sampler ──> tokens ──> text
//! ```
//! Every step is a pure function of the checkpoint, the prompt, the sampling parameters and the seed:
//! repeating it gives the same tokens, the same text and the same hidden states. The transformer is the
//! integer one of `noema_numerics`, on the chosen [`Device`]; on the processor the weights stay mapped into
//! memory and are never copied. Calls from several threads share the executor's passes, see
//! [`noema_executor::schedule`].
//!
//! ```no_run
//! use noema_executor::Device;
//! use noema_protocol::SamplingParameters;
//! use noema_model::{checkpoint::OpenCheckpoint, engine::Engine};
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
mod chat;
mod memory;
pub(crate) mod prompt;
#[cfg(test)]
mod sample;
mod split;
mod tables;
pub(crate) mod tokenizer;
mod trace;

pub use chat::ChatCodec;
pub use split::{PromptSplit, SplitError, SplitVerdict};

use crate::checkpoint::OpenCheckpoint;
use noema_executor::{
    schedule::{Fallback, Observer},
    Cancel, Device, DeviceClass, Executor, ExecutorError, Owner, ScheduleError, ScheduleOptions,
    Scheduler, WeightsTree,
};
use noema_numerics::{End, Flaw, GenerationParameters, Sampling};
use noema_protocol::{text_bound, ParameterError, SamplingParameters, SessionId};
use noema_sessions::AnswerEnd;
use prompt::{PromptCodec, PromptError, Unsupported};
use sp_core::H256;
use std::{
    fmt,
    ops::ControlFlow,
    sync::{Arc, OnceLock},
};

/// Why a prompt cannot be answered or an answer cannot be checked. A flaw of the answer is not an error but a
/// [`CheckVerdict`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The checkpoint's `tokenizer.json` cannot be used.
    #[error("The checkpoint's tokenizer cannot be used: {0}.")]
    Tokenizer(String),
    /// This program has other tables of Unicode than the text layer of the checkpoint.
    #[error("{0}")]
    OtherTables(String),
    /// This program cannot run the chat template of the checkpoint.
    #[error("This program cannot run the checkpoint's chat template: {0}.")]
    ChatTemplate(std::io::Error),
    /// It is not proven that every prompt can be answered.
    #[error("The checkpoint uses {what}, which is not supported; {hint}.")]
    Unsupported {
        /// The unsupported property.
        what: String,
        /// The supported alternatives.
        hint: String,
    },
    /// The chain would accept prompts that cannot be answered.
    #[error("The manifest states at most {stated_per_byte} tokens a byte and {stated} more for a prompt; {per_byte} and {proven} are proven. Import the checkpoint again.")]
    Bounds {
        /// Most tokens that a byte becomes, according to the manifest.
        stated_per_byte: u32,
        /// Most further tokens, according to the manifest.
        stated: u32,
        /// Most tokens that a byte becomes, as proven.
        per_byte: u32,
        /// Most further tokens, as proven.
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
        /// Tokens of the prompt, including its frame.
        tokens: usize,
        /// Tokens that the model's context holds.
        context: u32,
    },
    /// The sampling parameters are invalid.
    #[error("The sampling parameters are refused: {0}.")]
    Parameters(ParameterError),
    /// No executor is available.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// The request was not executed.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Tokens of the prompt, including its frame.
    pub prompt_tokens: u32,
    /// The answer's tokens, including a final stop token.
    pub tokens: Vec<u32>,
    /// Their text, without special tokens, cut at [`text_bound`].
    pub text: String,
    /// [Hashes](noema_numerics::hidden) of the hidden states from which the tokens were sampled, one for each
    /// token: only execution of the model yields them.
    pub hidden: Vec<H256>,
}

/// An answer of a session: tokens, whose text is the payer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAnswer {
    /// Its tokens, including a final stop token.
    pub tokens: Vec<u32>,
    /// [Hashes](noema_numerics::hidden) of the hidden states from which the tokens were sampled, one for each.
    pub hidden: Vec<H256>,
    /// Tokens at the beginning of the prompt whose keys and values were cached.
    pub cached_tokens: u32,
    /// Why it ended; [`AnswerEnd::ByPayer`] if it was cancelled.
    pub end: AnswerEnd,
}

/// The result of re-executing an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Whether the answer is the checkpoint's.
    pub verdict: CheckVerdict,
    /// Tokens of the prompt, including its frame.
    pub prompt_tokens: u32,
    /// [Hashes](noema_numerics::hidden) of the hidden states from which the tokens should have been sampled;
    /// those of the answer if the answer is right.
    pub hidden: Vec<H256>,
}

/// Whether an answer is the one that its checkpoint yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckVerdict {
    /// Every token and every byte of the text is right.
    Valid,
    /// The first flaw, in the order of the tokens, the text last.
    Invalid(AnswerFault),
}

/// A flaw of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerFault {
    /// The checkpoint yields another token.
    WrongToken {
        /// Index in the answer.
        index: usize,
        /// The token that the checkpoint yields.
        expected: u32,
        /// The token in the answer.
        found: u32,
    },
    /// The answer ends early.
    EndsEarly {
        /// Tokens that it has.
        length: usize,
    },
    /// The answer continues after its end.
    RunsOn {
        /// Tokens that it should have.
        length: usize,
    },
    /// The text is not that of the tokens.
    WrongText,
    /// The answer ended for another reason than its receipt states.
    WrongEnd,
}

impl fmt::Display for AnswerFault {
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
            Self::WrongEnd => {
                f.write_str("the answer ended for another reason than the receipt states")
            }
        }
    }
}

/// One checkpoint, ready to answer and to check, from any number of threads at once.
pub struct Engine {
    checkpoint: Arc<OpenCheckpoint>,
    prompts: PromptCodec,
    device: Device,
    scheduler: Scheduler,
    /// The tree over the weights, which proofs about traces need.
    weights: OnceLock<Arc<WeightsTree>>,
}

impl Engine {
    /// Prepares `checkpoint` for execution on `device`, and on the processor once another device is lost.
    /// `observer` is called after every pass.
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
            weights: OnceLock::new(),
        })
    }

    /// The checkpoint.
    pub fn checkpoint(&self) -> &OpenCheckpoint {
        &self.checkpoint
    }

    /// Tokens of `prompt`, in its frame. Special tokens written out in it are text.
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

    /// Tokens of a text without frame. Special tokens written out in it are text.
    pub(crate) fn encode(&self, text: &str, add_special: bool) -> Result<Vec<u32>, EngineError> {
        self.prompts
            .text()
            .encode(text, add_special)
            .map_err(|error| EngineError::Encode(error.to_string()))
    }

    /// Text of an answer's tokens, without special tokens.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, EngineError> {
        self.prompts
            .text()
            .decode(tokens)
            .map_err(|error| EngineError::Decode(error.to_string()))
    }

    /// The text of an answer with these tokens, cut at [`text_bound`] of the requested number of tokens, in
    /// whole characters.
    fn text(&self, tokens: &[u32], parameters: &SamplingParameters) -> Result<String, EngineError> {
        let mut text = self.decode(tokens)?;
        let bound = text_bound(u32::from(parameters.max_tokens));
        text.truncate(text.floor_char_boundary(bound as usize));
        Ok(text)
    }

    /// Answers `prompt`. `on_token` is called with each token and can cancel: the answer is then the part
    /// generated so far, which no check will find valid.
    pub fn answer(
        &self,
        prompt: &str,
        parameters: &SamplingParameters,
        seed: [u8; 32],
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<Answer, EngineError> {
        self.answer_unless(&Cancel::default(), prompt, parameters, seed, on_token)
    }

    /// As [`answer`](Self::answer); `cancel` also cancels, even before the first token.
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

    /// Re-executes an answer, all of its positions in parallel. A flaw of `tokens` or `text` is a verdict; an
    /// error concerns the prompt, the parameters or the execution.
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
                CheckVerdict::Invalid(AnswerFault::WrongText)
            }
            None => CheckVerdict::Valid,
        };
        Ok(Check {
            verdict,
            prompt_tokens: count(&prompt),
            hidden: checked.hidden.into_iter().map(H256).collect(),
        })
    }

    /// Answers a prompt of a session, which consists of tokens. Keys and values that earlier answers of the session
    /// left are reused. `on_token` is called with each token and can end the answer; `cancel` also does, even before
    /// the first token.
    pub fn answer_tokens(
        &self,
        cancel: &Cancel,
        session: SessionId,
        prompt: &[u32],
        parameters: &SamplingParameters,
        seed: [u8; 32],
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<TokenAnswer, EngineError> {
        let request = self.request(parameters, seed)?;
        let owner = Owner(session.0);
        let answered = self
            .scheduler
            .answer_owned(owner, prompt, &request, cancel, on_token);
        memory::give_back();
        let (generated, cached) = answered?;
        Ok(TokenAnswer {
            cached_tokens: u32::try_from(cached).unwrap_or(u32::MAX),
            end: match generated.end {
                End::StopToken => AnswerEnd::Stop,
                End::MaxTokens | End::ContextFull => AnswerEnd::Length,
                _ => AnswerEnd::ByPayer,
            },
            tokens: generated.tokens,
            hidden: generated.hidden.into_iter().map(H256).collect(),
        })
    }

    /// Re-executes an answer of a session, whose receipt states `end`. An answer that the payer ended early is right
    /// if its tokens are.
    pub fn check_tokens(
        &self,
        cancel: &Cancel,
        prompt: &[u32],
        parameters: &SamplingParameters,
        seed: [u8; 32],
        tokens: &[u32],
        end: AnswerEnd,
    ) -> Result<Check, EngineError> {
        let request = self.request(parameters, seed)?;
        let checked = self.scheduler.check(prompt, tokens, &request, cancel);
        memory::give_back();
        let checked = checked?;
        let stops = tokens
            .last()
            .is_some_and(|token| request.stop_tokens.contains(token));
        let found = match checked.flaw {
            None if stops => Ok(AnswerEnd::Stop),
            None => Ok(AnswerEnd::Length),
            Some(Flaw::EndsEarly { length }) if length == tokens.len() && length > 0 => {
                Ok(AnswerEnd::ByPayer)
            }
            Some(flaw) => Err(flaw),
        };
        let verdict = match found {
            Ok(found) if found == end => CheckVerdict::Valid,
            // The worker stopped, and nothing but its own statement ends the answer there.
            Ok(AnswerEnd::ByPayer) => CheckVerdict::Invalid(AnswerFault::EndsEarly {
                length: tokens.len(),
            }),
            Ok(_) => CheckVerdict::Invalid(AnswerFault::WrongEnd),
            Err(flaw) => CheckVerdict::Invalid(fault(flaw, tokens)),
        };
        Ok(Check {
            verdict,
            prompt_tokens: count(prompt),
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
    ) -> Result<GenerationParameters<'_>, EngineError> {
        parameters.validate().map_err(EngineError::Parameters)?;
        Ok(GenerationParameters {
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

/// The codec of prompts, if the manifest bounds their tokens.
fn prompts(checkpoint: &OpenCheckpoint) -> Result<PromptCodec, EngineError> {
    let manifest = checkpoint.manifest();
    let prompts = PromptCodec::new(
        checkpoint.tokenizer(),
        manifest.frame.as_ref(),
        manifest.bos,
        manifest.eos,
        &manifest.stops,
        &manifest.architecture,
    )
    .map_err(|error| match error {
        PromptError::Tokenizer(error) => EngineError::Tokenizer(error),
        PromptError::OtherTables(error) => EngineError::OtherTables(error.to_string()),
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

/// The fallback for a lost device other than the processor.
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

fn fault(flaw: Flaw, tokens: &[u32]) -> AnswerFault {
    match flaw {
        Flaw::WrongToken { index, expected } => AnswerFault::WrongToken {
            index,
            expected,
            found: tokens[index],
        },
        Flaw::EndsEarly { length } => AnswerFault::EndsEarly { length },
        Flaw::RunsOn { length } => AnswerFault::RunsOn { length },
        flaw => unreachable!("every flaw of this version of the numerics is known, not {flaw}"),
    }
}
