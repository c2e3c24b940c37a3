//! From one user message to the text a model was trained to continue.
//!
//! Chat templates are Jinja programs that come with a checkpoint, so they are run as untrusted code: without
//! access to files or time, with bounded work and memory, and refused when they fail. They get what
//! Transformers gives them: its filters and functions, no tools and no documents.
//!
//! A program can do anything with a message: refuse it, repeat it, exceed its work limit. A worker must be
//! able to answer every prompt that the chain accepts, so a template is not run on prompts. Instead, the text
//! that it puts around a message, its [`Frame`], is found once, when the checkpoint is opened; a template
//! that treats some messages differently is not supported.

mod clock;
mod json;

use super::bounds::Unsupported;
use minijinja::{
    context,
    syntax::SyntaxConfig,
    value::{Value, ValueKind},
    Environment, Error, ErrorKind, State,
};
use minijinja_contrib::pycompat::unknown_method_callback;
use std::thread;

/// Longest source of a template, in bytes: the engine needs a multiple of it in memory.
const LONGEST: usize = 1 << 20;

/// Most work for one message: an instruction costs 1, as do 64 bytes of data that it creates.
const FUEL: u64 = 300_000;

/// Stack of the thread that runs a template, in bytes. A template can nest a list once every few
/// instructions, and the engine visits and frees such a value recursively.
const STACK: usize = 512 << 20;

const NAME: &str = "chat_template";

