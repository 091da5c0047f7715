//! Logins: forms of credentials, order of checks, and what tokens are good for.

use azure_standin::{AppRole, ApplicationConfig, Behaviour, Config, DescriptionForm, SecretConfig};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::rig::{self, GRAPH_SCOPE, Rig, SECRET};

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_says_who_and_what_for() {
    let rig = Rig::start().await;
    let claims = claims(&rig.bearer().await);
    assert_eq!(claims["aud"], "https://graph.microsoft.com");
    assert_eq!(claims["appid"], rig.app_id("rotord"));
    assert_eq!(claims["idtyp"], "app");
    assert_eq!(claims["tid"], rig.standin.tenant_id().to_string());
    assert_eq!(claims["roles"][0], "Application.ReadWrite.OwnedBy");
    let issuer = format!("https://sts.windows.net/{}/", rig.standin.tenant_id());
    assert_eq!(claims["iss"], issuer);
}

#[tokio::test]
async fn the_secret_may_come_by_basic_and_extra_fields_are_ignored() {
    let rig = Rig::start().await;
    let user = format!("{}:{}", rig.app_id("rotord"), SECRET.replace('~', "%7E"));
    let form = [
        (
            "scope",
            "https://graph.microsoft.com/.default openid offline_access profile",
        ),
        ("grant_type", "client_credentials"),
        ("client_info", "1"),
        ("claims", "{}"),
        ("response_type", "token"),
        ("x-client-sku", "MSAL"),
    ];
    let request = rig
        .http
        .post(rig.url(&rig.token_path()))
        .header("authorization", format!("Basic {}", STANDARD.encode(user)))
        .form(&form);
    assert_eq!(rig.send(request).await.status, 200);
}

