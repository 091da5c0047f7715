//! Instants as they stand in JSON: ISO 8601, UTC, milliseconds, `Z`.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// An instant. It is written as `2026-03-01T10:00:00.000Z` whatever its precision; any RFC 3339 text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(pub DateTime<Utc>);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant)
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn always_milliseconds_and_z() {
        for (read, written) in [
            ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z"),
            (
                "2026-03-01T12:00:00.1239999+02:00",
                "2026-03-01T10:00:00.123Z",
            ),
        ] {
            let timestamp: Timestamp = serde_json::from_value(read.into()).unwrap();
            assert_eq!(serde_json::to_value(timestamp).unwrap(), written);
        }
    }
}
