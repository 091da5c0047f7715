//! The daemon as tests need it: its clock can run faster, and it can be killed at named places. Never in a package.

use std::process::ExitCode;

fn main() -> ExitCode {
    rotord::cli::main()
}
