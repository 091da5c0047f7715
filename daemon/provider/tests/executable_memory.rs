//! Why the interpreter is the default. A process of its own, since what is looked at is the process.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, which clippy does not see"
)]

use std::fs;

use rotord_provider::contract::Connection;
use rotord_provider::{EngineKind, Host, HostSettings};

/// Memory that can be run and comes from no file.
fn executable_memory() -> Vec<String> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines()
        .filter(|line| {
            let mut parts = line.split_whitespace();
            let permissions = parts.nth(1).unwrap_or_default();
            let path = parts.nth(3).unwrap_or_default();
            permissions.contains('x') && !path.starts_with('/') && !path.starts_with("[v")
        })
        .map(str::to_owned)
        .collect()
}

/// Loads the echo guest, calls it, and says what can be run then.
fn after_a_call(engine: EngineKind) -> Vec<String> {
    let guest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../build/guests/echo.wasm");
    let plugins = tempfile::TempDir::new().unwrap();
    fs::copy(guest, plugins.path().join("echo.wasm"))
        .unwrap_or_else(|e| panic!("{guest}: {e}: run plugins/build guests"));
    let host = Host::new(HostSettings {
        directories: vec![plugins.path().to_owned()],
        engine,
        ..HostSettings::default()
    })
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(host.load_all());
    let provider = host.provider("echo").unwrap();
    let connection = Connection {
        method: "plain".to_owned(),
        values: Vec::new(),
    };
    let outcome = runtime.block_on(async { provider.turn().await.check(&connection).await });
    outcome.result.unwrap();
    executable_memory()
}

#[test]
fn the_default_engine_makes_no_memory_executable() {
    assert_eq!(after_a_call(EngineKind::default()), Vec::<String>::new());
    // And it would have been seen.
    assert!(!after_a_call(EngineKind::Native).is_empty());
}
