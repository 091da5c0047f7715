//! Settings that are read anew while the daemon runs, right ones and wrong ones.

use e2e::azure::tenant;
use e2e::credential::MOST;
use e2e::operator::KIND;
use rotord_api::routes;
use rotord_api::status::DaemonStatus;
use serde_json::json;
use toml::{Table, Value};

use crate::loading::{UNIT, ask, grant};
use crate::rig::Rig;

const WRONG: &str = "settings-wrong";

fn reader_grant() -> Value {
    let uid = rustix::process::getuid().as_raw();
    let text = format!("uids = [{uid}]\nenvironment = 'dev'\nsecrets = ['PAYROLL_SECRET']");
    text.parse::<Table>().unwrap().into()
}

fn is_wrong(status: &DaemonStatus) -> bool {
    status.findings.iter().any(|finding| finding.code == WRONG)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_holds_from_the_reload_on_and_what_is_withheld_too() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let project = rig.operator.project().await.unwrap();
    let path = format!(
        "{}/PAYROLL_SECRET?workspaceId={project}&environment=dev",
        routes::SECRETS_V3
    );
    let reader = rig.daemon.reader();
    assert_eq!(reader.get(&path).await.unwrap().status, 403);
    assert_eq!(ask(&rig, UNIT, "token").await.len(), MOST + 1);

    rig.daemon.set("reader.grants", vec![reader_grant()]);
    rig.daemon.set(
        "credentials.grants",
        vec![grant(UNIT, "token", "PAYROLL_SECRET")],
    );
    rig.daemon.write_settings().unwrap();
    rig.daemon.reload().await.unwrap();
    let read = reader.get(&path).await.unwrap();
    assert_eq!(read.status, 200, "{}", read.text());
    assert_eq!(ask(&rig, UNIT, "token").await, value.as_bytes());

    // Withheld from the provider that is loaded, whose file is the same.
    let only: Vec<Value> = vec!["graph.example.com".into()];
    let grants = "providers.grants.azure-client-secret";
    rig.daemon.set(&format!("{grants}.only"), only);
    rig.daemon.set("reader.grants", Vec::<Value>::new());
    rig.daemon.write_settings().unwrap();
    rig.daemon.reload().await.unwrap();
    assert_eq!(reader.get(&path).await.unwrap().status, 403);
    let rotate = routes::rotate_secrets(KIND, rotation.id);
    let refused = rig.operator.http.post(&rotate, &json!(null)).await.unwrap();
    assert_eq!(refused.status, 500, "{}", refused.text());

    let port = rig.azure.standin.address().port();
    let only: Vec<Value> = vec![format!("localhost:{port}").into()];
    rig.daemon.set(&format!("{grants}.only"), only);
    rig.daemon.write_settings().unwrap();
    rig.daemon.reload().await.unwrap();
    rig.rotate(&rotation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_change_nothing_and_are_told_until_they_are_mended() {
    let mut rig = Rig::with(tenant(&["payroll"]), |daemon| {
        daemon.with("reader.grants", vec![reader_grant()])
    })
    .await;
    let rotation = rig.create("payroll").await;
    assert!(!is_wrong(&rig.operator.status().await.unwrap()));

    for wrong in [
        "[admin\n",
        "[admin]\nsockt = '/x'\n",
        "[log]\nfilter = '=='\n",
    ] {
        std::fs::write(rig.daemon.settings_file(), wrong).unwrap();
        rig.daemon.reload().await.unwrap();
        let status = rig.operator.status().await.unwrap();
        assert!(is_wrong(&status), "{wrong}: {:?}", status.findings);
        // Grants and providers of before are in force.
        let project = rig.operator.project().await.unwrap();
        let path = format!(
            "{}/PAYROLL_SECRET?workspaceId={project}&environment=dev",
            routes::SECRETS_V3
        );
        let read = rig.daemon.reader().get(&path).await.unwrap();
        assert_eq!(read.status, 200, "{wrong}: {}", read.text());
    }
    rig.rotate(&rotation).await;

    // A place is not moved while somebody stands there.
    let elsewhere = rig.daemon.path("elsewhere.sock");
    let text = elsewhere.display().to_string();
    rig.daemon.set("reader.socket", text);
    rig.daemon.write_settings().unwrap();
    rig.daemon.reload().await.unwrap();
    assert!(!is_wrong(&rig.operator.status().await.unwrap()));
    assert!(!elsewhere.exists());
    let log = rig.daemon.log().unwrap();
    assert!(log.contains("what changed in reader.socket waits for a restart"));
}
