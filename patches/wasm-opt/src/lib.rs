//! Runs the `wasm-opt` that is installed, with the interface of the crate `wasm-opt`.
//!
//! That crate compiles Binaryen, thirteen minutes of C++ on one core, although `substrate-wasm-builder` only
//! needs it to remove debug information from the runtime. `scripts/setup.sh` installs Debian's `binaryen`
//! instead. This crate has only the functions that `substrate-wasm-builder` calls; a call of any other one
//! fails to compile.

use std::{
    fmt,
    path::Path,
    process::{Command, Stdio},
};

/// The passes over a module, and their options.
#[derive(Clone, Debug)]
pub struct OptimizationOptions {
    arguments: Vec<&'static str>,
}

/// A pass over a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Removes debug information in the DWARF format.
    StripDwarf,
    /// Replaces instructions that extend signs.
    SignextLowering,
}

/// Why a module could not be written.
pub struct OptimizationError(String);

impl fmt::Debug for OptimizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl OptimizationOptions {
    /// Optimises nothing.
    pub fn new_opt_level_0() -> Self {
        Self {
            arguments: vec!["-O0"],
        }
    }

    /// Refuses modules that use features beyond the first version of WebAssembly.
    pub fn mvp_features_only(&mut self) -> &mut Self {
        self.with("--mvp-features")
    }

    /// Whether names are kept.
    pub fn debug_info(&mut self, is_kept: bool) -> &mut Self {
        match is_kept {
            true => self.with("--debuginfo"),
            false => self,
        }
    }

    /// Adds a pass.
    pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
        match pass {
            Pass::StripDwarf => self.with("--strip-dwarf"),
            // The target wasm32v1-none has no such instructions, and Debian 12's version no such pass.
            Pass::SignextLowering => self,
        }
    }

    fn with(&mut self, argument: &'static str) -> &mut Self {
        self.arguments.push(argument);
        self
    }

    /// Reads the module in `from` and writes it into `to`.
    ///
    /// # Errors
    /// Where `wasm-opt` is not installed, or refuses the module.
    pub fn run(
        &self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
    ) -> Result<(), OptimizationError> {
        let run = Command::new("wasm-opt")
            .arg(from.as_ref())
            .args(&self.arguments)
            .arg("--output")
            .arg(to.as_ref())
            .stdin(Stdio::null())
            .output();
        match run {
            Ok(run) if run.status.success() => Ok(()),
            Ok(run) => Err(OptimizationError(format!(
                "wasm-opt failed: {}",
                String::from_utf8_lossy(&run.stderr).trim()
            ))),
            Err(error) => Err(OptimizationError(format!(
                "wasm-opt cannot be started ({error}): run scripts/setup.sh, or install the package binaryen"
            ))),
        }
    }
}
