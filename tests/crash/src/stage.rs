//! A stand-in with applications, a test build of the daemon beside it, and consumers of what it publishes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use azure_standin::{Behaviour, Config, Fault, Lag, Lags, Operation, Rule, WriteWindow};
use chrono::Utc;
use e2e::azure::{MANAGER, tenant};
use e2e::consumer::{Tally, Task};
use e2e::daemon::Start;
use e2e::failure::OrFail as _;
use e2e::operator::{CONNECTIONS, KIND, secret_name};
use e2e::{Azure, Consumer, Daemon, Failure, Operator, clock};
use rotord_api::connection::AppConnectionsAnswer;
use rotord_api::rotation::SecretRotation;
use rotord_api::routes;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::plan::{Plan, Weather};

/// From one login of a consumer to the next.
const PACE: Duration = Duration::from_millis(40);
/// How much faster than the host's clock the daemon's runs where it was put ahead: hardly.
const FACTOR: f64 = 1.0001;
/// Where a start of the daemon is told to die.
const CRASH_AT: &str = "ROTORD_CRASH_AT";

/// What daemons are started from: compiled components, so that not every run compiles them.
#[derive(Debug)]
pub struct Template(Daemon);

impl Template {
    /// Starts a daemon once.
    ///
    /// # Errors
    /// It does not start.
    pub async fn make() -> Result<Self, Failure> {
        let mut daemon = Daemon::new()?.with_test_build()?;
        daemon.start().await?;
        daemon.stop().await?;
        Ok(Self(daemon))
    }

    /// Gives a new daemon what was compiled, with the key under which that is believed.
    ///
    /// # Errors
    /// It can't be copied.
    pub fn give_to(&self, daemon: &Daemon) -> Result<(), Failure> {
        let copy = |from: &Path, to: &Path| -> std::io::Result<()> {
            if from.is_dir() {
                for entry in std::fs::read_dir(from)? {
                    let entry = entry?;
                    std::fs::copy(entry.path(), to.join(entry.file_name()))?;
                }
                return Ok(());
            }
            std::fs::copy(from, to).map(drop)
        };
        let io = || "what was compiled can't be copied".to_owned();
        std::fs::create_dir_all(daemon.path("state")).or_fail(io)?;
        for name in ["cache", "state/cache.key"] {
            copy(&self.0.path(name), &daemon.path(name)).or_fail(io)?;
        }
        Ok(())
    }
}

/// A rotation that may come to be.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its application.
    pub app: String,
}

/// What orders are given to, and what they meet.
#[derive(Debug)]
pub struct Scene {
    /// The provider.
    pub azure: Azure,
    /// The person.
    pub operator: Operator,
    /// The rotations that may come to be.
    pub parts: Vec<Part>,
    /// Those who use them; gone once they have stopped.
    pub consumers: Mutex<HashMap<usize, Consumer>>,
    /// What those saw that have stopped.
    pub stopped: Mutex<Vec<(String, Tally)>>,
    connection: Mutex<Option<Uuid>>,
}

/// The scene and the daemon.
#[derive(Debug)]
pub struct Stage {
    /// What orders are given to.
    pub scene: Arc<Scene>,
    /// Who is killed.
    pub daemon: Daemon,
    /// Where a copy goes of what the next kill leaves in the state directory.
    pub keep: Option<PathBuf>,
    /// How far the daemon's clock is ahead of the host's.
    ahead: Duration,
}

