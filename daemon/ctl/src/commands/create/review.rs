//! What is about to be created, for a last look.

use rotord_api::rotation::CreateRotation;

use crate::commands::create::dialogue::Draft;
use crate::output::Table;
use crate::when::Clock;

/// Everything that was gathered.
pub(super) fn table(clock: &Clock, draft: &Draft, body: &CreateRotation) -> Table {
    let (provider, location) = (&draft.provider, &draft.location);
    let mut table = Table::pairs();
    table.pair("name", body.name.as_str());
    table.pair("description", body.description.as_deref().unwrap_or("-"));
    table.pair("type", provider.title.as_str());
    table.pair("connection", draft.connection.name.as_str());
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
        format!("{} of {}", location.environment.name, location.project.name),
    );
    table.pair("path", body.secret_path.as_str());
    table.pair("interval", format!("{} d", body.rotation_interval));
    let zoned = body.time_zone.as_deref().zip(body.rotate_at_local);
    table.pair("rotate at", clock.rotate_at(zoned, body.rotate_at_utc));
    if let Some(hours) = body.overlap_hours {
        table.pair("overlap", format!("{hours} h"));
    }
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
