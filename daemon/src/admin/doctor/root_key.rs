//! Where the root key comes from.

use rotord_api::catalogue::ROOT_KEY;
use rotord_api::doctor::DoctorFinding;
use rotord_store::root_key::OWN_KEY_FILE;

use super::Looking;
use crate::admin::Shared;
use crate::app::keys::KeyPlace;

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    let state = &daemon.settings.state;
    let message = match KeyPlace::of(state) {
        KeyPlace::Credential(path) => format!("from the systemd credential {}", path.display()),
        KeyPlace::File(path) => format!("from the file {}", path.display()),
        KeyPlace::Own => format!(
            "from {} beside the database: a copy of the directory opens by itself",
            state.directory.join(OWN_KEY_FILE).display()
        ),
    };
    let found = DoctorFinding::fine(&ROOT_KEY, "root key", message);
    Box::pin(std::future::ready(vec![found]))
}
