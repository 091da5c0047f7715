//! What the administrator decides: built-in defaults, then the settings file, then the environment
//! (`ROTORD__ADMIN__SOCKET=…`; several paths with a colon between). Unknown keys are errors, so that a typing mistake
//! is not silence.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rotord_api::rules;
use rotord_provider::contract::Slug;
use rotord_provider::http::HostRule;
use rotord_provider::{EngineKind, Grant};
use rotord_rotation::Timing;
use rotord_store::places::DEFAULT_PROJECT;
use serde::Deserialize;

use crate::delivery::asker::Asker;

/// Where the settings are looked for unless a path is given; this one may be missing.
pub const DEFAULT_PATH: &str = "/etc/rotord/rotord.toml";

/// What a provider's call takes as a rule, at the most.
const A_CALL: Duration = Duration::from_secs(1);
/// The lists that the environment can set, as in `PATH` with a colon between. Other lists are for the file.
const PATH_LISTS: [&str; 2] = ["providers.directories", "providers.extra_ca"];
/// The longest [`Admin::wait`]: rotorctl waits a minute longer for an answer.
const LONGEST_WAIT: Duration = Duration::from_mins(14);
/// Provider calls at the same time: each has its own place in memory set aside.
const MOST_CONCURRENCY: usize = 256;

/// All settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The database and its keys.
    pub state: State,
    /// The admin socket.
    pub admin: Admin,
    /// The reader socket.
    pub reader: Reader,
    /// What units get with `LoadCredential=`.
    pub credentials: Credentials,
    /// Provider components.
    pub providers: Providers,
    /// Every bound that the daemon waits for.
    pub timing: Timing,
    /// The log.
    pub log: Log,
    /// The file that was read; none where there was none.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

/// The settings that are in force. All clones are the same.
#[derive(Debug, Clone)]
pub struct InForce(Arc<RwLock<Arc<Settings>>>);

impl InForce {
    /// At the start.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(settings))))
    }

    /// As they are now: whoever keeps them keeps old ones.
    pub fn now(&self) -> Arc<Settings> {
        let settings = self.0.read();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on these.
    pub fn set(&self, settings: Settings) {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(settings);
    }
}

/// The database and its keys.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct State {
    /// Holds the database, its lock and, unless it comes from elsewhere, the root key.
    pub directory: PathBuf,
    /// A file with the root key. A systemd credential `rotord.root-key` comes first; without either, one is
    /// made in the state directory at the first start.
    pub root_key_file: Option<PathBuf>,
    /// Outside of the directory: tells a database that was restored from a copy. Empty is nowhere.
    pub witness: PathBuf,
    /// Holds this machine's id. A database that was made on another machine was copied.
    pub machine_id_file: PathBuf,
    /// How many versions of each secret are kept.
    pub secret_versions: u32,
}

impl Default for State {
    fn default() -> Self {
        Self {
            directory: "/var/lib/rotord".into(),
            root_key_file: None,
            witness: "/var/lib/rotord-witness/generation".into(),
            machine_id_file: "/etc/machine-id".into(),
            secret_versions: 10,
        }
    }
}

/// The admin socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Its path. Mode 0660: who may connect is decided by its group.
    pub socket: PathBuf,
    /// The group that may connect, where it is not the daemon's own.
    pub group: Option<String>,
    /// How long a request that creates or rotates waits for the end of the run before it answers 202.
    #[serde(with = "humantime")]
    pub wait: Duration,
    /// The largest body, in bytes.
    pub body_limit: usize,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            socket: "/run/rotord/admin.sock".into(),
            group: None,
            wait: Duration::from_mins(3),
            body_limit: 256 * 1024,
        }
    }
}

/// The reader socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reader {
    /// Its path, in a directory of its own: anyone may connect, and gets what is granted here.
    pub socket: PathBuf,
    /// Who may read what. Empty: nobody anything.
    pub grants: Vec<ReaderGrant>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            socket: "/run/rotord/read/reader.sock".into(),
            grants: Vec::new(),
        }
    }
}

/// Who may read what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderGrant {
    /// User ids.
    #[serde(default)]
    pub uids: Vec<u32>,
    /// Group ids, primary or supplementary.
    #[serde(default)]
    pub gids: Vec<u32>,
    /// The project's slug or id.
    #[serde(default = "default_project")]
    pub project: String,
    /// The environment's slug.
    pub environment: String,
    /// The folder.
    #[serde(default = "root_path")]
    pub path: String,
    /// Names of secrets; `*` alone is every one of the folder.
    pub secrets: Vec<String>,
}

