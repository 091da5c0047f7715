//! What is sent when something is made or removed.

use azure_client_secret::AzureClientSecret as Azure;
use rotor_provider_sdk::http::{Request, Response};
use rotor_provider_sdk::mock::MockHost;
use rotor_provider_sdk::{FaultKind, IssueRequest, Issued, Outputs, Provider, Result, Verdict};
use serde_json::{Value, json};

use crate::target::{self, CLIENT, DATE, KEY, NOW, OBJECT, ROTATOR, SECRET, TENANT};

const DAY: u64 = 24 * 60 * 60;
const TEXT: &str = "yXo8Q~made.up_secret-text~0000000000000";

fn issue(host: &MockHost, lifetime_seconds: u64) -> Result<Issued> {
    let request = IssueRequest {
        slot: 1,
        label: "rotor-1a2b-3c4d-17-5e6f".to_owned(),
        lifetime_seconds,
        value: None,
    };
    Azure::issue(host, &target::target(), &request)
}

fn made() -> Response {
    target::dated(
        200,
        &json!({"keyId": KEY, "secretText": TEXT, "endDateTime": "2026-11-06T01:51:03.5Z"}),
    )
}

fn body(request: &Request) -> String {
    let body = request.body.as_ref().unwrap();
    body.expose_text().unwrap().to_owned()
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    let (_, value) = request
        .headers
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    value.expose_text().unwrap()
}

#[test]
fn a_login_is_a_form_with_the_secret_escaped() {
    let host = MockHost::at(NOW).answer(target::token(&[])).answer(made());
    issue(&host, DAY).unwrap();
    let login = &host.requests()[0];
    assert_eq!(login.method, "POST");
    assert_eq!(
        login.url,
        format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token")
    );
    assert_eq!(
        header(login, "Content-Type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        body(login),
        format!(
            "client_id={ROTATOR}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default\
             &grant_type=client_credentials\
             &client_secret=rot8Q~the.connection_s-own%2Bsecret%26%2F%3D~0000"
        )
    );
}

#[test]
fn issuing_is_one_request_with_the_label_and_an_end_and_no_start() {
    let host = MockHost::at(NOW).answer(target::token(&[])).answer(made());
    issue(&host, 63 * DAY).unwrap();
    let requests = host.requests();
    assert_eq!(requests.len(), 2);
    let add = &requests[1];
    assert_eq!(add.method, "POST");
    assert_eq!(
        add.url,
        format!("https://graph.microsoft.com/v1.0/applications/{OBJECT}/addPassword")
    );
    assert_eq!(header(add, "Content-Type"), "application/json");
    assert!(header(add, "Authorization").starts_with("Bearer e30."));
    let sent: Value = serde_json::from_str(&body(add)).unwrap();
    assert_eq!(
        sent,
        json!({"passwordCredential": {
            "displayName": "rotor-1a2b-3c4d-17-5e6f",
            "endDateTime": "2026-11-06T01:51:03Z",
        }})
    );
}

#[test]
fn the_end_counts_from_microsofts_clock_however_wrong_ours_is() {
    for wrong in [0, NOW + 40_000_000] {
        let host = MockHost::at(wrong)
            .answer(target::token(&[]))
            .answer(made());
        issue(&host, DAY).unwrap();
        assert!(body(&host.requests()[1]).contains("\"2026-09-05T01:51:03Z\""));
    }
}

#[test]
fn without_a_date_of_theirs_the_end_counts_from_ours_and_the_log_says_so() {
    let mut undated = target::token(&[]);
    undated.headers.clear();
    let host = MockHost::at(NOW).answer(undated).answer(made());
    issue(&host, DAY).unwrap();
    assert!(body(&host.requests()[1]).contains("\"2026-09-05T01:51:03Z\""));
    assert_eq!(host.lines().len(), 1);
}

#[test]
fn what_was_issued_has_graphs_id_end_and_clock_and_both_outputs() {
    let host = MockHost::at(0).answer(target::token(&[])).answer(made());
    let issued = issue(&host, 63 * DAY).unwrap();
    assert_eq!(issued.handle, KEY);
    assert_eq!(issued.expires_at, Some(NOW + 63 * 24 * 60 * 60));
    assert_eq!(issued.provider_time, Some(NOW));
    assert_eq!(
        issued.outputs.get("clientId").unwrap().expose(),
        CLIENT.as_bytes()
    );
    assert_eq!(
        issued.outputs.get("clientSecret").unwrap().expose(),
        TEXT.as_bytes()
    );
    assert!(!format!("{issued:?}").contains(TEXT));
}

#[test]
fn a_lifetime_beyond_all_dates_is_refused_before_anything_is_made() {
    for endless in [u64::MAX, i64::MAX as u64] {
        let host = MockHost::at(NOW).answer(target::token(&[]));
        assert_eq!(issue(&host, endless).unwrap_err().kind, FaultKind::Refused);
    }
}

#[test]
fn an_unreadable_object_id_never_reaches_the_network() {
    let target = target::target_with("../users", CLIENT);
    let host = MockHost::at(NOW);
    let fault = Azure::survey(&host, &target).unwrap_err();
    assert_eq!(
        fault.kind,
        FaultKind::InvalidInput("parameters.objectId".into())
    );
}

#[test]
fn removing_names_the_key_and_nothing_else() {
    let host = MockHost::at(NOW)
        .answer(target::token(&[]))
        .answer(Response::new(204, "").with_header("Date", DATE));
    let revocation = Azure::revoke(&host, &target::target(), KEY).unwrap();
    assert_eq!(revocation.provider_time, Some(NOW));
    let remove = &host.requests()[1];
    assert_eq!(
        remove.url,
        format!("https://graph.microsoft.com/v1.0/applications/{OBJECT}/removePassword")
    );
    assert_eq!(body(remove), format!("{{\"keyId\":\"{KEY}\"}}"));
}

#[test]
fn a_handle_that_is_no_key_id_is_not_sent() {
    let host = MockHost::at(NOW);
    let fault = Azure::revoke(&host, &target::target(), "everything").unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidInput("handle".into()));
}

