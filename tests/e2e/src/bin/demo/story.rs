//! The main job, step by step.

use std::time::Duration;

use e2e::azure::MANAGER_SECRET;
use e2e::consumer::Task;
use e2e::failure::OrFail as _;
use e2e::operator::{KIND, is_settled, live};
use e2e::{Consumer, Failure, until};
use rotord_api::rotation::{CredentialStage, SecretRotation, SecretRotationAnswer};
use rotord_api::routes;
use rotord_api::secret::SecretsAnswer;

use crate::screen::Screen;
use crate::stage::{APP, CONNECTION, Stage};
use crate::timeline::Timeline;

const ROTATION: &str = "my-azure-rotation";
const ROTATIONS: u32 = 2;
const PATIENCE: Duration = Duration::from_secs(90);

/// Tells it all, and leaves the consumer at work.
pub(crate) async fn tell(screen: &Screen, stage: &Stage) -> Result<Consumer, Failure> {
    connect(screen, stage).await?;
    let rotation = create(screen, stage).await?;
    let mut timeline = Timeline::default();
    timeline.note(&rotation);

    screen.step("An application reads them and logs in with them from now on, 20 times a second");
    read(screen, stage).await?;
    let task = Task {
        socket: stage.daemon.admin(),
        project: rotation.project_id.clone(),
        id_name: "AZURE_CLIENT_ID".to_owned(),
        secret_name: "AZURE_CLIENT_SECRET".to_owned(),
        pause: Duration::from_millis(50),
    };
    let consumer = Consumer::start(&stage.azure, task)?;
    let standing = || {
        let tally = consumer.tally();
        format!(
            " · consumer: {} logins, {} failed",
            tally.logins, tally.failures
        )
    };

    screen.step("Rotate, twice");
    for _ in 0..ROTATIONS {
        let arguments = [
            "rotate",
            ROTATION,
            "--env",
            "dev",
            "--retire-previous-after",
            "0s",
            "--wait",
        ];
        screen.command(&format!("rotorctl {}", arguments.join(" ")));
        let line = stage.daemon.rotorctl()?.args(arguments);
        let ended = screen
            .during("issuing, proving, publishing", standing, line.run())
            .await?;
        screen.output(&ended.well()?);
        timeline.note(&stage.operator().rotation(rotation.id).await?);
    }
    screen.output(
        "The provider's least overlap holds: what was replaced still works, for 10 s here.",
    );

    screen.step("What was replaced is retired in its time");
    let retired = until("retirement", PATIENCE, async || {
        let rotation = stage.operator().rotation(rotation.id).await?;
        timeline.note(&rotation);
        Ok(is_settled(&rotation, &[CredentialStage::Active]).then_some(rotation))
    });
    let rotation = screen
        .during("waiting for the replaced ones to go", standing, retired)
        .await?;
    stage.rotorctl(screen, &["list"]).await?;

    screen.step("What happened");
    for line in timeline.lines(&stage.azure, APP)? {
        screen.line(&format!("   {line}"));
    }
    judge(screen, stage, &rotation, &consumer)?;
    Ok(consumer)
}

async fn connect(screen: &Screen, stage: &Stage) -> Result<(), Failure> {
    screen.step("Add the Azure connection; its secret comes from a file, never from an argument");
    let secret = format!(
        "clientSecret={}",
        stage.daemon.path("client-secret").display()
    );
    let fields: Vec<String> = stage
        .azure
        .connection_fields()?
        .into_iter()
        .map(|(field, value)| format!("{field}={value}"))
        .collect();
    let mut arguments = vec!["connection", "add", CONNECTION, "--method", "client-secret"];
    for field in &fields {
        arguments.extend(["--set", field.as_str()]);
    }
    arguments.extend(["--file", secret.as_str()]);
    stage.rotorctl(screen, &arguments).await?;

    screen.step("May it rotate? Network, login and permissions are looked at");
    stage
        .rotorctl(screen, &["connection", "check", CONNECTION])
        .await?;

    screen.step("List its applications (those with \"pay\" in their name, of some 120)");
    stage
        .rotorctl(screen, &["choices", CONNECTION, "clients", "pay"])
        .await?;
    Ok(())
}

