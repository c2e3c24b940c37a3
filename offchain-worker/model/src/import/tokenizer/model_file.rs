//! SentencePiece's `tokenizer.model`, a message of Protocol Buffers.

use super::{build, Around, Pieces, Prefix, Vocabulary, CONTROL, NORMAL, USER_DEFINED};
use crate::import::ImportError;
use noema_checkpoint::Architecture;
use std::path::Path;

/// What the other files of a folder say about its `tokenizer.model`.
#[derive(Debug, Default)]
pub(in crate::import) struct ModelSettings {
    /// Written form of the token before a text.
    pub(in crate::import) bos: Option<String>,
    /// Written form of the token after it.
    pub(in crate::import) eos: Option<String>,
    pub(in crate::import) adds_bos: Option<bool>,
    pub(in crate::import) adds_eos: Option<bool>,
    /// Whether a space is put before a text; unless they say so, what the model says.
    pub(in crate::import) adds_space: Option<bool>,
    /// Whether it is put after every added token, too.
    pub(in crate::import) is_legacy: bool,
    /// Tokens that are not in the model, or have another form there.
    pub(in crate::import) added: Vec<Added>,
}

/// An added token.
#[derive(Debug)]
pub(in crate::import) struct Added {
    pub(in crate::import) id: u32,
    pub(in crate::import) content: String,
    pub(in crate::import) is_special: bool,
}

/// Builds `tokenizer.json` from the bytes of a `tokenizer.model`.
pub(in crate::import) fn from_model(
    path: &Path,
    bytes: &[u8],
    settings: &ModelSettings,
) -> Result<Vec<u8>, ImportError> {
    let damaged = || ImportError::tokenizer(path, "it is not a model of SentencePiece");
    let mut model = ModelFile::read(bytes).ok_or_else(damaged)?;
    if let Some(what) = model.unsupported() {
        return Err(ImportError::unsupported(
            path,
            what,
            "save the tokenizer as tokenizer.json, with `use_fast=True` in Transformers",
        ));
    }
    for (token, kind) in model.tokens.iter_mut().zip(&model.kinds) {
        if *kind == USER_DEFINED {
            // Such a token is searched for in the text as it is.
            *token = token.replace('\u{2581}', " ");
        }
    }
    for added in &settings.added {
        model.add(added).ok_or_else(|| {
            let problem = format!(
                "it adds token {}; tokens below {} are possible",
                added.id,
                Architecture::MAX_VOCABULARY
            );
            ImportError::tokenizer(path, problem)
        })?;
    }
    let id = |content: &Option<String>| {
        let content = content.as_ref()?;
        let place = model.tokens.iter().position(|token| token == content)?;
        u32::try_from(place).ok()
    };
    let bos = Around {
        token: id(&settings.bos).or(model.bos),
        is_added: settings.adds_bos,
    };
    let eos = Around {
        token: id(&settings.eos).or(model.eos),
        is_added: settings.adds_eos,
    };
    let prefix = match settings.adds_space.unwrap_or(model.adds_space) {
        false => Prefix::None,
        true if settings.is_legacy => Prefix::EachPart,
        true => Prefix::Text,
    };
    let vocabulary = Vocabulary {
        tokens: model.tokens,
        kinds: model.kinds,
        model: Pieces::SentencePiece {
            scores: model.scores,
            prefix,
        },
        bos,
        eos,
    };
    build(path, &vocabulary)
}

/// The parts of a model that are read.
struct ModelFile {
    tokens: Vec<String>,
    kinds: Vec<i64>,
    scores: Vec<f32>,
    is_bpe: bool,
    /// Whether words end with the character for a space, instead of beginning with it.
    has_suffixes: bool,
    bos: Option<u32>,
    eos: Option<u32>,
    /// Whether it has a table of characters to replace.
    normalizes: bool,
    adds_space: bool,
    removes_spaces: bool,
    escapes_spaces: bool,
}

