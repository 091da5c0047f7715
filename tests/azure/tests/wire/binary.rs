//! The program, with the sample that people start it with.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use azure_standin::Config;
use serde_json::Value;

use crate::rig::GRAPH_SCOPE;

/// Ends the program with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sample() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample.toml")
}

#[tokio::test]
async fn the_sample_starts_says_when_it_is_ready_and_lets_its_manager_in() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let ca = folder.path().join("ca.pem");
    let program = Command::new(env!("CARGO_BIN_EXE_azure-standin"))
        .arg("--config")
        .arg(sample())
        .arg("--ca-file")
        .arg(&ca)
        .arg("--ready-file")
        .arg(&ready)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut program = Running(program);
    // What it prints comes after the file is written.
    let mut printed = BufReader::new(program.0.stdout.take().unwrap()).lines();
    let address = printed.next().unwrap().unwrap();
    let ready: Value = serde_json::from_slice(&std::fs::read(ready).unwrap()).unwrap();
    let base = ready["address"].as_str().unwrap();
    assert!(address.contains(base), "{address}");
    let tenant = ready["tenant"].as_str().unwrap();
    assert_eq!(ready["ca_file"].as_str().unwrap(), ca.to_str().unwrap());

    let ca = reqwest::Certificate::from_pem(&std::fs::read(ca).unwrap()).unwrap();
    let http = reqwest::Client::builder()
        .tls_certs_only([ca])
        .no_proxy()
        .build()
        .unwrap();
    let form = [
        ("client_id", "9a3d526c-b3c1-4479-ba74-197b5c5751ae"),
        ("client_secret", "sTd8Q~rotord-in-the-stand-in-only-00001"),
        ("scope", GRAPH_SCOPE),
        ("grant_type", "client_credentials"),
    ];
    let url = format!("{base}/{tenant}/oauth2/v2.0/token");
    let token: Value = http
        .post(url)
        .form(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let apps: Value = http
        .get(format!("{base}/v1.0/applications"))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(apps["value"].as_array().unwrap().len(), 100);
    assert!(apps["@odata.nextLink"].is_string());
}

#[test]
fn a_broken_configuration_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.toml");
    std::fs::write(&path, "seed = 1\n[behaviour]\nreplica = 3\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_azure-standin"))
        .arg("--config")
        .arg(&path)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("broken.toml"), "{said}");
    assert!(said.contains("line 3"), "{said}");
    assert!(Config::read(&path).is_err());
}
