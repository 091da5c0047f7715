//! `rotorctl connection list`.

use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::Table;
use crate::session::Session;

pub(crate) async fn run(session: &mut Session) -> Result<Exit, CtlError> {
    let (reply, connections) = find::connections(&session.client).await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["NAME", "KIND", "METHOD", "ROTATIONS", "ID"]);
    for connection in &connections {
        table.row([
            connection.name.as_str().into(),
            connection.app.as_str().into(),
            connection.method.as_str().into(),
            connection.used_by.len().to_string().into(),
            connection.id.to_string().into(),
        ]);
    }
    session.output.list(
        &table,
        "there is no connection yet: rotorctl connection add makes one",
    )?;
    Ok(Exit::Done)
}