impl ReaderGrant {
    /// One that grants nothing is a mistake, and silence would be its only sign.
    fn checked(&self) -> Result<(), SettingsError> {
        if self.uids.is_empty() && self.gids.is_empty() {
            return wrong(
                "reader.grants",
                "a grant without uids and gids is for nobody: name at least one",
            );
        }
        if self.secrets.is_empty() {
            return wrong(
                "reader.grants.secrets",
                "a grant without secrets grants nothing: name some, or [\"*\"] for all of the folder",
            );
        }
        if let Err(issue) = rules::filled(&self.project) {
            return wrong("reader.grants.project", &issue.message);
        }
        if let Err(issue) = rules::environment(&self.environment) {
            return wrong("reader.grants.environment", &issue.message);
        }
        if let Err(issue) = rules::secret_path(&self.path) {
            return wrong("reader.grants.path", &issue.message);
        }
        for name in &self.secrets {
            if let Err(issue) = rules::secret_name(name) {
                return wrong("reader.grants.secrets", &issue.message);
            }
        }
        Ok(())
    }
}

fn root_path() -> String {
    "/".to_owned()
}

fn default_project() -> String {
    DEFAULT_PROJECT.to_owned()
}

/// What units get with `LoadCredential=`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Credentials {
    /// The path of the socket, where it is not beside the admin socket. The service manager connects to it, and nobody
    /// else may.
    pub socket: Option<PathBuf>,
    /// Which unit gets what. Empty: none anything.
    pub grants: Vec<CredentialGrant>,
}

/// A secret that a unit gets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialGrant {
    /// The unit's full name; `app@.service` is every instance of that template.
    pub unit: String,
    /// The credential's name in the unit.
    pub credential: String,
    /// The project's slug or id.
    #[serde(default = "default_project")]
    pub project: String,
    /// The environment's slug.
    pub environment: String,
    /// The folder.
    #[serde(default = "root_path")]
    pub path: String,
    /// The secret's name.
    pub secret: String,
}

impl CredentialGrant {
    /// Who may ask for it.
    pub fn asker(&self) -> Asker {
        Asker {
            unit: self.unit.clone(),
            credential: self.credential.clone(),
        }
    }

    /// One that no unit can ask for is a mistake, and silence would be its only sign.
    fn checked(&self) -> Result<(), SettingsError> {
        if let Err(why) = self.asker().check() {
            return wrong("credentials.grants", why);
        }
        if let Err(issue) = rules::filled(&self.project) {
            return wrong("credentials.grants.project", issue.message);
        }
        if let Err(issue) = rules::environment(&self.environment) {
            return wrong("credentials.grants.environment", issue.message);
        }
        if let Err(issue) = rules::secret_path(&self.path) {
            return wrong("credentials.grants.path", issue.message);
        }
        if let Err(issue) = rules::secret_name(&self.secret) {
            return wrong("credentials.grants.secret", issue.message);
        }
        Ok(())
    }
}

/// Provider components.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Providers {
    /// Where `*.wasm` files are looked for, the first directory first.
    pub directories: Vec<PathBuf>,
    /// `pulley` interprets and needs no executable memory; `native` compiles.
    pub engine: Engine,
    /// Where compiled components are kept; empty is nowhere.
    pub cache: PathBuf,
    /// PEM files of certificate authorities that are trusted beside the system's.
    pub extra_ca: Vec<PathBuf>,
    /// Provider calls that run at the same time.
    pub concurrency: usize,
    /// Real time of a whole call, network included.
    #[serde(with = "humantime")]
    pub call_time: Duration,
    /// By the provider's slug: what is granted beyond what it declares, and what is withheld.
    pub grants: BTreeMap<Slug, ProviderGrant>,
}

impl Default for Providers {
    fn default() -> Self {
        Self {
            directories: vec![
                "/etc/rotord/providers".into(),
                "/usr/local/lib/rotord/providers".into(),
                "/usr/lib/rotord/providers".into(),
            ],
            engine: Engine::Pulley,
            cache: "/var/cache/rotord".into(),
            extra_ca: Vec::new(),
            concurrency: 16,
            call_time: Duration::from_secs(90),
            grants: BTreeMap::new(),
        }
    }
}

/// How providers are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Interpreted.
    Pulley,
    /// Compiled to the machine's own code.
    Native,
}

