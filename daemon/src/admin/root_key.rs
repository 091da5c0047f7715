//! Which root keys open the database, and how another one takes the place of the one in use. A key comes in a body, and
//! goes nowhere but into what it wraps.

use std::fs;
use std::path::{Path, PathBuf};

use rotord_api::root_key::{RewrapReport, RewrapRootKey, RootKeyPlace, RootKeyStatus, RootKeyText};
use rotord_api::routes;
use rotord_store::root_key::OWN_KEY_FILE;
use rotord_store::{AuditEntry, Reader, Replaced, RewrapError, RootKeySource, RootKeys, Secret};
use serde_json::json;

use super::error::ApiError;
use super::peer::Peer;
use super::request::{Body, ok};
use super::{Daemon, Reply, Shared, audit};
use crate::actors::store::Failed;
use crate::app::keys::KeyPlace;
use crate::settings::State;

/// What restarts the daemon.
const RESTART: &str = "sudo systemctl restart rotord";
/// What no root key can mend.
const OLD_COPIES: &str = "whoever has the old key and a copy of the database from before has what was in it: where the \
                          key leaked, rotate what matters";

/// Which root keys open the database.
#[utoipa::path(get, path = routes::ROOT_KEY, tag = "rotord",
    responses((status = 200, body = RootKeyStatus)))]
pub(super) async fn root_key_status(daemon: Daemon) -> Reply {
    Ok(ok(&look(&daemon).await?))
}

/// Has another root key open the database. Given one, both open it until the daemon was started with it; without one
/// the daemon makes it, where the root key is the file in its state directory.
#[utoipa::path(post, path = routes::ROOT_KEY_REWRAP, tag = "rotord",
    request_body(content = RewrapRootKey, description = "May be left out"),
    responses((status = 200, body = RewrapReport)))]
pub(super) async fn rewrap_root_key(
    daemon: Daemon,
    peer: Peer,
    body: Body<RewrapRootKey>,
) -> Reply {
    let place = KeyPlace::of(&daemon.settings.now().state);
    let report = match body.0.root_key {
        Some(given) => {
            let label = wrap_by(&daemon, &peer, &given).await?;
            if look(&daemon).await?.in_use == label {
                taken_back(label)
            } else {
                waits(&place, label)
            }
        }
        None => replaced(replace_own(&daemon, &peer, &place).await?),
    };
    let (label, in_use) = (&report.label, report.in_use);
    tracing::info!(%label, in_use, "the data keys were wrapped by another root key");
    Ok(ok(&report))
}

/// What there is of root keys.
pub(super) async fn look(daemon: &Shared) -> Result<RootKeyStatus, Failed> {
    let state = daemon.settings.now().state.clone();
    let place = KeyPlace::of(&state);
    // Reads files: on a thread that may wait for a disk.
    let seen = move |reader: &Reader| Ok(seen(&state, place, reader.root_keys()?));
    daemon.store.read(seen).await
}

fn seen(state: &State, place: KeyPlace, keys: RootKeys) -> RootKeyStatus {
    let own = state.directory.join(OWN_KEY_FILE);
    let mut elsewhere = Vec::new();
    let (place, path) = match place {
        KeyPlace::Credential(path) => {
            elsewhere.extend(state.root_key_file.clone());
            elsewhere.push(own);
            (RootKeyPlace::Credential, path)
        }
        KeyPlace::File(path) => {
            elsewhere.push(own);
            (RootKeyPlace::File, path)
        }
        KeyPlace::Own => (RootKeyPlace::StateDirectory, own),
    };
    // Whoever may read it: one that is open to others is all the worse.
    let opens = |path: &PathBuf| {
        let key = fs::read(path).map(|bytes| RootKeySource::Given(Secret::new(bytes)));
        let label = key.map(|key| key.label(&state.directory));
        label.is_ok_and(|label| label.is_ok_and(|label| keys.opening.contains(&label)))
    };
    elsewhere.retain(opens);
    RootKeyStatus {
        waiting: keys.waiting().last().cloned(),
        in_use: keys.in_use,
        place,
        path: shown(&path),
        opening: keys.opening,
        copies: elsewhere.iter().map(|path| shown(path)).collect(),
        replaced: kept_keys(&state.directory),
    }
}

/// The root keys in the state directory that were replaced.
fn kept_keys(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut kept: Vec<String> = names
        .filter(|entry| {
            let name = entry.file_name();
            let label = name.to_str().and_then(|name| {
                let rest = name.strip_prefix(OWN_KEY_FILE)?;
                rest.strip_prefix('.')
            });
            label.is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_hexdigit()))
        })
        .map(|entry| shown(&entry.path()))
        .collect();
    kept.sort();
    kept
}

async fn wrap_by(daemon: &Shared, peer: &Peer, given: &RootKeyText) -> Result<String, ApiError> {
    let (next, note) = (source(given), note(peer));
    let now = daemon.clock.now().wall;
    let wrapped = daemon.store.write(move |store| {
        let wrapped = store.rewrap(&next, now, note);
        apart(wrapped)
    });
    Ok(wrapped.await??)
}

