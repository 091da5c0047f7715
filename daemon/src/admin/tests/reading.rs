//! Reading secrets, on both sockets.

use std::io::Read as _;

use futures_util::future::join;
use rotord_api::routes;
use serde_json::{Value, json};

use super::house::{Answer, House, ROTATIONS, TOKEN, grant};
use crate::admin::crowd;
use crate::settings::{CredentialGrant, ReaderGrant};

fn list(house: &House, route: &str, project: &str) -> String {
    format!(
        "{route}?{project}={}&environment=dev&secretPath=%2F&tagSlugs=&include_imports=true",
        house.project
    )
}

#[actix_rt::test]
async fn both_routes_answer_what_their_clients_need() {
    let (house, connection) = House::connected().await;
    let rotation = house
        .get(&house.rotation(&connection).await)
        .await
        .rotation();
    for (route, project) in [
        ("/api/v3/secrets/raw", "workspaceId"),
        ("/api/v4/secrets", "projectId"),
    ] {
        let listed = house.get(&list(&house, route, project)).await;
        listed.is(200);
        assert_eq!(listed.body["imports"], json!([]));
        let secrets = listed.body["secrets"].as_array().unwrap();
        assert_eq!(secrets.len(), 2);
        let secret = &secrets[1];
        assert_eq!(secret["secretKey"], "ECHO_VALUE");
        assert!(
            secret["secretValue"]
                .as_str()
                .unwrap()
                .starts_with("value-")
        );
        assert_eq!(secret["id"], secret["_id"]);
        assert_eq!(secret["workspace"], house.project);
        assert_eq!(secret["type"], "shared");
        assert_eq!(secret["secretComment"], "");
        assert_eq!(secret["version"], 1);
        assert_eq!(secret["isRotatedSecret"], true);
        assert_eq!(secret["rotationId"], rotation["id"]);
        let one = list(&house, &format!("{route}/ECHO_VALUE"), project);
        let one = house.get(&one).await;
        assert_eq!(one.body["secret"], *secret);
        assert_eq!(one.headers["cache-control"], "no-store");
    }
    // The same values by the same caller, however they were asked for.
    assert_eq!(
        house.noted("get-secrets").await + house.noted("get-secret").await,
        2
    );
    let audit = format!("{:?}", house.audit().await);
    assert!(!audit.contains("value-"), "{audit}");
}

#[actix_rt::test]
async fn the_audit_is_read_on_the_admin_socket_newest_first_and_also_of_what_is_gone() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let id = house.get(&path).await.rotation()["id"].clone();
    let id = id.as_str().unwrap();
    house.delete(&path).await.is(200);
    let audit = |query: &str| format!("{}?{query}", routes::AUDIT);
    let all = house.get(&audit("")).await;
    all.is(200);
    let entries = all.body["entries"].as_array().unwrap();
    assert_eq!(entries[0]["action"], "delete-secret-rotation");
    assert_eq!(
        entries[0]["peer"]["uid"],
        rustix::process::geteuid().as_raw()
    );
    let of_it = house.get(&audit(&format!("rotationId={id}"))).await;
    let of_it = of_it.body["entries"].as_array().unwrap();
    assert!(of_it.len() > 1 && of_it.len() < entries.len(), "{of_it:?}");
    for entry in of_it {
        assert_eq!(entry["rotationId"], id);
        assert_eq!(entry["rotationName"], of_it[0]["detail"]["name"]);
    }
    let first = house.get(&audit("limit=1")).await;
    assert_eq!(first.body["entries"], json!([entries[0]]));
    let second = format!("limit=1&before={}", entries[0]["id"]);
    let second = house.get(&audit(&second)).await;
    assert_eq!(second.body["entries"], json!([entries[1]]));
    for wrong in ["limit=0", "limit=1001", "limit=many", "rotationId=billing"] {
        house.get(&audit(wrong)).await.is(422);
    }
    house.read(&audit("")).await.is(403);
}

#[actix_rt::test]
async fn values_can_be_left_out_and_versions_asked_for() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let one = list(&house, "/api/v4/secrets/ECHO_VALUE", "projectId");
    let hidden = house
        .get(&format!("{one}&viewSecretValue=false"))
        .await
        .body["secret"]
        .clone();
    assert_eq!(
        (&hidden["secretValue"], &hidden["secretValueHidden"]),
        (&json!(""), &json!(true))
    );
    assert_eq!(house.noted("get-secret").await, 0);
    let first = house.get(&one).await.body["secret"]["secretValue"].clone();
    house.order(&format!("{path}/rotate-secrets")).await.is(200);
    let second = house.get(&one).await.body["secret"].clone();
    assert_eq!(second["version"], 2);
    assert_ne!(second["secretValue"], first);
    let old = house.get(&format!("{one}&version=1")).await.body["secret"].clone();
    assert_eq!(old["secretValue"], first);
    house.get(&format!("{one}&version=9")).await.is(404);
    house.get(&format!("{one}&version=x")).await.is(422);
}

