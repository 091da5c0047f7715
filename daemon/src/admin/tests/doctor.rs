//! What would make rotations fail, asked over the socket.

use futures_util::FutureExt as _;
use rotord_api::doctor::{DoctorFinding, DoctorReport};
use rotord_api::issue::Severity;
use rotord_api::routes;
use rotord_api::status::DaemonStatus;
use rotord_rotation::Event;
use rotord_store::{ConnectionChange, ConnectionId, NewConnection, Reader, Secret, SecretMap};
use serde_json::json;

use super::house::{House, ROTATIONS, TOKEN};
use crate::actors::rotator::Tell;

async fn look(house: &House, query: &str) -> DoctorReport {
    let answer = house.get(&format!("{}{query}", routes::DOCTOR)).await;
    answer.is(200);
    assert!(!answer.body.to_string().contains(TOKEN), "{}", answer.body);
    serde_json::from_value(answer.body).unwrap()
}

fn about<'a>(report: &'a DoctorReport, about: &str) -> Vec<(&'a str, Severity)> {
    let of = |found: &&DoctorFinding| found.about == about;
    let found = report.findings.iter().filter(of);
    found
        .map(|found| (found.code.as_str(), found.severity))
        .collect()
}

/// A connection that was good when it was made: one that is not would have been refused.
async fn broken(house: &House, name: &str, behaviour: &str) -> ConnectionId {
    let mut secrets = SecretMap::new();
    secrets.insert("token", Secret::new(TOKEN));
    let fields = json!({"behaviour": behaviour, "at": "check"});
    let new = NewConnection {
        name: name.to_owned(),
        description: None,
        app: "echo".to_owned(),
        kind: "echo".to_owned(),
        method: "plain".to_owned(),
        project: None,
        fields: fields.as_object().unwrap().clone(),
        secrets,
    };
    let at = house.admin.clock.now().wall;
    let made = house
        .admin
        .store
        .write(move |store| store.create_connection(at, &new, &[]));
    made.await.unwrap().id
}

#[actix_rt::test]
async fn a_connection_and_a_rotation_that_work_are_fine_and_nothing_is_written_for_it() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    house.settled(&path).await;
    let commits = async || {
        let read = house.admin.store.read(Reader::installation);
        read.await.unwrap().generation
    };
    let before = (commits().await, house.audit().await.len());
    let report = look(&house, "").await;
    assert_eq!((commits().await, house.audit().await.len()), before);
    let login = about(&report, "connection echo");
    assert!(login.contains(&("login", Severity::Fine)), "{login:?}");
    let rotation = about(&report, "rotation my-rotation");
    for code in ["target", "lifetime", "target-room", "labels"] {
        assert!(
            rotation.contains(&(code, Severity::Fine)),
            "{code}: {rotation:?}"
        );
    }
    assert!(
        about(&report, "provider echo").contains(&("provider-loaded", Severity::Fine)),
        "{report:#?}"
    );
}

#[actix_rt::test]
async fn what_a_service_refuses_is_a_problem_of_that_connection_alone() {
    let (house, _) = House::connected().await;
    let refused = broken(&house, "refused", "fault:unauthorized").await;
    let report = look(&house, "").await;
    assert_eq!(
        about(&report, "connection refused"),
        [("unauthorized", Severity::Problem)]
    );
    let named = report
        .findings
        .iter()
        .find(|found| found.code == "unauthorized");
    let remedy = named.unwrap().remedy.as_deref().unwrap();
    assert!(
        remedy.contains("rotorctl connection check refused"),
        "{remedy}"
    );
    assert!(about(&report, "connection echo").contains(&("login", Severity::Fine)));
    // Singled out, nothing else is looked at.
    let report = look(&house, &format!("?connectionId={refused}")).await;
    assert_eq!(report.findings.len(), 1, "{report:#?}");
    assert_eq!(report.worst, Severity::Problem);
}

