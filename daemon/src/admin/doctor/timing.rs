//! Whether the waits are those of earnest.

use rotord_api::catalogue::WAITS_SHORTENED;
use rotord_api::doctor::DoctorFinding;

use super::Looking;
use crate::admin::Shared;

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    let scale = daemon.settings.now().timing.scale;
    let found = (scale < 1.0).then(|| {
        let message = format!(
            "every wait is multiplied by {scale}: credentials are published with less proof"
        );
        DoctorFinding::warning(&WAITS_SHORTENED, "setting timing.scale", message)
    });
    Box::pin(std::future::ready(found.into_iter().collect()))
}
