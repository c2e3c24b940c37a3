//! Everything on a device against the definition. All tests share one device, since compiling the kernels
//! takes most of the time.

mod failures;
mod int64;
mod mixture;
mod operators;
mod passes;
mod traces;

use super::{
    adapter,
    device::{bytes_of, Buffer, Gpu},
    kernels::{Bound, Kernel, Kernels},
    plan::WINDOW_BYTES,
    AdapterChoice, GpuDevice,
};
use std::sync::OnceLock;

/// The best device of this machine, or a software one if there is no other.
///
/// `None` if there is none: then a test prints that and passes, unless `NOEMA_REQUIRE_GPU_TESTS` is 1.
fn device() -> Option<&'static GpuDevice> {
    static DEVICE: OnceLock<Option<GpuDevice>> = OnceLock::new();
    DEVICE.get_or_init(open).as_ref()
}

/// A device that is not shared with other tests.
fn open() -> Option<GpuDevice> {
    match adapter(AdapterChoice::Best { software: true }) {
        Ok(adapter) => Some(GpuDevice::open(&adapter).expect("a device that works")),
        Err(error) => {
            let required = std::env::var("NOEMA_REQUIRE_GPU_TESTS").is_ok_and(|v| v == "1");
            assert!(!required, "NOEMA_REQUIRE_GPU_TESTS is set, but: {error}");
            eprintln!("skipped: this machine has no graphics device ({error})");
            None
        }
    }
}

/// Runs single kernels.
struct Bench<'a> {
    gpu: &'a Gpu,
    kernels: &'a Kernels,
}

impl<'a> Bench<'a> {
    fn new(device: &'a GpuDevice) -> Self {
        Self {
            gpu: &device.gpu,
            kernels: &device.kernels,
        }
    }

    fn upload(&self, words: &[u32]) -> Buffer {
        let buffer = self
            .gpu
            .storage("test", words.len() as u64 * 4)
            .expect("room");
        self.gpu
            .upload(&buffer, 0, &bytes_of(words))
            .expect("a device");
        buffer
    }

    fn upload_i32(&self, values: &[i32]) -> Buffer {
        self.upload(&values.iter().map(|v| v.cast_unsigned()).collect::<Vec<_>>())
    }

    fn room(&self, words: usize) -> Buffer {
        self.upload(&vec![0xdead_beef; words])
    }

    fn download(&self, buffer: &Buffer, words: usize) -> Vec<u32> {
        use wgpu::BufferUsages as U;
        let bytes = words as u64 * 4;
        let back = self
            .gpu
            .buffer("test", bytes, U::MAP_READ | U::COPY_DST)
            .expect("room");
        let mut encoder = self.gpu.encoder();
        encoder.copy_buffer_to_buffer(buffer.raw(), 0, back.raw(), 0, bytes);
        self.gpu.submit(encoder);
        let words = |bytes: &[u8]| {
            let words = bytes.as_chunks().0.iter();
            words.map(|&word| u32::from_le_bytes(word)).collect()
        };
        self.gpu.read(&back, bytes, words).expect("a device")
    }

    fn download_i32(&self, buffer: &Buffer, words: usize) -> Vec<i32> {
        let words = self.download(buffer, words);
        words.into_iter().map(u32::cast_signed).collect()
    }

    /// Dispatches `kernel` with one window.
    fn run(&self, kernel: &Kernel, bound: &Bound, window: &[u32], groups: [u32; 3]) {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let windows = self.gpu.buffer("test", WINDOW_BYTES, usage).expect("room");
        self.gpu.write(&windows, 0, &bytes_of(window));
        let window = self
            .kernels
            .bind_windows(self.gpu, &windows)
            .expect("a device");
        let mut encoder = self.gpu.encoder();
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(kernel.pipeline());
            pass.set_bind_group(0, &window, &[0]);
            pass.set_bind_group(1, &bound.group, &[]);
            pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
        }
        self.gpu.submit(encoder);
    }
}
