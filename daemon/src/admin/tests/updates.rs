//! Changing a rotation.

use serde_json::{Value, json};

use super::house::{House, ROTATIONS, path_of};

#[actix_rt::test]
async fn what_is_given_changes_and_the_rest_stays() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let before = house.get(&path).await.rotation();
    let change = json!({
        "name": "renamed", "description": null, "rotationInterval": 7,
        "rotateAtUtc": {"hours": 3, "minutes": 15}, "overlapHours": 12,
        "secretsMapping": {"name": "ECHO_NAME", "value": "NEW_VALUE"},
        // As Terraform sends them with every update.
        "environment": "dev", "secretPath": "/", "connectionId": connection, "projectId": house.project,
        "Provider": "echo", "ID": before["id"], "isAutoRotationEnabled": null
    });
    let after = house.patch(&path, &change).await.rotation();
    assert_eq!(after["name"], "renamed");
    assert_eq!(after["description"], Value::Null);
    assert_eq!(after["rotationInterval"], 7);
    assert_eq!(after["rotateAtUtc"], json!({"hours": 3, "minutes": 15}));
    assert_eq!(after["overlapHours"], 12);
    assert_eq!(after["isAutoRotationEnabled"], true);
    assert_eq!(after["environment"]["slug"], "dev");
    assert_eq!(after["parameters"], before["parameters"]);
    assert!(after["nextRotationAt"].as_str() < before["nextRotationAt"].as_str());
    let secret = format!(
        "/api/v4/secrets/NEW_VALUE?projectId={}&environment=dev",
        house.project
    );
    house.get(&secret).await.is(200);
    assert_eq!(house.noted("update-secret-rotation").await, 1);
    let empty = house
        .patch(&path, &json!({"overlapHours": null}))
        .await
        .rotation();
    assert_eq!(empty.get("overlapHours"), None);
}

#[actix_rt::test]
async fn what_no_update_changes_is_refused_and_named() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let other = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
    for (field, value, says) in [
        ("connectionId", other, connection.as_str()),
        ("projectId", "other", house.project.as_str()),
        ("environment", "prod", "is dev: rotorctl move"),
        ("secretPath", "/app", "is /: rotorctl move"),
        ("zork", "1", "is not a field of this request"),
    ] {
        let answer = house
            .patch(&path, &json!({"name": "renamed", field: value}))
            .await;
        answer.is(422).says(says);
        assert_eq!(answer.body["message"][0]["path"], json!([field]));
    }
    assert_ne!(house.get(&path).await.rotation()["name"], "renamed");
}

#[actix_rt::test]
async fn parameters_as_they_were_change_nothing_and_the_target_stays_while_it_is_needed() {
    let (house, connection) = House::connected().await;
    let mut body = house.request(&connection);
    // Asked again, the provider would refuse.
    body["parameters"] = json!({"key": "k", "at": "check", "behaviour": "say:x"});
    let path = path_of(&house.post(ROTATIONS, &body).await);
    // A client that sends only some of them, with every change.
    let same = house
        .patch(&path, &json!({"parameters": {"key": "k"}, "name": "other"}))
        .await
        .rotation();
    assert_eq!(same["parameters"], body["parameters"]);
    let moved = house
        .patch(&path, &json!({"parameters": {"key": "another"}}))
        .await;
    moved.is(400).says("live credentials");
    house
        .patch(&path, &json!({"parameters": {"key": "k", "no": "x"}}))
        .await
        .is(422);
    let refused =
        json!({"parameters": {"key": "k", "behaviour": "fault:refused", "at": "inspect"}});
    house
        .patch(&path, &refused)
        .await
        .is(400)
        .says("as it was asked for");
    assert_eq!(
        house.get(&path).await.rotation()["parameters"],
        body["parameters"]
    );
}

