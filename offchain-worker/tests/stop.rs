//! `noema-worker run` stops at a signal, even while it waits for its node.
#![cfg(unix)]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest time between a signal and the end of the process, and some more for a busy machine.
const LONGEST: Duration = Duration::from_secs(30);

struct Worker(Child);

impl Worker {
    /// A worker that waits for a node that never replies.
    fn start(node: &TcpListener, home: &std::path::Path) -> Self {
        let port = node.local_addr().expect("it listens").port();
        let child = Command::new(env!("CARGO_BIN_EXE_noema-worker"))
            .args(["run", "--key", "//Alice//worker", "--device", "cpu"])
            .args(["--url", &format!("ws://127.0.0.1:{port}")])
            .env("NOEMA_HOME", home)
            .stderr(Stdio::null())
            .spawn()
            .expect("the worker starts");
        Self(child)
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.0.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
    }

    /// The exit status.
    fn ends_in_time(&mut self) -> Option<i32> {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST {
            if let Some(status) = self.0.try_wait().expect("it was started") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

#[test]
fn a_worker_that_waits_for_its_node_stops_at_once() {
    let node = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let home = tempfile::tempdir().expect("a folder");
    for name in ["INT", "TERM"] {
        let mut worker = Worker::start(&node, home.path());
        // By then it has connected, or is still testing its device.
        let connected = node.accept().expect("it connects");
        worker.signal(name);
        assert_eq!(worker.ends_in_time(), Some(0), "SIG{name}");
        drop(connected);
    }
}
