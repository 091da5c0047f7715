//! The list of applications.

use azure_client_secret::AzureClientSecret as Azure;
use rotor_provider_sdk::http::Response;
use rotor_provider_sdk::mock::MockHost;
use rotor_provider_sdk::{ChoicePage, Connection, FaultKind, NamedValue, Provider, Result, Secret};
use serde_json::{Value, json};

use crate::target::{self, CLIENT, NOW, OBJECT};

const NEXT: &str = "https://graph.microsoft.com/v1.0/applications?$skiptoken=abc";

fn host() -> MockHost {
    MockHost::at(NOW).answer(target::token(&["Application.ReadWrite.All"]))
}

fn choose(host: &MockHost, query: &str, page: Option<&str>) -> Result<ChoicePage> {
    Azure::choices(host, &target::connection(), "clients", query, page)
}

fn names(page: &ChoicePage) -> Vec<&str> {
    page.choices
        .iter()
        .map(|choice| choice.values[0].as_str())
        .collect()
}

fn page(names: &[&str], next: Option<&str>) -> Response {
    let value: Vec<Value> = names
        .iter()
        .map(|name| json!({"id": OBJECT, "appId": CLIENT, "displayName": name}))
        .collect();
    let mut body = json!({"value": value});
    if let Some(next) = next {
        body["@odata.nextLink"] = json!(next);
    }
    target::dated(200, &body)
}

#[test]
fn every_page_is_read_even_after_an_empty_one() {
    let host = host()
        .answer(page(&["web"], Some(NEXT)))
        .answer(page(&[], Some(NEXT)))
        .answer(page(&["api"], None));
    let choices = choose(&host, "", None).unwrap();
    assert_eq!(names(&choices), ["api", "web"]);
    assert_eq!(choices.next, None);
    assert_eq!(choices.choices[0].values, ["api", OBJECT, CLIENT]);
    assert_eq!(host.requests()[2].url, NEXT);
}

#[test]
fn what_was_typed_is_found_anywhere_in_the_name_in_any_case() {
    let host = host().answer(page(&["Billing API", "web", "old billing"], None));
    assert_eq!(
        names(&choose(&host, " BILL ", None).unwrap()),
        ["Billing API", "old billing"]
    );
}

#[test]
fn a_link_elsewhere_is_not_followed_with_our_token() {
    for evil in [
        "https://evil.test/v1.0/applications",
        "https://graph.microsoft.com.evil.test/v1.0",
        "https://graph.microsoft.com@evil.test/",
        "http://graph.microsoft.com/v1.0/applications",
    ] {
        let host = host();
        let fault = choose(&host, "", Some(evil)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::InvalidInput("page".into()));
        assert_eq!(host.requests().len(), 1, "only the login");
    }
}

#[test]
fn a_link_by_graphs_own_name_is_followed_over_the_proxy() {
    let connection = Connection::new(
        "client-secret",
        [
            NamedValue::text("tenantId", target::TENANT),
            NamedValue::text("clientId", CLIENT),
            NamedValue::secret("clientSecret", Secret::from(target::SECRET)),
            NamedValue::text("graphRoot", "https://proxy.test"),
        ],
    );
    let host = host()
        .answer(page(&["web"], Some(NEXT)))
        .answer(page(&["api"], None));
    let choices = Azure::choices(&host, &connection, "clients", "", None).unwrap();
    assert_eq!(names(&choices), ["api", "web"]);
    assert_eq!(
        host.requests()[2].url,
        NEXT.replace("https://graph.microsoft.com", "https://proxy.test")
    );
}

#[test]
fn a_page_is_asked_for_with_the_next_of_the_last() {
    let host = host().answer(page(&["web"], None));
    choose(&host, "", Some(NEXT)).unwrap();
    assert_eq!(host.requests()[1].url, NEXT);
}

#[test]
fn one_call_reads_so_many_pages_and_hands_the_rest_on() {
    let mut host = host();
    for _ in 0..10 {
        host = host.answer(page(&["other"], Some(NEXT)));
    }
    let choices = choose(&host, "rare", None).unwrap();
    assert_eq!(names(&choices), [""; 0]);
    assert_eq!(choices.next.as_deref(), Some(NEXT));
}

#[test]
fn a_pasted_object_id_is_found() {
    let host = host()
        .answer(target::dated(200, &target::application()))
        .answer(target::not_found());
    assert_eq!(names(&choose(&host, OBJECT, None).unwrap()), ["billing"]);
}

#[test]
fn a_pasted_client_id_is_found() {
    let host = host()
        .answer(target::not_found())
        .answer(target::dated(200, &target::application()));
    let choices = choose(&host, &CLIENT.to_uppercase(), None).unwrap();
    assert_eq!(names(&choices), ["billing"]);
    assert!(
        host.requests()[2]
            .url
            .contains(&format!("applications(appId='{CLIENT}')"))
    );
}

#[test]
fn an_id_that_nobody_has_may_still_be_a_name() {
    let host = host()
        .answer(target::not_found())
        .answer(target::not_found())
        .answer(page(&[OBJECT, "web"], None));
    assert_eq!(names(&choose(&host, OBJECT, None).unwrap()), [OBJECT]);
}

#[test]
fn no_other_list_exists() {
    let host = MockHost::at(NOW);
    let fault = Azure::choices(&host, &target::connection(), "users", "", None).unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidInput("list".into()));
}
