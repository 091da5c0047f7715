//! Reading secrets.

use serde_json::{Value, json};

use crate::fake::{Fake, ID};
use crate::program::run;

fn secret(value: &str) -> Value {
    let at = "2026-03-01T10:00:00.000Z";
    json!({
        "id": ID, "_id": ID, "workspace": "p-1", "environment": "dev", "version": 3, "type": "shared",
        "secretKey": "AZURE_CLIENT_SECRET", "secretValue": value, "secretComment": "", "secretPath": "/",
        "secretValueHidden": value.is_empty(), "createdAt": at, "updatedAt": at, "tags": [], "secretMetadata": [],
        "skipMultilineEncoding": null, "isRotatedSecret": true, "rotationId": ID, "secretReminderNote": null,
        "secretReminderRepeatDays": null
    })
}

#[test]
fn a_value_is_printed_as_it_is() {
    let fake = Fake::start().on(
        "GET",
        "/api/v4/secrets/AZURE_CLIENT_SECRET",
        200,
        json!({"secret": secret("hunter2")}),
    );
    let ended = run(
        &fake,
        &[
            "secret",
            "get",
            "AZURE_CLIENT_SECRET",
            "--env",
            "dev",
            "--version",
            "3",
        ],
    );
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "hunter2"),
        "{}",
        ended.err
    );
    assert_eq!(
        fake.asked().last().unwrap().query,
        "environment=dev&projectId=p-1&secretPath=%2F&version=3"
    );
}

#[test]
fn a_list_asks_for_no_values() {
    let fake = Fake::start().on(
        "GET",
        "/api/v4/secrets",
        200,
        json!({"secrets": [secret("")], "imports": []}),
    );
    let ended = run(&fake, &["secret", "list", "--env", "dev", "--path", "/"]);
    assert_eq!(
        ended.out, "AZURE_CLIENT_SECRET\t/\t3\tyes\t2026-03-01T10:00:00.000Z\n",
        "{}",
        ended.err
    );
    assert!(
        fake.asked()
            .last()
            .unwrap()
            .query
            .contains("viewSecretValue=false")
    );
}

#[test]
fn the_environment_has_to_be_said_where_there_are_several() {
    let fake = Fake::start();
    let ended = run(&fake, &["secret", "list"]);
    assert!(
        ended.code == 64 && ended.err.contains("there is dev, prod"),
        "{}",
        ended.err
    );
    let ended = run(&fake, &["secret", "list", "--env", "moon"]);
    assert!(
        ended.code == 1 && ended.err.contains("no environment \"moon\""),
        "{}",
        ended.err
    );
    assert_eq!(
        run(&fake, &["secret", "list", "--project", "other"]).code,
        1
    );
}
