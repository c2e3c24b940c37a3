//! Refuses to link runtimes for PolkaVM, with the interface of the crate `polkavm-linker`.
//!
//! `substrate-wasm-builder` depends on that crate for runtimes that are compiled to RISC-V, and brings second
//! versions of two readers of object files and of a register allocator with it. This workspace compiles its
//! runtime to Wasm. This crate has only the functions that `substrate-wasm-builder` calls; a call of any other one
//! fails to compile, and another version takes the real crate again.

use std::{fmt, path::PathBuf};

const REASON: &str =
    "the runtime is compiled to Wasm alone: unset SUBSTRATE_RUNTIME_TARGET, or remove \
     patches/polkavm-linker";

/// The options of the linker.
#[derive(Debug, Default)]
pub struct Config;

impl Config {
    /// Whether symbols are removed.
    pub fn set_strip(&mut self, _is_stripped: bool) -> &mut Self {
        self
    }
}

/// The instructions that a program may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetInstructionSet {
    /// Those of JAM.
    JamV1,
}

/// Why a program was not linked.
#[derive(Debug)]
pub struct ProgramFromElfError;

impl fmt::Display for ProgramFromElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REASON)
    }
}

/// Links a program.
///
/// # Errors
/// Always.
pub fn program_from_elf(
    _config: Config,
    _instructions: TargetInstructionSet,
    _elf: &[u8],
) -> Result<Vec<u8>, ProgramFromElfError> {
    Err(ProgramFromElfError)
}

/// The properties of the target.
#[derive(Clone, Debug, Default)]
pub struct TargetJsonArgs {
    /// Whether its words have 64 bits.
    pub is_64_bit: bool,
}

/// The file that describes the target to the compiler.
///
/// # Errors
/// Always.
pub fn target_json_path(_args: TargetJsonArgs) -> Result<PathBuf, String> {
    Err(REASON.into())
}
