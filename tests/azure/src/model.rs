//! The directory without HTTP: tenant, applications, their secrets, and the replicas that lag behind.
//!
//! Nothing here reads a clock or draws randomness of its own: both are handed in.

mod application;
mod certificate;
mod id;
mod password;
mod policy;
mod replica;
mod role;
mod secret_text;
mod tenant;

pub use application::Audience;
pub(crate) use application::{Application, ServicePrincipal};
pub(crate) use certificate::Certificate;
pub use certificate::CertificateError;
pub use id::{AppId, KeyId, ObjectId, TenantId};
pub use password::Origin;
pub(crate) use password::{LoginRefusal, NewPassword, Password, PasswordRefusal, Removal};
pub use policy::PasswordPolicy;
pub use replica::{Lag, Lags};
pub(crate) use replica::{Propagation, Surface, View};
pub use role::{AppRole, UnknownRole};
pub use secret_text::SecretText;
pub(crate) use tenant::{Tenant, TenantName};

use chrono::{DateTime, Utc};

/// What a change to the directory needs besides the change itself.
pub struct Change<'a> {
    /// When it happens.
    pub now: DateTime<Utc>,
    /// How long it takes to reach the replicas.
    pub lags: &'a Lags,
    /// How many replicas there are.
    pub replicas: usize,
    /// Where identifiers, secrets and delays are drawn from.
    pub rng: &'a mut fastrand::Rng,
}
