//! Text of tokens as they come.

use super::{TextFault, TextLayer};

/// Tokens that are held back at most while their text ends in the middle of a character. Four tokens are a character
/// at least; more are held back only where a model writes what is no text.
const MOST_HELD: usize = 16;

/// Turns tokens into text as they come, in whole characters. The pieces together are the text of all tokens.
///
/// The text of a token can depend on the one before, such as the space between words. So the text of a window is
/// decoded: of tokens whose text is written, and of those that follow.
#[derive(Clone, Debug, Default)]
pub struct Detokenizer {
    /// The tokens of the window.
    window: Vec<u32>,
    /// How many of them are written.
    written: usize,
}

impl Detokenizer {
    /// The text that becomes complete with these tokens.
    ///
    /// # Errors
    /// When the tokenizer refuses the tokens.
    pub fn push(&mut self, layer: &dyn TextLayer, tokens: &[u32]) -> Result<String, TextFault> {
        let mut text = String::new();
        for token in tokens.iter().copied() {
            if layer.is_hidden(token) {
                continue;
            }
            self.window.push(token);
            let held = self.window.len().saturating_sub(self.written);
            let (before, all) = self.decode(layer)?;
            let is_complete = !all.ends_with('\u{fffd}') || held >= MOST_HELD;
            if is_complete && all.len() > before.len() {
                text.push_str(rest(&before, &all));
                self.window.drain(..self.written);
                self.written = self.window.len();
            }
        }
        Ok(text)
    }

    /// The text of what was held back, at the end.
    ///
    /// # Errors
    /// When the tokenizer refuses the tokens.
    pub fn finish(&mut self, layer: &dyn TextLayer) -> Result<String, TextFault> {
        let (before, all) = self.decode(layer)?;
        let text = rest(&before, &all).to_owned();
        self.written = self.window.len();
        Ok(text)
    }

    fn decode(&self, layer: &dyn TextLayer) -> Result<(String, String), TextFault> {
        let before = self.window.get(..self.written).unwrap_or_default();
        Ok((layer.decode(before)?, layer.decode(&self.window)?))
    }
}

/// What follows on the characters that both have at their beginning.
fn rest<'a>(before: &str, all: &'a str) -> &'a str {
    if let Some(rest) = all.strip_prefix(before) {
        return rest;
    }
    let shared: usize = before
        .chars()
        .zip(all.chars())
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one.len_utf8())
        .sum();
    all.get(shared..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bytes;

    fn pieces(bytes: &[u8]) -> Vec<String> {
        let mut detokenizer = Detokenizer::default();
        let mut pieces = Vec::new();
        for byte in bytes {
            let piece = detokenizer.push(&Bytes, &[u32::from(*byte)]);
            pieces.push(piece.expect("text"));
        }
        pieces.push(detokenizer.finish(&Bytes).expect("text"));
        pieces
    }

    #[test]
    fn a_character_is_written_once_it_is_whole() {
        let pieces = pieces("aé🦀b".as_bytes());
        assert_eq!(pieces, ["a", "", "é", "", "", "", "🦀", "b", ""]);
    }

    #[test]
    fn what_is_no_text_is_written_at_the_end() {
        assert_eq!(pieces(&[b'a', 0xf0, 0x9f]).concat(), "a\u{fffd}");
    }

    #[test]
    fn what_is_no_text_does_not_grow_without_end() {
        let mut detokenizer = Detokenizer::default();
        for _ in 0..1_000 {
            detokenizer.push(&Bytes, &[0xff]).expect("text");
            assert!(detokenizer.window.len() <= 2 * MOST_HELD);
        }
    }

    #[test]
    fn the_pieces_are_the_text_of_all_tokens() {
        let text = "naïve 東京 🙂🇫🇷 \u{fdfa} e\u{301}";
        assert_eq!(pieces(text.as_bytes()).concat(), text);
    }

    #[test]
    fn tokens_without_text_are_left_out() {
        let mut detokenizer = Detokenizer::default();
        let tokens = [256, u32::from(b'a'), 257, u32::from(b'b')];
        assert_eq!(detokenizer.push(&Bytes, &tokens).expect("text"), "ab");
    }
}
