//! Reading documents in pieces, so that a text need not fit into memory.

use super::DatasetError;
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
}

impl<'a> Pieces<'a> {
    pub(super) fn open(path: &Path, layout: Layout<'a>) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(|error| DatasetError::read(path, error))?;
        Ok(Self {
            path: path.into(),
            layout,
            reader: BufReader::with_capacity(1 << 20, file),
            line: 0,
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
        let bytes = text.len() as u64;
        Ok((bytes > 0).then_some(Piece {
            text,
            ends_document: self.at_end()?,
            bytes,
        }))
    }

    fn json(&mut self, field: &str) -> Result<Option<Piece>, DatasetError> {
        let mut bytes = 0;
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
        let value: Value = serde_json::from_str(line).map_err(|error| DatasetError::NotJson {
            path: self.path.clone(),
            line: self.line,
            problem: error.to_string(),
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
        next.transpose()
    }
}
