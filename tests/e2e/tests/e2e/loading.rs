//! The credential socket, asked as systemd asks: by the name of its own end, and with nothing else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use e2e::azure::tenant;
use e2e::credential::{self, MOST};
use rotord_api::project::ProjectAnswer;
use rotord_api::rotation::{SecretRotation, SecretRotationAnswer};
use rotord_api::routes;
use rotord_api::secret::{SecretAnswer, SecretsQuery};
use serde_json::json;
use toml::{Table, Value};

use crate::rig::Rig;

pub(crate) const UNIT: &str = "payroll.service";

pub(crate) fn grant(unit: &str, credential: &str, secret: &str) -> Value {
    let text = format!(
        "unit = '{unit}'\ncredential = '{credential}'\nenvironment = 'dev'\nsecret = '{secret}'"
    );
    text.parse::<Table>().unwrap().into()
}

pub(crate) async fn rig() -> Rig {
    let grants = vec![
        grant(UNIT, "token", "PAYROLL_SECRET"),
        grant("payroll@.service", "token", "PAYROLL_SECRET"),
        grant(UNIT, "none", "NO_SUCH_SECRET"),
    ];
    Rig::with(tenant(&["payroll"]), |daemon| {
        daemon.with("credentials.grants", Value::Array(grants))
    })
    .await
}

