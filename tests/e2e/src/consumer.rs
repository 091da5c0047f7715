//! An application that uses the secrets: it reads them and logs in with them, all along.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Method;
use rotord_api::routes;
use rotord_api::secret::{Secret, SecretsAnswer};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::azure::{Azure, login};
use crate::failure::{Failure, OrFail as _};
use crate::http::Http;

/// What it calls itself where it logs in.
pub const USER_AGENT: &str = "consumer";

/// What it reads and where it uses it.
#[derive(Clone, Debug)]
pub struct Task {
    /// The socket that it reads at.
    pub socket: Http,
    /// The project's id.
    pub project: String,
    /// The name of the secret that holds the client id.
    pub id_name: String,
    /// The name of the secret that holds the client secret.
    pub secret_name: String,
    /// From one login to the next.
    pub pause: Duration,
}

/// What it has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Logins that worked.
    pub logins: u64,
    /// Logins that did not.
    pub failures: u64,
    /// Readings that brought something new.
    pub changes: u64,
    /// Readings that were answered "as you have it" (304).
    pub unchanged: u64,
    /// Readings without an answer: the daemon was down. What was read before is used on.
    pub unread: u64,
    /// What the first failed login was answered.
    pub first_failure: Option<String>,
}

/// A consumer at work; it ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Consumer {
    tally: Arc<Mutex<Tally>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

struct Credentials {
    etag: String,
    id: String,
    secret: String,
}

impl Consumer {
    /// Starts to read and to log in.
    ///
    /// # Errors
    /// The authority of this Azure can't be trusted.
    pub fn start(azure: &Azure, task: Task) -> Result<Self, Failure> {
        let client = azure
            .client()?
            .user_agent(USER_AGENT)
            .timeout(Duration::from_secs(30))
            .build()
            .or_fail(|| "no client".to_owned())?;
        let tally = Arc::<Mutex<Tally>>::default();
        let (stop, stopped) = watch::channel(false);
        let work = Work {
            task,
            client,
            token_url: azure.token_url(),
            tally: Arc::clone(&tally),
            credentials: None,
        };
        let task = tokio::spawn(work.run(stopped));
        Ok(Self { tally, stop, task })
    }

    /// What it has seen so far.
    pub fn tally(&self) -> Tally {
        self.tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends after the login that is under way.
    ///
    /// # Errors
    /// It broke.
    pub async fn stop(self) -> Result<Tally, Failure> {
        let _ = self.stop.send(true);
        self.task
            .await
            .or_fail(|| "the consumer broke".to_owned())?;
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tally.clone())
    }
}

struct Work {
    task: Task,
    client: reqwest::Client,
    token_url: String,
    tally: Arc<Mutex<Tally>>,
    credentials: Option<Credentials>,
}

impl Work {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow_and_update() {
            match self.read().await {
                Ok(()) => {}
                Err(_) => self.count(|tally| tally.unread += 1),
            }
            if let Some(credentials) = &self.credentials {
                match self.log_in(credentials).await {
                    Ok(()) => self.count(|tally| tally.logins += 1),
                    Err(why) => self.count(|tally| {
                        tally.failures += 1;
                        tally.first_failure.get_or_insert(why.whole());
                    }),
                }
            }
            // The pace of an application, not a wait for something.
            let _ = tokio::time::timeout(self.task.pause, stopped.changed()).await;
        }
    }

    async fn read(&mut self) -> Result<(), Failure> {
        let path = format!(
            "{}?workspaceId={}&environment=dev&secretPath=/",
            routes::SECRETS_V3,
            self.task.project
        );
        let known = self.credentials.as_ref();
        let etag = known.map(|known| ("if-none-match", known.etag.clone()));
        let headers: Vec<(&str, &str)> = etag
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let reply = self
            .task
            .socket
            .send(Method::GET, &path, &headers, Vec::new())
            .await?;
        if reply.status == 304 {
            self.count(|tally| tally.unchanged += 1);
            return Ok(());
        }
        let secrets = reply.parse::<SecretsAnswer>()?.secrets;
        let value = |name: &str| -> Result<String, Failure> {
            let named = |secret: &&Secret| secret.secret_key == name;
            let found = secrets.iter().find(named);
            let found = found.ok_or_else(|| Failure::new(format!("no secret {name}")))?;
            Ok(found.secret_value.expose().to_owned())
        };
        let fresh = Credentials {
            etag: reply.header("etag").unwrap_or_default().to_owned(),
            id: value(&self.task.id_name)?,
            secret: value(&self.task.secret_name)?,
        };
        let is_new = known.is_none_or(|known| known.secret != fresh.secret);
        self.credentials = Some(fresh);
        if is_new {
            self.count(|tally| tally.changes += 1);
        }
        Ok(())
    }

    async fn log_in(&self, credentials: &Credentials) -> Result<(), Failure> {
        let form = login(&credentials.id, &credentials.secret);
        let reply = self
            .client
            .post(&self.token_url)
            .form(&form)
            .send()
            .await
            .or_fail(|| "no answer to a login".to_owned())?;
        let status = reply.status();
        if status.is_success() {
            return Ok(());
        }
        let text = reply.text().await.unwrap_or_default();
        Err(Failure::new(format!("{status}: {text}")))
    }

    fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
