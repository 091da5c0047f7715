//! What a call is about, parsed: how to log in where, and which application.

use rotor_provider_sdk::{Connection, Result, Secret, Values};

use crate::assertion::{Algorithm, Certificate};
use crate::cloud::{CLOUDS, Root};

/// A connection.
#[derive(Debug)]
pub(crate) struct Azure {
    /// A directory's id or one of its domain names.
    pub(crate) tenant: String,
    /// The client id of the application that rotates.
    pub(crate) client_id: String,
    pub(crate) login: Login,
    pub(crate) authority: Root,
    pub(crate) graph_root: Root,
    pub(crate) scope: String,
}

/// How the connection proves who it is.
#[derive(Debug)]
pub(crate) enum Login {
    ClientSecret(Secret),
    Certificate(Box<Certificate>),
}

impl Azure {
    pub(crate) fn parse(connection: &Connection) -> Result<Self> {
        let values = &connection.values;
        let cloud_name = values.optional_text("cloud")?.unwrap_or(CLOUDS[0].name);
        let cloud = CLOUDS
            .iter()
            .find(|cloud| cloud.name == cloud_name)
            .ok_or_else(|| {
                let known = CLOUDS.map(|cloud| cloud.name).join(", ");
                values.invalid("cloud", format!("connection.cloud must be one of {known}"))
            })?;
        let scope = values.optional_text("scope")?.unwrap_or(cloud.scope);
        Ok(Self {
            tenant: tenant(values)?,
            client_id: uuid(values, "clientId")?,
            login: Login::parse(connection)?,
            authority: root(values, "authority", cloud.authority)?,
            graph_root: root(values, "graphRoot", cloud.graph_root)?,
            scope: scope.to_owned(),
        })
    }

    /// Where tokens come from.
    pub(crate) fn token_endpoint(&self) -> String {
        self.authority
            .join(&format!("/{}/oauth2/v2.0/token", self.tenant))
    }

    /// Where a link of Graph's leads from here; `None` for one that is not Graph's. Behind a proxy Graph
    /// still links to itself by its own name: such a link is followed over the proxy.
    pub(crate) fn link(&self, link: &str) -> Option<String> {
        if self.graph_root.holds(link) {
            return Some(link.to_owned());
        }
        let resource = self.scope.strip_suffix("/.default").and_then(Root::parse);
        let own_names = CLOUDS
            .iter()
            .filter_map(|cloud| Root::parse(cloud.graph_root));
        own_names
            .chain(resource)
            .find_map(|name| name.below(link).map(|path| self.graph_root.join(path)))
    }
}

impl Login {
    fn parse(connection: &Connection) -> Result<Self> {
        let values = &connection.values;
        match connection.method.as_str() {
            "client-secret" => Ok(Self::ClientSecret(values.secret("clientSecret")?.clone())),
            "certificate" => {
                let algorithm = match values.optional_text("algorithm")? {
                    None | Some("PS256") => Algorithm::Ps256,
                    Some("RS256") => Algorithm::Rs256,
                    Some(_) => {
                        return Err(values
                            .invalid("algorithm", "connection.algorithm must be PS256 or RS256"));
                    }
                };
                let certificate = Certificate::parse(
                    values.text("certificateBody")?,
                    values.secret("privateKey")?,
                    algorithm,
                )
                .map_err(|error| values.invalid(error.field(), error.to_string()))?;
                Ok(Self::Certificate(Box::new(certificate)))
            }
            other => Err(values.invalid(
                "method",
                format!("there is no method {other:?}; it is client-secret or certificate"),
            )),
        }
    }
}

/// The application whose secrets are rotated. Graph's routes take the object id; logins take the client
/// id; giving one for the other is the commonest mistake.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) object_id: String,
    pub(crate) client_id: String,
    pub(crate) app_name: Option<String>,
}

impl Application {
    pub(crate) fn parse(parameters: &Values) -> Result<Self> {
        Ok(Self {
            object_id: uuid(parameters, "objectId")?,
            client_id: uuid(parameters, "clientId")?,
            app_name: parameters.optional_text("appName")?.map(str::to_owned),
        })
    }
}

/// Whether this reads as a UUID in its usual form.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn uuid(values: &Values, name: &str) -> Result<String> {
    let text = values.text(name)?.trim();
    if is_uuid(text) {
        return Ok(text.to_ascii_lowercase());
    }
    let field = values.field(name);
    Err(values.invalid(
        name,
        format!("{field} must be a UUID such as 00001111-aaaa-2222-bbbb-3333cccc4444"),
    ))
}

fn tenant(values: &Values) -> Result<String> {
    let text = values.text("tenantId")?.trim();
    // It becomes part of a path.
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if text.chars().all(plain) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(values.invalid(
        "tenantId",
        "connection.tenantId must be the directory's UUID or one of its domain names",
    ))
}

