//! The choice of the device that executes.

use crate::{
    gpu::{adapter, adapters, Adapter, AdapterChoice, AdapterKind, GpuDevice, GpuOptions},
    self_test::Golden,
    CpuExecutor, CpuKernels, CpuOptions, Executor, ExecutorError, GpuExecutor, ModelSource,
};
use std::{
    fmt,
    num::NonZero,
    str::FromStr,
    sync::{Arc, OnceLock},
    thread::available_parallelism,
};

/// The requested device: `auto`, `cpu`, `gpu` or `gpu:<index>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The best graphics processor that passes the self-test, or else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A graphics processor: the one with this index, or the best one.
    Gpu(Option<usize>),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(None)),
            other => other
                .strip_prefix("gpu:")
                .and_then(|index| index.parse().ok())
                .map(|index| Self::Gpu(Some(index)))
                .ok_or_else(|| "expected auto, cpu, gpu or gpu:<index>".to_owned()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(None) => f.write_str("gpu"),
            Self::Gpu(Some(index)) => write!(f, "gpu:{index}"),
        }
    }
}

/// The class of the device that executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceClass {
    /// The processor.
    Cpu,
    /// A graphics processor.
    Gpu,
}

/// The options that choose a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceOptions {
    /// The requested device.
    pub choice: DeviceChoice,
    /// Whether it is an error to fall back to the processor.
    pub require_gpu: bool,
    /// Threads for the processor; one per core if not given.
    pub threads: Option<usize>,
    /// Most bytes of a graphics processor's memory; all of it if not given.
    pub memory: Option<u64>,
}

impl DeviceOptions {
    /// The device that these options select, after it has passed the self-test.
    ///
    /// `auto` falls back to the processor if no graphics processor is found or none passes.
    ///
    /// # Errors
    /// [`ExecutorError::NoDevice`] when it is not found, [`ExecutorError::WrongNumbers`] when it fails the
    /// self-test, [`ExecutorError::DeviceLost`] when its driver fails.
    pub fn select(&self) -> Result<Device, ExecutorError> {
        let gpu = |choice| {
            let device = Device::gpu(adapter(choice)?, self.threads, self.memory);
            device.self_test()?;
            Ok(device)
        };
        match self.choice {
            DeviceChoice::Gpu(Some(index)) => gpu(AdapterChoice::Index(index)),
            DeviceChoice::Gpu(None) => gpu(AdapterChoice::Best { software: true }),
            DeviceChoice::Auto => match gpu(AdapterChoice::Best { software: false }) {
                Err(error) if self.require_gpu => Err(error),
                Err(ExecutorError::NoDevice { .. }) => self.processor(),
                Err(error) => {
                    tracing::warn!(%error, "falling back to the processor");
                    self.processor()
                }
                found => found,
            },
            DeviceChoice::Cpu if self.require_gpu => Err(ExecutorError::NoDevice {
                wanted: "a gpu, with --device cpu".into(),
                hint: "Leave one of --require-gpu and --device cpu out.".into(),
            }),
            DeviceChoice::Cpu => self.processor(),
        }
    }

    fn processor(&self) -> Result<Device, ExecutorError> {
        let device = Device::cpu(self.threads);
        device.self_test()?;
        Ok(device)
    }
}

/// A device of this machine, on which any number of models can be executed.
#[derive(Clone, Debug)]
pub struct Device {
    name: String,
    threads: Option<usize>,
    gpu: Option<Graphics>,
}

/// A graphics processor, opened at its first use.
#[derive(Clone, Debug)]
struct Graphics {
    adapter: Adapter,
    memory: Option<u64>,
    opened: Arc<OnceLock<GpuDevice>>,
}

impl Device {
    /// The processor.
    pub fn cpu(threads: Option<usize>) -> Self {
        Self {
            name: format!("cpu, {}", CpuKernels::best_instructions()),
            threads,
            gpu: None,
        }
    }

    /// The processor of the machine that this device is in.
    pub fn processor(&self) -> Self {
        Self::cpu(self.threads)
    }

    fn gpu(adapter: Adapter, threads: Option<usize>, memory: Option<u64>) -> Self {
        Self {
            name: format!("gpu:{}, {}", adapter.index, adapter.name),
            threads,
            gpu: Some(Graphics {
                adapter,
                memory,
                opened: Arc::default(),
            }),
        }
    }

    /// Every device of this machine, the processor first. None has been tested.
    pub fn all(threads: Option<usize>, memory: Option<u64>) -> Vec<Self> {
        let graphics = adapters().into_iter();
        std::iter::once(Self::cpu(threads))
            .chain(graphics.map(|adapter| Self::gpu(adapter, threads, memory)))
            .collect()
    }

