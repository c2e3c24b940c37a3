//! Cargo features that no crate of the workspace may enable.

use std::process::Command;

/// Features of burn that select kernels by timing or fuse operations: with either, the bits of a result
/// depend on the machine's load, and results on some drivers are wrong. `vulkan` replaces WGSL by SPIR-V that
/// crashes in Mesa's compiler.
const BANNED: [&str; 4] = ["autotune", "autotune-checks", "fusion", "vulkan"];

/// One line for each crate of the workspace's graph: name, version, features.
fn resolved() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--offline"])
        .args(["--prefix", "none", "--format", "{p} {f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn burn_neither_times_kernels_nor_fuses_them() {
    let crates: Vec<_> = resolved()
        .into_iter()
        .filter(|line| {
            ["burn", "cubecl", "cubek"]
                .iter()
                .any(|name| line.starts_with(name))
        })
        .collect();
    for needed in ["burn-flex ", "burn-wgpu "] {
        let found = crates.iter().any(|line| line.starts_with(needed));
        assert!(found, "{needed}is among what cargo resolves");
    }
    for line in crates {
        for banned in BANNED {
            assert!(
                !line.split([' ', ',']).any(|feature| feature == banned),
                "{line}: compiled with {banned}; find the crate that enables it with: cargo tree -e features -i burn"
            );
        }
    }
}
