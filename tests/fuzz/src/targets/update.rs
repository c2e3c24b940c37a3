//! Updates of a checkpoint: what is read as one is applied without a fault, and changes no more than it says.

use super::manifest::variant;
use noema_checkpoint::{CheckpointId, H256};
use noema_numerics::testing::TestModel;
use noema_update::{apply, from_weights, overlap, Encoder, Limits, Trainable, Update};
use std::sync::OnceLock;

const PARENT: CheckpointId = CheckpointId(H256::repeat_byte(7));

struct World {
    model: TestModel,
    trainable: Trainable,
    masters: Vec<u8>,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let model = TestModel::tiny(3);
        let trainable = Trainable::new(&model.architecture).expect("an architecture");
        let masters = from_weights(&trainable, &model.weights).expect("masters");
        World {
            model,
            trainable,
            masters,
        }
    })
}

pub(super) fn run(bytes: &[u8]) -> String {
    let world = world();
    let limits = Limits {
        bytes: 1 << 16,
        ..Limits::default()
    };
    let update = match Update::open(bytes, &world.trainable, PARENT, limits) {
        Ok(update) => update,
        Err(error) => return format!("header {}", variant(&format!("{error:?}"))),
    };
    let summary = match update.check() {
        Ok(summary) => summary,
        Err(error) => return format!("chunks {}", variant(&format!("{error:?}"))),
    };
    let same = overlap(&update, &update).expect("an update");
    assert!(same.permill() == if summary.entries > 0 { 1_000 } else { 0 });
    let (mut masters, mut weights) = (world.masters.clone(), world.model.weights.clone());
    let parts = [(update, 1)];
    match apply(&parts, &world.model.exponents, &mut masters, &mut weights) {
        Ok(applied) => {
            assert!(applied.masters <= summary.entries);
            assert_eq!(applied.masters == 0, masters == world.masters);
            format!("applied {}", summary.entries.min(3))
        }
        Err(error) => {
            assert_eq!((&masters, &weights), (&world.masters, &world.model.weights));
            format!("not applied {}", variant(&format!("{error:?}")))
        }
    }
}

/// A tensor, and the changes of its coordinates.
type OfTensor = (u16, &'static [(u64, i32)]);

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let trainable = &world().trainable;
    let changes: [&[OfTensor]; 4] = [
        &[],
        &[(0, &[(5, 1)])],
        &[(3, &[(6, -5), (1_047, 10)])],
        &[
            (0, &[(5, 40), (4_000, -20)]),
            (2, &[(0, 300), (1, -300), (2, 600)]),
        ],
    ];
    let update = |changes: &&[OfTensor]| {
        let mut encoder = Encoder::new(trainable, PARENT, 64).expect("a bound");
        for (tensor, changes) in *changes {
            encoder.exact(*tensor, changes).expect("coordinates");
        }
        encoder.finish()
    };
    changes.iter().map(update).collect()
}