/// A checkpoint's chat template, ready to render.
#[derive(Debug)]
pub(crate) struct ChatTemplate {
    /// `None` for a checkpoint without template: messages are not changed.
    environment: Option<Environment<'static>>,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Compiles `source`, in which `bos` and `eos` are available as `bos_token` and `eos_token`. With an
    /// empty source, messages are not changed.
    pub(crate) fn compile(source: &str, bos: String, eos: String) -> Result<Self, Error> {
        if source.is_empty() {
            return Ok(Self {
                environment: None,
                bos,
                eos,
            });
        }
        if source.len() > LONGEST {
            return Err(Error::new(
                ErrorKind::SyntaxError,
                format!("it has {} bytes; at most {LONGEST} are read", source.len()),
            ));
        }
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
            environment: Some(environment),
            bos,
            eos,
        })
    }

    /// Whether special tokens are already part of the rendered text.
    pub(crate) fn writes_special_tokens(&self) -> bool {
        self.environment.is_some()
    }

    /// The text that asks for an answer to `prompt`, as the user's message.
    fn render(&self, prompt: &str) -> Result<String, Error> {
        let Some(environment) = &self.environment else {
            return Ok(prompt.to_owned());
        };
        environment.get_template(NAME)?.render(context! {
            messages => [context! { role => "user", content => prompt }],
            add_generation_prompt => true,
            tools => Value::from(()),
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

/// The text that a chat template puts around one user message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The text before the message.
    pub(crate) before: String,
    /// The text after it, up to where the answer begins.
    pub(crate) after: String,
    /// Whether white space at both ends of the message is left out.
    pub(crate) trims: bool,
}

impl Frame {
    /// A message that no template contains, with white space, which some templates leave out.
    const MARK: &str = "  5f1c9b7e frame 2d80a6e4  ";

    /// The frame of `template`; an error unless it applies to every one of `messages`.
    pub(crate) fn of<'a>(
        template: &ChatTemplate,
        messages: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Unsupported> {
        let messages: Vec<&str> = messages.into_iter().collect();
        thread::scope(|scope| {
            let found = thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, || Self::find(template, &messages));
            match found.map(|thread| thread.join()) {
                Ok(Ok(frame)) => frame,
                Ok(Err(_)) => Err(unframed("makes its engine panic")),
                Err(error) => Err(unframed(&format!(
                    "cannot be run, because the system starts no thread for it ({error})"
                ))),
            }
        })
    }

    fn find(template: &ChatTemplate, messages: &[&str]) -> Result<Self, Unsupported> {
        let marked = render(template, Self::MARK)?;
        let frame = [Self::MARK, Self::MARK.trim()]
            .into_iter()
            .find_map(|mark| {
                let (before, after) = marked.split_once(mark)?;
                Some(Self {
                    before: before.to_owned(),
                    after: after.to_owned(),
                    trims: mark != Self::MARK,
                })
            })
            .ok_or_else(|| unframed("leaves the message out or changes it"))?;
        for message in messages {
            if render(template, message)? != frame.around(message) {
                let beginning: String = message.chars().take(40).collect();
                return Err(unframed(&format!(
                    "treats a message like {beginning:?} differently from others"
                )));
            }
        }
        Ok(frame)
    }

    /// `message` in its frame.
    pub(crate) fn around(&self, message: &str) -> String {
        let message = if self.trims { message.trim() } else { message };
        [&self.before, message, &self.after].concat()
    }
}

fn render(template: &ChatTemplate, message: &str) -> Result<String, Unsupported> {
    template.render(message).map_err(|error| {
        let beginning: String = message.chars().take(40).collect();
        unframed(&format!("fails on a message like {beginning:?} ({error})"))
    })
}

fn unframed(problem: &str) -> Unsupported {
    Unsupported::new(
        format!("a chat template that {problem}"),
        "templates that put text before and after a message are",
    )
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
        ChatTemplate::compile(source, "<s>".into(), "</s>".into()).expect("the template compiles")
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
    fn no_template_leaves_the_prompt_alone() {
        let template = compile("");
        assert_eq!(
            template.render("{{ bos_token }}").expect("renders"),
            "{{ bos_token }}"
        );
        assert!(!template.writes_special_tokens());
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
            let error = frame(&source).expect_err(&source);
            assert!(error.what.contains("fails on a message"), "{source}");
        }
    }

    #[test]
    fn deep_values_end_no_process() {
        let nested =
            "{% set ns = namespace(a=[]) %}{% for a in range(2000) %}{% for b in range(10) %}\
             {% set ns.a = [ns.a] %}{% endfor %}{% endfor %}{{ messages[0].content }}";
        let shown = nested.replace("{{ messages", "{{ ns.a }}{{ messages");
        for source in [nested, &shown] {
            // Which of them exceeds its work does not matter.
            let _ = frame(source);
        }
        let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(ChatTemplate::compile(&parentheses, String::new(), String::new()).is_err());
    }

    #[test]
    fn a_template_of_many_megabytes_is_not_compiled() {
        let long = "x".repeat(LONGEST + 1);
        let refused = ChatTemplate::compile(&long, String::new(), String::new());
        let message = refused.expect_err("is refused").to_string();
        assert!(message.contains("1048577 bytes"), "{message}");
    }

    #[test]
    fn what_marks_the_text_of_a_model_changes_nothing() {
        let marked = compile(
            "{% for m in messages %}\n  {%- generation -%}\n {{ m['content'] }}{% endgeneration %}|{% endfor %}",
        );
        assert_eq!(marked.render("hi").expect("renders"), "hi|");
        assert!(ChatTemplate::compile("{% generation %}", String::new(), String::new()).is_err());
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
    fn frame(source: &str) -> Result<Frame, Unsupported> {
        let messages = ["", " ", "a", " a\n", "{{ 1 }}", "</s>", "naïve 東京 🙂"];
        Frame::of(&compile(source), messages)
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
        let bare = frame("").expect("a frame");
        assert_eq!(bare.around(" a "), " a ");
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
            let error = frame(source).expect_err("no frame");
            assert!(error.what.contains(problem), "{source}: {}", error.what);
        }
    }

    #[test]
    fn a_template_can_refuse_and_cannot_read_the_clock() {
        assert!(compile("{{ raise_exception('no') }}").render("hi").is_err());
        let dated = compile("{{ strftime_now('%d %b %Y') }}");
        assert_eq!(dated.render("hi").expect("renders"), "26 Jul 2024");
    }
}
