//! The tables of Unicode by which a text becomes tokens.
//!
//! They are in the standard library and in libraries of the tokenizer, and another release of one of these has
//! other characters in its tables: it gives texts with such characters other tokens. This program states a
//! version of the text layer in each manifest that it writes, and answers for checkpoints with this version, so
//! it has to have the tables of this version. A program that embeds a worker chooses the releases itself.

use noema_checkpoint::{blake2_256, TEXT_LAYER_VERSION};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};
use std::{fmt, sync::OnceLock};
use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::char as normal;

/// A library with tables.
struct Library {
    /// The release of which these are the tables.
    release: &'static str,
    /// BLAKE2b-256 of the tables, in hexadecimal.
    hash: &'static str,
    /// Writes the tables of the library that this program has.
    write: fn(&mut Tables),
}

/// The libraries, with the tables of this version of the text layer.
const LIBRARIES: [Library; 4] = [
    Library {
        release: "Rust 1.95",
        hash: "9ad4fd04af4442b52e4ce18d1e780ca58bfc565ab59405286c9d155f26307a73",
        write: standard,
    },
    Library {
        release: "regex-syntax 0.8.12",
        hash: "1233c04d0359606ad7f413f1bd4ff6d0f7f78a20ca9635347694a46f4101b95f",
        write: regular_expressions,
    },
    Library {
        release: "unicode-normalization-alignments 0.1.12",
        hash: "fd32207b6ac0363a976ccec3f8089b79a66a6ba690b137ad796d8d904a1df6c2",
        write: normal_forms,
    },
    Library {
        release: "unicode_categories 0.1.1",
        hash: "4191d8227ba3bb627062f7ab589a9fa9635dd65fe1724cf0d4c2321fcfb49347",
        write: categories,
    },
];

/// The classes of characters that patterns name.
const CLASSES: [&str; 45] = [
    r"\p{L}",
    r"\p{M}",
    r"\p{N}",
    r"\p{P}",
    r"\p{S}",
    r"\p{Z}",
    r"\p{C}",
    r"\p{Lu}",
    r"\p{Ll}",
    r"\p{Lt}",
    r"\p{Lm}",
    r"\p{Lo}",
    r"\p{Mn}",
    r"\p{Mc}",
    r"\p{Me}",
    r"\p{Nd}",
    r"\p{Nl}",
    r"\p{No}",
    r"\p{Pc}",
    r"\p{Pd}",
    r"\p{Ps}",
    r"\p{Pe}",
    r"\p{Pi}",
    r"\p{Pf}",
    r"\p{Po}",
    r"\p{Sm}",
    r"\p{Sc}",
    r"\p{Sk}",
    r"\p{So}",
    r"\p{Zs}",
    r"\p{Cc}",
    r"\p{Cf}",
    r"\p{Co}",
    r"\p{Cn}",
    r"\p{Han}",
    r"\p{Hiragana}",
    r"\p{Katakana}",
    r"\p{Hangul}",
    r"\p{Latin}",
    r"\p{Cyrillic}",
    r"\p{Arabic}",
    r"\p{Thai}",
    r"\d",
    r"\s",
    r"\w",
];

/// The characters that can have another case.
const CASED: &str = r"[\p{LC}\p{Nl}\p{So}\p{Mn}]";

/// A library of this program has other tables than this version of the text layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherTables {
    release: &'static str,
}

impl fmt::Display for OtherTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "This program has other tables of Unicode than version {TEXT_LAYER_VERSION} of the text layer: some \
             prompts would have other tokens, and the answers to them would be slashed. Build it with {}.",
            self.release
        )
    }
}

/// Checks that this program has the tables of this version of the text layer, once in each process.
pub(crate) fn check() -> Result<(), OtherTables> {
    static CHECKED: OnceLock<Result<(), OtherTables>> = OnceLock::new();
    *CHECKED.get_or_init(|| compare(&LIBRARIES))
}

fn compare(libraries: &[Library]) -> Result<(), OtherTables> {
    let other = libraries
        .iter()
        .find(|library| library.found() != library.hash);
    match other {
        None => Ok(()),
        Some(library) => Err(OtherTables {
            release: library.release,
        }),
    }
}

impl Library {
    /// The hash of the tables that this program has.
    fn found(&self) -> String {
        let mut tables = Tables::default();
        (self.write)(&mut tables);
        hex::encode(blake2_256(&tables.0))
    }
}

/// Tables as bytes.
#[derive(Default)]
struct Tables(Vec<u8>);

