//! The SQLite adapter of `memory`: a file inside the process.
//!
//! One writer and many readers. The writer is a connection on a thread of its own: it takes the
//! waiting writes in their order, runs them in one transaction, each under its own savepoint,
//! commits once and then answers each. Readers are a pool; each sees the last commit. So nobody
//! within a process meets `database is locked`; between processes SQLite's busy timeout serves.
//!
//! The file is in WAL mode: beside it stand `-wal` and `-shm`, which belong to it. Its header names
//! it ours ([`APPLICATION_ID`]).

mod connection;
mod conversations;
mod error;
mod executor;
mod gate;
mod graph;
mod meter;
mod open;
mod owner;
#[cfg(test)]
mod plans;
mod pool;
mod readers;
mod records;
mod schema;
mod statement;
mod storage;
mod tenants;
mod work;
mod writer;

pub use connection::APPLICATION_ID;
pub use storage::SqliteStorage;
