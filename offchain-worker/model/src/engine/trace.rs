//! Traces of answers: executed on the processor, whatever the device of the answers is. A slow device, or a busy one,
//! costs no time of a game.

use super::Engine;
use noema_executor::{
    Cancel, CpuKernels, ExecutedTrace, ModelSource, TraceFailure, TraceSubject, WeightsTree,
};
use noema_trace::TracedExecution;
use std::sync::Arc;

impl Engine {
    /// The trace of an execution with these tokens. Blocks until it is executed once.
    ///
    /// # Errors
    /// When what is stated has no trace, or it is cancelled.
    pub fn trace(
        &self,
        execution: TracedExecution,
        given: Vec<u32>,
        answer: Vec<u32>,
        cancel: &Cancel,
    ) -> Result<ExecutedTrace, TraceFailure> {
        let manifest = self.checkpoint.manifest();
        let source: Arc<dyn ModelSource> = self.checkpoint.clone();
        let kernels = CpuKernels::default();
        let weights = self.weights.get_or_init(|| {
            let tree = WeightsTree::new(source.clone(), kernels.clone());
            Arc::new(tree)
        });
        let subject = TraceSubject {
            weights: weights.clone(),
            source,
            weights_root: manifest.weights_root,
            stops: manifest.stops.clone(),
            execution,
            given,
            answer,
        };
        ExecutedTrace::new(subject, kernels, &mut |_| (), cancel)
    }
}
