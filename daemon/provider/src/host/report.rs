//! What became of a file.

use std::fmt;
use std::path::PathBuf;

use crate::contract::Slug;
use crate::outcome::CallError;

/// What became of one file in a plugin directory.
#[derive(Debug)]
pub struct PluginReport {
    /// The file.
    pub file: PathBuf,
    /// What it holds, or why that was not loaded.
    pub result: Result<Loaded, LoadError>,
    /// The provider that had been loaded from this file before and stays, where the new content was not
    /// loaded.
    pub kept: Option<Slug>,
}

/// A provider that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its slug.
    pub slug: Slug,
    /// For a person.
    pub title: String,
    /// Its own version.
    pub version: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// Whether the very same had been loaded before.
    pub unchanged: bool,
}

/// Why a file was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file, or its directory, can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(std::io::Error),
    /// A directory, a pipe or a device.
    #[error("it is no regular file")]
    NotAFile,
    /// The file is larger than the settings allow.
    #[error("it is larger than the {limit} bytes that a provider may have")]
    TooLarge {
        /// What is allowed.
        limit: u64,
    },
    /// It is no WebAssembly component.
    #[error("it is no WebAssembly component that runs here: {0}")]
    NotAComponent(String),
    /// A component that is no provider at all.
    #[error("it is a component, but no provider: it does not export rotor:provider/provider")]
    NotAProvider,
    /// A provider for another version of the contract.
    #[error(
        "it is built for another version of the contract: it has {found}, this host speaks {spoken}"
    )]
    OtherContract {
        /// What the component names.
        found: String,
        /// What this host speaks.
        spoken: &'static str,
    },
    /// It asks for something that no provider gets.
    #[error("it imports {0}, which no provider gets: rotor:provider and WASI 0.2 are all there is")]
    ForeignImport(String),
    /// It names this version of the contract and does not keep to it.
    #[error("it does not fit the contract: {0}")]
    Mismatch(String),
    /// It could not say what it is.
    #[error("it failed when asked to describe itself: {0}")]
    Describe(CallError),
    /// What it says of itself makes no sense.
    #[error("its description makes no sense: {}", .0.join("; "))]
    InvalidDescription(Vec<String>),
    /// Another file has the same slug and comes first.
    #[error("{} is a provider named {slug} already", first.display())]
    DuplicateSlug {
        /// The slug.
        slug: Slug,
        /// The file that was taken.
        first: PathBuf,
    },
    /// The engine compiles providers, and the system lets this process make no memory executable.
    #[error(
        "the engine \"native\" compiles providers, and this service may not make memory executable ({0}); the engine \
         \"pulley\" needs none"
    )]
    NotExecutable(std::io::Error),
    /// The host itself failed.
    #[error("the host could not load it: {0}")]
    Host(String),
}

impl fmt::Display for PluginReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match (&self.result, &self.kept) {
            (Ok(loaded), _) => write!(
                f,
                "{file}: {} {} ({})",
                loaded.slug, loaded.version, loaded.title
            ),
            (Err(error), None) => write!(f, "{file}: {error}"),
            (Err(error), Some(slug)) => {
                write!(f, "{file}: {error} ({slug} as loaded before stays)")
            }
        }
    }
}
