//! Bad input, by example: refused in the documented shape, and nothing changes here or at the provider.

use e2e::Reply;
use e2e::operator::{CONNECTIONS, KIND, live};
use hyper::Method;
use rotord_api::rotation::CredentialStage;
use rotord_api::routes;
use serde_json::{Value, json};
use std::time::Duration;

use crate::rig::Rig;

/// Nobody's id.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// The answer is a refusal of this kind, in the documented shape.
fn assert_refused(what: &str, reply: &Reply, status: u16, error: &str) -> Value {
    assert_eq!(reply.status, status, "{what}: {}", reply.text());
    let body = reply.json().unwrap();
    assert_eq!(body["statusCode"], json!(status), "{what}: {body}");
    assert_eq!(body["error"], json!(error), "{what}: {body}");
    assert!(body["reqId"].is_string(), "{what}: {body}");
    if status == 422 {
        let issues = body["message"].as_array().unwrap();
        assert!(!issues.is_empty(), "{what}: {body}");
        for issue in issues {
            assert!(issue["code"].is_string(), "{what}: {body}");
            assert!(issue["path"].is_array(), "{what}: {body}");
            assert!(issue["message"].is_string(), "{what}: {body}");
        }
    } else {
        let message = body["message"].as_str().unwrap();
        assert!(!message.is_empty(), "{what}");
    }
    body
}

struct Case {
    what: &'static str,
    /// Where in the body something else stands, as a JSON pointer.
    at: &'static str,
    value: Value,
    status: u16,
    /// A word of the message, or of the path of its first issue.
    word: &'static str,
}

fn case(
    what: &'static str,
    at: &'static str,
    value: impl Into<Value>,
    status: u16,
    word: &'static str,
) -> Case {
    let value = value.into();
    Case {
        what,
        at,
        value,
        status,
        word,
    }
}

fn set(body: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
}

/// Wrong by themselves.
#[rustfmt::skip]
fn bad_fields() -> Vec<Case> {
    vec![
        case("no slug", "/name", "My Rotation", 422, "name"),
        case("an empty name", "/name", "", 422, "name"),
        case("a long name", "/name", "a".repeat(65), 422, "name"),
        case("a name that is a number", "/name", 7, 422, "name"),
        case("a long description", "/description", "x".repeat(257), 422, "description"),
        case("an interval of 0", "/rotationInterval", 0, 422, "rotationInterval"),
        case("half a day more", "/rotationInterval", 1.5, 422, "rotationInterval"),
        case("a negative interval", "/rotationInterval", -3, 422, "rotationInterval"),
        case("more than Azure allows", "/rotationInterval", 910, 400, "909"),
        case("hour 24", "/rotateAtUtc/hours", 24, 422, "hours"),
        case("minute 60", "/rotateAtUtc/minutes", 60, 422, "minutes"),
        case("half an hour as a number", "/rotateAtUtc/hours", 11.5, 422, "hours"),
        case("equal names", "/secretsMapping/clientId", "BILLING_SECRET", 400, "twice"),
        case("a colon in a name", "/secretsMapping/clientId", "A:B", 422, "clientId"),
        case("a slash in a name", "/secretsMapping/clientId", "A/B", 422, "clientId"),
        case("an empty name of a secret", "/secretsMapping/clientId", " ", 422, "clientId"),
        case("an unknown output", "/secretsMapping/password", "X", 422, "password"),
        case("a connection that is no id", "/connectionId", "azure", 422, "connectionId"),
        case("a relative folder", "/secretPath", "nowhere", 422, "secretPath"),
        case("an unknown parameter", "/parameters/objectID", "x", 422, "objectID"),
        case("an object id that is none", "/parameters/objectId", "...", 422, "objectId"),
        case("parameters that are a list", "/parameters", json!([]), 422, "parameters"),
    ]
}

