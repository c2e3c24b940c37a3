//! The same source gives the same checkpoint, whatever the load of the machine.

use crate::support::{gguf, import_gguf, Model};
use hex_literal::hex;
use noema_checkpoint::{CheckpointId, H256};

fn id(threads: usize) -> CheckpointId {
    let bytes = gguf::File::new(&Model::wide()).bytes();
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(|| import_gguf(&bytes).unwrap().id())
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let one = id(1);
    for threads in [2, 3, 7] {
        assert_eq!(id(threads), one);
    }
}

#[test]
fn the_checkpoint_of_a_seeded_model_is_frozen() {
    let checkpoint = import_gguf(&gguf::File::new(&Model::wide()).bytes()).unwrap();
    let manifest = checkpoint.manifest();
    assert_eq!(
        [
            manifest.weights_root,
            manifest.tokenizer_hash,
            manifest.id().0
        ],
        [
            H256(hex!(
                "62c72ee377d1f133ac09e0fa03bbe0ee3c3106c3ef94aed72783acbea923d5bc"
            )),
            H256(hex!(
                "51ee1109bb567739c258e705d668b218542917367e7d226500255b844101f88c"
            )),
            H256(hex!(
                "5e33ce5f06e85c5d69fa4aeee6b5e272603b67eaa0d91efe85082bd8c498f492"
            )),
        ]
    );
}
