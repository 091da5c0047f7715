//! `rotorctl root-key seal`: the root key becomes a systemd credential.
//!
//! Nothing that may be the only copy of a key is deleted or overwritten, and each step leaves what starts: the sealed
//! file is opened again and compared before it gets its place, and a fresh key opens the database, beside the one in
//! use, before the sealed file has its place.

use std::path::PathBuf;

use clap::Args;
use rotord_api::root_key::{RewrapReport, RewrapRootKey, RootKeyPlace, RootKeyStatus, RootKeyText};
use rotord_api::routes;
use serde_json::json;

use super::credential::{NAME, SystemdCreds, WithKey};
use super::key_file::{self, Key};
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::note;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// What opens it again
    #[arg(long, value_name = "KEY", value_enum, default_value = "auto")]
    with_key: WithKey,
    /// Make a new root key instead of sealing the one in use
    #[arg(long)]
    new: bool,
    /// Seal the root key in this file, instead of the one in use
    #[arg(long, value_name = "FILE", conflicts_with = "new")]
    key_file: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

pub(super) const HELP: &str = "\
It seals the root key in use, so that everything which that key opens, backups too, opens as before. With --new it seals a \
fresh one, which opens the database beside the one in use until the daemon was started with it: for a key that lay in plain \
files for long. Either way the plain file of before is left where it is, and what to do with it is said.";

const CREDENTIAL: &str = "etc/credstore.encrypted/rotord.root-key";
const DROP_IN: &str = "etc/systemd/system/rotord.service.d/root-key.conf";

/// Where this is done.
#[derive(Debug)]
pub(super) struct System {
    root: PathBuf,
    creds: SystemdCreds,
}

/// Where the key is from that is sealed.
#[derive(Debug)]
enum Origin {
    Fresh(RootKeyStatus),
    /// The daemon's own answer stands beside its file; none where the file was named.
    File(PathBuf, Option<RootKeyStatus>),
    /// The credential that is there is sealed anew.
    Sealed,
}

/// What was done.
#[derive(Debug)]
struct Sealed {
    label: Option<String>,
    kept: Option<PathBuf>,
}

impl System {
    pub(super) fn this_host() -> Self {
        Self {
            root: "/".into(),
            creds: SystemdCreds::new("systemd-creds"),
        }
    }

    fn credential(&self) -> PathBuf {
        self.root.join(CREDENTIAL)
    }

    fn drop_in(&self) -> PathBuf {
        self.root.join(DROP_IN)
    }

    /// Named by its path: a credential that is missing then fails the start, and none is made up instead.
    fn drop_in_text(&self) -> String {
        format!(
            "# Written by `rotorctl root-key seal`: the root key comes from a sealed credential.\n[Service]\n\
             LoadCredentialEncrypted={NAME}:{}\n",
            self.credential().display()
        )
    }
}

pub(super) async fn run(
    session: &mut Session,
    command: &Seal,
    system: &System,
) -> Result<Exit, CtlError> {
    let origin = origin(session, command, system).await?;
    if command.dry_run {
        return dry_run(session, command, system, &origin);
    }
    if let Origin::Fresh(_) = origin {
        session.confirm(
            "Make a new root key? Backups without a passphrase open with the old one alone, which is kept.",
            command.yes,
        )?;
    }
    let sealed = seal(session, command, system, &origin).await?;
    let next = next(system, &origin, &sealed);
    if session.output.is_json() {
        session.output.json(&json!({
            "label": sealed.label,
            "credential": system.credential().display().to_string(),
            "dropIn": system.drop_in().display().to_string(),
            "keptAside": sealed.kept.map(|path| path.display().to_string()),
            "next": next,
        }))?;
        return Ok(Exit::Done);
    }
    let label = sealed
        .label
        .map_or_else(String::new, |label| format!(" {label}"));
    session.output.line(format!(
        "the root key{label} is sealed in {}, and the unit loads it from its next start on",
        system.credential().display()
    ))?;
    for next in next {
        session.output.line(format!("  {next}"))?;
    }
    Ok(Exit::Done)
}

