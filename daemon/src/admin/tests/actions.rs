//! Creating, rotating, and what else a person orders.

use std::time::Duration;

use rotord_api::routes;
use serde_json::{Value, json};

use super::house::{House, ROTATIONS, no_patience, path_of};
use crate::settings::Settings;

/// Refused by every login a run lasts, however slow what a test does meanwhile.
fn runs_last(settings: &mut Settings) {
    settings.timing.verify_cap = Duration::from_hours(30);
}

#[actix_rt::test]
async fn the_documented_request_is_answered_with_every_documented_field() {
    let (house, connection) = House::connected().await;
    let answer = house.post(ROTATIONS, &house.request(&connection)).await;
    answer.is(200);
    let documented = json!({
        "id": "", "name": "my-rotation", "description": "my client secret rotation",
        "secretsMapping": {"name": "ECHO_NAME", "value": "ECHO_VALUE"},
        "isAutoRotationEnabled": true, "activeIndex": 0, "folderId": "", "connectionId": "",
        "createdAt": "", "updatedAt": "", "rotationInterval": 30, "rotationStatus": "success",
        "lastRotationAttemptedAt": "", "lastRotatedAt": "", "lastRotationJobId": "",
        "nextRotationAt": "", "connection": {"app": "echo", "name": "echo", "id": ""},
        "environment": {"slug": "dev", "name": "Development", "id": ""}, "projectId": "",
        "folder": {"id": "", "path": "/"}, "rotateAtUtc": {"hours": 0, "minutes": 0},
        "lastRotationMessage": null, "type": "echo", "parameters": {"key": "k"}
    });
    has(&answer.rotation(), &documented, "secretRotation");
    let rotation = answer.rotation();
    assert_eq!(rotation["isLastRotationManual"], true);
    assert!(rotation["createdAt"].as_str().unwrap().ends_with('Z'));
    assert_eq!(house.noted("create-secret-rotation").await, 1);
}

/// Every field is there with the same type, and texts that are not empty here are the same.
fn has(found: &Value, documented: &Value, at: &str) {
    match documented {
        Value::Object(fields) => {
            for (name, value) in fields {
                let inner = found
                    .get(name)
                    .unwrap_or_else(|| panic!("{at}.{name} is missing"));
                has(inner, value, &format!("{at}.{name}"));
            }
        }
        Value::String(text) if text.is_empty() => {
            assert!(
                found.as_str().is_some_and(|text| !text.is_empty()),
                "{at}: {found}"
            );
        }
        _ => assert_eq!(found, documented, "{at}"),
    }
}

#[actix_rt::test]
async fn a_rotation_is_found_by_id_name_and_in_lists() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let rotation = house.get(&path).await.rotation();
    let id = rotation["id"].as_str().unwrap();
    let own = format!("/api/v1/rotord/rotations/{id}");
    assert_eq!(house.get(&own).await.rotation()["id"], id);
    let place = format!("projectId={}&environment=dev&secretPath=%2F", house.project);
    let by_name = format!("{ROTATIONS}/rotation-name/my-rotation?{place}");
    assert_eq!(house.get(&by_name).await.rotation()["id"], id);
    let none = format!("{ROTATIONS}/rotation-name/other?{place}");
    house.get(&none).await.is(404).says("name");
    for list in [ROTATIONS, routes::ROTATIONS] {
        let list = house
            .get(&format!("{list}?projectId={}", house.project))
            .await;
        assert_eq!(list.body["secretRotations"][0]["id"], id);
    }
}

#[actix_rt::test]
async fn a_failed_first_run_is_400_and_leaves_nothing_behind() {
    let (house, connection) = House::connected().await;
    let mut body = house.request(&connection);
    body["parameters"] = json!({"key": "k", "behaviour": "fault:refused", "at": "issue"});
    house
        .post(ROTATIONS, &body)
        .await
        .is(400)
        .says("as it was asked for");
    body["parameters"] = json!({"key": "k"});
    house.post(ROTATIONS, &body).await.is(200);
}

