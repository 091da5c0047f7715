//! The three actors: thin shells that perform what the domain decides.
//!
//! | Actor | Owns | Bounded by |
//! |---|---|---|
//! | [`store`] | the database: one writer thread, a few readers | its mailboxes |
//! | [`rotator`] | the rotations that are being worked on | a turn for each provider call |
//! | [`scheduler`] | the one timer to the earliest due row | one batch of due rows at a time |

pub mod rotator;
pub mod scheduler;
pub mod store;

#[cfg(test)]
mod fixture;