async fn create(screen: &Screen, stage: &Stage) -> Result<SecretRotation, Failure> {
    screen
        .step("Create the rotation: the documented sample request, its ids and its host filled in");
    let operator = stage.operator();
    let connections = operator.http.get(routes::CONNECTIONS).await?.json()?;
    let connection = &connections["appConnections"][0]["id"];
    let connection = connection
        .as_str()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Failure::new("the connection is not listed"))?;
    let request = stage
        .azure
        .sample_request(APP, &operator.project().await?, connection)?;
    let socket = stage.daemon.admin().socket().display().to_string();
    let url = format!("http://localhost{}", routes::rotations_of_type(KIND));
    let answer = stage
        .curl(
            screen,
            &[
                "--unix-socket",
                &socket,
                "--request",
                "POST",
                "--url",
                &url,
                "--header",
                "Content-Type: application/json",
                "--data",
                &request,
            ],
        )
        .await?;
    let rotation: SecretRotationAnswer = serde_json::from_value(answer.clone())
        .or_fail(|| format!("refused: {}", answer["message"]))?;
    let rotation = rotation.secret_rotation;
    screen.output(&format!(
        "rotationStatus {}, activeIndex {}, nextRotationAt {}, connection.app {}",
        rotation.rotation_status,
        rotation.active_index,
        answer["secretRotation"]["nextRotationAt"],
        answer["secretRotation"]["connection"]["app"],
    ));
    Ok(rotation)
}

async fn read(screen: &Screen, stage: &Stage) -> Result<(), Failure> {
    let socket = stage.daemon.admin().socket().display().to_string();
    let project = stage.operator().project().await?;
    let url = format!(
        "http://localhost{}?workspaceId={project}&environment=dev",
        routes::SECRETS_V3
    );
    let answer = stage
        .curl(screen, &["--unix-socket", &socket, "--url", &url])
        .await?;
    let answer: SecretsAnswer =
        serde_json::from_value(answer).or_fail(|| "secrets of another form".to_owned())?;
    for secret in answer.secrets {
        let value = secret.secret_value.expose();
        let shown = if secret.secret_key == "AZURE_CLIENT_SECRET" {
            format!(
                "{}{} (masked here)",
                &value[..value.len().min(3)],
                "•".repeat(12)
            )
        } else {
            value.to_owned()
        };
        screen.output(&format!(
            "{} = {shown}, version {}",
            secret.secret_key, secret.version
        ));
    }
    Ok(())
}

/// Says where to go on; who keeps it running knows how.
pub(crate) fn where_next(screen: &Screen, keep: bool) {
    screen.line("");
    screen
        .line("   Where to look next: README.md (a real host in five minutes), `rotorctl --help`,");
    screen.line(if keep {
        "   tests/azure/README.md (make the stand-in worse)."
    } else {
        "   tests/azure/README.md (make the stand-in worse), `make demo KEEP=1` (leaves this running)."
    });
}

/// Says how it went, and fails where anything is off.
fn judge(
    screen: &Screen,
    stage: &Stage,
    rotation: &SecretRotation,
    consumer: &Consumer,
) -> Result<(), Failure> {
    let tally = consumer.tally();
    let at_azure: Vec<String> = stage
        .azure
        .issued(APP)?
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut in_state: Vec<String> = live(rotation)
        .map(|credential| credential.key_id.clone())
        .collect();
    in_state.sort();
    let checks = stage.azure.standin.checks();
    let by_hand_untouched = checks
        .app(APP)
        .is_some_and(|app| app.live == at_azure.len() + 1 && app.last_removed == 0);
    let log_is_clean = !stage.daemon.log()?.contains(MANAGER_SECRET);

    screen.line("");
    let summary = format!(
        "   The consumer logged in {} times with what was published; {} failed.",
        tally.logins, tally.failures
    );
    let facts = [
        (tally.failures == 0 && tally.logins > 0, summary),
        (
            at_azure == in_state,
            format!(
                "   Ours at Azure: {}; in rotord's state: {}.",
                at_azure.join(", "),
                in_state.join(", ")
            ),
        ),
        (
            by_hand_untouched,
            "   The secret that somebody made by hand was not touched.".to_owned(),
        ),
        (
            log_is_clean,
            "   The connection's secret is not in the log.".to_owned(),
        ),
    ];
    for (is_well, text) in &facts {
        if *is_well {
            screen.good(text);
        } else {
            screen.bad(text);
        }
    }
    if let Some(why) = &tally.first_failure {
        screen.bad(&format!("   The first login that failed: {why}"));
    }
    if facts.iter().all(|(is_well, _)| *is_well) {
        Ok(())
    } else {
        Err(Failure::new("something is not as it should be, see above"))
    }
}
