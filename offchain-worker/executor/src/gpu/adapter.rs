//! The adapters of a machine, and the choice among them.

use super::{device::now, plan::WINDOW_BYTES};
use crate::ExecutorError;
use std::{
    fmt,
    panic::{catch_unwind, AssertUnwindSafe},
};

/// The kind of an adapter, in order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AdapterKind {
    /// A device with its own memory.
    Discrete,
    /// A device that shares the processor's memory.
    Integrated,
    /// A virtual device of a hypervisor.
    Virtual,
    /// Not reported by the driver.
    Other,
    /// A software device on the processor, such as lavapipe: correct, but slower than the processor's own
    /// kernels.
    Software,
}

impl fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Other => "other",
            Self::Software => "software",
        })
    }
}

/// A device as one of its drivers offers it.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Index among the adapters of this machine, by which it can be chosen.
    pub index: usize,
    /// Name of the device.
    pub name: String,
    /// The kind of device.
    pub kind: AdapterKind,
    /// Interface to the driver: Vulkan, Metal, Dx12.
    pub backend: String,
    /// Name and version of the driver.
    pub driver: String,
    /// Bytes of the largest buffer.
    pub largest_buffer: u64,
    /// Bytes of the largest part of a buffer that a kernel can reach.
    pub largest_binding: u64,
    /// Why the kernels cannot run on it, if they cannot.
    pub unusable: Option<String>,
    pub(super) raw: wgpu::Adapter,
}

/// Which adapter to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdapterChoice {
    /// The best kind available; software only if allowed.
    Best {
        /// Whether a software adapter is allowed.
        software: bool,
    },
    /// The one with this index, of any kind.
    Index(usize),
}

/// All adapters of this machine; none if there is no driver.
pub fn adapters() -> Vec<Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.flags = wgpu::InstanceFlags::empty();
    descriptor.backends = wgpu::Backends::PRIMARY;
    // A device that is almost full refuses a buffer instead of failing later.
    descriptor.memory_budget_thresholds.for_resource_creation = Some(97);
    let found = catch_unwind(AssertUnwindSafe(|| {
        let instance = wgpu::Instance::new(descriptor);
        now(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
    }));
    found
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(index, raw)| describe(index, raw))
        .collect()
}

/// The adapter that `choice` selects among those of this machine.
///
/// # Errors
/// [`ExecutorError::NoDevice`] when there is none, or it cannot be used.
pub fn adapter(choice: AdapterChoice) -> Result<Adapter, ExecutorError> {
    choose(adapters(), choice)
}

fn choose(adapters: Vec<Adapter>, choice: AdapterChoice) -> Result<Adapter, ExecutorError> {
    let names: Vec<String> = adapters
        .iter()
        .map(|a| format!("{} = {} ({})", a.index, a.name, a.kind))
        .collect();
    let hint = if names.is_empty() {
        "No driver of this machine offers one.".into()
    } else {
        format!("There are: {}.", names.join(", "))
    };
    let mut found: Vec<Adapter> = adapters
        .into_iter()
        .filter(|adapter| match choice {
            AdapterChoice::Index(index) => adapter.index == index,
            AdapterChoice::Best { software } => {
                adapter.unusable.is_none() && (software || adapter.kind != AdapterKind::Software)
            }
        })
        .collect();
    found.sort_by_key(|adapter| adapter.kind);
    let Some(adapter) = found.into_iter().next() else {
        return Err(ExecutorError::NoDevice {
            wanted: match choice {
                AdapterChoice::Best { .. } => "gpu".into(),
                AdapterChoice::Index(index) => format!("gpu:{index}"),
            },
            hint,
        });
    };
    match &adapter.unusable {
        None => Ok(adapter),
        Some(reason) => Err(ExecutorError::NoDevice {
            wanted: adapter.name.clone(),
            hint: reason.clone(),
        }),
    }
}

fn describe(index: usize, raw: wgpu::Adapter) -> Adapter {
    let info = raw.get_info();
    let limits = raw.limits();
    Adapter {
        index,
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
            wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
            wgpu::DeviceType::Cpu => AdapterKind::Software,
            wgpu::DeviceType::Other => AdapterKind::Other,
        },
        backend: format!("{:?}", info.backend),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .into(),
        name: info.name,
        largest_buffer: limits.max_buffer_size,
        largest_binding: limits.max_storage_buffer_binding_size,
        unusable: missing(&limits),
        raw,
    }
}

/// The limit that the kernels need and `limits` do not allow. Every device with Vulkan, Metal or DirectX 12
/// that wgpu supports allows all of them.
fn missing(limits: &wgpu::Limits) -> Option<String> {
    let needs = [
        (
            "bytes of workgroup memory",
            limits.max_compute_workgroup_storage_size,
            16_384,
        ),
        (
            "invocations in a workgroup",
            limits.max_compute_invocations_per_workgroup,
            256,
        ),
        (
            "buffers in a kernel",
            limits.max_storage_buffers_per_shader_stage,
            6,
        ),
        (
            "workgroups in a dimension",
            limits.max_compute_workgroups_per_dimension,
            65_535,
        ),
        (
            "bytes of parameters",
            u32::try_from(limits.max_uniform_buffer_binding_size).unwrap_or(u32::MAX),
            WINDOW_BYTES as u32,
        ),
    ];
    needs.into_iter().find_map(|(what, has, needs)| {
        (has < needs).then(|| format!("It allows {has} {what}; the kernels need {needs}."))
    })
}
