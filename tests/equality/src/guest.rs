//! The definition as Wasm, in the node's executor of runtimes.
//!
//! `sc_executor::WasmExecutor` itself makes the calls: its wasmtime, its settings (among them no
//! SIMD), a fresh instance for each call. Only the heap differs: it may grow as far as 32 bits
//! reach, because a model is larger than a runtime.

use crate::{source::SharedModel, Evidence, Task};
use anyhow::{anyhow, ensure, Error, Result};
use codec::{Decode, Encode};
use noema_numerics::testing::Case;
use sc_executor::{
    sp_wasm_interface::{wasmtime::Caller, Function, HostFunctionRegistry, HostFunctions, Pointer},
    with_externalities_safe, HeapAllocStrategy, WasmExecutor,
};
use sp_core::traits::{RuntimeCode, WrappedRuntimeCode};
use std::{cell::RefCell, sync::Arc};

/// Written by the builder.
#[allow(dead_code, unreachable_pub)]
mod built {
    include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
}

thread_local! {
    /// The source of the weights for the present call of this thread.
    static SOURCE: RefCell<Option<Arc<SharedModel>>> = const { RefCell::new(None) };
}

/// The import of the guest beyond a runtime's host functions.
struct ReadWeights;

impl HostFunctions for ReadWeights {
    fn host_functions() -> Vec<&'static dyn Function> {
        Vec::new() // read by interpreters only
    }

    fn register_static<T: HostFunctionRegistry>(registry: &mut T) -> Result<(), T::Error> {
        registry.register_static(
            "ext_equality_read_weights_version_1",
            |caller: Caller<'_, T::State>, to: u32, length: u32| -> Result<()> {
                let source = SOURCE.with_borrow(Clone::clone);
                let source = source.ok_or_else(|| anyhow!("there are no weights"))?;
                let bytes = source.weights();
                let found = bytes.len();
                ensure!(
                    found == length as usize,
                    "the weights have {found} bytes, not {length}"
                );
                T::with_function_context(caller, |context| {
                    context.write_memory(Pointer::new(to), bytes)
                })
                .map_err(Error::msg)
            },
        )
    }
}

/// The compiled guest.
pub struct Guest {
    executor: WasmExecutor<(sp_io::SubstrateHostFunctions, ReadWeights)>,
    code: &'static [u8],
}

impl Guest {
    /// The guest, compiled to machine code.
    ///
    /// # Panics
    /// When it was not compiled, or the engine refuses it.
    pub fn load() -> Self {
        let instances = std::thread::available_parallelism().map_or(1, usize::from);
        let guest = Self {
            executor: WasmExecutor::builder()
                .with_max_runtime_instances(instances)
                .build(),
            code: built::WASM_BINARY
                .expect("the guest is compiled; build again without SKIP_WASM_BUILD"),
        };
        // The first call compiles, on rayon's threads, while the executor holds a lock. At that time none of
        // those threads may be busy with a task that waits for the same lock.
        guest.golden().expect("the guest was built for this engine");
        guest
    }

    /// Name and hash of each golden vector.
    pub fn golden(&self) -> Result<Vec<(String, String)>> {
        self.call("golden", &())
    }

    /// The result of the operator.
    pub fn operator(&self, case: &Case) -> Result<Vec<u8>> {
        self.call("operator", case)
    }

    /// Generates or checks an answer with the model that `source` holds.
    pub fn execute(&self, task: &Task, source: &Arc<SharedModel>) -> Result<Evidence> {
        SOURCE.set(Some(source.clone()));
        let argument = (&source.architecture, &source.exponents, task);
        let result: Result<Result<Evidence, String>> = self.call("execute", &argument);
        SOURCE.set(None);
        result?.map_err(|refusal| anyhow!(refusal))
    }

    fn call<R: Decode>(&self, export: &str, argument: &impl Encode) -> Result<R> {
        let code = WrappedRuntimeCode(self.code.into());
        let code = RuntimeCode {
            code_fetcher: &code,
            heap_pages: None,
            hash: b"guest".to_vec(),
        };
        let argument = argument.encode();
        let mut state = sp_io::TestExternalities::default();
        let heap = HeapAllocStrategy::Dynamic {
            maximum_pages: None,
        };
        let result = self.executor.with_instance(
            &code,
            &mut state.ext(),
            heap,
            |_module, mut instance, _version, mut state| {
                with_externalities_safe(&mut **state, move || {
                    instance.call_export(export, &argument)
                })
            },
        );
        let result =
            result.map_err(|error| anyhow!("The Wasm function {export} failed: {error}."))?;
        R::decode(&mut result.as_slice()).map_err(|error| {
            anyhow!("The Wasm function {export} returned something else: {error}.")
        })
    }
}