fn root(values: &Values, name: &str, default: &str) -> Result<Root> {
    let text = values.optional_text(name)?.unwrap_or(default);
    Root::parse(text).ok_or_else(|| {
        let field = values.field(name);
        values.invalid(name, format!("{field} must be a URL such as {default}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rotor_provider_sdk::{Fault, FaultKind, NamedValue};

    const ID: &str = "00001111-AAAA-2222-bbbb-3333cccc4444";

    fn parse(extra: &[(&str, &str)]) -> Result<Azure> {
        let mut texts = vec![("tenantId", ID), ("clientId", ID)];
        texts.retain(|(name, _)| extra.iter().all(|(other, _)| other != name));
        texts.extend(extra);
        let values = texts
            .into_iter()
            .map(|(name, text)| NamedValue::text(name, text))
            .chain([NamedValue::secret("clientSecret", Secret::from("s3cret"))]);
        Azure::parse(&Connection::new("client-secret", values))
    }

    fn field_of(fault: Fault) -> String {
        match fault.kind {
            FaultKind::InvalidInput(field) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_global_cloud_is_the_default() {
        let azure = parse(&[]).unwrap();
        assert_eq!(
            azure.token_endpoint(),
            "https://login.microsoftonline.com/00001111-aaaa-2222-bbbb-3333cccc4444/oauth2/v2.0/token"
        );
        assert_eq!(azure.graph_root.host(), "graph.microsoft.com");
        assert_eq!(azure.scope, "https://graph.microsoft.com/.default");
    }

    #[test]
    fn each_of_the_three_places_can_be_overridden_alone() {
        let azure = parse(&[("cloud", "china"), ("graphRoot", "https://127.0.0.1:8443/")]).unwrap();
        assert_eq!(azure.authority.host(), "login.partner.microsoftonline.cn");
        assert_eq!(azure.graph_root.host(), "127.0.0.1:8443");
        assert_eq!(
            azure.scope,
            "https://microsoftgraph.chinacloudapi.cn/.default"
        );
        let azure = parse(&[
            ("scope", "api://x/.default"),
            ("authority", "https://e.test"),
        ])
        .unwrap();
        assert_eq!(azure.scope, "api://x/.default");
        assert_eq!(azure.authority.host(), "e.test");
        assert_eq!(azure.graph_root.host(), "graph.microsoft.com");
    }

    #[test]
    fn a_link_by_graphs_own_name_is_followed_over_the_proxy() {
        let azure = parse(&[
            ("graphRoot", "https://proxy.test/graph"),
            ("scope", "https://graph.new-cloud.test/.default"),
        ])
        .unwrap();
        let rest = "/v1.0/applications?$skiptoken=x";
        for name in [
            "https://graph.microsoft.com",
            "https://graph.new-cloud.test",
            "https://proxy.test/graph",
        ] {
            assert_eq!(
                azure.link(&format!("{name}{rest}")).unwrap(),
                format!("https://proxy.test/graph{rest}")
            );
        }
        for elsewhere in [
            "https://graph.microsoft.com.evil.test",
            "https://graph.microsoft.com@evil.test",
            "https://proxy.test/other",
            "http://graph.microsoft.com",
        ] {
            assert_eq!(azure.link(&format!("{elsewhere}{rest}")), None);
        }
    }

    #[test]
    fn wrong_values_name_their_field() {
        for (name, wrong) in [
            ("cloud", "mars"),
            ("tenantId", "a/b"),
            ("tenantId", "../common"),
            ("tenantId", ""),
            ("clientId", "not-a-uuid"),
            ("authority", "http://login.test"),
            ("graphRoot", "graph.test"),
        ] {
            let fault = parse(&[(name, wrong)]).unwrap_err();
            assert_eq!(field_of(fault), format!("connection.{name}"), "{wrong}");
        }
    }

    #[test]
    fn a_domain_name_is_a_tenant() {
        assert_eq!(
            parse(&[("tenantId", "Contoso.onmicrosoft.com")])
                .unwrap()
                .tenant,
            "contoso.onmicrosoft.com"
        );
    }

    #[test]
    fn a_parsed_connection_prints_without_its_secret() {
        assert!(!format!("{:?}", parse(&[]).unwrap()).contains("s3cret"));
    }

    #[test]
    fn uuids_are_known_by_shape() {
        assert!(is_uuid(ID));
        for wrong in [
            "",
            "00001111aaaa2222bbbb3333cccc4444",
            &ID[..35],
            "00001111-aaaa-2222-bbbb-3333cccc444g",
        ] {
            assert!(!is_uuid(wrong), "{wrong}");
        }
    }
}