/// Wrong beside what there is.
#[rustfmt::skip]
fn bad_names([payroll, nobody]: &[String; 2]) -> Vec<Case> {
    let (payroll, nobody) = (payroll.as_str(), nobody.as_str());
    vec![
        case("a taken name", "/name", "payroll", 400, "already exists"),
        case("a taken secret", "/secretsMapping/clientSecret", "PAYROLL_SECRET", 400, "PAYROLL_SECRET"),
        case("no such connection", "/connectionId", nobody, 404, NOBODY),
        case("no such folder", "/secretPath", "/nowhere", 400, "/nowhere"),
        case("no such environment", "/environment", "qa", 400, "qa"),
        case("no such project", "/projectId", nobody, 400, NOBODY),
        case("another's client id", "/parameters/clientId", payroll, 400, "client id"),
        case("no such application", "/parameters/objectId", nobody, 400, "object"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_creation_changes_nothing_anywhere() {
    let rig = Rig::start(&["payroll", "billing"]).await;
    let taken = rig.create("payroll").await;
    let good = rig
        .operator
        .request(&rig.azure, rig.connection, "billing")
        .await
        .unwrap();
    let before = (
        rig.operator.rotations().await.unwrap(),
        rig.operator.secrets().await.unwrap(),
        rig.azure.writes(),
    );

    let ids = [
        rig.azure.app("payroll").unwrap().app_id.to_string(),
        NOBODY.to_owned(),
    ];
    let cases = bad_fields().into_iter().chain(bad_names(&ids));
    for Case {
        what,
        at,
        value,
        status,
        word,
    } in cases
    {
        let mut body = good.clone();
        set(&mut body, at, value);
        let reply = rig.operator.post_rotation(&body).await.unwrap();
        let error = match status {
            422 => "ValidationFailure",
            404 => "NotFound",
            _ => "BadRequest",
        };
        let refusal = assert_refused(what, &reply, status, error);
        assert!(
            refusal["message"].to_string().contains(word),
            "{what}: {word} is not in {refusal}"
        );
    }
    for field in [
        "name",
        "projectId",
        "connectionId",
        "environment",
        "secretPath",
        "rotationInterval",
        "parameters",
        "secretsMapping",
    ] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        let reply = rig.operator.post_rotation(&body).await.unwrap();
        let refusal = assert_refused(field, &reply, 422, "ValidationFailure");
        assert_eq!(refusal["message"][0]["path"][0], json!(field));
    }

    let after = (
        rig.operator.rotations().await.unwrap(),
        rig.operator.secrets().await.unwrap(),
        rig.azure.writes(),
    );
    assert_eq!(before.0.len(), after.0.len());
    assert_eq!(before.1, after.1);
    assert_eq!(before.2, after.2);
    assert!(rig.azure.issued("billing").unwrap().is_empty());
    let unchanged = rig.operator.rotation(taken.id).await.unwrap();
    assert_eq!(unchanged.updated_at, taken.updated_at);

    // What was only nearly wrong goes through, so the rest was refused for what it says.
    let reply = rig.operator.post_rotation(&good).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(rig.azure.issued("billing").unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_request_is_refused_unread() {
    let rig = Rig::start(&["payroll"]).await;
    let path = routes::rotations_of_type(KIND);
    let json = [("content-type", "application/json")];
    let post = async |body: Vec<u8>| {
        let http = &rig.operator.http;
        http.send(Method::POST, &path, &json, body).await.unwrap()
    };

    let reply = post(b"{\"name\": ".to_vec()).await;
    assert_refused("half a body", &reply, 400, "BadRequest");
    let reply = post(b"\xff\xfe".to_vec()).await;
    assert_refused("no text", &reply, 400, "BadRequest");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let reply = post(deep.into_bytes()).await;
    assert_refused("deeply nested", &reply, 400, "BadRequest");
    let reply = post(vec![b' '; 300 * 1024]).await;
    assert_refused("too large", &reply, 413, "PayloadTooLarge");
    let reply = post(b"[]".to_vec()).await;
    assert_refused("a list", &reply, 422, "ValidationFailure");
    let reply = post(Vec::new()).await;
    assert_refused("nothing", &reply, 422, "ValidationFailure");

    // It answers on, and nothing came of any of it.
    assert!(rig.operator.rotations().await.unwrap().is_empty());
    assert_eq!(rig.azure.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let http = &rig.operator.http;
    let project = &rotation.project_id;
    let place = format!("projectId={project}&environment=dev&secretPath=/");
    let nobody = NOBODY;
    for (path, word) in [
        (format!("/api/v2/secret-rotations/{KIND}/{nobody}"), nobody),
        (
            format!("/api/v2/secret-rotations/{KIND}/rotation-name/nobody?{place}"),
            "nobody",
        ),
        (
            format!("/api/v1/app-connections/{CONNECTIONS}/{nobody}"),
            nobody,
        ),
        (format!("/api/v4/secrets/NOBODY?{place}"), "NOBODY"),
        ("/api/v9/nothing".to_owned(), ""),
    ] {
        let reply = http.get(&path).await.unwrap();
        let refusal = assert_refused(&path, &reply, 404, "NotFound");
        assert!(
            refusal["message"].as_str().unwrap().contains(word),
            "{refusal}"
        );
    }

    let body = rig
        .operator
        .request(&rig.azure, rig.connection, "payroll")
        .await
        .unwrap();
    let unknown = http
        .post("/api/v2/secret-rotations/postgres-credentials", &body)
        .await
        .unwrap();
    assert!((400..500).contains(&unknown.status), "{}", unknown.text());
    let refusal = unknown.json().unwrap();
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .contains("postgres-credentials"),
        "{refusal}"
    );

    let method = http
        .send(
            Method::PUT,
            &routes::rotation(KIND, rotation.id),
            &[],
            Vec::new(),
        )
        .await
        .unwrap();
    assert!([404, 405].contains(&method.status), "{}", method.text());
    for path in [
        format!("{}?environment=dev", routes::SECRETS_V3),
        format!("{}?projectId={project}", routes::SECRETS_V4),
        routes::rotations_of_type(KIND),
    ] {
        let reply = http.get(&path).await.unwrap();
        assert!(
            [400, 422].contains(&reply.status),
            "{path}: {}",
            reply.text()
        );
    }
    let flags = format!("{}?deleteSecrets=yes", routes::rotation(KIND, rotation.id));
    let reply = http.delete(&flags).await.unwrap();
    assert!([400, 422].contains(&reply.status), "{}", reply.text());
    assert_eq!(rig.operator.rotations().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_connection_is_not_kept() {
    let rig = Rig::start(&["payroll"]).await;
    let good = rig.azure.connection("another").unwrap();
    let path = routes::connections_of_app(CONNECTIONS);
    for (what, at, value, status, word) in [
        (
            "a taken name",
            "/name",
            json!("azure"),
            400,
            "already exists",
        ),
        ("no slug", "/name", json!("An Other"), 422, "name"),
        ("no such method", "/method", json!("oauth"), 422, "method"),
        (
            "a client id that is none",
            "/credentials/clientId",
            json!("me"),
            422,
            "clientId",
        ),
        (
            "an unknown field",
            "/credentials/password",
            json!("x"),
            422,
            "password",
        ),
        (
            "a wrong secret",
            "/credentials/clientSecret",
            json!("wrong"),
            400,
            "7000215",
        ),
        (
            "another tenant",
            "/credentials/tenantId",
            json!("no.such.tenant"),
            400,
            "90002",
        ),
    ] {
        let mut body = good.clone();
        set(&mut body, at, value);
        let reply = rig.operator.http.post(&path, &body).await.unwrap();
        let error = if status == 422 {
            "ValidationFailure"
        } else {
            "BadRequest"
        };
        let refusal = assert_refused(what, &reply, status, error);
        assert!(
            refusal["message"].to_string().contains(word),
            "{what}: {refusal}"
        );
    }
    let kept = rig
        .operator
        .http
        .get(routes::CONNECTIONS)
        .await
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(kept["appConnections"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_rotation_at_a_time_is_refused() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.hold_up_proofs();
    let rotate = routes::rotate_secrets(KIND, rotation.id);
    let http = rig.operator.http.clone();
    let first = tokio::spawn({
        let (http, rotate) = (http.clone(), rotate.clone());
        async move { http.post(&rotate, &json!(null)).await }
    });
    rig.until("the first run's credential", &rotation, |rotation| {
        live(rotation).any(|credential| credential.stage == CredentialStage::Pending)
    })
    .await;
    let second = http.post(&rotate, &json!(null)).await.unwrap();
    let refusal = assert_refused("a second run", &second, 400, "BadRequest");
    assert_eq!(
        refusal["message"],
        json!("A rotation is already in progress. Please try again shortly.")
    );
    rig.azure.standin.advance(Duration::from_secs(61));
    let first = first.await.unwrap().unwrap();
    assert!([200, 202].contains(&first.status), "{}", first.text());
    rig.until("the end of the first", &rotation, |rotation| {
        rotation.active_index == 1
    })
    .await;
}
