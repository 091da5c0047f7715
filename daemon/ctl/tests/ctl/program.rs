//! Runs the program.

// A test that can't be set up should stop at once.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::fake::Fake;

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs it against the daemon, with nothing to read.
pub(crate) fn run(daemon: &Fake, arguments: &[&str]) -> Ended {
    run_at(&daemon.socket(), arguments, "")
}

/// Runs it against the daemon, with this on standard input.
pub(crate) fn run_with(daemon: &Fake, arguments: &[&str], input: &str) -> Ended {
    run_at(&daemon.socket(), arguments, input)
}

/// Runs it against a socket.
pub(crate) fn run_at(socket: &Path, arguments: &[&str], input: &str) -> Ended {
    let mut child = start(socket, arguments);
    // A program that ends without reading closes the pipe: no failure of the test.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    ended(child)
}

/// Runs it against the daemon until `is_far_enough`, and interrupts it then as ^C does.
pub(crate) fn interrupted(
    daemon: &Fake,
    arguments: &[&str],
    is_far_enough: impl Fn() -> bool,
) -> Ended {
    let child = start(&daemon.socket(), arguments);
    while !is_far_enough() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    ended(child)
}

/// Starts it against a socket.
pub(crate) fn start(socket: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_rotorctl"))
        .args(arguments)
        .env_clear()
        .env("TZ", "Europe/Berlin")
        .env("ROTORD_SOCKET", socket)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What it wrote that was not read yet, and how it ended.
pub(crate) fn ended(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