#[actix_rt::test]
async fn an_etag_spares_the_second_read_until_something_changes() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    for route in ["/api/v4/secrets", "/api/v3/secrets/raw/ECHO_VALUE"] {
        let path_of_secret = list(&house, route, "projectId");
        let tag = house.get(&path_of_secret).await.headers["etag"]
            .to_str()
            .unwrap()
            .to_owned();
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ] {
            let same = house
                .get_with(&path_of_secret, &[("if-none-match", &known)])
                .await;
            same.is(304);
            assert_eq!(same.body, Value::Null);
            assert_eq!(same.headers["etag"], tag.as_str());
        }
        house.order(&format!("{path}/rotate-secrets")).await.is(200);
        let changed = house
            .get_with(&path_of_secret, &[("if-none-match", &tag)])
            .await;
        changed.is(200);
        assert_ne!(changed.headers["etag"], tag.as_str());
    }
}

#[actix_rt::test]
async fn a_tag_changes_with_what_is_answered_and_with_nothing_else() {
    let house = granted(Vec::new()).await;
    let base = format!("projectId={}&environment=dev", house.project);
    let rotations = format!("{}?projectId={}", routes::ROTATIONS, house.project);
    let rotations = house.get(&rotations).await.body["secretRotations"].clone();
    let rotations = rotations.as_array().unwrap();
    let named = |name: &str| rotations.iter().find(|rotation| rotation["name"] == name);
    let rotation = |name: &str| {
        let id = named(name).unwrap()["id"].as_str().unwrap();
        format!("{ROTATIONS}/{id}")
    };
    let of_app = [
        format!("/api/v4/secrets?{base}&secretPath=/app"),
        format!("/api/v3/secrets/raw/ECHO_VALUE?{base}&secretPath=/app"),
        format!("/api/v4/secrets?{base}"),
    ];
    let of_others = [
        format!("/api/v4/secrets?{base}&recursive=false"),
        format!("/api/v4/secrets/ECHO_VALUE?{base}"),
        format!("/api/v4/secrets/ECHO_VALUE?{base}&secretPath=/app&version=1"),
        format!(
            "/api/v4/secrets?projectId={}&environment=prod",
            house.project
        ),
    ];
    let tags = async |paths: &[String]| {
        let mut tags = Vec::new();
        for path in paths {
            let answer = house.get(path).await;
            answer.is(200);
            tags.push(answer.headers["etag"].to_str().unwrap().to_owned());
        }
        tags
    };
    let (changing, staying) = (tags(&of_app).await, tags(&of_others).await);
    let rotate = format!("{}/rotate-secrets", rotation("app"));
    house.order(&rotate).await.is(200);
    assert_eq!(tags(&of_others).await, staying);
    for (before, now) in changing.iter().zip(tags(&of_app).await) {
        assert_ne!(*before, now);
    }
    // The same secrets without their values are another answer.
    let hidden = format!("{}&viewSecretValue=false", of_others[1]);
    assert_ne!(tags(&[hidden]).await[0], staying[1]);
}

