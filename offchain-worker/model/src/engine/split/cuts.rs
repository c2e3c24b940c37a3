//! The cuts of a pre-tokenizer.

use super::part;
use crate::printable::one_line;
use noema_split::{Cut, Numbers, Spaces, Unsupported, WordRules};
use tokenizers::{
    pre_tokenizers::metaspace::{Metaspace, PrependScheme},
    PreTokenizerWrapper,
};

/// What a pre-tokenizer does.
pub(super) struct Cuts {
    pub(super) cuts: Vec<Cut>,
    /// Whether it writes bytes as characters at the end.
    pub(super) is_byte_level: bool,
    /// What it does with spaces.
    pub(super) space: Option<Spaces>,
}

impl Cuts {
    /// Those of a pre-tokenizer. `begins` is whether no token stands before the texts that it cuts.
    pub(super) fn of(
        words: Option<&PreTokenizerWrapper>,
        begins: bool,
    ) -> Result<Self, Unsupported> {
        let mut found = Self {
            cuts: Vec::new(),
            is_byte_level: false,
            space: None,
        };
        words.map_or(Ok(()), |words| found.add(words, begins))?;
        if !found.is_byte_level && !found.cuts.is_empty() {
            return Err(part("words of characters"));
        }
        Ok(found)
    }

    fn add(&mut self, words: &PreTokenizerWrapper, begins: bool) -> Result<(), Unsupported> {
        if self.is_byte_level || self.space.is_some() {
            return Err(part(
                "cuts of a text that is already written in another way",
            ));
        }
        match words {
            PreTokenizerWrapper::Sequence(steps) => {
                return steps
                    .as_ref()
                    .iter()
                    .try_for_each(|step| self.add(step, begins));
            }
            PreTokenizerWrapper::Digits(digits) if digits.individual_digits => {
                self.cuts.push(Cut::Digits);
            }
            PreTokenizerWrapper::ByteLevel(level) if !level.add_prefix_space => {
                self.cuts.extend(level.use_regex.then_some(Cut::Gpt2));
                self.is_byte_level = true;
            }
            PreTokenizerWrapper::Metaspace(meta) => self.space = Some(space(meta, begins)?),
            other => self.cuts.push(split(other)?),
        }
        Ok(())
    }
}

fn space(meta: &Metaspace, begins: bool) -> Result<Spaces, Unsupported> {
    if meta.get_split() || meta.get_replacement() != '\u{2581}' {
        return Err(part("words of characters"));
    }
    Ok(match meta.get_prepend_scheme() {
        PrependScheme::Always => Spaces::MarkedAfterOneMark,
        PrependScheme::First if begins => Spaces::MarkedAfterOneMark,
        PrependScheme::First | PrependScheme::Never => Spaces::Marked,
    })
}

/// The cut at the matches of a regular expression.
fn split(step: &PreTokenizerWrapper) -> Result<Cut, Unsupported> {
    // Its parts are accessible only in their serialized form.
    let written = serde_json::to_value(step).unwrap_or_default();
    let kind = written["type"].as_str().unwrap_or("without a name");
    let pattern = written["pattern"]["Regex"].as_str();
    match pattern.filter(|_| kind == "Split") {
        Some(pattern) if written["behavior"] == "Isolated" && written["invert"] == false => {
            let cut = cut(pattern);
            cut.ok_or_else(|| {
                let pattern = one_line(pattern);
                part(format!(
                    "a cut at {pattern:?}, for which there are no steps"
                ))
            })
        }
        _ => Err(part(format!(
            "the pre-tokenizer {kind} with settings for which there are no steps"
        ))),
    }
}

/// The expression of GPT-2.
pub(super) const GPT_2: &str =
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// The written forms of the parts of [`WordRules`].
const CONTRACTIONS: [(&str, bool); 3] = [
    ("(?i:'s|'t|'re|'ve|'m|'ll|'d)|", true),
    ("'(?i:[sdmt]|ll|ve|re)|", true),
    ("", false),
];
const LETTERS: [(&str, bool); 2] = [
    (r"[^\r\n\p{L}\p{N}]?\p{L}+|", false),
    (r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|", true),
];
const NUMBERS: [(&str, Numbers); 4] = [
    (r"\p{N}|", Numbers::Single),
    (r"\p{N}{1}|", Numbers::Single),
    (r"\p{N}{1,3}|", Numbers::Three),
    (r"\p{N}+|", Numbers::All),
];
const PUNCTUATION: [(&str, bool); 3] =
    [(r"]+[\r\n]*|", true), (r"\r\n]+|", false), (r"]+|", false)];
const SPACES: [(&str, ()); 2] = [
    (r"\s*[\r\n]+|\s+(?!\S)|\s+", ()),
    (r"\s*[\r\n]|\s+(?!\S)|\s+", ()),
];

/// The cut at the matches of a pattern.
fn cut(pattern: &str) -> Option<Cut> {
    match pattern {
        GPT_2 => return Some(Cut::Gpt2),
        r"\p{N}{1,3}" => return Some(Cut::Numbers),
        _ => {}
    }
    let mut rest = pattern;
    let contractions = taken(&mut rest, &CONTRACTIONS)?;
    let marks = taken(&mut rest, &LETTERS)?;
    let numbers = taken(&mut rest, &NUMBERS)?;
    let class = match marks {
        true => r" ?[^\s\p{L}\p{M}\p{N}",
        false => r" ?[^\s\p{L}\p{N}",
    };
    rest = rest.strip_prefix(class)?;
    let breaks = taken(&mut rest, &PUNCTUATION)?;
    taken(&mut rest, &SPACES)?;
    rest.is_empty().then_some(Cut::Words(WordRules {
        contractions,
        marks,
        numbers,
        breaks,
    }))
}

/// Takes the first of some forms with which a pattern begins.
fn taken<T: Copy>(rest: &mut &str, forms: &[(&str, T)]) -> Option<T> {
    forms.iter().find_map(|(form, meaning)| {
        *rest = rest.strip_prefix(form)?;
        Some(*meaning)
    })
}