async fn origin(session: &Session, command: &Seal, system: &System) -> Result<Origin, CtlError> {
    if let Some(file) = &command.key_file {
        return Ok(Origin::File(file.clone(), None));
    }
    let status = session.client.get(routes::ROOT_KEY).await;
    let status: RootKeyStatus = status
        .map_err(|error| error.hint("where no daemon can be asked, name the key: --key-file FILE"))?
        .parse()?;
    if command.new {
        return Ok(Origin::Fresh(status));
    }
    match status.place {
        RootKeyPlace::File | RootKeyPlace::StateDirectory => {
            Ok(Origin::File((&status.path).into(), Some(status)))
        }
        RootKeyPlace::Credential if system.credential().exists() => Ok(Origin::Sealed),
        RootKeyPlace::Credential => Err(CtlError::failed(format!(
            "the root key is a systemd credential already, and not from {}",
            system.credential().display()
        ))
        .hint("see systemctl cat rotord for where it is from; name the key's file with --key-file FILE, or say --new")),
    }
}

async fn seal(
    session: &Session,
    command: &Seal,
    system: &System,
    origin: &Origin,
) -> Result<Sealed, CtlError> {
    let credential = system.credential();
    let key = match origin {
        Origin::Fresh(_) => key_file::fresh()?,
        Origin::File(path, _) => key_file::read(path)?,
        Origin::Sealed => system.creds.open(&credential).await?,
    };
    let mut label = match origin {
        Origin::Fresh(_) => None,
        Origin::File(..) | Origin::Sealed => must_open(session, command, &key).await?,
    };
    let sealed = system.creds.seal(&key, command.with_key).await?;
    key_file::make_folder(&credential, 0o700)?;
    let draft = key_file::draft(&credential, &sealed, 0o600)?;
    if *system.creds.open(draft.path()).await? != *key {
        return Err(CtlError::failed(
            "what systemd-creds has sealed does not open to the same key; nothing was changed",
        ));
    }
    if let Origin::Fresh(_) = origin {
        label = Some(rewrap(session, &key).await?);
    }
    let kept = keep_what_is_there(session, system, &key).await?;
    draft.put(&credential)?;
    key_file::make_folder(&system.drop_in(), 0o755)?;
    key_file::write(&system.drop_in(), system.drop_in_text().as_bytes(), 0o644)?;
    Ok(Sealed { label, kept })
}

/// The key's label, once it is certain that it opens the database. That is found here: what a file holds must not go to
/// whoever named the file, since root reads files that the daemon may not.
async fn must_open(
    session: &Session,
    command: &Seal,
    key: &Key,
) -> Result<Option<String>, CtlError> {
    if command.key_file.is_some() && session.client.reach().await.is_err() {
        note("no daemon runs that could say whether this root key opens its database");
        return Ok(None);
    }
    let label = key_file::label(key)?;
    let reply = session.client.get(routes::ROOT_KEY).await?;
    if reply.parse::<RootKeyStatus>()?.opening.contains(&label) {
        return Ok(Some(label));
    }
    Err(CtlError::failed(format!(
        "the root key {label} does not open the database: it is not sealed"
    ))
    .hint("rotorctl root-key status names those that do; for a new one say --new"))
}

async fn rewrap(session: &Session, key: &Key) -> Result<String, CtlError> {
    let body = RewrapRootKey {
        root_key: Some(RootKeyText::new(key)),
    };
    let reply = session.client.post(routes::ROOT_KEY_REWRAP, &body).await?;
    Ok(reply.parse::<RewrapReport>()?.label)
}

