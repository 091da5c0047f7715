//! What the books say of a rotation.

use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::Severity;
use rotord_rotation::summary::{Notice, NoticeCode, Urgency};

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
    let severity = match notice.urgency {
        // A run that failed is what doctor is called for.
        _ if matches!(
            notice.code,
            NoticeCode::Failing | NoticeCode::ManualFailed | NoticeCode::Overdue
        ) =>
        {
            Severity::Problem
        }
        Urgency::Attention => Severity::Problem,
        Urgency::Warning => Severity::Warning,
        Urgency::Note => Severity::Fine,
    };
    let found = DoctorFinding::new(entry, severity, &case.about, notice.text.clone());
    if severity == Severity::Fine {
        return found;
    }
    found.fix(help(entry, "ROTATION", &case.handle))
}
