//! `rotorctl connection`.

mod add;
mod check;
mod delete;
mod edit;
mod list;
mod show;

use clap::{Args, Subcommand};

use crate::commands::choices::{self, Choices};
use crate::error::CtlError;
use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Connection {
    /// Add a connection; what isn't given is asked for
    Add(add::Add),
    /// List connections
    List,
    /// Show one connection; secrets never show
    Show(Named),
    /// Try it out: network paths, login, permission to rotate. Ends with 4 where something is a problem
    Check(Named),
    /// Change a connection
    Edit(edit::Edit),
    /// Delete a connection that no rotation uses
    Delete(delete::Delete),
    /// List the applications that it can see (the same as: choices CONNECTION clients)
    Clients(Clients),
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The connection's name or id
    connection: String,
}

#[derive(Debug, Args)]
pub(crate) struct Clients {
    /// The connection's name or id
    connection: String,
    /// Part of a name, or an id
    query: Option<String>,
}

pub(crate) async fn run(session: &mut Session, command: Connection) -> Result<Exit, CtlError> {
    match command {
        Connection::Add(command) => add::run(session, command).await,
        Connection::List => list::run(session).await,
        Connection::Show(command) => show::run(session, &command.connection).await,
        Connection::Check(command) => check::run(session, &command.connection).await,
        Connection::Edit(command) => edit::run(session, command).await,
        Connection::Delete(command) => delete::run(session, command).await,
        Connection::Clients(Clients { connection, query }) => {
            choices::run(
                session,
                Choices {
                    connection,
                    list: "clients".to_owned(),
                    query,
                },
            )
            .await
        }
    }
}
