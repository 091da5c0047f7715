//! What this provider says of itself.

use rotor_provider_sdk::description::{
    ChoiceField, ChoiceList, ConnectionKind, ConnectionMethod, Family, Field, FieldKind, HostRule,
    LifetimeRule, Limits, OutputKind, Parameter, Phase, ProviderDescription,
};

use crate::choices::CLIENTS;
use crate::cloud::{CLOUDS, Root};
use crate::codes;

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const DAY: u64 = 24 * 60 * 60;

pub(crate) fn description() -> ProviderDescription {
    ProviderDescription {
        slug: "azure-client-secret".to_owned(),
        title: "Azure Client Secret".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        family: Family::Mint,
        phase: Phase::Dual,
        connection: connection(),
        parameters: vec![
            Parameter::key(
                Field::new(FieldKind::Uuid, "objectId", "Object ID")
                    .description("The application's object id (not its client id)."),
            ),
            Parameter::new(
                Field::new(FieldKind::Uuid, "clientId", "Client ID")
                    .description("The application's client id, also called application id."),
            ),
            Parameter::new(
                Field::text("appName", "Application")
                    .description("The application's name; filled in when left out.")
                    .max_length(256)
                    .optional(),
            ),
        ],
        outputs: vec![
            OutputKind::public("clientId", "Client ID", "AZURE_CLIENT_ID"),
            OutputKind::secret("clientSecret", "Client Secret", "AZURE_CLIENT_SECRET"),
        ],
        choices: vec![ChoiceList {
            name: CLIENTS.to_owned(),
            title: "Applications".to_owned(),
            fields: vec![
                ChoiceField::filling("name", "Application", "appName"),
                ChoiceField::filling("id", "Object ID", "objectId"),
                ChoiceField::filling("appId", "Client ID", "clientId"),
            ],
        }],
        hosts: hosts(),
        limits: limits(),
        options: codes::explained(),
    }
}

fn connection() -> ConnectionKind {
    let mut client_secret = who();
    client_secret.push(
        Field::text("clientSecret", "Client Secret")
            .description("The secret's value, not its id.")
            .max_length(256)
            .secret(),
    );
    client_secret.extend(place());
    let mut certificate = who();
    certificate.extend([
        Field::new(FieldKind::LongText, "certificateBody", "Certificate")
            .description("In PEM, as it is registered with the application."),
        Field::new(FieldKind::LongText, "privateKey", "Private Key")
            .description("The certificate's RSA key in PEM, not encrypted.")
            .secret(),
        Field::new(choice(&["PS256", "RS256"]), "algorithm", "Signature")
            .description("How logins are signed.")
            .default_value("PS256"),
    ]);
    certificate.extend(place());
    let method = |name: &str, title: &str, fields| ConnectionMethod {
        name: name.to_owned(),
        title: title.to_owned(),
        fields,
    };
    ConnectionKind {
        app: "azure".to_owned(),
        slug: "azure-client-secrets".to_owned(),
        title: "Azure".to_owned(),
        methods: vec![
            method("client-secret", "Client Secret", client_secret),
            method("certificate", "Certificate", certificate),
        ],
    }
}

fn who() -> Vec<Field> {
    vec![
        Field::text("tenantId", "Tenant ID")
            .description("The directory's id, or one of its domain names.")
            .max_length(253),
        Field::new(FieldKind::Uuid, "clientId", "Client ID")
            .description("The client id of the application that rotates the others."),
    ]
}

fn place() -> Vec<Field> {
    vec![
        Field::new(choice(&CLOUDS.map(|cloud| cloud.name)), "cloud", "Cloud")
            .description("Which of Microsoft's clouds the tenant is in.")
            .default_value(CLOUDS[0].name),
        Field::new(FieldKind::Url, "authority", "Authority")
            .description("In place of the cloud's token endpoint.")
            .optional(),
        Field::new(FieldKind::Url, "graphRoot", "Graph")
            .description("In place of the cloud's Graph, without a version.")
            .optional(),
        Field::text("scope", "Scope")
            .description("In place of the scope with which the cloud's Graph is asked for.")
            .optional(),
    ]
}

fn choice(of: &[&str]) -> FieldKind {
    FieldKind::Choice(of.iter().map(|&one| one.to_owned()).collect())
}

/// Every cloud's two, each once, and what a connection says instead.
fn hosts() -> Vec<HostRule> {
    let mut fixed: Vec<String> = CLOUDS
        .iter()
        .flat_map(|cloud| [cloud.authority, cloud.graph_root])
        .filter_map(|root| Root::parse(root).map(|root| root.host().to_owned()))
        .collect();
    fixed.sort_unstable();
    fixed.dedup();
    fixed
        .into_iter()
        .map(HostRule::Fixed)
        .chain(["authority", "graphRoot"].map(|field| HostRule::FromConnection(field.to_owned())))
        .collect()
}

fn limits() -> Limits {
    let propagation_bound_ms = 20 * MINUTE_MS;
    Limits {
        // Two changes of an application closer than this are refused for concurrency.
        write_spacing_ms: 5 * SECOND_MS,
        // Up to 15 minutes are reported, and no bound is promised.
        propagation_bound_ms,
        // A token bought with the old secret lives up to 90 minutes and needs no secret; whoever buys
        // one at the last moment must find the new secret known by then.
        minimum_overlap_ms: 90 * MINUTE_MS + propagation_bound_ms,
        // Two for applications that are open to personal accounts, which `inspect` says; none for others.
        credential_cap: None,
        // As users of the API know it; two of them and three days stay within five years.
        longest_interval_days: 909,
        verify_successes: 8,
        verify_spacing_ms: 7 * SECOND_MS,
        lifetime: LifetimeRule {
            intervals: 2,
            extra_seconds: 3 * DAY,
            max_seconds: Some(5 * 365 * DAY),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_interval_stays_within_the_longest_lifetime() {
        let limits = limits();
        let lifetime = |days: u64| {
            u64::from(limits.lifetime.intervals) * days * DAY + limits.lifetime.extra_seconds
        };
        let longest = u64::from(limits.longest_interval_days);
        let max = limits.lifetime.max_seconds.unwrap();
        assert!(lifetime(longest) <= max);
    }

    #[test]
    fn the_hosts_are_those_of_the_clouds_and_the_overrides() {
        let hosts = hosts();
        for host in [
            "login.microsoftonline.com",
            "login.microsoftonline.us",
            "login.partner.microsoftonline.cn",
            "graph.microsoft.com",
            "graph.microsoft.us",
            "dod-graph.microsoft.us",
            "microsoftgraph.chinacloudapi.cn",
        ] {
            assert!(hosts.contains(&HostRule::Fixed(host.to_owned())), "{host}");
        }
        assert!(hosts.contains(&HostRule::FromConnection("graphRoot".to_owned())));
        assert_eq!(hosts.len(), 9);
    }

    #[test]
    fn only_what_is_secret_is_marked_secret() {
        let connection = connection();
        let secret = |method: &ConnectionMethod| -> Vec<String> {
            let secret = method.fields.iter().filter(|field| field.secret);
            secret.map(|field| field.name.clone()).collect()
        };
        assert_eq!(secret(&connection.methods[0]), ["clientSecret"]);
        assert_eq!(secret(&connection.methods[1]), ["privateKey"]);
    }

    #[test]
    fn every_choice_fills_a_parameter_that_exists() {
        let description = description();
        for field in &description.choices[0].fields {
            let fills = field.fills.as_deref().unwrap();
            assert!(
                description
                    .parameters
                    .iter()
                    .any(|parameter| parameter.field.name == fills),
                "{fills}"
            );
        }
    }
}
