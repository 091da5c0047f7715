//! What a call costs beside the network: instantiate, call, drop; interpreted and native side by side.
//!
//! `cargo bench -p rotord-provider` after `plugins/build guests`.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that can't run has nothing to say"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divan::Bencher;
use rotord_provider::contract::{Connection, IssueRequest, NamedValue, Target, Value};
use rotord_provider::{CacheKey, CacheSettings, EngineKind, Host, HostSettings, Provider};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

const ENGINES: [EngineKind; 2] = [EngineKind::Native, EngineKind::Pulley];

/// The whole way: the caller's task, the guest's thread, an instance, an answer of two lines.
#[divan::bench(args = ENGINES)]
fn check(bencher: Bencher, engine: EngineKind) {
    let bed = Bed::new(engine);
    bencher.bench(|| {
        bed.runtime
            .block_on(async {
                bed.provider
                    .turn()
                    .await
                    .check(&bed.target.connection)
                    .await
            })
            .result
            .unwrap()
    });
}

/// The same with two UUIDs made in the guest and a credential handed back.
#[divan::bench(args = ENGINES)]
fn issue(bencher: Bencher, engine: EngineKind) {
    let bed = Bed::new(engine);
    let request = IssueRequest {
        slot: 0,
        label: "rotord-label".to_owned(),
        lifetime: std::time::Duration::from_hours(24),
        value: None,
    };
    bencher.bench(|| {
        bed.runtime
            .block_on(async { bed.provider.turn().await.issue(&bed.target, &request).await })
            .result
            .unwrap()
    });
}

/// A page of rows, each a few strings: what crosses the boundary in numbers.
#[divan::bench(args = ENGINES)]
fn choices(bencher: Bencher, engine: EngineKind) {
    let bed = Bed::new(engine);
    let list = "things".parse().unwrap();
    bencher.bench(|| {
        let page = async {
            let turn = bed.provider.turn().await;
            turn.choices(&bed.target.connection, &list, "", None).await
        };
        bed.runtime.block_on(page).result.unwrap()
    });
}

/// A start with a cold cache: compiling, the trial and `describe`.
#[divan::bench(args = ENGINES, sample_count = 10)]
fn load_cold(bencher: Bencher, engine: EngineKind) {
    bencher.bench(|| Bed::new(engine));
}

/// A start with a warm cache.
#[divan::bench(args = ENGINES, sample_count = 20)]
fn load_warm(bencher: Bencher, engine: EngineKind) {
    let cache = TempDir::new().unwrap();
    let settings = CacheSettings {
        directory: cache.path().join("cache"),
        key: CacheKey::new([1; 32]),
    };
    Bed::with(engine, Some(settings.clone()));
    bencher.bench(|| Bed::with(engine, Some(settings.clone())));
}

struct Bed {
    provider: Arc<Provider>,
    target: Target,
    runtime: Runtime,
    _host: Host,
}

impl Bed {
    fn new(engine: EngineKind) -> Self {
        Self::with(engine, None)
    }

    fn with(engine: EngineKind, cache: Option<CacheSettings>) -> Self {
        let plugins = TempDir::new().unwrap();
        std::fs::copy(echo(), plugins.path().join("echo.wasm")).unwrap();
        let host = Host::new(HostSettings {
            directories: vec![plugins.path().to_owned()],
            engine,
            cache,
            ..HostSettings::default()
        })
        .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for report in runtime.block_on(host.load_all()) {
            report.result.unwrap();
        }
        Self {
            provider: host.provider("echo").unwrap(),
            target: target(),
            runtime,
            _host: host,
        }
    }
}

fn echo() -> PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../build/guests/echo.wasm");
    assert!(
        file.exists(),
        "{} is missing: run plugins/build guests",
        file.display()
    );
    file
}

fn target() -> Target {
    let value = |name: &str, text: &str| NamedValue {
        name: name.to_owned(),
        value: Value::Text(text.to_owned()),
    };
    Target {
        connection: Connection {
            method: "plain".to_owned(),
            values: vec![value("url", "https://graph.example.com/v1.0")],
        },
        parameters: vec![value("key", "key-1")],
    }
}