#[tokio::test]
async fn the_tenant_may_be_named_by_its_domain() {
    let rig = Rig::start().await;
    let app = rig.app_id("rotord");
    let form = [
        ("client_id", app.as_str()),
        ("client_secret", SECRET),
        ("scope", GRAPH_SCOPE),
        ("grant_type", "client_credentials"),
    ];
    let url = rig.url("/contoso.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!(rig.send(rig.http.post(url).form(&form)).await.status, 200);
}

#[tokio::test]
async fn correlation_is_the_clients_own_wherever_it_put_it() {
    let rig = Rig::start().await;
    let id = "4a139f54-91e6-483a-ab79-25451bd3479f";
    let url = rig.url(&rig.token_path());
    let form = [("grant_type", "client_credentials")];
    let with_id = [form[0], ("client-request-id", id)];
    let in_query = format!("{url}?client-request-id={id}");
    for request in [
        rig.http
            .post(&url)
            .header("client-request-id", id)
            .form(&form),
        rig.http.post(&in_query).form(&form),
        rig.http.post(&url).form(&with_id),
    ] {
        assert_eq!(rig.send(request).await.json()["correlation_id"], id);
    }
}

#[tokio::test]
async fn scopes_are_one_known_resource_and_default() {
    let rig = Rig::start().await;
    let app = rig.app_id("rotord");
    let own = format!("{app}/.default");
    for (scope, expected) in [
        (own.as_str(), None),
        ("https://management.azure.com//.default", None),
        ("https://graph.microsoft.com/User.Read", Some("1002012")),
        (
            "https%3A%2F%2Fgraph.microsoft.com%2F.default",
            Some("1002012"),
        ),
        ("/.default", Some("70011")),
        (
            "https://graph.microsoft.com/.default https://vault.azure.net/.default",
            Some("700022"),
        ),
        ("https://graph.microsoft.us/.default", Some("500011")),
    ] {
        let form = [
            ("client_id", app.as_str()),
            ("client_secret", SECRET),
            ("scope", scope),
            ("grant_type", "client_credentials"),
        ];
        let reply = rig.login_form(&form).await;
        match expected {
            None => assert_eq!(reply.status, 200, "{scope}: {reply:?}"),
            Some(code) => assert_eq!(reply.error(), code, "{scope}"),
        }
    }
}

#[tokio::test]
async fn scope_is_checked_before_the_secret_and_the_client_before_the_scope() {
    let rig = Rig::start().await;
    let app = rig.app_id("rotord");
    let login = async |client: &str, scope: &str| {
        let form = [
            ("client_id", client),
            ("client_secret", "wrong"),
            ("scope", scope),
            ("grant_type", "client_credentials"),
        ];
        rig.login_form(&form).await.error()
    };
    assert_eq!(login("nobody", "nothing").await, "700016");
    assert_eq!(login(&app, "nothing").await, "1002012");
    assert_eq!(login(&app, GRAPH_SCOPE).await, "7000215");
}

#[tokio::test]
async fn a_disabled_application_and_one_without_service_principal_are_refused() {
    let mut config = rig::config();
    config.applications.push(ApplicationConfig {
        without_service_principal: true,
        secrets: vec![SecretConfig::text("text")],
        ..ApplicationConfig::named("absent")
    });
    let rig = Rig::with(config).await;
    assert_eq!(rig.login("absent", "text").await.error(), "7000215");
    rig.standin.disable("rotord", true).unwrap();
    let reply = rig.login("rotord", SECRET).await;
    assert_eq!((reply.status, reply.error().as_str()), (400, "7000112"));
    rig.standin.disable("rotord", false).unwrap();
    assert_eq!(rig.login("rotord", SECRET).await.status, 200);
}

#[tokio::test]
async fn descriptions_are_joined_in_the_form_that_is_set() {
    let rig = Rig::behaving(Behaviour {
        description: DescriptionForm::Lines,
        ..Behaviour::default()
    })
    .await;
    let reply = rig.login("rotord", "wrong").await;
    let description = rig::text(&reply.json()["error_description"]);
    assert_eq!(description.split("\r\n").count(), 4);
    assert!(description.ends_with("\r\nTimestamp: 2030-01-02 03:04:05Z"));
}

#[tokio::test]
async fn an_expired_secret_may_hide_an_unknown_one() {
    let mut config = rig::config();
    config.applications[1].secrets.push(SecretConfig {
        days: -1,
        ..SecretConfig::text("old")
    });
    let rig = Rig::with(config).await;
    assert_eq!(rig.login("payroll", "old").await.error(), "7000222");
    assert_eq!(rig.login("payroll", "new").await.error(), "7000215");
    rig.standin
        .set_behaviour(|behaviour| behaviour.expired_hides_unknown = true);
    assert_eq!(rig.login("payroll", "new").await.error(), "7000222");
}

#[tokio::test]
async fn graph_believes_only_a_current_token_for_itself() {
    let rig = Rig::with(Config {
        clock: rig::stopped_clock(),
        ..rig::config()
    })
    .await;
    let bearer = rig.bearer().await;
    let call = async |authorization: Option<String>| {
        let mut request = rig.http.get(rig.url("/v1.0/applications"));
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let reply = rig.send(request).await;
        if reply.status == 200 {
            return "200".to_owned();
        }
        assert_eq!(reply.status, 401);
        assert_eq!(reply.error(), "InvalidAuthenticationToken");
        assert!(
            reply
                .header("www-authenticate")
                .starts_with("Bearer realm=")
        );
        rig::text(&reply.json()["error"]["message"])
    };
    let with = |token: &str| Some(format!("Bearer {token}"));
    assert_eq!(call(None).await, "Access token is empty.");
    assert_eq!(call(with("")).await, "Access token is empty.");
    assert!(call(with("opaque")).await.starts_with("IDX14100"));
    assert!(
        call(with("a.b.c"))
            .await
            .starts_with("CompactToken parsing")
    );
    assert_eq!(call(with(&bearer)).await, "200");

    let app = rig.app_id("rotord");
    let own = format!("{app}/.default");
    let form = [
        ("client_id", app.as_str()),
        ("client_secret", SECRET),
        ("scope", own.as_str()),
        ("grant_type", "client_credentials"),
    ];
    let other = rig::text(&rig.login_form(&form).await.json()["access_token"]);
    let invalid = "Access token validation failure. Invalid audience.";
    assert_eq!(call(with(&other)).await, invalid);

    let (signed, _) = bearer.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let forged = call(with(&format!("{signed}.{signature}"))).await;
    assert_eq!(
        forged,
        "Access token validation failure. Invalid signature."
    );

    rig.standin.advance(std::time::Duration::from_secs(3599));
    let expired = "Access token has expired or is not yet valid.";
    assert_eq!(call(with(&bearer)).await, expired);
}

#[tokio::test]
async fn a_role_counts_from_the_next_token_on() {
    let rig = Rig::start().await;
    rig.standin
        .ungrant("rotord", AppRole::ApplicationReadWriteOwnedBy)
        .unwrap();
    let before = rig.bearer().await;
    rig.standin
        .grant("rotord", AppRole::ApplicationReadAll)
        .unwrap();
    let list = async |bearer: &str| {
        let request = rig.http.get(rig.url("/v1.0/applications"));
        rig.send(request.bearer_auth(bearer)).await.status
    };
    assert_eq!(list(&before).await, 403);
    assert_eq!(list(&rig.bearer().await).await, 200);
}

#[tokio::test]
async fn a_login_may_ask_for_subscriptions_and_there_are_none() {
    let rig = Rig::start().await;
    let url = rig.url("/subscriptions?api-version=2022-12-01");
    let bearer = rig.bearer().await;
    let reply = rig.send(rig.http.get(&url).bearer_auth(bearer)).await;
    assert_eq!(reply.json()["value"], serde_json::json!([]));
    let reply = rig.send(rig.http.get(&url).bearer_auth("made up")).await;
    assert_eq!(reply.status, 401);
}
