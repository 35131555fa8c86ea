//! The command `memory`, run as a user runs it: real SQLite files, and the real PostgreSQL that
//! `cargo xtask test` starts.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the report; clippy does not take helpers for tests"
)]

mod accounting;
mod bulk;
mod consultant;
mod consultant_server;
mod conversation;
mod documents;
mod errors;
mod export;
mod filters;
mod journey;
mod operations;
mod output;
mod postgres;
mod replay;
mod risks;
mod rollback;
mod sandbox;
mod schema;
mod sources;
mod tampering;
