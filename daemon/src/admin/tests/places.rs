//! Projects, environments, folders.

use serde_json::json;

use super::house::{House, ROTATIONS};

#[actix_rt::test]
async fn the_default_project_is_there_with_its_environments() {
    let house = House::open().await;
    let projects = house.get("/api/v1/projects").await;
    let project = &projects.body["projects"][0];
    assert_eq!(project["isDefault"], true);
    let slugs: Vec<_> = project["environments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["slug"].clone())
        .collect();
    assert_eq!(slugs, ["dev", "staging", "prod"]);
    assert_eq!(project["environments"][0]["folders"][0]["path"], "/");
    let bare = house.get("/api/v1/projects/slug/default").await;
    assert_eq!(bare.body["id"], house.project);
    let one = house
        .get(&format!("/api/v1/projects/{}", house.project))
        .await;
    assert_eq!(one.body["project"]["slug"], "default");
    house.get("/api/v1/projects/none").await.is(404);
    house
        .get(&format!("/api/v1/projects/slug/{}", house.project))
        .await
        .is(404);
}

#[actix_rt::test]
async fn places_are_made_once_and_in_what_exists() {
    let house = House::open().await;
    let made = house
        .post("/api/v1/projects", &json!({"projectName": "My App"}))
        .await;
    assert_eq!(made.body["project"]["slug"], "my-app");
    let again = house
        .post("/api/v1/projects", &json!({"projectName": "My App"}))
        .await;
    again.is(400).says("already exists");
    house
        .post("/api/v1/projects", &json!({"projectName": "äöü"}))
        .await
        .is(422);

    let environments = format!("/api/v1/projects/{}/environments", house.project);
    let qa = json!({"name": "Quality", "slug": "qa"});
    house.post(&environments, &qa).await.is(200);
    house
        .post(&environments, &qa)
        .await
        .is(400)
        .says("already exists");
    let listed = house.get(&environments).await;
    assert_eq!(listed.body["environments"][3]["name"], "Quality");

    let folder = |path: &str, name: &str| json!({"projectId": house.project, "environment": "qa", "path": path, "name": name});
    house
        .post("/api/v1/folders", &folder("/a", "b"))
        .await
        .is(400)
        .says("/a");
    house
        .post("/api/v1/folders", &folder("/", "a"))
        .await
        .is(200);
    let made = house.post("/api/v1/folders", &folder("/a", "b")).await;
    assert_eq!(made.body["folder"]["path"], "/a/b");
    house
        .post("/api/v1/folders", &folder("/a", "b"))
        .await
        .is(400)
        .says("already exists");
    let list = |path: &str| {
        format!(
            "/api/v1/folders?workspaceId={}&environment=qa&path={path}",
            house.project
        )
    };
    assert_eq!(house.get(&list("/")).await.body["folders"][0]["path"], "/a");
    assert_eq!(house.get(&list("/a")).await.body["folders"][0]["name"], "b");
    assert_eq!(house.get(&list("/a/b")).await.body["folders"], json!([]));
    let paths = async |query: &str| {
        let path = format!(
            "/api/v1/folders?projectId={}&environment=qa{query}",
            house.project
        );
        let listed = house.get(&path).await;
        let folders = listed.body["folders"].as_array().unwrap().clone();
        folders
            .iter()
            .map(|folder| folder["path"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths("&recursive=true").await, ["/a", "/a/b"]);
    assert_eq!(paths("&recursive=&path=").await, ["/a"]);
    assert_eq!(paths("&directory=/a").await, ["/a/b"]);
    assert_eq!(paths("&directory=/a/b&recursive=true").await, [""; 0]);
    for action in ["create-project", "create-environment"] {
        assert_eq!(house.noted(action).await, 1, "{action}");
    }
    assert_eq!(house.noted("create-folder").await, 2);
}

#[actix_rt::test]
async fn what_clients_say_beyond_is_taken_where_it_asks_for_nothing() {
    let house = House::open().await;
    let project = json!({
        "projectName": "My App", "projectDescription": "for pay", "slug": "", "template": "default",
        "type": "secret-manager", "shouldCreateDefaultEnvs": true, "kmsKeyId": null, "hasDeleteProtection": false
    });
    let made = house.post("/api/v1/projects", &project).await;
    assert_eq!(made.body["project"]["slug"], "my-app");
    for (field, value) in [
        ("template", json!("mine")),
        ("type", json!("cert-manager")),
        ("shouldCreateDefaultEnvs", json!(false)),
        ("hasDeleteProtection", json!(true)),
    ] {
        let mut other = project.clone();
        other["projectName"] = json!("Other");
        other[field] = value;
        house
            .post("/api/v1/projects", &other)
            .await
            .is(422)
            .says(field);
    }
    let environments = format!("/api/v1/projects/{}/environments", house.project);
    let qa = json!({"name": "Quality", "slug": "qa", "position": 4, "workspaceId": house.project});
    house.post(&environments, &qa).await.is(200);
    for (name, field, value) in [
        ("a", "description", json!(null)),
        ("b", "description", json!("what it is for")),
        ("c", "directory", json!("/a")),
        ("d", "path", json!("")),
        ("e", "path", json!("/a/")),
    ] {
        let mut folder = json!({"projectId": house.project, "environment": "qa", "name": name});
        folder[field] = value;
        house.post("/api/v1/folders", &folder).await.is(200);
    }
    let all = format!(
        "/api/v1/folders?projectId={}&environment=qa&recursive=true",
        house.project
    );
    let all = house.get(&all).await;
    let paths = all.body["folders"].as_array().unwrap().iter();
    let paths: Vec<_> = paths.map(|folder| folder["path"].clone()).collect();
    assert_eq!(paths, ["/a", "/a/c", "/a/e", "/b", "/d"]);
}

#[actix_rt::test]
async fn a_project_is_named_by_its_slug_too() {
    let (house, connection) = House::connected().await;
    let mut body = house.request(&connection);
    body["projectId"] = json!("default");
    let made = house.post(ROTATIONS, &body).await;
    assert_eq!(made.rotation()["projectId"], json!(house.project));
    let listed = house.get(&format!("{ROTATIONS}?projectId=default")).await;
    assert_eq!(listed.body["secretRotations"].as_array().unwrap().len(), 1);
    let one = "/api/v4/secrets/ECHO_VALUE?projectId=default&environment=dev&secretPath=/";
    house.get(one).await.is(200);
}
