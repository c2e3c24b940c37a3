//! Compiles this crate to Wasm as well, for `WASM_BINARY`.

fn main() {
    #[cfg(feature = "std")]
    build_wasm();
}

#[cfg(feature = "std")]
fn build_wasm() {
    // The builder looks for the workspace above the target directory, where it is not when
    // CARGO_TARGET_DIR points elsewhere.
    const HINT: &str = "WASM_BUILD_WORKSPACE_HINT";
    println!("cargo:rerun-if-env-changed={HINT}");
    if std::env::var_os(HINT).is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var(HINT, concat!(env!("CARGO_MANIFEST_DIR"), "/..")) };
    }

    #[cfg(feature = "metadata-hash")]
    substrate_wasm_builder::WasmBuilder::init_with_defaults()
        .enable_metadata_hash("NOEMA", 12)
        .build();
    #[cfg(not(feature = "metadata-hash"))]
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
