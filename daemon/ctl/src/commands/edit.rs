//! `rotorctl edit`.

use chrono_tz::Tz;
use clap::Args;
use rotord_api::field::FieldValue;
use rotord_api::rotation::{SecretRotation, SecretRotationAnswer, UpdateRotation};
use rotord_api::{routes, rules};

use crate::cli::Place;
use crate::commands::create::{RotateAt, check_interval, parse_interval};
use crate::commands::secret;
use crate::duration::parse_hours;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::fields::{map, parse_pair, shown};
use crate::find;
use crate::output::note;
use crate::session::Session;
use crate::when::ZONE_NOT_KNOWN;

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// The rotation's name or id
    rotation: String,
    /// A new name
    #[arg(long)]
    name: Option<String>,
    /// A new description; an empty one takes it away
    #[arg(long)]
    description: Option<String>,
    /// Days between two rotations, a whole number
    #[arg(long, value_name = "DAYS", value_parser = parse_interval)]
    interval: Option<u32>,
    #[command(flatten)]
    rotate_at: RotateAt,
    /// Rotate by itself: the same as rotorctl resume
    #[arg(long, conflicts_with = "no_auto")]
    auto: bool,
    /// Rotate only when told: the same as rotorctl pause
    #[arg(long)]
    no_auto: bool,
    /// A parameter, such as appName=billing; the others stay
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    param: Vec<(String, String)>,
    /// The name of an output's secret, such as clientSecret=BILLING_SECRET; the others stay. The former name stays
    /// readable until what is published now has been replaced and retired
    #[arg(long, value_name = "OUTPUT=SECRET", value_parser = parse_pair)]
    map: Vec<(String, String)>,
    /// How long a replaced credential stays valid, in whole hours or days, such as 12h or 7days
    #[arg(long, value_name = "DURATION", value_parser = parse_hours, conflicts_with = "no_overlap")]
    overlap: Option<u32>,
    /// A replaced credential stays valid until the next rotation is due
    #[arg(long)]
    no_overlap: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Edit) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let body = command.body(session, &rotation)?;
    if let Some(days) = body.rotation_interval {
        let providers = find::providers(&session.client).await?;
        // One that is not loaded is the daemon's to judge.
        if let Some(provider) = providers.iter().find(|known| known.slug == rotation.kind) {
            check_interval(days, provider)?;
        }
    }
    if body == UpdateRotation::default() {
        return Err(CtlError::usage("nothing to change")
            .hint("rotorctl edit --help lists what can be changed"));
    }
    // The same rules as for any caller of the API, with all that is wrong at once.
    let json = serde_json::to_value(&body)
        .map_err(|source| CtlError::failed("can't make the request").because(source))?;
    let body = UpdateRotation::from_json(json)
        .map_err(|issues| CtlError::issues("the change", &issues))?;
    let reply = session
        .client
        .patch(&routes::rotation(&rotation.kind, rotation.id), &body)
        .await
        .map_err(|error| secret::hinted(error, &rotation.environment.slug))?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        let edited = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
        let next = session
            .clock
            .cell(edited.next_rotation_at, session.output.is_terminal());
        session
            .output
            .line(format!("{}: changed; next rotation: {next}", edited.name))?;
        // What it means for the rotation, such as an overlap that its secrets' lifetime cuts short.
        for warning in edited.state.iter().flat_map(|state| &state.warnings) {
            note(warning);
        }
        for (former, present) in renamed(&rotation, &edited) {
            session.output.line(format!(
                "{former} is {present} now; the former name stays readable, with the same values, until what is \
                 published now has been replaced and retired"
            ))?;
        }
    }
    Ok(Exit::Done)
}

/// The secrets whose names changed, with both names. Before a value was published there is nothing to read under
/// the former one, and where another output has taken it over it is that one's.
fn renamed<'a>(
    before: &'a SecretRotation,
    after: &'a SecretRotation,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let taken_over = |name: &String| after.secrets_mapping.values().any(|other| other == name);
    before
        .secrets_mapping
        .iter()
        .filter(|_| before.last_rotated_at.is_some())
        .filter_map(|(output, former)| Some((former, after.secrets_mapping.get(output)?)))
        .filter(move |(former, present)| former != present && !taken_over(former))
        .map(|(former, present)| (former.as_str(), present.as_str()))
}

impl Edit {
    fn body(
        &self,
        session: &Session,
        rotation: &SecretRotation,
    ) -> Result<UpdateRotation, CtlError> {
        let mut body = UpdateRotation {
            name: self.name.clone(),
            description: self
                .description
                .clone()
                .map(|text| (!text.trim().is_empty()).then_some(text)),
            is_auto_rotation_enabled: (self.auto || self.no_auto).then_some(self.auto),
            overlap_hours: (self.overlap.is_some() || self.no_overlap).then_some(self.overlap),
            rotation_interval: self.interval,
            ..UpdateRotation::default()
        };
        if self.rotate_at.is_zone_alone() {
            return Err(CtlError::usage(
                "the zone of what time? say --rotate-at too",
            ));
        }
        if !self.param.is_empty() {
            let mut parameters = shown(&rotation.parameters)?;
            parameters.extend(
                map(&self.param)?
                    .into_iter()
                    .map(|(name, text)| (name, FieldValue::text(text))),
            );
            body.parameters = Some(parameters);
        }
        if !self.map.is_empty() {
            let mut mapping = rotation.secrets_mapping.clone();
            mapping.extend(map(&self.map)?);
            rules::distinct_names(&mapping).map_err(CtlError::usage)?;
            body.secrets_mapping = Some(mapping);
        }
        if let Some(time) = self.rotate_at.time() {
            // The zone that it has stays, unless another is said.
            let kept = rotation
                .time_zone
                .as_deref()
                .and_then(|zone| zone.parse().ok());
            let kept: Option<Tz> = kept.filter(|_| !self.rotate_at.says_zone());
            if kept.is_none() && self.rotate_at.is_guessed(&session.clock) {
                note(ZONE_NOT_KNOWN);
            }
            match kept.or_else(|| self.rotate_at.zone(&session.clock)) {
                None => {
                    body.rotate_at_utc = Some(time);
                    body.time_zone = Some(None);
                }
                Some(zone) => {
                    body.rotate_at_local = Some(time);
                    body.time_zone = Some(Some(zone.name().to_owned()));
                }
            }
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use rotord_api::rotation::UpdateRotation;
    use serde_json::json;

    #[test]
    fn what_is_sent_is_what_the_daemon_reads() {
        let update = UpdateRotation {
            description: Some(None),
            time_zone: Some(None),
            ..UpdateRotation::default()
        };
        let sent = serde_json::to_value(&update).unwrap();
        assert_eq!(sent, json!({"description": null, "timeZone": null}));
        assert_eq!(UpdateRotation::from_json(sent).unwrap(), update);
    }
}
