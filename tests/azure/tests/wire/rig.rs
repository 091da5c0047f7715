//! A stand-in with a small tenant, and a client that trusts it.

use std::collections::BTreeSet;
use std::sync::Arc;

use azure_standin::{
    AppRole, ApplicationConfig, Behaviour, ClockConfig, Config, Handle, SecretConfig, Standin,
    TenantConfig,
};
use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) const SECRET: &str = "sTd8Q~a-secret-of-the-managing-app-00001";
pub(crate) const GRAPH_SCOPE: &str = "https://graph.microsoft.com/.default";

/// The stand-in and its client.
pub(crate) struct Rig {
    pub(crate) standin: Handle,
    pub(crate) http: reqwest::Client,
}

/// An answer, read in whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Graph's error code, or the number of the token endpoint's.
    pub(crate) fn error(&self) -> String {
        let body = self.json();
        match body["error_codes"][0].as_u64() {
            Some(code) => code.to_string(),
            None => body["error"]["code"].as_str().unwrap().to_owned(),
        }
    }

    async fn of(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await?,
        })
    }
}

/// A tenant with `rotord` (which may rotate what it owns), `payroll` (owned by it), and `other`.
pub(crate) fn config() -> Config {
    let rotord = ApplicationConfig {
        roles: BTreeSet::from([AppRole::ApplicationReadWriteOwnedBy]),
        secrets: vec![SecretConfig::text(SECRET)],
        ..ApplicationConfig::named("rotord")
    };
    let payroll = ApplicationConfig {
        owners: vec!["rotord".to_owned()],
        ..ApplicationConfig::named("payroll")
    };
    Config {
        seed: 1,
        applications: vec![rotord, payroll, ApplicationConfig::named("other")],
        ..Config::default()
    }
}

/// A clock that stands still until it is advanced.
pub(crate) fn stopped_clock() -> ClockConfig {
    ClockConfig {
        epoch: Some(epoch()),
        multiplier: 0.0,
    }
}

pub(crate) fn epoch() -> DateTime<Utc> {
    "2030-01-02T03:04:05Z".parse().unwrap()
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn behaving(behaviour: Behaviour) -> Self {
        Self::with(Config {
            behaviour,
            clock: stopped_clock(),
            ..config()
        })
        .await
    }

    pub(crate) async fn filled(fill: usize) -> Self {
        Self::with(Config {
            tenant: TenantConfig {
                fill,
                ..TenantConfig::default()
            },
            ..config()
        })
        .await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let standin = Standin::start(config).await.unwrap();
        let ca = reqwest::Certificate::from_pem(standin.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([ca])
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        Self { standin, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.standin.base_url())
    }

    pub(crate) fn token_path(&self) -> String {
        format!("/{}/oauth2/v2.0/token", self.standin.tenant_id())
    }

    pub(crate) fn app_id(&self, name: &str) -> String {
        self.standin.application(name).unwrap().app_id.to_string()
    }

    pub(crate) fn object_path(&self, name: &str) -> String {
        let id = self.standin.application(name).unwrap().object_id;
        format!("/v1.0/applications/{id}")
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        self.try_send(request).await.unwrap()
    }

    pub(crate) async fn try_send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Reply, reqwest::Error> {
        Reply::of(request.send().await?).await
    }

    /// Says something over TLS that no HTTP client would, and hears all of the answer.
    pub(crate) async fn speak(&self, request: &str) -> String {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(self.standin.ca_pem().as_bytes()).unwrap();
        roots.add(ca).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.standin.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    pub(crate) async fn login(&self, app: &str, secret: &str) -> Reply {
        self.login_form(&[
            ("client_id", &self.app_id(app)),
            ("client_secret", secret),
            ("scope", GRAPH_SCOPE),
            ("grant_type", "client_credentials"),
        ])
        .await
    }

    pub(crate) async fn login_form(&self, form: &[(&str, &str)]) -> Reply {
        let url = self.url(&self.token_path());
        self.send(self.http.post(url).form(form)).await
    }

    pub(crate) async fn bearer(&self) -> String {
        let reply = self.login("rotord", SECRET).await;
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let bearer = self.bearer().await;
        self.send(self.http.get(self.url(path)).bearer_auth(bearer))
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.try_post(path, body).await.unwrap()
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Result<Reply, reqwest::Error> {
        let bearer = self.bearer().await;
        let request = self
            .http
            .post(self.url(path))
            .bearer_auth(bearer)
            .json(body);
        self.try_send(request).await
    }

    pub(crate) async fn add_password(&self, app: &str) -> Reply {
        let path = format!("{}/addPassword", self.object_path(app));
        self.post(&path, &serde_json::json!({})).await
    }

    pub(crate) async fn remove_password(&self, app: &str, key_id: &str) -> Reply {
        let path = format!("{}/removePassword", self.object_path(app));
        self.post(&path, &serde_json::json!({ "keyId": key_id }))
            .await
    }
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}
