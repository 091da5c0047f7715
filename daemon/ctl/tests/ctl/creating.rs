//! Creating rotations from flags and from files.

use serde_json::{Value, json};

use crate::fake::{CLIENT_ID, Fake, ID, OBJECT_ID, error, one, rotation, rotation_with};
use crate::program::{Ended, run, run_with};

const CREATE: &str = "/api/v2/secret-rotations/azure-client-secret";

fn documented() -> Value {
    json!({
        "name": "my-azure-rotation", "projectId": "p-1", "description": "my client secret rotation", "connectionId": ID,
        "environment": "dev", "secretPath": "/", "isAutoRotationEnabled": true, "rotationInterval": 30,
        "rotateAtUtc": {"hours": 0, "minutes": 0},
        "parameters": {"objectId": "o", "clientId": "c", "appName": "a"},
        "secretsMapping": {"clientId": "AZURE_CLIENT_ID", "clientSecret": "AZURE_CLIENT_SECRET"}
    })
}

/// Confirmed in advance.
fn create(fake: &Fake, more: &[&str]) -> Ended {
    by_flags(fake, &[more, &["--yes"]].concat())
}

fn by_flags(fake: &Fake, more: &[&str]) -> Ended {
    let target = [
        format!("objectId={OBJECT_ID}"),
        format!("clientId={CLIENT_ID}"),
    ];
    let flags = [
        "create",
        "--connection",
        "azure",
        "--name",
        "billing",
        "--env",
        "dev",
        "--param",
        &target[0],
        "--param",
        &target[1],
    ];
    run(fake, &[&flags[..], more].concat())
}

#[test]
fn what_is_given_by_flags_is_confirmed_like_a_deletion() {
    let fake = Fake::start();
    let ended = by_flags(&fake, &[]);
    assert!(
        ended.code == 64 && ended.err.contains("say --yes"),
        "{ended:?}"
    );
    assert!(fake.changes().is_empty());
}

#[test]
fn a_folder_that_is_missing_comes_with_the_command_that_makes_it() {
    let words = "Could not find folder with path \"/app\" in environment \"dev\" for project with ID \"p-1\"";
    let fake = Fake::start().on("POST", CREATE, 400, error(400, "BadRequest", words));
    let ended = create(&fake, &["--path", "/app"]);
    assert!(
        ended.code == 1 && ended.err.contains("rotorctl folder add /app --env dev"),
        "{}",
        ended.err
    );
}

#[test]
fn the_documented_request_is_sent_as_it_is() {
    let fake = Fake::start().on("POST", CREATE, 200, one(rotation()));
    let ended = run_with(&fake, &["create", "--from", "-"], &documented().to_string());
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(fake.changes()[0].body, documented());
}

#[test]
fn a_wrong_file_names_all_that_is_wrong_and_sends_nothing() {
    let fake = Fake::start();
    let mut body = documented();
    body["name"] = json!("Not A Slug");
    body["rotationInterval"] = json!(1.5);
    body["isAutoRotationEnable"] = json!(false);
    let file = fake.directory().join("body.json");
    std::fs::write(&file, body.to_string()).unwrap();
    let ended = run(&fake, &["create", "--from", file.to_str().unwrap()]);
    assert_eq!(ended.code, 64);
    assert!(
        ended.err.contains("\n  name: must be a slug")
            && ended
                .err
                .contains("\n  rotationInterval: must be a whole number")
            && ended.err.contains(
                "\n  isAutoRotationEnable: is not a field of this request: did you mean isAutoRotationEnabled?"
            ),
        "{}",
        ended.err
    );
    assert_eq!(run_with(&fake, &["create", "--from", "-"], "{").code, 64);
    assert!(fake.changes().is_empty());
}