#[actix_rt::test]
async fn beyond_the_wait_a_creation_goes_on_and_its_failure_keeps_its_row() {
    let house = House::with(no_patience).await;
    let connection = house.connect("echo", json!({})).await;
    let accepted = house.post(ROTATIONS, &house.request(&connection)).await;
    accepted.is(202);
    assert_eq!(accepted.rotation()["rotationStatus"], "pending");
    let rotation = house.settled(&path_of(&accepted)).await;
    assert_eq!(rotation["rotationStatus"], "success");

    let mut body = house.request(&connection);
    body["name"] = json!("fails");
    body["secretsMapping"] = json!({"name": "A", "value": "B"});
    // Refused by every login until the run gives up.
    body["parameters"] = json!({"key": "k", "behaviour": "say:no", "at": "verify"});
    let accepted = house.post(ROTATIONS, &body).await;
    accepted.is(202);
    let rotation = house.settled(&path_of(&accepted)).await;
    assert_eq!(rotation["rotationStatus"], "failed");
    assert!(rotation["lastRotationMessage"].is_string());
    assert_eq!(rotation["state"]["attention"][0]["code"], "creation-failed");
}

#[actix_rt::test]
async fn rotating_publishes_anew_and_shows_both_credentials() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let credentials = format!("{path}/generated-credentials");
    let before = house.get(&credentials).await;
    before.is(200);
    assert_eq!(
        before.body["generatedCredentials"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(before.headers["cache-control"], "no-store");

    let rotated = house.order(&format!("{path}/rotate-secrets")).await;
    rotated.is(200);
    assert_eq!(rotated.rotation()["activeIndex"], 1);
    let after = house.get(&credentials).await;
    assert_eq!(after.body["activeIndex"], 1);
    assert_eq!(after.body["type"], "echo");
    let slots = after.body["generatedCredentials"].as_array().unwrap();
    assert_eq!(slots[0], before.body["generatedCredentials"][0]);
    for slot in slots {
        for field in ["name", "value", "keyId"] {
            assert!(
                slot[field].as_str().is_some_and(|text| !text.is_empty()),
                "{slot}"
            );
        }
    }
    assert_eq!(
        house
            .noted("get-secret-rotation-generated-credentials")
            .await,
        2
    );
    assert_eq!(house.noted("secret-rotation-rotate-secrets").await, 1);
}

#[actix_rt::test]
async fn a_failed_rotation_is_500_with_the_providers_words_and_keeps_what_was() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let parameters = json!({"key": "k", "behaviour": "fault:refused", "at": "issue"});
    house
        .patch(&path, &json!({"parameters": parameters}))
        .await
        .is(200);
    let failed = house.order(&format!("{path}/rotate-secrets")).await;
    failed.is(500).says("as it was asked for");
    assert_eq!(failed.body["error"], "InternalServerError");
    let rotation = house.get(&path).await.rotation();
    assert_eq!(rotation["rotationStatus"], "failed");
    assert_eq!(rotation["activeIndex"], 0);
}

#[actix_rt::test]
async fn a_second_rotation_while_one_is_under_way_is_400() {
    let house = House::with(|settings| {
        no_patience(settings);
        runs_last(settings);
    })
    .await;
    let connection = house.connect("echo", json!({})).await;
    let created = house.post(ROTATIONS, &house.request(&connection)).await;
    let path = path_of(&created);
    house.settled(&path).await;
    // Refused by every login: the run lasts.
    let parameters = json!({"key": "k", "behaviour": "say:no", "at": "verify"});
    house
        .patch(&path, &json!({"parameters": parameters}))
        .await
        .is(200);
    let rotate = format!("{path}/rotate-secrets");
    let first = house.order(&rotate).await;
    first.is(202);
    assert_eq!(first.rotation()["rotationStatus"], "pending");
    house
        .order(&rotate)
        .await
        .is(400)
        .says("already in progress");
}

#[actix_rt::test]
async fn checking_logs_in_with_what_is_published() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let check = format!("{path}/check-credentials");
    let works = house.order(&check).await;
    works.is(204);
    assert_eq!(works.body, Value::Null);
    let parameters = json!({"key": "k", "behaviour": "say:not here yet", "at": "verify"});
    house
        .patch(&path, &json!({"parameters": parameters}))
        .await
        .is(200);
    house.order(&check).await.is(400).says("not here yet");
    assert_eq!(house.noted("check-secret-rotation-credentials").await, 2);
}

