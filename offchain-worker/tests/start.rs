//! `noema-worker run` does not start if a requested resource is not available.

use std::net::TcpListener;
use std::process::Command;

#[test]
fn a_port_for_metrics_that_is_taken_is_named_with_its_option() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = other.local_addr().expect("it listens").to_string();
    let home = tempfile::tempdir().expect("a folder");
    let ended = Command::new(env!("CARGO_BIN_EXE_noema-worker"))
        .args(["run", "--key", "//Alice//worker", "--device", "cpu"])
        .args(["--metrics-addr", &address])
        .env("NOEMA_HOME", home.path())
        .output()
        .expect("the worker starts");
    assert_eq!(ended.status.code(), Some(1));
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(told.contains(&address), "{told}");
    assert!(told.contains("--metrics-addr"), "{told}");
}
