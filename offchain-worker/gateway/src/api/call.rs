//! What the three ways to ask have in common: a call is read, asked, and told at once or as a stream.

use super::content;
use super::fields::{is_off, is_one, never, Fields};
use super::sampling::{stops, Sampled, Shape};
use super::writing::{Ending, Usage};
use crate::fault::ApiFault;
use crate::{Conversation, Json};
use serde_json::Value;

/// Most prompts of a call.
const MOST_PROMPTS: usize = 16;

/// How a call is written: as which of OpenAI's methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Plain,
    /// `/v1/responses`.
    Responses,
}

/// A prompt, before it has tokens.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Prompt {
    Conversation(Conversation),
    Text(String),
}

impl Prompt {
    /// The JSON values of a conversation.
    pub(super) fn values(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::Conversation(conversation) => {
                let tools = conversation.tools.iter().flatten();
                let values = conversation.messages.iter().chain(tools);
                values.map(Json::values).sum()
            }
        }
    }
}

/// A call that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) prompts: Vec<Prompt>,
    /// The parameter that has the prompts.
    pub(super) parameter: &'static str,
    pub(super) sampled: Sampled,
    pub(super) stops: Vec<String>,
    pub(super) shape: Shape,
    /// The instructions, which `/v1/responses` repeats.
    pub(super) instructions: Option<String>,
    /// Whether all of its answers are to be executed again.
    pub(super) is_verified: bool,
}

/// What the objects of a call have in common.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) id: String,
    pub(super) created: u64,
    pub(super) model: String,
    /// The checkpoint that answers.
    pub(super) fingerprint: String,
    pub(super) usage: Usage,
    pub(super) sampled: Sampled,
    pub(super) shape: Shape,
    pub(super) instructions: Option<String>,
}

/// An answer that is told at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) ending: Option<Ending>,
}

impl Form {
    /// What the ids of its objects begin with.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Chat => "chatcmpl-",
            Self::Plain => "cmpl-",
            Self::Responses => "resp_",
        }
    }

    /// Reads a call with at most `most` answers.
    pub(super) fn read(self, fields: &Fields<'_>, most: usize) -> Result<Call, ApiFault> {
        let call = match self {
            Self::Chat => chat(fields, most),
            Self::Plain => plain(fields, most),
            Self::Responses => super::responses::read(fields),
        };
        Ok(Call {
            is_verified: is_verified(fields)?,
            ..call?
        })
    }

    /// The object that tells all answers at once.
    pub(super) fn whole(self, about: &About, told: Vec<Told>) -> Value {
        match self {
            Self::Chat => super::chunks::whole(about, told, true),
            Self::Plain => super::chunks::whole(about, told, false),
            Self::Responses => super::responses::whole(about, told),
        }
    }
}

fn chat(fields: &Fields<'_>, most: usize) -> Result<Call, ApiFault> {
    let Some(list) = fields.list("messages")? else {
        return Err(ApiFault::parameter("messages", "`messages` is missing"));
    };
    fields.refuse("response_format", is_text, "answers are text; leave it out")?;
    let old = "it was replaced by `tools`; use that";
    fields.refuse("functions", never, old)?;
    fields.refuse("function_call", never, old)?;
    let text_only = "answers are text; leave it out";
    fields.refuse("audio", never, text_only)?;
    fields.refuse("modalities", is_text_modality, text_only)?;
    fields.refuse(
        "web_search_options",
        never,
        "workers have no access to the web",
    )?;
    let effort = "the checkpoint decides how it reasons; leave it out";
    fields.refuse("reasoning_effort", never, effort)?;
    fields.refuse("verbosity", never, effort)?;
    let conversation = Conversation {
        messages: content::messages(list)?,
        tools: content::tools(fields)?,
    };
    Ok(Call {
        prompts: vec![Prompt::Conversation(conversation)],
        parameter: "messages",
        sampled: Sampled::read(fields, &["max_completion_tokens", "max_tokens"])?,
        stops: stops(fields)?,
        shape: Shape::read(fields, most)?,
        instructions: None,
        is_verified: false,
    })
}

fn plain(fields: &Fields<'_>, most: usize) -> Result<Call, ApiFault> {
    let wrong = || {
        let message = format!(
            "`prompt` must be a string or a list of {MOST_PROMPTS} strings at most; lists of tokens are not supported"
        );
        ApiFault::parameter("prompt", message)
    };
    let prompts = match fields.get("prompt") {
        Some(Json::Text(prompt)) => vec![Prompt::Text(prompt.clone())],
        Some(Json::List(prompts)) if (1..=MOST_PROMPTS).contains(&prompts.len()) => prompts
            .iter()
            .map(|prompt| prompt.text().map(|text| Prompt::Text(text.to_owned())))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?,
        _ => return Err(wrong()),
    };
    fields.refuse("echo", is_off, "put the prompt before the answer yourself")?;
    fields.refuse(
        "suffix",
        never,
        "answers follow on the prompt; leave it out",
    )?;
    let shape = Shape::read(fields, most)?;
    let is_n = |best: &Json| is_one(best) && shape.n == 1;
    fields.refuse(
        "best_of",
        is_n,
        "workers send tokens without probabilities; use `n`",
    )?;
    let answers = prompts.len().saturating_mul(shape.n);
    if answers > most {
        let message = format!("{answers} answers are asked for; a call has {most} at most");
        return Err(ApiFault::parameter("n", message));
    }
    Ok(Call {
        prompts,
        parameter: "prompt",
        sampled: Sampled::read(fields, &["max_tokens"])?,
        stops: stops(fields)?,
        shape,
        instructions: None,
        is_verified: false,
    })
}

/// Whether `noema.verify` asks for another execution of all answers.
fn is_verified(fields: &Fields<'_>) -> Result<bool, ApiFault> {
    let Some(own) = fields.get("noema") else {
        return Ok(false);
    };
    let wrong = |message| ApiFault::parameter("noema", message);
    let own = Fields::of(own).map_err(|_| wrong("`noema` must be a JSON map"))?;
    let verify = own.flag("verify");
    verify.map_err(|_| ApiFault::parameter("noema.verify", "`noema.verify` must be true or false"))
}

/// Whether a format is that of plain text.
pub(super) fn is_text(format: &Json) -> bool {
    format.get("type").and_then(Json::text) == Some("text")
}

fn is_text_modality(modalities: &Json) -> bool {
    let items = modalities.items().unwrap_or_default();
    matches!(items, [only] if only.text() == Some("text"))
}
