//! `/v1/responses`, without state: nothing of a call is stored.

use super::call::{is_text, About, Call, Prompt, Told};
use super::content;
use super::events::{named, Telling};
use super::fields::{is_off, never, Fields};
use super::sampling::{Sampled, Shape};
use super::writing::{Ending, Piece};
use crate::fault::ApiFault;
use crate::{Conversation, Json};
use serde_json::{json, Value};

/// Reads a call.
pub(super) fn read(fields: &Fields<'_>) -> Result<Call, ApiFault> {
    let stateless = "nothing of a call is stored; send the whole conversation as `input`";
    for name in ["previous_response_id", "conversation", "prompt"] {
        fields.refuse(name, never, stateless)?;
    }
    fields.refuse("background", is_off, stateless)?;
    let is_off_truncation = |value: &Json| value.text() == Some("disabled");
    let truncation = "an input that is too long is refused; send a shorter one";
    fields.refuse("truncation", is_off_truncation, truncation)?;
    let is_plain = |text: &Json| text.get("format").is_none_or(is_text);
    fields.refuse("text", is_plain, "answers are text; leave `format` out")?;
    let has_no_effort = |value: &Json| value.get("effort").is_none_or(Json::is_null);
    let effort = "the checkpoint decides how it reasons; leave `effort` out";
    fields.refuse("reasoning", has_no_effort, effort)?;
    let instructions = fields.text("instructions")?;
    let mut items = Vec::new();
    if let Some(instructions) = instructions {
        items.push(message("system", instructions.into()));
    }
    match fields.get("input") {
        Some(Json::Text(text)) => items.push(message("user", text.clone().into())),
        Some(Json::List(list)) => {
            for (place, entry) in list.iter().enumerate() {
                items.push(item(entry, &format!("input[{place}]"))?);
            }
        }
        _ => {
            let message = "`input` must be a string or a list of items";
            return Err(ApiFault::parameter("input", message));
        }
    }
    let conversation = Conversation {
        messages: content::messages(&items)?,
        tools: tools(fields)?,
    };
    Ok(Call {
        prompts: vec![Prompt::Conversation(conversation)],
        parameter: "input",
        sampled: Sampled::read(fields, &["max_output_tokens"])?,
        stops: Vec::new(),
        shape: Shape {
            n: 1,
            is_streamed: fields.flag("stream")?,
            includes_usage: true,
        },
        instructions: instructions.map(str::to_owned),
        is_verified: false,
    })
}

