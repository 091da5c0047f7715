//! The log: to the journal where standard error leads there, with fields to search by; else as lines to standard error.

mod journal;

use std::io::{IsTerminal as _, stderr};
use std::sync::OnceLock;

use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::journal::Journal;
use crate::settings::{Log, LogFormat};

/// The filter of this process' log.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// What is written.
///
/// # Errors
/// The filter is none.
pub fn filter(settings: &Log) -> Result<EnvFilter, WrongFilter> {
    let words = settings.filter.split(',').map(str::trim);
    // For the library a word alone is the name of a part, at every level, and nothing else is written: `inof` would be
    // silence.
    for word in words.filter(|word| !word.is_empty() && !word.contains(['=', '['])) {
        if word.parse::<LevelFilter>().is_err() {
            return Err(WrongFilter::NoLevel(word.to_owned()));
        }
    }
    Ok(EnvFilter::try_new(&settings.filter)?)
}

/// Why the log's filter is none.
#[derive(Debug, thiserror::Error)]
pub enum WrongFilter {
    /// It can't be read.
    #[error(transparent)]
    Unreadable(#[from] ParseError),
    /// A word alone is to be a level.
    #[error(
        "\"{0}\" is no level: it is error, warn, info, debug, trace or off, and for one part of the daemon PART=LEVEL"
    )]
    NoLevel(String),
}

/// Writes from now on what these settings say.
///
/// # Errors
/// The filter is none: the one of before stays.
pub fn change_filter(settings: &Log) -> Result<(), WrongFilter> {
    let filter = filter(settings)?;
    if let Some(handle) = FILTER.get() {
        // The log is there as long as the process.
        let _ = handle.reload(filter);
    }
    Ok(())
}

/// Sets up the log of this process.
///
/// # Errors
/// The filter is none.
pub fn init(settings: &Log) -> Result<(), WrongFilter> {
    let (filter, handle) = reload::Layer::new(filter(settings)?);
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    let lines = match settings.format {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Text => match Journal::of_this_process() {
            Some(journal) => journal.boxed(),
            None => lines.with_ansi(stderr().is_terminal()).boxed(),
        },
    };
    // A second initialisation in one process keeps the first.
    if registry.with(lines).try_init().is_ok() {
        let _ = FILTER.set(handle);
    }
    Ok(())
}
