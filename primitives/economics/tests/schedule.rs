//! The documented schedule equals the computed one.

#[path = "../examples/schedule/document.rs"]
mod document;

use std::fs;

const AGAIN: &str = "write it again: cargo run -p noema-economics --example schedule";

#[test]
fn the_table_is_what_the_functions_give() {
    let text = fs::read_to_string(document::TEXT).expect("the documentation is there");
    let expected = document::with_table(&text).expect("the text has both marks");
    assert!(text == expected, "{AGAIN}");
}

#[test]
fn the_plot_is_what_the_functions_give() {
    let plot = fs::read_to_string(document::PLOT).expect("the plot is there");
    let expected = document::plot().expect("it can be drawn");
    assert!(plot == expected, "{AGAIN}");
}

#[test]
fn a_text_without_the_marks_is_refused() {
    assert!(document::with_table("# Issuance").is_err());
}
