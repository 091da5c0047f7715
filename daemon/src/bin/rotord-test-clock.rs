//! The daemon with a clock that can run faster, for tests that need months in seconds. Never in a package.

use std::process::ExitCode;

fn main() -> ExitCode {
    rotord::cli::main()
}
