//! From one user message to the text a model was trained to continue.
//!
//! Chat templates are Jinja programs that come with a checkpoint, so they are run as untrusted code: without
//! access to files or time, with bounded work and memory, and refused when they fail. They get what
//! Transformers gives them: its filters and functions, no tools and no documents.
//!
//! A program can do anything with a message: refuse it, repeat it, take all of the memory. A worker must be
//! able to answer every prompt that the chain accepts, so no worker runs a template. Instead, an import finds
//! the text that the template puts around a message, its [`Frame`], and the manifest records it; a template
//! that treats some messages differently is refused. The payer of a session runs the template on its whole
//! conversation. Both run it in a [`process`] of its own.

mod clock;
mod json;
pub(crate) mod process;

use minijinja::{
    context,
    syntax::SyntaxConfig,
    value::{Value, ValueKind},
    Environment, Error, ErrorKind, State,
};
use minijinja_contrib::pycompat::unknown_method_callback;
use noema_checkpoint::Frame;
use noema_gateway::{Conversation, Json};
use serde::{Deserialize, Serialize};
use std::{io, thread};

/// Longest source of a template, in bytes: the engine needs a multiple of it in memory.
pub(crate) const LONGEST: usize = 1 << 20;

/// Most work for one text: an instruction costs 1, as do 64 bytes of data that it creates. The engine does
/// not count everything, see [`process`].
const FUEL: u64 = 300_000;

/// Stack of the thread that runs a template, in bytes. The engine calls itself for each level of nested values
/// and macros.
const STACK: usize = 64 << 20;

/// A message that no template contains, with white space, which some templates leave out.
const MARK: &str = "  5f1c9b7e frame 2d80a6e4  ";

/// Most characters of a reason for which a template has no result.
const LONGEST_REASON: usize = 400;

const NAME: &str = "chat_template";

/// Why a chat template has no frame, or writes no text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TemplateFault {
    /// It does not compile, for this reason.
    Syntax(String),
    /// It fails or takes too much for a text, or does more with a message than to put text around it: the end
    /// of a sentence that begins with the template.
    Refused(String),
}

/// A chat template, and what it is tried with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trial {
    /// The template.
    pub(crate) source: String,
    /// Its `bos_token`.
    pub(crate) bos: String,
    /// Its `eos_token`.
    pub(crate) eos: String,
    /// Messages around which it has to put the same text.
    pub(crate) messages: Vec<String>,
}

/// A conversation, and the template that writes it as a text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rendering {
    /// The template.
    pub(crate) source: String,
    /// Its `bos_token`.
    pub(crate) bos: String,
    /// Its `eos_token`.
    pub(crate) eos: String,
    /// The conversation.
    pub(crate) conversation: Conversation,
}

/// Checks that a template is not longer than [`LONGEST`].
///
/// # Errors
/// The end of a sentence that begins with the template.
pub(crate) fn check_length(source: &str) -> Result<(), String> {
    match source.len() {
        ..=LONGEST => Ok(()),
        bytes => Err(format!("has {bytes} bytes; at most {LONGEST} are read")),
    }
}

impl Trial {
    /// Finds the frame of the template, on a thread with a stack that is large enough.
    ///
    /// # Errors
    /// The outer error is the system's, which starts no thread.
    pub(crate) fn run(&self) -> io::Result<Result<Frame, TemplateFault>> {
        on_own_stack(|| self.find())
    }

    fn find(&self) -> Result<Frame, TemplateFault> {
        let template = compiled(&self.source, &self.bos, &self.eos)?;
        let marked = rendered(&template, MARK)?;
        let frame = [MARK, MARK.trim()].into_iter().find_map(|mark| {
            let (before, after) = marked.split_once(mark)?;
            Some(Frame {
                before: before.to_owned(),
                after: after.to_owned(),
                trims: mark != MARK,
            })
        });
        let Some(frame) = frame else {
            let problem = "leaves the message out or changes it";
            return Err(TemplateFault::Refused(problem.into()));
        };
        if frame.bytes() > Frame::MAX_BYTES {
            return Err(TemplateFault::Refused(format!(
                "puts {} bytes around a message, more than {}",
                frame.bytes(),
                Frame::MAX_BYTES
            )));
        }
        for message in &self.messages {
            if rendered(&template, message)? != frame.around(message) {
                return Err(TemplateFault::Refused(format!(
                    "treats a message like {:?} differently from others",
                    beginning(message)
                )));
            }
        }
        Ok(frame)
    }
}