#[actix_rt::test]
async fn what_a_service_refuses_to_a_connection_and_its_rotation_is_told_once() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    house.settled(&path).await;
    // As if its credential had been revoked since: a login would have refused the change.
    let mut secrets = SecretMap::new();
    secrets.insert("token", Secret::new(TOKEN));
    let change = ConnectionChange {
        fields: Some(
            json!({"behaviour": "fault:unauthorized"})
                .as_object()
                .unwrap()
                .clone(),
        ),
        secrets: Some(secrets),
        ..ConnectionChange::default()
    };
    let at = house.admin.clock.now().wall;
    let id = ConnectionId(connection.parse().unwrap());
    let write = house
        .admin
        .store
        .write(move |store| store.change_connection(at, id, &change, &[]));
    write.await.unwrap();
    let report = look(&house, "").await;
    let told: Vec<_> = report
        .findings
        .iter()
        .filter(|found| found.code == "unauthorized")
        .map(|found| found.about.as_str())
        .collect();
    assert_eq!(told, ["connection echo"], "{report:#?}");
}

#[actix_rt::test]
async fn a_target_that_two_rotations_have_is_told_at_once_and_by_doctor() {
    let (house, connection) = House::connected().await;
    house.rotation(&connection).await;
    let mut other = house.request(&connection);
    other["name"] = json!("other");
    other["secretsMapping"] = json!({"name": "OTHER_NAME", "value": "OTHER_VALUE"});
    let rotation = house.post(ROTATIONS, &other).await.rotation();
    let warnings = rotation["state"]["warnings"].to_string();
    assert!(
        warnings.contains("rotated by my-rotation too"),
        "{warnings}"
    );
    let report = look(&house, "").await;
    for (name, partner) in [("my-rotation", "other"), ("other", "my-rotation")] {
        let found = report.findings.iter();
        let told: Vec<_> = found
            .filter(|found| found.about == format!("rotation {name}"))
            .filter(|found| found.code == "target-shared")
            .collect();
        assert_eq!(told.len(), 1, "{report:#?}");
        assert_eq!(told[0].severity, Severity::Warning);
        assert!(told[0].message.contains(partner), "{told:?}");
    }
    other["name"] = json!("third");
    other["parameters"] = json!({"key": "elsewhere"});
    other["secretsMapping"] = json!({"name": "THIRD_NAME", "value": "THIRD_VALUE"});
    let rotation = house.post(ROTATIONS, &other).await.rotation();
    let warnings = rotation["state"]["warnings"].to_string();
    assert!(!warnings.contains("rotated by"), "{warnings}");
}

/// In status and in doctor, whose exit codes are to agree.
#[actix_rt::test]
async fn a_file_that_is_no_provider_is_as_bad_as_somebody_needs_it() {
    let house = House::open().await;
    let directory = house.admin.providers.host().directories().remove(0);
    let severity = async || {
        house.admin.providers.load().await.unwrap();
        let report = look(&house, "").await;
        let findings = report.findings.iter();
        let seen: Vec<_> = findings
            .filter(|found| found.code == "provider-not-loaded")
            .map(|found| found.severity)
            .collect();
        let answer = house.get(routes::STATUS).await;
        let status: DaemonStatus = serde_json::from_value(answer.body).unwrap();
        let of_status: Vec<_> = status
            .providers
            .iter()
            .filter_map(|provider| provider.severity)
            .collect();
        assert_eq!(seen, of_status);
        let is_bad = seen.contains(&Severity::Problem);
        assert_eq!(status.needs_attention(), is_bad, "{status:#?}");
        seen
    };
    assert_eq!(severity().await, []);
    // Another file serves, and nobody needs what it serves.
    std::fs::copy(directory.join("echo.wasm"), directory.join("other.wasm")).unwrap();
    assert_eq!(severity().await, [Severity::Warning]);
    house.connect("echo", json!({"token": TOKEN})).await;
    assert_eq!(severity().await, [Severity::Problem]);
    // Whose it would be nobody knows.
    std::fs::write(directory.join("other.wasm"), "no component").unwrap();
    assert_eq!(severity().await, [Severity::Problem]);
}

