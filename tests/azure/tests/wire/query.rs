//! Lists: pages, filters, searches, counts.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::rig::{self, Reply, Rig};

async fn advanced(rig: &Rig, path: &str) -> Reply {
    let request = rig
        .http
        .get(rig.url(path))
        .header("ConsistencyLevel", "eventual")
        .bearer_auth(rig.bearer().await);
    rig.send(request).await
}

/// Follows the links from a path; the pages.
async fn pages(rig: &Rig, path: &str) -> Vec<Value> {
    let bearer = rig.bearer().await;
    let mut link = Some(rig.url(path));
    let mut pages = Vec::new();
    while let Some(url) = link {
        let page = rig
            .send(rig.http.get(url).bearer_auth(&bearer))
            .await
            .json();
        link = page["@odata.nextLink"].as_str().map(str::to_owned);
        pages.push(page);
    }
    pages
}

fn ids(pages: &[Value]) -> Vec<String> {
    pages
        .iter()
        .flat_map(|page| page["value"].as_array().unwrap())
        .map(|app| rig::text(&app["id"]))
        .collect()
}

#[tokio::test]
async fn every_application_is_on_exactly_one_page() {
    let rig = Rig::filled(250).await;
    for (path, count) in [
        ("/v1.0/applications", 3),
        ("/v1.0/applications?$top=999", 1),
        ("/v1.0/applications?$select=id,displayName&$top=11", 23),
        ("/v1.0/applications?%24top=50&%24select=id", 6),
    ] {
        let pages = pages(&rig, path).await;
        assert_eq!(pages.len(), count, "{path}");
        let ids = ids(&pages);
        assert_eq!(ids.len(), 253);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 253);
    }
}

#[tokio::test]
async fn an_empty_page_may_link_onwards() {
    let rig = Rig::filled(10).await;
    rig.standin
        .set_behaviour(|behaviour| behaviour.empty_pages = true);
    let pages = pages(&rig, "/v1.0/applications?$top=6").await;
    let lengths: Vec<_> = pages
        .iter()
        .map(|page| page["value"].as_array().unwrap().len())
        .collect();
    assert_eq!(lengths, [6, 6, 0, 1]);
    assert_eq!(ids(&pages).len(), 13);
}

#[tokio::test]
async fn page_sizes_outside_the_limits_are_refused() {
    let rig = Rig::start().await;
    for top in ["0", "1000", "-1", "x"] {
        let reply = rig.get(&format!("/v1.0/applications?$top={top}")).await;
        assert_eq!(reply.status, 400, "{top}");
    }
    assert_eq!(rig.get("/v1.0/applications?$skip=1").await.status, 400);
    assert_eq!(
        rig.get("/v1.0/applications?$skiptoken=made-up")
            .await
            .status,
        400
    );
    assert_eq!(
        rig.get("/v1.0/applications?$select=nothing").await.status,
        400
    );
}

#[tokio::test]
async fn a_token_beyond_the_end_is_an_empty_page() {
    let rig = Rig::filled(3).await;
    // Of a longer list than this one.
    let path = "/v1.0/applications?$skiptoken=UkZOd2RBSUFBUUFBQUI6OTk5OjA";
    for empty_pages in [false, true] {
        rig.standin
            .set_behaviour(|behaviour| behaviour.empty_pages = empty_pages);
        let page = rig.get(path).await.json();
        assert_eq!(page["value"], serde_json::json!([]), "{page}");
        assert_eq!(page.get("@odata.nextLink").is_some(), empty_pages);
    }
}

#[tokio::test]
async fn filters_that_need_the_header_are_refused_without_it() {
    let rig = Rig::filled(3).await;
    let path = "/v1.0/applications?$filter=not%20startswith(displayName,'filler')&$count=true";
    assert_eq!(rig.get(path).await.error(), "Request_BadRequest");
    let without_count = "/v1.0/applications?$filter=displayName%20ne%20'x'";
    assert_eq!(
        rig.get(without_count).await.error(),
        "Request_UnsupportedQuery"
    );
    let page = advanced(&rig, path).await.json();
    assert_eq!(page["@odata.count"], 3);
    assert_eq!(page["value"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn searching_and_counting_need_the_header_on_every_page() {
    let rig = Rig::filled(30).await;
    let path = "/v1.0/applications?$search=\"displayName:filler\"&$count=true&$top=20";
    let first = advanced(&rig, path).await.json();
    assert_eq!(first["@odata.count"], 30);
    let link = rig::text(&first["@odata.nextLink"]);
    let link = link.strip_prefix(&rig.standin.base_url()).unwrap();
    assert_eq!(rig.get(link).await.status, 400);
    let second = advanced(&rig, link).await.json();
    assert_eq!(second["value"].as_array().unwrap().len(), 10);
    assert!(second.get("@odata.count").is_none());

    assert_eq!(advanced(&rig, "/v1.0/applications/$count").await.body, "33");
    assert_eq!(rig.get("/v1.0/applications/$count").await.status, 400);
}

#[tokio::test]
async fn sorting_is_by_the_property_asked_for() {
    let rig = Rig::filled(2).await;
    let path = "/v1.0/applications?$orderby=displayName%20desc&$select=displayName";
    let page = rig.get(path).await.json();
    let names: Vec<_> = page["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|app| rig::text(&app["displayName"]))
        .collect();
    assert_eq!(
        names,
        ["rotord", "payroll", "other", "filler-0002", "filler-0001"]
    );
}
