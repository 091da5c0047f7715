//! How published values reach those who use them, other than by asking over HTTP.
//!
//! | Module | Knows |
//! |---|---|
//! | [`asker`] | who is on the other end of the credential socket, by the name that systemd gives itself |
//! | [`credentials`] | what units ask for with `LoadCredential=`, and the answer |

pub mod asker;
pub mod credentials;