impl From<Engine> for EngineKind {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Pulley => Self::Pulley,
            Engine::Native => Self::Native,
        }
    }
}

/// What one provider is granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderGrant {
    /// Where set, only those declared hosts that match.
    pub only: Option<Vec<HostRule>>,
    /// Hosts beyond the declared ones.
    pub extra: Vec<HostRule>,
    /// Hosts that may be at private or loopback addresses.
    pub private: Vec<HostRule>,
}

impl From<ProviderGrant> for Grant {
    fn from(grant: ProviderGrant) -> Self {
        let ProviderGrant {
            only,
            extra,
            private,
        } = grant;
        Self {
            only,
            extra,
            private,
        }
    }
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// As `tracing` takes it, such as `info` or `rotord=debug`.
    pub filter: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// The settings can't be used. The text names the file, the line and the key.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file can't be read.
    #[error("the settings file {path} can't be read: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is no TOML, or holds what no setting is.
    #[error("the settings file {path} is wrong: {error}")]
    Wrong {
        /// Which.
        path: PathBuf,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// A variable of the environment is wrong.
    #[error("a setting in the environment (ROTORD__…) is wrong: {0}")]
    Environment(config::ConfigError),
    /// The values are well-formed and make no sense.
    #[error("the setting {key} is wrong: {why}")]
    Senseless {
        /// Which.
        key: &'static str,
        /// What is wrong and what would be right.
        why: String,
    },
}

impl Settings {
    /// Reads the layers. `None` is [`DEFAULT_PATH`], which may be missing; a path that is given may not.
    ///
    /// # Errors
    /// Anything that is not a setting, with its file and line.
    pub fn load(path: Option<&Path>) -> Result<Self, SettingsError> {
        Self::layered(path, None)
    }

    /// `variables` stand for the environment of this process.
    fn layered(
        path: Option<&Path>,
        variables: Option<HashMap<String, String>>,
    ) -> Result<Self, SettingsError> {
        let mut layers = config::Config::builder();
        let default = Path::new(DEFAULT_PATH);
        let mut file = None;
        if path.is_some() || default.exists() {
            let path = path.unwrap_or(default);
            let text =
                std::fs::read_to_string(path).map_err(|error| SettingsError::Unreadable {
                    path: path.to_owned(),
                    error,
                })?;
            // Read by itself first: only this reader tells the line.
            toml::from_str::<Self>(&text).map_err(|error| SettingsError::Wrong {
                path: path.to_owned(),
                error: Box::new(error),
            })?;
            layers = layers.add_source(config::File::from_str(&text, config::FileFormat::Toml));
            file = Some(path.to_owned());
        }
        let mut environment = config::Environment::with_prefix("ROTORD")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true)
            .list_separator(":")
            .source(variables);
        for list in PATH_LISTS {
            environment = environment.with_list_parse_key(list);
        }
        let mut settings: Self = layers
            .add_source(environment)
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(SettingsError::Environment)?;
        // An empty list is written as nothing at all.
        for list in [
            &mut settings.providers.directories,
            &mut settings.providers.extra_ca,
        ] {
            list.retain(|path| path != Path::new(""));
        }
        settings.file = file;
        settings.checked()
    }

    /// These with what of `new` takes effect while the daemon runs: what is granted, where providers are looked for, how
    /// long a request waits and what is logged. And the keys of everything else that is another in `new`: that waits for
    /// a restart.
    pub fn renewed(&self, new: &Self) -> (Self, Vec<&'static str>) {
        let renewed = Self {
            admin: Admin {
                wait: new.admin.wait,
                ..self.admin.clone()
            },
            reader: Reader {
                grants: new.reader.grants.clone(),
                ..self.reader.clone()
            },
            credentials: Credentials {
                grants: new.credentials.grants.clone(),
                ..self.credentials.clone()
            },
            providers: Providers {
                directories: new.providers.directories.clone(),
                grants: new.providers.grants.clone(),
                ..self.providers.clone()
            },
            log: Log {
                filter: new.log.filter.clone(),
                ..self.log.clone()
            },
            file: new.file.clone(),
            ..self.clone()
        };
        let waiting = [
            ("state", renewed.state != new.state),
            ("admin.socket", renewed.admin.socket != new.admin.socket),
            ("admin.group", renewed.admin.group != new.admin.group),
            (
                "admin.body_limit",
                renewed.admin.body_limit != new.admin.body_limit,
            ),
            ("reader.socket", renewed.reader.socket != new.reader.socket),
            (
                "credentials.socket",
                renewed.credentials.socket != new.credentials.socket,
            ),
            (
                "providers.engine, cache, extra_ca, concurrency or call_time",
                renewed.providers != new.providers,
            ),
            ("timing", renewed.timing != new.timing),
            ("log.format", renewed.log.format != new.log.format),
        ];
        let waiting = waiting.into_iter().filter(|(_, differs)| *differs);
        (renewed, waiting.map(|(key, _)| key).collect())
    }

