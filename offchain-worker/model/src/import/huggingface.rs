//! Folders in Hugging Face's layout: `config.json`, `*.safetensors`, `tokenizer.json`.

mod config;
mod rope;
mod tensors;
mod text;

use super::{
    files::{self, Mapped},
    gains::GainChanges,
    model::{Model, Weights, END_OF_TURN},
    rope::Ropes,
    tokenizer, ImportError, ImportProgress, ImportStage, UNNAMED,
};
use blake2::{digest::consts::U32, Blake2b, Digest};
use config::{Config, GenerationConfig, TokenizerConfig};
use noema_checkpoint::{blake2_256, layout::TensorRole, Architecture, Source, SourceFormat, H256};
use rope::RopeConfig;
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};
use tensors::{Shards, INDEX};

const CHAT_TEMPLATE: &str = "chat_template.jinja";

/// A folder whose small files and tensor lists have been read.
pub(super) struct Folder {
    path: PathBuf,
    config: Config,
    generation: GenerationConfig,
    tokenizer_config: TokenizerConfig,
    tokenizer: Vec<u8>,
    chat_template: Option<String>,
    licence: String,
    shards: Shards,
    architecture: Architecture,
    ropes: Ropes,
    gains: GainChanges,
    hash: H256,
}

/// Reads files of a folder and remembers their hashes.
struct Reader<'a> {
    folder: &'a Path,
    hashes: BTreeMap<String, H256>,
}

impl Reader<'_> {
    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, ImportError> {
        let bytes = files::read_small(&self.folder.join(name))?;
        self.hashes.insert(name.into(), blake2_256(&bytes));
        Ok(bytes)
    }

    fn optional_bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, ImportError> {
        if self.folder.join(name).exists() {
            self.bytes(name).map(Some)
        } else {
            Ok(None)
        }
    }

    fn optional_json<T: DeserializeOwned + Default>(
        &mut self,
        name: &str,
    ) -> Result<T, ImportError> {
        match self.optional_bytes(name)? {
            Some(bytes) => files::parse_json(&self.folder.join(name), &bytes),
            None => Ok(T::default()),
        }
    }
}

