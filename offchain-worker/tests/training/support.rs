//! A tiny checkpoint and a dataset for it.

use noema_executor::Device;
use noema_worker::{
    checkpoint::{OpenCheckpoint, TOKENIZER},
    dataset::{learn_tokenizer, prepare, Dataset, PrepareOptions},
    import::{initialise, InitialOptions},
    training::{Contribution, Parent, Step, Trainer, TrainingError, TrainingOptions},
};
use std::{fs, ops::ControlFlow, path::Path, path::PathBuf};
use tempfile::TempDir;

pub(crate) struct World {
    folder: TempDir,
    pub(crate) dataset: Dataset,
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
        let library = noema_worker::checkpoint::Library::new(self.home());
        let ids = library.ids().expect("is there");
        library.open(ids[0]).expect("opens")
    }

    pub(crate) fn parent(&self) -> Parent {
        Parent::read(&self.checkpoint()).expect("is read")
    }

    /// The sequences of a shard.
    pub(crate) fn sequences(&self, shard: usize) -> Vec<Vec<u32>> {
        let shard = self.dataset.shard(shard).expect("is sound");
        shard.sequences().map(<[u32]>::to_vec).collect()
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

pub(crate) fn trainer(parent: Parent, options: TrainingOptions, state: Option<&Path>) -> Trainer {
    Trainer::new(parent, options, &Device::cpu(None), state).expect("options are sound")
}

/// Trains until the round is over, or until `stop` says so.
pub(crate) fn run_until(
    trainer: &mut Trainer,
    sequences: &[Vec<u32>],
    stop: impl Fn(&Step) -> bool,
) -> Result<Contribution, TrainingError> {
    let sequences: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
    trainer.run(&sequences, &mut |step| {
        if stop(step) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

pub(crate) fn run(trainer: &mut Trainer, sequences: &[Vec<u32>]) -> Contribution {
    run_until(trainer, sequences, |_| false).expect("trains")
}
