//! The provider against the stand-in for Entra and Graph, over TLS: each side was written from what is
//! known of the real service, without the other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use azure_client_secret::AzureClientSecret as Azure;
use azure_standin::{
    AppRole, ApplicationConfig, Audience, ConcurrencyStatus, Config, Handle, PasswordPolicy,
    SecretConfig, Standin,
};
use rotor_provider_sdk::http::{Error, Http, Request, Response};
use rotor_provider_sdk::{
    Clock, Connection, FaultKind, IssueRequest, Issued, Level, Log, NamedValue, Outputs, Provider,
    Random, Result, RevocationOutcome, Secret, Severity, Target, Timestamp, Verdict,
};

const SECRET: &str = "sTd8Q~the-rotators-own.secret_0000000001";
const DAY: u64 = 24 * 60 * 60;
/// What is left of a longest lifetime for clocks that differ.
const CLOCKS: u64 = 300;

/// The daemon's part, played with a plain client.
struct Network {
    client: reqwest::Client,
    standin: Handle,
    random: AtomicU64,
}

impl Network {
    async fn start(role: AppRole, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        let mut rotator = ApplicationConfig::named("rotator");
        rotator.roles = [role].into();
        rotator.secrets = vec![SecretConfig::text(SECRET)];
        rotator.certificate_pems = vec![include_str!("pair/certificate.pem").to_owned()];
        let mut billing = ApplicationConfig::named("billing");
        billing.owners = vec!["rotator".to_owned()];
        config.applications = vec![rotator, billing, ApplicationConfig::named("foreign")];
        change(&mut config);
        let standin = Standin::start(config).await.unwrap();
        let ca = reqwest::Certificate::from_pem(standin.ca_pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder()
            .tls_certs_only([ca])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            standin,
            random: AtomicU64::new(1),
        }
    }

    fn place(&self) -> Vec<NamedValue> {
        let ids = self.standin.application("rotator").unwrap();
        vec![
            NamedValue::text("tenantId", self.standin.tenant_id().to_string()),
            NamedValue::text("clientId", ids.app_id.to_string()),
            NamedValue::text("authority", self.standin.base_url()),
            NamedValue::text("graphRoot", self.standin.base_url()),
        ]
    }

    fn connection(&self) -> Connection {
        let mut values = self.place();
        values.push(NamedValue::secret("clientSecret", Secret::from(SECRET)));
        Connection::new("client-secret", values)
    }

    fn target(&self, application: &str) -> Target {
        let ids = self.standin.application(application).unwrap();
        Target::new(
            self.connection(),
            [
                NamedValue::text("objectId", ids.object_id.to_string()),
                NamedValue::text("clientId", ids.app_id.to_string()),
            ],
        )
    }

    fn issue(&self, application: &str) -> Result<Issued> {
        let request = IssueRequest {
            slot: 0,
            label: "rotor-label".to_owned(),
            lifetime_seconds: 63 * DAY,
            value: None,
        };
        Azure::issue(self, &self.target(application), &request)
    }

    fn verify(&self, outputs: &Outputs) -> Verdict {
        let verification = Azure::verify(self, &self.target("billing"), outputs).unwrap();
        verification.verdict
    }
}

impl Http for Network {
    fn send(&self, request: Request) -> std::result::Result<Response, Error> {
        let method = request.method.parse().unwrap();
        let mut builder = self.client.request(method, &request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value.expose());
        }
        if let Some(body) = request.body {
            builder = builder.body(body.into_bytes());
        }
        let exchange = async {
            let response = builder.send().await?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let body = response.bytes().await?;
            Ok((status, headers, body))
        };
        let runtime = tokio::runtime::Handle::current();
        let (status, headers, body) = tokio::task::block_in_place(|| runtime.block_on(exchange))
            .map_err(|error: reqwest::Error| {
                if error.is_connect() {
                    Error::Unreachable(error.to_string())
                } else {
                    Error::Interrupted(error.to_string())
                }
            })?;
        let mut answer = Response::new(status, body.to_vec());
        for (name, value) in &headers {
            answer = answer.with_header(name.as_str(), value.to_str().unwrap_or_default());
        }
        Ok(answer)
    }
}

impl Clock for Network {
    fn now(&self) -> Timestamp {
        self.standin.now().timestamp()
    }
}

/// Counts: enough for ids that differ.
impl Random for Network {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.random.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&bytes[8 - chunk.len()..]);
        }
    }
}

