//! Connections, providers and choices.

use serde_json::json;

use crate::fake::{CLIENT_ID, Fake, ID, OBJECT_ID, connection, error};
use crate::program::{run, run_with};

const KIND: &str = "/api/v1/app-connections/azure-client-secrets";
const ADD: [&str; 7] = [
    "connection",
    "add",
    "new",
    "--set",
    "tenantId=3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "--set",
    "clientId=3c90c3cc-0d44-4b50-8888-8dd25736052a",
];

fn single() -> String {
    format!("{KIND}/{ID}")
}

#[test]
fn the_secret_of_a_connection_comes_from_standard_input() {
    let fake = Fake::start().on("POST", KIND, 200, json!({"appConnection": connection()}));
    let ended = run_with(
        &fake,
        &[&ADD[..], &["--file", "clientSecret=-"]].concat(),
        "hunter2\n",
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(
        fake.changes()[0].body,
        json!({"name": "new", "method": "client-secret", "credentials": {"tenantId": ID, "clientId": ID, "clientSecret": "hunter2"}})
    );
    assert!(!ended.out.contains("hunter2") && !ended.err.contains("hunter2"));
}

#[test]
fn a_secret_as_an_argument_is_refused_before_anything_is_sent() {
    let fake = Fake::start();
    let ended = run(
        &fake,
        &[&ADD[..], &["--set", "clientSecret=hunter2"]].concat(),
    );
    assert_eq!(ended.code, 64);
    assert!(
        ended.err.contains("--file clientSecret=-") && !ended.err.contains("hunter2"),
        "{}",
        ended.err
    );
    assert!(fake.changes().is_empty());
}

#[test]
fn what_is_missing_is_named_where_nobody_can_be_asked() {
    let fake = Fake::start();
    let ended = run(&fake, &ADD);
    assert_eq!(ended.code, 64);
    assert!(
        ended.err.contains("--file clientSecret=FILE"),
        "{}",
        ended.err
    );
}

#[test]
fn wrong_fields_are_named_all_at_once_before_anything_is_sent() {
    let fake = Fake::start();
    let ended = run_with(
        &fake,
        &[
            "connection",
            "add",
            "new",
            "--set",
            "tenantId=x",
            "--set",
            "clientId=y",
            "--file",
            "clientSecret=-",
        ],
        "s",
    );
    assert_eq!(ended.code, 64);
    assert!(
        ended.err.contains("credentials.tenantId: must be a UUID")
            && ended.err.contains("credentials.clientId"),
        "{}",
        ended.err
    );
    let ended = run_with(
        &fake,
        &["connection", "add", "No Slug", "--set", "tenantId=x"],
        "",
    );
    assert!(
        ended.code == 64 && ended.err.contains("slug"),
        "{}",
        ended.err
    );
    assert!(fake.changes().is_empty());
}

#[test]
fn lists_are_tab_separated_and_json_is_the_apis() {
    let fake = Fake::start();
    assert_eq!(
        run(&fake, &["connection", "list"]).out,
        format!("azure\tazure-client-secrets\tclient-secret\t0\t{ID}\n")
    );
    assert_eq!(
        run(&fake, &["connection", "list", "--json"]).json(),
        json!({"appConnections": [connection()]})
    );
    assert!(
        run(&fake, &["provider", "list"])
            .out
            .starts_with("azure-client-secret\tAzure Client Secret\t0.1.0\t")
    );
}

#[test]
fn a_check_fails_where_rotation_could_not_work() {
    let check = format!("/api/v1/rotord/connections/{ID}/check");
    let finding = |severity: &str| {
        json!({"subject": "rotord-prod", "findings": [
            {"code": "missing-role", "severity": severity, "message": "may not rotate", "remedy": "az ad app permission add …"}
        ]})
    };
    let remedy = "az ad app permission add …";
    for (severity, code, help) in [
        ("fine", 0, ""),
        ("warning", 0, remedy),
        ("problem", 4, remedy),
    ] {
        let fake = Fake::start().on("GET", &check, 200, finding(severity));
        let ended = run(&fake, &["connection", "check", "azure"]);
        assert_eq!(ended.code, code, "{severity}: {}", ended.err);
        assert!(
            ended.out.contains(&format!(
                "{severity}\tmissing-role\tmay not rotate\t{help}\n"
            )),
            "{}",
            ended.out
        );
    }
}

#[test]
fn an_unknown_connection_names_those_that_are_there() {
    let ended = run(&Fake::start(), &["connection", "show", "gone"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("no connection \"gone\"") && ended.err.contains("there is azure"),
        "{}",
        ended.err
    );
}

#[test]
fn showing_and_editing_and_deleting_reach_the_right_route() {
    let answer = json!({"appConnection": connection()});
    let fake = Fake::start()
        .on("GET", &single(), 200, answer.clone())
        .on("PATCH", &single(), 200, answer.clone())
        .on("DELETE", &single(), 200, answer);
    assert!(
        run(&fake, &["connection", "show", "azure"])
            .out
            .contains("tenantId\tt-1\n")
    );
    assert_eq!(
        run(&fake, &["connection", "edit", "azure", "--description", ""]).code,
        0
    );
    assert_eq!(fake.changes()[0].body, json!({"description": null}));
    assert_eq!(run(&fake, &["connection", "edit", "azure"]).code, 64);
    let unconfirmed = run(&fake, &["connection", "delete", "azure"]);
    assert!(
        unconfirmed.code == 64 && unconfirmed.err.contains("--yes"),
        "{}",
        unconfirmed.err
    );
    assert_eq!(run(&fake, &["connection", "delete", ID, "--yes"]).code, 0);
    assert_eq!(fake.changes().len(), 2);
}

#[test]
fn new_credentials_are_given_whole() {
    let fake = Fake::start().on(
        "PATCH",
        &single(),
        200,
        json!({"appConnection": connection()}),
    );
    let ended = run(
        &fake,
        &[
            "connection",
            "edit",
            "azure",
            "--set",
            &format!("tenantId={ID}"),
        ],
    );
    assert_eq!(
        ended.code, 64,
        "a stored secret must not go to a tenant that is named now"
    );
    assert!(
        ended.err.contains("--file clientSecret=FILE"),
        "{}",
        ended.err
    );
    assert!(fake.changes().is_empty());
}

#[test]
fn a_new_secret_alone_leaves_the_rest_as_it_is() {
    let mut there = connection();
    there["credentials"] = json!({"tenantId": ID, "clientId": ID});
    let answer = json!({"appConnection": there.clone()});
    let fake = Fake::start()
        .instead(
            "GET",
            "/api/v1/app-connections",
            200,
            json!({"appConnections": [there]}),
        )
        .on("PATCH", &single(), 200, answer);
    let edit = ["connection", "edit", "azure", "--file", "clientSecret=-"];
    let ended = run_with(&fake, &edit, "hunter2\n");
    assert_eq!(ended.code, 0, "{}", ended.err);
    let sent = &fake.changes()[0].body;
    assert_eq!(sent["credentials"]["clientSecret"], "hunter2");
    assert_eq!(sent["credentials"]["tenantId"], ID);
    assert_eq!(sent["credentials"]["clientId"], ID);
    assert!(!ended.out.contains("hunter2") && !ended.err.contains("hunter2"));
    let ended = run(&fake, &["connection", "edit", "azure", "--method", "none"]);
    assert!(
        ended.code == 64 && ended.err.contains("there is no method none"),
        "{}",
        ended.err
    );
}

#[test]
fn a_connection_in_use_stays_with_the_daemons_reason() {
    let fake = Fake::start().on(
        "DELETE",
        &single(),
        400,
        error(400, "BadRequest", "Cannot delete: in use by billing"),
    );
    let ended = run(&fake, &["connection", "delete", "azure", "--yes"]);
    assert!(
        ended.code == 1 && ended.err.contains("in use by billing"),
        "{}",
        ended.err
    );
}

#[test]
fn choices_gather_every_page_in_the_lists_own_order() {
    let clients = format!("{}/clients", single());
    let row = |name: &str| json!({"name": name, "id": OBJECT_ID, "appId": CLIENT_ID});
    let fake = Fake::start()
        .on(
            "GET",
            &clients,
            200,
            json!({"clients": [row("one")], "next": "page 2"}),
        )
        .on("GET", &clients, 200, json!({"clients": [row("two")]}));
    let ended = run(&fake, &["connection", "clients", "azure", "o&e"]);
    assert_eq!(
        ended.out,
        format!("one\t{OBJECT_ID}\t{CLIENT_ID}\ntwo\t{OBJECT_ID}\t{CLIENT_ID}\n"),
        "{}",
        ended.err
    );
    let asked: Vec<String> = fake
        .asked()
        .into_iter()
        .filter(|asked| asked.path == clients)
        .map(|asked| asked.query)
        .collect();
    assert_eq!(asked, ["query=o%26e", "next=page%202&query=o%26e"]);
    let ended = run(&fake, &["choices", "azure", "users"]);
    assert!(
        ended.code == 1 && ended.err.contains("there is clients"),
        "{}",
        ended.err
    );
}

#[test]
fn a_connection_that_rotations_use_is_told_so_before_anything_is_asked() {
    let mut used = connection();
    used["usedBy"] = json!([{"id": ID, "name": "billing"}]);
    let fake = Fake::start().instead(
        "GET",
        "/api/v1/app-connections",
        200,
        json!({"appConnections": [used]}),
    );
    let ended = run(&fake, &["connection", "delete", "azure"]);
    assert!(
        ended.code == 1 && ended.err.contains("still used by: billing"),
        "{}",
        ended.err
    );
    assert!(fake.changes().is_empty());
}
