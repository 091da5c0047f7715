//! The five promises, held against what the provider really has.
//!
//! 1. never published before it works: [`publishing`]; the consumer's logins: [`using`]
//! 2. never revoked while needed: [`revoking`]
//! 3. never orphaned: [`keeping`]
//! 4. never half-published: [`publishing`]
//! 5. never silent: [`silence`]

mod keeping;
mod publishing;
mod rest;
mod revoking;
mod silence;
mod using;
