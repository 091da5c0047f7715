//! The program as a person or a script runs it, against a daemon that answers what each test wrote down.

mod connections;
mod creating;
mod doctoring;
mod fake;
mod program;
mod reaching;
mod rotations;
mod secrets;
