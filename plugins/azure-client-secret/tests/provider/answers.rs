//! Every answer in `answers/`, given to the calls that can meet it, becomes what the file expects.
//!
//! The answers have the shapes of the real services: documented ones, and those that were seen without
//! being documented. The same body means different things to different calls, so each row says what it
//! means to which: `connection` (the connection's own login), `verify` (the login with an issued secret),
//! `issue`, `revoke` and `survey` (the one request to Graph after a good login).

use std::collections::BTreeMap;
use std::fs;

use crate::target;
use azure_client_secret::AzureClientSecret as Azure;
use rotor_provider_sdk::http::{Error, Response};
use rotor_provider_sdk::mock::MockHost;
use rotor_provider_sdk::{
    Fault, FaultKind, IssueRequest, Outputs, Provider, RevocationOutcome, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    text: Option<String>,
    lost: Option<String>,
    expect: BTreeMap<String, Expected>,
}

#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum Expected {
    Good(String),
    Bad(ExpectedFault),
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExpectedFault {
    fault: String,
    field: Option<String>,
    code: Option<String>,
    retry_after_ms: Option<u64>,
}

#[test]
fn every_recorded_shape_means_what_its_file_says() {
    let mut met = 0;
    let mut wrong = Vec::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/provider/answers");
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for row in serde_json::from_str::<Vec<Row>>(&text).unwrap() {
            for (call, expected) in &row.expect {
                met += 1;
                let got = make(call, &row);
                if !agrees(expected, &got) {
                    wrong.push(format!(
                        "{} to {call}: expected {expected:?}, got {got:?}",
                        row.name
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // So that a folder that lost its files does not pass.
    assert!(met > 150, "only {met} answers were met");
}

/// Makes this call, whose last request meets the row's answer.
fn make(call: &str, row: &Row) -> Result<String, Fault> {
    let host = MockHost::at(target::NOW);
    let host = match call {
        "connection" | "verify" => host,
        _ => host.answer(target::token(&["Application.ReadWrite.All"])),
    };
    let answer = row.answer();
    let host = host.answer_with(move |_| answer.clone());
    let target = target::target();
    match call {
        "connection" | "survey" => Azure::survey(&host, &target)
            .map(|result| format!("{} listed", result.credentials.len())),
        "verify" => {
            let outputs = Outputs::default()
                .with("clientId", target::CLIENT)
                .with("clientSecret", "issued");
            Azure::verify(&host, &target, &outputs).map(|result| match result.verdict {
                Verdict::Works => "works".to_owned(),
                Verdict::NotYet(_) => "not-yet".to_owned(),
                Verdict::CannotTell(_) => "cannot-tell".to_owned(),
                Verdict::Never(_) => "never".to_owned(),
                Verdict::Other(other) => other,
            })
        }
        "issue" => {
            let request = IssueRequest {
                slot: 0,
                label: "label".to_owned(),
                lifetime_seconds: 3600,
                value: None,
            };
            Azure::issue(&host, &target, &request).map(|_| "issued".to_owned())
        }
        "revoke" => Azure::revoke(&host, &target, target::KEY).map(|result| match result.outcome {
            RevocationOutcome::Accepted => "accepted".to_owned(),
            RevocationOutcome::NotFound => "not-found".to_owned(),
            RevocationOutcome::Other(other) => other,
        }),
        other => panic!("no call is named {other}"),
    }
}

fn agrees(expected: &Expected, got: &Result<String, Fault>) -> bool {
    match (expected, got) {
        (Expected::Good(expected), Ok(got)) => expected == got,
        (Expected::Bad(expected), Err(fault)) => {
            let (kind, field) = match &fault.kind {
                FaultKind::InvalidInput(field) => ("invalid-input", Some(field)),
                FaultKind::Unauthorized => ("unauthorized", None),
                FaultKind::NotFound => ("not-found", None),
                FaultKind::Throttled => ("throttled", None),
                FaultKind::Unavailable => ("unavailable", None),
                FaultKind::Ambiguous => ("ambiguous", None),
                FaultKind::Full => ("full", None),
                FaultKind::Internal => ("internal", None),
                FaultKind::Refused => ("refused", None),
                FaultKind::Other(other) => (other.as_str(), None),
            };
            kind == expected.fault
                && field == expected.field.as_ref()
                && (expected.code.is_none() || expected.code == fault.code)
                && fault.retry_after_ms == expected.retry_after_ms
                && !fault.message.is_empty()
                && !fault.message.contains(target::SECRET)
        }
        _ => false,
    }
}

impl Row {
    fn answer(&self) -> Result<Response, Error> {
        let why = || "why".to_owned();
        match self.lost.as_deref() {
            Some("denied") => return Err(Error::Denied(why())),
            Some("unreachable") => return Err(Error::Unreachable(why())),
            Some("interrupted") => return Err(Error::Interrupted(why())),
            Some("too-large") => return Err(Error::TooLarge(why())),
            Some("other") => return Err(Error::Other(why())),
            Some(other) => panic!("nothing is lost by {other}"),
            None => {}
        }
        let body = match (&self.body, &self.text) {
            (Some(body), None) => body.to_string(),
            (None, text) => text.clone().unwrap_or_default(),
            (Some(_), Some(_)) => panic!("{} has both a body and a text", self.name),
        };
        let mut response = Response::new(self.status, body);
        for (name, value) in &self.headers {
            response = response.with_header(name, value);
        }
        Ok(response)
    }
}
