//! `rotorctl connection delete`.

use clap::Args;
use rotord_api::routes;

use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// The connection's name or id
    connection: String,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(session: &mut Session, command: Delete) -> Result<Exit, CtlError> {
    let found = find::connection(&session.client, &command.connection).await?;
    // What would be refused is not asked for.
    if !found.used_by.is_empty() {
        let users: Vec<&str> = found.used_by.iter().map(|user| &*user.name).collect();
        return Err(CtlError::failed(format!(
            "the connection {} is still used by: {}",
            found.name,
            users.join(", ")
        ))
        .hint("delete these first: rotorctl delete ROTATION"));
    }
    session.confirm(
        &format!("Delete the connection {}?", found.name),
        command.yes,
    )?;
    let reply = session
        .client
        .delete(&routes::connection(&found.app, found.id))
        .await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        session
            .output
            .line(format!("connection {} is deleted", found.name))?;
    }
    Ok(Exit::Done)
}