#[actix_rt::test]
async fn a_file_that_is_not_what_was_loaded_from_it_is_told_before_the_next_start() {
    let house = House::open().await;
    let file = house
        .admin
        .providers
        .host()
        .directories()
        .remove(0)
        .join("echo.wasm");
    let severity = async || {
        let report = look(&house, "").await;
        let mut findings = report.findings.into_iter();
        let found = findings.find(|found| found.code == "provider-file-changed");
        found.map(|found| found.severity)
    };
    assert_eq!(severity().await, None);
    let loaded = std::fs::read(&file).unwrap();
    std::fs::write(&file, "another").unwrap();
    assert_eq!(severity().await, Some(Severity::Warning));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(severity().await, Some(Severity::Problem));
    std::fs::write(&file, loaded).unwrap();
    assert_eq!(severity().await, None);
}

#[actix_rt::test]
async fn what_nobody_has_to_be_called_for_is_in_the_status_all_the_same() {
    let (house, _, id) = House::unhurried().await;
    let told = async || {
        let answer = house.get(routes::STATUS).await;
        let status: DaemonStatus = serde_json::from_value(answer.body).unwrap();
        assert!(!status.needs_attention(), "{status:#?}");
        let findings = status.findings.into_iter();
        findings.map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(told().await, [""; 0]);
    // No other login can lift it meanwhile.
    let echo = house.admin.providers.host().provider("echo").unwrap();
    let mut room = Vec::new();
    while let Some(turn) = echo.turn().now_or_never() {
        room.push(turn);
    }
    let why = "no such key".to_owned();
    let refused = Tell::new(id, Event::LoginRefused { why });
    house.admin.rotator.send(refused).await.unwrap().unwrap();
    assert_eq!(told().await, ["login-refused"]);

    // Somebody has to be called where the next start would have nothing.
    let database = house.admin.settings.now().state.directory.join("rotord.db");
    std::fs::rename(&database, database.with_extension("away")).unwrap();
    let answer = house.get(routes::STATUS).await;
    let status: DaemonStatus = serde_json::from_value(answer.body).unwrap();
    assert!(status.needs_attention());
    let codes = status.findings.iter().map(|finding| finding.code.as_str());
    assert_eq!(codes.collect::<Vec<_>>(), ["file-missing", "login-refused"]);
}

#[actix_rt::test]
async fn a_provider_that_breaks_is_found_by_how_it_breaks() {
    let house = House::open().await;
    for (name, behaviour, code) in [
        ("traps", "trap", "provider-trapped"),
        ("waits", "fault:throttled", "throttled"),
        ("grows", "hog-memory", "provider-too-large"),
    ] {
        broken(&house, name, behaviour).await;
        let report = look(&house, "").await;
        let found = about(&report, &format!("connection {name}"));
        assert_eq!(found[0].0, code, "{found:?}");
    }
    let report = look(&house, "").await;
    let health = about(&report, "provider echo");
    assert!(
        health
            .iter()
            .any(|(code, _)| *code == "provider-misbehaves"),
        "{health:?}"
    );
}

#[actix_rt::test]
async fn what_is_not_there_can_not_be_singled_out() {
    let house = House::open().await;
    let nobody = uuid::Uuid::nil();
    for query in [
        format!("?connectionId={nobody}"),
        format!("?rotationId={nobody}"),
    ] {
        house
            .get(&format!("{}{query}", routes::DOCTOR))
            .await
            .is(404);
    }
    house
        .get(&format!("{}?rotationId=x", routes::DOCTOR))
        .await
        .is(422);
}

#[actix_rt::test]
async fn an_overlap_that_is_cut_short_is_a_warning_wherever_it_is_told() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let long = json!({"overlapHours": 24 * 900});
    let rotation = house.patch(&path, &long).await.rotation();
    let warnings = rotation["state"]["warnings"].as_array().unwrap();
    assert_eq!(rotation["state"]["summary"], warnings[0]);
    assert!(warnings[0].as_str().unwrap().contains("overlap"));
    let report = look(&house, "").await;
    let found = report.findings.iter();
    let found: Vec<_> = found.filter(|found| found.code == "overlap-cut").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Warning);
}
