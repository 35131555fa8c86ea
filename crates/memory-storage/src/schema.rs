use async_trait::async_trait;
use serde::Serialize;

use crate::StorageError;

/// One migration and whether it is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationState {
    /// Its name, `<date>_<name>`, the same on both backends.
    pub name: String,
    /// Whether it is applied.
    pub applied: bool,
    /// Whether this program knows it; one it does not know is newer than the program.
    pub known: bool,
}

/// Brings the schema up and down. Changes of many processes at once are applied once.
#[async_trait]
pub trait SchemaAdmin: Send + Sync {
    /// Every migration, oldest first: those the program knows and those the store has.
    async fn status(&self) -> Result<Vec<MigrationState>, StorageError>;

    /// Applies what is pending and returns its names, oldest first. What was written before there
    /// was an index for search is then indexed, in batches that last by themselves: if that is cut
    /// off, search finds what was indexed so far, and the next call goes on there.
    ///
    /// # Errors
    /// `SchemaMismatch` if the store has migrations that this program does not know.
    async fn up(&self) -> Result<Vec<String>, StorageError>;

    /// Reverts the newest `steps` migrations, with what they hold, and returns their names, newest
    /// first.
    ///
    /// # Errors
    /// `SchemaMismatch` if the store has migrations that this program does not know.
    async fn down(&self, steps: u32) -> Result<Vec<String>, StorageError>;

    /// Counts the messages and nodes that are still to be indexed for search, because that was cut
    /// off or is under way; none if there is no such index yet. It looks at each of them.
    async fn unindexed(&self) -> Result<u64, StorageError>;

    /// Makes the index for search anew, in batches that last by themselves, and returns how many
    /// messages and nodes were indexed. Other verbs may run meanwhile, and find what they find now.
    async fn reindex(&self) -> Result<u64, StorageError>;
}