#[test]
fn flags_take_the_callers_zone_and_the_suggested_names() {
    let fake = Fake::start().on("POST", CREATE, 200, one(rotation()));
    let ended = create(&fake, &["--rotate-at", "12:30"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let body = &fake.changes()[0].body;
    assert_eq!(body["timeZone"], "Europe/Berlin");
    assert_eq!(body["rotateAtLocal"], json!({"hours": 12, "minutes": 30}));
    assert!(
        body["rotateAtUtc"]["hours"] == 10 || body["rotateAtUtc"]["hours"] == 11,
        "{body}"
    );
    assert_eq!(body["secretsMapping"], documented()["secretsMapping"]);
    assert_eq!(
        (&body["rotationInterval"], &body["secretPath"]),
        (&json!(30), &json!("/"))
    );
}

#[test]
fn utc_is_utc_and_no_zone() {
    let fake = Fake::start().on("POST", CREATE, 200, one(rotation()));
    create(
        &fake,
        &[
            "--rotate-at",
            "02:30",
            "--utc",
            "--no-auto",
            "--overlap",
            "12h",
            "--map",
            "clientId=ID",
        ],
    );
    let body = &fake.changes()[0].body;
    assert_eq!(
        (&body["timeZone"], &body["rotateAtUtc"]),
        (&Value::Null, &json!({"hours": 2, "minutes": 30}))
    );
    assert_eq!(
        (&body["isAutoRotationEnabled"], &body["overlapHours"]),
        (&json!(false), &json!(12))
    );
    assert_eq!(
        body["secretsMapping"],
        json!({"clientId": "ID", "clientSecret": "AZURE_CLIENT_SECRET"})
    );
}

#[test]
fn a_target_is_found_by_name_or_id_and_has_to_be_one() {
    let clients = format!("/api/v1/app-connections/azure-client-secrets/{ID}/clients");
    let row = |name: &str, id: &str| json!({"name": name, "id": id, "appId": CLIENT_ID});
    let fake = Fake::start()
        .on(
            "GET",
            &clients,
            200,
            json!({"clients": [row("billing", OBJECT_ID), row("billing-test", ID)]}),
        )
        .on("POST", CREATE, 200, one(rotation()));
    let flags = [
        "create",
        "--connection",
        "azure",
        "--name",
        "billing",
        "--env",
        "dev",
        "--yes",
        "--target",
    ];
    let ended = run(&fake, &[&flags[..], &["billing"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(
        fake.changes()[0].body["parameters"],
        json!({"objectId": OBJECT_ID, "clientId": CLIENT_ID, "appName": "billing"})
    );
    let ended = run(&fake, &[&flags[..], &["bill"]].concat());
    assert!(
        ended.code == 64
            && ended.err.contains("2 are found")
            && ended.err.contains(&format!("billing-test  {ID}")),
        "{}",
        ended.err
    );
    // An id as a portal shows it that writes them in capitals.
    let capitals = ID.to_uppercase();
    let ended = run(&fake, &[&flags[..], &[&capitals]].concat());
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(fake.changes()[1].body["parameters"]["objectId"], ID);
    assert_eq!(fake.changes().len(), 2);
}

#[test]
fn a_part_of_a_name_is_not_taken_where_nobody_says_that_it_is_meant() {
    let clients = format!("/api/v1/app-connections/azure-client-secrets/{ID}/clients");
    let row = json!({"name": "billing-production", "id": OBJECT_ID, "appId": CLIENT_ID});
    let fake = Fake::start()
        .on("GET", &clients, 200, json!({"clients": [row]}))
        .on("POST", CREATE, 200, one(rotation()));
    let flags = [
        "create",
        "--connection",
        "azure",
        "--name",
        "billing",
        "--env",
        "dev",
        "--target",
        "billing",
        "--yes",
    ];
    for flags in [&flags[..], &flags[..flags.len() - 1]] {
        let ended = run(&fake, flags);
        assert_eq!(ended.code, 64, "{}", ended.err);
        assert!(
            ended
                .err
                .contains(&format!("billing-production  {OBJECT_ID}")),
            "{}",
            ended.err
        );
    }
    assert!(fake.changes().is_empty());
}

#[test]
fn what_is_missing_is_named_where_nobody_can_be_asked() {
    let ended = run(&Fake::start(), &["create", "--name", "billing"]);
    assert_eq!(ended.code, 64);
    for flag in ["--connection", "--env", "--target"] {
        assert!(ended.err.contains(flag), "{}", ended.err);
    }
}

#[test]
fn an_unknown_parameter_or_output_is_refused_before_anything_is_sent() {
    let fake = Fake::start();
    let ended = create(&fake, &["--param", "objectID=x", "--map", "secret=A"]);
    assert!(
        ended.code == 64
            && ended
                .err
                .contains("parameters.objectID: is not a field of this provider"),
        "{}",
        ended.err
    );
    let ended = create(&fake, &["--map", "secret=A"]);
    assert!(
        ended.code == 64 && ended.err.contains("secretsMapping.secret"),
        "{}",
        ended.err
    );
    assert!(fake.changes().is_empty());
}

#[test]
fn a_creation_that_goes_on_is_said_so_or_waited_for() {
    let run_state = json!({"id": "r", "step": "verify", "words": "trying the new secret out", "reason": "creation", "attempt": 1, "startedAt": "2026-03-01T10:00:00.000Z"});
    let pending = rotation_with(
        json!({"rotationStatus": "pending", "state": {"summary": "", "run": run_state}}),
    );
    let single = format!("{CREATE}/{ID}");
    let start = || {
        Fake::start()
            .on("POST", CREATE, 202, one(pending.clone()))
            .on("GET", &single, 200, one(pending.clone()))
    };
    let fake = start();
    let ended = create(&fake, &[]);
    assert!(
        ended.code == 0
            && ended
                .out
                .contains("not finished yet: trying the new secret out"),
        "{ended:?}"
    );
    let fake = start().on("GET", &single, 200, one(rotation()));
    let ended = create(&fake, &["--wait"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (
            0,
            format!(
                "billing: created\nwhat it rotates: appName billing, clientId {CLIENT_ID}, objectId {OBJECT_ID}\n"
            )
            .as_str()
        ),
        "{}",
        ended.err
    );
    let failed = rotation_with(
        json!({"rotationStatus": "failed", "lastRotationMessage": "the application is disabled"}),
    );
    let fake = start().on("GET", &single, 200, one(failed));
    let ended = create(&fake, &["--wait"]);
    assert!(
        ended.code == 1 && ended.out.contains("the application is disabled"),
        "{ended:?}"
    );
    let gone = error(
        404,
        "NotFound",
        "Could not find Azure Client Secret Rotation",
    );
    let fake = start().on("GET", &single, 404, gone);
    let ended = create(&fake, &["--wait"]);
    assert!(
        ended.code == 1 && ended.err.contains("billing was deleted meanwhile"),
        "{ended:?}"
    );
}

#[test]
fn the_daemons_refusal_of_fields_is_wrong_usage() {
    let issues = json!([{"code": "too_big", "path": ["rotationInterval"], "message": "must be at most 909"}]);
    let mut body = error(422, "ValidationFailure", "");
    body["message"] = issues;
    let fake = Fake::start().on("POST", CREATE, 422, body);
    let ended = create(&fake, &["--interval", "900"]);
    assert!(
        ended.code == 64 && ended.err.contains("rotationInterval: must be at most 909"),
        "{}",
        ended.err
    );
}

#[test]
fn an_interval_beyond_the_providers_is_wrong_usage_wherever_it_is_given() {
    let fake = Fake::start().on("POST", CREATE, 200, one(rotation()));
    let file = json!({
        "name": "billing", "projectId": "p-1", "connectionId": ID, "environment": "dev", "secretPath": "/",
        "isAutoRotationEnabled": true, "rotationInterval": 910, "rotateAtUtc": {"hours": 0, "minutes": 0},
        "parameters": {"objectId": OBJECT_ID, "clientId": CLIENT_ID},
        "secretsMapping": {"clientId": "A", "clientSecret": "B"}
    });
    for ended in [
        create(&fake, &["--interval", "910"]),
        run(&fake, &["edit", "billing", "--interval", "910"]),
        run_with(&fake, &["create", "--from", "-"], &file.to_string()),
    ] {
        assert_eq!(ended.code, 64, "{}", ended.err);
        assert!(
            ended.err.contains("rotationInterval: must be at most 909"),
            "{}",
            ended.err
        );
    }
    assert!(fake.changes().is_empty());
}
