//! Reading documents in pieces, so that a text need not fit into memory.

use super::DatasetError;
use crate::encoding::{other_than_utf8, BYTE_ORDER_MARK};
use serde_json::Value;
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// A piece of plain text ends with the first line break after this many bytes. Tokens do not reach across
/// pieces, so this number determines the tokens of a dataset.
const PIECE_BYTES: usize = 64 << 10;
/// Longest line, in bytes.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// A part of a document.
pub(super) struct Piece {
    pub(super) text: String,
    /// Whether it ends the document.
    pub(super) ends_document: bool,
    /// Bytes of the file that it was read from.
    pub(super) bytes: u64,
}

/// The form of a file's documents.
#[derive(Clone, Copy)]
pub(super) enum Layout<'a> {
    /// The file is one document.
    Plain,
    /// Each line is a JSON object with a document in this field.
    JsonLines(&'a str),
}

/// The pieces of a file, in order.
pub(super) struct Pieces<'a> {
    path: PathBuf,
    layout: Layout<'a>,
    reader: BufReader<File>,
    line: u64,
    /// Bytes that were read but belong to no piece yet: those of a byte order mark.
    unclaimed: u64,
    /// Whether there was a piece.
    any: bool,
}

impl<'a> Pieces<'a> {
    pub(super) fn open(path: &Path, layout: Layout<'a>) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(|error| DatasetError::read(path, error))?;
        let failed = |error| DatasetError::read(path, error);
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let filled = reader.fill_buf().map_err(failed)?;
        if let Some(encoding) = other_than_utf8(filled) {
            return Err(DatasetError::Encoding {
                path: path.into(),
                encoding,
            });
        }
        let marked = filled.starts_with(BYTE_ORDER_MARK);
        let mark = if marked { BYTE_ORDER_MARK.len() } else { 0 };
        reader.consume(mark);
        Ok(Self {
            path: path.into(),
            layout,
            reader,
            line: 0,
            unclaimed: mark as u64,
            any: false,
        })
    }

    /// The next line with its line break; empty at the end.
    fn line(&mut self) -> Result<String, DatasetError> {
        self.line += 1;
        let mut bytes = Vec::new();
        self.reader
            .by_ref()
            .take(MAX_LINE_BYTES + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| DatasetError::read(&self.path, error))?;
        if bytes.len() as u64 > MAX_LINE_BYTES {
            return Err(DatasetError::LineTooLong {
                path: self.path.clone(),
                line: self.line,
                limit: MAX_LINE_BYTES,
            });
        }
        String::from_utf8(bytes).map_err(|_| DatasetError::NotUtf8 {
            path: self.path.clone(),
            line: self.line,
        })
    }

    fn at_end(&mut self) -> Result<bool, DatasetError> {
        let rest = self.reader.fill_buf();
        Ok(rest
            .map_err(|error| DatasetError::read(&self.path, error))?
            .is_empty())
    }

    fn plain(&mut self) -> Result<Option<Piece>, DatasetError> {
        let mut text = String::new();
        while text.len() < PIECE_BYTES && !self.at_end()? {
            text += &self.line()?;
        }
        if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(Piece {
            bytes: text.len() as u64 + std::mem::take(&mut self.unclaimed),
            text,
            ends_document: self.at_end()?,
        }))
    }

    fn json(&mut self, field: &str) -> Result<Option<Piece>, DatasetError> {
        let mut bytes = std::mem::take(&mut self.unclaimed);
        while !self.at_end()? {
            let line = self.line()?;
            bytes += line.len() as u64;
            if line.trim().is_empty() {
                continue;
            }
            let text = self.field(&line, field)?;
            return Ok(Some(Piece {
                text,
                ends_document: true,
                bytes,
            }));
        }
        Ok(None)
    }

    fn field(&self, line: &str, field: &str) -> Result<String, DatasetError> {
        let value: Value = serde_json::from_str(line).map_err(|error| {
            let path = self.path.clone();
            if has_lone_surrogate(line) {
                return DatasetError::LoneSurrogate {
                    path,
                    line: self.line,
                };
            }
            DatasetError::NotJson {
                path,
                line: self.line,
                problem: error.to_string(),
            }
        })?;
        match value {
            Value::Object(mut fields) => match fields.remove(field) {
                Some(Value::String(text)) => Ok(text),
                _ => Err(self.no_text(field)),
            },
            _ => Err(self.no_text(field)),
        }
    }

    fn no_text(&self, field: &str) -> DatasetError {
        DatasetError::NoText {
            path: self.path.clone(),
            line: self.line,
            field: field.into(),
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Result<Piece, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self.layout {
            Layout::Plain => self.plain(),
            Layout::JsonLines(field) => self.json(field),
        };
        let first = !std::mem::replace(&mut self.any, true);
        match next {
            Ok(None) if first => Some(Err(DatasetError::Empty {
                path: self.path.clone(),
            })),
            next => next.transpose(),
        }
    }
}

/// Whether JSON has an escaped half of a surrogate pair without the other half.
fn has_lone_surrogate(json: &str) -> bool {
    let mut rest = json.as_bytes();
    loop {
        rest = match rest {
            [] => return false,
            [b'\\', b'u', after @ ..] => match unit(after) {
                Some(0xd800..=0xdbff) => match after.get(4..) {
                    Some([b'\\', b'u', second @ ..])
                        if matches!(unit(second), Some(0xdc00..=0xdfff)) =>
                    {
                        second
                    }
                    _ => return true,
                },
                Some(0xdc00..=0xdfff) => return true,
                _ => after,
            },
            [b'\\', _, after @ ..] | [_, after @ ..] => after,
        };
    }
}

/// The UTF-16 code unit of four hexadecimal digits.
fn unit(digits: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(digits.get(..4)?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_half_a_pair_is_a_lone_surrogate() {
        for lone in [
            r#""half \ud83e""#,
            r#""\ud83e\u0041""#,
            r#""\udd80""#,
            r#""\ud83e\ud83e\udd80""#,
            r#""\\\ud83e""#,
            r#""\ud83e"#,
        ] {
            assert!(has_lone_surrogate(lone), "{lone}");
        }
        for whole in [
            "",
            r#""\ud83e\udd80""#,
            r#""\\ud83e""#,
            r#""\u00e9""#,
            r#""\u12""#,
            r#""\"#,
        ] {
            assert!(!has_lone_surrogate(whole), "{whole}");
        }
    }
}
