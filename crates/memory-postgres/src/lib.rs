//! The PostgreSQL adapter of memory.
//!
//! A verb is one statement and one round trip, prepared once per connection; what needs a fresh
//! snapshot after waiting for a row is a function that a migration installs. The folder has the
//! files of `memory-sqlite`, so that a comparison of the two is the list of differences.

mod storage;

mod agency;
mod audit;
mod conversations;
mod decisions;
mod feedback;
mod files;
mod goals;
mod graph;
mod missions;
mod patches;
mod records;
mod search;
mod tasks;
mod tenants;

mod reindex;
mod schema;
mod sql;
mod work;

mod connection;
mod error;
mod executor;
mod pool;

mod columns;
mod copy;
mod index;
mod json;
mod learning;
mod listing;
mod maintenance;
mod moving;
mod statement;
mod tap;
mod tls;
mod tsvector;

pub use storage::{PostgresStorage, connect_bare};
