//! What a provider says of itself, checked for sense before it is believed.

mod check;
#[cfg(test)]
mod tests;

use self::check::Check;
use crate::bindings::description as wire;
use crate::contract::{Parameter, ProviderDescription};
use crate::scrub::Scrubber;

/// The description, or everything that is wrong with it.
pub(crate) fn description(
    wire: wire::ProviderDescription,
) -> Result<ProviderDescription, Vec<String>> {
    let mut check = Check::default();
    let family = check.family(&wire.family);
    let phase = check.phase(&wire.phase);
    let slug = check.slug("slug", &wire.slug);
    let title = check.title("title", &wire.title);
    let version = check.title("version", &wire.version);
    let connection = check.connection(wire.connection);
    let parameters: Vec<Parameter> = wire
        .parameters
        .into_iter()
        .map(|parameter| Parameter {
            field: check.field("parameters", parameter.field),
            key: parameter.key,
        })
        .collect();
    check.distinct(
        "parameters",
        parameters
            .iter()
            .map(|parameter| parameter.field.name.as_str()),
    );
    let outputs = check.outputs(wire.outputs);
    let choices = check.choices(wire.choices, &parameters);
    let hosts = check.hosts(wire.hosts, connection.as_ref());
    let limits = check.limits(&wire.limits);
    let options = super::answer::options(wire.options, &Scrubber::default());

    match (slug, family, phase, connection) {
        (Some(slug), Some(family), Some(phase), Some(connection)) if check.problems.is_empty() => {
            Ok(ProviderDescription {
                slug,
                title,
                version,
                family,
                phase,
                connection,
                parameters,
                outputs,
                choices,
                hosts,
                limits,
                options,
            })
        }
        _ => Err(check.problems),
    }
}
