//! `rotorctl man`: for packagers.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use rotord_api::catalogue::EntryKind;

use crate::cli::{Cli, PLAIN};
use crate::commands::explain;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Where to; it must exist
    directory: PathBuf,
}

pub(crate) fn run(session: &mut Session, command: Man) -> Result<Exit, CtlError> {
    let directory = command.directory;
    write_all(&directory).map_err(|source| {
        let is_missing = source.kind() == io::ErrorKind::NotFound;
        let at = directory.display();
        let error = CtlError::failed(format!("can't write into {at}")).because(source);
        if is_missing {
            error.hint(format!("the directory has to be there: mkdir -p {at}"))
        } else {
            error
        }
    })?;
    session
        .output
        .line(format!("manual pages are in {}", directory.display()))?;
    Ok(Exit::Done)
}

/// A page for the program and one for each command that is not hidden.
fn write_all(directory: &Path) -> io::Result<()> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut pages = vec![(program, None)];
    while let Some((command, above)) = pages.pop() {
        let name = command
            .get_display_name()
            .unwrap_or(command.get_name())
            .to_owned();
        let below = command
            .get_subcommands()
            .filter(|below| !below.is_hide_set());
        pages.extend(below.map(|below| (below.clone(), Some(name.clone()))));
        let text = page(command, above.as_deref())?;
        std::fs::write(directory.join(format!("{name}.1")), text)?;
    }
    Ok(())
}

fn page(command: clap::Command, above: Option<&str>) -> io::Result<Vec<u8>> {
    let has_commands = command.get_subcommands().any(|below| !below.is_hide_set());
    let below: Vec<String> = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
        .map(|below| {
            below
                .get_display_name()
                .unwrap_or(below.get_name())
                .to_owned()
        })
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let page = Page::new(command)
        .source(format!("rotord {version}"))
        .manual("rotord");
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if has_commands {
        page.render_subcommands_section(&mut text)?;
    }
    if above.is_none() {
        output(&mut text)?;
    }
    exit_status(&mut text)?;
    environment(&mut text)?;
    see_also(&mut text, above, &below)?;
    Ok(text)
}

/// What scripts rely on.
fn output(text: &mut impl Write) -> io::Result<()> {
    let mut section = Roff::new();
    section.control("SH", ["OUTPUT"]);
    section.text(plain(PLAIN));
    section.to_writer(text)
}

/// What `rotorctl explain` says of each.
fn exit_status(text: &mut impl Write) -> io::Result<()> {
    let mut section = Roff::new();
    section.control("SH", ["EXIT STATUS"]);
    for entry in explain::all().filter(|entry| entry.kind == EntryKind::Exit) {
        let code = entry.code.trim_start_matches("exit-");
        section.control("TP", []);
        section.text([bold(code)]);
        section.text(plain(entry.means));
    }
    section.to_writer(text)
}

fn environment(text: &mut impl Write) -> io::Result<()> {
    let mut section = Roff::new();
    section.control("SH", ["ENVIRONMENT"]);
    for (name, means) in ENVIRONMENT {
        section.control("TP", []);
        section.text([bold(*name)]);
        section.text(plain(means));
    }
    section.to_writer(text)
}

/// What the program reads from its environment.
const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "ROTORD_SOCKET",
        "The daemon's admin socket, an absolute path, where --socket is not given.",
    ),
    (
        "TZ",
        "The zone, such as Europe/Berlin, in which times are shown and times of day are meant.",
    ),
    (
        "NO_COLOR",
        "If it is set and not empty, nothing is coloured.",
    ),
    ("TERM", "If it is dumb, nothing is coloured."),
];

fn see_also(text: &mut impl Write, above: Option<&str>, below: &[String]) -> io::Result<()> {
    let ours = above.into_iter().chain(below.iter().map(String::as_str));
    let mut pages: Vec<(&str, &str)> = ours.map(|name| (name, "1")).collect();
    if above.is_some_and(|above| above != "rotorctl") {
        pages.push(("rotorctl", "1"));
    }
    pages.push(("rotord", "8"));
    let mut line: Vec<Inline> = Vec::new();
    for (name, section) in pages {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(name), roman(format!("({section})"))]);
    }
    let mut section = Roff::new();
    section.control("SH", ["SEE ALSO"]);
    section.text(line);
    section.to_writer(text)
}

/// A text with its commands, which stand between backticks, in italics.
fn plain(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    let parts = parts.filter(|(_, part)| !part.is_empty());
    parts
        .map(|(index, part)| match index % 2 {
            0 => roman(part),
            _ => italic(part),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::write_all;

    #[test]
    fn every_page_has_the_usual_sections_and_none_of_another_name() {
        let directory = tempfile::tempdir().unwrap();
        write_all(directory.path()).unwrap();
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        for name in [
            "rotorctl.1",
            "rotorctl-rotate.1",
            "rotorctl-connection-add.1",
        ] {
            let page = read(name);
            for section in ["SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"] {
                assert!(page.contains(section), "{name}: {section}: {page}");
            }
            assert!(!page.contains("EXTRA"), "{page}");
        }
        let program = read("rotorctl.1");
        for word in [
            "130",
            "OUTPUT",
            "without headings",
            "ROTORD_SOCKET",
            "rotorctl\\-folder",
            "rotord",
        ] {
            assert!(program.contains(word), "{word}: {program}");
        }
        assert!(program.contains("rotorctl\\-man"), "{program}");
    }
}
