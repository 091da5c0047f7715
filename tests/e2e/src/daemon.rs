//! A `rotord` of one's own: process, settings, state and sockets in a temporary directory.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use toml::Value;

use crate::azure::Azure;
use crate::built;
use crate::command::Line;
use crate::failure::{Failure, OrFail as _};
use crate::http::Http;
use crate::operator::Operator;
use crate::ready::NotifySocket;
use crate::settings::Settings;

/// A first start compiles the providers, and the machine may be busy.
const START: Duration = Duration::from_mins(2);
/// More than the daemon gives itself.
const STOP: Duration = Duration::from_mins(1);

/// A daemon, running or not. What it leaves behind is deleted when this is dropped.
#[derive(Debug)]
pub struct Daemon {
    folder: TempDir,
    settings: Settings,
    program: PathBuf,
    environment: Vec<(String, String)>,
    child: Option<Child>,
    notify: Option<NotifySocket>,
}

/// How a start ended.
#[derive(Debug)]
pub enum Start {
    /// It says that it is ready.
    Ready,
    /// It ended before.
    Ended {
        /// Its exit code.
        code: Option<i32>,
        /// What it wrote to its log since this start.
        said: String,
    },
}

impl Daemon {
    /// A daemon in a new folder, with the Azure provider, that does not run yet.
    ///
    /// # Errors
    /// Something was not built, or the folder can't be made.
    pub fn new() -> Result<Self, Failure> {
        let program =
            built::program("rotord").or_fail(|| "there is no daemon to start".to_owned())?;
        let provider = built::provider("azure-client-secret")
            .or_fail(|| "there is no provider to load".to_owned())?;
        let io = || "a temporary folder can't be made".to_owned();
        let folder = tempfile::Builder::new()
            .prefix("rotord-")
            .tempdir()
            .or_fail(io)?;
        // Other users get to the reader socket; what is private is so by its own mode.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).or_fail(io)?;
        let settings = Settings::within(folder.path());
        let daemon = Self {
            folder,
            settings,
            program,
            environment: Vec::new(),
            child: None,
            notify: None,
        };
        daemon.make_folder("providers", 0o755)?;
        daemon.make_folder("read", 0o755)?;
        daemon.make_folder("cache", 0o700)?;
        daemon.add_provider(&provider)?;
        Ok(daemon)
    }

    /// A running daemon that may talk to this Azure.
    ///
    /// # Errors
    /// It does not start.
    pub async fn beside(azure: &Azure) -> Result<Self, Failure> {
        let mut daemon = Self::new()?.trusting(azure)?;
        daemon.start().await?;
        Ok(daemon)
    }

    /// With the certificate authority of this Azure, and leave to reach it on the loopback.
    ///
    /// # Errors
    /// The authority's file can't be written.
    pub fn trusting(self, azure: &Azure) -> Result<Self, Failure> {
        let ca = self.path("azure-ca.pem");
        std::fs::write(&ca, azure.standin.ca_pem()).or_fail(|| "no CA file".to_owned())?;
        let host = format!("localhost:{}", azure.standin.address().port());
        Ok(self
            .with(
                "providers.extra_ca",
                Value::Array(vec![ca.display().to_string().into()]),
            )
            .with(
                "providers.grants.azure-client-secret.private",
                Value::Array(vec![host.into()]),
            ))
    }

    /// With a setting; see [`Settings::with`].
    #[must_use]
    pub fn with(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.settings.set(path, value);
        self
    }

    /// Changes a setting from the next start on.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        self.settings.set(path, value);
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Sets a variable of the environment of the starts that follow, or takes it away.
    pub fn set_env(&mut self, name: &str, value: Option<String>) {
        self.environment.retain(|(known, _)| known != name);
        if let Some(value) = value {
            self.environment.push((name.to_owned(), value));
        }
    }

    /// With the program whose clock can run faster and that can be killed at named places.
    ///
    /// # Errors
    /// It was not built.
    pub fn with_test_build(mut self) -> Result<Self, Failure> {
        self.program = built::test_daemon().or_fail(|| "there is no daemon to start".to_owned())?;
        Ok(self)
    }

