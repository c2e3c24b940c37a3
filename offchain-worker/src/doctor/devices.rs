//! The devices that can execute the model.

use super::{Area, Diagnosis};
use noema_executor::{Device, DeviceClass, ExecutorError};

/// Runs the self-test on every device of this machine.
pub fn devices(threads: Option<usize>, memory: Option<u64>) -> Vec<Diagnosis> {
    let mut findings: Vec<_> = Device::all(threads, memory).iter().map(tested).collect();
    if findings.len() == 1 {
        findings.push(Area::Device.passed(
            "gpu",
            "none with Vulkan, Metal or DirectX 12; the processor is used",
        ));
    }
    findings
}

fn tested(device: &Device) -> Diagnosis {
    let subject = device.to_string();
    match device.self_test() {
        Ok(()) if device.is_software() => Area::Device.warned(
            subject,
            format!("reproduces the golden vectors; {}", device.details()),
            "it is a software device: use --device cpu, which is faster",
        ),
        Ok(()) => Area::Device.passed(
            subject,
            format!("reproduces the golden vectors; {}", device.details()),
        ),
        Err(error) => Area::Device.failed(subject, error.to_string(), remedy(&error, device)),
    }
}

fn remedy(error: &ExecutorError, device: &Device) -> &'static str {
    match (error, device.class()) {
        (ExecutorError::OutOfMemory { .. }, _) => {
            "end other programs that use the device's memory, or allow more with --device-memory"
        }
        (_, DeviceClass::Gpu) => "update the device's driver, or use --device cpu",
        (_, DeviceClass::Cpu) => "the processor or its memory is faulty: use another machine",
    }
}

/// The finding for a requested device that does not exist.
pub fn no_device(error: &ExecutorError) -> Diagnosis {
    Area::Device.failed(
        "the requested device",
        error.to_string(),
        "choose another --device",
    )
}
