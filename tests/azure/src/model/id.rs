//! Identifiers that can't be taken for one another: confusing the object id and the client id of an
//! application is the commonest mistake against the real service.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Draws a new one.
            pub fn draw(rng: &mut fastrand::Rng) -> Self {
                Self(uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }
    };
}

identifier!(
    /// The directory's id of an object: an application or a service principal.
    ObjectId
);
identifier!(
    /// The client id of an application.
    AppId
);
identifier!(
    /// The id of a secret or certificate on an application.
    KeyId
);
identifier!(
    /// The id of a tenant.
    TenantId
);
