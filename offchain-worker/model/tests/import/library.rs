//! The library: its contents, partial checkpoints, and the leftovers of a killed import.

use crate::support::{gguf, import_into, leftovers, Model};
use noema_model::checkpoint::{
    CheckpointError, Library, OpenCheckpoint, CHAT_TEMPLATE, MANIFEST, TOKENIZER, WEIGHTS,
};
use std::{
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
};
use tempfile::TempDir;

fn imported() -> (TempDir, OpenCheckpoint) {
    let home = tempfile::tempdir().unwrap();
    let source = home.path().join("model.gguf");
    fs::write(&source, gguf::File::new(&Model::tiny()).bytes()).unwrap();
    let checkpoint = import_into(&source, home.path()).unwrap();
    (home, checkpoint)
}

fn overwrite(path: &Path, at: u64, byte: u8) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte]).unwrap();
}

#[test]
fn a_checkpoint_is_found_by_the_beginning_of_its_id() {
    let (home, checkpoint) = imported();
    let library = Library::new(home.path());
    assert_eq!(library.ids().unwrap(), [checkpoint.id()]);
    let id = checkpoint.id().to_string();
    for prefix in [&id[..], &id[..8], &id[2..7], &id[2..9].to_uppercase()] {
        assert_eq!(library.find(prefix).unwrap(), checkpoint.id());
    }
    assert!(matches!(
        library.find("0xzz"),
        Err(CheckpointError::Unknown { .. })
    ));
    assert_eq!(library.open(checkpoint.id()).unwrap().id(), checkpoint.id());
}

#[test]
fn a_manifest_of_another_format_says_so_and_what_to_do() {
    let (_home, checkpoint) = imported();
    let path = checkpoint.directory().join(MANIFEST);
    // An earlier format lacks fields of this one.
    fs::write(&path, r#"{ "format": 1 }"#).unwrap();
    let error = OpenCheckpoint::open(checkpoint.directory()).unwrap_err();
    assert!(matches!(error, CheckpointError::Format { found: 1, .. }));
    assert!(error.to_string().contains("import the model again"));
}

#[test]
fn a_library_that_does_not_exist_is_empty() {
    let home = tempfile::tempdir().unwrap();
    let library = Library::new(&home.path().join("nowhere"));
    assert!(library.ids().unwrap().is_empty());
}

#[test]
fn several_ids_with_one_beginning_are_ambiguous() {
    let (home, _) = imported();
    let library = Library::new(home.path());
    let other = "f".repeat(64);
    fs::create_dir(library.root().join(other)).unwrap();
    assert!(matches!(
        library.find(""),
        Err(CheckpointError::Ambiguous { .. })
    ));
}

#[test]
fn importing_twice_gives_the_same_checkpoint() {
    let (home, checkpoint) = imported();
    let again = import_into(&home.path().join("model.gguf"), home.path()).unwrap();
    assert_eq!(again.id(), checkpoint.id());
    assert!(leftovers(home.path()).is_empty());
    assert_eq!(Library::new(home.path()).ids().unwrap().len(), 1);
}

#[test]
fn importing_again_repairs_a_damaged_checkpoint() {
    let (home, checkpoint) = imported();
    overwrite(&checkpoint.directory().join(WEIGHTS), 1000, 0x55);
    assert!(checkpoint.verify(&|_| ()).is_err());
    let again = import_into(&home.path().join("model.gguf"), home.path()).unwrap();
    again.verify(&|_| ()).unwrap();
    assert_eq!(again.id(), checkpoint.id());
}

#[test]
fn what_a_killed_import_left_is_removed() {
    let (home, _) = imported();
    let stale = home.path().join("checkpoints/.import-1-0");
    fs::create_dir(&stale).unwrap();
    fs::write(stale.join(WEIGHTS), b"half").unwrap();
    fs::write(stale.join(".lock"), b"").unwrap();
    import_into(&home.path().join("model.gguf"), home.path()).unwrap();
    assert!(leftovers(home.path()).is_empty());
}

#[test]
fn what_a_running_import_uses_is_kept() {
    let (home, _) = imported();
    let running = home.path().join("checkpoints/.import-1-0");
    fs::create_dir(&running).unwrap();
    let lock = fs::File::create(running.join(".lock")).unwrap();
    lock.lock().unwrap();
    import_into(&home.path().join("model.gguf"), home.path()).unwrap();
    assert_eq!(leftovers(home.path()), [".import-1-0"]);
}

#[test]
fn a_changed_weight_is_noticed_by_verification() {
    let (_home, checkpoint) = imported();
    let path = checkpoint.directory().join(WEIGHTS);
    checkpoint.verify(&|_| ()).unwrap();
    overwrite(&path, 5000, 0x55);
    let reopened = OpenCheckpoint::open(checkpoint.directory()).unwrap();
    match reopened.verify(&|_| ()) {
        Err(CheckpointError::Hash { path: named, .. }) => assert_eq!(named, path),
        other => panic!("{other:?}"),
    }
}

#[test]
fn verification_tells_how_far_it_is() {
    let (_home, checkpoint) = imported();
    let seen = std::sync::atomic::AtomicU64::new(0);
    let count = |bytes| {
        seen.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    };
    checkpoint.verify(&count).unwrap();
    assert_eq!(seen.into_inner(), checkpoint.manifest().weights_bytes);
}

#[test]
fn every_other_damage_is_noticed_at_once() {
    type Damage = fn(&Path);
    let damage: [(&str, Damage); 5] = [
        (TOKENIZER, |path| overwrite(path, 10, b'#')),
        (CHAT_TEMPLATE, |path| overwrite(path, 0, b'#')),
        (CHAT_TEMPLATE, |path| fs::remove_file(path).unwrap()),
        (MANIFEST, |path| overwrite(path, 0, b'#')),
        (WEIGHTS, |path| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(544).unwrap();
        }),
    ];
    for (name, damage) in damage {
        let (home, checkpoint) = imported();
        let directory = checkpoint.directory().to_owned();
        drop(checkpoint);
        damage(&directory.join(name));
        let error = OpenCheckpoint::open(&directory).unwrap_err().to_string();
        assert!(error.contains(name), "{name}: {error}");
        drop(home);
    }
}

#[test]
fn a_checkpoint_under_a_foreign_id_is_refused() {
    let (home, checkpoint) = imported();
    let library = Library::new(home.path());
    let other = noema_checkpoint::CheckpointId(noema_checkpoint::H256::repeat_byte(7));
    fs::rename(checkpoint.directory(), library.path(other)).unwrap();
    assert!(matches!(
        library.open(other),
        Err(CheckpointError::WrongPlace { .. })
    ));
}
