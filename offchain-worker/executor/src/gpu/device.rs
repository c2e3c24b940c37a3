//! An opened device: its buffers, their total size, and its failures.
//!
//! No failure of a driver may end the process. Errors of wgpu are collected instead of left to its default
//! handler, which panics. If wgpu itself panics (waiting for a lost device does), the panic is caught. Either
//! way the device counts as lost from then on.

use super::Adapter;
use crate::ExecutorError;
use std::{
    collections::VecDeque,
    panic::{catch_unwind, AssertUnwindSafe},
    pin::pin,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc, Arc, Mutex, MutexGuard, PoisonError,
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// Bytes of an upload that may wait in the driver's own memory.
const UPLOAD_BYTES: usize = 32 << 20;

/// The longest time for one submission. Drivers time out much earlier, if at all; a software adapter takes
/// half a minute for the largest submission.
const PATIENCE: Duration = Duration::from_secs(300);
/// The longest time for one thread to notify another that the device is done.
const TOLD: Duration = Duration::from_secs(30);

/// Why a device is lost, if it is.
type Fate = Arc<Mutex<Option<String>>>;

/// A device and its queue. Clones are the same device.
#[derive(Clone, Debug)]
pub(crate) struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    name: String,
    fate: Fate,
    /// Submissions that have not been waited for, the oldest first.
    pending: Arc<Mutex<VecDeque<wgpu::SubmissionIndex>>>,
    ledger: Arc<Ledger>,
    /// Bytes of the largest buffer that can be bound, a multiple of 256.
    largest_binding: u64,
    #[cfg(test)]
    fault: Arc<Mutex<Option<super::InjectedFault>>>,
}

/// Bytes that are allocated, and the limit.
#[derive(Debug)]
struct Ledger {
    cap: u64,
    used: AtomicU64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            cap: u64::MAX,
            used: AtomicU64::new(0),
        }
    }
}

/// A buffer that returns its bytes to the ledger when it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    raw: wgpu::Buffer,
    bytes: u64,
    ledger: Arc<Ledger>,
}

