//! The shape of answers, against what was recorded of the real service: status, names at the top of the
//! body, and headers.

use std::collections::BTreeSet;

use azure_standin::{ApplicationConfig, Audience, Config, Fault, Operation, Rule};
use serde_json::{Value, json};

use crate::rig::{self, GRAPH_SCOPE, Reply, Rig, SECRET};

const GRAPH_HEADERS: [&str; 6] = [
    "cache-control",
    "date",
    "request-id",
    "strict-transport-security",
    "vary",
    "x-ms-ags-diagnostic",
];

fn names(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn assert_shape(reply: &Reply, status: u16, body: &[&str], headers: &[&str]) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(names(&reply.json()), body.iter().copied().collect());
    for header in headers {
        assert!(reply.headers.contains_key(*header), "{header}: {reply:?}");
    }
}

fn assert_graph_error(reply: &Reply, status: u16, code: &str, message: &str, details: bool) {
    assert_shape(reply, status, &["error"], &GRAPH_HEADERS);
    let body = reply.json();
    let mut parts = BTreeSet::from(["code", "message", "innerError"]);
    if details {
        parts.insert("details");
    }
    assert_eq!(names(&body["error"]), parts);
    assert_eq!(
        names(&body["error"]["innerError"]),
        BTreeSet::from(["date", "request-id", "client-request-id"])
    );
    assert_eq!(body["error"]["code"], code);
    assert!(
        rig::text(&body["error"]["message"]).starts_with(message),
        "{body}"
    );
    assert_eq!(reply.header("content-type"), "application/json");
    assert!(!reply.headers.contains_key("odata-version"));
}

fn assert_entra_error(reply: &Reply, status: u16, class: &str, code: u32, text: &str) {
    let mut parts = vec![
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
    ];
    if code != 70003 {
        parts.push("error_uri");
    }
    assert_shape(
        reply,
        status,
        &parts,
        &["x-ms-request-id", "x-ms-ests-server"],
    );
    let body = reply.json();
    assert_eq!(body["error"], class);
    assert_eq!(body["error_codes"], json!([code]));
    assert_eq!(body["trace_id"], reply.header("x-ms-request-id"));
    let description = rig::text(&body["error_description"]);
    let start = format!("AADSTS{code}: {text}");
    assert!(description.starts_with(&start), "{description}");
    let timestamp = rig::text(&body["timestamp"]);
    assert!(description.ends_with(&format!(" Timestamp: {timestamp}")));
    assert_eq!(timestamp.len(), "2026-05-24 13:34:39Z".len());
    assert_eq!(&timestamp[10..11], " ");
}

#[tokio::test]
async fn a_token_is_answered_as_recorded() {
    let rig = Rig::start().await;
    let reply = rig.login("rotord", SECRET).await;
    let headers = [
        "cache-control",
        "date",
        "expires",
        "p3p",
        "pragma",
        "strict-transport-security",
        "x-content-type-options",
        "x-ms-clitelem",
        "x-ms-ests-server",
        "x-ms-srs",
        "x-xss-protection",
        "content-length",
    ];
    let parts = ["access_token", "expires_in", "ext_expires_in", "token_type"];
    assert_shape(&reply, 200, &parts, &headers);
    assert_eq!(reply.json()["expires_in"], 3599);
    assert_eq!(reply.json()["token_type"], "Bearer");
    assert_eq!(reply.header("x-ms-clitelem"), "1,0,0,,");
    assert_eq!(
        reply.header("content-type"),
        "application/json; charset=utf-8"
    );
}

#[tokio::test]
async fn refused_logins_are_answered_as_recorded() {
    let rig = Rig::start().await;
    let app = rig.app_id("rotord");
    let wrong = rig.login("rotord", "guess").await;
    assert_entra_error(
        &wrong,
        401,
        "invalid_client",
        7_000_215,
        "Invalid client secret",
    );
    assert_eq!(wrong.header("x-ms-clitelem"), "1,7000215,0,,");

    let form = [
        ("client_id", "11111111-1111-4111-8111-111111111111"),
        ("client_secret", "x"),
        ("scope", GRAPH_SCOPE),
        ("grant_type", "client_credentials"),
    ];
    let unknown = rig.login_form(&form).await;
    let text = "Application with identifier '11111111-1111-4111-8111-111111111111' was not found in the directory 'Contoso'.";
    assert_entra_error(&unknown, 400, "unauthorized_client", 700_016, text);

    let grant = rig
        .login_form(&[("grant_type", "client_credentials1")])
        .await;
    let text = "The access grant 'client_credentials1' is not supported.";
    assert_entra_error(&grant, 400, "unsupported_grant_type", 70003, text);

    let form = [
        ("client_id", app.as_str()),
        ("client_secret", "x"),
        ("grant_type", "client_credentials"),
    ];
    let scopeless = rig.login_form(&form).await;
    let text = "The request body must contain the following parameter: 'scope'.";
    assert_entra_error(&scopeless, 400, "invalid_request", 900_144, text);
}

