//! `rotorctl rotate`.

use clap::Args;
use hyper::StatusCode;
use rotord_api::rotation::RotateNow;
use rotord_api::routes;

use crate::cli::Place;
use crate::duration::parse_seconds;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::session::Session;
use crate::{find, wait};

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The rotation's name or id
    rotation: String,
    /// How long what is replaced stays valid at least, such as 1h; the provider's minimum holds all the same
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
    retire_previous_after: Option<u32>,
    /// Wait until it has ended, however long that takes
    #[arg(long)]
    wait: bool,
    /// Only if it is due; else exit with 3
    #[arg(long)]
    if_due: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Rotate) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    if command.if_due
        && rotation
            .next_rotation_at
            .is_none_or(|due| due.0 > session.clock.now)
    {
        let due = session
            .clock
            .cell(rotation.next_rotation_at, session.output.is_terminal());
        session
            .output
            .line(format!("{}: not due; next rotation: {due}", rotation.name))?;
        return Ok(Exit::NotDue);
    }
    let path = routes::rotate_secrets(&rotation.kind, rotation.id);
    let spinner = session
        .output
        .spinner(&format!("rotating {}", rotation.name));
    let mut reply = match command.retire_previous_after {
        None => session.client.post_nothing(&path).await?,
        after => {
            session
                .client
                .post(
                    &path,
                    &RotateNow {
                        retire_previous_after: after,
                    },
                )
                .await?
        }
    };
    if command.wait && reply.status == StatusCode::ACCEPTED {
        reply = wait::until_ended(session, reply, &spinner).await?;
    }
    drop(spinner);
    wait::report(session, &reply, "rotated")
}
