//! One file per command: what it takes, what it asks the daemon, what it shows.

// Fields of arguments are named after flags, each flag is a bool, and their doc comments are help texts, in
// which backticks would show.
#![allow(
    clippy::struct_field_names,
    clippy::struct_excessive_bools,
    clippy::doc_markdown
)]

pub(crate) mod adopt;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod choices;
pub(crate) mod completions;
pub(crate) mod connection;
pub(crate) mod create;
pub(crate) mod credential;
pub(crate) mod delete;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod folder;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod pause;
pub(crate) mod provider;
pub(crate) mod relocate;
pub(crate) mod remove;
pub(crate) mod restore;
pub(crate) mod retire;
pub(crate) mod root_key;
pub(crate) mod rotate;
pub(crate) mod secret;
pub(crate) mod show;
pub(crate) mod status;
