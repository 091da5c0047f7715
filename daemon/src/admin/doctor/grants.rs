//! What each provider may reach.

use rotord_api::catalogue::{GRANT_UNUSED, GRANTS};
use rotord_api::doctor::DoctorFinding;
use rotord_provider::Grant;
use rotord_provider::contract::DeclaredHost;
use rotord_provider::http::HostRule;

use super::Looking;
use crate::admin::Shared;

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    let loaded = daemon.providers.host().providers();
    let mut found: Vec<_> = loaded
        .iter()
        .map(|provider| {
            let message = words(&provider.description().hosts, provider.grant());
            DoctorFinding::fine(&GRANTS, format!("provider {}", provider.slug()), message)
        })
        .collect();
    for slug in daemon.settings.now().providers.grants.keys() {
        if !loaded.iter().any(|provider| provider.slug() == slug) {
            let message = format!("something is granted to {slug}, and no such provider is loaded");
            let about = format!("setting providers.grants.{slug}");
            found.push(DoctorFinding::warning(&GRANT_UNUSED, about, message));
        }
    }
    Box::pin(std::future::ready(found))
}

fn words(declared: &[DeclaredHost], grant: &Grant) -> String {
    let mut words = Vec::new();
    let declared: Vec<String> = declared
        .iter()
        .map(|host| match host {
            DeclaredHost::Fixed(rule) => rule.to_string(),
            DeclaredHost::FromConnection(field) => format!("the host of a connection's {field}"),
        })
        .collect();
    words.push(format!("it declares {}", listed(&declared)));
    let rules =
        |rules: &[HostRule]| -> Vec<String> { rules.iter().map(ToString::to_string).collect() };
    if let Some(only) = &grant.only {
        words.push(format!("of these it may reach {}", listed(&rules(only))));
    }
    if !grant.extra.is_empty() {
        words.push(format!("beyond them {}", listed(&rules(&grant.extra))));
    }
    words.push(format!(
        "at private addresses {}",
        listed(&rules(&grant.private))
    ));
    words.join("; ")
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_grant_is_told() {
        let rule = |text: &str| text.parse::<HostRule>().unwrap();
        let declared = [
            DeclaredHost::Fixed(rule("a.example")),
            DeclaredHost::FromConnection("url".to_owned()),
        ];
        assert_eq!(
            words(&declared, &Grant::default()),
            "it declares a.example, the host of a connection's url; at private addresses none"
        );
        let grant = Grant {
            only: Some(Vec::new()),
            extra: vec![rule("b.example:8443")],
            private: vec![rule("c.example")],
        };
        assert_eq!(
            words(&declared, &grant),
            "it declares a.example, the host of a connection's url; of these it may reach none; beyond them \
             b.example:8443; at private addresses c.example"
        );
    }
}
