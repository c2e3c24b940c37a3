//! The text side of a checkpoint for payers of sessions: conversations to tokens, tokens to text.

use super::prompt::{only_message, PromptCodec};
use super::{prompts, EngineError};
use crate::chat_template::{process, Rendering, TemplateFault};
use crate::checkpoint::OpenCheckpoint;
use noema_gateway::{Conversation, TextFault, TextLayer};
use std::io;
use std::path::PathBuf;

/// A checkpoint's tokenizer and chat template. It executes no model.
///
/// The template runs in a process of its own for each conversation.
#[derive(Debug)]
pub struct ChatCodec {
    prompts: PromptCodec,
    template: Option<Template>,
}

/// A chat template, with what it gets.
#[derive(Debug)]
struct Template {
    source: String,
    bos: String,
    eos: String,
    /// The program that runs it.
    program: PathBuf,
}

impl ChatCodec {
    /// The text side of `checkpoint`. `program` runs its chat template: its `main` begins with
    /// [`run_chat_template`](crate::import::run_chat_template). Without `program`, the running one does.
    ///
    /// # Errors
    /// When the tokenizer or the frame cannot be used, or the running program does not begin like that.
    pub fn open(
        checkpoint: &OpenCheckpoint,
        program: Option<PathBuf>,
    ) -> Result<Self, EngineError> {
        let prompts = prompts(checkpoint)?;
        let manifest = checkpoint.manifest();
        let name = |token: Option<u32>| {
            let form = token.map(|id| prompts.text().token(id));
            form.unwrap_or_default()
        };
        let template = match checkpoint.chat_template() {
            "" => None,
            source => Some(Template {
                source: source.to_owned(),
                bos: name(manifest.bos),
                eos: name(manifest.eos),
                program: match program {
                    Some(program) => program,
                    None => process::this_program().map_err(EngineError::ChatTemplate)?,
                },
            }),
        };
        Ok(Self { prompts, template })
    }
}

impl Template {
    fn render(&self, conversation: Conversation) -> io::Result<Result<String, TemplateFault>> {
        let rendering = Rendering {
            source: self.source.clone(),
            bos: self.bos.clone(),
            eos: self.eos.clone(),
            conversation,
        };
        process::text(&self.program, &rendering)
    }
}

impl TextLayer for ChatCodec {
    fn chat(&self, conversation: &Conversation) -> Result<Vec<u32>, TextFault> {
        self.prompts
            .encode_conversation(conversation, &|conversation| match &self.template {
                None => only_message(&conversation),
                Some(template) => match template.render(conversation) {
                    Ok(Ok(text)) => Ok(text),
                    Ok(Err(TemplateFault::Refused(reason))) => Err(TextFault::Template(reason)),
                    Ok(Err(TemplateFault::Syntax(reason))) => {
                        Err(TextFault::Template(format!("does not compile: {reason}")))
                    }
                    Err(error) => Err(TextFault::NotRun(error.to_string())),
                },
            })
    }

    fn plain(&self, text: &str) -> Result<Vec<u32>, TextFault> {
        self.prompts.text().encode(text, true).map_err(tokenizer)
    }

    fn decode(&self, tokens: &[u32]) -> Result<String, TextFault> {
        self.prompts.text().decode(tokens).map_err(tokenizer)
    }

    fn is_hidden(&self, token: u32) -> bool {
        self.prompts.text().is_hidden(token)
    }
}

/// The fault of an error of the tokenizer's library.
fn tokenizer(error: tokenizers::Error) -> TextFault {
    TextFault::Tokenizer(error.to_string())
}
