//! Threads that work on one operator at a time.
//!
//! A token passes some two hundred operators of ten to a hundred microseconds each, so the cost of starting
//! work on a second thread decides whether that thread is of use. Members of a team therefore spin for a
//! moment before they sleep. The caller takes tasks like the members and waits only for tasks under way,
//! never for a member that has not started. A core that is busy elsewhere costs its share of speed and
//! nothing else.

use std::{
    any::Any,
    cell::UnsafeCell,
    fmt, io,
    marker::PhantomData,
    panic::{catch_unwind, resume_unwind, AssertUnwindSafe},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc, Mutex, PoisonError,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long a member spins for the next job before it sleeps.
const WATCH: Duration = Duration::from_micros(100);
/// Checks of the gate between two checks of the clock.
const LOOKS: usize = 32;

/// A number of threads, including the caller's.
pub(crate) struct Team {
    shared: Arc<Shared>,
    members: Vec<JoinHandle<()>>,
}

/// A task of a job by its index.
type Task<'a> = dyn Fn(usize) + Sync + 'a;

/// A task by its index, with its pieces of two slices.
type PairTask<'a, T, U> = dyn Fn(usize, &mut [T], &mut [U]) + Sync + 'a;

/// State shared by the caller and the members. Each counter has a cache line of its own.
#[derive(Default)]
struct Shared {
    /// Odd while members may join the present job; grows by two with each job.
    gate: Line<AtomicUsize>,
    /// For each thread, the first task of its share that has not been taken.
    next: Vec<Line<AtomicUsize>>,
    /// Members that have joined, or are about to find the gate shut.
    active: Line<AtomicUsize>,
    /// Members asleep, or about to be.
    sleeping: Line<AtomicUsize>,
    /// Set while a caller uses the team.
    taken: AtomicBool,
    ended: AtomicBool,
    /// The panic payload of a task on a member.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    job: UnsafeCell<Option<Job>>,
}

#[derive(Clone, Copy)]
struct Job {
    task: &'static Task<'static>,
    tasks: usize,
}

#[derive(Default)]
#[repr(align(128))]
struct Line<T>(T);

// SAFETY: all fields but `job` are `Sync`. `job` is written by the caller that uses the team, while the gate
// is shut and no member is active; members read it after they have become active and seen the gate open. The
// closure it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above; no part of it is bound to a thread.
unsafe impl Send for Shared {}

impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Team({})", self.threads())
    }
}

impl Team {
    /// Creates a team of `threads`, at least one: the caller's.
    ///
    /// # Errors
    /// When the system does not start a thread.
    pub(crate) fn new(threads: usize) -> io::Result<Self> {
        let shared = Shared {
            next: (0..threads.max(1)).map(|_| Line::default()).collect(),
            ..Shared::default()
        };
        let mut team = Self {
            shared: Arc::new(shared),
            members: Vec::new(),
        };
        for index in 1..threads {
            let shared = team.shared.clone();
            let member = thread::Builder::new().name(format!("executor-{index}"));
            team.members
                .push(member.spawn(move || shared.serve(index))?);
        }
        Ok(team)
    }

    /// Threads, including the caller's.
    pub(crate) fn threads(&self) -> usize {
        self.members.len() + 1
    }

