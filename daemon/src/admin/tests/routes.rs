//! Routing: every documented route is there, and everything else is refused in one shape.

use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, test, web};
use rotord_api::routes;
use serde_json::Value;

use super::house::House;
use crate::admin::request;

#[actix_rt::test]
async fn every_route_of_the_description_is_served_and_every_route_is_described() {
    let house = House::open().await;
    let description = house.get(routes::OPENAPI).await;
    description.is(200);
    let paths = description.body["paths"].as_object().unwrap();
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let filled = filled(path);
            let answer = house.send(&method.to_uppercase(), &filled, None).await;
            let message = answer.body["message"].to_string();
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(!message.contains("no such route"), "{method} {path}");
        }
    }
    let documented = include_str!("../../../api/src/routes.rs");
    let patterns = documented.lines().filter_map(|line| {
        let (_, rest) = line.split_once('"')?;
        rest.split_once('"').map(|(path, _)| path)
    });
    let patterns: Vec<_> = patterns
        .take_while(|path| *path != "/")
        .filter(|path| path.starts_with("/api/") && !path.contains("{id}"))
        .collect();
    assert!(patterns.len() > 30, "{patterns:?}");
    for pattern in patterns {
        assert!(paths.contains_key(pattern), "{pattern} is not described");
    }
}

fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{type}" | "{app}" => "echo",
        part if part.starts_with('{') => "3c90c3cc-0d44-4b50-8888-8dd25736052a",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[actix_rt::test]
async fn every_operation_says_how_it_fails_and_names_are_unique() {
    let house = House::open().await;
    let description = house.get(routes::OPENAPI).await;
    let mut names = Vec::new();
    for operations in description.body["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let error = &operation["responses"]["default"]["content"]["application/json"]["schema"];
            assert_eq!(
                error["$ref"], "#/components/schemas/ErrorBody",
                "{operation}"
            );
            names.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    // Whatever is referred to is there.
    let schemas = description.body["components"]["schemas"]
        .as_object()
        .unwrap();
    each_reference(&description.body, &mut |name| {
        assert!(schemas.contains_key(name), "{name} is not described");
    });
}

fn each_reference(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                see(reference.rsplit('/').next().unwrap());
            }
            fields.values().for_each(|value| each_reference(value, see));
        }
        Value::Array(values) => values.iter().for_each(|value| each_reference(value, see)),
        _ => {}
    }
}

#[actix_rt::test]
async fn unknown_routes_and_methods_are_refused_in_shape() {
    let house = House::open().await;
    for path in [
        "/",
        "/api",
        "/api/v9/nothing",
        "/api/v2/secret-rotations/echo/x/y/z",
    ] {
        house.get(path).await.is(404).says("no such route");
    }
    house.send("PUT", routes::ROTATIONS, None).await.is(405);
    house.delete(routes::STATUS).await.is(405);
}

#[actix_rt::test]
async fn a_trailing_slash_any_host_and_any_token_are_taken() {
    let house = House::open().await;
    house.get("/api/v1/projects/").await.is(200);
    let headers = [
        ("authorization", "Bearer whatever"),
        ("host", "us.example.com"),
        ("user-agent", "curl"),
    ];
    house.get_with(routes::PROJECTS, &headers).await.is(200);
}

#[actix_rt::test]
async fn without_a_known_peer_nothing_is_answered() {
    let app = App::new()
        .route("/", web::get().to(HttpResponse::Ok))
        .wrap(from_fn(request::around));
    let app = test::init_service(app).await;
    let answer = test::call_service(&app, test::TestRequest::get().to_request()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let body: Value = test::read_body_json(answer).await;
    assert_eq!(body["error"], "PermissionDenied");
}

#[actix_rt::test]
async fn status_and_providers_tell_how_it_is() {
    let (house, connection) = House::connected().await;
    house.rotation(&connection).await;
    let status = house.get(routes::STATUS).await;
    status.is(200);
    assert_eq!(status.body["defaultProjectId"], house.project);
    assert_eq!(status.body["rotations"]["total"], 1);
    assert_eq!(status.body["rotations"]["automatic"], 1);
    assert_eq!(status.body["nextDue"]["name"], "my-rotation");
    assert_eq!(status.body["providers"][0]["state"], "loaded");
    let providers = house.get(routes::PROVIDERS).await;
    let description = &providers.body["providers"][0]["description"];
    assert_eq!(description["slug"], "echo");
    assert_eq!(description["limits"]["longestIntervalDays"], 365);
    assert_eq!(description["parameters"][0]["key"], true);
    let options = house.get(routes::ROTATION_OPTIONS).await;
    assert_eq!(
        options.body["secretRotationOptions"][0]["template"]["secretsMapping"],
        serde_json::json!({"name": "ECHO_NAME", "value": "ECHO_VALUE"})
    );
}
