//! Chat templates: the frame that an import finds, and templates that would take the whole machine.

use crate::support::{gguf, huggingface, import_gguf, import_into, Model};
use noema_checkpoint::Frame;
use noema_model::{
    checkpoint::OpenCheckpoint,
    import::{import, ImportError, ImportOptions},
};

/// Imports a file with this template.
fn with_template(template: &str) -> Result<OpenCheckpoint, ImportError> {
    let file = gguf::File::new(&Model::tiny()).set("tokenizer.chat_template", template);
    import_gguf(&file.bytes())
}

fn refused(template: &str) -> String {
    with_template(template).unwrap_err().to_string()
}

#[test]
fn a_file_and_a_folder_have_the_frame_of_their_template() {
    let template = "{{ bos_token }}u\n{{ messages[0].content | trim }}{{ eos_token }}\n";
    let model = Model::tiny();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&model, gguf::F32, 1, &folder);
    std::fs::write(folder.join("chat_template.jinja"), template).unwrap();
    let folder = import_into(&folder, directory.path()).unwrap();
    let frame = Frame {
        before: "<|im_start|>u\n".into(),
        // The engine leaves out the last line feed of a template.
        after: "<|im_end|>".into(),
        trims: true,
    };
    for checkpoint in [folder, with_template(template).unwrap()] {
        assert_eq!(checkpoint.manifest().frame.as_ref(), Some(&frame));
        assert_eq!(checkpoint.chat_template(), template);
    }
}

#[test]
fn a_model_without_a_template_has_no_frame() {
    let file = gguf::File::new(&Model::tiny()).without("tokenizer.chat_template");
    let checkpoint = import_gguf(&file.bytes()).unwrap();
    assert_eq!(checkpoint.manifest().frame, None);
}

/// Forty statements that make a list whose text has terabytes.
fn doubled(name: &str) -> String {
    let begin = format!("{{% set {name} = [1] %}}");
    let twice = format!("{{% set {name} = [{name}, {name}] %}}");
    begin + &twice.repeat(40)
}

#[test]
fn a_template_that_takes_all_memory_or_time_is_refused() {
    let shown = doubled("a") + "{{ a }}{{ messages[0].content }}";
    let compared = doubled("a") + &doubled("b") + "{{ a == b }}{{ messages[0].content }}";
    for template in [shown, compared] {
        let message = refused(&template);
        assert!(message.contains("a chat template that"), "{message}");
        // On a machine that is busy, the time of the process ends first.
        let ends = ["takes more than", "has no end after"];
        assert!(ends.iter().any(|end| message.contains(end)), "{message}");
    }
}

#[test]
fn a_template_of_megabytes_is_refused_before_it_is_run() {
    let file = gguf::File::new(&Model::tiny());
    let file = file.set("tokenizer.chat_template", "\u{1}".repeat(2 << 20).as_str());
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("model.gguf");
    std::fs::write(&source, file.bytes()).unwrap();
    let options = ImportOptions {
        program: Some("/no/such".into()),
        ..ImportOptions::default()
    };
    let error = import(&source, directory.path(), &options, &()).unwrap_err();
    let message = error.to_string();
    let problem = "it has 2097152 bytes; at most 1048576 are read";
    assert!(message.contains(problem), "{message}");
}

#[test]
fn deeply_nested_values_end_no_import() {
    let nested = "{% set ns = namespace(a=[]) %}{% for a in range(2000) %}{% for b in range(10) %}\
                  {% set ns.a = [ns.a] %}{% endfor %}{% endfor %}{{ messages[0].content }}";
    let shown = nested.replace("{{ messages", "{{ ns.a }}{{ messages");
    for template in [nested, &shown] {
        // Whether one of them exceeds a bound does not matter.
        let _ = with_template(template);
    }
}

#[test]
fn a_program_that_runs_no_template_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("model.gguf");
    std::fs::write(&source, gguf::File::new(&Model::tiny()).bytes()).unwrap();
    for program in [None, Some("/bin/false".into()), Some("/no/such".into())] {
        let options = ImportOptions {
            program,
            ..ImportOptions::default()
        };
        let is_this = options.program.is_none();
        let error = import(&source, directory.path(), &options, &()).unwrap_err();
        assert!(matches!(error, ImportError::Program { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains("could not run the chat template of"),
            "{message}"
        );
        assert_eq!(
            message.contains("in ImportOptions::program"),
            is_this,
            "{message}"
        );
    }
}

#[test]
fn the_error_of_a_program_that_runs_no_template_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("model.gguf");
    std::fs::write(&source, gguf::File::new(&Model::tiny()).bytes()).unwrap();
    let options = ImportOptions {
        // It looks for a script with the name of its argument.
        program: Some("/bin/sh".into()),
        ..ImportOptions::default()
    };
    let error = import(&source, directory.path(), &options, &()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("it ended with exit status"), "{message}");
    assert!(message.contains("run-chat-template"), "{message}");
}