pub(crate) async fn ask(rig: &Rig, unit: &str, name: &str) -> Vec<u8> {
    let socket = rig.daemon.path("credentials.sock");
    let loaded = credential::load(&socket, unit, name).await;
    loaded.unwrap().value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_gets_what_is_published_before_and_after_a_rotation_and_a_restart() {
    let mut rig = rig().await;
    let rotation = rig.create("payroll").await;
    for unit in [UNIT, "payroll@north.service"] {
        let before = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
        assert_eq!(ask(&rig, unit, "token").await, before.as_bytes());
        rig.rotate(&rotation).await;
        let after = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
        assert_ne!(before, after);
        assert_eq!(ask(&rig, unit, "token").await, after.as_bytes());
    }
    // Every program and every start of a unit asks anew, and so do many units at once.
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let asks = (0..200).map(|_| ask(&rig, UNIT, "token"));
    for answer in futures_util::future::join_all(asks).await {
        assert_eq!(answer, value.as_bytes());
    }
    let logged = rig.daemon.log().unwrap();
    assert!(!logged.contains(&value));
    // From the database alone: nothing of the provider is needed for it.
    let nowhere = azure_standin::Fault::LostRequest;
    let nowhere = azure_standin::Rule::always(azure_standin::Operation::Token, nowhere);
    rig.azure.standin.add_fault(nowhere);
    rig.daemon.stop().await.unwrap();
    rig.daemon.start().await.unwrap();
    assert_eq!(ask(&rig, UNIT, "token").await, value.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_or_not_there_is_more_than_a_unit_can_start_with_and_is_logged() {
    let rig = rig().await;
    for (unit, credential, why) in [
        ("other.service", "token", "grant it nothing"),
        (UNIT, "other", "grant it nothing"),
        (UNIT, "none", "NO_SUCH_SECRET"),
        // Nothing is published yet.
        (UNIT, "token", "PAYROLL_SECRET"),
    ] {
        let answer = ask(&rig, unit, credential).await;
        assert!(answer.len() > MOST, "{unit} {credential}: {}", answer.len());
        assert!(answer.iter().all(|byte| *byte == 0));
        let told =
            |line: &str| line.contains(unit) && line.contains(credential) && line.contains(why);
        let log = rig.daemon.log().unwrap();
        assert!(log.lines().any(told), "{unit} {credential}: {log}");
    }
}

/// Half an answer is a credential, too: so at a stop each unit that was let in gets its value, or a refusal.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_leaves_no_unit_with_an_empty_or_a_cut_credential() {
    let mut rig = rig().await;
    rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let socket = rig.daemon.path("credentials.sock");
    for held in [false, true] {
        let asks: Vec<_> = (0..100)
            .map(|number| {
                let name = if number % 2 == 0 { "token" } else { "other" };
                let socket = socket.clone();
                tokio::spawn(async move { credential::load(&socket, UNIT, name).await })
            })
            .collect();
        // Each has to write to the audit, which takes its time.
        let books = held.then(|| hold(&rig.daemon.path("state/rotord.db")));
        rig.daemon.stop().await.unwrap();
        drop(books);
        for (number, asked) in asks.into_iter().enumerate() {
            // Who was not let in any more finds nobody there.
            let Ok(loaded) = asked.await.unwrap() else {
                continue;
            };
            let is_value = number % 2 == 0 && loaded.value == value.as_bytes();
            let length = loaded.value.len();
            assert!(is_value || length > MOST, "{held} {number}: {length} bytes");
        }
        rig.daemon.start().await.unwrap();
    }
}

/// Keeps everybody else from writing to the database.
fn hold(database: &Path) -> rusqlite::Connection {
    let books = rusqlite::Connection::open(database).unwrap();
    books.execute_batch("BEGIN IMMEDIATE").unwrap();
    books
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_service_manager_is_answered() {
    let rig = rig().await;
    rig.create("payroll").await;
    let socket = rig.daemon.path("credentials.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The user is told by the kernel; the mode of the socket is only the first door.
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).unwrap();
    let path = socket.clone();
    let stranger = std::thread::spawn(move || {
        rustix::thread::set_thread_uid(rustix::thread::Uid::from_raw(54_321)).unwrap();
        credential::ask(&credential::end_of(UNIT, "token"), &path).unwrap()
    });
    assert_eq!(stranger.join().unwrap().value, b"");
    let whole = String::from_utf8(credential::end_of(UNIT, "token")).unwrap();
    for cut in [whole.replace("/unit/", "/"), whole.replace("/token", "")] {
        let socket = socket.clone();
        let asked = tokio::task::spawn_blocking(move || credential::ask(cut.as_bytes(), &socket));
        // User 0 all the same: a unit must not start with nothing, whatever its name.
        assert!(asked.await.unwrap().unwrap().value.len() > MOST);
    }
    let log = rig.daemon.log().unwrap();
    assert!(
        log.contains("54321") && log.contains("service manager"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_by_command_is_one_line_for_the_unit_and_a_reload_away() {
    let mut rig = Rig::start(&["payroll"]).await;
    rig.create("payroll").await;
    let file = rig.daemon.settings_file();
    let grant = |arguments: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap();
        let line = line.args(["credential", "grant"]).args(arguments);
        line.args(["--env", "dev", "--config"]).args([&file]).run()
    };
    let before = std::fs::read_to_string(&file).unwrap();
    // Wrong is the command line, until it is the file.
    let broken = format!("{before}\n[unknown]\nsetting = 1\n");
    for (text, code, words) in [(&before, 64, "full name"), (&broken, 78, "unknown")] {
        std::fs::write(&file, text).unwrap();
        let wrong = grant(&["payroll", "token", "PAYROLL_SECRET"])
            .await
            .unwrap();
        assert_eq!(wrong.code, Some(code), "{}", wrong.stderr);
        assert!(wrong.stderr.contains(words), "{}", wrong.stderr);
        assert_eq!(&std::fs::read_to_string(&file).unwrap(), text);
    }
    std::fs::write(&file, &before).unwrap();
    let illegal = grant(&[UNIT, "to/ken", "PAYROLL_SECRET"]).await.unwrap();
    assert_eq!(illegal.code, Some(64), "{}", illegal.stderr);

    let granted = grant(&[UNIT, "token", "PAYROLL_SECRET"]).await.unwrap();
    let socket = rig.daemon.path("credentials.sock");
    let line = format!("LoadCredential=token:{}", socket.display());
    let said = granted.well().unwrap();
    assert!(said.contains(&line), "{said}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with(&before));
    let again = grant(&[UNIT, "token", "PAYROLL_SECRET"]).await.unwrap();
    assert!(again.well().unwrap().contains("already"));
    let other = grant(&[UNIT, "token", "PAYROLL_ID"]).await.unwrap();
    assert_eq!(other.code, Some(1));
    let with = std::fs::read_to_string(&file).unwrap();
    for (asked, words) in [
        (
            &["early.service", "token", "NOT_YET"][..],
            "no secret NOT_YET",
        ),
        (
            &["early.service", "token", "PAYROLL_ID", "--path", "/ap"],
            "no folder /ap",
        ),
        (
            &["early.service", "token", "PAYROLL_ID", "--project", "none"],
            "no project \"none\"",
        ),
    ] {
        let unknown = grant(asked).await.unwrap();
        assert_eq!(unknown.code, Some(1), "{}", unknown.stderr);
        for word in [words, "--anyway"] {
            assert!(unknown.stderr.contains(word), "{}", unknown.stderr);
        }
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), with);
    let early = grant(&["early.service", "token", "NOT_YET", "--anyway"])
        .await
        .unwrap();
    assert!(early.stderr.contains("does not start"), "{}", early.stderr);
    assert_eq!(early.code, Some(0));

    rig.daemon.reload().await.unwrap();
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    assert_eq!(ask(&rig, UNIT, "token").await, value.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settings_file_that_was_mistyped_is_not_made() {
    let rig = Rig::start(&["payroll"]).await;
    rig.create("payroll").await;
    let file = rig.daemon.path("mistyped.toml");
    let grant = |more: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap();
        let line = line.args(["credential", "grant", UNIT, "token", "PAYROLL_SECRET"]);
        let line = line.args(["--env", "dev", "--config"]).args([&file]);
        line.args(more).run()
    };
    let refused = grant(&[]).await.unwrap();
    assert_eq!(refused.code, Some(78), "{}", refused.stderr);
    assert!(refused.stderr.contains("--create"), "{}", refused.stderr);
    assert!(!file.exists());
    grant(&["--create"]).await.unwrap().well().unwrap();
    assert!(std::fs::read_to_string(&file).unwrap().contains(UNIT));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_of_another_projects_secret_is_taken_back_as_it_was_made() {
    let mut rig = Rig::start(&["payroll"]).await;
    let project = json!({"projectName": "Other", "slug": "other"});
    let made = rig.operator.http.post(routes::PROJECTS, &project).await;
    let made: ProjectAnswer = made.unwrap().parse().unwrap();
    let mut body = rig
        .operator
        .request(&rig.azure, rig.connection, "payroll")
        .await
        .unwrap();
    body["projectId"] = made.project.id.as_str().into();
    let created = rig.operator.post_rotation(&body).await.unwrap();
    let created: SecretRotationAnswer = created.parse().unwrap();
    let id = created.secret_rotation.id;
    let published = |rotation: &SecretRotation| rotation.last_rotated_at.is_some();
    rig.operator
        .until("it to be published", id, published)
        .await
        .unwrap();

    let file = rig.daemon.settings_file();
    let before = std::fs::read_to_string(&file).unwrap();
    let credential = async |rig: &Rig, arguments: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap();
        let line = line.args(["credential"]).args(arguments).args(["--config"]);
        line.args([&file]).run().await.unwrap()
    };
    let template = "payroll@.service";
    let granted = ["grant", template, "token", "PAYROLL_SECRET", "--env", "dev"];
    let elsewhere = credential(&rig, &granted).await;
    assert_eq!(elsewhere.code, Some(1), "{}", elsewhere.stderr);
    let granted = [&granted[..], &["--project", "Other"]].concat();
    credential(&rig, &granted).await.well().unwrap();
    let with = std::fs::read_to_string(&file).unwrap();
    assert!(with.contains("project = \"other\""), "{with}");
    rig.daemon.reload().await.unwrap();
    let query = SecretsQuery {
        project_id: Some("other".to_owned()),
        ..rig.operator.place().await.unwrap()
    };
    let path = routes::with_query(&routes::secret("PAYROLL_SECRET"), &query);
    let value: SecretAnswer = rig.operator.http.get(&path).await.unwrap().parse().unwrap();
    let instance = "payroll@north.service";
    let value = value.secret.secret_value;
    assert_eq!(
        ask(&rig, instance, "token").await,
        value.expose().as_bytes()
    );

    let of_instance = credential(&rig, &["revoke", instance, "token"]).await;
    assert_eq!(of_instance.code, Some(1));
    let hint = format!("rotorctl credential revoke {template} token");
    assert!(of_instance.stderr.contains(&hint), "{}", of_instance.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), with);
    let taken = credential(&rig, &["revoke", template, "token"]).await;
    let said = taken.well().unwrap();
    assert!(said.contains("systemctl reload rotord"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    let again = credential(&rig, &["revoke", template, "token"]).await;
    assert_eq!(again.code, Some(1), "{}", again.stdout);
    rig.daemon.reload().await.unwrap();
    assert!(ask(&rig, instance, "token").await.len() > MOST);
}
