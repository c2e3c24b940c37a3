//! A tiny checkpoint and a dataset for it.

use noema_model::{
    checkpoint::{OpenCheckpoint, TOKENIZER},
    dataset::{learn_tokenizer, prepare, OpenDataset, PrepareOptions},
    import::{initialise, InitialOptions},
};
use noema_training::TrainingOptions;
use std::{fs, path::Path, path::PathBuf};
use tempfile::TempDir;

pub(crate) struct World {
    folder: TempDir,
    pub(crate) dataset: OpenDataset,
}

impl World {
    /// A text with regularities, in ten shards of eight sequences of 24 tokens.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = folder.path().join("text.txt");
        let lines = (0..900).map(|i| {
            let animal = ["cat", "dog", "cow", "owl"][i % 4];
            let place = ["mat", "log", "field"][i % 3];
            format!("The {animal} sat on the {place} {} times.\n", i % 10)
        });
        fs::write(&text, lines.collect::<String>()).expect("is written");
        let inputs = [text];
        let tokenizer = learn_tokenizer(&inputs, None, 288).expect("is learnt");
        let path = folder.path().join(TOKENIZER);
        fs::write(&path, &tokenizer).expect("is written");
        let shape = InitialOptions {
            layers: 1,
            hidden: 32,
            heads: 1,
            kv_heads: 1,
            feed_forward: 32,
            context: 32,
            ..Default::default()
        };
        initialise(&path, tokenizer, folder.path(), &shape, &()).expect("is made");
        let options = PrepareOptions {
            sequence_length: 24,
            shard_sequences: 8,
            ..Default::default()
        };
        let place = folder.path().join("dataset");
        let prepared = prepare(&inputs, &path, &place, &options, &|_| ()).expect("is prepared");
        Self {
            folder,
            dataset: prepared.dataset,
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn checkpoint(&self) -> OpenCheckpoint {
        let library = noema_model::checkpoint::Library::new(self.home());
        let ids = library.ids().expect("is there");
        library.open(ids[0]).expect("opens")
    }
}

pub(crate) fn options() -> TrainingOptions {
    TrainingOptions {
        steps: 12,
        batch: 4,
        learning_rate: 5e-3,
        warmup: 2,
        save_every: 5,
        ..Default::default()
    }
}
