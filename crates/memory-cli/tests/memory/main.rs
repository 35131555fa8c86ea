//! The command `memory`, run as a user runs it: real SQLite files, and the real PostgreSQL that
//! `cargo xtask test` starts.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the report; clippy does not take helpers for tests"
)]

mod accounting;
mod ai_pal;
mod any_file;
mod at_once;
mod bulk;
mod cluster;
mod consultant;
mod consultant_server;
mod continuum;
mod conversation;
mod documents;
mod errors;
mod export;
mod faults;
mod filters;
mod interrupted;
mod journey;
mod lines;
mod living;
mod newer;
mod operations;
mod output;
mod pitfalls;
mod postgres;
mod replay;
mod risks;
mod rollback;
mod sandbox;
mod schema;
mod searching;
mod secrets;
mod sources;
mod streams;
mod tampering;