impl Buffer {
    /// The whole buffer, as a binding.
    pub(crate) fn binding(&self) -> wgpu::BindingResource<'_> {
        self.raw.as_entire_binding()
    }

    /// The buffer itself.
    pub(crate) fn raw(&self) -> &wgpu::Buffer {
        &self.raw
    }

    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.ledger.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Gpu {
    /// Opens `adapter` with all its limits.
    pub(crate) fn open(adapter: &Adapter) -> Result<Self, ExecutorError> {
        let name = adapter.name.clone();
        if let Some(reason) = &adapter.unusable {
            return Err(ExecutorError::NoDevice {
                wanted: name,
                hint: reason.clone(),
            });
        }
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("noema"),
            required_features: wgpu::Features::empty(),
            required_limits: adapter.raw.limits(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let opened = catch_unwind(AssertUnwindSafe(|| {
            now(adapter.raw.request_device(&descriptor))
        }));
        let lost = |reason| ExecutorError::DeviceLost {
            device: name.clone(),
            reason,
        };
        let (device, queue) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Err(lost(error.to_string())),
            Err(panic) => return Err(lost(panic_message(&*panic))),
        };
        let fate = Fate::default();
        let seen = fate.clone();
        device.set_device_lost_callback(move |_, message| settle(&seen, message));
        let seen = fate.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            settle(&seen, error.to_string());
        }));
        let limits = device.limits();
        // Indices in the kernels are 32-bit and count words.
        let largest_binding = limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size)
            .min(4 << 30);
        Ok(Self {
            device,
            queue,
            name,
            fate,
            pending: Arc::default(),
            ledger: Arc::default(),
            largest_binding: largest_binding / 256 * 256,
            #[cfg(test)]
            fault: Arc::default(),
        })
    }

    /// Makes the next pass fail.
    #[cfg(test)]
    pub(crate) fn inject(&self, fault: super::InjectedFault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    /// Whether `fault` has been injected; only once.
    #[cfg(test)]
    pub(crate) fn take_fault(&self, fault: super::InjectedFault) -> bool {
        let mut injected = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        injected.take_if(|injected| *injected == fault).is_some()
    }

    /// The same device with a separate account: at most `cap` bytes of buffers are created through it.
    pub(crate) fn capped(&self, cap: Option<u64>) -> Self {
        let ledger = Ledger {
            cap: cap.unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
        };
        Self {
            ledger: Arc::new(ledger),
            ..self.clone()
        }
    }

    /// The same device as if it could bind at most `bytes` at once.
    #[cfg(test)]
    pub(crate) fn narrow(&self, bytes: u64) -> Self {
        Self {
            largest_binding: bytes,
            ..self.clone()
        }
    }

    /// The device itself.
    pub(crate) fn raw(&self) -> &wgpu::Device {
        &self.device
    }

    /// Its name, for errors.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of all buffers.
    pub(crate) fn used(&self) -> u64 {
        self.ledger.used.load(Ordering::Relaxed)
    }

    /// Bytes that are left under the cap.
    pub(crate) fn left(&self) -> u64 {
        self.ledger.cap.saturating_sub(self.used())
    }

    /// Refuses `bytes` if the cap has no room for them.
    pub(crate) fn room_for(&self, what: &'static str, bytes: u64) -> Result<(), ExecutorError> {
        let left = self.left();
        if bytes > left {
            return Err(self.no_room(what, bytes, left));
        }
        Ok(())
    }

    /// Largest buffer that can be bound.
    pub(crate) fn largest_binding(&self) -> u64 {
        self.largest_binding
    }

    /// Runs `work`, unless the device is lost. If the device is lost afterwards, that is the result; a panic
    /// in wgpu or in a driver counts as a loss.
    pub(crate) fn guarded<T>(
        &self,
        work: impl FnOnce() -> Result<T, ExecutorError>,
    ) -> Result<T, ExecutorError> {
        self.alive()?;
        match catch_unwind(AssertUnwindSafe(work)) {
            // An error caused by the loss may be less clear than its reason.
            Ok(result) => {
                self.alive()?;
                result
            }
            Err(panic) => {
                settle(&self.fate, panic_message(&*panic));
                self.alive()?;
                Err(self.lost("its driver failed"))
            }
        }
    }

    fn alive(&self) -> Result<(), ExecutorError> {
        let fate = self.fate.lock().unwrap_or_else(PoisonError::into_inner);
        match &*fate {
            Some(reason) => Err(self.lost(reason)),
            None => Ok(()),
        }
    }

    fn lost(&self, reason: &str) -> ExecutorError {
        ExecutorError::DeviceLost {
            device: self.name.clone(),
            reason: reason.trim().trim_end_matches('.').into(),
        }
    }

    /// The error that there is no room for `what`.
    pub(crate) fn no_room(&self, what: &'static str, needed: u64, available: u64) -> ExecutorError {
        ExecutorError::OutOfMemory {
            device: self.name.clone(),
            what,
            needed,
            available,
        }
    }

    /// A buffer of at least `bytes`, zeroed, for `usage`.
    pub(crate) fn buffer(
        &self,
        what: &'static str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<Buffer, ExecutorError> {
        let bytes = bytes.max(1).next_multiple_of(256);
        let largest = if usage.contains(wgpu::BufferUsages::STORAGE) {
            self.largest_binding
        } else {
            self.device.limits().max_buffer_size
        };
        if bytes > largest {
            return Err(self.no_room(what, bytes, largest));
        }
        self.ledger
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                let sum = used.checked_add(bytes)?;
                (sum <= self.ledger.cap).then_some(sum)
            })
            .map_err(|used| self.no_room(what, bytes, self.ledger.cap.saturating_sub(used)))?;
        let created = self.watched(|| {
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(what),
                size: bytes,
                usage,
                mapped_at_creation: false,
            })
        });
        match created {
            Ok(raw) => Ok(Buffer {
                raw,
                bytes,
                ledger: self.ledger.clone(),
            }),
            Err(error) => {
                self.ledger.used.fetch_sub(bytes, Ordering::Relaxed);
                Err(match error {
                    wgpu::Error::OutOfMemory { .. } => self.no_room(what, bytes, 0),
                    error => self.lost(&error.to_string()),
                })
            }
        }
    }

    /// A storage buffer that kernels read and write, and that can be copied.
    pub(crate) fn storage(&self, what: &'static str, bytes: u64) -> Result<Buffer, ExecutorError> {
        use wgpu::BufferUsages as U;
        self.buffer(what, bytes, U::STORAGE | U::COPY_SRC | U::COPY_DST)
    }

    /// A small buffer with the parameters of one dispatch.
    pub(crate) fn uniform(&self, words: &[u32]) -> Result<Buffer, ExecutorError> {
        use wgpu::BufferUsages as U;
        let buffer = self.buffer(
            "parameters",
            words.len() as u64 * 4,
            U::UNIFORM | U::COPY_DST,
        )?;
        self.queue.write_buffer(&buffer.raw, 0, &bytes_of(words));
        Ok(buffer)
    }

    /// Calls `make`, and returns the first error that it causes instead of its result.
    pub(crate) fn watched<T>(&self, make: impl FnOnce() -> T) -> Result<T, wgpu::Error> {
        let scopes = [
            wgpu::ErrorFilter::Internal,
            wgpu::ErrorFilter::Validation,
            wgpu::ErrorFilter::OutOfMemory,
        ]
        .map(|filter| self.device.push_error_scope(filter));
        let made = make();
        let mut first = None;
        for scope in scopes.into_iter().rev() {
            let error = now(scope.pop());
            first = first.or(error);
        }
        match first {
            Some(error) => Err(error),
            None => Ok(made),
        }
    }

    /// Calls `make`, which does not fail with a working driver.
    pub(crate) fn expected<T>(&self, make: impl FnOnce() -> T) -> Result<T, ExecutorError> {
        self.watched(make)
            .map_err(|error| self.lost(&error.to_string()))
    }

    /// Writes `bytes`, a multiple of four, to `buffer` before the next submission.
    pub(crate) fn write(&self, buffer: &Buffer, offset: u64, bytes: &[u8]) {
        self.queue.write_buffer(&buffer.raw, offset, bytes);
    }

    /// Writes many bytes to `buffer`, of which a bounded part waits in memory.
    pub(crate) fn upload(
        &self,
        buffer: &Buffer,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), ExecutorError> {
        for (index, part) in bytes.chunks(UPLOAD_BYTES).enumerate() {
            self.write(buffer, offset + (index * UPLOAD_BYTES) as u64, part);
            if part.len() == UPLOAD_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Starts the recording of commands.
    pub(crate) fn encoder(&self) -> wgpu::CommandEncoder {
        self.device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    /// Submits recorded commands to the device.
    pub(crate) fn submit(&self, encoder: wgpu::CommandEncoder) {
        self.note(self.queue.submit([encoder.finish()]));
    }

    /// Keeps a submission to wait for.
    fn note(&self, submission: wgpu::SubmissionIndex) {
        self.pending().push_back(submission);
    }

    fn pending(&self) -> MutexGuard<'_, VecDeque<wgpu::SubmissionIndex>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Submits what has been written so far and waits for it.
    pub(crate) fn flush(&self) -> Result<(), ExecutorError> {
        self.note(self.queue.submit([]));
        self.wait()
    }

    /// Waits until everything submitted is done, and runs its callbacks.
    pub(crate) fn wait(&self) -> Result<(), ExecutorError> {
        loop {
            let submission = self.pending().pop_front();
            let last = submission.is_none();
            let polled = self.device.poll(wgpu::PollType::Wait {
                submission_index: submission,
                timeout: Some(PATIENCE),
            });
            if let Err(error) = polled {
                settle(&self.fate, error.to_string());
            }
            self.alive()?;
            if last {
                return Ok(());
            }
        }
    }

    /// Bytes a second that are read and written while copying a large buffer.
    pub(crate) fn copy_bandwidth(&self) -> Result<f64, ExecutorError> {
        const TIMES: u32 = 16;
        let bytes = self.largest_binding.min(256 << 20);
        let from = self.storage("measuring", bytes)?;
        let to = self.storage("measuring", bytes)?;
        let mut best = f64::INFINITY;
        for _ in 0..4 {
            let mut encoder = self.encoder();
            for _ in 0..TIMES {
                encoder.copy_buffer_to_buffer(&from.raw, 0, &to.raw, 0, bytes);
            }
            let start = Instant::now();
            self.submit(encoder);
            self.wait()?;
            best = best.min(start.elapsed().as_secs_f64());
        }
        Ok(2.0 * f64::from(TIMES) * bytes as f64 / best)
    }

    /// Waits, and calls `take` with the first `bytes` of `buffer`, which can be mapped.
    pub(crate) fn read<T>(
        &self,
        buffer: &Buffer,
        bytes: u64,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, ExecutorError> {
        let slice = buffer.raw.slice(..bytes);
        let (sender, receiver) = mpsc::channel();
        slice.map_async(wgpu::MapMode::Read, move |result| {
            // The receiver is gone only if this call has failed already.
            sender.send(result).ok();
        });
        self.wait()?;
        // Another thread that waits for the device at the same time may run the callback, and may not have
        // run it yet.
        match receiver.recv_timeout(TOLD) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(self.lost(&error.to_string())),
            Err(_) => return Err(self.lost("it does not report when it is done")),
        }
        let taken = match slice.get_mapped_range() {
            Ok(view) => take(&view),
            Err(error) => return Err(self.lost(&error.to_string())),
        };
        buffer.raw.unmap();
        Ok(taken)
    }
}

/// Records why a device is lost; the first reason stays.
fn settle(fate: &Fate, reason: String) {
    fate.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(reason);
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("its driver failed")
        .into()
}

/// The result of a future of wgpu. Natively these are ready at once.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::yield_now();
    }
}

/// Words in the byte order of a device.
pub(crate) fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