impl Tables {
    fn word(&mut self, word: u32) {
        self.0.extend(word.to_le_bytes());
    }

    fn name(&mut self, name: &str) {
        self.word(name.len() as u32);
        self.0.extend(name.as_bytes());
    }

    fn text(&mut self, characters: &[char]) {
        self.word(characters.len() as u32);
        characters
            .iter()
            .for_each(|character| self.word((*character).into()));
    }

    fn class(&mut self, class: &ClassUnicode) {
        for range in class.iter() {
            self.word(range.start().into());
            self.word(range.end().into());
        }
        self.word(u32::MAX);
    }

    fn property(&mut self, name: &str, has: impl Fn(char) -> bool) {
        self.name(name);
        for character in characters().filter(|character| has(*character)) {
            self.word(character.into());
        }
        self.word(u32::MAX);
    }
}

/// The characters of the planes that have any, other than those for private use.
fn characters() -> impl Iterator<Item = char> {
    (0..0x40000)
        .chain(0xe0000..0xe1000)
        .filter_map(char::from_u32)
}

/// Those of [`str::trim`] and of the steps of a tokenizer without regular expressions.
fn standard(tables: &mut Tables) {
    tables.property("is_whitespace", char::is_whitespace);
    tables.property("is_numeric", char::is_numeric);
}

fn categories(tables: &mut Tables) {
    tables.property("is_punctuation", |character| character.is_punctuation());
}

/// Those of `\p{…}`, `\d`, `\s`, `\w` and `(?i)`.
fn regular_expressions(tables: &mut Tables) {
    for pattern in CLASSES {
        tables.name(pattern);
        tables.class(&class(pattern));
    }
    tables.name("(?i)");
    for character in class(CASED)
        .iter()
        .flat_map(|range| range.start()..=range.end())
    {
        let mut folded = ClassUnicode::new([ClassUnicodeRange::new(character, character)]);
        // An error means that there is no table, with which the hash is another one.
        let _ = folded.try_case_fold_simple();
        tables.class(&folded);
    }
}

/// The characters of a pattern; none if the library does not know it, with which the hash is another one.
fn class(pattern: &str) -> ClassUnicode {
    match regex_syntax::parse(pattern).map(|parsed| parsed.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => class,
        _ => ClassUnicode::empty(),
    }
}

/// Those of NFC, NFD, NFKC and NFKD, and of the removal of accents.
fn normal_forms(tables: &mut Tables) {
    let (mut canonical, mut compatible) = (Vec::new(), Vec::new());
    for character in characters() {
        canonical.clear();
        compatible.clear();
        normal::decompose_canonical(character, |part| canonical.push(part));
        normal::decompose_compatible(character, |part| compatible.push(part));
        let class = normal::canonical_combining_class(character);
        let is_mark = normal::is_combining_mark(character);
        let is_whole = canonical == [character] && compatible == [character];
        if is_whole && class == 0 && !is_mark {
            continue;
        }
        tables.word(character.into());
        tables.word(class.into());
        tables.word(is_mark.into());
        tables.text(&canonical);
        tables.text(&compatible);
        tables.text(&composed(&canonical));
    }
}

/// `parts`, each composed with what is before it, where they compose.
fn composed(parts: &[char]) -> Vec<char> {
    let mut composed: Vec<char> = Vec::new();
    for part in parts {
        let whole = composed
            .last()
            .and_then(|last| normal::compose(*last, *part));
        if whole.is_some() {
            composed.pop();
        }
        composed.push(whole.unwrap_or(*part));
    }
    composed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another hash is another version of the text layer.
    #[test]
    fn the_tables_are_those_of_this_version_of_the_text_layer() {
        assert_eq!(TEXT_LAYER_VERSION, 1);
        for library in &LIBRARIES {
            assert_eq!(library.found(), library.hash, "{}", library.release);
        }
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn every_class_has_characters() {
        for pattern in CLASSES.iter().chain([&CASED]) {
            assert!(!class(pattern).ranges().is_empty(), "{pattern}");
        }
    }

    #[test]
    fn a_program_with_other_tables_is_told_what_to_build_it_with() {
        let other = Library {
            release: "a library 1.2.3",
            write: |tables| tables.property("is_numeric", |_| false),
            ..LIBRARIES[0]
        };
        let message = compare(&[other]).expect_err("has other tables").to_string();
        assert!(
            message.ends_with("Build it with a library 1.2.3."),
            "{message}"
        );
    }
}
