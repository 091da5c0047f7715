//! Connections: how they are checked, and the ways to log in.

use azure_standin::AppRole;
use e2e::azure::{MANAGER, MANAGER_SECRET, tenant};
use e2e::operator::CONNECTIONS;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use rotord_api::connection::AppConnectionAnswer;
use rotord_api::routes;
use serde_json::{Value, json};

use crate::rig::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn rotorctl_adds_checks_and_lists_by_a_connection() {
    let rig = Rig::start(&["payroll", "payments", "billing"]).await;
    let mut line = rig.daemon.rotorctl().unwrap().args([
        "connection",
        "add",
        "by-hand",
        "--method",
        "client-secret",
    ]);
    for (field, value) in rig.azure.connection_fields().unwrap() {
        line = line.args(["--set".to_owned(), format!("{field}={value}")]);
    }
    let added = line
        .args(["--file", "clientSecret=-"])
        .input(format!("{MANAGER_SECRET}\n"))
        .run()
        .await
        .unwrap();
    assert!(!added.stdout.contains(MANAGER_SECRET));
    added.well().unwrap();

    let ctl = async |words: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap().args(words);
        line.run().await.unwrap()
    };
    let checked = ctl(&["connection", "check", "by-hand", "--json"]).await;
    assert_eq!(
        checked.code,
        Some(0),
        "{}{}",
        checked.stdout,
        checked.stderr
    );
    let found = ctl(&["choices", "by-hand", "clients", "pay", "--json"]).await;
    let text = found.json().unwrap().to_string();
    assert!(
        text.contains("payroll") && text.contains("payments"),
        "{text}"
    );
    assert!(!text.contains("billing"), "{text}");
    let by_id = rig.azure.app("billing").unwrap().app_id.to_string();
    let found = ctl(&["choices", "by-hand", "clients", &by_id, "--json"]).await;
    assert!(found.json().unwrap().to_string().contains("billing"));
    let shown = ctl(&["connection", "show", "by-hand", "--json"]).await;
    assert!(!shown.stdout.contains(MANAGER_SECRET) && !shown.stdout.contains("clientSecret\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_may_not_rotate_is_told_what_it_lacks() {
    let rig = Rig::start(&["payroll"]).await;
    let role = AppRole::ApplicationReadWriteOwnedBy;
    rig.azure.standin.ungrant(MANAGER, role).unwrap();
    let check = routes::connection_check(rig.connection);
    let answer = rig.operator.http.get(&check).await.unwrap().json().unwrap();
    let problem = answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["severity"] == json!("problem"))
        .unwrap_or_else(|| panic!("{answer}"));
    assert!(
        problem.to_string().contains("Application.ReadWrite"),
        "{problem}"
    );
    let line = rig.daemon.rotorctl().unwrap();
    let ended = line
        .args(["connection", "check", "azure"])
        .run()
        .await
        .unwrap();
    assert_eq!(ended.code, Some(4), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_rotated_is_refused_before_anything_is_issued() {
    let mut config = tenant(&["payroll", "asleep"]);
    config
        .applications
        .push(azure_standin::ApplicationConfig::named("foreign"));
    let rig = Rig::start_with(config).await;
    rig.azure.standin.disable("asleep", true).unwrap();
    for (app, remedy) in [
        ("foreign", "az ad app owner add"),
        ("asleep", "az ad sp update"),
    ] {
        let request = rig.operator.request(&rig.azure, rig.connection, app);
        let body = request.await.unwrap();
        let reply = rig.operator.post_rotation(&body).await.unwrap();
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(reply.text().contains(remedy), "{}", reply.text());
        assert_eq!(rig.azure.issued(app).unwrap(), []);
    }
    assert!(rig.operator.rotations().await.unwrap().is_empty());
    rig.create("payroll").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_fails_leaves_the_paths_told_and_nothing_stored() {
    let rig = Rig::start(&["payroll"]).await;
    let mut body = rig.azure.connection("second").unwrap();
    body["credentials"]["clientSecret"] = json!("wrong");
    let add = routes::connections_of_app(CONNECTIONS);
    let refused = rig.operator.http.post(&add, &body).await.unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("az ad app credential reset"));

    let mut body = rig.azure.connection("second").unwrap();
    body["credentials"]["authority"] = json!("https://login.nowhere.invalid");
    let refused = rig.operator.http.post(&add, &body).await.unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    let open = "allow outgoing TLS connections to login.nowhere.invalid:443";
    assert!(refused.text().contains(open), "{}", refused.text());
    let stored = rig.operator.http.get(&add).await.unwrap().json().unwrap();
    assert_eq!(stored["appConnections"].as_array().unwrap().len(), 1);

    rig.azure.standin.disable(MANAGER, true).unwrap();
    let check = routes::connection_check(rig.connection);
    let answer = rig.operator.http.get(&check).await.unwrap().json().unwrap();
    for (code, severity) in [
        ("login-reached", "fine"),
        ("login-refused", "problem"),
        ("graph-reached", "fine"),
    ] {
        let findings = answer["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["code"] == code);
        assert_eq!(found.unwrap()["severity"], severity, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_listed_by_name_over_every_page() {
    let mut config = tenant(&["payroll"]);
    config.tenant.fill = 250;
    let rig = Rig::with(config, |daemon| daemon).await;
    let path = routes::choices(CONNECTIONS, rig.connection, "clients");
    let answer = rig.operator.http.get(&path).await.unwrap().json().unwrap();
    let clients = answer["clients"].as_array().unwrap();
    assert_eq!(clients.len(), 252);
    let ids = rig.azure.app("payroll").unwrap();
    let listed = clients
        .iter()
        .find(|client| client["name"] == json!("payroll"))
        .unwrap();
    assert_eq!(listed["id"], json!(ids.object_id));
    assert_eq!(listed["appId"], json!(ids.app_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_does_for_a_secret() {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let mut config = tenant(&["payroll", "billing"]);
    config.applications[0].secrets.clear();
    config.applications[0].certificate_pems = vec![certificate.pem()];
    let azure = e2e::Azure::start(config).await.unwrap();
    let mut daemon = e2e::Daemon::new().unwrap().trusting(&azure).unwrap();
    daemon.start().await.unwrap();
    let operator = daemon.operator();
    for (algorithm, app) in [("PS256", "payroll"), ("RS256", "billing")] {
        let mut credentials = json!({
            "certificateBody": certificate.pem(), "privateKey": key.serialize_pem(), "algorithm": algorithm,
        });
        for (field, value) in azure.connection_fields().unwrap() {
            credentials[field] = value.into();
        }
        let name = algorithm.to_lowercase();
        let body = json!({ "name": name, "method": "certificate", "credentials": credentials });
        let path = routes::connections_of_app(CONNECTIONS);
        let reply = operator.http.post(&path, &body).await.unwrap();
        let added: Value = reply.parse().unwrap();
        assert!(!reply.text().contains("PRIVATE KEY"), "{}", reply.text());
        let id = added["appConnection"]["id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        operator.create(&azure, id, app).await.unwrap();
        assert_eq!(azure.issued(app).unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_a_connection_is_replaced_alone() {
    let rig = Rig::start(&["payroll"]).await;
    let fields = || async {
        let path = routes::connection(CONNECTIONS, rig.connection);
        let reply = rig.operator.http.get(&path).await.unwrap();
        let answer = reply.parse::<AppConnectionAnswer>().unwrap();
        answer.app_connection.credentials
    };
    let before = fields().await;
    let edit = |secret: String| {
        let line = rig.daemon.rotorctl().unwrap();
        let words = ["connection", "edit", "azure", "--file", "clientSecret=-"];
        line.args(words).input(secret).run()
    };
    let wrong = edit("no-secret-of-its".to_owned()).await.unwrap();
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    let right = edit(MANAGER_SECRET.to_owned()).await.unwrap();
    right.well().unwrap();
    assert_eq!(fields().await, before);
    rig.create("payroll").await;
}
