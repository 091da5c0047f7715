//! The sockets as clients use them: real ones, with a real store, the actors, and a provider that does what it is
//! told.

mod actions;
mod bad_input;
mod connections;
mod doctor;
mod house;
mod places;
mod reading;
mod root_key;
mod routes;
mod updates;