    /// Where the service manager asks for units' credentials.
    pub fn credentials_socket(&self) -> PathBuf {
        let beside = || self.admin.socket.with_file_name("credentials.sock");
        self.credentials.socket.clone().unwrap_or_else(beside)
    }

    fn checked(self) -> Result<Self, SettingsError> {
        self.check_timing()?;
        if self.state.secret_versions < 2 {
            return wrong(
                "state.secret_versions",
                "the replaced version stays readable: it must be at least 2",
            );
        }
        if self.state.witness.starts_with(&self.state.directory) {
            return wrong(
                "state.witness",
                "it must be outside of the state directory, or a copy would take it along",
            );
        }
        if self.admin.wait > LONGEST_WAIT {
            return wrong(
                "admin.wait",
                "it must be at most 14 minutes: rotorctl gives up after 15",
            );
        }
        for grant in &self.reader.grants {
            grant.checked()?;
        }
        for (at, grant) in self.credentials.grants.iter().enumerate() {
            grant.checked()?;
            let before = &self.credentials.grants[..at];
            if before.iter().any(|other| other.asker() == grant.asker()) {
                let why = format!(
                    "there are two for {}: a unit gets one secret under one name",
                    grant.asker()
                );
                return wrong("credentials.grants", why);
            }
        }
        if !(1..=MOST_CONCURRENCY).contains(&self.providers.concurrency) {
            let why = format!("it must be from 1 to {MOST_CONCURRENCY}");
            return wrong("providers.concurrency", why);
        }
        let sockets = [
            ("admin.socket", Some(&self.admin.socket)),
            ("reader.socket", Some(&self.reader.socket)),
            ("credentials.socket", self.credentials.socket.as_ref()),
        ];
        for (key, socket) in sockets {
            if let Some(socket) = socket.filter(|socket| !socket.is_absolute()) {
                let why = format!(
                    "\"{}\" hangs on the folder that the daemon is started in: it must be an absolute path, such as \
                     /run/rotord/{}",
                    socket.display(),
                    socket.file_name().unwrap_or_default().display()
                );
                return wrong(key, why);
            }
        }
        if self.admin.socket == self.reader.socket {
            return wrong("reader.socket", "it must not be the admin socket");
        }
        if [&self.admin.socket, &self.reader.socket].contains(&&self.credentials_socket()) {
            return wrong(
                "credentials.socket",
                "it must not be the admin or the reader socket",
            );
        }
        Ok(self)
    }

    fn check_timing(&self) -> Result<(), SettingsError> {
        if !(self.timing.scale > 0.0 && self.timing.scale <= 1.0) {
            return wrong(
                "timing.scale",
                "it must be above 0 and at most 1; 1 in earnest",
            );
        }
        if self.timing.absences == 0 {
            return wrong(
                "timing.absences",
                "nothing seen once proves nothing: it must be at least 1",
            );
        }
        if self.timing.lost_most == 0 {
            return wrong(
                "timing.lost_most",
                "it must be at least 1, or nothing could be issued",
            );
        }
        if self.timing.attempt_spacing.is_zero() {
            return wrong(
                "timing.attempt_spacing",
                "it must be more than nothing, or a provider whose answers are spoilt would be asked without end",
            );
        }
        if self.timing.gate_fresh < self.providers.call_time {
            return wrong(
                "timing.gate_fresh",
                "it must be at least providers.call_time, or what is looked at before a removal may be too old as soon \
                 as it is known",
            );
        }
        if self.timing.scaled().gate_fresh < A_CALL {
            return wrong(
                "timing.gate_fresh",
                "times timing.scale it must be at least a second: calls to a provider are not scaled",
            );
        }
        Ok(())
    }
}

fn wrong<T>(key: &'static str, why: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError::Senseless {
        key,
        why: why.into(),
    })
}

/// Durations as people write them: `90s`, `20m`, `6h`.
mod humantime {
    use std::time::Duration;

