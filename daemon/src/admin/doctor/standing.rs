//! What the books say of a rotation.

use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::Severity;
use rotord_rotation::summary::Notice;

use super::case::RotationCase;
use super::{Looking, help};
use crate::admin::Shared;
use crate::codes;

pub(super) fn look<'a>(_: &'a Shared, case: &'a RotationCase) -> Looking<'a> {
    let found = case
        .notices
        .iter()
        .map(|notice| judge(notice, case))
        .collect();
    Box::pin(std::future::ready(found))
}

fn judge(notice: &Notice, case: &RotationCase) -> DoctorFinding {
    let entry = codes::of_notice(notice.code);
    let severity = codes::severity_of(notice);
    let found = DoctorFinding::new(entry, severity, &case.about, notice.text.clone());
    if severity == Severity::Fine {
        return found;
    }
    found.fix(help(entry, "ROTATION", &case.handle))
}
