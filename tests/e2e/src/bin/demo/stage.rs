//! What the story plays on: the stand-in for Azure and the daemon, in a temporary folder.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use azure_standin::{Behaviour, Lag, Lags, TenantConfig};
use e2e::azure::{MANAGER_SECRET, tenant};
use e2e::command::Line;
use e2e::failure::OrFail as _;
use e2e::{Azure, Daemon, Failure, Operator};

use crate::screen::Screen;

/// The application whose secret is rotated.
pub(crate) const APP: &str = "payroll";
/// The connection's name.
pub(crate) const CONNECTION: &str = "my-azure-connection";

/// Every wait of the daemon in this share of its length: the least overlap is 10 s instead of 110 minutes, and
/// the bound within which every replica has a new secret 1.8 s instead of 20 minutes.
const SCALE: f64 = 0.0015;
/// Before scaling: as long as that bound.
const SOAK: &str = "20m";
/// How long a new secret takes to reach a replica: below the soak.
const LAG: Lag = Lag {
    min_ms: 300,
    max_ms: 1500,
};

/// What runs.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) azure: Azure,
    pub(crate) daemon: Daemon,
}

impl Stage {
    /// Starts both.
    pub(crate) async fn set(screen: &Screen) -> Result<Self, Failure> {
        screen.step("The stage: a stand-in for Azure (four replicas that lag), and rotord");
        let mut config = tenant(&[APP, "billing", "storefront", "payments"]);
        config.tenant = TenantConfig {
            fill: 120,
            ..TenantConfig::default()
        };
        let quick = Lag::between(0, 500);
        config.behaviour = Behaviour {
            added: Lags {
                token: LAG,
                read: quick,
                lookup: quick,
            },
            removed: Lags::everywhere(quick),
            ..Behaviour::default()
        };
        let azure = Azure::start(config).await?;
        screen.output(&format!(
            "Azure's stand-in serves Entra and Graph at {}, tenant {}",
            azure.standin.base_url(),
            azure.standin.tenant_id()
        ));
        let mut daemon = Daemon::new()?
            .trusting(&azure)?
            .with("timing.scale", SCALE)
            .with("timing.soak_short", SOAK)
            .with("timing.verify_cap", "2h")
            .with("timing.gate_fresh", "12m")
            .with("log.filter", "info");
        let secret = daemon.path("client-secret");
        let written = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&secret)
            .and_then(|mut file| file.write_all(MANAGER_SECRET.as_bytes()));
        written.or_fail(|| "no file for the secret".to_owned())?;
        screen.command(&format!(
            "rotord --config {}",
            daemon.settings_file().display()
        ));
        let start = daemon.start();
        screen
            .during(
                "the provider is compiled, rotord starts",
                String::new,
                start,
            )
            .await?;
        let stage = Self { azure, daemon };
        let status = stage.operator().status().await?;
        let providers: Vec<String> = status
            .providers
            .iter()
            .filter_map(|report| report.description.as_ref())
            .map(|provider| format!("{} {}", provider.slug, provider.version))
            .collect();
        screen.output(&format!(
            "rotord {} is ready, process {}; provider: {}",
            status.version,
            stage.daemon.pid().unwrap_or_default(),
            providers.join(", ")
        ));
        screen.output(
            "So that a person need not wait for hours, its waits are shortened (timing.scale);",
        );
        screen.output("their proportions are those of a real host.");
        screen.command(&format!(
            "export ROTORD_SOCKET={}",
            stage.daemon.admin().socket().display()
        ));
        Ok(stage)
    }

    pub(crate) fn operator(&self) -> Operator {
        self.daemon.operator()
    }

    /// Shows `rotorctl` with arguments, runs it and shows what it wrote.
    pub(crate) async fn rotorctl(
        &self,
        screen: &Screen,
        arguments: &[&str],
    ) -> Result<String, Failure> {
        screen.command(&shown("rotorctl", arguments));
        let line = self.daemon.rotorctl()?.args(arguments);
        let ended = screen.during("rotorctl", String::new, line.run()).await?;
        let output = ended.well()?;
        screen.output(&output);
        Ok(output)
    }

    /// Shows `curl` with arguments and runs it.
    pub(crate) async fn curl(
        &self,
        screen: &Screen,
        arguments: &[&str],
    ) -> Result<serde_json::Value, Failure> {
        let short = |argument: &&str| {
            let socket = self.daemon.admin().socket().display().to_string();
            argument.replace(&socket, "$ROTORD_SOCKET")
        };
        let words: Vec<String> = arguments.iter().map(short).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        screen.command(&shown("curl", &words));
        let line = Line::new("curl")
            .args(["--silent", "--show-error"])
            .args(arguments);
        let ended = screen.during("curl", String::new, line.run()).await;
        let ended = ended.or_fail(|| {
            "curl is needed to send the sample request (apt-get install curl)".to_owned()
        })?;
        serde_json::from_str(&ended.well()?).or_fail(|| "the answer is no JSON".to_owned())
    }

    /// For those who stay.
    pub(crate) fn how_to_talk_to_it(&self, screen: &Screen) {
        let socket = self.daemon.admin().socket().display().to_string();
        let base = self.azure.standin.base_url();
        let ca = self.daemon.path("azure-ca.pem").display().to_string();
        let rotorctl = e2e::built::program("rotorctl").unwrap_or_default();
        screen.step("It runs on until Ctrl-C. How to talk to it");
        screen.command(&format!("export ROTORD_SOCKET={socket}"));
        screen.command(&format!("alias rotorctl={}", rotorctl.display()));
        screen.command("rotorctl status");
        screen.command("rotorctl show my-azure-rotation --env dev");
        screen.command("rotorctl rotate my-azure-rotation --env dev --wait");
        screen.command("rotorctl secret get AZURE_CLIENT_SECRET --env dev");
        screen.command(&format!(
            "curl --unix-socket {socket} http://localhost/api/v1/rotord/status"
        ));
        screen.command(&format!("curl --cacert {ca} {base}/_standin/checks"));
        screen.command(&format!(
            "curl --cacert {ca} {base}/_standin/applications/{APP}/secrets"
        ));
        screen.command(&format!("tail -f {}", self.daemon.log_file().display()));
    }
}

/// A command line as a person would type it.
fn shown(program: &str, arguments: &[&str]) -> String {
    let mut text = program.to_owned();
    let mut width = text.len();
    for argument in arguments {
        let quoted = quoted(argument);
        // An option begins a line where the line would grow long.
        if argument.starts_with("--") && width + quoted.len() > 70 {
            text.push_str(" \\\n   ");
            width = 3;
        }
        text.push(' ');
        text.push_str(&quoted);
        width += quoted.len() + 1;
    }
    text
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=$@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("--env"), "--env");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted(""), "''");
    }
}