    use serde::Deserializer;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        humantime_serde::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn load(text: &str) -> Result<Settings, SettingsError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Settings::load(Some(file.path()))
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        let settings = load("").unwrap();
        assert_eq!(settings.admin.socket, Path::new("/run/rotord/admin.sock"));
        assert_eq!(settings.timing, Timing::default());
    }

    #[test]
    fn every_table_is_read() {
        let settings = load(
            r#"
            [state]
            directory = "/tmp/x"
            [admin]
            wait = "90s"
            [[reader.grants]]
            uids = [1000]
            environment = "prod"
            secrets = ["AZURE_CLIENT_SECRET"]
            [providers]
            engine = "native"
            [providers.grants.azure-client-secret]
            private = ["localhost:8443"]
            [timing]
            soak_short = "2m 30s"
            "#,
        )
        .unwrap();
        assert_eq!(settings.admin.wait, Duration::from_secs(90));
        assert_eq!(settings.timing.soak_short, Duration::from_secs(150));
        assert_eq!(settings.reader.grants[0].path, "/");
        assert_eq!(settings.providers.engine, Engine::Native);
        assert_eq!(settings.providers.grants.len(), 1);
    }

    #[test]
    fn a_credential_that_no_unit_can_ask_for_is_refused() {
        let grant = |unit: &str, credential: &str| {
            format!(
                "[[credentials.grants]]\nunit = '{unit}'\ncredential = '{credential}'\n\
                 environment = 'prod'\nsecret = 'TOKEN'\n"
            )
        };
        let settings = load(&grant("payroll.service", "token")).unwrap();
        assert_eq!(settings.credentials.grants[0].path, "/");
        let socket = settings.credentials_socket();
        assert_eq!(socket, Path::new("/run/rotord/credentials.sock"));
        let twice = grant("payroll.service", "token").repeat(2);
        let long = grant(&format!("{}.service", "x".repeat(70)), "a-long-token");
        for (text, word) in [
            (grant("payroll", "token"), "full name"),
            (grant("payroll.timer", "token"), "full name"),
            (grant("payroll.service", "to/ken"), "slashes"),
            (grant("payroll.service", ""), "credential"),
            (long, "83"),
            (twice, "two for token for payroll.service"),
        ] {
            let error = load(&text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, word) in [
            ("[admin\n", "line 1", "admin"),
            ("[admin]\nsockt = \"/x\"\n", "line 2", "sockt"),
            ("\n[timing]\nsoak_short = 5\n", "line 3", "soak_short"),
            ("[providers]\nengine = \"fast\"\n", "line 2", "fast"),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(
                error.contains(line) && error.contains(word),
                "{text:?}: {error}"
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (text, key) in [
            ("[timing]\nscale = 0.0", "timing.scale"),
            ("[timing]\nscale = 2.0", "timing.scale"),
            ("[timing]\nabsences = 0", "timing.absences"),
            ("[timing]\ngate_fresh = \"1m\"", "timing.gate_fresh"),
            ("[timing]\nscale = 0.001", "timing.gate_fresh"),
            ("[providers]\ncall_time = \"3m\"", "timing.gate_fresh"),
            ("[state]\nsecret_versions = 1", "state.secret_versions"),
            ("[providers]\nconcurrency = 0", "providers.concurrency"),
            ("[providers]\nconcurrency = 257", "providers.concurrency"),
            ("[state]\nwitness = \"/var/lib/rotord/w\"", "state.witness"),
            (
                "[timing]\nattempt_spacing = \"0s\"",
                "timing.attempt_spacing",
            ),
            ("[admin]\nwait = \"14m 1s\"", "admin.wait"),
            ("[admin]\nsocket = \"run/admin.sock\"", "admin.socket"),
            ("[reader]\nsocket = \"reader.sock\"", "reader.socket"),
            ("[credentials]\nsocket = \"./c.sock\"", "credentials.socket"),
            (
                "[[reader.grants]]\nenvironment = \"dev\"\nsecrets = [\"A\"]",
                "reader.grants",
            ),
            (
                "[[reader.grants]]\nuids = [1]\nenvironment = \"dev\"\nsecrets = []",
                "reader.grants.secrets",
            ),
            (
                "[[reader.grants]]\ngids = [1]\nenvironment = \"dev\"\nsecrets = [\"A/B\"]",
                "reader.grants.secrets",
            ),
            (
                "[[reader.grants]]\nuids = [1]\nenvironment = \"\"\nsecrets = [\"A\"]",
                "reader.grants.environment",
            ),
            (
                "[[reader.grants]]\nuids = [1]\nenvironment = \"dev\"\npath = \"app\"\nsecrets = [\"A\"]",
                "reader.grants.path",
            ),
        ] {
            assert!(load(text).unwrap_err().to_string().contains(key), "{text}");
        }
    }

    #[test]
    fn a_relative_socket_is_named_with_what_would_be_right() {
        let said = load("[admin]\nsocket = \"run/admin.sock\"").unwrap_err();
        let said = said.to_string();
        assert!(said.contains("\"run/admin.sock\""), "{said}");
        assert!(said.contains("such as /run/rotord/admin.sock"), "{said}");
    }

    #[test]
    fn the_environment_comes_before_the_file_and_lists_paths_as_path_does() {
        let set = |name: &str, value: &str| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(b"[providers]\nextra_ca = [\"/file.pem\"]\n")
                .unwrap();
            let variables = HashMap::from([(name.to_owned(), value.to_owned())]);
            Settings::layered(Some(file.path()), Some(variables))
        };
        for (value, wanted) in [
            ("/a.pem", &["/a.pem"][..]),
            ("/a.pem:/b/c.pem", &["/a.pem", "/b/c.pem"]),
            ("", &[]),
        ] {
            let settings = set("ROTORD__PROVIDERS__EXTRA_CA", value).unwrap();
            let wanted: Vec<PathBuf> = wanted.iter().map(PathBuf::from).collect();
            assert_eq!(settings.providers.extra_ca, wanted, "{value}");
        }
        let settings = set("ROTORD__PROVIDERS__DIRECTORIES", "/x:/y").unwrap();
        assert_eq!(settings.providers.directories.len(), 2);
        // What is no list keeps its colons.
        let settings = set("ROTORD__ADMIN__SOCKET", "/a:b").unwrap();
        assert_eq!(settings.admin.socket, Path::new("/a:b"));
        assert!(set("ROTORD__ADMIN__SOCKT", "/a").is_err());
    }

    #[test]
    fn what_is_granted_is_renewed_and_what_was_opened_waits_for_a_restart() {
        let old = load("[admin]\nsocket = '/old/admin.sock'").unwrap();
        let new = "
            [admin]
            socket = '/new/admin.sock'
            wait = '9s'
            [[reader.grants]]
            uids = [1]
            environment = 'dev'
            secrets = ['A']
            [[credentials.grants]]
            unit = 'a.service'
            credential = 'a'
            environment = 'dev'
            secret = 'A'
            [providers]
            directories = ['/plugins']
            engine = 'native'
            [providers.grants.azure-client-secret]
            only = ['graph.microsoft.com']
            [timing]
            soak_short = '3m'
            [log]
            filter = 'debug'
            format = 'json'
            ";
        let new = load(new).unwrap();
        let (renewed, waiting) = old.renewed(&new);
        assert_eq!(
            waiting,
            [
                "admin.socket",
                "providers.engine, cache, extra_ca, concurrency or call_time",
                "timing",
                "log.format"
            ]
        );
        assert_eq!(renewed.admin.socket, old.admin.socket);
        assert_eq!(renewed.admin.wait, new.admin.wait);
        assert_eq!(renewed.reader.grants, new.reader.grants);
        assert_eq!(renewed.credentials.grants, new.credentials.grants);
        assert_eq!(renewed.providers.directories, new.providers.directories);
        assert_eq!(renewed.providers.grants, new.providers.grants);
        assert_eq!(renewed.providers.engine, Engine::Pulley);
        assert_eq!(renewed.timing, old.timing);
        assert_eq!(renewed.log.filter, "debug");
        assert_eq!(renewed.log.format, LogFormat::Text);
        assert_eq!(renewed.renewed(&renewed).1, [""; 0]);
    }

    /// What stands in the shipped file is what holds without it.
    #[test]
    fn the_shipped_file_shows_the_defaults() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/rotord.toml");
        let shown = Settings::layered(Some(&shipped), Some(HashMap::new())).unwrap();
        assert_eq!(shown.file.as_ref(), Some(&shipped));
        let shown = Settings {
            file: None,
            ..shown
        };
        assert_eq!(format!("{shown:?}"), format!("{:?}", Settings::default()));
    }

    #[test]
    fn a_file_that_was_asked_for_must_be_there() {
        let missing = Settings::load(Some(Path::new("/nonexistent/rotord.toml"))).unwrap_err();
        assert!(missing.to_string().contains("/nonexistent/rotord.toml"));
    }
}