#[tokio::test]
async fn a_missing_credential_is_found_before_the_tenant() {
    let rig = Rig::start().await;
    let form = [("grant_type", "client_credentials"), ("scope", GRAPH_SCOPE)];
    let url = rig.url("/undefined/oauth2/v2.0/token");
    let reply = rig.send(rig.http.post(&url).form(&form)).await;
    let text = "'client_assertion', 'client_secret' or 'request' is required";
    assert_entra_error(&reply, 401, "invalid_client", 7_000_216, text);
}

#[tokio::test]
async fn wrong_tenants_are_answered_as_recorded() {
    let rig = Rig::start().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "azure_client_id"),
        ("client_secret", "azure_client_secret"),
        ("scope", GRAPH_SCOPE),
    ];
    let stranger = "12345678-1234-1234-1234-123456789012";
    let url = rig.url(&format!("/{stranger}/oauth2/v2.0/token"));
    let reply = rig.send(rig.http.post(url).form(&form)).await;
    let text = "Tenant '12345678-1234-1234-1234-123456789012' not found.";
    assert_entra_error(&reply, 400, "invalid_request", 90_002, text);

    let url = rig.url("/undefined/oauth2/v2.0/token");
    let reply = rig.send(rig.http.post(url).form(&form)).await;
    let text = "Specified tenant identifier 'undefined' is neither a valid DNS name";
    assert_entra_error(&reply, 400, "invalid_request", 900_023, text);

    let url = rig.url(&format!(
        "/{stranger}/v2.0/.well-known/openid-configuration"
    ));
    let reply = rig.send(rig.http.get(url)).await;
    assert_entra_error(&reply, 400, "invalid_tenant", 90_002, "Tenant '12345678");
}

#[tokio::test]
async fn discovery_documents_are_answered_as_recorded_and_name_this_host() {
    let rig = Rig::start().await;
    let tenant = rig.standin.tenant_id();
    let url = rig.url(&format!("/{tenant}/v2.0/.well-known/openid-configuration"));
    let reply = rig.send(rig.http.get(url)).await;
    let parts = [
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        "jwks_uri",
        "response_modes_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "response_types_supported",
        "scopes_supported",
        "issuer",
        "request_uri_parameter_supported",
        "userinfo_endpoint",
        "authorization_endpoint",
        "device_authorization_endpoint",
        "http_logout_supported",
        "frontchannel_logout_supported",
        "end_session_endpoint",
        "claims_supported",
        "kerberos_endpoint",
        "tenant_region_scope",
        "cloud_instance_name",
        "cloud_graph_host_name",
        "msgraph_host",
        "rbac_url",
    ];
    let headers = [
        "access-control-allow-methods",
        "access-control-allow-origin",
        "cache-control",
        "p3p",
        "strict-transport-security",
        "x-content-type-options",
        "x-ms-ests-server",
        "x-ms-srs",
    ];
    assert_shape(&reply, 200, &parts, &headers);
    let issuer = format!("{}/{tenant}/v2.0", rig.standin.base_url());
    assert_eq!(reply.json()["issuer"], issuer);
    assert_eq!(reply.json()["token_endpoint"], rig.url(&rig.token_path()));

    let query = [
        ("api-version", "1.1"),
        (
            "authorization_endpoint",
            "https://localhost/x/oauth2/v2.0/authorize",
        ),
    ];
    let url = reqwest::Url::parse_with_params(&rig.url("/common/discovery/instance"), query);
    let reply = rig.send(rig.http.get(url.unwrap())).await;
    let parts = ["tenant_discovery_endpoint", "api-version", "metadata"];
    assert_shape(&reply, 200, &parts, &headers);
    let first = &reply.json()["metadata"][0];
    assert_eq!(
        names(first),
        BTreeSet::from(["preferred_network", "preferred_cache", "aliases"])
    );
}

#[tokio::test]
async fn add_and_remove_are_answered_as_recorded() {
    let rig = Rig::start().await;
    let path = format!("{}/addPassword", rig.object_path("payroll"));
    let wanted = json!({ "passwordCredential": {
        "displayName": "key1",
        "endDateTime": "2100-05-07T06:52:43Z",
        "startDateTime": "2022-05-07T06:52:43Z",
    }});
    let reply = rig.post(&path, &wanted).await;
    let parts = [
        "@odata.context",
        "customKeyIdentifier",
        "displayName",
        "endDateTime",
        "hint",
        "keyId",
        "secretText",
        "startDateTime",
    ];
    let headers = [
        &GRAPH_HEADERS[..],
        &[
            "odata-version",
            "x-ms-resource-unit",
            "transfer-encoding",
            "location",
        ],
    ]
    .concat();
    assert_shape(&reply, 200, &parts, &headers);
    assert_eq!(
        reply.header("content-type"),
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
    );
    let body = reply.json();
    assert_eq!(body["displayName"], "key1");
    assert_eq!(body["endDateTime"], "2100-05-07T06:52:43Z");
    assert_eq!(body["startDateTime"], "2022-05-07T06:52:43Z");
    assert_eq!(body["customKeyIdentifier"], Value::Null);
    assert!(rig::text(&body["secretText"]).starts_with(&rig::text(&body["hint"])));

    let reply = rig
        .remove_password("payroll", &rig::text(&body["keyId"]))
        .await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.body, "");
    assert!(!reply.headers.contains_key("content-type"));
    for header in ["cache-control", "date", "request-id", "x-ms-resource-unit"] {
        assert!(reply.headers.contains_key(header), "{header}");
    }
}