#[actix_rt::test]
async fn pausing_takes_the_next_date_away_and_resuming_brings_it_back() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let id = house.get(&path).await.rotation()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = |what: &str| format!("/api/v1/rotord/rotations/{id}/{what}");
    let paused = house.order(&own("pause")).await.rotation();
    assert_eq!(paused["isAutoRotationEnabled"], false);
    assert_eq!(paused["nextRotationAt"], Value::Null);
    assert_eq!(paused["state"]["paused"], true);
    let resumed = house.order(&own("resume")).await.rotation();
    assert!(resumed["nextRotationAt"].is_string());
    house.order(&own("unblock")).await.is(200);
}

#[actix_rt::test]
async fn retiring_names_credentials_by_their_key_id() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let rotation = house.get(&path).await.rotation();
    let first = rotation["state"]["credentials"][0]["keyId"].clone();
    let retire = format!(
        "/api/v1/rotord/rotations/{}/retire",
        rotation["id"].as_str().unwrap()
    );
    house
        .post(&retire, &json!({"keyId": "none"}))
        .await
        .is(400)
        .says("none");
    house.order(&retire).await.is(400);
    house.order(&format!("{path}/rotate-secrets")).await.is(200);
    // As a portal shows it that writes ids in capitals.
    let capitals = first.as_str().unwrap().to_uppercase();
    assert_ne!(capitals, first.as_str().unwrap());
    let retired = house
        .post(&retire, &json!({"keyId": capitals, "now": true}))
        .await
        .rotation();
    let credentials = retired["state"]["credentials"].as_array().unwrap();
    let stage = |of: &Value| {
        credentials
            .iter()
            .find(|c| c["keyId"] == *of)
            .map(|c| c["stage"].clone())
    };
    assert_ne!(stage(&first), Some(json!("previous")), "{credentials:?}");
    assert_eq!(house.noted("retire-secret-rotation-credential").await, 1);
}

#[actix_rt::test]
async fn adopting_needs_what_the_provider_lists_and_every_secret_output() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let id = house.get(&path).await.rotation()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let adopt = format!("/api/v1/rotord/rotations/{id}/adopt");
    house
        .post(&adopt, &json!({"keyId": "handle"}))
        .await
        .is(400)
        .says("lists no credential");
    let lists = |label: &str| json!({"parameters": {"key": "k", "behaviour": format!("say:{label}"), "at": "survey"}});
    // One of the provider's lists "handle" under this label.
    let foreign = rotord_rotation::Label {
        installation: rotord_rotation::InstallationId(uuid::Uuid::from_u128(7)).into(),
        rotation: rotord_rotation::RotationId(uuid::Uuid::from_u128(8)).into(),
        sequence: 1,
        nonce: rotord_rotation::Nonce(9),
    };
    house
        .patch(&path, &lists(&foreign.to_string()))
        .await
        .is(200);
    house
        .post(&adopt, &json!({"keyId": "handle"}))
        .await
        .is(400)
        .says("another installation");

    house.patch(&path, &lists("made by hand")).await.is(200);
    let missing = json!({"keyId": "HANDLE", "outputs": {"name": "n"}});
    let missing = house.post(&adopt, &missing).await;
    missing.is(422);
    assert_eq!(
        missing.body["message"][0]["path"],
        json!(["outputs", "value"])
    );
    let whole = json!({"keyId": "HANDLE", "outputs": {"name": "n", "value": "by-hand"}});
    let adopted = house.post(&adopt, &whole).await;
    adopted.is(200);
    let credentials = house.get(&format!("{path}/generated-credentials")).await;
    let active = credentials.body["activeIndex"].as_u64().unwrap();
    let published = &credentials.body["generatedCredentials"][usize::try_from(active).unwrap()];
    assert_eq!(published["value"], "by-hand");
    assert_eq!(published["keyId"], "handle");
    house
        .post(&adopt, &json!({"keyId": "handle"}))
        .await
        .is(400)
        .says("already");

    let remove = format!("/api/v1/rotord/rotations/{id}/remove");
    house
        .post(&remove, &json!({"keyId": "other"}))
        .await
        .is(400)
        .says("other");
    let audit = format!("{:?}", house.audit().await);
    assert!(!audit.contains("by-hand"), "{audit}");
}

