//! What the books say of a rotation.

use rotord_api::catalogue::TARGET_SHARED;
use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::Severity;
use rotord_rotation::summary::Notice;

use super::Looking;
use super::case::RotationCase;
use crate::admin::Shared;
use crate::admin::rotations::target;
use crate::codes;

pub(super) fn look<'a>(_: &'a Shared, case: &'a RotationCase) -> Looking<'a> {
    let notices = case.notices.iter();
    let mut found: Vec<_> = notices.map(|notice| judge(notice, case)).collect();
    found.extend(target::shared(&case.sharing).map(|message| {
        let remedy = case.help(&TARGET_SHARED);
        DoctorFinding::warning(&TARGET_SHARED, &case.about, message).fix(remedy)
    }));
    Box::pin(std::future::ready(found))
}

fn judge(notice: &Notice, case: &RotationCase) -> DoctorFinding {
    let entry = codes::of_notice(notice.code);
    let severity = codes::severity_of(notice);
    let found = DoctorFinding::new(entry, severity, &case.about, notice.text.clone());
    if severity == Severity::Fine {
        return found;
    }
    found.fix(case.help(entry))
}
