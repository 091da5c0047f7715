//! Whether the database answers, belongs to this machine, and has a witness.

use std::path::Path;

use rotord_api::Timestamp;
use rotord_api::catalogue::{
    DATABASE, DATABASE_UNREADABLE, OTHER_MACHINE, SCHEDULER, WITNESS, WITNESS_MISSING,
};
use rotord_api::doctor::DoctorFinding;
use rotord_store::{Installation, Reader};

use super::Looking;
use crate::actors::scheduler::GetOutlook;
use crate::admin::Shared;

const ABOUT: &str = "database";

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    Box::pin(async move {
        let mut found = match daemon.store.read(Reader::installation).await {
            Ok(installation) => vec![judge(
                &installation,
                crate::app::machine_id(&daemon.settings.now().state).as_deref(),
            )],
            Err(error) => {
                let message = format!("it can't be read: {error}");
                vec![DoctorFinding::problem(&DATABASE_UNREADABLE, ABOUT, message)]
            }
        };
        found.push(witness(&daemon.settings.now().state.witness));
        // A closed mailbox: the daemon stops, and the client is told so by the next request.
        let trouble = daemon.scheduler.send(GetOutlook).await.ok();
        if let Some(trouble) = trouble.and_then(|outlook| outlook.trouble) {
            let message = format!("what is due can't be read: {trouble}");
            found.push(DoctorFinding::problem(&SCHEDULER, "scheduler", message));
        }
        found
    })
}

fn judge(installation: &Installation, machine: Option<&str>) -> DoctorFinding {
    let Installation {
        id,
        machine_id,
        generation,
        created_at,
        ..
    } = installation;
    if let (Some(made_on), Some(machine)) = (machine_id, machine)
        && made_on != machine
    {
        let message = format!("it was made on the machine {made_on}, and this is {machine}");
        return DoctorFinding::problem(&OTHER_MACHINE, ABOUT, message);
    }
    let message = format!(
        "installation {id}, made at {}, {generation} commits",
        Timestamp(*created_at)
    );
    DoctorFinding::fine(&DATABASE, ABOUT, message)
}

fn witness(path: &Path) -> DoctorFinding {
    let about = "witness";
    if path == Path::new("") {
        let message = "the setting state.witness is empty";
        return DoctorFinding::warning(&WITNESS_MISSING, about, message);
    }
    match path.metadata() {
        Ok(_) => DoctorFinding::fine(&WITNESS, about, format!("kept in {}", path.display())),
        Err(error) => {
            let message = format!("{} can't be read: {error}", path.display());
            DoctorFinding::warning(&WITNESS_MISSING, about, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rotord_rotation::InstallationId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_database_of_another_machine_is_told() {
        let made_on = |machine: Option<&str>| Installation {
            id: InstallationId(Uuid::nil()),
            machine_id: machine.map(str::to_owned),
            generation: 7,
            created_at: DateTime::UNIX_EPOCH,
            backup_of: None,
            file_made: None,
        };
        for (made, here, code) in [
            (Some("a"), Some("a"), "database"),
            (None, Some("a"), "database"),
            (Some("a"), None, "database"),
            (Some("a"), Some("b"), "other-machine"),
        ] {
            assert_eq!(judge(&made_on(made), here).code, code, "{made:?} {here:?}");
        }
    }

    #[test]
    fn a_witness_that_is_not_kept_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(witness(Path::new("")).code, "witness-missing");
        assert_eq!(witness(&dir.path().join("none")).code, "witness-missing");
        assert_eq!(witness(dir.path()).code, "witness");
    }
}
