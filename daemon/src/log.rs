//! The log: to standard error, which the service manager keeps.

use tracing_subscriber::filter::{EnvFilter, ParseError};

use crate::settings::{Log, LogFormat};

/// What is written.
///
/// # Errors
/// The filter is none.
pub fn filter(settings: &Log) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(&settings.filter)
}

/// Sets up the log of this process.
///
/// # Errors
/// The filter is none.
pub fn init(settings: &Log) -> Result<(), ParseError> {
    let filter = filter(settings)?;
    let is_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(!is_journal && std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // A second initialisation in one process keeps the first.
    let _ = match settings.format {
        LogFormat::Text if is_journal => lines.without_time().try_init(),
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}
