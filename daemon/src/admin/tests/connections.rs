//! Connections.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rotord_api::routes;
use rotord_rotation::{Event, Fault, FaultKind};
use serde_json::{Value, json};

use super::house::{House, TOKEN};
use crate::actors::rotator::Tell;

const CONNECTIONS: &str = "/api/v1/app-connections/echo";

#[actix_rt::test]
async fn a_connection_is_made_and_its_secret_never_shown() {
    let (house, id) = House::connected().await;
    for path in [
        format!("{CONNECTIONS}/{id}"),
        format!("{CONNECTIONS}/connection-name/echo"),
        CONNECTIONS.to_owned(),
        routes::CONNECTIONS.to_owned(),
        format!("{CONNECTIONS}/available?projectId={}", house.project),
    ] {
        let answer = house.get(&path).await;
        answer.is(200);
        let text = answer.body.to_string();
        assert!(text.contains(&id), "{path}: {text}");
        assert!(!text.contains(TOKEN), "{path}");
    }
    let shown = house.get(&format!("{CONNECTIONS}/{id}")).await.body["appConnection"].clone();
    assert_eq!(shown["app"], "echo");
    assert_eq!(shown["method"], "plain");
    assert_eq!(shown["credentials"], json!({}));
    assert_eq!(shown["version"], 1);
    assert_eq!(house.noted("create-app-connection").await, 1);
    let options = house.get(routes::CONNECTION_OPTIONS).await;
    assert_eq!(
        options.body["appConnectionOptions"][0]["methods"],
        json!(["plain"])
    );
}

#[actix_rt::test]
async fn wrong_connections_are_refused_and_not_stored() {
    let house = House::open().await;
    let body = |change: Value| {
        let mut body = json!({"name": "c", "method": "plain", "credentials": {}});
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        body
    };
    for (change, status, says) in [
        (json!({"name": "No Slug"}), 422, "slug"),
        (json!({"method": "oauth"}), 422, "must be one of plain"),
        (json!({"credentials": {"colour": "red"}}), 422, "colour"),
        (
            json!({"credentials": {"url": "http://plain"}}),
            422,
            "https",
        ),
        (json!({"isPlatformManagedCredentials": true}), 422, "false"),
        (json!({"projectId": "none"}), 404, "none"),
        (
            json!({"credentials": {"token": TOKEN, "behaviour": "fault:unauthorized"}}),
            400,
            "Failed to get access token: a fault as it was asked for",
        ),
        (
            json!({"credentials": {"token": TOKEN, "behaviour": "closed"}}),
            400,
            "nobody answers; echo.test can't be reached: allow outgoing TLS connections to echo.test:443",
        ),
        (
            json!({"credentials": {"behaviour": "trap", "at": "check"}}),
            400,
            "panicked",
        ),
    ] {
        house
            .post(CONNECTIONS, &body(change))
            .await
            .is(status)
            .says(says);
    }
    house
        .post("/api/v1/app-connections/none", &body(json!({})))
        .await
        .is(404);
    assert_eq!(
        house.get(CONNECTIONS).await.body["appConnections"],
        json!([])
    );
    assert_eq!(house.noted("create-app-connection").await, 0);
    house.connect("c", json!({})).await;
    house
        .post(CONNECTIONS, &body(json!({})))
        .await
        .is(400)
        .says("already exists");
}

#[actix_rt::test]
async fn a_change_without_credentials_keeps_them_and_one_with_them_is_tried_out() {
    let (house, id) = House::connected().await;
    let path = format!("{CONNECTIONS}/{id}");
    let renamed = house
        .patch(&path, &json!({"name": "other", "description": "d"}))
        .await;
    renamed.is(200);
    assert_eq!(renamed.body["appConnection"]["name"], "other");
    assert_eq!(renamed.body["appConnection"]["version"], 2);
    for nothing in [json!({}), json!({"name": "other", "description": "d"})] {
        let same = house.patch(&path, &nothing).await;
        same.is(200);
        assert_eq!(same.body, renamed.body);
    }
    assert_eq!(house.noted("update-app-connection").await, 1);
    let connection = rotord_store::ConnectionId(id.parse().unwrap());
    let secrets = house
        .admin
        .store
        .read(move |reader| reader.connection_secrets(connection));
    assert_eq!(
        secrets.await.unwrap().value("token").unwrap().expose(),
        TOKEN.as_bytes()
    );

    // The method that it has, and what the path says, say nothing new.
    let same = json!({"method": "plain", "ID": id, "App": "echo", "name": null});
    assert_eq!(house.patch(&path, &same).await.body, renamed.body);
    house
        .patch(&path, &json!({"method": "other"}))
        .await
        .is(422)
        .says("credentials");

    let wrong = json!({"credentials": {"token": "new", "behaviour": "fault:unauthorized"}});
    house
        .patch(&path, &wrong)
        .await
        .is(400)
        .says("Failed to get access token");
    let right = json!({"credentials": {"token": "new", "behaviour": "say:me"}});
    let changed = house.patch(&path, &right).await;
    assert_eq!(
        changed.body["appConnection"]["credentials"],
        json!({"behaviour": "say:me"})
    );
    let secrets = house
        .admin
        .store
        .read(move |reader| reader.connection_secrets(connection));
    assert_eq!(
        secrets.await.unwrap().value("token").unwrap().expose(),
        b"new"
    );
}

