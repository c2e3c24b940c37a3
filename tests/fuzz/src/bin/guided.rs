//! A target under libFuzzer, which chooses inputs by what they cover: `./scripts/fuzz.sh TARGET --guided` compiles and
//! runs it. `NOEMA_FUZZ_TARGET` names the target.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noema_fuzz::{Target, TARGETS};
use std::sync::LazyLock;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("NOEMA_FUZZ_TARGET").unwrap_or_default();
    let target = TARGETS.iter().find(|target| target.name == name);
    target.unwrap_or_else(|| panic!("NOEMA_FUZZ_TARGET names no target: {name:?}"))
});

fuzz_target!(|bytes: &[u8]| {
    (TARGET.run)(bytes);
});
