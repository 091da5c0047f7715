//! Dialogues, with somebody who answers as was written down.

use rotord_api::rotation::SecretRotationAnswer;
use serde_json::{Value, json};

use super::Dialogue;
use crate::commands::create::Create;
use crate::error::CtlError;
use crate::fake::{CLIENT_ID, Fake, ID, OBJECT_ID, error, one, project, rotation, secret};
use crate::prompt::tests::Scripted;
use crate::session::tests::{session, wait};

const CREATE: &str = "/api/v2/secret-rotations/azure-client-secret";

fn daemon() -> Fake {
    let clients = format!("/api/v1/app-connections/azure-client-secrets/{ID}/clients");
    let row = |name: &str, id: &str| json!({"name": name, "id": id, "appId": CLIENT_ID});
    Fake::start()
        .on("GET", &clients, 200, json!({"clients": []}))
        .on(
            "GET",
            &clients,
            200,
            json!({"clients": [row("other", ID), row("payroll", OBJECT_ID)]}),
        )
        .on(
            "GET",
            "/api/v4/secrets",
            200,
            json!({"secrets": [], "imports": []}),
        )
}

fn talk(
    daemon: &Fake,
    given: &Create,
    answers: &[(&'static str, &'static str)],
) -> (Result<(), CtlError>, String) {
    let (mut session, page) = session(daemon, Scripted::new(answers));
    let reply = wait(Dialogue::new(&mut session, given).created());
    let created = reply.and_then(|reply| reply.parse::<SecretRotationAnswer>());
    (created.map(drop), page.text())
}

/// Everything but what is to be asked for.
fn almost() -> Create {
    Create {
        connection: Some("azure".to_owned()),
        interval: Some(30),
        no_auto: true,
        param: vec![
            ("objectId".to_owned(), OBJECT_ID.to_owned()),
            ("clientId".to_owned(), CLIENT_ID.to_owned()),
        ],
        description: Some(String::new()),
        ..Create::default()
    }
}

fn bodies(daemon: &Fake) -> Vec<Value> {
    let changes = daemon.changes().into_iter();
    changes.map(|asked| asked.body).collect()
}

#[test]
fn a_person_is_walked_through_every_step() {
    let daemon = daemon().on("POST", CREATE, 200, one(rotation()));
    let (created, shown) = talk(
        &daemon,
        &Create::default(),
        &[
            ("Connection", "azure"),
            ("interval", "910"),
            ("interval", "60"),
            ("Rotate at, in Europe/Berlin", "25:00"),
            ("Rotate at, in Europe/Berlin", "02:30"),
            ("by itself", ""),
            ("part of a name", "nothing"),
            ("Application", "search again"),
            ("part of a name", ""),
            ("Application", "payroll"),
            ("Environment", "prod"),
            ("Folder", "/"),
            ("Client ID", ""),
            ("Client Secret", "AZURE_CLIENT_ID"),
            ("Client Secret", "PAYROLL_SECRET"),
            ("Name of the rotation", "Not A Slug"),
            ("Name of the rotation", "payroll"),
            ("Description", ""),
            ("Create this", "yes"),
        ],
    );
    created.unwrap();
    let expected = json!({
        "name": "payroll", "projectId": "p-1", "connectionId": ID, "environment": "prod", "secretPath": "/",
        "isAutoRotationEnabled": true, "rotationInterval": 60, "rotateAtUtc": {"hours": 1, "minutes": 30},
        "timeZone": "Europe/Berlin", "rotateAtLocal": {"hours": 2, "minutes": 30},
        "parameters": {"objectId": OBJECT_ID, "clientId": CLIENT_ID, "appName": "payroll"},
        "secretsMapping": {"clientId": "AZURE_CLIENT_ID", "clientSecret": "PAYROLL_SECRET"}
    });
    assert_eq!(bodies(&daemon), [expected]);
    assert!(
        shown.contains("02:30 Europe/Berlin (01:30 UTC)") && shown.contains("→ PAYROLL_SECRET"),
        "{shown}"
    );
}

#[test]
fn only_what_flags_leave_open_is_asked_and_no_means_nothing_was_done() {
    let daemon = daemon();
    let given = Create {
        param: vec![("objectId".to_owned(), OBJECT_ID.to_owned())],
        name: Some("payroll".to_owned()),
        ..almost()
    };
    let (created, _) = talk(
        &daemon,
        &given,
        &[
            ("Rotate at", ""),
            ("Client id", CLIENT_ID),
            ("Environment", "dev"),
            ("Folder", ""),
            ("Client ID", ""),
            ("Client Secret", ""),
            ("Create this", "no"),
        ],
    );
    assert_eq!(created.unwrap_err().to_string(), "nothing was done");
    assert!(daemon.changes().is_empty());
}