#[test]
fn verifying_is_one_login_with_the_issued_secret_on_a_fresh_connection() {
    let host = MockHost::at(NOW).answer(target::token(&[]));
    let outputs = Outputs::default()
        .with("clientId", CLIENT)
        .with("clientSecret", TEXT);
    let verification = Azure::verify(&host, &target::target(), &outputs).unwrap();
    assert_eq!(verification.verdict, Verdict::Works);
    assert_eq!(verification.provider_time, Some(NOW));
    let login = &host.requests()[0];
    assert!(login.fresh_connection);
    let form = body(login);
    assert!(form.contains(&format!("client_id={CLIENT}&")));
    assert!(form.ends_with(&format!("client_secret={TEXT}")));
    assert!(!form.contains(SECRET));
}

#[test]
fn a_survey_reads_afresh_and_lists_what_is_there() {
    let mut application = target::application();
    application["passwordCredentials"] = json!([
        {"keyId": KEY, "displayName": "rotor", "hint": "yXo", "secretText": null,
         "startDateTime": "2026-09-04T01:51:03Z", "endDateTime": "2026-09-04T01:51:03.7654321Z"},
    ]);
    let host = MockHost::at(0)
        .answer(target::token(&[]))
        .answer(target::dated(200, &application));
    let survey = Azure::survey(&host, &target::target()).unwrap();
    let [credential] = survey.credentials.as_slice() else {
        panic!("{:?}", survey.credentials);
    };
    assert_eq!(credential.handle, KEY);
    assert_eq!(credential.label.as_deref(), Some("rotor"));
    assert_eq!(credential.hint.as_deref(), Some("yXo"));
    assert_eq!(credential.starts_at, Some(NOW));
    assert_eq!(credential.expires_at, Some(NOW));
    assert_eq!(survey.provider_time, Some(NOW));
    assert!(host.requests()[1].fresh_connection);
}
