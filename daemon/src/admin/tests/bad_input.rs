//! Bad input, by example: each is answered in shape and changes nothing.

use serde_json::{Value, json};

use super::house::{House, ROTATIONS, TOKEN};

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// Nothing was reserved, stored or noted.
async fn nothing_changed(house: &House) {
    let list = format!("{ROTATIONS}?projectId={}", house.project);
    let rotations = house.get(&list).await;
    assert_eq!(rotations.body["secretRotations"], json!([]));
    assert_eq!(house.noted("create-secret-rotation").await, 0);
}

#[actix_rt::test]
async fn wrong_fields_are_422_and_named() {
    let (house, connection) = House::connected().await;
    let body = house.request(&connection);
    for (field, value, path) in [
        ("name", json!("Not A Slug"), json!(["name"])),
        ("name", json!("a".repeat(65)), json!(["name"])),
        (
            "description",
            json!("d".repeat(257)),
            json!(["description"]),
        ),
        ("rotationInterval", json!(0), json!(["rotationInterval"])),
        ("rotationInterval", json!(1.5), json!(["rotationInterval"])),
        (
            "rotationInterval",
            json!("soon"),
            json!(["rotationInterval"]),
        ),
        (
            "rotateAtUtc",
            json!({"hours": 24, "minutes": 0}),
            json!(["rotateAtUtc", "hours"]),
        ),
        ("connectionId", json!("..."), json!(["connectionId"])),
        ("secretPath", json!("relative"), json!(["secretPath"])),
        (
            "secretsMapping",
            json!({"name": "A", "value": "B:C"}),
            json!(["secretsMapping", "value"]),
        ),
        (
            "secretsMapping",
            json!({"name": "A", "value": "B/C"}),
            json!(["secretsMapping", "value"]),
        ),
        (
            "secretsMapping",
            json!({"name": "A"}),
            json!(["secretsMapping", "value"]),
        ),
        (
            "secretsMapping",
            json!({"name": "A", "value": "B", "id": "C"}),
            json!(["secretsMapping", "id"]),
        ),
        ("parameters", json!({}), json!(["parameters", "key"])),
        (
            "parameters",
            json!({"key": "k", "colour": "red"}),
            json!(["parameters", "colour"]),
        ),
        (
            "parameters",
            json!({"key": "k", "url": "ftp://x"}),
            json!(["parameters", "url"]),
        ),
        ("timeZone", json!("Europe/Berlin"), json!(["timeZone"])),
    ] {
        let answer = house
            .post(ROTATIONS, &with(body.clone(), field, value))
            .await;
        answer.is(422);
        assert_eq!(answer.body["message"][0]["path"], path, "{}", answer.body);
        assert_eq!(answer.body["error"], "ValidationFailure");
    }
    let mut moon = with(body, "timeZone", json!("Europe/Moon"));
    moon["rotateAtLocal"] = json!({"hours": 1, "minutes": 0});
    house.post(ROTATIONS, &moon).await.is(422).says("IANA");
    nothing_changed(&house).await;
}

