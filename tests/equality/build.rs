//! Compiles the guest to Wasm with the runtime's builder, target and profile.

fn main() {
    // The builder looks for the workspace above the target directory, where it is not when
    // CARGO_TARGET_DIR points elsewhere.
    const HINT: &str = "WASM_BUILD_WORKSPACE_HINT";
    println!("cargo:rerun-if-env-changed={HINT}");
    if std::env::var_os(HINT).is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var(HINT, concat!(env!("CARGO_MANIFEST_DIR"), "/../..")) };
    }
    substrate_wasm_builder::WasmBuilder::new()
        .with_project(concat!(env!("CARGO_MANIFEST_DIR"), "/guest/Cargo.toml"))
        .expect("the guest lies beside this file")
        .import_memory()
        .export_heap_base()
        // The guest is no runtime and has no version.
        .disable_runtime_version_section_check()
        .build();
}