    /// Puts a component into the providers' folder.
    ///
    /// # Errors
    /// It can't be copied.
    pub fn add_provider(&self, file: &Path) -> Result<PathBuf, Failure> {
        let name = file.file_name().unwrap_or(file.as_os_str());
        let to = self.path("providers").join(name);
        std::fs::copy(file, &to).or_fail(|| format!("{} can't be copied", file.display()))?;
        Ok(to)
    }

    /// Something in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The settings file, as the last start wrote it.
    pub fn settings_file(&self) -> PathBuf {
        self.path("rotord.toml")
    }

    /// Its log since the first start.
    pub fn log_file(&self) -> PathBuf {
        self.path("rotord.log")
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref()?.id()
    }

    /// Writes the settings, starts the daemon and waits until it is ready.
    ///
    /// # Errors
    /// It ends instead, or takes too long.
    pub async fn start(&mut self) -> Result<(), Failure> {
        match self.launch().await? {
            Start::Ready => Ok(()),
            Start::Ended { code, said } => Err(Failure::new(format!(
                "rotord ended with {code:?} instead of being ready:\n{said}"
            ))),
        }
    }

    /// The same; that it ends instead is not an error here.
    ///
    /// # Errors
    /// It can't be started, or takes too long.
    pub async fn launch(&mut self) -> Result<Start, Failure> {
        self.write_settings()?;
        self.launch_as_written().await
    }

