//! A stand-in, a daemon beside it and a connection between them.

use std::time::Duration;

use azure_standin::{Config, Entry};
use e2e::azure::tenant;
use e2e::command::Ended;
use e2e::consumer::Task;
use e2e::operator::{KIND, is_settled, live, secret_name};
use e2e::{Azure, Consumer, Daemon, Operator};
use rotord_api::rotation::{CredentialStage, SecretRotation};
use rotord_api::routes;
use serde_json::json;
use uuid::Uuid;

pub(crate) struct Rig {
    pub(crate) azure: Azure,
    pub(crate) daemon: Daemon,
    pub(crate) operator: Operator,
    pub(crate) connection: Uuid,
}

impl Rig {
    /// With these applications, and nothing out of the ordinary.
    pub(crate) async fn start(applications: &[&str]) -> Self {
        Self::start_with(tenant(applications)).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        Self::with(config, |daemon| daemon).await
    }

    pub(crate) async fn with(config: Config, prepare: impl FnOnce(Daemon) -> Daemon) -> Self {
        let azure = Azure::start(config).await.unwrap();
        let daemon = prepare(Daemon::new().unwrap().trusting(&azure).unwrap());
        Self::starting(azure, daemon).await
    }

    /// With a daemon that is ready to be started.
    pub(crate) async fn starting(azure: Azure, mut daemon: Daemon) -> Self {
        daemon.start().await.unwrap();
        let operator = daemon.operator();
        let connection = operator.connect(&azure, "azure").await.unwrap();
        Self {
            azure,
            daemon,
            operator,
            connection,
        }
    }

    pub(crate) async fn rotorctl(&self, arguments: &[&str]) -> Ended {
        let line = self.daemon.rotorctl().unwrap();
        line.args(arguments).run().await.unwrap()
    }

    /// Asks for a rotation without waiting for what comes of it: the daemon may end meanwhile.
    pub(crate) fn rotate_in_the_background(&self, rotation: Uuid) {
        let http = self.operator.http.clone();
        let path = routes::rotate_secrets(KIND, rotation);
        tokio::spawn(async move { http.post(&path, &json!(null)).await.ok() });
    }

    /// The number of what the stand-in was last asked.
    pub(crate) fn last_entry(&self) -> u64 {
        let record = self.azure.standin.record(0);
        record.last().map_or(0, |entry| entry.sequence)
    }

    /// Waits until the stand-in has been asked for such a thing, after this number.
    pub(crate) async fn asked(&self, since: u64, is: impl Fn(&Entry) -> bool) {
        e2e::until(
            "a request at the stand-in",
            Duration::from_mins(2),
            async || {
                let record = self.azure.standin.record(since);
                Ok(record.iter().any(&is).then_some(()))
            },
        )
        .await
        .unwrap();
    }

    /// Orders a rotation that can't be written down: it is refused with these words.
    pub(crate) async fn rotate_refused(&self, rotation: Uuid, words: &[&str]) {
        let path = routes::rotate_secrets(KIND, rotation);
        let refused = self.operator.http.post(&path, &json!(null)).await.unwrap();
        assert_eq!(refused.status, 503, "{}", refused.text());
        let text = refused.text();
        for words in words {
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    /// The published secret is read, and works.
    pub(crate) async fn assert_published_works(&self, app: &str) {
        let name = secret_name(app, "SECRET");
        let value = self.operator.secret(&name).await.unwrap();
        let login = self.azure.standin.check_login(app, &value).unwrap();
        assert!(login.works_everywhere());
    }

    /// Nothing new logs in for a while: a run is held up in its proof.
    pub(crate) fn hold_up_proofs(&self) {
        let slow = azure_standin::Lag::between(60_000, 60_000);
        self.azure
            .standin
            .set_behaviour(|behaviour| behaviour.added.token = slow);
    }

    pub(crate) async fn create(&self, app: &str) -> SecretRotation {
        self.operator
            .create(&self.azure, self.connection, app)
            .await
            .unwrap()
    }

    pub(crate) async fn rotate(&self, rotation: &SecretRotation) -> SecretRotation {
        self.operator.rotate(rotation.id, None).await.unwrap()
    }

    /// Waits until a rotation is as `is` wants it.
    pub(crate) async fn until(
        &self,
        what: &str,
        rotation: &SecretRotation,
        is: impl Fn(&SecretRotation) -> bool,
    ) -> SecretRotation {
        self.operator.until(what, rotation.id, is).await.unwrap()
    }

    /// Waits until nothing is left of a rotation but what is published, and nothing is under way.
    pub(crate) async fn settled(&self, rotation: &SecretRotation) -> SecretRotation {
        self.until("everything else to be gone", rotation, |rotation| {
            is_settled(rotation, &[CredentialStage::Active])
        })
        .await
    }

    /// Waits until nothing is under way, but for what was replaced and waits for its time.
    pub(crate) async fn settled_but_previous(&self, rotation: &SecretRotation) -> SecretRotation {
        let stages = [CredentialStage::Active, CredentialStage::Previous];
        self.until("the run's end", rotation, |rotation| {
            is_settled(rotation, &stages)
        })
        .await
    }

    /// Waits until so many secrets of ours are at the provider.
    pub(crate) async fn until_issued(&self, app: &str, count: usize) {
        let what = format!("{count} secrets of ours on {app}");
        e2e::until(&what, Duration::from_mins(2), async || {
            let issued = self.azure.issued(app)?;
            Ok((issued.len() == count).then_some(()))
        })
        .await
        .unwrap();
    }

    pub(crate) async fn consumer(&self, app: &str, pause: Duration) -> Consumer {
        let task = Task {
            socket: self.daemon.admin(),
            project: self.operator.project().await.unwrap(),
            id_name: secret_name(app, "ID"),
            secret_name: secret_name(app, "SECRET"),
            pause,
        };
        Consumer::start(&self.azure, task).unwrap()
    }

    /// What the state lists is what is at the provider, and nobody else's was touched.
    pub(crate) fn assert_no_orphans(&self, app: &str, rotation: &SecretRotation) {
        self.assert_holds_what_is_listed(app, rotation);
        self.assert_others_untouched(app);
    }

    /// What of ours is at the provider is what the state lists.
    pub(crate) fn assert_holds_what_is_listed(&self, app: &str, rotation: &SecretRotation) {
        let at_azure: Vec<String> = self
            .azure
            .issued(app)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(at_azure, keys(rotation), "{app}: at Azure and in the state");
    }

    pub(crate) fn assert_others_untouched(&self, app: &str) {
        let secrets = self.azure.standin.secrets(app).unwrap();
        let by_hand = secrets
            .iter()
            .find(|secret| secret.display_name.as_deref() == Some("made by hand"));
        assert!(by_hand.unwrap().live(), "{app}: somebody else's is gone");
    }
}

/// The keyIds of every live credential of a rotation, in order.
pub(crate) fn keys(rotation: &SecretRotation) -> Vec<String> {
    let mut keys: Vec<String> = live(rotation)
        .map(|credential| credential.key_id.clone())
        .collect();
    keys.sort();
    keys
}

/// The keyId of the credential at a stage.
pub(crate) fn key_at(rotation: &SecretRotation, stage: CredentialStage) -> String {
    let mut at_stage = live(rotation).filter(|credential| credential.stage == stage);
    at_stage.next().expect("none at that stage").key_id.clone()
}
