//! From one user message to the text a model was trained to continue.
//!
//! Chat templates are Jinja programs that come with a checkpoint, so they are run as strangers'
//! code: without access to files or time, with bounded work, and refused when they fail.

use minijinja::{context, syntax::SyntaxConfig, Environment, Error, ErrorKind};

/// Template instructions that one prompt may cost.
const FUEL: u64 = 1_000_000;

const NAME: &str = "chat_template";

/// A checkpoint's chat template, ready to render.
#[derive(Debug)]
pub(crate) struct ChatTemplate {
    /// `None` for a checkpoint without template: prompts pass as they are.
    environment: Option<Environment<'static>>,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Compiles `source`, in which `bos` and `eos` are known as `bos_token` and `eos_token`. An
    /// empty source leaves every prompt as it is.
    pub(crate) fn compile(source: &str, bos: String, eos: String) -> Result<Self, Error> {
        if source.is_empty() {
            return Ok(Self {
                environment: None,
                bos,
                eos,
            });
        }
        let mut environment = Environment::new();
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()?,
        );
        environment.set_fuel(Some(FUEL));
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<(), Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_template_owned(NAME, source.to_owned())?;
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

    /// The text that asks for an answer to `prompt`, said by the user.
    pub(crate) fn render(&self, prompt: &str) -> Result<String, Error> {
        let Some(environment) = &self.environment else {
            return Ok(prompt.to_owned());
        };
        environment.get_template(NAME)?.render(context! {
            messages => [context! { role => "user", content => prompt }],
            add_generation_prompt => true,
            bos_token => &self.bos,
            eos_token => &self.eos,
        })
    }
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
    fn an_endless_template_ends_with_an_error() {
        let template = compile(
            "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}",
        );
        assert!(template.render("hi").is_err());
    }

    #[test]
    fn a_template_can_refuse_and_cannot_read_the_clock() {
        assert!(compile("{{ raise_exception('no') }}").render("hi").is_err());
        let dated = compile("{{ 'dated' if strftime_now is defined else 'undated' }}");
        assert_eq!(dated.render("hi").expect("renders"), "undated");
    }
}