/// A credential that holds another key, or does not open, may be what opens a backup.
async fn keep_what_is_there(
    session: &Session,
    system: &System,
    key: &Key,
) -> Result<Option<PathBuf>, CtlError> {
    let credential = system.credential();
    if !credential.exists() {
        return Ok(None);
    }
    if let Ok(there) = system.creds.open(&credential).await
        && *there == **key
    {
        return Ok(None);
    }
    let at = session.clock.now.format("%Y%m%dT%H%M%S%3fZ");
    let kept = credential.with_file_name(format!("{NAME}.before-{at}"));
    key_file::keep_as(&credential, &kept)?;
    Ok(Some(kept))
}

fn next(system: &System, origin: &Origin, sealed: &Sealed) -> Vec<String> {
    let credential = system.credential();
    let credential = credential.display();
    let label = sealed.label.as_deref().unwrap_or("this key");
    let mut next = vec![
        "sudo systemctl daemon-reload && sudo systemctl restart rotord".to_owned(),
        format!(
            "rotorctl root-key status, and rotorctl doctor: until {label} is in use there and comes from the systemd \
             credential, every key of before stays where it is"
        ),
        format!(
            "what is sealed opens on this host alone: keep a copy of the key where this host is not (sudo systemd-creds \
             decrypt --name={NAME} {credential} - prints it), or backups with a recovery passphrase"
        ),
    ];
    match origin {
        Origin::Fresh(status) => next.push(old_key(status, sealed)),
        Origin::File(path, status) => {
            next.push(format!(
                "then, and not before: {}",
                key_file::shredding(path)
            ));
            if status
                .as_ref()
                .is_some_and(|status| status.place == RootKeyPlace::File)
            {
                next.push("and take state.root_key_file out of the settings".to_owned());
            }
        }
        Origin::Sealed => {}
    }
    next
}

/// What becomes of the key that a fresh one replaces.
fn old_key(status: &RootKeyStatus, sealed: &Sealed) -> String {
    let path = match (&sealed.kept, status.place) {
        (Some(kept), RootKeyPlace::Credential) => kept.display().to_string(),
        (_, RootKeyPlace::Credential) => "where it was".to_owned(),
        (_, RootKeyPlace::File | RootKeyPlace::StateDirectory) => status.path.clone(),
    };
    format!(
        "the old root key {} stays in {path}: backups from before that have no passphrase open with nothing else; take a \
         new backup, and shred the old key when none of those is needed",
        status.in_use
    )
}

