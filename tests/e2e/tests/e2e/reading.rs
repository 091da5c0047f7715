//! The reader socket: only what is granted, to whom it is granted, as the kernel says who calls.

use e2e::Daemon;
use e2e::azure::tenant;
use e2e::command::{Ended, Line};
use rotord_api::routes;
use serde_json::Value as Json;
use toml::{Table, Value};

use crate::rig::Rig;

const GRANTED: u32 = 54_321;
const STRANGER: u32 = 54_322;
const GROUP: u32 = 54_399;

fn with_grant(daemon: Daemon) -> Daemon {
    let grant: Table = format!(
        "uids = [{GRANTED}]\nenvironment = 'dev'\npath = '/'\nsecrets = ['PAYROLL_SECRET']"
    )
    .parse()
    .unwrap();
    let to_group: Table =
        format!("gids = [{GROUP}]\nenvironment = 'dev'\npath = '/'\nsecrets = ['*']")
            .parse()
            .unwrap();
    daemon.with(
        "reader.grants",
        Value::Array(vec![grant.into(), to_group.into()]),
    )
}

async fn curl(uid: u32, socket: &std::path::Path, path: &str) -> Ended {
    Line::new("curl")
        .args(["--silent", "--show-error", "--write-out", "\n%{http_code}"])
        .args(["--url", &format!("http://localhost{path}"), "--unix-socket"])
        .args([socket])
        .as_user(uid)
        .run()
        .await
        .unwrap()
}

fn status_and_body(ended: Ended) -> (String, Json) {
    let text = ended.well().unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (
        status.to_owned(),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_reads_what_is_granted_and_nothing_else() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can act as other users");
        return;
    }
    let rig = Rig::with(tenant(&["payroll", "billing"]), with_grant).await;
    for app in ["payroll", "billing"] {
        rig.create(app).await;
    }
    let project = rig.operator.project().await.unwrap();
    let place = format!("workspaceId={project}&environment=dev&secretPath=/");
    let one = |name: &str| format!("{}/{name}?{place}", routes::SECRETS_V3);
    let reader = rig.daemon.reader();
    let socket = reader.socket();

    let (status, body) = status_and_body(curl(GRANTED, socket, &one("PAYROLL_SECRET")).await);
    assert_eq!(status, "200", "{body}");
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    assert_eq!(body["secret"]["secretValue"], Json::from(value));

    for (uid, path) in [
        (GRANTED, one("BILLING_SECRET")),
        (GRANTED, one("PAYROLL_ID")),
        (GRANTED, one("NOBODY")),
        (GRANTED, one("PAYROLL_SECRET").replace("=dev", "=prod")),
        (STRANGER, one("PAYROLL_SECRET")),
        (STRANGER, format!("{}?{place}", routes::SECRETS_V3)),
    ] {
        let (status, body) = status_and_body(curl(uid, socket, &path).await);
        assert_eq!(status, "403", "{uid} {path}: {body}");
        assert_eq!(body["error"], Json::from("PermissionDenied"));
    }

    // A list is of what is granted.
    let list = format!("{}?{place}", routes::SECRETS_V3);
    let (status, body) = status_and_body(curl(GRANTED, socket, &list).await);
    assert_eq!(status, "200", "{body}");
    let names: Vec<&Json> = body["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| &secret["secretKey"])
        .collect();
    assert_eq!(names, ["PAYROLL_SECRET"]);

    // No order is taken there, and none of theirs over the admin socket.
    for path in [routes::STATUS, routes::CONNECTIONS, routes::PROVIDERS] {
        let (status, _) = status_and_body(curl(GRANTED, socket, path).await);
        assert!(
            ["403", "404"].contains(&status.as_str()),
            "{path}: {status}"
        );
    }
    let admin = rig.daemon.admin();
    let refused = curl(GRANTED, admin.socket(), routes::STATUS).await;
    assert_ne!(refused.code, Some(0), "{}", refused.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_not_the_primary_one_counts() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can act as other users");
        return;
    }
    let rig = Rig::with(tenant(&["payroll"]), with_grant).await;
    rig.create("payroll").await;
    let project = rig.operator.project().await.unwrap();
    let path = format!(
        "{}?workspaceId={project}&environment=dev",
        routes::SECRETS_V3
    );
    for (groups, expected) in [(GROUP.to_string(), "200"), ("54398".to_owned(), "403")] {
        let stranger = STRANGER.to_string();
        let ended = Line::new("setpriv")
            .args(["--reuid", &stranger, "--regid", &stranger])
            .args(["--groups", &groups, "curl", "--silent"])
            .args(["--write-out", "\n%{http_code}", "--unix-socket"])
            .args([rig.daemon.reader().socket()])
            .args([format!("http://localhost{path}")])
            .run()
            .await
            .unwrap();
        let (status, body) = status_and_body(ended);
        assert_eq!(status, expected, "{groups}: {body}");
        if status == "200" {
            assert_eq!(body["secrets"].as_array().unwrap().len(), 2);
        }
    }
}
