//! `rotorctl connection check`.

use rotord_api::connection::ConnectionCheck;
use rotord_api::issue::Severity;
use rotord_api::routes;

use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::{Cell, Table, Tone};
use crate::session::Session;

pub(crate) async fn run(session: &mut Session, named: &str) -> Result<Exit, CtlError> {
    let connection = find::connection(&session.client, named).await?;
    let reply = {
        let _spinner = session.output.spinner("asking the provider");
        session
            .client
            .get(&routes::connection_check(connection.id))
            .await?
    };
    let check = reply.parse::<ConnectionCheck>()?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        if let Some(subject) = &check.subject {
            session.output.line(format!("logged in as {subject}"))?;
        }
        let mut table = Table::new(&["", "CODE", "SEEN", "WHAT HELPS"]);
        for finding in &check.findings {
            let (word, tone) = match finding.severity {
                Severity::Fine => ("fine", Tone::Good),
                Severity::Warning => ("warning", Tone::Warn),
                Severity::Problem => ("problem", Tone::Bad),
            };
            // What is fine needs no help, though a provider may know how to get more of it.
            let remedy = finding
                .remedy
                .as_deref()
                .filter(|_| finding.severity != Severity::Fine);
            table.row([
                Cell::new(word, tone),
                finding.code.as_str().into(),
                finding.message.as_str().into(),
                remedy.unwrap_or("").into(),
            ]);
        }
        session.output.table(&table)?;
    }
    Ok(if check.is_usable() {
        Exit::Done
    } else {
        // As doctor ends for the same finding: it was looked at, and a person should look too.
        Exit::Attention
    })
}
