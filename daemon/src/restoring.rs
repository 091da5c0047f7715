//! `rotord --restore`: puts a backup back, with the daemon stopped. `rotorctl restore` runs it.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::Utc;
use clap::Args;
use rotord_api::Timestamp;
use rotord_api::backup::{BackupAbout, ExistingDatabase, RestoreOutlook, RestoreReport};
use rotord_store::backup::About;
use rotord_store::restore::{Existing, Outlook};
use rotord_store::{BackupFile, Restored, Restoring, RootKeySource, Secret};
use serde::Serialize;

use crate::app::keys;
use crate::settings::Settings;

/// The longest passphrase that is read, in bytes.
const LONGEST_PASSPHRASE: u64 = 4096;

/// What `--restore` takes.
#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// Put a backup back into the state directory, with the daemon stopped; `rotorctl restore` asks and shows
    #[arg(long, value_name = "FILE")]
    pub(crate) restore: Option<PathBuf>,

    /// Even where a database with rotations is there; it is kept aside
    #[arg(long, requires = "restore")]
    replace: bool,

    /// Say what it would meet, and change nothing
    #[arg(long, requires = "restore")]
    dry_run: bool,

    /// Read the recovery passphrase from standard input
    #[arg(long, requires = "restore")]
    passphrase_stdin: bool,

    /// This host's root key, where the settings do not name it: a copy of the systemd credential
    #[arg(long, value_name = "FILE", requires = "restore")]
    root_key_file: Option<PathBuf>,
}

/// Restores `file` and says so, as JSON, on standard output.
pub(crate) fn run(
    settings: &Settings,
    file: &Path,
    arguments: RestoreArguments,
) -> Result<(), anyhow::Error> {
    let file = BackupFile::read(file)?;
    let passphrase = arguments
        .passphrase_stdin
        .then(read_passphrase)
        .transpose()?;
    let root_key = arguments
        .root_key_file
        .map_or_else(|| keys::root_key(&settings.state), RootKeySource::File);
    let restoring = Restoring {
        dir: &settings.state.directory,
        root_key: &root_key,
        passphrase: passphrase.as_ref(),
        replace: arguments.replace,
        now: Utc::now(),
    };
    if arguments.dry_run {
        let outlook = restoring.outlook(&file)?;
        say(&shown_outlook(&restoring, outlook))
    } else {
        let restored = restoring.restore(&file)?;
        say(&shown(&restoring, restored))
    }
}

fn read_passphrase() -> Result<Secret, anyhow::Error> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(LONGEST_PASSPHRASE)
        .read_to_end(&mut bytes)
        .context("the passphrase can't be read")?;
    while bytes.ends_with(b"\n") || bytes.ends_with(b"\r") {
        bytes.pop();
    }
    Ok(Secret::new(bytes))
}

fn say(what: &impl Serialize) -> Result<(), anyhow::Error> {
    let mut text = serde_json::to_vec(what)?;
    text.push(b'\n');
    std::io::stdout()
        .write_all(&text)
        .context("the result can't be written")
}

fn shown_outlook(restoring: &Restoring<'_>, outlook: Outlook) -> RestoreOutlook {
    RestoreOutlook {
        backup: about(outlook.about),
        directory: restoring.dir.display().to_string(),
        root_key_opens: outlook.root_key_opens,
        database: outlook.database.map(|existing| match existing {
            Existing::Holds { rotations } => ExistingDatabase {
                rotations: Some(rotations),
                trouble: None,
            },
            Existing::Unreadable { why } => ExistingDatabase {
                rotations: None,
                trouble: Some(why),
            },
        }),
    }
}

fn shown(restoring: &Restoring<'_>, restored: Restored) -> RestoreReport {
    let mut next = vec![
        "the next start knows that the database is old: every rotation is in attention mode, secrets are read and \
         rotated as before, and nothing that may be live is removed"
            .to_owned(),
        "rotorctl status names what is in doubt and the commands that end it: adopt, remove, then unblock".to_owned(),
    ];
    if restored.root_key_made {
        next.push(format!(
            "a new root key was made: {}; keep a copy of it where this host is not",
            restoring.dir.join("root.key").display()
        ));
    }
    if let Some(aside) = &restored.aside {
        next.push(format!(
            "what was there is kept in {}: delete it when all is well",
            aside.display()
        ));
    }
    RestoreReport {
        backup: about(restored.about),
        directory: restoring.dir.display().to_string(),
        rotations: restored.rotations,
        kept_aside: restored.aside.map(|aside| aside.display().to_string()),
        next,
    }
}

fn about(about: About) -> BackupAbout {
    BackupAbout {
        installation: about.installation,
        generation: about.generation,
        taken_at: Timestamp(about.taken_at),
        rotord: about.rotord,
        root_keys: about.root_keys,
        passphrase: about.passphrase,
    }
}