#[actix_rt::test]
async fn what_failed_by_a_connection_is_tried_when_it_has_other_credentials() {
    let (house, connection, id) = House::unhurried().await;
    let contact = async || {
        let record = house
            .admin
            .store
            .read(move |reader| reader.rotation(id))
            .await;
        record.unwrap().state.contact
    };
    let fault = Fault {
        retry_after: Some(Duration::from_mins(5)),
        ..Fault::new(FaultKind::Unauthorized, "the token has expired")
    };
    let failed = Tell::new(id, Event::Surveyed(Err(fault)));
    house.admin.rotator.send(failed).await.unwrap().unwrap();
    let again_at = contact().await.again_at.unwrap();
    assert!(again_at > Utc::now() + TimeDelta::minutes(1), "{again_at}");
    let path = format!("{CONNECTIONS}/{connection}");
    house.patch(&path, &json!({"name": "other"})).await.is(200);
    assert_eq!(contact().await.again_at, Some(again_at));
    let credentials = json!({"credentials": {"token": "new"}});
    house.patch(&path, &credentials).await.is(200);
    let looked_at = async {
        while contact().await.trouble.is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(50), looked_at)
        .await
        .unwrap();
}

#[actix_rt::test]
async fn a_connection_that_is_used_stays() {
    let (house, id) = House::connected().await;
    let rotation = house.rotation(&id).await;
    let path = format!("{CONNECTIONS}/{id}");
    let used = house.get(&path).await.body["appConnection"]["usedBy"].clone();
    assert_eq!(used[0]["name"], "my-rotation");
    house.delete(&path).await.is(400).says("my-rotation");
    house.get(&rotation).await.is(200);

    let free = house.connect("free", json!({})).await;
    let path = format!("{CONNECTIONS}/{free}");
    let was = house.delete(&path).await;
    was.is(200);
    assert_eq!(was.body["appConnection"]["name"], "free");
    house.get(&path).await.is(404).says(&free);
}

#[actix_rt::test]
async fn choices_come_whole_paged_or_filtered() {
    let (house, id) = House::connected().await;
    let list = format!("{CONNECTIONS}/{id}/things");
    let all = house.get(&list).await;
    all.is(200);
    let rows = all.body["things"].as_array().unwrap();
    assert_eq!(rows.len(), 25);
    assert_eq!(rows[0], json!({"name": "things 1", "id": "key-1"}));
    assert_eq!(all.body.get("next"), None);
    let first = house.get(&format!("{list}?query=")).await;
    assert_eq!(first.body["things"].as_array().unwrap().len(), 10);
    let next = first.body["next"].as_str().unwrap();
    let last = house.get(&format!("{list}?query=&next=20")).await;
    assert_eq!(
        (next, last.body["things"].as_array().unwrap().len()),
        ("10", 5)
    );
    let found = house.get(&format!("{list}?query=key-7")).await;
    assert_eq!(
        found.body["things"],
        json!([{"name": "things 7", "id": "key-7"}])
    );
    let endless = house
        .connect("endless", json!({"behaviour": "endless"}))
        .await;
    house
        .get(&format!("{CONNECTIONS}/{endless}/things"))
        .await
        .is(400)
        .says("named the same page twice");
    house
        .get(&format!("{CONNECTIONS}/{id}/planets"))
        .await
        .is(404)
        .says("planets");
}

#[actix_rt::test]
async fn a_check_tells_what_it_sees_also_where_it_fails() {
    let house = House::open().await;
    let good = house
        .connect("good", json!({"behaviour": "say:somebody"}))
        .await;
    let check = |id: &str| format!("/api/v1/rotord/connections/{id}/check");
    let seen = house.get(&check(&good)).await;
    seen.is(200);
    assert_eq!(seen.body["subject"], "somebody");
    assert_eq!(seen.body["findings"][0]["severity"], "fine");
    assert!(seen.body["providerTime"].is_string());
    for (name, behaviour, code, remedy) in [
        (
            "bad",
            "fault:unauthorized",
            "unauthorized",
            "rotorctl connection edit bad --credentials",
        ),
        (
            "far",
            "fault:unavailable",
            "unreachable",
            "rotorctl provider list",
        ),
        ("broken", "trap", "provider-failed", "the daemon's log"),
        // What the provider saw says more.
        ("closed", "closed", "path-closed", "echo.test:443"),
    ] {
        // It went bad later.
        let id = house.connect(name, json!({})).await;
        let connection = rotord_store::ConnectionId(id.parse().unwrap());
        let change = rotord_store::ConnectionChange {
            fields: json!({"behaviour": behaviour}).as_object().cloned(),
            ..rotord_store::ConnectionChange::default()
        };
        let now = house.admin.clock.now().wall;
        let write = house
            .admin
            .store
            .write(move |store| store.change_connection(now, connection, &change, &[]));
        write.await.unwrap();
        let seen = house.get(&check(&id)).await;
        seen.is(200);
        let findings = seen.body["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0]["code"], code);
        assert_eq!(findings[0]["severity"], "problem");
        let said = findings[0]["remedy"].as_str().unwrap();
        assert!(said.contains(remedy), "{said}");
    }
}