impl Rendering {
    /// The text that asks for the next message of the conversation, written on a thread with a stack that is
    /// large enough.
    ///
    /// # Errors
    /// The outer error is the system's, which starts no thread.
    pub(crate) fn run(&self) -> io::Result<Result<String, TemplateFault>> {
        on_own_stack(|| {
            let template = compiled(&self.source, &self.bos, &self.eos)?;
            let Conversation { messages, tools } = &self.conversation;
            let messages: Value = messages.iter().map(value).collect();
            let tools: Value = match tools {
                Some(tools) => tools.iter().map(value).collect(),
                None => Value::from(()),
            };
            let written = template.render_messages(messages, tools);
            written.map_err(|error| TemplateFault::Refused(shortened(format!("fails ({error})"))))
        })
    }
}

/// The result of `work`, which runs on a thread with a stack for deeply nested values.
fn on_own_stack<T: Send>(
    work: impl FnOnce() -> Result<T, TemplateFault> + Send,
) -> io::Result<Result<T, TemplateFault>> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK);
        let running = thread.spawn_scoped(scope, work)?;
        Ok(running.join().unwrap_or_else(|_| {
            Err(TemplateFault::Refused(
                "makes the template engine panic".into(),
            ))
        }))
    })
}

fn compiled(source: &str, bos: &str, eos: &str) -> Result<ChatTemplate, TemplateFault> {
    ChatTemplate::compile(source, bos, eos)
        .map_err(|error| TemplateFault::Syntax(shortened(error.to_string())))
}

/// A JSON value as a template gets it.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or_default()),
        },
        Json::Text(text) => Value::from(text.as_str()),
        Json::List(items) => items.iter().map(value).collect(),
        Json::Map(entries) => {
            let entries = entries.iter();
            Value::from_pairs(entries.map(|(key, entry)| (key.as_str(), value(entry))))
        }
    }
}

fn rendered(template: &ChatTemplate, message: &str) -> Result<String, TemplateFault> {
    template.render(message).map_err(|error| {
        let problem = format!("fails on a message like {:?} ({error})", beginning(message));
        TemplateFault::Refused(shortened(problem))
    })
}

fn beginning(message: &str) -> String {
    message.chars().take(40).collect()
}

fn shortened(mut reason: String) -> String {
    if let Some((end, _)) = reason.char_indices().nth(LONGEST_REASON) {
        reason.truncate(end);
        reason.push('…');
    }
    reason
}

/// A chat template, ready to render.
#[derive(Debug)]
struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Compiles `source`, in which `bos` and `eos` are available as `bos_token` and `eos_token`.
    fn compile(source: &str, bos: &str, eos: &str) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()?,
        );
        environment.set_fuel(Some(FUEL));
        environment.set_unknown_method_callback(python_method);
        environment.add_function("raise_exception", |message: String| -> Result<(), Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_function("strftime_now", clock::strftime_now);
        environment.add_filter("tojson", json::tojson);
        environment.add_template_owned(NAME, without_generation(source))?;
        Ok(Self {
            environment,
            bos: bos.to_owned(),
            eos: eos.to_owned(),
        })
    }

    /// The text that asks for an answer to `prompt`, as the user's message.
    fn render(&self, prompt: &str) -> Result<String, Error> {
        let message = context! { role => "user", content => prompt };
        self.render_messages(Value::from_iter([message]), Value::from(()))
    }

    /// The text that asks for the next message.
    fn render_messages(&self, messages: Value, tools: Value) -> Result<String, Error> {
        let template = self.environment.get_template(NAME)?;
        template.render(context! {
            messages => messages,
            add_generation_prompt => true,
            tools => tools,
            documents => Value::from(()),
            bos_token => &self.bos,
            eos_token => &self.eos,
        })
    }
}

/// The methods that Python's values have.
fn python_method(
    state: &mut State,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    if let ("format", Some(text)) = (name, value.as_str()) {
        // The library charges for the text only after it has made it.
        state.consume_fuel(formatted_bytes(text, arguments)? / 64)?;
    }
    unknown_method_callback(state, value, name, arguments)
}

