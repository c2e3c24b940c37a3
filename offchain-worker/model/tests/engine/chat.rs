//! The text side of a checkpoint for payers: its chat template on whole conversations.

use super::tiny::{frame, tokenizer, write_with, STOP};
use noema_checkpoint::blake2_256;
use noema_gateway::{Conversation, Json, TextFault, TextLayer};
use noema_model::{
    checkpoint::{OpenCheckpoint, CHAT_TEMPLATE},
    engine::{ChatCodec, EngineError},
};
use std::{fs, path::PathBuf};

const TURNS: &str =
    "{% for message in messages %}<user>{{ message.content }}<stop>{% endfor %}<user>";

/// The text side of a checkpoint with `template`, which `program` runs.
fn codec(template: &str, program: Option<PathBuf>) -> Result<ChatCodec, EngineError> {
    let directory = tempfile::tempdir().expect("a directory");
    write_with(directory.path(), frame(), &tokenizer(), |manifest| {
        manifest.chat_template_hash = blake2_256(template.as_bytes());
    });
    fs::write(directory.path().join(CHAT_TEMPLATE), template).expect("writes");
    let checkpoint = OpenCheckpoint::open(directory.path()).expect("the checkpoint opens");
    ChatCodec::open(&checkpoint, program)
}

/// The tokens of messages that `template` writes in a process of its own.
fn tokens(template: &str, contents: &[&str]) -> Result<Vec<u32>, TextFault> {
    let program = env!("CARGO_BIN_EXE_noema-chat-template").into();
    let messages = contents.iter().map(|content| {
        Json::Map(vec![
            ("role".to_owned(), Json::from("user")),
            ("content".to_owned(), Json::from(*content)),
        ])
    });
    let codec = codec(template, Some(program)).expect("the codec opens");
    codec.chat(&Conversation {
        messages: messages.collect(),
        tools: None,
    })
}

#[test]
fn a_template_writes_a_whole_conversation() {
    let contents = ["a<stop>", "b", ""];
    let tokens = tokens(TURNS, &contents).expect("the template writes it");
    let special = tokens.iter().filter(|token| **token <= STOP).count();
    assert_eq!(special, 2 * contents.len() + 1);
    assert_eq!(tokens.len(), special + contents.concat().len());
}

#[test]
fn a_template_that_fails_or_takes_too_much_refuses_a_conversation() {
    let twice = "{% set a = [a, a] %}".repeat(40);
    let endless = format!("{{% set a = [1] %}}{twice}{{{{ a }}}}");
    for (template, reasons) in [
        ("{{ raise_exception('one only') }}", ["fails", "one only"]),
        ("{% if %}", ["does not compile", "syntax error"]),
        // On a machine that is busy, the time of the process ends first.
        (&endless, ["takes more than", "has no end after"]),
    ] {
        let Err(TextFault::Template(reason)) = tokens(template, &["a"]) else {
            panic!("{template}: is refused");
        };
        let is_told = reasons.iter().any(|told| reason.contains(told));
        assert!(is_told, "{template}: {reason}");
    }
}

#[test]
fn a_program_that_runs_no_template_is_told_from_a_template_that_fails() {
    let error = codec(TURNS, None).expect_err("this program cannot run it");
    assert!(error.to_string().contains("run_chat_template"), "{error}");
    let codec = codec(TURNS, Some("/bin/false".into())).expect("the codec opens");
    let conversation = Conversation {
        messages: Vec::new(),
        tools: None,
    };
    let fault = codec
        .chat(&conversation)
        .expect_err("it ends with an error");
    assert!(matches!(fault, TextFault::NotRun(_)), "{fault}");
}
