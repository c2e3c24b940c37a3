//! The process that runs a chat template.
//!
//! The work that the template engine counts is not all of its work: a list that contains itself twice, forty
//! times over, has a text of terabytes and takes forty instructions. So the kernel bounds what a template
//! takes. It runs in a child process whose memory and processor time are limited, and which is ended when it
//! takes too long. The child is the same program; it gets a [`Task`] on its standard input and writes the
//! result to its standard output, both of which are files, so that neither side waits for the other.

use super::{Rendering, TemplateFault, Trial};
use crate::memory::address_space_bytes;
use crate::printable::one_line;
use noema_checkpoint::Frame;
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use serde::{de::DeserializeOwned, Deserialize, Serialize};
use std::{
    env,
    fs::File,
    io::{self, Read, Seek, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, ExitStatus},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// The environment variable by which a program knows that it is the child.
const CHILD: &str = "NOEMA_RUNS_CHAT_TEMPLATE";

/// The child's only argument, for those who list the processes of a machine.
const ARGUMENT: &str = "run-chat-template";

/// Most processor time of the child, in seconds.
const SECONDS: u64 = 10;

/// The time after which the child is ended, however little of the processor it got.
const DEADLINE: Duration = Duration::from_secs(60);

/// Most memory that the child may reserve beyond its own program, in bytes.
const MEMORY: u64 = 512 << 20;

/// Most bytes that the child writes: more than any frame, any reason, or the text of any conversation that a
/// model can continue has as JSON.
const WRITTEN: u64 = 32 << 20;

/// Most bytes of the child's error that are shown.
const LONGEST_ERROR: u64 = 400;

/// The time between two looks at the child.
const PAUSE: Duration = Duration::from_millis(2);

/// What a child does with a template.
#[derive(Serialize, Deserialize)]
enum Task<Trial, Rendering> {
    /// It finds the frame.
    Frame(Trial),
    /// It writes a conversation.
    Text(Rendering),
}

/// Whether this program called [`run`].
static BEGAN_WITH_RUN: AtomicBool = AtomicBool::new(false);

/// The running program, for [`frame`] and [`text`]. One that cannot be the child would do all of its work again instead.
///
/// # Errors
/// When it did not call [`run`].
pub(crate) fn this_program() -> io::Result<PathBuf> {
    if !BEGAN_WITH_RUN.load(Ordering::Relaxed) {
        return Err(io::Error::other(
            "it did not call noema_model::import::run_chat_template; call that first in its main, or name a \
             program that does",
        ));
    }
    match cfg!(target_os = "linux") {
        // An upgrade may have put another program into the place of the file.
        true => Ok(PathBuf::from("/proc/self/exe")),
        false => env::current_exe(),
    }
}

/// Finds the frame of a chat template in a child process, which is `program`.
///
/// # Errors
/// The outer error is the system's, or that of a program that does not begin with [`run`].
pub(crate) fn frame(program: &Path, trial: &Trial) -> io::Result<Result<Frame, TemplateFault>> {
    result(program, &Task::<_, &Rendering>::Frame(trial))
}

/// Writes a conversation with its chat template in a child process, which is `program`.
///
/// # Errors
/// As of [`frame`].
pub(crate) fn text(
    program: &Path,
    rendering: &Rendering,
) -> io::Result<Result<String, TemplateFault>> {
    result(program, &Task::<&Trial, _>::Text(rendering))
}

/// What a child process, which is `program`, finds or writes.
fn result<T: DeserializeOwned>(
    program: &Path,
    task: &impl Serialize,
) -> io::Result<Result<T, TemplateFault>> {
    if env::var_os(CHILD).is_some() {
        // Without this, a program that is named could start itself again without end.
        return Err(io::Error::other(
            "the program does not begin with noema_model::import::run_chat_template",
        ));
    }
    let mut input = tempfile::tempfile()?;
    input.write_all(&serde_json::to_vec(task)?)?;
    input.rewind()?;
    let (output, errors) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut child = Command::new(program)
        .arg(ARGUMENT)
        .env(CHILD, "1")
        .stdin(input)
        .stdout(output.try_clone()?)
        .stderr(errors.try_clone()?)
        .spawn()?;
    match wait(&mut child)? {
        End::Killed => {
            return Ok(Err(TemplateFault::Refused(format!(
                "has no end after {} seconds",
                DEADLINE.as_secs()
            ))))
        }
        End::Told(status) => {
            if let Some(excess) = excess(status) {
                return Ok(Err(TemplateFault::Refused(excess)));
            }
            if !status.success() {
                return Err(failed(&format!("it ended with {status}"), errors));
            }
        }
        // What it wrote tells whether it ended well.
        End::Untold => {}
    }
    read(output)
}

/// The error that `problem` is, with what the child wrote.
fn failed(problem: &str, errors: File) -> io::Error {
    match first_line(errors) {
        Ok(line) if line.is_empty() => io::Error::other(problem),
        Ok(line) => io::Error::other(format!("{problem}: {line}")),
        Err(error) => error,
    }
}

/// The first line that the child wrote as an error, shortened.
fn first_line(mut errors: File) -> io::Result<String> {
    errors.rewind()?;
    let mut written = Vec::new();
    errors.take(LONGEST_ERROR).read_to_end(&mut written)?;
    let text = String::from_utf8_lossy(&written);
    let line = text.lines().find(|line| !line.trim().is_empty());
    Ok(one_line(line.unwrap_or_default()))
}

/// How the child ended.
enum End {
    /// With this status.
    Told(ExitStatus),
    /// The system does not tell how: this program ignores the signal of a child's end.
    Untold,
    /// It was killed after [`DEADLINE`].
    Killed,
}

/// Waits for the end of the child, which has ended when this returns.
fn wait(child: &mut Child) -> io::Result<End> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(End::Told(status)),
            Ok(None) => {}
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => return Ok(End::Untold),
            Err(error) => {
                kill(child);
                return Err(error);
            }
        }
        if begun.elapsed() > DEADLINE {
            kill(child);
            return Ok(End::Killed);
        }
        thread::sleep(PAUSE);
    }
}