    /// Writes the settings file, as each start does.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write_settings(&self) -> Result<(), Failure> {
        std::fs::write(self.settings_file(), self.settings.text())
            .or_fail(|| "the settings can't be written".to_owned())
    }

    /// Writes the settings and starts the daemon, without waiting for anything.
    ///
    /// # Errors
    /// It can't be started.
    pub fn begin(&mut self) -> Result<(), Failure> {
        self.write_settings()?;
        let (child, notify, _) = self.spawn()?;
        (self.child, self.notify) = (Some(child), Some(notify));
        Ok(())
    }

    /// The process, where it says that it is ready, and how much was in its log before.
    fn spawn(&self) -> Result<(Child, NotifySocket, u64), Failure> {
        let no_log = || "there is no log".to_owned();
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())
            .or_fail(no_log)?;
        let logged = log.metadata().or_fail(no_log)?.len();
        let notify = NotifySocket::bind(self.folder())?;
        let child = Command::new(&self.program)
            .arg("--config")
            .arg(self.settings_file())
            .env("NOTIFY_SOCKET", notify.path())
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .or_fail(|| "rotord can't be started".to_owned())?;
        Ok((child, notify, logged))
    }

    /// The same as a launch with the settings file as it is.
    ///
    /// # Errors
    /// It can't be started, or takes too long.
    pub async fn launch_as_written(&mut self) -> Result<Start, Failure> {
        let (mut child, notify, logged) = self.spawn()?;
        let outcome = timeout(START, async {
            tokio::select! {
                // Where both have happened, that it was ready came first.
                biased;
                ready = notify.ready() => ready.map(|()| None),
                ended = child.wait() => ended.or_fail(|| "rotord was lost".to_owned()).map(Some),
            }
        });
        let outcome = outcome
            .await
            .or_fail(|| format!("rotord is not ready after {} s", START.as_secs()))??;
        self.notify = Some(notify);
        Ok(match outcome {
            None => {
                self.child = Some(child);
                Start::Ready
            }
            Some(status) => Start::Ended {
                code: status.code(),
                said: self.logged_since(logged)?,
            },
        })
    }

    /// Copies the state directory's files, as a snapshot would: it must not run, or be held. What a restore kept aside
    /// is no part of them.
    ///
    /// # Errors
    /// They can't be copied.
    pub fn copy_state(&self, to: &Path) -> Result<(), Failure> {
        copy_files(&self.path("state"), to).or_fail(|| "the state can't be copied".to_owned())
    }

    /// Puts such a copy in the place of what is there.
    ///
    /// # Errors
    /// It can't be put there.
    pub fn put_state_back(&self, copy: &Path) -> Result<(), Failure> {
        let state = self.path("state");
        std::fs::remove_dir_all(&state)
            .and_then(|()| copy_files(copy, &state))
            .or_fail(|| "the copy can't be put back".to_owned())
    }

    /// Asks it to stop, and waits.
    ///
    /// # Errors
    /// It does not run, does not stop, or says that it failed.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        self.signal(Signal::TERM)?;
        match self.ended().await? {
            Some(0) => Ok(()),
            code => Err(Failure::new(format!("rotord stopped with {code:?}"))),
        }
    }

    /// Kills it where it stands.
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&mut self) -> Result<(), Failure> {
        self.signal(Signal::KILL)?;
        self.ended().await.map(drop)
    }

    /// Asks it to stop, and does not wait.
    ///
    /// # Errors
    /// It does not run.
    pub fn ask_to_stop(&self) -> Result<(), Failure> {
        self.signal(Signal::TERM)
    }

    /// Waits until it has ended by itself, and returns its exit code, which is none if a signal ended it.
    ///
    /// # Errors
    /// It does not run. This may be dropped while it waits, and called again.
    pub async fn end(&mut self) -> Result<Option<i32>, Failure> {
        let not_running = || Failure::new("rotord does not run");
        let child = self.child.as_mut().ok_or_else(not_running)?;
        let status = child
            .wait()
            .await
            .or_fail(|| "rotord was lost".to_owned())?;
        self.child = None;
        Ok(status.code())
    }

    /// Has it load its providers anew, and waits until it has.
    ///
    /// # Errors
    /// It does not run or does not answer.
    pub async fn reload(&mut self) -> Result<(), Failure> {
        self.signal(Signal::HUP)?;
        self.hear("READY=1").await.map(drop)
    }

    /// Waits until it tells its service manager this line, and gives back the whole message.
    ///
    /// # Errors
    /// It does not run or does not say it.
    pub async fn hear(&self, line: &str) -> Result<String, Failure> {
        let Some(notify) = &self.notify else {
            return Err(Failure::new("rotord does not run"));
        };
        timeout(START, notify.hear(line))
            .await
            .or_fail(|| format!("rotord did not say {line}"))?
    }

    /// The admin socket.
    pub fn admin(&self) -> Http {
        Http::over(self.path("admin.sock"))
    }

    /// The reader socket.
    pub fn reader(&self) -> Http {
        Http::over(self.path("read/reader.sock"))
    }

    /// Who gives orders over the admin socket.
    pub fn operator(&self) -> Operator {
        Operator::over(self.admin())
    }

    /// `rotorctl`, to be given its arguments.
    ///
    /// # Errors
    /// It was not built.
    pub fn rotorctl(&self) -> Result<Line, Failure> {
        let program =
            built::program("rotorctl").or_fail(|| "there is no rotorctl to run".to_owned())?;
        Ok(Line::new(program).env("ROTORD_SOCKET", self.path("admin.sock")))
    }

    /// What it has logged.
    ///
    /// # Errors
    /// There is no log.
    pub fn log(&self) -> Result<String, Failure> {
        self.logged_since(0)
    }

    fn logged_since(&self, start: u64) -> Result<String, Failure> {
        let mut text = String::new();
        File::open(self.log_file())
            .and_then(|mut log| {
                log.seek(SeekFrom::Start(start))?;
                log.read_to_string(&mut text)
            })
            .or_fail(|| "the log can't be read".to_owned())?;
        Ok(text)
    }

    fn make_folder(&self, name: &str, mode: u32) -> Result<(), Failure> {
        let path = self.path(name);
        std::fs::create_dir(&path)
            .and_then(|()| std::fs::set_permissions(&path, Permissions::from_mode(mode)))
            .or_fail(|| format!("{} can't be made", path.display()))
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let not_running = || Failure::new("rotord does not run");
        let pid = self.pid().ok_or_else(not_running)?;
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        kill_process(pid.ok_or_else(not_running)?, signal)
            .or_fail(|| "rotord can't be signalled".to_owned())
    }

    async fn ended(&mut self) -> Result<Option<i32>, Failure> {
        let Some(mut child) = self.child.take() else {
            return Err(Failure::new("rotord does not run"));
        };
        let status = timeout(STOP, child.wait())
            .await
            .or_fail(|| format!("rotord did not end within {} s", STOP.as_secs()))?
            .or_fail(|| "rotord was lost".to_owned())?;
        Ok(status.code())
    }
}

/// Copies a folder's files, and nothing below it, into a new one.
///
/// # Errors
/// They can't be copied, or the new one is there.
pub fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