    /// The kernels that trace an answer of this device: those of the processor, for any device.
    ///
    /// The kernels of a graphics processor join operators and keep none of the values between them, of which a trace has
    /// each. The processor computes the same bits in batches of positions.
    ///
    /// # Errors
    /// When no threads can be started.
    pub fn trace_kernels(&self) -> Result<CpuKernels, ExecutorError> {
        let threads = self.threads.filter(|&threads| threads > 0);
        let threads = threads.unwrap_or_else(|| available_parallelism().map_or(1, NonZero::get));
        CpuKernels::with_threads(threads).map_err(|error| ExecutorError::Threads(error.to_string()))
    }

    /// The class of the device.
    pub const fn class(&self) -> DeviceClass {
        match self.gpu {
            None => DeviceClass::Cpu,
            Some(_) => DeviceClass::Gpu,
        }
    }

    /// Whether it is a software Vulkan device.
    pub fn is_software(&self) -> bool {
        let graphics = self.gpu.as_ref();
        graphics.is_some_and(|gpu| gpu.adapter.kind == AdapterKind::Software)
    }

    /// The graphics processor's adapter; `None` for the processor.
    pub fn adapter(&self) -> Option<&Adapter> {
        self.gpu.as_ref().map(|gpu| &gpu.adapter)
    }

    /// Driver and limits, as text.
    pub fn details(&self) -> String {
        match &self.gpu {
            None => match self.threads {
                Some(threads) => format!("{threads} threads"),
                None => "a thread per core".into(),
            },
            Some(Graphics { adapter, .. }) => format!(
                "{} through {}, driver {}, buffers of up to {} MB",
                adapter.kind,
                adapter.backend,
                adapter.driver,
                adapter.largest_buffer / 1_000_000
            ),
        }
    }

    /// Creates an executor of the model that `source` lends.
    ///
    /// # Errors
    /// When the device cannot be opened, has no room for the weights, or the weights do not fit
    /// their architecture.
    pub fn executor(
        &self,
        source: Arc<dyn ModelSource>,
    ) -> Result<Box<dyn Executor>, ExecutorError> {
        let Some(gpu) = &self.gpu else {
            let options = CpuOptions {
                threads: self.threads,
                ..CpuOptions::default()
            };
            return Ok(Box::new(CpuExecutor::new(source, options)?));
        };
        let device = match gpu.opened.get() {
            Some(device) => device,
            None => {
                let device = GpuDevice::open(&gpu.adapter)?;
                gpu.opened.get_or_init(|| device)
            }
        };
        let options = GpuOptions {
            memory: gpu.memory,
            ..GpuOptions::default()
        };
        Ok(Box::new(GpuExecutor::new(
            device,
            &source.model()?,
            options,
        )?))
    }

    /// Runs the models of the [self-test](crate::self_test) and compares the results.
    ///
    /// # Errors
    /// [`ExecutorError::WrongNumbers`], or any error that prevents the device from running them.
    pub fn self_test(&self) -> Result<(), ExecutorError> {
        for golden in Golden::ALL {
            let mut executor = self.executor(Arc::new(golden.model()))?;
            golden.test(&self.name, executor.as_mut())?;
        }
        Ok(())
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_written_as_it_is_read() {
        for text in ["auto", "cpu", "gpu", "gpu:0", "gpu:12"] {
            let choice: DeviceChoice = text.parse().expect("a choice");
            assert_eq!(choice.to_string(), text);
        }
    }

    #[test]
    fn the_processor_passes_the_self_test() {
        let options = DeviceOptions {
            choice: DeviceChoice::Cpu,
            ..DeviceOptions::default()
        };
        let device = options.select().expect("passes");
        assert_eq!(device.class(), DeviceClass::Cpu);
    }

    #[test]
    fn a_gpu_that_is_required_is_not_replaced() {
        let options = DeviceOptions {
            choice: DeviceChoice::Cpu,
            require_gpu: true,
            ..DeviceOptions::default()
        };
        assert!(matches!(
            options.select(),
            Err(ExecutorError::NoDevice { .. })
        ));
        let missing = DeviceOptions {
            choice: DeviceChoice::Gpu(Some(4_000)),
            ..DeviceOptions::default()
        };
        assert!(matches!(
            missing.select(),
            Err(ExecutorError::NoDevice { .. })
        ));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "GPU", "gpu:", "gpu:-1", "cuda", "gpu:1x"] {
            assert!(text.parse::<DeviceChoice>().is_err(), "{text}");
        }
    }
}