impl Stage {
    /// Sets the stage of a plan. Nothing runs yet but the stand-in.
    ///
    /// # Errors
    /// It can't be set.
    pub async fn set(plan: &Plan, template: &Template) -> Result<Self, Failure> {
        let names: Vec<String> = (0..plan.applications.len())
            .map(|number| format!("app{number}"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let config = Config {
            seed: plan.seed,
            ..tenant(&names)
        };
        let azure = Azure::start(config).await?;
        let parts = plan.applications.iter().enumerate();
        let parts = parts.flat_map(|(app, count)| {
            (0..*count).map(move |number| Part {
                name: format!("app{app}-{number}"),
                app: format!("app{app}"),
            })
        });
        let parts = parts.collect();
        let daemon = Daemon::new()?
            .with_test_build()?
            .trusting(&azure)?
            // The proportions of the real bounds, but for what would take a run minutes.
            .with("timing.retry_most", "20m")
            .with("timing.watch_most", "20m")
            .with("timing.dormant_after", "30m")
            .with("timing.skew_most", "24h")
            .with("admin.wait", "20s");
        template.give_to(&daemon)?;
        let scene = Scene {
            operator: daemon.operator(),
            azure,
            parts,
            consumers: Mutex::default(),
            stopped: Mutex::default(),
            connection: Mutex::default(),
        };
        Ok(Self {
            scene: Arc::new(scene),
            daemon,
            keep: None,
            ahead: Duration::ZERO,
        })
    }

    /// Starts the daemon, which dies at the place that is given.
    ///
    /// # Errors
    /// It can't be started.
    pub async fn launch(&mut self, crash_at: Option<String>) -> Result<Start, Failure> {
        self.daemon.set_env(CRASH_AT, crash_at);
        let now = Utc::now();
        let ahead =
            (self.ahead > Duration::ZERO).then(|| clock::showing(now + self.ahead, now, FACTOR));
        self.daemon.set_env(clock::VARIABLE, ahead);
        self.daemon.launch().await
    }

    /// The daemon was killed at a place.
    ///
    /// # Errors
    /// What it left is to be kept, and can't be copied.
    pub fn killed(&mut self) -> Result<(), Failure> {
        match self.keep.take() {
            Some(copy) => self.daemon.copy_state(&copy),
            None => Ok(()),
        }
    }

    /// Time passes for everyone, at once.
    pub fn let_pass(&mut self, time: Duration) {
        self.scene.azure.standin.advance(time);
        self.ahead += time;
    }
}

impl Scene {
    /// The connection, made where it is missing, and the consumers.
    ///
    /// # Errors
    /// The daemon does not take it.
    pub async fn prepare(&self) -> Result<(), Failure> {
        let mut connection = self.connection.lock().await;
        if connection.is_some() {
            return Ok(());
        }
        let path = routes::connections_of_app(CONNECTIONS);
        let known = self.operator.http.get(&path).await?;
        let known = known.parse::<AppConnectionsAnswer>()?.app_connections;
        *connection = Some(match known.first() {
            Some(known) => known.id,
            None => self.operator.connect(&self.azure, "azure").await?,
        });
        let project = self.operator.project().await?;
        for (number, part) in self.parts.iter().enumerate() {
            let task = Task {
                socket: self.operator.http.clone(),
                project: project.clone(),
                id_name: secret_name(&part.name, "ID"),
                secret_name: secret_name(&part.name, "SECRET"),
                pause: PACE,
            };
            let consumer = Consumer::start(&self.azure, task)?;
            self.consumers.lock().await.insert(number, consumer);
        }
        Ok(())
    }

    /// From here on the provider behaves so.
    pub fn set_weather(&self, weather: &Weather) {
        let standin = &self.azure.standin;
        let lag = |most| Lags::everywhere(Lag::between(0, most));
        standin.set_behaviour(|behaviour| {
            *behaviour = Behaviour {
                added: lag(weather.added_ms),
                removed: lag(weather.removed_ms),
                flapping: weather.flapping,
                write_window: WriteWindow {
                    milliseconds: weather.collisions_ms,
                    ..WriteWindow::default()
                },
                ..Behaviour::default()
            };
        });
        standin.clear_faults();
        let chance = |operation, probability, fault| {
            if probability > 0.0 {
                standin.add_fault(Rule::chance(operation, probability, fault));
            }
        };
        let unavailable = Fault::Gateway {
            status: 503,
            empty: false,
            applied: true,
        };
        for write in [Operation::AddPassword, Operation::RemovePassword] {
            chance(write, weather.lost_replies, Fault::LostReply);
            chance(write, weather.lost_requests, Fault::LostRequest);
            chance(write, weather.unavailable, unavailable.clone());
        }
        let throttled = Fault::Throttled {
            retry_after: None,
            code: None,
        };
        chance(Operation::GetApplication, weather.throttled, throttled);
        if weather.lost_requests > 0.0 {
            // The consumers' own logins are spared: they are what is measured.
            let lost = Rule::chance(Operation::Token, weather.lost_requests, Fault::LostRequest);
            standin.add_fault(lost.for_app(MANAGER));
        }
    }

    /// The body that creates a rotation.
    ///
    /// # Errors
    /// Nothing is connected.
    pub async fn request(&self, part: &Part) -> Result<Value, Failure> {
        let connection = *self.connection.lock().await;
        let connection = connection.ok_or_else(|| Failure::new("nothing is connected"))?;
        let (operator, azure) = (&self.operator, &self.azure);
        let mut body = operator.request(azure, connection, &part.app).await?;
        body["name"] = part.name.as_str().into();
        body["rotationInterval"] = json!(1);
        for (output, secret) in [("clientId", "ID"), ("clientSecret", "SECRET")] {
            body["secretsMapping"][output] = secret_name(&part.name, secret).into();
        }
        Ok(body)
    }

    /// The rotation of a part, where there is one.
    ///
    /// # Errors
    /// The daemon does not answer.
    pub async fn rotation(&self, part: &Part) -> Result<Option<SecretRotation>, Failure> {
        let rotations = self.operator.rotations().await?;
        Ok(rotations.into_iter().find(|known| known.name == part.name))
    }

    /// Ends a consumer, which will not see that its secret goes.
    ///
    /// # Errors
    /// It broke.
    pub async fn stop_consumer(&self, number: usize) -> Result<(), Failure> {
        let consumer = self.consumers.lock().await.remove(&number);
        if let Some(consumer) = consumer {
            let tally = consumer.stop().await?;
            let name = self.parts[number].name.clone();
            self.stopped.lock().await.push((name, tally));
        }
        Ok(())
    }

    /// The path of an order about a rotation of this kind.
    pub fn rotate_path(id: Uuid) -> String {
        routes::rotate_secrets(KIND, id)
    }
}
