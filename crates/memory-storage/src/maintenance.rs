use std::path::Path;

use async_trait::async_trait;
use serde::Serialize;

use crate::StorageError;

/// Keeps a store in order. The operator's, not an application's: it sees every tenant, takes as long
/// as it takes, and runs outside of units of work.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Counts the rows of every table and what it takes on the disk, by name.
    async fn table_sizes(&self) -> Result<Vec<TableSize>, StorageError>;

    /// Makes indexes that are missing, mends those that are invalid, gives back the room of what was
    /// deleted and counts anew what the planner goes by; others may go on reading, and on PostgreSQL
    /// writing too. Returns what it did or, in a dry run, what it would do, in that order.
    ///
    /// On SQLite the file and its log then hold nothing of what was deleted before.
    ///
    /// # Errors
    /// `Busy` if a lock that it needs is held for too long, on SQLite also by somebody who reads; what
    /// it did before stays done, and what was deleted may still stand in the file.
    async fn optimize(&self, dry_run: bool) -> Result<Vec<OptimizeStep>, StorageError>;

    /// Copies the store, as it is at one moment and while others write, to a file beside it that is
    /// verified before it gets its name; with `replace` it may take the place of another file.
    ///
    /// # Errors
    /// `Conflict` if the file is there and is not to be replaced; `Invalid` if what is there must not
    /// be: the store itself, a database that somebody has open, or another program's, and what is no
    /// regular file; `Unsupported` on PostgreSQL, whose own tools do that.
    async fn backup(&self, to: &Path, replace: bool) -> Result<Backup, StorageError>;
}

/// What a table takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSize {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// The bytes of its rows.
    pub bytes: u64,
    /// The bytes of its indexes.
    pub index_bytes: u64,
}

/// One step of [`Maintenance::optimize`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptimizeStep {
    /// What is done: `make the index sessions_by_update`.
    pub step: String,
    /// Why.
    pub reason: &'static str,
}

/// A copy of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// Its size in bytes.
    pub bytes: u64,
}