#[actix_rt::test]
async fn deleting_answers_with_what_was_and_keeps_secrets_unless_told() {
    let (house, connection) = House::connected().await;
    for (query, left) in [
        ("", 2),
        ("?deleteSecrets=true&revokeGeneratedCredentials=true", 0),
    ] {
        let mut body = house.request(&connection);
        if left == 0 {
            body["secretsMapping"] = json!({"name": "GONE_NAME", "value": "GONE_VALUE"});
        }
        let path = path_of(&house.post(ROTATIONS, &body).await);
        let was = house.delete(&format!("{path}{query}")).await.rotation();
        assert_eq!(was["rotationStatus"], "success");
        house.get(&path).await.is(404);
        house.delete(&path).await.is(404);
        let secrets = format!(
            "/api/v4/secrets?projectId={}&environment=dev",
            house.project
        );
        let secrets = house.get(&secrets).await.body["secrets"].clone();
        let prefix = if left == 0 { "GONE" } else { "ECHO" };
        let secrets = secrets.as_array().unwrap();
        let ours = secrets
            .iter()
            .filter(|s| s["secretKey"].as_str().unwrap().starts_with(prefix));
        let ours: Vec<_> = ours.collect();
        assert_eq!(ours.len(), left, "{secrets:?}");
        assert!(
            ours.iter().all(|secret| secret["isRotatedSecret"] == false),
            "{ours:?}"
        );
    }
}

#[actix_rt::test]
async fn who_waits_for_a_run_is_told_that_its_rotation_was_deleted_meanwhile() {
    let house = House::with(runs_last).await;
    let connection = house.connect("echo", json!({})).await;
    let path = house.rotation(&connection).await;
    // Refused by every login: the run lasts.
    let parameters = json!({"key": "k", "behaviour": "say:no", "at": "verify"});
    let lasting = json!({"parameters": parameters});
    house.patch(&path, &lasting).await.is(200);
    let rotate = format!("{path}/rotate-secrets");
    let deleted = async {
        house.under_way(&path).await;
        house.delete(&path).await.is(200);
    };
    let (told, ()) = futures_util::future::join(house.order(&rotate), deleted).await;
    told.is(400).says("deleted meanwhile");

    let mut body = house.request(&connection);
    body["name"] = json!("second");
    body["secretsMapping"] = json!({"name": "A", "value": "B"});
    body["parameters"] = lasting["parameters"].clone();
    let deleted = async {
        let list = format!("{ROTATIONS}?projectId={}", house.project);
        let id = loop {
            let listed = house.get(&list).await.body;
            if let Some(id) = listed["secretRotations"][0]["id"].as_str() {
                break id.to_owned();
            }
        };
        house.delete(&format!("{ROTATIONS}/{id}")).await.is(200);
    };
    let (told, ()) = futures_util::future::join(house.post(ROTATIONS, &body), deleted).await;
    told.is(400).says("deleted meanwhile");
}

#[actix_rt::test]
async fn who_waits_for_a_run_whose_step_can_not_be_written_is_sent_to_the_log() {
    let house = House::with(runs_last).await;
    let connection = house.connect("echo", json!({})).await;
    let path = house.rotation(&connection).await;
    let parameters = json!({"key": "k", "behaviour": "say:no", "at": "verify"});
    let lasting = json!({"parameters": parameters});
    house.patch(&path, &lasting).await.is(200);
    let broken = async {
        house.under_way(&path).await;
        house.admin.store.close().await;
    };
    let rotate = format!("{path}/rotate-secrets");
    let (told, ()) = futures_util::future::join(house.order(&rotate), broken).await;
    told.is(503).says("log says what it met");
}

#[actix_rt::test]
async fn a_rotation_moves_with_its_secrets() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let id = path.rsplit('/').next().unwrap();
    let relocate = format!("{ROTATIONS}/move/{id}");
    let nowhere = json!({"destinationEnvironment": "prod", "destinationSecretPath": "/none"});
    house.post(&relocate, &nowhere).await.is(400).says("/none");
    let prod = json!({"destinationEnvironment": "prod", "destinationSecretPath": "/"});
    let moved = house.post(&relocate, &prod).await.rotation();
    assert_eq!(moved["environment"]["slug"], "prod");
    let secret = format!(
        "/api/v4/secrets/ECHO_VALUE?projectId={}&environment=",
        house.project
    );
    house.get(&format!("{secret}prod")).await.is(200);
    house.get(&format!("{secret}dev")).await.is(404);
}
