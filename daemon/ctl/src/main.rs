//! `rotorctl`: what an administrator types to run `rotord`.
//!
//! It speaks to the daemon's admin socket and to nothing else. One file per command stands under
//! `commands/`; only `output` writes to the terminal, only `prompt` reads from it, only `client` knows HTTP.

mod cli;
mod client;
mod commands;
mod duration;
mod error;
mod exit;
// The program's own tests have it too; each of the two uses another part of it.
#[cfg(test)]
#[allow(dead_code)]
#[path = "../tests/ctl/fake.rs"]
mod fake;
mod fields;
mod find;
mod folder;
mod interrupt;
mod output;
mod prompt;
mod reach;
mod rotord;
mod session;
mod wait;
mod when;
mod words;

fn main() -> std::process::ExitCode {
    cli::run(std::env::args_os()).into()
}
