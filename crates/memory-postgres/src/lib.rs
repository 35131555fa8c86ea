//! The PostgreSQL adapter of memory.
//!
//! A verb is one statement and one round trip, prepared once per connection; what needs a fresh
//! snapshot after waiting for a row is a function that a migration installs. The folder has the
//! files of `memory-sqlite`, so that a comparison of the two is the list of differences.

mod storage;

mod conversations;
mod graph;
mod records;
mod tenants;

mod schema;
mod work;

mod connection;
mod error;
mod executor;
mod pool;

mod columns;
mod json;
mod statement;
mod tap;

pub use storage::PostgresStorage;