/// About the most bytes that `text.format(…)` has: its widths, and an argument for each field.
fn formatted_bytes(text: &str, arguments: &[Value]) -> Result<u64, Error> {
    let mut longest = 0;
    for argument in arguments {
        longest = longest.max(match argument.kind() {
            ValueKind::String => argument.as_str().unwrap_or_default().len(),
            ValueKind::None | ValueKind::Bool | ValueKind::Number => 64,
            kind => {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("format takes texts and numbers, not a value of type {kind}"),
                ))
            }
        });
    }
    let fields = text.matches('{').count();
    let numbers = text.split(|character: char| !character.is_ascii_digit());
    let widths = numbers.filter(|digits| !digits.is_empty()).map(|digits| {
        let width: Result<u64, _> = digits.parse();
        width.unwrap_or(u64::MAX)
    });
    let filled = widths.fold(0u64, u64::saturating_add);
    Ok(filled.saturating_add((fields as u64).saturating_mul(longest as u64)))
}

/// `source` with a block of no effect in the place of each `{% generation %}`, by which Transformers marks
/// the text of a model for training.
fn without_generation(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, from)) = rest.split_once("{%") {
        let Some((tag, after)) = from.split_once("%}") else {
            break;
        };
        out.push_str(before);
        out.push_str("{%");
        match tag.trim_matches(['-', '+']).trim() {
            "generation" => out.push_str(&tag.replace("generation", "with")),
            "endgeneration" => out.push_str(&tag.replace("endgeneration", "endwith")),
            _ => out.push_str(tag),
        }
        out.push_str("%}");
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of SmolLM2's template: a default system message, then turns.
    const TURNS: &str = "{% for message in messages %}\
        {% if loop.first and messages[0]['role'] != 'system' %}\
        {{ '<|im_start|>system\nBe helpful<|im_end|>\n' }}{% endif %}\
        {{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}\
        {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    fn compile(source: &str) -> ChatTemplate {
        ChatTemplate::compile(source, "<s>", "</s>").expect("the template compiles")
    }

    #[test]
    fn a_template_frames_the_prompt_and_asks_for_an_answer() {
        assert_eq!(
            compile(TURNS).render("Who?").expect("renders"),
            "<|im_start|>system\nBe helpful<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n\
             <|im_start|>assistant\n"
        );
    }

    #[test]
    fn python_methods_and_token_names_are_known() {
        let template =
            compile("{{ bos_token }}{{ messages[0]['content'].strip() }}{{ eos_token }}");
        assert_eq!(template.render("  hi ").expect("renders"), "<s>hi</s>");
    }

    #[test]
    fn a_prompt_is_data_not_template() {
        let template = compile("{{ messages[0].content }}");
        assert_eq!(
            template.render("{{ 1 + 1 }} <b>").expect("renders"),
            "{{ 1 + 1 }} <b>"
        );
    }

    #[test]
    fn a_template_that_takes_too_much_ends_with_an_error() {
        for source in [
            "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}",
            "{% for a in range(10000) %}{% for b in range(100) %}{% endfor %}{% endfor %}",
            "{% set ns = namespace(a='x') %}{% for i in range(60) %}\
             {% set ns.a = ns.a.replace('x', 'xx') %}{% endfor %}",
            "{% set ns = namespace(a='x') %}{% for i in range(60) %}\
             {% set ns.a = ns.a | replace('x', 'xx') %}{% endfor %}",
            "{% set ns = namespace(a='x') %}{% for i in range(60) %}\
             {% set ns.a = ns.a ~ ns.a %}{% endfor %}",
            "{% set ns = namespace(a='x') %}{% for i in range(60) %}\
             {% set ns.a = ns.a.join([ns.a, ns.a, ns.a]) %}{% endfor %}",
            "{{ 'x' * 10000000000 }}",
            "{{ '{:4000000000}'.format('x') }}",
            "{{ ('{0}' * 100000).format('x' * 100000) }}",
            "{{ '{a}'.format(a='x') }}",
            "{% macro again(a) %}{{ again(a ~ 'x') }}{% endmacro %}{{ again('') }}",
            "{% include 'chat_template' %}",
        ] {
            let source = format!("{source}{{{{ messages[0].content }}}}");
            let reason = refused(&source);
            assert!(reason.contains("fails on a message"), "{source}");
        }
    }

    #[test]
    fn parentheses_without_end_do_not_compile() {
        let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(ChatTemplate::compile(&parentheses, "", "").is_err());
    }

    #[test]
    fn a_template_has_a_longest_length() {
        let mut source = "x".repeat(LONGEST);
        assert_eq!(check_length(&source), Ok(()));
        source.push('x');
        let problem = check_length(&source).expect_err("it is too long");
        assert_eq!(problem, "has 1048577 bytes; at most 1048576 are read");
    }

    #[test]
    fn what_marks_the_text_of_a_model_changes_nothing() {
        let marked = compile(
            "{% for m in messages %}\n  {%- generation -%}\n {{ m['content'] }}{% endgeneration %}|{% endfor %}",
        );
        assert_eq!(marked.render("hi").expect("renders"), "hi|");
        assert!(ChatTemplate::compile("{% generation %}", "", "").is_err());
        assert_eq!(without_generation("{% a %} {% b"), "{% a %} {% b");
    }

    #[test]
    fn a_template_gets_what_transformers_gives_it() {
        for (source, expected) in [
            (
                "{{ messages | tojson }}",
                r#"[{"role": "user", "content": "<b> 'é'"}]"#,
            ),
            (
                "{{ tools is none and documents is none and tools is defined }}",
                "True",
            ),
            (
                "{{ {'a': '<&>'} | tojson(ensure_ascii=False) }}",
                r#"{"a": "<&>"}"#,
            ),
        ] {
            assert_eq!(
                compile(source).render("<b> 'é'").expect("renders"),
                expected
            );
        }
    }

    /// The frame of `source`, checked with a few messages.
    fn frame(source: &str) -> Result<Frame, TemplateFault> {
        let messages = ["", " ", "a", " a\n", "{{ 1 }}", "</s>", "naïve 東京 🙂"];
        let trial = Trial {
            source: source.into(),
            bos: "<s>".into(),
            eos: "</s>".into(),
            messages: messages.map(String::from).into(),
        };
        trial.run().expect("a thread")
    }

    fn refused(source: &str) -> String {
        match frame(source) {
            Err(TemplateFault::Refused(reason)) => reason,
            other => panic!("{source}: {other:?}"),
        }
    }

    #[test]
    fn a_frame_is_what_a_template_puts_around_a_message() {
        let turns = frame(TURNS).expect("a frame");
        assert_eq!(
            turns.before,
            "<|im_start|>system\nBe helpful<|im_end|>\n<|im_start|>user\n"
        );
        assert_eq!(turns.after, "<|im_end|>\n<|im_start|>assistant\n");
        assert!(!turns.trims);
    }

    #[test]
    fn a_frame_trims_where_its_template_does() {
        let frame = frame("[{{ messages[0].content | trim }}]").expect("a frame");
        assert!(frame.trims);
        assert_eq!(frame.around("\u{3000} a b \n"), "[a b]");
        assert_eq!(frame.around("  "), "[]");
    }

    #[test]
    fn a_template_that_treats_messages_differently_has_no_frame() {
        for (source, problem) in [
            (
                "{% if messages[0].content %}{{ messages[0].content }}!{% endif %}",
                "like \"\"",
            ),
            ("{{ messages[0].content }}{{ messages[0].content }}", "like"),
            ("{{ messages | tojson }}", "like"),
            (
                "{{ messages[0].content | upper }}",
                "leaves the message out",
            ),
            ("nothing", "leaves the message out"),
            (
                "{% if '</s>' in messages[0].content %}{{ raise_exception('no') }}{% endif %}\
                 {{ messages[0].content }}",
                "fails on a message like \"</s>\"",
            ),
            (
                "{{ messages[0].content.split('</s>')[-1] }}",
                "like \"</s>\"",
            ),
        ] {
            let reason = refused(source);
            assert!(reason.contains(problem), "{source}: {reason}");
        }
    }

    #[test]
    fn a_frame_has_a_longest_length() {
        let long = |bytes: usize| format!("{}{{{{ messages[0].content }}}}", "x".repeat(bytes));
        assert!(frame(&long(Frame::MAX_BYTES)).is_ok());
        let reason = refused(&long(Frame::MAX_BYTES + 1));
        assert!(reason.contains("puts 8193 bytes"), "{reason}");
    }

    #[test]
    fn a_reason_is_short() {
        let long = "{{ raise_exception('no' * 10000) }}";
        assert!(refused(long).len() < 2 * LONGEST_REASON);
        assert!(matches!(frame("{% if %}"), Err(TemplateFault::Syntax(_))));
    }

    #[test]
    fn a_template_can_refuse_and_cannot_read_the_clock() {
        assert!(compile("{{ raise_exception('no') }}").render("hi").is_err());
        let dated = compile("{{ strftime_now('%d %b %Y') }}");
        assert_eq!(dated.render("hi").expect("renders"), "26 Jul 2024");
    }
}
