//! How the service behaves all the time, as opposed to the faults of single requests: every knob, each
//! of which a test or the control interface may turn while the stand-in runs.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::model::{Lags, PasswordPolicy};

/// The knobs. The defaults are a service without lag that refuses nothing it need not refuse.
/// Times are milliseconds of the stand-in's clock unless they say otherwise.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// How many replicas answer; at least 1.
    pub replicas: usize,
    /// How long an added secret takes to arrive.
    pub added: Lags,
    /// How long a removed secret lingers.
    pub removed: Lags,
    /// The probability, 0 to 1, that a request sees nothing of changes still under way, whichever
    /// replica it reaches.
    pub flapping: f64,
    /// Refusal of a write soon after another on the same application.
    pub write_window: WriteWindow,
    /// The tenant's policy for secrets; an application's own comes first.
    pub policy: Option<PasswordPolicy>,
    /// How many entries the collections of one application hold together.
    pub object_limit: usize,
    /// Limits in resource units and writes.
    pub throttle: Throttle,
    /// Added to the `Date` header alone, in milliseconds; may be negative.
    pub date_skew_ms: i64,
    /// Lifetime of access tokens, in seconds.
    pub token_lifetime_seconds: u32,
    /// How error descriptions of the token endpoint are joined.
    pub description: DescriptionForm,
    /// Whether a wrong secret is answered "expired" (7000222) while the application holds any
    /// expired one.
    pub expired_hides_unknown: bool,
    /// Whether an assertion that was used once is refused the second time.
    pub assertions_once: bool,
    /// Entries on a page when `$top` says nothing.
    pub page_size: usize,
    /// Whether an empty page, with a link onwards, precedes the last one.
    pub empty_pages: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            replicas: 4,
            added: Lags::default(),
            removed: Lags::default(),
            flapping: 0.0,
            write_window: WriteWindow::default(),
            policy: None,
            object_limit: 1000,
            throttle: Throttle::default(),
            date_skew_ms: 0,
            token_lifetime_seconds: 3599,
            description: DescriptionForm::Space,
            expired_hides_unknown: false,
            assertions_once: false,
            page_size: 100,
            empty_pages: false,
        }
    }
}

/// Refusal of writes to an application that was written to a moment ago.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriteWindow {
    /// How long after a write, in milliseconds; 0 is never.
    pub milliseconds: u32,
    /// With which status.
    pub status: ConcurrencyStatus,
    /// Whether the refused write takes effect all the same. Only a 503 was ever seen to.
    pub applied: bool,
}

impl WriteWindow {
    /// The window as a time span.
    pub fn span(self) -> TimeDelta {
        TimeDelta::milliseconds(i64::from(self.milliseconds))
    }
}

impl Default for WriteWindow {
    fn default() -> Self {
        Self {
            milliseconds: 0,
            status: ConcurrencyStatus::Conflict,
            applied: false,
        }
    }
}

/// The statuses under which `Directory_ConcurrencyViolation` was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum ConcurrencyStatus {
    /// 400
    BadRequest,
    /// 409
    #[default]
    Conflict,
    /// 503
    Unavailable,
}

impl From<ConcurrencyStatus> for u16 {
    fn from(status: ConcurrencyStatus) -> Self {
        match status {
            ConcurrencyStatus::BadRequest => 400,
            ConcurrencyStatus::Conflict => 409,
            ConcurrencyStatus::Unavailable => 503,
        }
    }
}

impl TryFrom<u16> for ConcurrencyStatus {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, Self::Error> {
        match status {
            400 => Ok(Self::BadRequest),
            409 => Ok(Self::Conflict),
            503 => Ok(Self::Unavailable),
            other => Err(format!("{other} is not 400, 409 or 503")),
        }
    }
}

/// Limits that are counted, and answered with 429 when passed. Absent ones are not enforced.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Throttle {
    /// Resource units per calling application in 10 s; the service's: 3500, 5000 or 8000.
    pub units_per_10_s: Option<u32>,
    /// Writes per calling application in 150 s; the service's: 3000.
    pub writes_per_150_s: Option<u32>,
    /// Writes in 60 s to applications open to personal accounts; the service's: 60.
    pub personal_writes_per_60_s: Option<u32>,
}

/// How the parts of an `error_description` are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DescriptionForm {
    /// By a space, as from 2024 on.
    #[default]
    Space,
    /// By line ends, as before.
    Lines,
}

impl DescriptionForm {
    /// What stands between the parts.
    pub fn separator(self) -> &'static str {
        match self {
            Self::Space => " ",
            Self::Lines => "\r\n",
        }
    }
}
