//! The program `noema-chat-template`: runs a chat template in a process of its own, for a program whose `main` does
//! not begin with [`run_chat_template`]. That program names it in [`ImportOptions::program`].
//!
//! [`ImportOptions::program`]: noema_model::import::ImportOptions::program

use noema_model::import::run_chat_template;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_chat_template().unwrap_or_else(|| {
        eprintln!("error: this program runs chat templates for other programs of Noema; it does nothing by hand");
        ExitCode::FAILURE
    })
}