/// Ends the child. An error means that it has ended.
fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// What the template took too much of, if the kernel or the allocator ended the child for that.
fn excess(status: ExitStatus) -> Option<String> {
    match status.signal()? {
        libc::SIGXCPU => Some(format!("takes more than {SECONDS} seconds")),
        libc::SIGABRT | libc::SIGSEGV | libc::SIGBUS => Some(format!(
            "takes more than {} MiB of memory, or nests its values too deeply",
            MEMORY >> 20
        )),
        _ => None,
    }
}

/// What the child wrote.
fn read<T: DeserializeOwned>(mut output: File) -> io::Result<Result<T, TemplateFault>> {
    output.rewind()?;
    let mut written = Vec::new();
    output.take(WRITTEN).read_to_end(&mut written)?;
    serde_json::from_slice(&written).map_err(|error| {
        io::Error::other(format!(
            "what it wrote is not the result of a chat template: {error}"
        ))
    })
}

/// Runs a chat template, if this process was started for that by [`import`](crate::import::import) or by a
/// [`ChatCodec`](crate::engine::ChatCodec); otherwise `None`. The `main` of each program that uses one of them
/// begins with it, and ends with the status:
///
/// ```no_run
/// # use std::process::ExitCode;
/// fn main() -> ExitCode {
///     if let Some(status) = noema_model::import::run_chat_template() {
///         return status;
///     }
///     ExitCode::SUCCESS
/// }
/// ```
pub fn run() -> Option<ExitCode> {
    BEGAN_WITH_RUN.store(true, Ordering::Relaxed);
    env::var_os(CHILD)?;
    Some(match answer() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

/// Bounds this process, then reads a task and writes its result.
fn answer() -> io::Result<()> {
    let program = address_space_bytes()
        .ok_or_else(|| io::Error::other("the system does not tell the size of this process"))?;
    let memory = program.saturating_add(MEMORY);
    limit(Resource::As, memory, memory)?;
    // The first limit ends the process with a signal of its own, by which its parent knows the reason.
    limit(Resource::Cpu, SECONDS, SECONDS.saturating_add(1))?;
    limit(Resource::Fsize, WRITTEN, WRITTEN)?;
    limit(Resource::Core, 0, 0)?;
    let task: Task<Trial, Rendering> = serde_json::from_reader(io::stdin().lock())?;
    let result = match task {
        Task::Frame(trial) => serde_json::to_vec(&trial.run()?)?,
        Task::Text(rendering) => serde_json::to_vec(&rendering.run()?)?,
    };
    let mut output = io::stdout().lock();
    output.write_all(&result)?;
    output.flush()
}

/// Lowers the limit of a resource to `soft`, and the most that it can be raised to again to `hard`. A lower one
/// stays.
fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(resource);
    let lower = |present: Option<u64>, most: u64| present.map_or(most, |limit| limit.min(most));
    let lowered = Rlimit {
        current: Some(lower(current, soft)),
        maximum: Some(lower(maximum, hard)),
    };
    setrlimit(resource, lowered).map_err(io::Error::from)
}
