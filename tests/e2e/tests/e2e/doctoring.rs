//! `rotorctl doctor`: each thing that would make rotations fail is found, by its code.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use azure_standin::{AppRole, PasswordPolicy, SecretConfig};
use e2e::azure::{MANAGER, tenant};
use e2e::operator::KIND;
use rotord_api::doctor::{DoctorFinding, DoctorReport};
use rotord_api::issue::Severity;
use rotord_api::routes;
use serde_json::json;
use toml::Value;
use uuid::Uuid;

use crate::rig::Rig;

/// What doctor says, and how it ends.
async fn doctor(rig: &Rig, arguments: &[&str]) -> (Option<i32>, DoctorReport) {
    let line = rig.daemon.rotorctl().unwrap();
    let line = line.args(["doctor", "--json"]).args(arguments);
    let ended = line.run().await.unwrap();
    let report = serde_json::from_value(ended.json().unwrap()).unwrap();
    (ended.code, report)
}

/// The one finding with this code.
#[track_caller]
fn one<'a>(report: &'a DoctorReport, code: &str) -> &'a DoctorFinding {
    let mut found = report.findings.iter().filter(|found| found.code == code);
    let Some(one) = found.next() else {
        panic!("no {code} in {report:#?}");
    };
    assert!(found.next().is_none(), "{code} twice in {report:#?}");
    one
}

/// The codes of what is not fine, in order.
fn not_fine(report: &DoctorReport) -> Vec<&str> {
    let found = report.findings.iter();
    let mut codes: Vec<&str> = found
        .filter(|found| found.severity != Severity::Fine)
        .map(|found| found.code.as_str())
        .collect();
    codes.sort_unstable();
    codes
}

