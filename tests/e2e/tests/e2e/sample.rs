//! The documented example, and what a client of this route family does after it.

use e2e::azure::SAMPLE_RESPONSE;
use e2e::command::Line;
use e2e::operator::{CONNECTIONS, KIND};
use hyper::Method;
use rotord_api::routes;
use serde_json::{Value, json};

use crate::rig::Rig;

/// Every field of `documented` is in `answer`, with the same type of JSON.
fn assert_same_shape(documented: &Value, answer: &Value, path: &str) {
    match (documented, answer) {
        (Value::Object(documented), Value::Object(answer)) => {
            for (name, value) in documented {
                let path = format!("{path}.{name}");
                let answered = answer
                    .get(name)
                    .unwrap_or_else(|| panic!("{path} is missing"));
                assert_same_shape(value, answered, &path);
            }
        }
        (documented, answer) => assert_eq!(
            std::mem::discriminant(documented),
            std::mem::discriminant(answer),
            "{path}: {documented} is documented, {answer} was answered"
        ),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_request_is_answered_with_the_sample_response() {
    let rig = Rig::start(&["payroll"]).await;
    let project = rig.operator.project().await.unwrap();
    let request = rig
        .azure
        .sample_request("payroll", &project, rig.connection)
        .unwrap();
    let ended = Line::new("curl")
        .args(["--silent", "--show-error", "--request", "POST"])
        .args([
            "--url",
            "http://localhost/api/v2/secret-rotations/azure-client-secret",
        ])
        .args(["--header", "Content-Type: application/json"])
        .args(["--data", &request])
        .args(["--write-out", "\n%{http_code}", "--unix-socket"])
        .args([rig.daemon.admin().socket()])
        .run()
        .await
        .unwrap()
        .well()
        .unwrap();
    let (answer, status) = ended.rsplit_once('\n').unwrap();
    assert_eq!(status, "200", "{answer}");
    let answer: Value = serde_json::from_str(answer).unwrap();
    let documented: Value = serde_json::from_str(SAMPLE_RESPONSE).unwrap();
    assert_same_shape(&documented, &answer, "");

    let (rotation, request): (&Value, Value) = (
        &answer["secretRotation"],
        serde_json::from_str(&request).unwrap(),
    );
    for echoed in [
        "name",
        "description",
        "projectId",
        "connectionId",
        "isAutoRotationEnabled",
        "rotationInterval",
        "rotateAtUtc",
        "parameters",
        "secretsMapping",
    ] {
        assert_eq!(rotation[echoed], request[echoed], "{echoed}");
    }
    for (pointer, value) in [
        ("/connection/app", json!("azure")),
        ("/connection/name", json!("azure")),
        ("/environment/slug", json!("dev")),
        ("/environment/name", json!("Development")),
        ("/folder/path", json!("/")),
        ("/rotationStatus", json!("success")),
        ("/activeIndex", json!(0)),
        ("/type", json!(KIND)),
    ] {
        assert_eq!(rotation.pointer(pointer), Some(&value), "{pointer}");
    }
    for at in [
        "createdAt",
        "updatedAt",
        "lastRotatedAt",
        "lastRotationAttemptedAt",
        "nextRotationAt",
    ] {
        let text = rotation[at].as_str().unwrap();
        assert!(
            chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.3fZ").is_ok(),
            "{at}: {text}"
        );
    }
    let next = rotation["nextRotationAt"].as_str().unwrap();
    assert!(next.ends_with("T00:00:00.000Z"), "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_created_is_found_by_every_way() {
    let rig = Rig::start(&["payroll"]).await;
    let created = rig.create("payroll").await;
    let http = &rig.operator.http;
    let project = &created.project_id;
    let place = format!("projectId={project}&environment=dev&secretPath=/");
    for path in [
        routes::rotation(KIND, created.id),
        format!("{}?{place}", routes::rotation_by_name(KIND, "payroll")),
        routes::of_rotation(routes::ROTATION_OF_ANY_TYPE, created.id),
    ] {
        let found = http.get(&path).await.unwrap().json().unwrap();
        assert_eq!(
            found["secretRotation"]["id"],
            json!(created.id.to_string()),
            "{path}"
        );
    }
    for path in [
        format!("{}?projectId={project}", routes::ROTATIONS),
        format!("{}?projectId={project}", routes::rotations_of_type(KIND)),
    ] {
        let found = http.get(&path).await.unwrap().json().unwrap();
        let found = found["secretRotations"].as_array().unwrap();
        assert_eq!(found.len(), 1, "{path}");
        // Credentials are never in it.
        assert!(!found[0].to_string().contains("secretText"));
    }
    let options = http.get(routes::ROTATION_OPTIONS).await.unwrap();
    let options = options.json().unwrap();
    assert_eq!(
        options["secretRotationOptions"][0],
        json!({
            "name": "Azure Client Secret", "connection": CONNECTIONS, "type": KIND,
            "template": {"secretsMapping":
                {"clientId": "AZURE_CLIENT_ID", "clientSecret": "AZURE_CLIENT_SECRET"}}
        })
    );
    let openapi = http.get(routes::OPENAPI).await.unwrap().json().unwrap();
    for path in [
        routes::ROTATIONS_OF_TYPE,
        routes::SECRETS_V3,
        routes::CHOICES,
    ] {
        assert!(openapi["paths"].get(path).is_some(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mapped_secrets_are_read_by_either_version_with_an_etag() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let http = &rig.operator.http;
    let project = &rotation.project_id;
    let credentials = http
        .get(&routes::generated_credentials(KIND, rotation.id))
        .await
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(credentials["activeIndex"], json!(0));
    let generated = credentials["generatedCredentials"].as_array().unwrap();
    assert_eq!(generated.len(), 1);

    for path in [
        format!(
            "{}?workspaceId={project}&environment=dev&include_imports=true&recursive=false",
            routes::SECRETS_V3
        ),
        format!(
            "{}?projectId={project}&environment=dev&secretPath=/&includeImports=true",
            routes::SECRETS_V4
        ),
    ] {
        let reply = http.get(&path).await.unwrap();
        let answer = reply.json().unwrap();
        assert_eq!(answer["imports"], json!([]), "{path}");
        let secrets = answer["secrets"].as_array().unwrap();
        let value = |name: &str| {
            let named = secrets.iter().find(|secret| secret["secretKey"] == name);
            named.unwrap()["secretValue"].clone()
        };
        assert_eq!(value("PAYROLL_ID"), generated[0]["clientId"]);
        assert_eq!(value("PAYROLL_SECRET"), generated[0]["clientSecret"]);
        for secret in secrets {
            assert_eq!(secret["id"], secret["_id"]);
            assert_eq!(secret["isRotatedSecret"], json!(true));
            assert_eq!(secret["secretComment"], json!(""));
        }

        let etag = reply.header("etag").unwrap().to_owned();
        let again = [("if-none-match", etag.as_str())];
        let same = http
            .send(Method::GET, &path, &again, Vec::new())
            .await
            .unwrap();
        assert_eq!((same.status, same.text()), (304, String::new()), "{path}");
    }

    let one = format!(
        "{}/PAYROLL_SECRET?workspaceId={project}&environment=dev&secretName=PAYROLL_SECRET&type=shared",
        routes::SECRETS_V3
    );
    let before = http.get(&one).await.unwrap();
    let rotated = rig.rotate(&rotation).await;
    assert_eq!(rotated.active_index, 1);
    let etag = before.header("etag").unwrap();
    let after = http
        .send(Method::GET, &one, &[("if-none-match", etag)], Vec::new())
        .await
        .unwrap();
    assert_eq!(after.status, 200);
    let (before, after) = (before.json().unwrap(), after.json().unwrap());
    assert_ne!(
        before["secret"]["secretValue"],
        after["secret"]["secretValue"]
    );
    assert_eq!(after["secret"]["version"], json!(2));
    assert_eq!(before["secret"]["id"], after["secret"]["id"]);

    let check = http
        .post(&routes::check_credentials(KIND, rotation.id), &json!(null))
        .await
        .unwrap();
    assert_eq!((check.status, check.text()), (204, String::new()));
    rig.azure.standin.disable("payroll", true).unwrap();
    let check = http
        .post(&routes::check_credentials(KIND, rotation.id), &json!(null))
        .await
        .unwrap();
    assert_eq!(check.status, 400, "{}", check.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_slots_hold_a_credential_that_works_once_it_has_rotated() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.rotate(&rotation).await;
    let path = routes::generated_credentials(KIND, rotation.id);
    let credentials = rig.operator.http.get(&path).await.unwrap().json().unwrap();
    let generated = credentials["generatedCredentials"].as_array().unwrap();
    assert_eq!(generated.len(), 2);
    assert_eq!(credentials["activeIndex"], json!(1));
    let published = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    assert_eq!(generated[1]["clientSecret"], json!(published));
    for credential in generated {
        let text = credential["clientSecret"].as_str().unwrap();
        let check = rig.azure.standin.check_login("payroll", text).unwrap();
        assert!(check.works_everywhere());
        assert_eq!(
            check.key_id.unwrap().to_string(),
            credential["keyId"].as_str().unwrap()
        );
    }
}
