//! The devices of this machine as devices of burn.

use crate::FloatError;
use burn::tensor::{
    wgpu::{WgpuBackend, WgpuInitError},
    Device, DeviceKind,
};
use noema_executor::gpu::{adapters, Adapter, AdapterKind};
use std::{
    any::Any,
    collections::HashMap,
    panic::{catch_unwind, AssertUnwindSafe},
    sync::{Mutex, PoisonError},
};

/// The devices that burn has opened, by the adapter's index: burn opens an adapter once for each process.
static OPENED: Mutex<Option<HashMap<usize, Device>>> = Mutex::new(None);

/// burn's device for `device`: `burn-flex` for the processor, `burn-wgpu` for a graphics processor.
///
/// # Errors
/// [`FloatError::Device`] when burn cannot open it.
pub fn device(device: &noema_executor::Device) -> Result<Device, FloatError> {
    let Some(adapter) = device.adapter() else {
        return Ok(Device::flex());
    };
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = opened.get_or_insert_default();
    if let Some(device) = opened.get(&adapter.index) {
        return Ok(device.clone());
    }
    let refused = |reason: String| FloatError::Device {
        device: device.to_string(),
        reason,
    };
    let found = catch_unwind(AssertUnwindSafe(|| open(adapter)))
        .map_err(|panic| refused(message(&*panic)))?
        .map_err(|error| refused(error.to_string()))?;
    opened.insert(adapter.index, found.clone());
    Ok(found)
}

/// Makes burn open the adapter through the same interface to the driver: otherwise it may choose OpenGL,
/// where the same name stands for another driver.
fn open(adapter: &Adapter) -> Result<Device, WgpuInitError> {
    // burn counts each kind separately, in the order in which the driver lists them.
    let place = adapters()
        .iter()
        .take_while(|other| other.index < adapter.index)
        .filter(|other| (other.kind, &other.backend) == (adapter.kind, &adapter.backend))
        .count();
    let kind = match adapter.kind {
        AdapterKind::Discrete => DeviceKind::DiscreteGpu(place),
        AdapterKind::Integrated => DeviceKind::IntegratedGpu(place),
        AdapterKind::Virtual => DeviceKind::VirtualGpu(place),
        AdapterKind::Software => DeviceKind::Cpu,
        _ => DeviceKind::DefaultDevice,
    };
    let backend = match adapter.backend.as_str() {
        "Vulkan" => WgpuBackend::Vulkan,
        "Metal" => WgpuBackend::Metal,
        "Dx12" => WgpuBackend::Dx12,
        _ => WgpuBackend::Auto,
    };
    Device::wgpu_options()
        .device_kind(kind)
        .graphics_api(backend)
        .init()
}

/// Runs `work`, which computes with burn on `device`, and catches its panics: burn reports a lost device, or
/// one without memory, only by panicking.
///
/// # Errors
/// [`FloatError::Failed`] with the message of the panic.
pub fn guarded<T>(
    device: &noema_executor::Device,
    work: impl FnOnce() -> T,
) -> Result<T, FloatError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| FloatError::Failed {
        device: device.to_string(),
        reason: message(&*panic),
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no reason is given".into())
}