impl Folder {
    pub(super) fn open(path: &Path, progress: &dyn ImportProgress) -> Result<Self, ImportError> {
        if !path.join("config.json").exists() {
            return Err(ImportError::Foreign {
                path: path.into(),
                problem: "it has no config.json".into(),
            });
        }
        let mut reader = Reader {
            folder: path,
            hashes: BTreeMap::new(),
        };
        let config_path = path.join("config.json");
        let config_bytes = text::config(&config_path, reader.bytes("config.json")?)?;
        let config = Config::read(&config_path, &config_bytes)?;
        let generation = reader.optional_json("generation_config.json")?;
        let tokenizer_config: TokenizerConfig = reader.optional_json("tokenizer_config.json")?;
        let tokenizer = read_tokenizer(&mut reader, &tokenizer_config)?;
        let chat_template = match reader.optional_bytes(CHAT_TEMPLATE)? {
            None => None,
            Some(bytes) => {
                files::check_text(&path.join(CHAT_TEMPLATE), &bytes)?;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
        };
        let licence = reader
            .optional_bytes("README.md")?
            .and_then(|card| licence(&card))
            .unwrap_or_default();
        let index = reader.optional_json(INDEX)?;
        let shards = Shards::open(path, config.model_type, &index)?;
        let mut architecture = config.architecture(&config_path)?;
        shards.check(&architecture)?;
        let ropes = RopeConfig::read(&config_path, &config_bytes)?;
        let ropes = ropes.ropes(&config_path, config.model_type, &mut architecture)?;
        let divisor = config.score_divisor(&config_path)?;
        let gains = GainChanges::new(&architecture, divisor, config.model_type.is_gemma());

        let total = shards.files().map(|file| file.bytes().len() as u64).sum();
        progress.begin(ImportStage::Hash, total);
        for file in shards.files() {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy();
            reader.hashes.insert(name.into_owned(), file.hash(progress));
        }
        let mut hasher = Blake2b::<U32>::new();
        for (name, hash) in &reader.hashes {
            hasher.update((name.len() as u64).to_le_bytes());
            hasher.update(name);
            hasher.update(hash);
        }
        Ok(Self {
            path: path.into(),
            config,
            generation,
            tokenizer_config,
            tokenizer,
            chat_template,
            licence,
            shards,
            architecture,
            ropes,
            gains,
            hash: H256(hasher.finalize().into()),
        })
    }

    pub(super) fn model(&self) -> Result<Model, ImportError> {
        let path = self.path.join("tokenizer.json");
        let vocabulary = self.architecture.vocabulary;
        let tokenizer = tokenizer::check(&path, &self.tokenizer, vocabulary)?;
        let token = |name: &str| tokenizer.token_to_id(name);

        let mut stops: Vec<u32> = END_OF_TURN.into_iter().filter_map(token).collect();
        stops.extend(self.config.eos_token_id.iter());
        stops.extend(self.generation.eos_token_id.iter());
        stops.extend(self.tokenizer_config.eos().and_then(token));
        stops.sort_unstable();
        stops.dedup();
        Ok(Model {
            name: self.config.name().unwrap_or(UNNAMED).into(),
            licence: self.licence.clone(),
            source: Source {
                format: SourceFormat::HuggingFace,
                hash: self.hash,
            },
            architecture: self.architecture,
            ropes: self.ropes.clone(),
            tokenizer: self.tokenizer.clone(),
            chat_template: match &self.chat_template {
                Some(template) => template.clone(),
                None => self.tokenizer_config.chat_template(),
            },
            bos: self.tokenizer_config.bos().and_then(token).or(self
                .config
                .bos_token_id
                .iter()
                .next()),
            eos: self.tokenizer_config.eos().and_then(token).or(self
                .config
                .eos_token_id
                .iter()
                .next()),
            stops,
        })
    }
}

impl Weights for Folder {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read(
        &self,
        role: TensorRole,
        layer: Option<u32>,
        rows: Range<usize>,
        columns: usize,
        out: &mut [f32],
    ) -> Result<(), ImportError> {
        let head_dim = self.architecture.head_dim as usize;
        let read = |rows: Range<usize>, out: &mut [f32]| -> Result<(), ImportError> {
            let architecture = &self.architecture;
            self.shards
                .read(architecture, role, layer, rows, columns, out)?;
            self.gains.apply(role, out);
            Ok(())
        };
        let rope = &self.ropes.usual;
        if rope.rotated == head_dim {
            return read(rows, out);
        }
        match role {
            TensorRole::Query | TensorRole::Key => {
                for (row, out) in rows.zip(out.chunks_exact_mut(columns)) {
                    let row = rope.stored_row(row, head_dim);
                    read(row..row + 1, out)?;
                }
            }
            TensorRole::QueryBias
            | TensorRole::KeyBias
            | TensorRole::QueryNorm
            | TensorRole::KeyNorm => {
                read(rows, out)?;
                let reordered = rope.reordered(out, head_dim);
                for (out, value) in out.iter_mut().zip(reordered) {
                    *out = value;
                }
            }
            _ => read(rows, out)?,
        }
        Ok(())
    }

    fn release(&self) {
        self.shards.files().for_each(Mapped::release);
    }

    fn locate(&self, role: TensorRole, layer: Option<u32>) -> (String, u64) {
        self.shards.locate(role, layer)
    }
}

/// `tokenizer.json`, or what takes its place, built from `tokenizer.model`.
fn read_tokenizer(
    reader: &mut Reader<'_>,
    config: &TokenizerConfig,
) -> Result<Vec<u8>, ImportError> {
    if let Some(json) = reader.optional_bytes("tokenizer.json")? {
        return Ok(json);
    }
    let path = reader.folder.join("tokenizer.model");
    let Some(model) = reader.optional_bytes("tokenizer.model")? else {
        let what = "tokenizer.json or tokenizer.model";
        return Err(ImportError::missing(reader.folder, what));
    };
    let added: BTreeMap<String, u32> = reader.optional_json("added_tokens.json")?;
    let settings = config.model_settings(added, &path)?;
    tokenizer::from_model(&path, &model, &settings)
}

/// The licence that a model card states in the header between its first two lines of dashes.
fn licence(card: &[u8]) -> Option<String> {
    let card = std::str::from_utf8(card).ok()?;
    let header = card.strip_prefix("---")?.split("\n---").next()?;
    let value = header
        .lines()
        .find_map(|line| line.strip_prefix("license:"))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_stands_in_the_header_of_the_card() {
        let card = b"---\nlibrary_name: transformers\nlicense: apache-2.0\n---\n# Model\n";
        assert_eq!(licence(card).as_deref(), Some("apache-2.0"));
        assert_eq!(licence(b"---\nx: y\n---\nlicense: mit\n"), None);
        assert_eq!(licence(b"license: mit\n"), None);
    }
}
