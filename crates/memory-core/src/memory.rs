use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use memory_domain::{
    Clock, InvalidInput, Limit, SystemClock, Tenant as TenantRecord, TenantCursor, TenantId,
    TenantUsage, Timestamp,
};
use memory_storage::{Config, Health, Info, OpenError, PoolStats, Sql, Storage, StorageError};

use crate::Tenant;

/// How long [`Memory::health`] waits for an answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long [`Memory::close`] waits for what is under way.
const CLOSE_DEADLINE: Duration = Duration::from_secs(30);

/// Opens the store that a URL names: `sqlite://path`, a bare path, `sqlite::memory:`, `postgres://…`.
///
/// A SQLite file is created or upgraded at once; on PostgreSQL the schema must be there (see
/// `memory migrate up`).
///
/// # Errors
/// See [`OpenError`]: each names what is wrong with which option, and what to do.
pub async fn open(url: &str) -> Result<Memory, OpenError> {
    Memory::open(&Config::from_url(url)?).await
}

/// Opens the store that the environment names, with its options: see
/// [`config_from_env`](crate::config_from_env).
///
/// # Errors
/// See [`OpenError`]: one that comes from a variable names it.
pub async fn open_from_env() -> Result<Memory, OpenError> {
    Memory::open(&crate::config_from_env()?.0).await
}

/// An open memory. Cloning is cheap, and clones share the store.
#[derive(Clone)]
pub struct Memory {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
}

impl Memory {
    /// Opens the store that a configuration describes.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(config: &Config) -> Result<Memory, OpenError> {
        Ok(Memory::over(crate::connect(config).await?))
    }

    /// Puts the handle over a store that is open already.
    pub fn over(storage: Arc<dyn Storage>) -> Memory {
        Memory {
            storage,
            clock: Arc::new(SystemClock),
        }
    }

    /// Takes the time from another clock, for tests.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Memory {
        self.clock = clock;
        self
    }

    /// The memory of one tenant. Nothing is looked up: a tenant comes into being with its first
    /// write.
    ///
    /// # Errors
    /// The name must have 1 to 255 bytes and no control characters.
    pub fn tenant(&self, name: &str) -> Result<Tenant, InvalidInput> {
        Ok(self.tenant_by_id(TenantId::new(name)?))
    }

    /// The memory of one tenant.
    pub fn tenant_by_id(&self, id: TenantId) -> Tenant {
        Tenant::new(self.storage.clone(), id, self.clock.clone())
    }

    /// Lists tenants: last active first, then by id.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000, and whatever keeps the store from answering.
    pub async fn tenants(
        &self,
        limit: u32,
        after: Option<TenantCursor>,
    ) -> Result<Vec<TenantRecord>, StorageError> {
        self.storage.tenants(Limit::new(limit)?, after).await
    }

    /// Counts what each tenant has and what of it was active at or after `since`, in the order of
    /// [`Memory::tenants`].
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000, and whatever keeps the store from answering.
    pub async fn usage(
        &self,
        since: Timestamp,
        limit: u32,
        after: Option<TenantCursor>,
    ) -> Result<Vec<TenantUsage>, StorageError> {
        self.storage
            .tenant_usage(since, Limit::new(limit)?, after)
            .await
    }

    /// Whether the store answers, within 5 seconds.
    pub async fn health(&self) -> Health {
        self.storage.health(HEALTH_TIMEOUT).await
    }

    /// What the store is and how it is configured, without secrets.
    ///
    /// # Errors
    /// Whatever keeps the store from answering.
    pub async fn info(&self) -> Result<Info, StorageError> {
        self.storage.info().await
    }

    /// What the pool of connections has done so far.
    pub fn pool_stats(&self) -> PoolStats {
        self.storage.pool_stats()
    }

    /// Waits up to 30 seconds for what is under way, then closes. Every later verb, on clones and
    /// tenants too, returns `Closed`.
    ///
    /// # Errors
    /// `Busy` if something was still under way.
    pub async fn close(&self) -> Result<(), StorageError> {
        self.storage.close(CLOSE_DEADLINE).await
    }

    /// Begins a statement of one's own, for what no verb does. It sees every tenant: see [`Sql`].
    pub fn sql(&self, text: impl Into<String>) -> Sql<'_> {
        Sql::new(&*self.storage, text)
    }

    /// The store itself, for the operator's tools.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("storage", &self.storage)
            .finish_non_exhaustive()
    }
}
