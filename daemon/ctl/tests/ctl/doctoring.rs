//! What would make rotations fail, and what its codes mean.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::fake::{Fake, ID, provider};
use crate::program::{run, run_at};

const DOCTOR: &str = "/api/v1/rotord/doctor";

fn finding(code: &str, severity: &str) -> Value {
    json!({"code": code, "severity": severity, "about": "connection azure", "message": "the service says no"})
}

fn report(worst: &str, findings: &[Value]) -> Value {
    json!({"worst": worst, "tookMs": 12, "findings": findings})
}

#[test]
fn doctor_ends_with_4_where_something_is_a_problem_and_else_with_0() {
    for (worst, code) in [("fine", 0), ("warning", 0), ("problem", 4)] {
        let answer = report(worst, &[finding("clock", worst)]);
        let fake = Fake::start().on("GET", DOCTOR, 200, answer.clone());
        let ended = run(&fake, &["doctor"]);
        assert_eq!(ended.code, code, "{worst}: {}", ended.err);
        let json = run(&fake, &["doctor", "--json"]);
        assert_eq!((json.code, json.json()), (code, answer));
    }
}

#[test]
fn doctor_in_a_pipe_is_a_line_a_finding_with_cause_and_remedy() {
    let mut problem = finding("unauthorized", "problem");
    problem["cause"] = "the login is refused".into();
    problem["remedy"] = "change the connection".into();
    let answer = report("problem", &[problem, finding("clock", "fine")]);
    let fake = Fake::start().on("GET", DOCTOR, 200, answer);
    assert_eq!(
        run(&fake, &["doctor"]).out,
        "problem\tunauthorized\tconnection azure\tthe service says no\tthe login is refused\tchange the connection\n\
         fine\tclock\tconnection azure\tthe service says no\t\t\n"
    );
}

#[test]
fn doctor_calls_rotations_by_their_names() {
    let mut problem = finding("unknown-label", "problem");
    problem["remedy"] = format!("rotorctl adopt {ID} k-9").into();
    let fake = Fake::start().on("GET", DOCTOR, 200, report("problem", &[problem]));
    let out = run(&fake, &["doctor"]).out;
    assert!(out.contains("rotorctl adopt billing k-9"), "{out}");
    let json = run(&fake, &["doctor", "--json"]).out;
    assert!(json.contains(ID), "what the API answered: {json}");
}

#[test]
fn doctor_can_look_at_one_connection_or_rotation() {
    let fake = Fake::start().on("GET", DOCTOR, 200, report("fine", &[]));
    for (arguments, query) in [
        (&["doctor"][..], String::new()),
        (
            &["doctor", "--connection", "azure"],
            format!("connectionId={ID}"),
        ),
        (
            &["doctor", "--rotation", "billing"],
            format!("rotationId={ID}"),
        ),
    ] {
        let ended = run(&fake, arguments);
        assert_eq!(ended.code, 0, "{}", ended.err);
        let asked = fake.asked();
        let last = asked.iter().rfind(|asked| asked.path == DOCTOR).unwrap();
        assert_eq!(last.query, query);
    }
    let ended = run(&fake, &["doctor", "--connection", "moon"]);
    assert_eq!(ended.code, 1);
    assert!(fake.changes().is_empty());
}

#[test]
fn doctor_without_a_daemon_says_so_as_a_finding() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("none.sock");
    let ended = run_at(&nowhere, &["doctor", "--json"], "");
    assert_eq!(ended.code, 4, "{}", ended.err);
    let report = ended.json();
    assert_eq!(report["worst"], "problem");
    assert_eq!(report["findings"][0]["code"], "daemon-unreachable");
    assert!(
        report["findings"][0]["remedy"]
            .as_str()
            .unwrap()
            .contains("systemctl start rotord")
    );

    let stale = directory.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    let ended = run_at(&stale, &["doctor"], "");
    assert_eq!(ended.code, 4, "{}", ended.err);
    assert!(ended.out.contains("nobody listens"), "{}", ended.out);

    let denied = directory.path().join("denied.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&denied).unwrap();
    std::fs::set_permissions(&denied, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may connect all the same, and the answer would never come.
    if std::os::unix::net::UnixStream::connect(&denied).is_err() {
        let ended = run_at(&denied, &["doctor"], "");
        assert_eq!(ended.code, 4, "{}", ended.err);
        assert!(ended.out.contains("socket-denied"), "{}", ended.out);
    }
}

#[test]
fn explain_needs_no_daemon_for_what_is_ours() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("none.sock");
    let ended = run_at(&nowhere, &["explain", "clock-skew"], "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    for line in [
        "code\tclock-skew",
        "it means\t",
        "rotord does\t",
        "you can\t",
    ] {
        assert!(ended.out.contains(line), "{line}: {}", ended.out);
    }
    let ended = run_at(&nowhere, &["explain", "78"], "");
    assert!(ended.out.contains("exit-78"), "{}", ended.out);
    let all = run_at(&nowhere, &["explain", "--json"], "").json();
    let codes = all["codes"].as_array().unwrap();
    // With the words and the end that are this program's alone.
    assert!(codes.len() > rotord_api::catalogue::all().count());
    for (word, code) in [
        ("lost", "lost"),
        ("130", "exit-130"),
        ("Success", "success"),
    ] {
        let ended = run_at(&nowhere, &["explain", word], "");
        assert!(ended.out.contains(&format!("code\t{code}")), "{ended:?}");
    }
}

#[test]
fn explain_names_what_is_alike_where_a_code_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("none.sock");
    let ended = run_at(&nowhere, &["explain", "clock-scew"], "");
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(
        ended.err.contains("there is clock-skew") && ended.err.contains("could not be asked"),
        "{}",
        ended.err
    );
}

#[test]
fn what_a_provider_reports_is_explained_in_its_words() {
    let mut explains = provider();
    explains["description"]["codes"] =
        json!([{"code": "missing-role", "text": "No permission is granted."}]);
    let fake = Fake::start().instead(
        "GET",
        "/api/v1/rotord/providers",
        200,
        json!({"providers": [explains]}),
    );
    let ended = run(&fake, &["explain", "missing-role"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(
        ended.out,
        "code\tmissing-role (reported by the provider azure-client-secret)\nit means\tNo permission is granted.\n"
    );
    let listed = run(&fake, &["explain"]).out;
    assert!(
        listed.contains("missing-role\tazure-client-secret\tNo permission is granted.\n"),
        "{listed}"
    );
    let ended = run(&fake, &["explain", "missing-rule"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("there is missing-role"), "{}", ended.err);
}
