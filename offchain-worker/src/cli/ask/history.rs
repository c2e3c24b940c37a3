//! The last conversation of an account, on disk.

use anyhow::{bail, Context};
use noema_gateway::{Conversation, Json};
use noema_model::whole::write_private;
use noema_protocol::CheckpointId;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A file with a conversation. It belongs to the store of sessions beside it, which one process has open at a time.
pub(super) struct History(PathBuf);

/// A conversation with a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The checkpoint.
    pub(super) checkpoint: CheckpointId,
    /// What was said.
    pub(super) conversation: Conversation,
}

impl Kept {
    /// A conversation in which nothing was said.
    pub(super) const fn new(checkpoint: CheckpointId) -> Self {
        Self {
            checkpoint,
            conversation: Conversation {
                messages: Vec::new(),
                tools: None,
            },
        }
    }

    /// Adds a message.
    pub(super) fn say(&mut self, role: &str, content: &str) {
        self.conversation.messages.push(Json::Map(vec![
            ("role".to_owned(), Json::from(role)),
            ("content".to_owned(), Json::from(content)),
        ]));
    }
}

impl History {
    /// The history in a folder.
    pub(super) fn at(folder: &Path) -> Self {
        Self(folder.join("conversation.json"))
    }

    /// The last conversation.
    pub(super) fn read(&self) -> anyhow::Result<Kept> {
        let path = self.0.display();
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
                "the account has no conversation on this chain to continue; ask without --continue first"
            ),
            Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
        };
        let damaged = || format!("{path} is damaged; ask without --continue, which replaces it");
        serde_json::from_str(&text).with_context(damaged)
    }

    /// Replaces the last conversation. Only the user can read the file.
    pub(super) fn write(&self, kept: &Kept) -> anyhow::Result<()> {
        let text = serde_json::to_vec(kept)?;
        let written = write_private(&self.0, &text);
        written.with_context(|| format!("the conversation is not kept in {}", self.0.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::H256;

    fn kept() -> Kept {
        let mut kept = Kept::new(CheckpointId(H256::repeat_byte(7)));
        kept.say("user", "Why?\u{1b}");
        kept.say("assistant", "\"Because\" 🦀");
        kept
    }

    #[test]
    fn a_conversation_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let history = History::at(folder.path());
        let none = history.read().expect_err("there is none").to_string();
        assert!(none.contains("without --continue"), "{none}");
        history.write(&kept()).expect("room");
        assert_eq!(history.read().expect("it is there"), kept());
        let mut longer = kept();
        longer.say("user", "And?");
        history.write(&longer).expect("room");
        assert_eq!(history.read().expect("it is there"), longer);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_reads_a_conversation() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let history = History::at(folder.path());
        history.write(&kept()).expect("room");
        let metadata = std::fs::metadata(&history.0).expect("it is there");
        assert_eq!(metadata.permissions().mode() & 0o077, 0);
    }

    #[test]
    fn a_damaged_file_says_how_to_go_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let history = History::at(folder.path());
        std::fs::write(&history.0, "{").expect("room");
        let told = format!("{:#}", history.read().expect_err("it is damaged"));
        assert!(told.contains("without --continue"), "{told}");
    }
}