    /// Runs `task` with each index below `tasks`, on any thread and in any order, and returns when all have
    /// been run. A caller that finds the team busy runs all of them itself.
    ///
    /// Each thread starts with a share of consecutive tasks, then takes tasks of the other threads:
    /// neighbouring memory is mostly read by one thread.
    ///
    /// # Panics
    /// When a task panics.
    pub(crate) fn run(&self, tasks: usize, task: &Task<'_>) {
        let shared = &*self.shared;
        if tasks < 2 || self.members.is_empty() || shared.taken.swap(true, Ordering::Acquire) {
            return (0..tasks).for_each(task);
        }
        // From here on this is the only caller. Dropping `open` ends the job, also after a panic.
        let open = Open(shared);
        // SAFETY: only extends the lifetime. Dropping `open` shuts the gate and waits for every member that
        // has seen it open, so the closure is not called once this function is over.
        let task: &'static Task<'static> = unsafe { std::mem::transmute(task) };
        // SAFETY: the gate is shut and the previous job waited for its members, so there are no readers.
        unsafe { *shared.job.get() = Some(Job { task, tasks }) };
        for (index, next) in shared.next.iter().enumerate() {
            next.0.store(shared.share(index, tasks), Ordering::Relaxed);
        }
        shared.gate.0.fetch_add(1, Ordering::SeqCst);
        if shared.sleeping.0.load(Ordering::SeqCst) > 0 {
            for member in &self.members {
                member.thread().unpark();
            }
        }
        shared.work(0, task, tasks);
        drop(open);
        let panic = shared.take_panic();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

/// A slice cut into pieces of `size`; the last may be shorter.
struct Pieces<'a, T> {
    start: *mut T,
    length: usize,
    size: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: the pieces do not overlap, and each is used by one thread.
unsafe impl<T: Send> Sync for Pieces<'_, T> {}

impl<'a, T> Pieces<'a, T> {
    fn new(values: &'a mut [T], size: usize) -> Self {
        Self {
            start: values.as_mut_ptr(),
            length: values.len(),
            size,
            owner: PhantomData,
        }
    }

    fn count(&self) -> usize {
        self.length.div_ceil(self.size)
    }

    /// Piece `index`.
    ///
    /// # Safety
    /// Each piece is taken at most once.
    #[expect(clippy::mut_from_ref, reason = "each piece is taken once")]
    unsafe fn take(&self, index: usize) -> &mut [T] {
        assert!(index < self.count());
        let first = index * self.size;
        let length = self.size.min(self.length - first);
        // SAFETY: within the borrowed slice; the caller takes no piece twice, and pieces do not overlap.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(first), length) }
    }
}

impl Team {
    /// Runs `task` with each piece of `size` elements of `values` and its index; the last piece may be
    /// shorter.
    pub(crate) fn run_pieces<T: Send>(
        &self,
        values: &mut [T],
        size: usize,
        task: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        let pieces = Pieces::new(values, size);
        self.run(pieces.count(), &|index| {
            // SAFETY: a job runs each index once.
            task(index, unsafe { pieces.take(index) });
        });
    }

    /// As [`run_pieces`](Self::run_pieces) with the pieces of two slices in pairs.
    ///
    /// # Panics
    /// When the numbers of pieces differ.
    pub(crate) fn run_pairs<T: Send, U: Send>(
        &self,
        (first, size): (&mut [T], usize),
        (second, other_size): (&mut [U], usize),
        task: &PairTask<'_, T, U>,
    ) {
        let (first, second) = (Pieces::new(first, size), Pieces::new(second, other_size));
        assert_eq!(first.count(), second.count(), "the same number of pieces");
        self.run(first.count(), &|index| {
            // SAFETY: a job runs each index once.
            task(index, unsafe { first.take(index) }, unsafe {
                second.take(index)
            });
        });
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        for member in self.members.drain(..) {
            member.thread().unpark();
            // A member catches the panics of its tasks.
            let _ = member.join();
        }
    }
}

/// A job that members may join. Dropping it ends the job and releases the team.
struct Open<'a>(&'a Shared);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let shared = self.0;
        // If the caller has panicked, the tasks that are left must not run.
        for next in &shared.next {
            next.0.store(usize::MAX / 2, Ordering::Relaxed);
        }
        // To the next even number, also if the gate has not been opened.
        let gate = shared.gate.0.load(Ordering::Relaxed);
        shared
            .gate
            .0
            .store(gate.wrapping_add(gate % 2), Ordering::SeqCst);
        // A member becomes active before it checks the gate again: either it is seen here, or it sees that
        // the gate is shut.
        let mut looks = 0;
        while shared.active.0.load(Ordering::SeqCst) > 0 {
            looks += 1;
            if looks < 1_000 {
                std::hint::spin_loop();
            } else {
                thread::yield_now();
            }
        }
        shared.taken.store(false, Ordering::Release);
    }
}

