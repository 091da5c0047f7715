//! What the administrator decides of the provider host. Plain values: the daemon reads them from its own
//! settings file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::cache::CacheKey;
use crate::contract::Slug;
use crate::http::HostRule;

/// Everything that [`Host::new`](crate::Host::new) needs to know.
#[derive(Debug, Clone, Default)]
pub struct HostSettings {
    /// Where `*.wasm` files are looked for, the first directory first. One that does not exist holds none.
    pub directories: Vec<PathBuf>,
    /// How guests are run.
    pub engine: EngineKind,
    /// Where compiled components are kept. Without it, each start compiles them again.
    pub cache: Option<CacheSettings>,
    /// What one call may use.
    pub limits: Limits,
    /// What is granted, and withheld, beyond what a provider declares. By the provider's slug.
    pub grants: BTreeMap<Slug, Grant>,
    /// PEM files of certificate authorities that are trusted beside the system's.
    pub extra_authorities: Vec<PathBuf>,
}

/// What may change while the host runs.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    /// As [`HostSettings::directories`].
    pub directories: Vec<PathBuf>,
    /// As [`HostSettings::grants`].
    pub grants: BTreeMap<Slug, Grant>,
}

/// How guests are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineKind {
    /// Interpreted: no memory of the daemon is ever made executable after its start, so it can run under
    /// a rule that forbids that (systemd's `MemoryDenyWriteExecute=`). The default because of that, and
    /// because it costs nothing that matters: a small call takes at most 1.6 times what native code takes
    /// (`make bench`), and both then wait for the network.
    #[default]
    Pulley,
    /// Compiled to the machine's own code.
    Native,
}

/// Where compiled components are kept, and the key that authenticates them.
#[derive(Debug, Clone)]
pub struct CacheSettings {
    /// Made with mode 0700 if missing. May be deleted at any time.
    pub directory: PathBuf,
    /// Whoever knows it can make the daemon run code of his own: keep it with the daemon's other keys.
    pub key: CacheKey,
}

/// What one call of a provider may use. All sizes in bytes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest component file that is loaded.
    pub component: u64,
    /// All linear memories of an instance together.
    pub memory: usize,
    /// Real time of a whole call, network included.
    pub call_time: Duration,
    /// Real time of the `describe` call when a provider is loaded.
    pub describe_time: Duration,
    /// What a guest may hand to the host at once: a result, a request or a log line.
    pub output: usize,
    /// Calls that run at the same time; more wait for their turn. See [`Limits::calls_of_one`].
    pub concurrent_calls: usize,
    /// Requests that one call may send.
    pub requests: u32,
    /// The body of a request.
    pub request_body: usize,
    /// The body of a response.
    pub response_body: usize,
    /// Name resolution, connection and TLS of one request.
    pub connect_time: Duration,
    /// One request as a whole, where the guest does not ask for less.
    pub request_time: Duration,
    /// Lines that one call may write to the log; the rest is counted and dropped.
    pub log_lines: usize,
    /// One line of the log; the rest of it is cut.
    pub log_line: usize,
}

impl Limits {
    /// Calls of one provider that run at the same time: a quarter of all places is left to the others, however many calls
    /// of one that hangs there are.
    pub fn calls_of_one(&self) -> usize {
        let all = self.concurrent_calls.max(1);
        all - all / 4
    }
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            component: 32 * MIB as u64,
            memory: 64 * MIB,
            call_time: Duration::from_secs(90),
            describe_time: Duration::from_secs(10),
            output: 8 * MIB,
            concurrent_calls: 16,
            requests: 64,
            request_body: MIB,
            response_body: 4 * MIB,
            connect_time: Duration::from_secs(10),
            request_time: Duration::from_secs(30),
            log_lines: 64,
            log_line: 2048,
        }
    }
}

/// What an administrator grants one provider, and withholds from it.
///
/// Installing a provider grants the hosts that it declares by name; writing a connection grants the hosts
/// in its URL fields. Addresses that are not public are granted by nothing but `private`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Where set, only those declared hosts that match one of these are granted.
    pub only: Option<Vec<HostRule>>,
    /// Hosts that the provider may reach though it does not declare them.
    pub extra: Vec<HostRule>,
    /// Hosts whose names may resolve to private, loopback or link-local addresses. Grants no host by
    /// itself.
    pub private: Vec<HostRule>,
}