impl ModelFile {
    /// `None` if `bytes` are no such model.
    fn read(bytes: &[u8]) -> Option<Self> {
        // What is true where the message does not say.
        let mut model = Self {
            tokens: Vec::new(),
            kinds: Vec::new(),
            scores: Vec::new(),
            is_bpe: false,
            has_suffixes: false,
            bos: Some(1),
            eos: Some(2),
            normalizes: false,
            adds_space: true,
            removes_spaces: true,
            escapes_spaces: true,
        };
        for field in Fields(bytes) {
            match field? {
                (1, Field::Bytes(piece)) => model.piece(piece)?,
                (2, Field::Bytes(trainer)) => model.trainer(trainer)?,
                (3, Field::Bytes(normalizer)) => model.normalizer(normalizer)?,
                _ => {}
            }
        }
        (!model.tokens.is_empty()).then_some(model)
    }

    fn piece(&mut self, bytes: &[u8]) -> Option<()> {
        let (mut token, mut score, mut kind) = (String::new(), 0.0, NORMAL);
        for field in Fields(bytes) {
            match field? {
                (1, Field::Bytes(text)) => token = String::from_utf8(text.to_vec()).ok()?,
                (2, Field::Word(bits)) => score = f32::from_bits(bits),
                (3, Field::Number(number)) => kind = i64::try_from(number).ok()?,
                _ => {}
            }
        }
        self.tokens.push(token);
        self.scores.push(score);
        self.kinds.push(kind);
        Some(())
    }

    fn trainer(&mut self, bytes: &[u8]) -> Option<()> {
        for field in Fields(bytes) {
            match field? {
                (3, Field::Number(kind)) => self.is_bpe = kind == 2,
                (24, Field::Number(flag)) => self.has_suffixes = flag != 0,
                (41, Field::Number(id)) => self.bos = u32::try_from(id).ok(),
                (42, Field::Number(id)) => self.eos = u32::try_from(id).ok(),
                _ => {}
            }
        }
        Some(())
    }

    fn normalizer(&mut self, bytes: &[u8]) -> Option<()> {
        for field in Fields(bytes) {
            match field? {
                (2, Field::Bytes(table)) => self.normalizes = !table.is_empty(),
                (3, Field::Number(flag)) => self.adds_space = flag != 0,
                (4, Field::Number(flag)) => self.removes_spaces = flag != 0,
                (5, Field::Number(flag)) => self.escapes_spaces = flag != 0,
                _ => {}
            }
        }
        Some(())
    }

    fn unsupported(&self) -> Option<&'static str> {
        if !self.is_bpe {
            return Some("a SentencePiece model that is not BPE");
        }
        if self.normalizes || self.removes_spaces {
            return Some("a SentencePiece model that changes a text before it cuts it");
        }
        if self.has_suffixes || !self.escapes_spaces {
            return Some("a SentencePiece model whose words do not begin with their space");
        }
        None
    }

    /// Takes an added token in the place of its id; `None` if no vocabulary has this place.
    fn add(&mut self, added: &Added) -> Option<()> {
        if added.id >= Architecture::MAX_VOCABULARY {
            return None;
        }
        let place = usize::try_from(added.id).ok()?;
        let length = self.tokens.len().max(place.checked_add(1)?);
        self.tokens.resize(length, String::new());
        self.kinds.resize(length, NORMAL);
        self.scores.resize(length, 0.0);
        self.tokens.get_mut(place)?.clone_from(&added.content);
        *self.kinds.get_mut(place)? = match added.is_special {
            true => CONTROL,
            false => USER_DEFINED,
        };
        Some(())
    }
}

/// The value of a field.
enum Field<'a> {
    Number(u64),
    Word(u32),
    Bytes(&'a [u8]),
    /// Of a type that no field has that is read.
    Other,
}

/// The fields of a message, with their numbers; `None` where it is damaged.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Field::Number(self.number()?),
            1 => {
                self.take(8)?;
                Field::Other
            }
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Word(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0u32..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Field<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}