#[test]
fn names_that_are_taken_where_the_secrets_go_are_refused_as_they_are_typed() {
    let there = json!({"secrets": [secret("AZURE_CLIENT_ID")], "imports": []});
    let daemon = daemon().instead("GET", "/api/v4/secrets", 200, there).on(
        "POST",
        CREATE,
        200,
        one(rotation()),
    );
    let mut given = almost();
    let name = ("appName".to_owned(), "pay-roll".to_owned());
    given.param.push(name);
    let (created, _) = talk(
        &daemon,
        &given,
        &[
            ("Rotate at", ""),
            ("Environment", "dev"),
            ("Folder", ""),
            ("Client ID (AZURE_CLIENT_ID is taken)", "AZURE_CLIENT_ID"),
            // What is offered in its place.
            ("Client ID (AZURE_CLIENT_ID is taken)", ""),
            ("for: Client Secret", ""),
            // There is a rotation of this name in this folder.
            ("Name of the rotation", "billing"),
            ("Name of the rotation", "payroll"),
            ("Create this", ""),
        ],
    );
    created.unwrap();
    assert_eq!(
        bodies(&daemon)[0]["secretsMapping"],
        json!({"clientId": "PAY_ROLL_CLIENT_ID", "clientSecret": "AZURE_CLIENT_SECRET"})
    );
}

#[test]
fn what_the_daemon_refuses_is_asked_again_and_nothing_else() {
    let taken = error(
        400,
        "BadRequest",
        "The following secrets already exist at the path \"/\" in environment \"dev\": AZURE_CLIENT_SECRET (fed by no rotation)",
    );
    let named = error(
        400,
        "BadRequest",
        "A Secret Rotation with the name \"payroll\" already exists at the secret path \"/\"",
    );
    let mut wrong = error(422, "ValidationFailure", "");
    wrong["message"] = json!([
        {"code": "custom", "path": ["parameters", "objectId"], "message": "is no application"}
    ]);
    let daemon = daemon()
        .on("POST", CREATE, 400, taken)
        .on("POST", CREATE, 400, named)
        .on("POST", CREATE, 422, wrong)
        .on("POST", CREATE, 200, one(rotation()));
    let (created, _) = talk(
        &daemon,
        &almost(),
        &[
            ("Rotate at", ""),
            ("Environment", "dev"),
            ("Folder", ""),
            ("Client ID", ""),
            ("Client Secret", ""),
            ("Name of the rotation", "payroll"),
            ("Create this", ""),
            ("Client Secret", "AZURE_CLIENT_SECRET"),
            ("Client Secret", "PAYROLL_SECRET"),
            ("Name of the rotation", "payroll-too"),
            ("Object id", ID),
        ],
    );
    created.unwrap();
    let sent = bodies(&daemon);
    assert_eq!(sent.len(), 4);
    assert_eq!(sent[3]["name"], "payroll-too");
    assert_eq!(sent[3]["parameters"]["objectId"], ID);
    assert_eq!(
        sent[3]["secretsMapping"],
        json!({"clientId": "AZURE_CLIENT_ID", "clientSecret": "PAYROLL_SECRET"})
    );
}

#[test]
fn a_wrong_flag_is_asked_for_too() {
    let daemon = daemon().on("POST", CREATE, 200, one(rotation()));
    let given = Create {
        name: Some("Not A Slug".to_owned()),
        ..almost()
    };
    let (created, _) = talk(
        &daemon,
        &given,
        &[
            ("Rotate at", ""),
            ("Environment", "dev"),
            ("Folder", ""),
            ("Client ID", ""),
            ("Client Secret", ""),
            ("Name of the rotation", "payroll"),
            ("Create this", ""),
        ],
    );
    created.unwrap();
    assert_eq!(bodies(&daemon)[0]["name"], "payroll");
}

#[test]
fn a_folder_that_is_not_there_is_made_if_that_is_wanted() {
    let made = json!({"folder": {"id": ID, "name": "app", "path": "/app"}});
    let daemon = daemon()
        .instead(
            "GET",
            "/api/v1/projects",
            200,
            json!({"projects": [project()]}),
        )
        .on("POST", "/api/v1/folders", 200, made)
        .on("POST", CREATE, 200, one(rotation()));
    let (created, _) = talk(
        &daemon,
        &almost(),
        &[
            ("Rotate at", ""),
            ("Environment", "dev"),
            ("Folder", "/typo"),
            ("There is no folder /typo in dev: make it?", "no"),
            ("Folder", "/app/"),
            ("There is no folder /app in dev: make it?", "yes"),
            ("Client ID", ""),
            ("Client Secret", ""),
            ("Name of the rotation", "payroll"),
            ("Create this", ""),
        ],
    );
    created.unwrap();
    let sent = bodies(&daemon);
    assert_eq!(
        sent[0],
        json!({"projectId": "p-1", "environment": "dev", "name": "app", "path": "/"})
    );
    assert_eq!(sent[1]["secretPath"], "/app");
}

#[test]
fn whoever_says_everything_is_asked_once_whether_it_is_right() {
    for (answer, is_created) in [("yes", true), ("no", false)] {
        let daemon = daemon().on("POST", CREATE, 200, one(rotation()));
        let mut given = almost();
        given.name = Some("payroll".to_owned());
        given.place.env = Some("dev".to_owned());
        let (created, shown) = talk(&daemon, &given, &[("Create this rotation?", answer)]);
        assert_eq!(created.is_ok(), is_created);
        assert!(shown.contains("payroll"), "{shown}");
        assert_eq!(daemon.changes().len(), usize::from(is_created));
    }
}