impl Log for Network {
    fn log(&self, _: Level, _: &str) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_issued_proved_listed_and_removed() {
    let network = Network::start(AppRole::ApplicationReadWriteOwnedBy, |_| {}).await;
    let target = network.target("billing");
    let issued = network.issue("billing").unwrap();
    assert_eq!(network.verify(&issued.outputs), Verdict::Works);

    let survey = Azure::survey(&network, &target).unwrap();
    let [listed] = survey.credentials.as_slice() else {
        panic!("{:?}", survey.credentials);
    };
    assert_eq!(listed.handle, issued.handle);
    assert_eq!(listed.label.as_deref(), Some("rotor-label"));
    assert_eq!(listed.expires_at, issued.expires_at);
    let secret = issued.outputs.get("clientSecret").unwrap();
    let hint = listed.hint.as_deref().unwrap();
    assert!(secret.expose_text().unwrap().starts_with(hint));

    let removed = Azure::revoke(&network, &target, &issued.handle).unwrap();
    assert_eq!(removed.outcome, RevocationOutcome::Accepted);
    assert!(
        matches!(network.verify(&issued.outputs), Verdict::NotYet(why) if why.contains("AADSTS7000215"))
    );
    let again = Azure::revoke(&network, &target, &issued.handle).unwrap();
    assert_eq!(again.outcome, RevocationOutcome::NotFound);
    assert_eq!(Azure::survey(&network, &target).unwrap().credentials, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_logs_in_with_either_signature() {
    let network = Network::start(AppRole::ApplicationReadWriteOwnedBy, |_| {}).await;
    for algorithm in ["PS256", "RS256"] {
        let mut values = network.place();
        values.extend([
            NamedValue::text("certificateBody", include_str!("pair/certificate.pem")),
            NamedValue::secret("privateKey", include_str!("pair/key.pem").into()),
            NamedValue::text("algorithm", algorithm),
        ]);
        let connection = Connection::new("certificate", values);
        let identity = Azure::check(&network, &connection).unwrap();
        assert!(
            identity.subject.starts_with("rotator "),
            "{}",
            identity.subject
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_what_is_owned_and_inspect_what_is_not() {
    let network = Network::start(AppRole::ApplicationReadWriteOwnedBy, |_| {}).await;
    let identity = Azure::check(&network, &network.connection()).unwrap();
    let problems = |findings: &[rotor_provider_sdk::Finding]| -> Vec<String> {
        findings
            .iter()
            .filter(|finding| finding.severity != Severity::Fine)
            .map(|finding| finding.code.clone())
            .collect()
    };
    assert_eq!(problems(&identity.findings), [""; 0]);
    assert!(
        identity
            .findings
            .iter()
            .any(|one| one.message.contains("owns billing"))
    );
    let owned = Azure::inspect(&network, &network.target("billing")).unwrap();
    assert_eq!(problems(&owned.findings), [""; 0]);
    let foreign = Azure::inspect(&network, &network.target("foreign")).unwrap();
    assert_eq!(problems(&foreign.findings), ["not-owner"]);
    assert_eq!(
        network.issue("foreign").unwrap_err().kind,
        FaultKind::Unauthorized
    );
    assert_eq!(network.standin.secrets("foreign").unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_log_in_is_told_before_it_is_rotated() {
    let network = Network::start(AppRole::ApplicationReadWriteAll, |config| {
        let mut absent = ApplicationConfig::named("absent");
        absent.without_service_principal = true;
        config.applications.push(absent);
    })
    .await;
    let inspection = Azure::inspect(&network, &network.target("absent")).unwrap();
    assert_eq!(inspection.findings[0].code, "no-service-principal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lifetime_policy_is_seen_with_the_permission_and_not_without() {
    let days = |days: u64| PasswordPolicy {
        max_lifetime_seconds: Some(days * DAY),
        ..PasswordPolicy::default()
    };
    let network = Network::start(AppRole::ApplicationReadWriteOwnedBy, |config| {
        config.behaviour.policy = Some(days(90));
        config.applications[2].policy = Some(days(30));
    })
    .await;
    let inspect = |name: &str| Azure::inspect(&network, &network.target(name)).unwrap();
    let unseen = inspect("billing");
    assert_eq!(unseen.max_lifetime_seconds, None);
    assert_eq!(unseen.findings[0].code, "lifetime-policy-unread");
    assert_eq!(unseen.findings[0].severity, Severity::Fine);

    network
        .standin
        .grant("rotator", AppRole::PolicyReadAll)
        .unwrap();
    let seen = inspect("billing");
    assert_eq!(seen.max_lifetime_seconds, Some(90 * DAY - CLOCKS));
    assert_eq!(seen.findings, []);
    // Its own comes before the tenant's.
    assert_eq!(
        inspect("foreign").max_lifetime_seconds,
        Some(30 * DAY - CLOCKS)
    );
    network
        .standin
        .set_behaviour(|behaviour| behaviour.policy = None);
    assert_eq!(inspect("billing").max_lifetime_seconds, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_forbids_secrets_is_told_before_one_is_asked_for() {
    let network = Network::start(AppRole::ApplicationReadWriteOwnedBy, |config| {
        config.behaviour.policy = Some(PasswordPolicy {
            passwords_forbidden: true,
            ..PasswordPolicy::default()
        });
    })
    .await;
    let role = AppRole::PolicyReadWriteApplicationConfiguration;
    network.standin.grant("rotator", role).unwrap();
    let inspection = Azure::inspect(&network, &network.target("billing")).unwrap();
    assert_eq!(inspection.findings[0].code, "secrets-forbidden");
    assert_eq!(
        network.issue("billing").unwrap_err().kind,
        FaultKind::Refused
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_application_of_a_large_tenant_is_listed_once() {
    let network = Network::start(AppRole::ApplicationReadWriteAll, |config| {
        config.tenant.fill = 2100;
        config.behaviour.empty_pages = true;
    })
    .await;
    let mut ids = std::collections::BTreeSet::new();
    let mut count = 0;
    let mut page: Option<String> = None;
    loop {
        let answer = Azure::choices(
            &network,
            &network.connection(),
            "clients",
            "",
            page.as_deref(),
        )
        .unwrap();
        count += answer.choices.len();
        ids.extend(
            answer
                .choices
                .into_iter()
                .map(|choice| choice.values[1].clone()),
        );
        page = answer.next;
        if page.is_none() {
            break;
        }
    }
    assert_eq!((count, ids.len()), (2103, 2103));

    let ids = network.standin.application("billing").unwrap();
    for typed in [
        "BILL".to_owned(),
        ids.object_id.to_string(),
        ids.app_id.to_string(),
    ] {
        let answer =
            Azure::choices(&network, &network.connection(), "clients", &typed, None).unwrap();
        assert_eq!(answer.choices.len(), 1, "{typed}");
        assert_eq!(answer.choices[0].values[0], "billing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_secret_for_personal_accounts_is_full() {
    let network = Network::start(AppRole::ApplicationReadWriteOwnedBy, |config| {
        config.applications[1].audience = Audience::AzureADAndPersonalMicrosoftAccount;
    })
    .await;
    let inspection = Azure::inspect(&network, &network.target("billing")).unwrap();
    assert_eq!(inspection.credential_cap, Some(2));
    network.issue("billing").unwrap();
    network.issue("billing").unwrap();
    assert_eq!(network.issue("billing").unwrap_err().kind, FaultKind::Full);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_too_soon_is_throttled_unless_it_may_have_happened() {
    for (status, expected) in [
        (ConcurrencyStatus::Conflict, FaultKind::Throttled),
        (ConcurrencyStatus::BadRequest, FaultKind::Throttled),
        (ConcurrencyStatus::Unavailable, FaultKind::Ambiguous),
    ] {
        let network = Network::start(AppRole::ApplicationReadWriteOwnedBy, |config| {
            config.behaviour.write_window.milliseconds = 600_000;
            config.behaviour.write_window.status = status;
        })
        .await;
        network.issue("billing").unwrap();
        assert_eq!(network.issue("billing").unwrap_err().kind, expected);
        network.standin.advance(Duration::from_secs(601));
        network.issue("billing").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_application_never_works() {
    let network = Network::start(AppRole::ApplicationReadWriteOwnedBy, |_| {}).await;
    let issued = network.issue("billing").unwrap();
    network.standin.disable("billing", true).unwrap();
    assert!(matches!(network.verify(&issued.outputs), Verdict::Never(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_leaves_the_paths_told() {
    let network = Network::start(AppRole::ApplicationReadWriteOwnedBy, |_| {}).await;
    let mut values = network.place();
    values.push(NamedValue::secret("clientSecret", Secret::from("wrong")));
    let connection = Connection::new("client-secret", values);
    let fault = Azure::check(&network, &connection).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    for code in ["login-reached", "login-refused", "graph-reached"] {
        let code = format!("\"{code}\"");
        assert!(
            fault
                .options
                .iter()
                .any(|option| option.value.contains(&code)),
            "{code}: {:?}",
            fault.options
        );
    }
}