#[actix_rt::test]
async fn who_waits_for_a_change_is_answered_when_it_comes_and_not_before() {
    let (house, connection) = House::connected().await;
    let path = house.rotation(&connection).await;
    let secret = list(&house, "/api/v3/secrets/raw/ECHO_VALUE", "projectId");
    let tag = house.get(&secret).await.headers["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    let (house, secret, tag) = (&house, &secret, &tag);
    let until = |seconds: u32| async move {
        let wait = format!("respond-async, wait={seconds}");
        let headers = [("if-none-match", tag.as_str()), ("prefer", wait.as_str())];
        house.get_with(secret, &headers).await
    };
    // Another write is no change of what is read.
    let (same, _) = join(until(1), house.connect("other", json!({"token": TOKEN}))).await;
    same.is(304);
    let rotate = format!("{path}/rotate-secrets");
    let (changed, rotated) = join(until(60), house.order(&rotate)).await;
    rotated.is(200);
    changed.is(200);
}

#[actix_rt::test]
async fn what_does_not_exist_is_404_whatever_the_caller_knows() {
    let (house, connection) = House::connected().await;
    house.rotation(&connection).await;
    let there = list(&house, "/api/v4/secrets", "projectId");
    let tag = house.get(&there).await.headers["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    let base = format!("projectId={}&environment=dev", house.project);
    for path in [
        format!("/api/v4/secrets/NONE?{base}"),
        format!("/api/v3/secrets/raw/NONE?{base}"),
        format!("/api/v4/secrets/ECHO_VALUE?{base}&version=9"),
        format!("/api/v4/secrets?{base}&secretPath=/none"),
    ] {
        for known in [tag.as_str(), "*"] {
            house
                .get_with(&path, &[("if-none-match", known)])
                .await
                .is(404);
        }
    }
}

#[actix_rt::test]
async fn folders_below_are_listed_by_v4_and_not_by_v3_where_nothing_is_said() {
    let house = granted(Vec::new()).await;
    let base = format!("projectId={}&environment=dev", house.project);
    let here = ["/:ECHO_NAME", "/:ECHO_VALUE"];
    let all = [&here[..], &["/app:ECHO_NAME", "/app:ECHO_VALUE"]].concat();
    for (route, said, wanted) in [
        ("/api/v4/secrets", "", &all[..]),
        ("/api/v4/secrets", "&recursive=true", &all),
        ("/api/v4/secrets", "&recursive=false", &here),
        ("/api/v3/secrets/raw", "", &here),
        ("/api/v3/secrets/raw", "&recursive=true", &all),
        ("/api/v3/secrets/raw", "&recursive=false", &here),
    ] {
        let listed = house.get(&format!("{route}?{base}{said}")).await;
        assert_eq!(names(&listed), wanted, "{route} {said}");
    }
}

#[actix_rt::test]
async fn what_is_missing_or_unknown_is_said() {
    let house = House::open().await;
    house
        .get("/api/v4/secrets")
        .await
        .is(400)
        .says("Missing workspace id or environment");
    house
        .get("/api/v3/secrets/raw?environment=dev")
        .await
        .is(400);
    house
        .get("/api/v4/secrets?projectId=none&environment=dev")
        .await
        .is(404);
    let moon = format!(
        "/api/v4/secrets?projectId={}&environment=moon",
        house.project
    );
    house.get(&moon).await.is(404).says("moon");
    let path = format!(
        "/api/v4/secrets?projectId={}&environment=dev&secretPath=/none",
        house.project
    );
    house.get(&path).await.is(404);
    house
        .get(&list(&house, "/api/v4/secrets/NONE", "projectId"))
        .await
        .is(404)
        .says("NONE");
    // Nothing here has a tag.
    let house = granted(Vec::new()).await;
    let base = format!(
        "/api/v4/secrets?projectId={}&environment=dev",
        house.project
    );
    for (filter, all) in [
        ("&tagSlugs=&metadataFilter=", true),
        ("&tagSlugs=prod", false),
        ("&metadataFilter=key%3Da", false),
    ] {
        let listed = names(&house.get(&format!("{base}{filter}")).await);
        assert_eq!(!listed.is_empty(), all, "{filter}");
    }
    // By its slug, as one client does.
    house
        .get("/api/v3/secrets/raw?workspaceSlug=default&environment=dev")
        .await
        .is(200);
}

async fn granted(grants: Vec<ReaderGrant>) -> House {
    let house = House::with(|settings| settings.reader.grants = grants).await;
    let connection = house.connect("echo", json!({})).await;
    house.rotation(&connection).await;
    let mut app = house.request(&connection);
    house
        .post(
            "/api/v1/folders",
            &json!({"projectId": house.project, "environment": "dev", "name": "app"}),
        )
        .await
        .is(200);
    app["name"] = json!("app");
    app["secretPath"] = json!("/app");
    house.post(ROTATIONS, &app).await.is(200);
    house
}

fn names(answer: &Answer) -> Vec<String> {
    answer.is(200);
    let secrets = answer.body["secrets"].as_array().unwrap();
    let name = |s: &Value| {
        format!(
            "{}:{}",
            s["secretPath"].as_str().unwrap(),
            s["secretKey"].as_str().unwrap()
        )
    };
    secrets.iter().map(name).collect()
}

#[actix_rt::test]
async fn a_reader_sees_what_is_granted_and_nothing_else_looks_different_from_nothing() {
    let house = granted(vec![grant("/", &["ECHO_VALUE"])]).await;
    let base = format!("projectId={}&environment=dev", house.project);
    let all = house.read(&format!("/api/v4/secrets?{base}")).await;
    assert_eq!(names(&all), ["/:ECHO_VALUE"]);
    let recursive = house
        .read(&format!("/api/v4/secrets?{base}&recursive=true"))
        .await;
    assert_eq!(names(&recursive), ["/:ECHO_VALUE"]);
    house
        .read(&format!("/api/v3/secrets/raw/ECHO_VALUE?{base}"))
        .await
        .is(200);

    // There, not there, another folder, environment or project, another route: all alike.
    let other = house
        .post("/api/v1/projects", &json!({"projectName": "Other"}))
        .await;
    let other = other.body["project"]["id"].as_str().unwrap();
    let mut refused = Vec::new();
    for path in [
        format!("/api/v4/secrets/ECHO_NAME?{base}"),
        format!("/api/v4/secrets/NONE?{base}"),
        format!("/api/v4/secrets?{base}&secretPath=/app"),
        format!("/api/v4/secrets?{base}&secretPath=/none"),
        format!(
            "/api/v4/secrets?projectId={}&environment=prod",
            house.project
        ),
        format!(
            "/api/v4/secrets?projectId={}&environment=moon",
            house.project
        ),
        format!("/api/v4/secrets?projectId={other}&environment=dev"),
        "/api/v4/secrets?projectId=none&environment=dev".to_owned(),
        "/api/v1/rotord/status".to_owned(),
        "/api/v1/projects".to_owned(),
        "/nothing".to_owned(),
    ] {
        let mut answer = house.read(&path).await;
        answer.is(403);
        answer.body["reqId"] = json!("");
        refused.push((path, answer.body));
    }
    for (path, body) in &refused {
        assert_eq!(*body, refused[0].1, "{path}");
    }
}

#[actix_rt::test]
async fn what_is_granted_in_one_project_is_not_in_another() {
    let house = granted(vec![ReaderGrant {
        project: "other".to_owned(),
        ..grant("/", &["ECHO_VALUE"])
    }])
    .await;
    let project = json!({"projectName": "Other"});
    let other = house.post("/api/v1/projects", &project).await;
    let other = other.body["project"]["id"].as_str().unwrap().to_owned();
    let connection = house.connect("echo-too", json!({})).await;
    let mut rotation = house.request(&connection);
    rotation["projectId"] = json!(other);
    house.post(ROTATIONS, &rotation).await.is(200);
    for (project, status) in [
        (other.as_str(), 200),
        ("other", 200),
        (house.project.as_str(), 403),
        ("default", 403),
    ] {
        // Over the admin socket first: what is kept of that is not for readers.
        let base = format!("projectId={project}&environment=dev");
        for path in [
            format!("/api/v4/secrets/ECHO_VALUE?{base}"),
            format!("/api/v4/secrets?{base}"),
        ] {
            house.get(&path).await.is(200);
            house.read(&path).await.is(status);
        }
    }
}

#[actix_rt::test]
async fn a_whole_folder_can_be_granted_and_is_tagged_by_what_is_seen() {
    let house = granted(vec![grant("/app", &["*"]), grant("/", &["ECHO_NAME"])]).await;
    let base = format!("projectId={}&environment=dev", house.project);
    let below = house
        .read(&format!("/api/v4/secrets?{base}&recursive=true"))
        .await;
    assert_eq!(
        names(&below),
        ["/:ECHO_NAME", "/app:ECHO_NAME", "/app:ECHO_VALUE"]
    );
    let tag = below.headers["etag"].to_str().unwrap();
    let path = format!("/api/v4/secrets?{base}&recursive=true");
    house
        .read_with(&path, &[("if-none-match", tag)])
        .await
        .is(304);
    assert_ne!(
        house.get(&path).await.headers["etag"],
        tag,
        "another view has another tag"
    );
}

#[actix_rt::test]
async fn without_a_grant_everything_is_403_before_anything_is_looked_at() {
    let stranger = ReaderGrant {
        uids: vec![rustix::process::geteuid().as_raw() + 1],
        ..grant("/", &["*"])
    };
    let house = granted(vec![stranger]).await;
    let mut refused = Vec::new();
    for path in [
        "/api/v4/secrets",
        "/api/v4/secrets?recursive=perhaps",
        "/api/v4/secrets?environment=%ff&recursive",
        "/api/v4/secrets/X?version=x",
        "/api/v3/secrets/raw",
        "/nothing",
    ] {
        let mut answer = house.read(path).await;
        answer.is(403);
        assert_eq!(answer.headers["connection"], "close", "{path}");
        assert_eq!(answer.body["details"], json!([]));
        answer.body["reqId"] = json!("");
        refused.push(answer.body);
    }
    assert!(refused.iter().all(|body| *body == refused[0]));
}

#[actix_rt::test]
async fn one_user_cannot_take_all_connections_to_the_reader_socket() {
    let house = granted(vec![grant("/", &["*"])]).await;
    let connect = || std::os::unix::net::UnixStream::connect(house.reader()).unwrap();
    let held: Vec<_> = (0..crowd::OF_ONE).map(|_| connect()).collect();
    let mut beyond = connect();
    let shut = tokio::task::spawn_blocking(move || {
        let mut answered = Vec::new();
        beyond.read_to_end(&mut answered).map(|_| answered)
    });
    // One that is let in hears after some seconds that it is too slow.
    assert_eq!(shut.await.unwrap().unwrap(), b"");
    drop(held);
    let path = format!(
        "/api/v4/secrets/ECHO_NAME?projectId={}&environment=dev",
        house.project
    );
    house.get(&path).await.is(200);
}

#[actix_rt::test]
async fn a_secret_goes_once_no_rotation_feeds_it_and_is_noted() {
    let (house, connection) = House::connected().await;
    let rotation = house.rotation(&connection).await;
    let one = list(&house, "/api/v4/secrets/ECHO_VALUE", "projectId");
    house
        .delete(&one)
        .await
        .is(400)
        .says("Cannot delete rotated secret ECHO_VALUE");
    house.get(&one).await.is(200);
    house.delete(&rotation).await.is(200);
    let kept = house.get(&one).await;
    kept.is(200);
    let gone = house.delete(&one).await;
    gone.is(200);
    assert_eq!(gone.body["secret"]["id"], kept.body["secret"]["id"]);
    assert_eq!(gone.body["secret"]["secretValueHidden"], true);
    assert_eq!(gone.body["secret"]["secretValue"], "");
    for version in ["", "&version=1"] {
        house.get(&format!("{one}{version}")).await.is(404);
    }
    house.delete(&one).await.is(404).says("ECHO_VALUE");
    assert_eq!(house.noted("delete-secret").await, 1);
    // As one client sends it.
    let body = json!({"workspaceId": house.project, "environment": "dev", "secretPath": "/", "type": "shared"});
    house
        .send(
            "DELETE",
            "/api/v3/secrets/raw/ECHO_NAME",
            Some(body.to_string()),
        )
        .await
        .is(200);
    let left = house
        .get(&list(&house, "/api/v4/secrets", "projectId"))
        .await;
    assert_eq!(left.body["secrets"], json!([]));
}

#[actix_rt::test]
async fn a_reader_deletes_nothing() {
    let house = granted(vec![grant("/", &["*"])]).await;
    let path = list(&house, "/api/v4/secrets/ECHO_VALUE", "projectId");
    house.delete_as_reader(&path).await.is(403);
    house.read(&path).await.is(200);
}

#[actix_rt::test]
async fn a_rotation_says_to_whom_its_secrets_are_granted() {
    let house = House::with(|settings| {
        let all = |path: &str| ReaderGrant {
            gids: vec![4711],
            ..grant(path, &["*"])
        };
        settings.reader.grants = vec![grant("/", &["ECHO_NAME"]), all("/"), all("/elsewhere")];
        settings.credentials.grants = ["ECHO_VALUE", "OTHER"]
            .map(|secret| CredentialGrant {
                unit: format!("{}.service", secret.to_lowercase()),
                credential: "c".to_owned(),
                project: "default".to_owned(),
                environment: "dev".to_owned(),
                path: "/".to_owned(),
                secret: secret.to_owned(),
            })
            .into();
    })
    .await;
    let connection = house.connect("echo", json!({})).await;
    let path = house.rotation(&connection).await;
    let ours = rustix::process::geteuid().as_raw();
    let readers = house.get(&path).await.rotation()["state"]["readers"].clone();
    assert_eq!(readers.as_array().unwrap().len(), 3, "{readers}");
    let readers = readers.to_string();
    for reader in [
        format!("\"users {ours}\""),
        format!("\"users {ours} and groups 4711\""),
        "echo_value.service".to_owned(),
    ] {
        assert!(readers.contains(&reader), "{readers}");
    }
}