impl Shared {
    /// The first task of a thread's share.
    fn share(&self, thread: usize, tasks: usize) -> usize {
        // A job is an operator over a few thousand rows at most.
        tasks * thread / self.next.len()
    }

    /// Runs tasks until none are left, those of `thread`'s share first.
    fn work(&self, thread: usize, task: &Task<'_>, tasks: usize) {
        for owner in (thread..self.next.len()).chain(0..thread) {
            let end = self.share(owner + 1, tasks);
            loop {
                let index = self.next[owner].0.fetch_add(1, Ordering::Relaxed);
                if index >= end {
                    break;
                }
                task(index);
            }
        }
    }

    /// The main loop of a member.
    fn serve(&self, thread: usize) {
        let mut seen = 0;
        while let Some(gate) = self.watch(seen) {
            self.active.0.fetch_add(1, Ordering::SeqCst);
            if self.gate.0.load(Ordering::SeqCst) == gate {
                seen = gate;
                // SAFETY: this member is active and the gate is open: the caller waits for it before it
                // writes the job again or ends.
                if let Some(job) = unsafe { *self.job.get() } {
                    let result =
                        catch_unwind(AssertUnwindSafe(|| self.work(thread, job.task, job.tasks)));
                    if let Err(panic) = result {
                        *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                    }
                }
            }
            self.active.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Waits until the gate is open for a job other than `seen`; `None` when the team ends.
    fn watch(&self, seen: usize) -> Option<usize> {
        loop {
            let begun = Instant::now();
            while begun.elapsed() < WATCH {
                for _ in 0..LOOKS {
                    let gate = self.gate.0.load(Ordering::Acquire);
                    if gate % 2 == 1 && gate != seen {
                        return Some(gate);
                    }
                    std::hint::spin_loop();
                }
            }
            // Counted before the last check, as the caller opens the gate before it looks for sleepers:
            // either it wakes this one, or this one sees the gate open.
            self.sleeping.0.fetch_add(1, Ordering::SeqCst);
            let gate = self.gate.0.load(Ordering::SeqCst);
            let ended = self.ended.load(Ordering::SeqCst);
            if !ended && (gate.is_multiple_of(2) || gate == seen) {
                thread::park();
            }
            self.sleeping.0.fetch_sub(1, Ordering::SeqCst);
            if self.ended.load(Ordering::SeqCst) {
                return None;
            }
        }
    }

    fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        self.panic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once() {
        for threads in 1..5 {
            let team = Team::new(threads).expect("threads");
            for round in 0..2_000usize {
                let tasks = round % 7;
                let runs: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                team.run(tasks, &|index| {
                    runs[index].fetch_add(1, Ordering::Relaxed);
                });
                assert!(runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn sleeping_members_are_woken() {
        let team = Team::new(3).expect("threads");
        for _ in 0..5 {
            thread::sleep(3 * WATCH);
            let done = AtomicUsize::new(0);
            team.run(50, &|_| {
                done.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(done.into_inner(), 50);
        }
    }

    #[test]
    fn callers_beside_and_inside_a_job_work_alone() {
        let team = Team::new(2).expect("threads");
        let done = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        team.run(4, &|_| {
                            team.run(2, &|_| {
                                done.fetch_add(1, Ordering::Relaxed);
                            });
                        });
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 3 * 200 * 4 * 2);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let team = Team::new(3).expect("threads");
        for bad in [0, 9, 19] {
            let result = catch_unwind(AssertUnwindSafe(|| {
                team.run(20, &|index| {
                    thread::sleep(Duration::from_micros(50));
                    assert_ne!(index, bad, "a bad task");
                });
            }));
            assert!(result.is_err());
        }
        let done = AtomicUsize::new(0);
        team.run(20, &|_| {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.into_inner(), 20);
    }
}
