//! A host with the echo guest, which does what its connection tells it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rotord_provider::contract::{Connection, IssueRequest, Issued, NamedValue, Target, Value};
use rotord_provider::http::HostRule;
use rotord_provider::{
    CacheKey, CacheSettings, CallOutcome, Grant, Host, HostSettings, Limits, PluginReport,
    Provider, Secret,
};
use tempfile::TempDir;

use crate::server::Server;

/// A built guest, such as `echo`.
pub(crate) fn guest(name: &str) -> PathBuf {
    let file = root().join(format!("build/guests/{name}.wasm"));
    assert!(
        file.exists(),
        "{} is missing: run plugins/build guests",
        file.display()
    );
    file
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// A folder to drop plugins into.
pub(crate) struct Plugins(TempDir);

impl Plugins {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Drops a built guest under this file name.
    pub(crate) fn drop_guest(&self, name: &str, file: &str) -> PathBuf {
        let to = self.0.path().join(file);
        fs::copy(guest(name), &to).unwrap();
        to
    }

    /// Drops these bytes under this file name.
    pub(crate) fn drop_bytes(&self, bytes: impl AsRef<[u8]>, file: &str) -> PathBuf {
        let to = self.0.path().join(file);
        fs::write(&to, bytes).unwrap();
        to
    }

    pub(crate) fn settings(&self) -> HostSettings {
        HostSettings {
            directories: vec![self.0.path().to_owned()],
            ..HostSettings::default()
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The echo guest in a host of its own.
pub(crate) struct Echo {
    pub(crate) provider: Arc<Provider>,
    // Dropped last: the provider runs on its threads.
    host: Host,
    plugins: Plugins,
}

impl Echo {
    /// With these limits and without the network.
    pub(crate) async fn limited(limits: Limits) -> Self {
        Self::with(|settings| settings.limits = limits).await
    }

    /// With a way to this server.
    pub(crate) async fn reaching(server: &Server) -> Self {
        Self::with(|settings| settings.reach(server)).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut HostSettings)) -> Self {
        let plugins = Plugins::new();
        plugins.drop_guest("echo", "echo.wasm");
        let mut settings = plugins.settings();
        // Compiling takes longer than everything else here: the tests share what is compiled.
        settings.cache = Some(CacheSettings {
            directory: Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"),
            key: CacheKey::new([7; 32]),
        });
        change(&mut settings);
        let host = Host::new(settings).unwrap();
        for report in host.load_all().await {
            report.result.unwrap();
        }
        Self {
            provider: host.provider("echo").unwrap(),
            host,
            plugins,
        }
    }

    /// Loads a provider for use beside it.
    pub(crate) async fn load_plugin(&self, name: &str) -> Arc<Provider> {
        let built = root().join(format!("build/plugins/{name}.wasm"));
        self.plugins
            .drop_bytes(fs::read(built).unwrap(), "beside.wasm");
        self.host.load_all().await;
        self.host.provider(name).unwrap()
    }

    /// Loads another guest, and how that went.
    pub(crate) async fn load_beside(&self, name: &str) -> PluginReport {
        let file = self.plugins.drop_guest(name, "another.wasm");
        let mut reports = self.host.load_all().await;
        reports.retain(|report| report.file == file);
        reports.remove(0)
    }

    /// What becomes of `issue`.
    pub(crate) async fn issue(&self, target: &Target) -> CallOutcome<Issued> {
        let turn = self.provider.turn().await;
        turn.issue(target, &issue_request()).await
    }

    /// What `check` says, in the guest's words.
    pub(crate) async fn check(&self, fields: &[(&str, &str)]) -> CallOutcome<String> {
        let outcome = self.provider.turn().await.check(&connection(fields)).await;
        outcome.map(|identity| identity.subject)
    }
}

/// Changes of settings that tests make.
pub(crate) trait Reach {
    /// Trusts the server's authority and lets `echo` reach its private address.
    fn reach(&mut self, server: &Server);
}

impl Reach for HostSettings {
    fn reach(&mut self, server: &Server) {
        self.extra_authorities.push(server.authority().to_owned());
        let rule: HostRule = format!("localhost:{}", server.port()).parse().unwrap();
        let grant = Grant {
            private: vec![rule],
            ..Grant::default()
        };
        self.grants.insert("echo".parse().unwrap(), grant);
    }
}

/// A connection with these fields; `token` is secret.
pub(crate) fn connection(fields: &[(&str, &str)]) -> Connection {
    Connection {
        method: "plain".to_owned(),
        values: values(fields),
    }
}

/// A target with these connection fields.
pub(crate) fn target(fields: &[(&str, &str)]) -> Target {
    Target {
        connection: connection(fields),
        parameters: values(&[("key", "key-1")]),
    }
}

fn values(fields: &[(&str, &str)]) -> Vec<NamedValue> {
    fields
        .iter()
        .map(|(name, text)| NamedValue {
            name: (*name).to_owned(),
            value: match *name {
                "token" => Value::Secret(Secret::new(*text)),
                _ => Value::Text((*text).to_owned()),
            },
        })
        .collect()
}

pub(crate) fn issue_request() -> IssueRequest {
    IssueRequest {
        slot: 0,
        label: "label-1".to_owned(),
        lifetime: std::time::Duration::from_hours(1),
        value: None,
    }
}
