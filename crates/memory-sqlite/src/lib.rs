//! The SQLite adapter of `memory`: a file inside the process.
//!
//! One writer and many readers. The writer is a connection on a thread of its own: it takes the
//! waiting writes in their order, runs them in one transaction, each under its own savepoint,
//! commits once and then answers each. Readers are a pool; each sees the last commit. So nobody
//! within a process meets `database is locked`; between processes SQLite's busy timeout serves.
//!
//! The file is in WAL mode: beside it stand `-wal` and `-shm`, which belong to it. Its header names
//! it ours ([`APPLICATION_ID`]).

mod agency;
mod audit;
mod connection;
mod conversations;
mod copy;
mod decisions;
mod erasure;
mod error;
mod executor;
mod feedback;
mod files;
mod gate;
mod goals;
mod graph;
mod index;
mod learning;
mod listener;
mod listing;
mod maintenance;
mod meter;
mod missions;
mod moving;
mod new_file;
mod open;
mod owner;
mod patches;
#[cfg(test)]
mod plans;
mod pool;
mod readers;
mod records;
mod reindex;
mod schema;
mod search;
mod sql;
mod statement;
mod storage;
mod tasks;
mod tenants;
mod work;
mod writer;

pub use connection::APPLICATION_ID;
pub use copy::{RestoreError, Restored, restore};
pub use new_file::{NewFile, NewFileError, is_same_file};
pub use storage::SqliteStorage;