#[actix_rt::test]
async fn what_does_not_exist_or_fit_is_refused_with_its_name() {
    let (house, connection) = House::connected().await;
    let body = house.request(&connection);
    let unknown = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
    for (field, value, status, says) in [
        ("connectionId", json!(unknown), 404, unknown),
        (
            "environment",
            json!("moon"),
            400,
            "environment \\\"moon\\\" in project",
        ),
        (
            "environment",
            json!("moon"),
            400,
            ": there is dev, staging, prod",
        ),
        (
            "secretPath",
            json!("/none/such"),
            400,
            "folder with path \\\"/none/such\\\"",
        ),
        ("secretPath", json!("/none/such"), 400, ": there is /"),
        (
            "projectId",
            json!("none"),
            400,
            "project with ID or slug \\\"none\\\"",
        ),
        ("rotationInterval", json!(366), 400, "365 days"),
        // The provider's own word, such as that two ids are of two applications.
        (
            "parameters",
            json!({"key": "k", "behaviour": "fault:invalid-input", "at": "inspect"}),
            400,
            "as it was asked for",
        ),
    ] {
        let answer = house
            .post(ROTATIONS, &with(body.clone(), field, value))
            .await;
        answer.is(status).says(says);
    }
    house
        .post("/api/v2/secret-rotations/nothing", &body)
        .await
        .is(404)
        .says("no provider nothing: there is echo");
    // Which kind it should be comes before the fields, which are that kind's.
    for (path, says) in [
        (
            "/api/v2/secret-rotations/eco",
            "no provider eco: did you mean echo?",
        ),
        (
            "/api/v1/app-connections/zork",
            "no kind of App Connection zork: there is echo",
        ),
    ] {
        house.post(path, &json!({})).await.is(404).says(says);
    }
    let rotation = "/api/v2/secret-rotations/echo/3c90c3cc-0d44-4b50-8888-8dd25736052a";
    let wrong = format!("{rotation}?revokeGeneratedCredentials=true&deleteSecrets=maybe");
    let answer = house.delete(&wrong).await;
    answer.is(422).says("must be \\\"true\\\" or \\\"false\\\"");
    assert_eq!(answer.body["message"][0]["path"], json!(["deleteSecrets"]));
    nothing_changed(&house).await;
}

#[actix_rt::test]
async fn bodies_that_are_no_json_too_large_or_too_deep_are_refused() {
    let (house, _) = House::connected().await;
    let post = |body: String| house.send("POST", ROTATIONS, Some(body));
    post("{".to_owned()).await.is(400).says("not JSON");
    post(format!("{{\"name\": \"{TOKEN}\" oops")).await.is(400);
    post("[]".to_owned()).await.is(422);
    post(String::new()).await.is(422);
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    post(deep).await.is(400).says("deeply");
    let large = json!({"name": "x".repeat(300 * 1024)}).to_string();
    post(large)
        .await
        .is(413)
        .says("262144 bytes: the setting admin.body_limit");
    nothing_changed(&house).await;
}

#[actix_rt::test]
async fn names_that_are_taken_are_400_before_the_provider_is_asked() {
    let (house, connection) = House::connected().await;
    house.rotation(&connection).await;
    let mut body = house.request(&connection);
    // Asked, the provider would say something else.
    body["parameters"] = json!({"key": "k", "behaviour": "fault:refused"});
    house
        .post(ROTATIONS, &body)
        .await
        .is(400)
        .says("my-rotation");
    body["name"] = json!("another");
    let taken = house.post(ROTATIONS, &body).await;
    taken.is(400).says("already exist at the path").says(
        "in environment \\\"dev\\\": ECHO_NAME (fed by the rotation my-rotation), ECHO_VALUE (",
    );
    body["secretsMapping"] = json!({"name": "FREE", "value": "ECHO_VALUE"});
    house
        .post(ROTATIONS, &body)
        .await
        .is(400)
        .says(": ECHO_VALUE");
}

#[actix_rt::test]
async fn a_connection_of_another_project_is_refused() {
    let house = House::open().await;
    let other = house
        .post("/api/v1/projects", &json!({"projectName": "Other"}))
        .await;
    other.is(200);
    let body = json!({
        "name": "theirs", "method": "plain", "credentials": {}, "projectId": other.body["project"]["id"]
    });
    let made = house.post("/api/v1/app-connections/echo", &body).await;
    made.is(200);
    let id = made.body["appConnection"]["id"].as_str().unwrap();
    let answer = house.post(ROTATIONS, &house.request(id)).await;
    answer.is(400).says("another project");
}

#[actix_rt::test]
async fn ids_and_queries_are_judged_too() {
    let house = House::open().await;
    house.get(&format!("{ROTATIONS}/no-uuid")).await.is(422);
    house.get(ROTATIONS).await.is(422).says("is required");
    house
        .get(&format!("{ROTATIONS}?projectId=%20"))
        .await
        .is(422);
    let id = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
    let unknown = house.get(&format!("{ROTATIONS}/{id}")).await;
    unknown.is(404).says(&format!(
        "Could not find Echo Rotation with ID \\\"{id}\\\""
    ));
    house
        .delete(&format!("{ROTATIONS}/{id}?deleteSecrets=maybe"))
        .await
        .is(422);
}
