use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use memory_storage::Storage;

/// What an adapter's tests tell the suite about their backend.
///
/// One value serves one scenario; what it holds (a folder, a database) goes when it is dropped.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Opens a store on an empty database that nobody else uses and that has every migration.
    /// A scenario opens one store and no more.
    async fn open(&self, options: StoreOptions) -> Arc<dyn Storage>;

    /// Whether an open unit of work keeps every other writer out, so that they end in `Busy`.
    fn single_writer(&self) -> bool;
}

/// What a scenario needs a store to be opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// How long a caller waits for a connection, a lock or the writer.
    pub acquire_timeout: Duration,
    /// How long a unit of work may be idle.
    pub idle_work_timeout: Duration,
    /// The most connections of the pool; `min_idle` is to be no more than this.
    pub max_connections: u32,
}

impl Default for StoreOptions {
    /// Patient enough for a slow machine: no scenario that uses it waits in vain.
    fn default() -> Self {
        StoreOptions {
            acquire_timeout: Duration::from_secs(20),
            idle_work_timeout: Duration::from_secs(20),
            max_connections: 6,
        }
    }
}

impl StoreOptions {
    /// Sets how long a caller waits.
    pub fn with_acquire_timeout(mut self, timeout: Duration) -> StoreOptions {
        self.acquire_timeout = timeout;
        self
    }

    /// Sets how long a unit of work may be idle.
    pub fn with_idle_work_timeout(mut self, timeout: Duration) -> StoreOptions {
        self.idle_work_timeout = timeout;
        self
    }

    /// Sets the most connections of the pool.
    pub fn with_max_connections(mut self, connections: u32) -> StoreOptions {
        self.max_connections = connections;
        self
    }
}
