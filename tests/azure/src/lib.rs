//! A stand-in for Entra's token endpoint and Microsoft Graph's application routes, over real TLS.
//!
//! [`Standin::start`] runs one inside a test; the `azure-standin` binary runs one for any client. Both
//! behave as the real service is known to, down to the headers: replicas that lag and flap, secrets
//! that end, limits, refusals, and answers that never come.
//!
//! ```text
//! server (TLS, HTTP/1.1) ──► exchange ──► route ──► entra   (token endpoint, discovery)
//!                               │                └► graph   (applications, OData)
//!                               │                └► control (/_standin/…)
//!                               ├─ fault   what goes wrong with this request
//!                               ├─ record  what was asked and answered
//!                               └─ model   tenant, secrets, replicas: no I/O
//! ```

mod answer;
mod behaviour;
mod checks;
mod clock;
mod config;
mod control;
mod entra;
mod exchange;
mod fault;
mod graph;
mod jwt;
mod management;
mod model;
mod operate;
mod record;
mod request;
mod route;
mod server;
mod standin;
mod throttle;
mod tls;
mod world;

pub use behaviour::{Behaviour, ConcurrencyStatus, DescriptionForm, Throttle, WriteWindow};
pub use checks::{AppChecks, Checks, LoginCheck, SecretView};
pub use clock::ClockConfig;
pub use config::{ApplicationConfig, Cloud, Config, ConfigError, SecretConfig, TenantConfig};
pub use fault::{Fault, Matching, Operation, RetryAfter, Rule};
pub use jwt::KeyError;
pub use model::{
    AppId, AppRole, Audience, CertificateError, KeyId, Lag, Lags, ObjectId, Origin, PasswordPolicy,
    SecretText, TenantId, UnknownRole,
};
pub use operate::{ApplicationIds, UnknownApplication};
pub use record::Entry;
pub use standin::{Control, Handle, Standin, StartError};
pub use tls::IdentityError;