/// What a trial by hand has that an installation has not: no unit, and shortened waits.
fn of_a_trial() -> Vec<&'static str> {
    let mut expected = vec!["not-hardened", "waits-shortened"];
    if rustix::process::geteuid().is_root() {
        expected.push("runs-as-root");
    }
    let proxies = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if proxies
        .iter()
        .any(|name| is_set(name) || is_set(&name.to_lowercase()))
    {
        expected.push("proxy-ignored");
    }
    expected.sort_unstable();
    expected
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_installation_has_nothing_but_what_a_trial_has_and_nothing_is_changed_for_it() {
    let rig = Rig::start(&["payroll", "billing"]).await;
    for app in ["payroll", "billing"] {
        let rotation = rig.create(app).await;
        rig.settled(&rotation).await;
    }
    let writes = rig.azure.writes();
    let commits = |report: &DoctorReport| one(report, "database").message.clone();
    let (code, first) = doctor(&rig, &[]).await;
    assert_eq!(not_fine(&first), of_a_trial(), "{first:#?}");
    assert_eq!((code, first.worst), (Some(0), Severity::Warning));
    let (_, second) = doctor(&rig, &[]).await;
    assert_eq!(
        commits(&first),
        commits(&second),
        "the database was written to"
    );
    assert_eq!(rig.azure.writes(), writes, "the tenant was written to");

    // What was singled out, and nothing of this host.
    let (code, one_rotation) = doctor(&rig, &["--rotation", "payroll"]).await;
    assert_eq!((code, one_rotation.worst), (Some(0), Severity::Fine));
    assert!(one(&one_rotation, "target").about.contains("payroll"));
    assert!(one(&one_rotation, "login").about.contains("azure"));
    let (_, one_connection) = doctor(&rig, &["--connection", "azure"]).await;
    let targets = one_connection.findings.iter();
    assert_eq!(targets.filter(|found| found.code == "target").count(), 2);
    let host = one(&one_connection, "host-reached");
    assert!(host.about.contains("localhost"), "{host:?}");

    // Every code is explained, by us or by the provider.
    for found in first.findings {
        let line = rig.daemon.rotorctl().unwrap();
        let ended = line.args(["explain", &found.code]).run().await.unwrap();
        assert!(ended.well().unwrap().contains("it means"), "{}", found.code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_connection_lacks_is_found_with_the_command_that_gives_it() {
    let rig = Rig::start(&["payroll"]).await;
    rig.create("payroll").await;
    rig.azure
        .standin
        .set_owner("payroll", MANAGER, false)
        .unwrap();
    let (code, report) = doctor(&rig, &[]).await;
    assert_eq!(code, Some(4));
    let found = one(&report, "not-owner");
    assert_eq!(found.reported_by.as_deref(), Some(KIND));
    assert!(found.about.contains("payroll"), "{found:?}");
    assert!(
        found
            .remedy
            .as_ref()
            .unwrap()
            .contains("az ad app owner add")
    );

    let role = AppRole::ApplicationReadWriteOwnedBy;
    rig.azure.standin.ungrant(MANAGER, role).unwrap();
    let (code, report) = doctor(&rig, &["--connection", "azure"]).await;
    assert_eq!(code, Some(4));
    let found = one(&report, "missing-role");
    assert!(
        found
            .remedy
            .as_ref()
            .unwrap()
            .contains("az ad app permission add")
    );
    let line = rig.daemon.rotorctl().unwrap();
    let explained = line.args(["explain", "missing-role"]).run().await.unwrap();
    assert!(explained.well().unwrap().contains(KIND));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lifetime_policy_is_named_by_what_it_made_fail() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.azure.standin.set_behaviour(|behaviour| {
        behaviour.policy = Some(PasswordPolicy {
            id: Uuid::from_u128(7),
            max_lifetime_seconds: Some(10 * 86_400),
            passwords_forbidden: false,
        });
    });
    let path = routes::rotation(KIND, rotation.id) + "/rotate-secrets";
    let reply = rig.operator.http.post(&path, &json!({})).await.unwrap();
    assert!(reply.status >= 400, "{}", reply.text());
    let (_, report) = doctor(&rig, &["--rotation", "payroll"]).await;
    let found = one(&report, "manual-failed");
    assert_eq!(found.severity, Severity::Warning, "as status calls it");
    assert!(found.message.contains("policy"), "{found:?}");
    assert!(found.message.contains("shorter"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_run_that_failed_is_told_as_that_and_its_schedule_is_well() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let next = rotation.next_rotation_at.unwrap().to_string();
    let forbid = |passwords_forbidden| {
        rig.azure.standin.set_behaviour(|behaviour| {
            behaviour.policy = Some(PasswordPolicy {
                id: Uuid::from_u128(7),
                max_lifetime_seconds: None,
                passwords_forbidden,
            });
        });
    };
    forbid(true);
    let rotorctl = async |line: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap().args(line);
        line.run().await.unwrap()
    };
    assert_eq!(rotorctl(&["rotate", "payroll"]).await.code, Some(1));
    let status = rotorctl(&["status"]).await;
    assert_eq!(status.code, Some(0), "{}", status.stdout);
    let told = status
        .stdout
        .lines()
        .find(|line| line.contains("manual-failed"));
    let told = told.unwrap_or_else(|| panic!("{}", status.stdout));
    assert!(
        told.starts_with("warning\t") && told.contains(&next),
        "{told}"
    );
    assert!(status.stdout.contains(" 1 failed)"), "{}", status.stdout);
    let listed = rotorctl(&["list"]).await.well().unwrap();
    assert!(listed.contains("\tmanual failed\t"), "{listed}");
    assert_eq!(rotorctl(&["show", "payroll"]).await.code, Some(0));
    forbid(false);
    rotorctl(&["rotate", "payroll"]).await.well().unwrap();
    let listed = rotorctl(&["list"]).await.well().unwrap();
    assert!(listed.contains("\tsuccess\t"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_disagree_are_found_with_the_seconds() {
    let rig = Rig::start(&["payroll"]).await;
    rig.create("payroll").await;
    let skew = |seconds: i64| {
        rig.azure
            .standin
            .set_behaviour(|behaviour| behaviour.date_skew_ms = seconds * 1000);
    };
    skew(120);
    let (code, report) = doctor(&rig, &["--connection", "azure"]).await;
    assert_eq!(code, Some(0));
    assert_eq!(one(&report, "clock-off").severity, Severity::Warning);
    skew(900);
    let (code, report) = doctor(&rig, &["--connection", "azure"]).await;
    assert_eq!(code, Some(4));
    let found = report
        .findings
        .iter()
        .find(|found| found.code == "clock-skew" && found.about == "connection azure")
        .unwrap_or_else(|| panic!("{report:#?}"));
    // Asking takes a moment, and the header has whole seconds.
    let is_about =
        (895..=905).any(|seconds| found.message.contains(&format!("{seconds} s behind")));
    assert!(is_about, "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_nobody_minds_are_found_by_whose_they_are() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.settled(&rotation).await;
    let installation: Uuid = {
        let path = routes::CONNECTIONS;
        let answer = rig.operator.http.get(path).await.unwrap().json().unwrap();
        let id = answer["appConnections"][0]["orgId"].as_str().unwrap();
        id.parse().unwrap()
    };
    let short = |id: Uuid| id.simple().to_string()[..12].to_owned();
    let (ours, other) = (short(installation), "00000000000a".to_owned());
    let mut keys = Vec::new();
    for (owner, of, sequence) in [
        (&ours, short(rotation.id), 99),
        (&ours, other.clone(), 3),
        (&other, short(rotation.id), 1),
    ] {
        let label = format!("rotord-{owner}-{of}-{sequence}-00c0ffee00c0ffee");
        let secret = SecretConfig {
            name: Some(label),
            ..SecretConfig::default()
        };
        let key = rig.azure.standin.add_foreign_secret("payroll", &secret);
        keys.push(key.unwrap().to_string());
    }
    let (code, report) = doctor(&rig, &["--rotation", "payroll"]).await;
    assert_eq!(code, Some(4));
    for (code, key) in ["unknown-label", "leftover-label", "other-installation"]
        .into_iter()
        .zip(&keys)
    {
        let found = one(&report, code);
        assert!(found.message.contains(key), "{key}: {found:?}");
    }
    // Whoever saw it first, a look at the target or this one: a person decides.
    let remedy = one(&report, "unknown-label").remedy.as_deref().unwrap();
    assert!(
        remedy.contains("rotorctl adopt") && remedy.contains("rotorctl remove"),
        "{remedy}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_open_to_others_are_found_with_their_chmod() {
    let rig = Rig::start(&["payroll"]).await;
    let open = |name: &str| {
        let path = rig.daemon.path(name);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        path.display().to_string()
    };
    let database = open("state/rotord.db");
    let (code, report) = doctor(&rig, &[]).await;
    assert_eq!(code, Some(0));
    let found = one(&report, "file-mode");
    assert_eq!(
        (&found.about, found.severity),
        (&database, Severity::Warning)
    );
    assert_eq!(found.remedy, Some(format!("sudo chmod 0600 {database}")));
    let key = open("state/root.key");
    let (code, report) = doctor(&rig, &[]).await;
    assert_eq!(code, Some(4));
    let found = report.findings.iter();
    let worst = found.filter(|found| found.severity == Severity::Problem);
    let worst: Vec<_> = worst.map(|found| (&found.code, &found.about)).collect();
    assert_eq!(worst, [(&"file-mode".to_owned(), &key)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_is_closed_is_found_where_it_is_closed() {
    let mut rig = Rig::start(&["payroll"]).await;
    rig.create("payroll").await;
    let grants = format!("providers.grants.{KIND}");
    let none = || Value::Array(Vec::new());
    let granted = format!("localhost:{}", rig.azure.standin.address().port());
    let granted = || Value::Array(vec![granted.clone().into()]);
    for (private, only, authorities, code) in [
        (none(), granted(), None, "host-private"),
        (granted(), none(), None, "host-closed"),
        (granted(), granted(), Some(none()), "certificate-untrusted"),
    ] {
        rig.daemon.stop().await.unwrap();
        rig.daemon = rig
            .daemon
            .with(&format!("{grants}.private"), private)
            .with(&format!("{grants}.only"), only);
        if let Some(authorities) = authorities {
            rig.daemon = rig.daemon.with("providers.extra_ca", authorities);
        }
        rig.daemon.start().await.unwrap();
        let (ended, report) = doctor(&rig, &["--connection", "azure"]).await;
        assert_eq!(ended, Some(4), "{code}");
        let found = report
            .findings
            .iter()
            .find(|found| found.code == code && found.about.starts_with("host localhost"))
            .unwrap_or_else(|| panic!("no {code} in {report:#?}"));
        assert_eq!(found.severity, Severity::Problem);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_provider_and_a_daemon_that_is_gone_are_found() {
    let mut rig = Rig::with(tenant(&["payroll"]), |daemon| {
        std::fs::write(daemon.path("providers/broken.wasm"), b"no component").unwrap();
        daemon
    })
    .await;
    let (code, report) = doctor(&rig, &[]).await;
    assert_eq!(code, Some(4));
    let found = one(&report, "provider-not-loaded");
    assert!(found.about.contains("broken.wasm"), "{found:?}");
    rig.daemon.stop().await.unwrap();
    let (code, report) = doctor(&rig, &[]).await;
    assert_eq!(code, Some(4));
    one(&report, "daemon-unreachable");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_and_is_not_there_is_found() {
    let rig = crate::loading::rig().await;
    rig.create("payroll").await;
    let (_, report) = doctor(&rig, &[]).await;
    let found = one(&report, "grant-of-nothing");
    assert_eq!(found.severity, Severity::Warning);
    assert!(found.message.contains("NO_SUCH_SECRET"), "{found:?}");
    assert!(found.message.contains(crate::loading::UNIT), "{found:?}");
}
