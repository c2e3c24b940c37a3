//! The executors: every device, the kernels of each instruction set, the definition itself, and the
//! definition as Wasm.

use crate::{batches::Batches, guest::Guest, source::SharedModel, Evidence, Task};
use anyhow::{anyhow, Result};
use noema_executor::{CpuKernels, Device, ExecutorError};
use noema_numerics::{testing::Case, Kernels, Scalar, Transformer};
use rayon::prelude::*;
use std::sync::Arc;

/// Receives, from any thread, the number of tokens of an answer that were just executed.
pub type Progress<'p> = &'p (dyn Fn(usize) + Sync);

/// One executor.
pub trait Subject {
    /// Its name.
    fn name(&self) -> String;

    /// Its result for a call of one operator; `None` if it only executes whole passes.
    fn operator(&self, case: &Case) -> Option<Result<Vec<u8>>>;

    /// Executes every task with the model that `source` holds.
    fn execute(
        &mut self,
        tasks: &[Task],
        source: &Arc<SharedModel>,
        progress: Progress<'_>,
    ) -> Result<Vec<Evidence>>;
}

/// Every executor of this machine. The first is a device, and fast. An adapter that cannot run the kernels is
/// left out with a remark.
///
/// # Panics
/// When the guest was not compiled: the comparison would be incomplete without it.
pub fn all() -> Vec<Box<dyn Subject>> {
    let mut subjects: Vec<Box<dyn Subject>> = Vec::new();
    for device in Device::all(None, None) {
        match device.self_test() {
            Err(error @ ExecutorError::NoDevice { .. }) => {
                eprintln!("    without {device}: {error}");
            }
            // The comparison reports every other error of it.
            _ => subjects.push(Box::new(Batches(device))),
        }
    }
    for kernels in CpuKernels::variants().into_iter().rev() {
        subjects.push(Box::new(Native {
            name: format!("kernels, {}", kernels.instructions()),
            kernels,
            parallel: false,
        }));
    }
    subjects.push(Box::new(Native {
        name: "scalar definition".into(),
        kernels: Scalar,
        parallel: true,
    }));
    subjects.push(Box::new(Wasm(Guest::load())));
    subjects
}

/// Kernels on the processor, one sequence at a time.
struct Native<K> {
    name: String,
    kernels: K,
    /// Whether tasks share the threads, because the kernels use only one.
    parallel: bool,
}

impl<K: Kernels + Sync> Subject for Native<K> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn operator(&self, case: &Case) -> Option<Result<Vec<u8>>> {
        Some(Ok(case.run(&self.kernels)))
    }

    fn execute(
        &mut self,
        tasks: &[Task],
        source: &Arc<SharedModel>,
        progress: Progress<'_>,
    ) -> Result<Vec<Evidence>> {
        let kernels = &self.kernels;
        let run = |task: &Task| {
            let model = source.model()?;
            let positions = u32::try_from(task.positions())?;
            let evidence = task
                .run(Transformer::new(model, kernels, positions))
                .map_err(|refusal| anyhow!(refusal))?;
            progress(evidence.tokens.len());
            Ok(evidence)
        };
        match self.parallel {
            true => tasks.par_iter().map(run).collect(),
            false => tasks.iter().map(run).collect(),
        }
    }
}

/// The definition as Wasm, an instance for each thread.
struct Wasm(Guest);

impl Subject for Wasm {
    fn name(&self) -> String {
        "Wasm in sc-executor".into()
    }

    fn operator(&self, case: &Case) -> Option<Result<Vec<u8>>> {
        Some(self.0.operator(case))
    }

    fn execute(
        &mut self,
        tasks: &[Task],
        source: &Arc<SharedModel>,
        progress: Progress<'_>,
    ) -> Result<Vec<Evidence>> {
        let run = |task: &Task| {
            let evidence = self.0.execute(task, source)?;
            progress(evidence.tokens.len());
            Ok(evidence)
        };
        tasks.par_iter().map(run).collect()
    }
}
