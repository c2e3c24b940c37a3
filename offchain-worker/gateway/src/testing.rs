//! A text layer for the tests.

use crate::{Conversation, TextFault, TextLayer};

/// Each byte is a token; tokens above 255 have no text.
pub(crate) struct Bytes;

impl TextLayer for Bytes {
    fn chat(&self, conversation: &Conversation) -> Result<Vec<u32>, TextFault> {
        let mut tokens = Vec::new();
        for message in &conversation.messages {
            message.each_text(&mut |text| tokens.extend(text.bytes().map(u32::from)));
        }
        Ok(tokens)
    }

    fn plain(&self, text: &str) -> Result<Vec<u32>, TextFault> {
        Ok(text.bytes().map(u32::from).collect())
    }

    fn decode(&self, tokens: &[u32]) -> Result<String, TextFault> {
        let bytes: Vec<u8> = tokens
            .iter()
            .filter_map(|token| u8::try_from(*token).ok())
            .collect();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn is_hidden(&self, token: u32) -> bool {
        token > 255
    }
}
