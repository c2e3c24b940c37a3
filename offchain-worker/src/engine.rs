//! Answers prompts and checks answers with one checkpoint.
//!
//! ```text
//! prompt ── chat template ── tokenizer ──> tokens ── transformer, sampler ──> tokens ──> text
//! ```
//! Every step is a pure function of the checkpoint, the prompt, the sampling parameters and the
//! seed: whoever repeats it gets the same tokens, the same text and the same trace digest. The
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
//! assert_eq!(check.digest, answer.digest);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod memory;
mod template;
mod tokenizer;

use crate::checkpoint::OpenCheckpoint;
use noema_executor::{
    schedule::{Fallback, Observer},
    Cancel, Device, DeviceClass, Executor, ExecutorError, ScheduleError, ScheduleOptions,
    Scheduler,
};
use noema_numerics::{Flaw, Request, Sampling};
use noema_protocol::{ParameterError, SamplingParameters};
use std::{fmt, ops::ControlFlow, sync::Arc};
use template::ChatTemplate;
use tokenizer::TextCodec;

/// Why a prompt cannot be answered or an answer not be checked. Never something about the answer:
/// that is a [`CheckVerdict`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The checkpoint's `tokenizer.json` cannot be used.
    #[error("The checkpoint's tokenizer cannot be used: {0}.")]
    Tokenizer(String),
    /// The checkpoint's chat template does not compile.
    #[error("The checkpoint's chat template cannot be used: {0:#}.")]
    Template(minijinja::Error),
    /// The chat template refuses the prompt.
    #[error("The chat template refuses the prompt: {0:#}.")]
    Render(minijinja::Error),
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
    /// Their text, special tokens left out.
    pub text: String,
    /// The trace digest, which only executing the model yields.
    pub digest: [u8; 32],
}

/// The result of re-executing an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Whether the answer is what the checkpoint yields.
    pub verdict: CheckVerdict,
    /// Tokens of the prompt, chat template included.
    pub prompt_tokens: u32,
    /// The trace digest of this execution; that of the answer where the answer is right.
    pub digest: [u8; 32],
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
    template: ChatTemplate,
    text: TextCodec,
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
        let text = TextCodec::from_json(checkpoint.tokenizer())
            .map_err(|error| EngineError::Tokenizer(error.to_string()))?;
        let manifest = checkpoint.manifest();
        let name = |token: Option<&u32>| token.map(|&id| text.token(id)).unwrap_or_default();
        let template = ChatTemplate::compile(
            checkpoint.chat_template(),
            name(manifest.bos.as_ref()),
            name(manifest.stops.first()),
        )
        .map_err(EngineError::Template)?;
        let scheduler = Scheduler::start(
            device.executor(checkpoint.clone())?,
            fallback(&checkpoint, device),
            observer,
            ScheduleOptions::default(),
        )?;
        memory::give_back();
        Ok(Self {
            checkpoint,
            template,
            text,
            device: device.clone(),
            scheduler,
        })
    }

    /// The checkpoint that answers.
    pub fn checkpoint(&self) -> &OpenCheckpoint {
        &self.checkpoint
    }

    /// Tokens of `prompt`, said by a user and framed by the chat template. Special tokens written
    /// out in it count as such.
    pub fn encode_prompt(&self, prompt: &str) -> Result<Vec<u32>, EngineError> {
        let framed = self.template.render(prompt).map_err(EngineError::Render)?;
        let tokens = self.encode(&framed, !self.template.writes_special_tokens())?;
        let context = self.checkpoint.architecture().context_length;
        if tokens.len() >= context as usize {
            return Err(EngineError::PromptTooLong {
                tokens: tokens.len(),
                context,
            });
        }
        Ok(tokens)
    }

    /// Tokens of a text as it stands, without chat template.
    pub(crate) fn encode(&self, text: &str, add_special: bool) -> Result<Vec<u32>, EngineError> {
        self.text
            .encode(text, add_special)
            .map_err(|error| EngineError::Encode(error.to_string()))
    }

    /// Text of an answer's tokens, special ones left out.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, EngineError> {
        self.text
            .decode(tokens)
            .map_err(|error| EngineError::Decode(error.to_string()))
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
            text: self.decode(&generated.tokens)?,
            tokens: generated.tokens,
            digest: generated.digest,
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
            None if self.decode(tokens)? != text => CheckVerdict::Invalid(Fault::WrongText),
            None => CheckVerdict::Valid,
        };
        Ok(Check {
            verdict,
            prompt_tokens: count(&prompt),
            digest: checked.digest,
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
