//! `rotorctl connection list`.

use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::{Cell, Table};
use crate::session::Session;

pub(crate) async fn run(session: &mut Session) -> Result<Exit, CtlError> {
    let (reply, connections) = find::connections(&session.client).await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    // People go by the name; show has the id.
    let person = session.output.is_terminal();
    let mut headings = vec!["NAME", "KIND", "METHOD", "ROTATIONS"];
    headings.extend((!person).then_some("ID"));
    let mut table = Table::new(&headings);
    for connection in &connections {
        let mut row: Vec<Cell> = vec![
            connection.name.as_str().into(),
            connection.app.as_str().into(),
            connection.method.as_str().into(),
            connection.used_by.len().to_string().into(),
        ];
        row.extend((!person).then(|| connection.id.to_string().into()));
        table.row(row);
    }
    session.output.list(
        &table,
        "there is no connection yet: rotorctl connection add makes one",
    )?;
    Ok(Exit::Done)
}
