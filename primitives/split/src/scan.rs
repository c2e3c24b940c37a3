//! The steps: one for each token, from the first to the last.

use crate::{
    border::is_crossed, Framing, Lookup, MergePart, Missing, SplitRules, TokenEntry, Units,
};
use alloc::{string::String, vec, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// How far the tokens so far reach, if they are right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SplitState {
    /// Bytes of the text that they are the tokens of.
    pub at: u32,
    /// For each cut, the byte at which the part ends that was cut last.
    pub ends: Vec<u32>,
    /// The last token, if it is in the word that ends last.
    pub last: Option<u32>,
}

/// A text, and how it becomes tokens.
#[derive(Clone, Debug)]
pub struct SplitText<'a> {
    rules: &'a SplitRules,
    framing: &'a Framing,
    text: String,
    tokens: u32,
}

/// A word, or the rest of one.
struct Word {
    /// Its bytes in the text.
    begin: usize,
    end: usize,
    /// Whether none of its tokens was seen.
    is_new: bool,
}

impl<'a> SplitText<'a> {
    /// `prompt`, of which a statement says that it has `tokens` tokens with those around it. `None` where it cannot be
    /// judged, because its normal form is not certain.
    pub fn new(
        rules: &'a SplitRules,
        framing: &'a Framing,
        prompt: &str,
        tokens: u32,
    ) -> Option<Self> {
        let text = framing.text(prompt);
        Some(Self {
            text: rules.prepared(&text)?.into_owned(),
            rules,
            framing,
            tokens,
        })
    }

    /// How it becomes tokens.
    pub(crate) const fn rules(&self) -> &SplitRules {
        self.rules
    }

    /// The state before the first token.
    pub fn begin(&self) -> SplitState {
        SplitState {
            at: 0,
            ends: vec![0; self.rules.cuts.len()],
            last: None,
        }
    }

    /// Whether the tokens are right, by the state after the last one.
    pub fn is_whole(&self, state: Option<&SplitState>) -> bool {
        let around = self
            .framing
            .before
            .len()
            .saturating_add(self.framing.after.len());
        let rest = state.and_then(|state| self.text.as_bytes().get(state.at as usize..));
        let vanishes = |byte: &u8| self.rules.units.vanishes(*byte);
        around <= self.tokens as usize && rest.is_some_and(|rest| rest.iter().all(vanishes))
    }

    /// The state after the token number `index`, from the one before; `None` if that token, or one before, is wrong.
    ///
    /// Total: no state and no token makes it panic, and its cost is bounded by the bytes of the text.
    ///
    /// # Errors
    /// Where `lookup` does not have what the step depends on.
    pub fn step(
        &self,
        index: u32,
        token: u32,
        state: Option<&SplitState>,
        lookup: &mut impl Lookup,
    ) -> Result<Option<SplitState>, Missing> {
        let Some(state) = state else {
            return Ok(None);
        };
        let (index, tokens) = (index as usize, self.tokens as usize);
        let Framing { before, after, .. } = self.framing;
        let Some(end) = tokens.checked_sub(after.len()).filter(|_| index < tokens) else {
            return Ok(None);
        };
        let of_after = index.checked_sub(end).and_then(|index| after.get(index));
        if let Some(fixed) = before.get(index).or(of_after) {
            return Ok((*fixed == token).then(|| state.clone()));
        }
        self.advance(token, state, lookup)
    }

    fn advance(
        &self,
        token: u32,
        state: &SplitState,
        lookup: &mut impl Lookup,
    ) -> Result<Option<SplitState>, Missing> {
        let units = &self.rules.units;
        let mut state = state.clone();
        let Some(word) = self.word(&mut state) else {
            return Ok(None);
        };
        if token >= self.rules.vocabulary.leaves {
            return Ok(None);
        }
        if word.is_new && units.has_whole_words() && self.rules.forms.leaves > 0 {
            let whole = self.bytes(word.begin, word.end).unwrap_or_default();
            if let Some(listed) = lookup.form(whole)? {
                return Ok((listed == token).then(|| state.reach(word.end, token)));
            }
        }
        let at = state.at as usize;
        let alone = [MergePart::unit(token)];
        let entry;
        let (end, begins) = if units.unknown() == Some(token) {
            let byte = self.text.as_bytes().get(at).copied();
            let is_unknown = byte.is_some_and(|byte| units.is_missing(byte));
            (is_unknown.then(|| at.saturating_add(1)), alone.as_slice())
        } else {
            entry = lookup.entry(token)?;
            match &entry {
                TokenEntry::Piece { bytes, left, .. } => {
                    (self.matched(at, word.end, bytes), left.as_slice())
                }
                TokenEntry::Byte(byte) => (self.fallen_back(at, *byte, lookup)?, alone.as_slice()),
                TokenEntry::Never | TokenEntry::Word { .. } => (None, alone.as_slice()),
            }
        };
        let Some(end) = end else {
            return Ok(None);
        };
        if let Some(last) = state.last
            && self.is_crossed(last, begins, lookup)?
        {
            return Ok(None);
        }
        Ok(Some(state.reach(end, token)))
    }

