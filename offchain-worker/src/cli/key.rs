//! `noema-worker key`.

use crate::keys::{load_account, Key};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Generate a key and write its phrase to a new file that only you may read.
    Generate {
        /// Key file to create, such as worker.key; an existing file is not overwritten.
        file: PathBuf,
    },
    /// Show the account behind a key file, a development key or an address.
    Inspect {
        /// Key or account: a key file, a development key such as //Alice, an SS58 address, or 0x and 64
        /// hexadecimal digits.
        key: String,
    },
}

pub(super) fn key(command: KeyCommand) -> anyhow::Result<()> {
    let account = match command {
        KeyCommand::Generate { file } => {
            let key = Key::generate(&file)?;
            println!(
                "wrote a new key to {}; every user who can read this file can sign with it",
                file.display()
            );
            key.account()
        }
        KeyCommand::Inspect { key } => load_account(&key)?,
    };
    println!("address:    {}", crate::keys::address(&account));
    println!("public key: 0x{}", hex::encode(account));
    Ok(())
}