#[tokio::test]
async fn refused_writes_are_answered_as_recorded() {
    let mut config = rig::config();
    config.applications.push(ApplicationConfig {
        audience: Audience::AzureADAndPersonalMicrosoftAccount,
        owners: vec!["rotord".to_owned()],
        ..ApplicationConfig::named("storefront")
    });
    let rig = Rig::with(config).await;
    rig.add_password("storefront").await;
    rig.add_password("storefront").await;
    let full = rig.add_password("storefront").await;
    let message = "Not allowed to add 3 passwords. You can only add a maximum of 2 passwords.";
    assert_graph_error(&full, 400, "TooManyAppPasswords", message, true);
    assert_eq!(
        full.json()["error"]["details"],
        json!([{ "target": "passwordCredentials", "code": "TooManyAppPasswords" }])
    );

    let key = "8afd09fa-4f11-4530-b89c-c1e41921ecfe";
    let unknown = rig.remove_password("payroll", key).await;
    let message = format!("No password credential found with keyId {key}.");
    assert_graph_error(&unknown, 400, "Request_BadRequest", &message, false);

    let path = "/v1.0/applications/0c26b421-895d-4bd9-88ac-f6a300e269d9/addPassword";
    let missing = rig.post(path, &json!({})).await;
    let message = "Resource '0c26b421-895d-4bd9-88ac-f6a300e269d9' does not exist or one of its queried reference-property objects are not present.";
    assert_graph_error(&missing, 404, "Request_ResourceNotFound", message, false);

    rig.standin.add_fault(Rule::once(
        Operation::AddPassword,
        Fault::Concurrency {
            status: azure_standin::ConcurrencyStatus::Conflict,
            applied: false,
        },
    ));
    let conflict = rig.add_password("payroll").await;
    let message =
        "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.";
    assert_graph_error(
        &conflict,
        409,
        "Directory_ConcurrencyViolation",
        message,
        false,
    );

    let throttled = Fault::Throttled {
        retry_after: Some(azure_standin::RetryAfter::Seconds(10)),
        code: None,
    };
    rig.standin
        .add_fault(Rule::once(Operation::AddPassword, throttled));
    let throttled = rig.add_password("payroll").await;
    assert_graph_error(&throttled, 429, "TooManyRequests", "This request", false);
    assert_eq!(throttled.header("retry-after"), "10");
    for header in ["x-ms-throttle-scope", "x-ms-throttle-information"] {
        assert!(throttled.headers.contains_key(header), "{header}");
    }
}

#[tokio::test]
async fn lists_and_entities_are_answered_as_recorded() {
    let rig = Rig::start().await;
    let base = rig.standin.base_url();
    let filter = "/v1.0/applications?$filter=startswith(displayName,'azure-cli-test')";
    let reply = rig.get(filter).await;
    assert_shape(&reply, 200, &["@odata.context", "value"], &GRAPH_HEADERS);
    assert_eq!(
        reply.json(),
        json!({ "@odata.context": format!("{base}/v1.0/$metadata#applications"), "value": [] })
    );
    assert_eq!(reply.header("x-ms-resource-unit"), "2");

    let app = rig.app_id("payroll");
    let id = rig.standin.application("payroll").unwrap().object_id;
    let filter = format!("/v1.0/applications?$filter=appId%20eq%20%27{app}%27&$select=Id");
    assert_eq!(
        rig.get(&filter).await.json(),
        json!({
            "@odata.context": format!("{base}/v1.0/$metadata#applications(id)"),
            "value": [{ "id": id }],
        })
    );
    let entity = rig
        .get(&format!("{}?$select=Id", rig.object_path("payroll")))
        .await;
    assert_eq!(
        entity.json(),
        json!({
            "@odata.context": format!("{base}/v1.0/$metadata#applications(id)/$entity"),
            "id": id,
        })
    );
    assert_eq!(entity.header("x-ms-resource-unit"), "1");
}

#[tokio::test]
async fn refused_reads_are_answered_as_recorded() {
    let rig = Rig::with(Config {
        applications: vec![ApplicationConfig {
            secrets: vec![azure_standin::SecretConfig::text(SECRET)],
            ..ApplicationConfig::named("rotord")
        }],
        ..rig::config()
    })
    .await;
    let denied = rig.get("/v1.0/applications").await;
    let message = "Insufficient privileges to complete the operation.";
    assert_graph_error(&denied, 403, "Authorization_RequestDenied", message, false);

    let rig = Rig::start().await;
    let search = "/v1.0/applications?$search=\"displayName:Browser\"";
    let message = "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'";
    let reply = rig.get(search).await;
    assert_graph_error(&reply, 400, "Request_UnsupportedQuery", message, false);
}
