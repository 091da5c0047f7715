//! What is about to be created, for a last look.

use rotord_api::connection::AppConnection;
use rotord_api::provider::ProviderDescription;
use rotord_api::rotation::CreateRotation;

use crate::commands::create::dialogue::Details;
use crate::output::Table;
use crate::when::Clock;

/// Everything that was gathered.
pub(super) fn table(
    clock: &Clock,
    provider: &ProviderDescription,
    connection: &AppConnection,
    details: &Details,
    body: &CreateRotation,
) -> Table {
    let mut table = Table::pairs();
    table.pair("name", body.name.as_str());
    table.pair("description", body.description.as_deref().unwrap_or("-"));
    table.pair("type", provider.title.as_str());
    table.pair("connection", connection.name.as_str());
    for parameter in &provider.parameters {
        let value = body
            .parameters
            .get(&parameter.field.name)
            .and_then(|value| value.as_text());
        let shown = if parameter.field.secret {
            "(secret)"
        } else {
            value.unwrap_or("-")
        };
        table.pair(&parameter.field.title, shown);
    }
    for output in &provider.outputs {
        let name = body
            .secrets_mapping
            .get(&output.name)
            .map_or("-", String::as_str);
        table.pair(&output.title, format!("→ {name}"));
    }
    table.pair(
        "environment",
        format!("{} of {}", details.environment.name, details.project.name),
    );
    table.pair("path", body.secret_path.as_str());
    table.pair("interval", format!("{} d", body.rotation_interval));
    table.pair("rotate at", rotate_at(clock, body));
    table.pair(
        "rotates",
        if body.is_auto_rotation_enabled {
            "by itself"
        } else {
            "only when told"
        },
    );
    table
}

fn rotate_at(clock: &Clock, body: &CreateRotation) -> String {
    match (&body.time_zone, body.rotate_at_local) {
        (Some(zone), Some(local)) => format!("{local} {zone} ({} UTC)", body.rotate_at_utc),
        _ => format!(
            "{} UTC ({} here)",
            body.rotate_at_utc,
            clock.local_of(body.rotate_at_utc)
        ),
    }
}