async fn replace_own(daemon: &Shared, peer: &Peer, place: &KeyPlace) -> Result<Replaced, ApiError> {
    match place {
        KeyPlace::Own => {}
        KeyPlace::File(path) => {
            return Err(ApiError::refused(format!(
                "The root key comes from {}, which is not the daemon's to write: `sudo rotorctl root-key rewrap \
                 --new-key FILE` makes a new one in FILE and says how it takes that place",
                path.display()
            )));
        }
        KeyPlace::Credential(_) => {
            return Err(ApiError::refused(
                "The root key is a systemd credential, which is not the daemon's to write: `sudo rotorctl root-key \
                 seal --new` seals a new one, or `rotorctl root-key rewrap --new-key FILE` takes one that you seal",
            ));
        }
    }
    let note = note(peer);
    let now = daemon.clock.now().wall;
    let replaced = daemon.store.write(move |store| {
        let replaced = store.replace_own_key(now, note);
        apart(replaced)
    });
    Ok(replaced.await??)
}

/// What the store's threads are told of is the database's trouble alone.
fn apart<T>(
    result: Result<T, RewrapError>,
) -> Result<Result<T, RewrapError>, rotord_store::StoreError> {
    match result {
        Err(RewrapError::Store(error)) => Err(error),
        other => Ok(other),
    }
}

fn note(peer: &Peer) -> impl FnOnce(&RootKeys, &str) -> AuditEntry + Send + 'static {
    let entry = audit::entry(peer, "rewrap-root-key", json!(null));
    move |before, label| AuditEntry {
        detail: json!({"inUse": before.in_use, "next": label}),
        ..entry
    }
}

fn source(given: &RootKeyText) -> RootKeySource {
    let mut bytes = given.bytes();
    RootKeySource::Given(Secret::new(std::mem::take(&mut *bytes)))
}

fn replaced(replaced: Replaced) -> RewrapReport {
    let kept = shown(&replaced.kept);
    let mut next = Vec::new();
    if !replaced.old_dropped {
        next.push(format!(
            "the old key opens the database until the next start: {RESTART}"
        ));
    }
    next.extend([
        format!(
            "the old key is kept in {kept}: backups from before that have no passphrase open with nothing else; take \
             a new backup, and when none of those is needed: sudo -u rotord shred -u {kept}"
        ),
        OLD_COPIES.to_owned(),
    ]);
    RewrapReport {
        label: replaced.label,
        in_use: true,
        next,
    }
}

/// The one in use is the newest again.
fn taken_back(label: String) -> RewrapReport {
    RewrapReport {
        label,
        in_use: true,
        next: vec![format!(
            "the other keys that open the database are dropped by the next start with this one: {RESTART}"
        )],
    }
}

fn waits(place: &KeyPlace, label: String) -> RewrapReport {
    let put = match place {
        KeyPlace::Credential(_) => {
            "give it to the daemon as its credential rotord.root-key, and keep the old one".to_owned()
        }
        KeyPlace::File(path) => format!(
            "keep the one of before and put it in its place, such as by sudo chown root:rotord FILE && sudo chmod 0640 \
             FILE && sudo ln {path} {path}.old && sudo mv FILE {path}",
            path = path.display()
        ),
        KeyPlace::Own => "name its file in the setting state.root_key_file, or seal it with `sudo rotorctl root-key \
                          seal --key-file FILE`"
            .to_owned(),
    };
    RewrapReport {
        label,
        in_use: false,
        next: vec![
            format!("both root keys open the database now: {put}"),
            format!(
                "then {RESTART}: that start drops the old key, which `rotorctl root-key status` shows"
            ),
            "backups from before that have no passphrase open with the old key alone: keep it as long as you keep them"
                .to_owned(),
            OLD_COPIES.to_owned(),
        ],
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_plain_copy_is_named_if_it_opens_the_database_whoever_may_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let mut state = Settings::default().state;
        state.directory = directory.path().to_owned();
        let own = directory.path().join(OWN_KEY_FILE);
        fs::write(&own, "k".repeat(64)).unwrap();
        fs::write(directory.path().join("root.key.00ff"), "").unwrap();
        fs::write(directory.path().join("root.key.new"), "").unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o644)).unwrap();
        let key = RootKeySource::Given(Secret::new("k".repeat(64)));
        let label = key.label(directory.path()).unwrap();
        let with = |label: &str| {
            let keys = RootKeys {
                in_use: label.to_owned(),
                opening: vec![label.to_owned()],
            };
            seen(&state, KeyPlace::Credential("/c".into()), keys)
        };
        assert_eq!(with(&label).copies, [shown(&own)]);
        let another = with("00aa");
        assert!(another.copies.is_empty());
        assert_eq!(
            another.replaced,
            [shown(&directory.path().join("root.key.00ff"))]
        );
    }
}
