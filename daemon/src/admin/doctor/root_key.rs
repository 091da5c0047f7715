//! Where the root key comes from, and what else opens the database.

use rotord_api::catalogue::{ROOT_KEY, ROOT_KEY_COPY, ROOT_KEY_WAITS};
use rotord_api::doctor::DoctorFinding;
use rotord_api::root_key::{RootKeyPlace, RootKeyStatus};

use super::{Looking, failed};
use crate::admin::{Shared, root_key};

const ABOUT: &str = "root key";

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    Box::pin(async move {
        match root_key::look(daemon).await {
            Ok(status) => found(&status),
            Err(error) => vec![failed(ABOUT, error)],
        }
    })
}

fn found(status: &RootKeyStatus) -> Vec<DoctorFinding> {
    let path = &status.path;
    let mut found = Vec::new();
    if let Some(waiting) = &status.waiting {
        let message = format!(
            "{} is in use, and {waiting} is waited for: both open the database",
            status.in_use
        );
        found.push(DoctorFinding::warning(&ROOT_KEY_WAITS, ABOUT, message));
    }
    for copy in &status.copies {
        let message = format!("the root key comes from {path}, and {copy} opens the database, too");
        found.push(
            DoctorFinding::warning(&ROOT_KEY_COPY, ABOUT, message).fix(format!(
                "once a copy of the root key is where this host is not, as the user whose its folder is: shred -u {copy}"
            )),
        );
    }
    let message = match status.place {
        RootKeyPlace::Credential => format!("from the systemd credential {path}"),
        RootKeyPlace::File => format!("from the file {path}"),
        RootKeyPlace::StateDirectory => format!(
            "from {path} beside the database: a copy of the directory opens by itself; `sudo rotorctl root-key seal` \
             takes it out of there"
        ),
    };
    found.push(DoctorFinding::fine(&ROOT_KEY, ABOUT, message));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> RootKeyStatus {
        RootKeyStatus {
            in_use: "00aa".to_owned(),
            place: RootKeyPlace::Credential,
            path: "/run/credentials/rotord.service/rotord.root-key".to_owned(),
            opening: vec!["00aa".to_owned()],
            waiting: None,
            copies: Vec::new(),
            replaced: Vec::new(),
        }
    }

    fn codes(status: &RootKeyStatus) -> Vec<String> {
        found(status).into_iter().map(|found| found.code).collect()
    }

    #[test]
    fn one_key_in_one_place_is_fine_and_more_are_not() {
        assert_eq!(codes(&status()), ["root-key"]);
        let waits = RootKeyStatus {
            waiting: Some("00bb".to_owned()),
            ..status()
        };
        assert_eq!(codes(&waits), ["root-key-waits", "root-key"]);
        let copied = RootKeyStatus {
            copies: vec!["/var/lib/rotord/root.key".to_owned()],
            ..status()
        };
        assert_eq!(codes(&copied), ["root-key-copy", "root-key"]);
        let helps = found(&copied).remove(0).remedy.unwrap();
        assert!(
            helps.ends_with("shred -u /var/lib/rotord/root.key"),
            "{helps}"
        );
    }
}