#[actix_rt::test]
async fn names_of_others_and_long_intervals_are_refused_without_a_change() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let mut body = house.request(&connection);
    body["name"] = json!("second");
    body["secretsMapping"] = json!({"name": "A", "value": "B"});
    house.post(ROTATIONS, &body).await.is(200);
    house
        .patch(&path, &json!({"name": "second"}))
        .await
        .is(400)
        .says("second");
    let mapping =
        json!({"secretsMapping": {"name": "ECHO_NAME", "value": "B"}, "rotationInterval": 9});
    house.patch(&path, &mapping).await.is(400).says(": B");
    let equal = json!({"secretsMapping": {"name": "C", "value": "C"}});
    let twice = "\\\"C\\\" is mapped twice";
    house.patch(&path, &equal).await.is(400).says(twice);
    body["name"] = json!("third");
    body["secretsMapping"] = equal["secretsMapping"].clone();
    house.post(ROTATIONS, &body).await.is(400).says(twice);
    house
        .patch(&path, &json!({"rotationInterval": 366}))
        .await
        .is(400)
        .says("365");
    let rotation = house.get(&path).await.rotation();
    assert_eq!(rotation["name"], "my-rotation");
    assert_eq!(rotation["rotationInterval"], 30);
    assert_eq!(rotation["secretsMapping"]["value"], "ECHO_VALUE");
}

#[actix_rt::test]
async fn a_zone_stays_with_the_shown_time_and_goes_with_another() {
    let (house, connection) = House::connected().await;
    let mut body = house.request(&connection);
    body["timeZone"] = json!("Asia/Kolkata");
    body["rotateAtLocal"] = json!({"hours": 2, "minutes": 0});
    let made = house.post(ROTATIONS, &body).await;
    let path = path_of(&made);
    // No clock changes there: 5 h 30 min before it.
    let shown = json!({"hours": 20, "minutes": 30});
    assert_eq!(made.rotation()["rotateAtUtc"], shown);
    assert!(
        made.rotation()["nextRotationAt"]
            .as_str()
            .unwrap()
            .contains("T20:30:00")
    );
    let same = house
        .patch(&path, &json!({"rotateAtUtc": shown}))
        .await
        .rotation();
    assert_eq!(same["timeZone"], "Asia/Kolkata");
    assert_eq!(same["rotateAtLocal"], json!({"hours": 2, "minutes": 0}));
    let later = json!({"rotateAtLocal": {"hours": 4, "minutes": 0}});
    let later = house.patch(&path, &later).await.rotation();
    assert_eq!(later["rotateAtUtc"], json!({"hours": 22, "minutes": 30}));
    let other = json!({"rotateAtUtc": {"hours": 1, "minutes": 0}});
    let other = house.patch(&path, &other).await.rotation();
    assert_eq!(other.get("timeZone"), None);
    assert_eq!(other["rotateAtUtc"], json!({"hours": 1, "minutes": 0}));
    let alone = json!({"rotateAtLocal": {"hours": 4, "minutes": 0}});
    house
        .patch(&path, &alone)
        .await
        .is(422)
        .says("needs a timeZone");
}

#[actix_rt::test]
async fn what_the_provider_finds_at_the_target_refuses_or_is_told() {
    let (house, connection) = House::connected().await;
    let mut body = house.request(&connection);
    let told = "a finding as it was asked for (ask for another)";
    for severity in ["problem", "unheard-of"] {
        body["parameters"] = json!({"key": "k", "behaviour": format!("finding:{severity}")});
        house.post(ROTATIONS, &body).await.is(400).says(told);
    }
    assert_eq!(house.noted("create-secret-rotation").await, 0);

    body["parameters"] = json!({"key": "k", "behaviour": "finding:warning"});
    let made = house.post(ROTATIONS, &body).await;
    let warnings = |rotation: &Value| rotation["state"]["warnings"].to_string();
    assert!(warnings(&made.rotation()).contains(told));
    let path = path_of(&made);

    let change = |severity: &str| json!({"parameters": {"key": "k", "behaviour": format!("finding:{severity}")}});
    house
        .patch(&path, &change("problem"))
        .await
        .is(400)
        .says(told);
    let fine = house.patch(&path, &change("fine")).await.rotation();
    assert!(!warnings(&fine).contains(told));
    let warned = house.patch(&path, &change("warning")).await.rotation();
    assert!(warnings(&warned).contains(told));
}