fn map(entries: Vec<(&str, Json)>) -> Json {
    let entries = entries.into_iter();
    Json::Map(
        entries
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn message(role: &str, content: Json) -> Json {
    map(vec![("role", role.into()), ("content", content)])
}

/// An item of the input as a message.
fn item(item: &Json, path: &str) -> Result<Json, ApiFault> {
    let fields = Fields::of(item)?;
    let required = |name: &str| {
        fields.get(name).cloned().ok_or_else(|| {
            let path = format!("{path}.{name}");
            let message = format!("`{path}` is missing");
            ApiFault::parameter(path, message)
        })
    };
    match fields.text("type")? {
        None | Some("message") => {
            let role = content::role(fields.text("role")?, path)?;
            Ok(message(role, required("content")?))
        }
        Some("function_call") => {
            let function = map(vec![
                ("name", required("name")?),
                ("arguments", required("arguments")?),
            ]);
            let call = map(vec![
                ("id", required("call_id")?),
                ("type", "function".into()),
                ("function", function),
            ]);
            Ok(map(vec![
                ("role", "assistant".into()),
                ("content", "".into()),
                ("tool_calls", Json::List(vec![call])),
            ]))
        }
        Some("function_call_output") => Ok(map(vec![
            ("role", "tool".into()),
            ("tool_call_id", required("call_id")?),
            ("content", required("output")?),
        ])),
        Some(_) => {
            let path = format!("{path}.type");
            let message =
                format!("`{path}` must be message, function_call or function_call_output");
            Err(ApiFault::parameter(path, message))
        }
    }
}

/// The tools, in the form of `/v1/chat/completions`.
fn tools(fields: &Fields<'_>) -> Result<Option<Vec<Json>>, ApiFault> {
    let Some(tools) = content::tools(fields)? else {
        return Ok(None);
    };
    let nested = tools.iter().map(|tool| {
        let kept = ["name", "description", "parameters"];
        let entries = tool.entries().unwrap_or_default().iter();
        let kept = entries.filter(|(name, _)| kept.contains(&name.as_str()));
        let function = Json::Map(kept.cloned().collect());
        map(vec![("type", "function".into()), ("function", function)])
    });
    Ok(Some(nested.collect()))
}

/// The object that tells the answer at once.
pub(super) fn whole(about: &About, told: Vec<Told>) -> Value {
    let told = told.into_iter().next().unwrap_or_default();
    let Some(ending) = told.ending else {
        return object(about, "failed", json!([]), None);
    };
    let item = output(about, &told.text, "completed");
    object(about, status(&ending), json!([item]), Some(&ending))
}

fn status(ending: &Ending) -> &'static str {
    match ending.is_cut {
        true => "incomplete",
        false => "completed",
    }
}

/// The id of the message in a response.
fn message_id(about: &About) -> String {
    about.id.replacen("resp_", "msg_", 1)
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

fn output(about: &About, text: &str, status: &str) -> Value {
    let content = match status {
        "in_progress" => json!([]),
        _ => json!([part(text)]),
    };
    json!({
        "id": message_id(about),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    })
}

fn object(about: &About, status: &str, output: Value, ending: Option<&Ending>) -> Value {
    let is_cut = ending.is_some_and(|ending| ending.is_cut);
    let details = is_cut.then(|| json!({ "reason": "max_output_tokens" }));
    json!({
        "id": about.id,
        "object": "response",
        "created_at": about.created,
        "status": status,
        "error": null,
        "incomplete_details": details,
        "instructions": about.instructions,
        "max_output_tokens": null,
        "metadata": {},
        "model": about.model,
        "output": output,
        "parallel_tool_calls": false,
        "previous_response_id": null,
        "store": false,
        "system_fingerprint": about.fingerprint,
        "temperature": about.sampled.temperature(),
        "text": { "format": { "type": "text" } },
        "tool_choice": "auto",
        "tools": [],
        "top_p": about.sampled.top_p(),
        "truncation": "disabled",
        "usage": ending.map(|_| about.usage.json_of_responses()),
        "noema": ending.map(|ending| ending.receipts()),
    })
}

/// The answer as a stream of events.
pub(super) struct Events {
    about: About,
    text: String,
    /// The number of the next event.
    number: u64,
    has_begun: bool,
    is_failed: bool,
}

impl Events {
    pub(super) fn new(about: About) -> Self {
        Self {
            about,
            text: String::new(),
            number: 0,
            has_begun: false,
            is_failed: false,
        }
    }

    fn event(&mut self, name: &str, mut data: Value) -> String {
        data["type"] = name.into();
        data["sequence_number"] = self.number.into();
        self.number = self.number.saturating_add(1);
        named(name, &data)
    }

    fn begin(&mut self) -> Vec<String> {
        let begun = object(&self.about, "in_progress", json!([]), None);
        let item = output(&self.about, "", "in_progress");
        let id = message_id(&self.about);
        vec![
            self.event("response.created", json!({ "response": begun })),
            self.event("response.in_progress", json!({ "response": begun })),
            self.event(
                "response.output_item.added",
                json!({ "output_index": 0, "item": item }),
            ),
            self.event(
                "response.content_part.added",
                json!({ "item_id": id, "output_index": 0, "content_index": 0, "part": part("") }),
            ),
        ]
    }

    fn end(&mut self, ending: &Ending) -> Vec<String> {
        self.about.usage.add(ending);
        let id = message_id(&self.about);
        let item = output(&self.about, &self.text, "completed");
        let whole = object(&self.about, status(ending), json!([item]), Some(ending));
        let text = self.text.clone();
        let name = match ending.is_cut {
            true => "response.incomplete",
            false => "response.completed",
        };
        vec![
            self.event(
                "response.output_text.done",
                json!({ "item_id": id, "output_index": 0, "content_index": 0, "text": text, "logprobs": [] }),
            ),
            self.event(
                "response.content_part.done",
                json!({ "item_id": id, "output_index": 0, "content_index": 0, "part": part(&text) }),
            ),
            self.event(
                "response.output_item.done",
                json!({ "output_index": 0, "item": item }),
            ),
            self.event(name, json!({ "response": whole })),
        ]
    }

    fn fail(&mut self, fault: &ApiFault) -> Vec<String> {
        self.is_failed = true;
        let error = fault.json();
        let mut failed = object(&self.about, "failed", json!([]), None);
        failed["error"] = json!({
            "code": "server_error",
            "message": error["error"]["message"],
        });
        vec![self.event("response.failed", json!({ "response": failed }))]
    }
}

impl Telling<(usize, Piece)> for Events {
    fn tell(&mut self, (_, piece): (usize, Piece)) -> Vec<String> {
        if self.is_failed {
            return Vec::new();
        }
        let mut events = match std::mem::replace(&mut self.has_begun, true) {
            true => Vec::new(),
            false => self.begin(),
        };
        events.extend(match piece {
            Piece::Text(text) => {
                self.text.push_str(&text);
                let id = message_id(&self.about);
                vec![self.event(
                    "response.output_text.delta",
                    json!({ "item_id": id, "output_index": 0, "content_index": 0, "delta": text, "logprobs": [] }),
                )]
            }
            Piece::End(ending) => self.end(&ending),
            Piece::Again(_) => {
                let fault = ApiFault::internal("tokens that were passed on were taken back");
                self.fail(&fault)
            }
            Piece::Failed(fault) => self.fail(&fault),
        });
        events
    }

    fn finish(&mut self) -> Vec<String> {
        Vec::new()
    }
}