fn dry_run(
    session: &mut Session,
    command: &Seal,
    system: &System,
    origin: &Origin,
) -> Result<Exit, CtlError> {
    let credential = system.credential();
    let mut steps = vec![match origin {
        Origin::Fresh(status) => format!(
            "make a new root key, and have it open the database beside {}, which is in use",
            status.in_use
        ),
        Origin::File(path, _) => format!(
            "read the root key in {}, and see whether it is one of those that open the database",
            path.display()
        ),
        Origin::Sealed => format!("open the root key in {}", credential.display()),
    }];
    steps.push(format!(
        "seal it: {}, with the key on standard input, and open it again to compare",
        SystemdCreds::shown(command.with_key)
    ));
    steps.push(format!(
        "write {}{}",
        credential.display(),
        if credential.exists() && !matches!(origin, Origin::Sealed) {
            "; what is there is kept beside it unless it holds the same key"
        } else {
            ""
        }
    ));
    steps.push(format!(
        "write {} with {}",
        system.drop_in().display(),
        last_line(&system.drop_in_text())
    ));
    if session.output.is_json() {
        session
            .output
            .json(&json!({"dryRun": true, "steps": steps}))?;
        return Ok(Exit::Done);
    }
    session.output.line("this would be done, and was not:")?;
    for step in steps {
        session.output.line(format!("  {step}"))?;
    }
    Ok(Exit::Done)
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::Value;
    use tempfile::TempDir;

    use super::*;
    use crate::fake::Fake;
    use crate::output::tests::Page;
    use crate::prompt::tests::Scripted;
    use crate::session::tests::{session, wait};

    const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";

    fn label() -> String {
        key_file::label(&Key::new(KEY.into())).unwrap()
    }

    /// Seals by turning the key around, says what it was called with, and knows the name that it sealed under.
    const FAKE_CREDS: &str = r#"#!/bin/sh
echo "$@" >>"$0.asked"
[ "$2" = --name=rotord.root-key ] || exit 1
case $1 in
encrypt) [ -e "$0.refuses" ] && { echo 'no TPM here' >&2; exit 1; }; echo "sealed $3"; tr 0123456789abcdef fedcba9876543210 ;;
decrypt) [ "$(head -c 6 "$3")" = sealed ] || exit 1; tail -n +2 "$3" | tr 0123456789abcdef fedcba9876543210 ;;
esac
"#;

    struct Host {
        folder: TempDir,
        system: System,
        fake: Fake,
    }

    impl Host {
        /// Whose root key comes from there.
        fn new(place: &str, opens: bool) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("systemd-creds");
            // Not by this process: a program that somebody has open for writing can't be run.
            let written = std::process::Command::new("/bin/sh")
                .args(["-c", r#"printf %s "$1" >"$0" && chmod 755 "$0""#])
                .arg(&program)
                .arg(FAKE_CREDS)
                .status();
            assert!(written.unwrap().success());
            let plain = folder.path().join("root.key");
            key_file::write(&plain, KEY.as_bytes(), 0o600).unwrap();
            let label = label();
            let in_use = if opens { label.as_str() } else { "00aa" };
            let fake = Fake::start()
                .on(
                    "GET",
                    routes::ROOT_KEY,
                    200,
                    json!({"inUse": in_use, "place": place, "path": plain, "opening": [in_use]}),
                )
                .on(
                    "POST",
                    routes::ROOT_KEY_REWRAP,
                    200,
                    json!({"label": "00bb", "inUse": false, "next": []}),
                );
            let system = System {
                root: folder.path().to_owned(),
                creds: SystemdCreds::new(program),
            };
            Self {
                folder,
                system,
                fake,
            }
        }

        fn run(
            &self,
            command: &Seal,
            answers: &[(&'static str, &'static str)],
        ) -> (Result<Exit, CtlError>, Page) {
            let (mut session, page) = session(&self.fake, Scripted::new(answers));
            (wait(run(&mut session, command, &self.system)), page)
        }

        fn plain(&self) -> PathBuf {
            self.folder.path().join("root.key")
        }

        /// What the sealed file opens to.
        fn sealed(&self) -> String {
            let key = wait(self.system.creds.open(&self.system.credential())).unwrap();
            String::from_utf8(key.to_vec()).unwrap()
        }

        fn asked(&self) -> String {
            fs::read_to_string(self.folder.path().join("systemd-creds.asked")).unwrap()
        }

        fn credentials(&self) -> Vec<PathBuf> {
            let folder = self.system.credential();
            let entries = fs::read_dir(folder.parent().unwrap()).into_iter().flatten();
            let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            paths.sort();
            paths
        }
    }

    fn command() -> Seal {
        Seal {
            with_key: WithKey::Auto,
            new: false,
            key_file: None,
            dry_run: false,
            yes: false,
        }
    }

    #[test]
    fn the_key_in_use_is_sealed_and_its_plain_file_left() {
        let host = Host::new("state-directory", true);
        let (ended, page) = host.run(&command(), &[]);
        ended.unwrap();
        assert_eq!(host.sealed(), KEY);
        assert_eq!(fs::read_to_string(host.plain()).unwrap(), KEY);
        let mode = fs::metadata(host.system.credential())
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let drop_in = fs::read_to_string(host.system.drop_in()).unwrap();
        let loads = format!(
            "[Service]\nLoadCredentialEncrypted=rotord.root-key:{}\n",
            host.system.credential().display()
        );
        assert!(drop_in.ends_with(&loads), "{drop_in}");
        let text = page.text();
        for told in [
            &format!("{} is sealed", label()),
            "daemon-reload",
            "root-key status",
            &format!("and not before: {}", key_file::shredding(&host.plain())),
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        // Nowhere but in pipes.
        assert!(host.fake.changes().is_empty());
        assert!(!text.contains(KEY.trim()) && !host.asked().contains(KEY.trim()));
        assert!(
            host.asked()
                .starts_with("encrypt --name=rotord.root-key --with-key=auto - -\n")
        );
        // Once more, and the same key is in it: nothing is kept beside it.
        host.run(&command(), &[]).0.unwrap();
        assert_eq!(host.credentials(), [host.system.credential()]);
    }

    #[test]
    fn what_is_not_the_daemons_key_is_not_sealed_and_not_shown_to_it() {
        let host = Host::new("file", false);
        let refused = host.run(&command(), &[]).0.unwrap_err();
        assert!(refused.to_string().contains("does not open"), "{refused}");
        assert!(host.credentials().is_empty() && !host.system.drop_in().exists());
        assert!(host.fake.changes().is_empty());
    }

    #[test]
    fn a_new_key_opens_the_database_before_it_has_its_place() {
        let host = Host::new("credential", true);
        let new = Seal {
            new: true,
            ..command()
        };
        let (ended, _) = host.run(&new, &[("Make a new root key?", "yes")]);
        ended.unwrap();
        let first = host.sealed();
        let sent: Value = host.fake.changes()[0].body["rootKey"].clone();
        let same = serde_json::to_value(RootKeyText::new(first.as_bytes())).unwrap();
        assert_eq!(sent, same);
        // Another one: what it replaces is kept.
        let yes = Seal { yes: true, ..new };
        let (ended, page) = host.run(&yes, &[]);
        ended.unwrap();
        assert_ne!(host.sealed(), first);
        let kept = host.credentials().pop().unwrap();
        assert!(page.text().contains(&kept.display().to_string()));
        let kept = wait(host.system.creds.open(&kept)).unwrap();
        assert_eq!(*kept, first.as_bytes());
    }

    #[test]
    fn where_the_daemon_refuses_the_new_key_everything_is_as_before() {
        let host = Host::new("state-directory", true);
        let host = Host {
            fake: host.fake.instead(
                "POST",
                routes::ROOT_KEY_REWRAP,
                503,
                json!({"reqId": "r", "statusCode": 503, "error": "ServiceUnavailable", "message": "no room"}),
            ),
            ..host
        };
        let new = Seal {
            new: true,
            yes: true,
            ..command()
        };
        host.run(&new, &[]).0.unwrap_err();
        assert!(host.credentials().is_empty() && !host.system.drop_in().exists());
    }

    #[test]
    fn where_it_can_not_be_sealed_everything_is_as_before_and_why_is_said() {
        let host = Host::new("state-directory", true);
        fs::write(host.folder.path().join("systemd-creds.refuses"), "").unwrap();
        let refused = host.run(&command(), &[]).0.unwrap_err();
        assert!(refused.to_string().contains("no TPM here"), "{refused}");
        assert!(host.credentials().is_empty() && !host.system.drop_in().exists());
    }

    #[test]
    fn a_dry_run_says_all_and_does_nothing() {
        let host = Host::new("state-directory", true);
        let (ended, page) = host.run(
            &Seal {
                dry_run: true,
                with_key: WithKey::HostAndTpm2,
                ..command()
            },
            &[],
        );
        ended.unwrap();
        let text = page.text();
        for told in [
            "was not",
            "--with-key=host+tpm2",
            "LoadCredentialEncrypted=rotord.root-key:",
            "root-key.conf",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(host.fake.changes().is_empty() && host.credentials().is_empty());
    }
}