    /// The word at the place that was reached, with which `state` is brought to the next byte that does not vanish.
    fn word(&self, state: &mut SplitState) -> Option<Word> {
        let length = u32::try_from(self.text.len()).ok()?;
        if state.ends.len() != self.rules.cuts.len() {
            return None;
        }
        let mut begin = None;
        loop {
            // The last cut's part is the word; without cuts, the text is.
            let is_over = match state.ends.last() {
                Some(end) => *end <= state.at,
                None => state.at == 0 && begin.is_none(),
            };
            if state.at >= length {
                return None;
            }
            if is_over {
                self.cut(state, length)?;
                state.last = None;
                begin = Some(state.at as usize);
            }
            if !self
                .rules
                .units
                .vanishes(*self.text.as_bytes().get(state.at as usize)?)
            {
                break;
            }
            state.at = state.at.checked_add(1)?;
        }
        let end = state.ends.last().copied().unwrap_or(length);
        (end <= length).then_some(Word {
            begin: begin.unwrap_or(state.at as usize),
            end: end as usize,
            is_new: begin.is_some(),
        })
    }

    /// Cuts the parts that begin at the place that was reached.
    fn cut(&self, state: &mut SplitState, length: u32) -> Option<()> {
        let mut limit = length;
        for (cut, end) in self.rules.cuts.iter().zip(&mut state.ends) {
            if *end <= state.at {
                let rest = self.text.get(state.at as usize..limit as usize)?;
                let bytes = u32::try_from(cut.first(rest)).ok()?;
                *end = state.at.checked_add(bytes)?;
            }
            limit = *end;
        }
        Some(())
    }

    fn bytes(&self, begin: usize, end: usize) -> Option<&[u8]> {
        self.text.as_bytes().get(begin..end)
    }

    /// The end of `piece` in the text, if the bytes from `at` to `end` that do not vanish begin with it.
    fn matched(&self, at: usize, end: usize, piece: &[u8]) -> Option<usize> {
        let mut piece = piece.iter().copied().peekable();
        piece.peek()?;
        let rest = self.bytes(at, end)?;
        for (byte, next) in rest.iter().zip(at.saturating_add(1)..) {
            if self.rules.units.vanishes(*byte) {
                continue;
            }
            if piece.next() != Some(*byte) {
                return None;
            }
            if piece.peek().is_none() {
                return Some(next);
            }
        }
        None
    }

    /// The end of a byte at `at`, if it is `byte` and its character is no unit.
    fn fallen_back(
        &self,
        at: usize,
        byte: u8,
        lookup: &mut impl Lookup,
    ) -> Result<Option<usize>, Missing> {
        let is_there = self.text.as_bytes().get(at) == Some(&byte);
        if !is_there || self.rules.units != Units::Characters {
            return Ok(None);
        }
        let begin = self.text.floor_char_boundary(at);
        let character = self.text.get(begin..).and_then(|rest| rest.chars().next());
        let end = begin.saturating_add(character.map_or(0, char::len_utf8));
        let character = self.bytes(begin, end).unwrap_or_default();
        let is_unit = lookup.form(character)?.is_some();
        Ok((!is_unit).then(|| at.saturating_add(1)))
    }

    /// Whether BPE merges across the border between two tokens of a word.
    fn is_crossed(
        &self,
        last: u32,
        begins: &[MergePart],
        lookup: &mut impl Lookup,
    ) -> Result<bool, Missing> {
        let alone = [MergePart::unit(last)];
        if self.rules.units.unknown() == Some(last) {
            return is_crossed(&alone, begins, lookup);
        }
        if last >= self.rules.vocabulary.leaves {
            return Ok(true);
        }
        match lookup.entry(last)? {
            TokenEntry::Piece { right, .. } => is_crossed(&right, begins, lookup),
            TokenEntry::Byte(_) => is_crossed(&alone, begins, lookup),
            // None of them stands before another token of its word.
            TokenEntry::Never | TokenEntry::Word { .. } => Ok(true),
        }
    }
}

impl SplitState {
    fn reach(self, end: usize, token: u32) -> Self {
        Self {
            at: u32::try_from(end).unwrap_or(u32::MAX),
            last: Some(token),
            ends: self.ends,
        }
    }
}
