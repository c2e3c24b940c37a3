//! The objects of `/v1/chat/completions` and `/v1/completions`.

use super::call::{About, Told};
use super::events::{event, Telling, DONE};
use super::writing::Piece;
use crate::fault::ApiFault;
use serde_json::{json, Value};
use std::collections::HashSet;

/// All answers in one object.
pub(super) fn whole(about: &About, told: Vec<Told>, is_chat: bool) -> Value {
    let choices = told.into_iter().enumerate().map(|(index, told)| {
        let ending = told.ending.as_ref();
        let reason = ending.map(|ending| ending.reason());
        let receipts = ending.map(|ending| ending.receipts());
        let mut choice = json!({
            "index": index,
            "finish_reason": reason,
            "logprobs": null,
            "noema": receipts,
        });
        match is_chat {
            true => {
                choice["message"] = json!({
                    "role": "assistant",
                    "content": told.text,
                    "refusal": null,
                });
            }
            false => choice["text"] = told.text.into(),
        }
        choice
    });
    let choices: Vec<Value> = choices.collect();
    let object = match is_chat {
        true => "chat.completion",
        false => "text_completion",
    };
    json!({
        "id": about.id,
        "object": object,
        "created": about.created,
        "model": about.model,
        "system_fingerprint": about.fingerprint,
        "choices": choices,
        "usage": about.usage.json(),
    })
}

/// Answers as a stream of chunks.
pub(super) struct Chunks {
    about: About,
    is_chat: bool,
    /// The answers that have begun.
    begun: HashSet<usize>,
    is_failed: bool,
}

impl Chunks {
    pub(super) fn new(about: About, is_chat: bool) -> Self {
        Self {
            about,
            is_chat,
            begun: HashSet::new(),
            is_failed: false,
        }
    }

    fn chunk(&self, choices: &Value) -> Value {
        let object = match self.is_chat {
            true => "chat.completion.chunk",
            false => "text_completion",
        };
        json!({
            "id": self.about.id,
            "object": object,
            "created": self.about.created,
            "model": self.about.model,
            "system_fingerprint": self.about.fingerprint,
            "choices": choices,
            "usage": null,
        })
    }

    fn choice(&self, index: usize, text: Option<&str>, reason: Option<&str>) -> Value {
        match self.is_chat {
            true => json!({
                "index": index,
                "delta": text.map_or_else(|| json!({}), |text| json!({ "content": text })),
                "logprobs": null,
                "finish_reason": reason,
            }),
            false => json!({
                "index": index,
                "text": text.unwrap_or_default(),
                "logprobs": null,
                "finish_reason": reason,
            }),
        }
    }

    fn fail(&mut self, fault: &ApiFault) -> String {
        self.is_failed = true;
        event(&fault.json())
    }
}

impl Telling<(usize, Piece)> for Chunks {
    fn tell(&mut self, (index, piece): (usize, Piece)) -> Vec<String> {
        if self.is_failed {
            return Vec::new();
        }
        let mut events = Vec::new();
        if self.is_chat && self.begun.insert(index) {
            let mut choice = self.choice(index, Some(""), None);
            choice["delta"]["role"] = "assistant".into();
            events.push(event(&self.chunk(&json!([choice]))));
        }
        events.push(match piece {
            Piece::Text(text) => {
                let choice = self.choice(index, Some(&text), None);
                event(&self.chunk(&json!([choice])))
            }
            Piece::End(ending) => {
                self.about.usage.add(&ending);
                let choice = self.choice(index, None, Some(ending.reason()));
                let mut chunk = self.chunk(&json!([choice]));
                chunk["noema"] = ending.receipts();
                event(&chunk)
            }
            Piece::Again(_) => {
                let fault = ApiFault::internal("tokens that were passed on were taken back");
                self.fail(&fault)
            }
            Piece::Failed(fault) => self.fail(&fault),
        });
        events
    }

    fn finish(&mut self) -> Vec<String> {
        if self.is_failed {
            return Vec::new();
        }
        let mut events = Vec::new();
        if self.about.shape.includes_usage {
            let mut chunk = self.chunk(&json!([]));
            chunk["usage"] = self.about.usage.json();
            events.push(event(&chunk));
        }
        events.push(DONE.to_owned());
        events
    }
}
