//! `rotorctl root-key`: which root keys open the database, another one, and one that systemd keeps.

mod credential;
mod key_file;
mod seal;

use std::path::Path;

use clap::{Args, Subcommand};
use rotord_api::root_key::{RewrapReport, RewrapRootKey, RootKeyPlace, RootKeyStatus, RootKeyText};
use rotord_api::routes;

use self::seal::{Seal, System};
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum RootKey {
    /// Which root keys open the database, which is in use, and where it comes from
    Status,
    /// Have another root key open the database, while the daemon works
    #[command(after_help = REWRAP)]
    Rewrap(Rewrap),
    /// As root: make the root key a systemd credential, sealed to this host or its TPM
    #[command(after_help = seal::HELP)]
    Seal(Seal),
}

#[derive(Debug, Args)]
pub(crate) struct Rewrap {
    /// The new root key's file, which is made where it is missing; or - for standard input. Without it, the daemon makes
    /// the key and puts it in the place of the one in its state directory
    #[arg(long, value_name = "FILE")]
    new_key: Option<String>,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

const REWRAP: &str = "\
A root key that comes from elsewhere than the state directory is replaced in two steps: this command has both keys open the
database, and the first start with the new one drops the old one. In between, either will do. The key itself is never an
argument. Backups without a passphrase that were taken before open with the old root key alone: keep it as long as them.";

pub(crate) async fn run(session: &mut Session, command: RootKey) -> Result<Exit, CtlError> {
    match command {
        RootKey::Status => status(session).await,
        RootKey::Rewrap(command) => rewrap(session, &command).await,
        RootKey::Seal(command) => seal::run(session, &command, &System::this_host()).await,
    }
}

async fn status(session: &mut Session) -> Result<Exit, CtlError> {
    let reply = session.client.get(routes::ROOT_KEY).await?;
    let status = reply.parse::<RootKeyStatus>()?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        session.output.table(&facts(&status))?;
    }
    Ok(Exit::Done)
}

fn facts(status: &RootKeyStatus) -> Table {
    let mut table = Table::pairs();
    table.pair("in use", Cell::new(&status.in_use, Tone::Good));
    table.pair("comes from", from(status));
    for label in &status.opening {
        let is_next = status.waiting.as_ref() == Some(label);
        if is_next {
            let what = format!("{label}: opens the database, and a start with it drops the others");
            table.pair("waited for", Cell::new(what, Tone::Warn));
        } else if *label != status.in_use {
            let what = format!("{label}: opens the database");
            table.pair("not in use", Cell::new(what, Tone::Warn));
        }
    }
    for copy in &status.copies {
        let what = format!(
            "{copy}: opens the database; once a copy is elsewhere: {}",
            key_file::shredding(Path::new(copy))
        );
        table.pair("plain copy", Cell::new(what, Tone::Warn));
    }
    for replaced in &status.replaced {
        let what = format!("{replaced}: opens backups from before it was replaced");
        table.pair("replaced", what);
    }
    table
}

fn from(status: &RootKeyStatus) -> String {
    let path = &status.path;
    match status.place {
        RootKeyPlace::Credential => format!("the systemd credential {path}"),
        RootKeyPlace::File => format!("the file {path}"),
        RootKeyPlace::StateDirectory => format!("{path}, beside the database"),
    }
}

async fn rewrap(session: &mut Session, command: &Rewrap) -> Result<Exit, CtlError> {
    let key = match command.new_key.as_deref() {
        None => {
            session.confirm(
                "Make a new root key? Backups without a passphrase open with the old one alone, which is kept.",
                command.yes,
            )?;
            None
        }
        Some("-") => Some(key_file::from_stdin()?),
        Some(path) => {
            let path = Path::new(path);
            if key_file::make_if_missing(path)? && !session.output.is_json() {
                let made = format!("made {}: keep a copy of it elsewhere", path.display());
                session.output.line(made)?;
            }
            Some(key_file::read(path)?)
        }
    };
    let body = RewrapRootKey {
        root_key: key.map(|key| RootKeyText::new(&key)),
    };
    let reply = session.client.post(routes::ROOT_KEY_REWRAP, &body).await?;
    let report = reply.parse::<RewrapReport>()?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    let label = &report.label;
    session.output.line(if report.in_use {
        format!("the root key {label} is in use")
    } else {
        format!("the root key {label} opens the database, and is waited for")
    })?;
    let file = command.new_key.as_deref().filter(|path| *path != "-");
    for next in &report.next {
        // The daemon does not know where the key is from.
        let next = file.map_or_else(|| next.clone(), |file| next.replace("FILE", file));
        session.output.line(format!("  {next}"))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fake::Fake;
    use crate::prompt::tests::Scripted;
    use crate::session::tests::{session, wait};

    fn daemon() -> Fake {
        let status = json!({
            "inUse": "00aa", "place": "file", "path": "/etc/rotord/root.key", "opening": ["00aa", "00bb"],
            "waiting": "00bb", "copies": ["/var/lib/rotord/root.key"], "replaced": ["/var/lib/rotord/root.key.00cc"]
        });
        let report = json!({"label": "00bb", "inUse": false, "next": ["put FILE in its place"]});
        Fake::start().on("GET", routes::ROOT_KEY, 200, status).on(
            "POST",
            routes::ROOT_KEY_REWRAP,
            200,
            report,
        )
    }

    fn new_key(file: &str) -> RootKey {
        RootKey::Rewrap(Rewrap {
            new_key: Some(file.to_owned()),
            yes: false,
        })
    }

    #[test]
    fn status_names_what_opens_the_database_and_what_is_left() {
        let fake = daemon();
        let (mut session, page) = session(&fake, Scripted::new(&[]));
        wait(run(&mut session, RootKey::Status)).unwrap();
        let text = page.text();
        for told in [
            "00aa",
            "the file /etc/rotord/root.key",
            "00bb: opens the database, and a start",
            "/var/lib/rotord/root.key: opens the database; once a copy is elsewhere: sudo ",
            "root.key.00cc: opens backups",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
    }

    #[test]
    fn a_new_key_is_made_once_and_its_bytes_travel_in_the_body_alone() {
        let fake = daemon();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new");
        let name = file.to_str().unwrap();
        for _ in 0..2 {
            let (mut session, page) = session(&fake, Scripted::new(&[]));
            wait(run(&mut session, new_key(name))).unwrap();
            let text = page.text();
            assert!(text.contains(&format!("put {name} in its place")), "{text}");
            let key = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains(key.trim()), "{text}");
            let asked = fake.changes().pop().unwrap();
            assert_eq!(
                asked.body["rootKey"],
                serde_json::to_value(RootKeyText::new(key.as_bytes())).unwrap()
            );
        }
        let bodies: Vec<Value> = fake.changes().into_iter().map(|asked| asked.body).collect();
        assert_eq!(bodies[0], bodies[1]);
    }

    #[test]
    fn the_key_in_the_state_directory_is_replaced_once_that_was_confirmed() {
        let fake = daemon();
        let ask = |answer| Scripted::new(&[("Make a new root key?", answer)]);
        let command = || {
            RootKey::Rewrap(Rewrap {
                new_key: None,
                yes: false,
            })
        };
        let (mut one, _) = session(&fake, ask("no"));
        assert!(wait(run(&mut one, command())).is_err());
        assert!(fake.changes().is_empty());
        let (mut one, _) = session(&fake, ask("yes"));
        wait(run(&mut one, command())).unwrap();
        assert_eq!(fake.changes()[0].body, json!({}));
    }
}
